//! Message Displayed Synchronization, XEP-0490 1.0.1 (20 November 2024): up to which message the user has seen each conversation, on all
//! clients of the account.
//!
//! It is kept in a node that is the account's alone. What is to be kept goes out one after the other, and waits while there is no
//! connection; of a conversation only the last counts.
//!
//! Left out: server assist (§3.4), looking up what has changed when a session begins (that is for the app to ask), and making a node right
//! that somebody else has made in another way.

use super::disco::INFO;
use super::pubsub::{self, violation};
use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Place, Reply, chat, rsm, typescript};
use crate::error::{Code, Error, Phase};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Status, Ticket, Token};
use crate::xml::Element;
use serde::Serialize;

const NODE: &str = "urn:xmpp:mds:displayed:0";

/// What a server says that minds how a node must be for something to be published in it.
const OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

typescript!(
    r#"
export interface Calls {
  /** Up to where conversations have been seen, on any client of the account. */
  readonly displayed: Displayed;
}

export interface FeatureEvents {
  /** Another client of the account has shown a conversation up to here. It may be less than what is known already: then heed nothing. */
  displayed: DisplayedMark;
}

/** Up to where a conversation has been seen. */
export interface DisplayedMark {
  /** The conversation: the bare JID of a contact or a room, or the full one of somebody in a room. */
  with: string;
  /** The {@link Message.stanzaId} of the last message that was seen: all before it have been. */
  stanzaId: string;
  /** Whose id that is: the account's own bare JID, or, of what was said in a room, the room's. */
  by: string;
}

/** Up to where conversations have been seen, on any client of the account (XEP-0490). */
export interface Displayed {
  /**
   * What is known of all conversations, in no order. What happens later comes as `displayed` events; what has happened while there was no
   * connection doesn't, so ask again in each new session.
   *
   * Rejects `offline`, `stanza-error` where the server keeps nothing of the kind, `protocol-violation`.
   *
   * @example
   * for (const { with: chat, stanzaId } of await client.displayed.get()) markRead(chat, stanzaId);
   */
  get(options?: CallOptions): Promise<DisplayedMark[]>;

  /**
   * Says that the user has seen a conversation up to this message, to the account's own clients and to nobody else. Without `by` the id is
   * the one of the account's archive. {@link Client.markDisplayed} does this as well. It is for the app to see that it only moves forward.
   *
   * While `reconnecting` it waits. Where the same is said of a conversation before that has left, the last counts for both.
   *
   * Rejects `offline`, `queue-full`, `invalid-jid`, `stanza-error` where the server refuses it or couldn't keep it to the account.
   *
   * @example
   * client.on("message", ({ from, type, stanzaId }) => {
   *   const by = type === "groupchat" ? bare(from) : undefined; // whose archive's id it is
   *   if (stanzaId && document.hasFocus()) void client.displayed.set({ with: bare(from), stanzaId, by });
   * });
   */
  set(mark: { with: string; stanzaId: string; by?: string | undefined }, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// What is known of all conversations.
    Get,
    /// One has been seen up to there; by whose id, where that isn't the account's.
    Set(Jid, String, Option<Jid>),
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing.
    Done,
    /// What is known.
    Known(Vec<Mark>),
}

/// Up to where a conversation has been seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// The conversation.
    pub with: String,
    /// The id of the last message that was seen.
    pub stanza_id: String,
    /// Whose id that is.
    pub by: String,
}

impl Named for Mark {
    fn name(&self) -> &'static str {
        "displayed"
    }
}

/// How many conversations may wait to be published.
const WAITING: usize = 1_000;

/// How many of our own marks are remembered, whose notifications are still to come.
const OWN: usize = 100;

/// How many conversations are asked for at once, how many there may be, and on how many pages: a server may have shorter ones, and some
/// with nothing on them that can be read.
const PAGE: u32 = 200;
const MOST: usize = 20_000;
const PAGES: u32 = 400;

/// What is to be published (`displayed`, for those who mark what was displayed).
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Vec<(Mark, Vec<Ticket>)>,
    /// The question under way: whether the server minds how a node must be, or what is published.
    asked: Option<Option<(Mark, Vec<Ticket>)>>,
    minds: Option<bool>,
    own: Vec<Mark>,
}

/// Up to where conversations have been seen.
#[derive(Debug, Default)]
pub struct Displayed {
    /// The calls that ask for it.
    asked: Vec<Asked>,
}

/// A call that asks for it.
#[derive(Debug)]
struct Asked {
    ticket: Ticket,
    /// What is known so far.
    known: Vec<Mark>,
    /// The end of the last page.
    after: Option<String>,
    /// How many have been asked for.
    pages: u32,
}

impl Feature for Displayed {
    type Command = Command;
    type Reply = Answer;
    type Event = Mark;

    /// §3.2.
    const DISCO: &'static [&'static str] = &["urn:xmpp:mds:displayed:0+notify"];

    const CALLS: &'static [Call] = &[Call::once("displayed.get", 0), Call::once("displayed.set", 1)];

    fn new(_: &Config) -> Self {
        Displayed::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        if name == "displayed.get" {
            return Ok(Command::Get);
        }
        let mark = args.take(0, "mark");
        let id = mark.field("stanzaId")?;
        let text = id.text()?;
        if text.is_empty() {
            return Err(id.wrong("an id"));
        }
        let by = mark.jid_of("by")?;
        Ok(Command::Set(mark.of("with", Arg::jid)?, text, by.map(|by| by.to_bare())))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        match command {
            Command::Get => {
                let (known, after, pages) = (Vec::new(), None, 0);
                self.ask(cx, Asked { ticket, known, after, pages });
            }
            Command::Set(with, id, by) => {
                if let Err(error) = put(cx, &with, id, by.as_ref(), Some(ticket)) {
                    cx.reply(ticket, Err(error));
                }
            }
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        cx.facts.displayed.minds = None;
        pump(cx);
    }

    fn on_resumed(&mut self, cx: &mut Ctx<'_>, _: bool, _: bool) {
        pump(cx);
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        let own = cx.account();
        // §5: what the account's clients tell each other comes from the account itself.
        let told = pubsub::event(stanza, own).filter(|told| told.node == NODE && told.from == own.to_bare());
        let items = told.iter().flat_map(|told| &told.items);
        let marks = items.filter_map(|item| mark(item.id, item.payload, own));
        for mark in marks.collect::<Vec<_>>() {
            let known = &mut cx.facts.displayed.own;
            match known.iter().position(|own| *own == mark) {
                Some(place) => drop(known.remove(place)),
                None => cx.emit(Event::Displayed(mark)),
            }
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else {
            return published(cx, result);
        };
        let Some(place) = self.asked.iter().position(|asked| asked.ticket == ticket) else {
            return;
        };
        let Asked { mut known, after, pages, .. } = self.asked.swap_remove(place);
        let read = match result {
            // Nobody has kept anything yet.
            Err(error) if pubsub::is_missing(&error) => Ok(None),
            Err(error) => Err(error),
            Ok(answer) => pubsub::items_of(answer.as_ref(), NODE).map(|items| {
                let marks = items.iter().filter_map(|item| mark(&item.id, item.payload.0.as_ref(), cx.account()));
                known.extend(marks);
                answer.and_then(|answer| rsm::next(&answer, items.len(), after.as_deref()))
            }),
        };
        match read {
            Ok(Some(next)) if known.len() < MOST && pages < PAGES => {
                let after = Some(next);
                self.ask(cx, Asked { ticket, known, after, pages });
            }
            read => cx.reply(ticket, read.map(|_| Reply::Displayed(Answer::Known(known)))),
        }
    }

    fn on_offline(&mut self, cx: &mut Ctx<'_>) {
        cx.facts.displayed.own.clear();
        if cx.status() == Status::Offline {
            cx.facts.displayed.waiting.clear();
        }
    }
}

impl Displayed {
    /// Asks for the next page.
    fn ask(&mut self, cx: &mut Ctx<'_>, mut asked: Asked) {
        let none: [&str; 0] = [];
        let items = pubsub::items(NODE, &none, None).with_child(rsm::set(PAGE, asked.after.as_deref()));
        asked.pages += 1;
        match cx.ask(false, None, items, Token::Call(asked.ticket)) {
            Ok(()) => self.asked.push(asked),
            Err(error) => cx.reply(asked.ticket, Err(error)),
        }
    }
}

/// Tells the account's other clients that a conversation has been seen up to the message of this id. Without `by` the id is that of the
/// account's archive; of what was said in a room, `by` is the room. Where it can't be told, nobody hears of that.
pub(super) fn publish(cx: &mut Ctx<'_>, with: &Jid, stanza_id: String, by: Option<&Jid>) {
    let _ = put(cx, with, stanza_id, by, None);
}

fn put(cx: &mut Ctx<'_>, with: &Jid, stanza_id: String, by: Option<&Jid>, ticket: Option<Ticket>) -> Result<(), Error> {
    if !matches!(cx.status(), Status::Online | Status::Verifying | Status::Reconnecting) {
        return Err(Error::new(Code::Offline, Phase::Session, "the client is not connected"));
    }
    let mark = Mark {
        with: with.as_str().to_owned(),
        stanza_id,
        by: by.unwrap_or(cx.account()).bare_str().to_owned(),
    };
    let outbox = &mut cx.facts.displayed;
    let full = outbox.waiting.len() >= WAITING;
    match outbox.waiting.iter_mut().find(|(other, _)| other.with == mark.with) {
        Some((other, tickets)) => {
            *other = mark;
            tickets.extend(ticket);
        }
        None if full => {
            let message = "too many conversations are waiting for the server already";
            return Err(Error::new(Code::QueueFull, Phase::Session, message));
        }
        None => outbox.waiting.push((mark, ticket.into_iter().collect())),
    }
    pump(cx);
    Ok(())
}

/// Publishes what is next, if nothing is under way.
fn pump(cx: &mut Ctx<'_>) {
    while let Err(error) = ask_next(cx) {
        answered(cx, Err(error));
    }
}

/// Asks the server for what is next. An error is the answer to it.
fn ask_next(cx: &mut Ctx<'_>) -> Result<(), Error> {
    let connected = matches!(cx.status(), Status::Online | Status::Verifying);
    let account = cx.account().to_bare();
    let outbox = &mut cx.facts.displayed;
    if !connected || outbox.asked.is_some() || outbox.waiting.is_empty() {
        return Ok(());
    }
    let (set, to, payload) = match outbox.minds {
        // §6: who asks a server that doesn't mind would tell all contacts.
        None => {
            outbox.asked = Some(None);
            (false, Some(account), Element::new("query", INFO))
        }
        Some(false) => {
            let waiting = core::mem::take(&mut outbox.waiting);
            let message = "the server can't keep what was displayed to the account alone";
            let error = Error::new(Code::StanzaError, Phase::Stanza, message).with_condition("feature-not-implemented");
            settle(cx, waiting, &Err(error.with_retryable(false)));
            return Ok(());
        }
        Some(true) => {
            let (mark, tickets) = outbox.waiting.remove(0);
            let payload = publication(&mark);
            if outbox.own.len() >= OWN {
                outbox.own.remove(0);
            }
            outbox.own.push(mark.clone());
            outbox.asked = Some(Some((mark, tickets)));
            (true, None, payload)
        }
    };
    // Whoever has said what was displayed: the answer is ours.
    let owner = core::mem::replace(&mut cx.owner, Place::Displayed as u8);
    let asked = cx.ask(set, to, payload, Token::Own(0));
    cx.owner = owner;
    asked
}

/// The question under way has been answered, or won't be; then what is next is asked.
fn published(cx: &mut Ctx<'_>, result: Result<Option<Element>, Error>) {
    answered(cx, result);
    pump(cx);
}

fn answered(cx: &mut Ctx<'_>, result: Result<Option<Element>, Error>) {
    let account = cx.account().to_bare();
    let outbox = &mut cx.facts.displayed;
    let Some(asked) = outbox.asked.take() else { return };
    let over = result.as_ref().is_err_and(|error| error.code() == Code::Closed);
    match asked {
        // The next session asks again.
        None if over => {}
        None => {
            let minds = match result {
                Ok(info) => match info.filter(|info| info.is("query", INFO)) {
                    Some(info) => {
                        cx.facts.numbering.heard(&account, &account, &info);
                        Ok(info.children().any(|feature| feature.attr("var") == Some(OPTIONS)))
                    }
                    None => Err(violation("the account said something else than what it can")),
                },
                Err(error) if error.code() == Code::StanzaError => Ok(false),
                Err(error) => Err(error),
            };
            match minds {
                Ok(minds) => outbox.minds = Some(minds),
                Err(error) => {
                    let waiting = core::mem::take(&mut outbox.waiting);
                    settle(cx, waiting, &Err(error));
                }
            }
        }
        Some((mark, tickets)) if over => {
            match outbox.waiting.iter_mut().find(|(other, _)| other.with == mark.with) {
                Some((_, others)) => others.extend(tickets),
                None => outbox.waiting.insert(0, (mark, tickets)),
            }
        }
        Some(asked) => {
            if result.is_err() {
                outbox.own.retain(|own| *own != asked.0);
            }
            settle(cx, [asked].into(), &result.map(drop));
        }
    }
}

fn settle(cx: &mut Ctx<'_>, marks: Vec<(Mark, Vec<Ticket>)>, result: &Result<(), Error>) {
    for ticket in marks.into_iter().flat_map(|(_, tickets)| tickets) {
        let reply = result.clone().map(|()| Reply::Displayed(Answer::Done));
        cx.reply(ticket, reply);
    }
}

/// §3.1.
fn publication(mark: &Mark) -> Element {
    let id = Element::new("stanza-id", chat::SID)
        .with_attr("by", mark.by.as_str())
        .with_attr("id", mark.stanza_id.as_str());
    let options = pubsub::options(&[
        ("pubsub#persist_items", "true"),
        ("pubsub#max_items", "max"),
        ("pubsub#send_last_published_item", "never"),
        ("pubsub#access_model", "whitelist"),
    ]);
    let displayed = Element::new("displayed", NODE).with_child(id);
    pubsub::publish(NODE, Some(&mark.with), Some(displayed), Some(options))
}

/// Reads an item; none where it is no mark. Its id is the conversation, and the id in it the account's own or the room's.
fn mark(with: &str, payload: Option<&Element>, own: &Jid) -> Option<Mark> {
    let with = Jid::parse(with).ok()?;
    let displayed = payload.filter(|payload| payload.is("displayed", NODE))?;
    let mut ids = displayed.all("stanza-id", chat::SID);
    // §3: exactly one.
    let (Some(id), None) = (ids.next(), ids.next()) else { return None };
    let by = Jid::parse(id.attr("by")?).ok().filter(|by| by.same_bare(own) || by.same_bare(&with))?;
    Some(Mark {
        with: with.as_str().to_owned(),
        stanza_id: id.attr("id").filter(|id| !id.is_empty())?.to_owned(),
        by: by.bare_str().to_owned(),
    })
}
