//! The services that a server has, such as those of rooms, of nodes or of files: service discovery, XEP-0030 2.5.0 (30 April 2024) §3 and §4, asked
//! of the own server and of all that it tells of.
//!
//! Left out: what has no address of its own, or is an account's.

use super::disco::{self, DiscoIdentity, DiscoInfo, INFO};
use super::forms::DataForm;
use super::{Call, Config, Ctx, Feature, Never, Page, Reply, rsm, typescript, unfit};
use crate::error::{Code, Error};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;

/// How many services a page has at most. All of them are asked at once.
const PAGE: u32 = 50;

typescript!(
    r#"
export interface Rooms {
  /**
   * The services of the own server that have rooms (XEP-0045 §6.1).
   *
   * Rejects as {@link Disco.services} does.
   *
   * @example
   * for await (const { jid } of client.rooms.services()) console.log(`a room's address: NAME@${jid}`);
   */
  services(options?: CallOptions): AsyncIterableIterator<Service>;
}

export interface Disco {
  /**
   * The services of the own server, itself among them: those that are of this category and type, or have this feature. Each is asked what it is;
   * what doesn't answer in 30 seconds, or can't be asked, is left out.
   *
   * Rejects `offline`, `stanza-error` where the server doesn't say what it has, `protocol-violation` where it says something else.
   *
   * @example
   * for await (const { jid } of client.disco.services({ feature: "urn:xmpp:http:upload:0" })) console.log(jid);
   */
  services(
    which?: { category?: string | null | undefined; type?: string | null | undefined; feature?: string | null | undefined } | null,
    options?: CallOptions,
  ): AsyncIterableIterator<Service>;
}

/** A service of a server's. */
export interface Service extends Omit<DiscoInfo, "node"> {
  /** Its address. */
  jid: string;
  /** Its name for people, as the server says. */
  name?: string;
}
"#
);

/// What the app can call: which services, from the end of a page on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Which.
    pub which: Which,
    /// The end of the last page.
    pub after: Option<String>,
}

/// Which services.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Which {
    /// Of this category.
    pub category: Option<String>,
    /// Of this type.
    pub kind: Option<String>,
    /// With this feature.
    pub feature: Option<String>,
}

/// A service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Service {
    /// Its address.
    pub jid: String,
    /// Its name, as the server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    pub identities: Vec<DiscoIdentity>,
    /// What it can.
    pub features: Vec<String>,
    /// What else it says.
    pub forms: Vec<DataForm>,
}

/// The pages under way.
#[derive(Debug, Default)]
pub struct Services {
    searches: Vec<Search>,
    tokens: u32,
}

#[derive(Debug)]
struct Search {
    ticket: Ticket,
    which: Which,
    after: Option<String>,
    next: Option<String>,
    /// Whom we have asked and who hasn't answered, by their tokens.
    open: Vec<u32>,
    /// All whom we have asked, in order: with what they have said of themselves, where they are to be told.
    candidates: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    token: u32,
    name: Option<String>,
    jid: Jid,
    info: Option<DiscoInfo>,
}

impl Feature for Services {
    type Command = Command;
    type Reply = Page<Service>;
    type Event = Never;

    const CALLS: &'static [Call] = &[Call::paged("disco.services", 1), Call::paged("rooms.services", 0)];

    // What a service takes that doesn't answer, and a bit.
    const PATIENCE: Option<u64> = Some(45_000);

    fn new(_: &Config) -> Self {
        Services::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        if name == "rooms.services" {
            return Ok(Command {
                which: Which {
                    category: Some("conference".to_owned()),
                    // Another type is that of other networks.
                    kind: Some("text".to_owned()),
                    feature: None,
                },
                after: args.of(0, "next", Arg::opt_text)?,
            });
        }
        let which = args.take(0, "which");
        let text = |name| which.opt_of(name, Arg::opt_text);
        Ok(Command {
            which: Which {
                category: text("category")?,
                kind: text("type")?,
                feature: text("feature")?,
            },
            after: args.of(1, "next", Arg::opt_text)?,
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command { which, after } = command;
        let server = cx.account().domain_jid();
        let items = disco::items(None, PAGE, after.as_deref());
        match cx.ask(false, Some(server), items, Token::Call(ticket)) {
            Ok(()) => self.searches.push(Search {
                ticket,
                which,
                after,
                next: None,
                open: Vec::new(),
                candidates: Vec::new(),
            }),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let is = |search: &Search| match token {
            Token::Call(ticket) => search.ticket == ticket,
            Token::Own(token) => search.open.contains(&token),
        };
        let Some(place) = self.searches.iter().position(is) else { return };
        let mut search = self.searches.swap_remove(place);
        let read = match token {
            Token::Call(_) => self.ask(cx, &mut search, result),
            Token::Own(token) => search.hear(token, result),
        };
        match read {
            Err(error) => cx.reply(search.ticket, Err(error)),
            Ok(()) if search.open.is_empty() => {
                let ticket = search.ticket;
                cx.reply(ticket, Ok(Reply::Services(search.page())));
            }
            Ok(()) => self.searches.push(search),
        }
    }
}

impl Services {
    /// The server has said what it has, and each is asked what it is.
    fn ask(&mut self, cx: &mut Ctx<'_>, search: &mut Search, result: Result<Option<Element>, Error>) -> Result<(), Error> {
        let answer = result?.ok_or_else(|| unfit("the question what the server has"))?;
        let items = disco::items_of(&answer, None)?;
        search.next = rsm::next(&answer, items.len(), search.after.as_deref());
        let server = cx.account().domain_jid();
        let mut jids = Vec::new();
        // It may be what is looked for itself.
        if search.after.is_none() {
            jids.push((server, None));
        }
        for item in items {
            // A room or an account is none, and a node is a part of one.
            let jid = Jid::parse(&item.jid).ok().filter(|jid| item.node.is_none() && jid.local().is_none());
            let known = |jid: &Jid| jids.iter().any(|(known, _)| known == jid);
            if let Some(jid) = jid.filter(|jid| !known(jid)) {
                jids.push((jid, item.name));
            }
        }
        // A server that doesn't know pages may tell of more.
        jids.truncate(PAGE as usize + 1);
        for (jid, name) in jids {
            self.tokens = self.tokens.wrapping_add(1);
            let token = self.tokens;
            cx.ask(false, Some(jid.clone()), Element::new("query", INFO), Token::Own(token))?;
            search.open.push(token);
            search.candidates.push(Candidate {
                token,
                name,
                jid,
                info: None,
            });
        }
        Ok(())
    }
}

impl Search {
    /// One has said what it is, or won't.
    fn hear(&mut self, token: u32, result: Result<Option<Element>, Error>) -> Result<(), Error> {
        self.open.retain(|open| *open != token);
        let read = result.and_then(|answer| DiscoInfo::read(&answer.ok_or_else(|| unfit("a question"))?, None));
        match read {
            Ok(info) => {
                let fits = self.which.fits(&info);
                let candidate = self.candidates.iter_mut().find(|candidate| candidate.token == token);
                if let Some(candidate) = candidate.filter(|_| fits) {
                    candidate.info = Some(info);
                }
                Ok(())
            }
            // That is its own affair, and the others are there all the same.
            Err(error) if matches!(error.code(), Code::StanzaError | Code::Timeout | Code::ProtocolViolation) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn page(self) -> Page<Service> {
        let mut items = Vec::new();
        for candidate in self.candidates {
            if let Some(info) = candidate.info {
                items.push(Service {
                    jid: candidate.jid.as_str().to_owned(),
                    name: candidate.name,
                    identities: info.identities,
                    features: info.features,
                    forms: info.forms,
                });
            }
        }
        Page { items, next: self.next }
    }
}

impl Which {
    fn fits(&self, info: &DiscoInfo) -> bool {
        let is = |wanted: &Option<String>, word: &str| wanted.as_ref().is_none_or(|wanted| wanted == word);
        let identity = |one: &DiscoIdentity| is(&self.category, &one.category) && is(&self.kind, &one.kind);
        let any = self.category.is_none() && self.kind.is_none();
        (any || info.identities.iter().any(identity))
            && self.feature.as_ref().is_none_or(|feature| info.supports(feature))
    }
}
