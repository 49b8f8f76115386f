//! Service discovery, XEP-0030 2.5.0 (30 April 2024), with the forms of XEP-0128: what somebody is, can and has, and what this client says of
//! itself.
//!
//! What a client says by a hash in its presence ([`caps`](super::caps)) is asked for once.

mod info;

pub use info::{DiscoIdentity, DiscoInfo};

use super::caps::Mark;
use super::pubsub::violation;
use super::{Call, Config, Ctx, Feature, Flow, Never, Page, Reply, rsm, typescript};
use crate::error::{Code, Error};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::iq;
use crate::xml::{self, Element};
use serde::Serialize;

pub(super) const INFO: &str = "http://jabber.org/protocol/disco#info";
pub(super) const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// How many items a page has at most, where the other side knows pages.
const PAGE: u32 = 100;

typescript!(
    r#"
export interface Calls {
  /** What servers, services and clients are and can. */
  readonly disco: Disco;
}

/** What somebody is, and can. */
export interface DiscoInfo {
  /** Of which node that was asked. */
  node?: string;
  /** What they are. */
  identities: DiscoIdentity[];
  /** What they can: names of features, most of them namespaces. */
  features: string[];
  /** What else they say (XEP-0128). */
  forms: DataForm[];
}

/** What somebody is. */
export interface DiscoIdentity {
  /** Such as `"client"`, `"server"` or `"conference"`. */
  category: string;
  /** Such as `"web"`, `"im"` or `"text"`. */
  type: string;
  /** A name for people. */
  name?: string;
  /** The language of the name. */
  lang?: string;
}

/** Something that somebody has. */
export interface DiscoItem {
  /** Where it is. */
  jid: string;
  /** The node there, where it has no address of its own. */
  node?: string;
  /** A name for people. */
  name?: string;
}

/**
 * Service discovery (XEP-0030). All calls reject `offline`, `invalid-jid`, `stanza-error` where who was asked doesn't want to tell or isn't
 * there, `protocol-violation` for an answer that is none.
 */
export interface Disco {
  /**
   * What somebody is and can; without `jid` the own server. A client whose presence has come says it by that (XEP-0115, XEP-0390), and is asked
   * only if none like it has been.
   *
   * @example
   * const { features } = await client.disco.info();
   * if (features.includes("urn:xmpp:blocking")) showBlocking();
   */
  info(jid?: string | null, node?: string | null, options?: CallOptions): Promise<DiscoInfo>;
  /**
   * What somebody has, such as the services of a server or the rooms of a service; without `jid` the own server. Page by page where they know
   * pages.
   *
   * @example
   * for await (const { jid, name } of client.disco.items("conference.example.org")) console.log(jid, name);
   */
  items(jid?: string | null, node?: string | null, options?: CallOptions): AsyncIterableIterator<DiscoItem>;
  /**
   * Whether somebody supports a feature, by the same way as {@link Disco.info}.
   *
   * @example
   * if (await client.disco.supports("bob@example.org/phone", "urn:xmpp:jingle:1")) showCall();
   */
  supports(jid: string, feature: string, options?: CallOptions): Promise<boolean>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Who is asked; nobody is the own server.
    pub jid: Option<Jid>,
    /// What for.
    pub question: Question,
}

/// What somebody is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// What they, or a node of theirs, can.
    Info(Option<String>),
    /// What they, or a node of theirs, have; behind the end of a page.
    Items(Option<String>, Option<String>),
    /// Whether they support a feature.
    Supports(String),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// What somebody can.
    Info(DiscoInfo),
    /// What somebody has.
    Items(Page<DiscoItem>),
    /// Whether somebody supports a feature.
    Supports(bool),
}

/// Something that somebody has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DiscoItem {
    /// Where it is.
    pub jid: String,
    /// The node there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Reads what features the app says that it has itself.
///
/// # Errors
/// `invalid-argument` for what can't be one.
pub fn features(given: &Arg) -> Result<Vec<String>, Error> {
    let features = given.texts()?;
    // A `<` would make the hash of XEP-0115 that of something else.
    let good = |feature: &String| !feature.is_empty() && feature.chars().all(|c| c != '<' && xml::is_xml_char(c));
    match features.iter().all(good) {
        true => Ok(features),
        false => Err(given.wrong("an array of the names of features")),
    }
}

/// What others are asked.
#[derive(Debug, Default)]
pub struct Disco {
    /// Calls, each with who was asked for it.
    calls: Vec<Asked>,
    /// What is asked for all who have the same hash.
    marked: Vec<Marked>,
    tokens: u32,
}

#[derive(Debug)]
struct Asked {
    ticket: Ticket,
    jid: Jid,
    question: Question,
}

#[derive(Debug)]
struct Marked {
    token: u32,
    jid: Jid,
    mark: Mark,
    waiting: Vec<Asked>,
}

impl Feature for Disco {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[INFO, ITEMS];

    const CALLS: &'static [Call] = &[
        Call::once("disco.info", 2),
        Call::paged("disco.items", 2),
        Call::once("disco.supports", 2),
    ];

    fn new(_: &Config) -> Self {
        Disco::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let jid = args.take(0, "jid");
        Ok(match name {
            "disco.supports" => Command {
                jid: Some(jid.jid()?),
                question: Question::Supports(args.of(1, "feature", Arg::text)?),
            },
            _ => {
                let node = args.of(1, "node", Arg::opt_text)?;
                Command {
                    jid: jid.opt_jid()?,
                    question: match name {
                        "disco.info" => Question::Info(node),
                        _ => Question::Items(node, args.of(2, "next", Arg::opt_text)?),
                    },
                }
            }
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command { jid, question } = command;
        let jid = jid.unwrap_or_else(|| cx.account().domain_jid());
        self.ask(cx, Asked { ticket, jid, question });
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if iq::request(stanza) != Some(false) {
            return Flow::Next;
        }
        let answer = if let Some(query) = stanza.child("query", INFO) {
            cx.facts.own.info(query.attr("node"))
        } else if let Some(query) = stanza.child("query", ITEMS) {
            let node = query.attr("node");
            // §4.1: nothing is an empty answer.
            let nothing = Element::new("query", ITEMS).with_opt_attr("node", node);
            cx.facts.own.has_node(node).then_some(nothing)
        } else {
            return Flow::Next;
        };
        cx.answer(&match answer {
            Some(answer) => iq::result(stanza, Some(answer)),
            // §7.
            None => iq::error(stanza, "cancel", "item-not-found"),
        });
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        match token {
            Token::Call(ticket) => {
                if let Some(place) = self.calls.iter().position(|asked| asked.ticket == ticket) {
                    let asked = self.calls.swap_remove(place);
                    let result = result.and_then(|answer| asked.read(answer.as_ref()).inspect(|_| asked.note(cx, answer.as_ref())));
                    cx.reply(ticket, result.map(Reply::Disco));
                }
            }
            Token::Own(token) => {
                if let Some(place) = self.marked.iter().position(|marked| marked.token == token) {
                    let marked = self.marked.swap_remove(place);
                    self.answered(cx, marked, result);
                }
            }
        }
    }
}

impl Disco {
    /// Asks, unless it is known, or asked already.
    fn ask(&mut self, cx: &mut Ctx<'_>, asked: Asked) {
        let whole = !matches!(asked.question, Question::Info(Some(_)) | Question::Items(..));
        let Some(mark) = cx.facts.caps.mark(&asked.jid).filter(|_| whole).cloned() else {
            return self.ask_plainly(cx, asked);
        };
        if let Some(info) = cx.facts.caps.info(&mark) {
            let answer = asked.of(info.clone());
            return cx.reply(asked.ticket, Ok(Reply::Disco(answer)));
        }
        if let Some(marked) = self.marked.iter_mut().find(|marked| marked.mark.is(&mark)) {
            marked.waiting.push(asked);
            return;
        }
        self.tokens = self.tokens.wrapping_add(1);
        let query = Element::new("query", INFO).with_attr("node", mark.node());
        // XEP-0115 §6.2: exactly who has said it.
        match cx.ask(false, Some(asked.jid.clone()), query, Token::Own(self.tokens)) {
            Ok(()) => self.marked.push(Marked {
                token: self.tokens,
                jid: asked.jid.clone(),
                mark,
                waiting: vec![asked],
            }),
            Err(error) => cx.reply(asked.ticket, Err(error)),
        }
    }

    fn ask_plainly(&mut self, cx: &mut Ctx<'_>, asked: Asked) {
        let query = match &asked.question {
            Question::Info(node) => Element::new("query", INFO).with_opt_attr("node", node.as_deref()),
            Question::Supports(_) => Element::new("query", INFO),
            Question::Items(node, after) => items(node.as_deref(), PAGE, after.as_deref()),
        };
        match cx.ask(false, Some(asked.jid.clone()), query, Token::Call(asked.ticket)) {
            Ok(()) => self.calls.push(asked),
            Err(error) => cx.reply(asked.ticket, Err(error)),
        }
    }

    /// Somebody has told what is behind a hash.
    fn answered(&mut self, cx: &mut Ctx<'_>, marked: Marked, result: Result<Option<Element>, Error>) {
        let node = Some(marked.mark.node());
        let result = result.and_then(|answer| {
            let answer = answer.ok_or_else(|| violation("the question what somebody can was answered with nothing"))?;
            let info = DiscoInfo::read(&answer, node)?;
            cx.facts.caps.learn(&marked.mark, &answer);
            Ok(DiscoInfo { node: None, ..info })
        });
        let code = result.as_ref().err().map(Error::code);
        let by_them = matches!(
            code,
            None | Some(Code::StanzaError | Code::ProtocolViolation | Code::Timeout)
        );
        for asked in marked.waiting {
            if !cx.is_open(asked.ticket) {
                continue;
            }
            match &result {
                // What they say of themselves is what they say, whatever its hash.
                Ok(info) if asked.jid == marked.jid => {
                    let answer = asked.of(info.clone());
                    cx.reply(asked.ticket, Ok(Reply::Disco(answer)));
                }
                // Some know no nodes.
                Err(_) if code == Some(Code::StanzaError) && asked.jid == marked.jid => self.ask_plainly(cx, asked),
                Err(error) if !by_them || asked.jid == marked.jid => cx.reply(asked.ticket, Err(error.clone())),
                // Of the others it is known now, or they are asked themselves (XEP-0115 §5.4 3.9).
                _ => self.ask(cx, asked),
            }
        }
    }
}

impl Asked {
    fn read(&self, answer: Option<&Element>) -> Result<Answer, Error> {
        let nothing = || violation("a question was answered with nothing");
        let answer = answer.ok_or_else(nothing)?;
        let Question::Items(node, after) = &self.question else {
            let node = match &self.question {
                Question::Info(node) => node.as_deref(),
                _ => None,
            };
            return DiscoInfo::read(answer, node).map(|info| self.of(info));
        };
        let items = items_of(answer, node.as_deref())?;
        let next = rsm::next(answer, items.len(), after.as_deref());
        Ok(Answer::Items(Page { items, next }))
    }

    /// Whose ids are to be believed is known by what they can.
    fn note(&self, cx: &mut Ctx<'_>, answer: Option<&Element>) {
        if let (Question::Info(None) | Question::Supports(_), Some(info)) = (&self.question, answer) {
            let account = cx.account().clone();
            cx.facts.numbering.heard(&account, &self.jid, info);
        }
    }

    /// What follows for the question from what somebody can.
    fn of(&self, info: DiscoInfo) -> Answer {
        match &self.question {
            Question::Supports(feature) => Answer::Supports(info.supports(feature)),
            _ => Answer::Info(info),
        }
    }
}

/// Asks what somebody, or a node of theirs, has: so many at once, behind the end of a page.
pub(super) fn items(node: Option<&str>, max: u32, after: Option<&str>) -> Element {
    Element::new("query", ITEMS)
        .with_opt_attr("node", node)
        .with_child(rsm::set(max, after))
}

/// What somebody has.
///
/// # Errors
/// `protocol-violation` for what is no answer to that.
pub(super) fn items_of(answer: &Element, node: Option<&str>) -> Result<Vec<DiscoItem>, Error> {
    let of = answer.attr("node");
    if !answer.is("query", ITEMS) || (of.is_some() && of != node) {
        return Err(violation("the question what somebody has was answered with something else"));
    }
    let mut items = Vec::new();
    for item in answer.all("item", ITEMS) {
        // §4.1. Servers may know addresses that RFC 7622 no longer allows: what is there is there all the same.
        let jid = item.attr("jid").ok_or_else(|| violation("somebody has something without an address"))?;
        items.push(DiscoItem {
            jid: Jid::parse(jid).map_or_else(|_| jid.to_owned(), |jid| jid.as_str().to_owned()),
            node: item.attr("node").map(str::to_owned),
            name: item.attr("name").map(str::to_owned),
        });
    }
    Ok(items)
}
