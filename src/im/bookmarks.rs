//! Rooms that the account keeps in mind: PEP Native Bookmarks, XEP-0402 1.2.0 (15 August 2024); and those that older clients have kept by
//! XEP-0048, in a node or in private XML (XEP-0049).
//!
//! Where the new node has nothing, both old places are read, and are one list: what is in both is taken from the node. The first bookmark that is
//! set then takes all of them along. The old places are written to only to take a bookmark out that is nowhere else: a server that keeps all three
//! the same (`urn:xmpp:bookmarks:1#compat`) does that by itself.
//!
//! Nothing is published where the server doesn't mind how a node must be: all contacts would be told (§8). A node that is open is closed before
//! anything is put into it.
//!
//! Left out: notifications of the old node, bookmarks of web pages, and entering rooms, which is for the app to do.

mod wire;

pub use wire::Bookmark;

use super::disco::INFO;
use super::pep::{self, Question, Steps};
use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Reply, pubsub, rsm, typescript, unfit};
use crate::error::{Code, Error, Phase};
use crate::given::Args;
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;
use wire::{Kept, OLD};

const NODE: &str = "urn:xmpp:bookmarks:1";
const OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";
const PRIVATE: &str = "jabber:iq:private";

/// How many are asked for at once, and how many there may be.
const PAGE: u32 = 200;
const MOST: usize = 10_000;

typescript!(
    r#"
export interface Calls {
  /** Rooms that the account keeps in mind. */
  readonly bookmarks: Bookmarks;
}

export interface FeatureEvents {
  /** A bookmark was set or removed, by this client or another one of the account. */
  bookmarks: BookmarksEvent;
}

/** A room that the account keeps in mind. */
export interface Bookmark {
  /** The room: a bare JID. */
  room: string;
  /** What the user calls it. */
  name?: string | undefined;
  /** What the user is called there, where that isn't the account's nickname. */
  nick?: string | undefined;
  /** Whether clients are to enter it when they log in. */
  autojoin: boolean;
  /** What it takes to enter. The server can read it. */
  password?: string | undefined;
  /** What clients know beside that: elements of any namespace. */
  extensions?: XmlElement[] | undefined;
}

/** What has happened to bookmarks. */
export interface BookmarksEvent {
  /** Those that were set. Where they say `autojoin` clients should enter the room now, and else leave it (XEP-0402 §5). */
  bookmarks: Bookmark[];
  /** The rooms of those that were removed: clients should leave them. */
  removed: string[];
  /** All were removed. */
  cleared?: true;
}

/** Rooms that the account keeps in mind, for all its clients and nobody else (XEP-0402). */
export interface Bookmarks {
  /**
   * All bookmarks, also of clients that keep them in an older way, as long as there are none of the new one (XEP-0048). Rooms aren't entered by
   * themselves.
   *
   * Rejects `offline`, `stanza-error`, `protocol-violation` where the answer is none.
   *
   * @example
   * for (const { room, nick, password, autojoin } of await client.bookmarks.get()) {
   *   if (autojoin) void client.rooms.join(room, { nick: nick ?? "alice", password });
   * }
   */
  get(options?: CallOptions): Promise<Bookmark[]>;
  /**
   * Keeps a room in mind, in the place of what was known of it: what is left out is removed, `extensions` apart. Of these all stay; one that is
   * named takes the place of that of its name and namespace.
   *
   * Rejects `offline`, `invalid-jid`, `invalid-argument`, `stanza-error` where the server couldn't keep it to the account
   * (`feature-not-implemented`), or refuses it. Where all that older clients have kept is taken along, part of it may have been written then.
   *
   * @example await client.bookmarks.set({ room: "coven@rooms.example.org", name: "The Coven", nick: "Hecate", autojoin: true });
   */
  set(bookmark: Omit<Bookmark, "autojoin"> & { autojoin?: boolean | undefined }, options?: CallOptions): Promise<void>;
  /**
   * Forgets a room. One that isn't kept in mind needn't be forgotten.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`.
   *
   * @example
   * await client.bookmarks.remove("coven@rooms.example.org");
   */
  remove(room: string, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// All bookmarks.
    Get,
    /// Keeps one.
    Set(Box<Bookmark>),
    /// Forgets a room.
    Remove(Jid),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing.
    Done,
    /// All bookmarks.
    All(Vec<Bookmark>),
}

/// What has happened to bookmarks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BookmarksEvent {
    /// Those that were set.
    pub bookmarks: Vec<Bookmark>,
    /// The rooms of those that were removed.
    pub removed: Vec<String>,
    /// All were removed.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub cleared: bool,
}

impl Named for BookmarksEvent {
    fn name(&self) -> &'static str {
        "bookmarks"
    }
}

/// The calls under way, and what is known of the server.
#[derive(Debug)]
pub struct Bookmarks {
    steps: Steps<Step>,
    /// Whether the server minds how a node must be, in this session.
    minds: Option<bool>,
}

/// What an answer is to.
#[derive(Debug)]
enum Step {
    /// A page of the node's items: what for, those of the pages before, and the end of the last of them.
    Items(Command, Vec<Kept>, Option<String>),
    /// What older clients keep in their node.
    OldNode(Command),
    /// What they keep in private XML, and what there was in the node.
    Private(Command, Option<Element>),
    /// Whether the server minds how a node must be.
    Minds(Vec<(String, Element)>),
    /// The last of these is being published; whether the node has been closed for it.
    Publish(Vec<(String, Element)>, bool),
    /// The node is being closed.
    Close(Vec<(String, Element)>),
    /// What older clients have in their node is being written, and then that in private XML.
    Rewrite(Option<Element>),
    /// The last that there is to do.
    Last,
}

impl Feature for Bookmarks {
    type Command = Command;
    type Reply = Answer;
    type Event = BookmarksEvent;

    /// §4.1.
    const DISCO: &'static [&'static str] = &["urn:xmpp:bookmarks:1+notify"];

    const CALLS: &'static [Call] = &[
        Call::once("bookmarks.get", 0),
        Call::once("bookmarks.set", 1),
        Call::once("bookmarks.remove", 1),
    ];

    fn new(_: &Config) -> Self {
        Bookmarks {
            steps: Steps::new(),
            minds: None,
        }
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(match name {
            "bookmarks.get" => Command::Get,
            "bookmarks.set" => Command::Set(Box::new(args.of(0, "bookmark", Bookmark::given)?)),
            _ => Command::Remove(args.of(0, "room", crate::given::Arg::jid)?.to_bare()),
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        self.page(cx, ticket, command, Vec::new(), None);
    }

    fn on_online(&mut self, _: &mut Ctx<'_>) {
        self.minds = None;
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        let own = cx.account();
        // §5, XEP-0163 §4.3: what the account's clients tell each other comes from the account itself.
        if let Some(told) = pubsub::event(stanza, own).filter(|told| told.node == NODE && told.from == own.to_bare()) {
            let bookmarks = told.items.iter().filter_map(|item| Kept::of(item.id, item.payload));
            let rooms = told.retracted.iter().filter_map(|id| Jid::parse(id).ok());
            let event = BookmarksEvent {
                bookmarks: bookmarks.map(|kept| kept.bookmark()).collect(),
                removed: rooms.map(|room| room.as_str().to_owned()).collect(),
                cleared: told.purged || told.deleted,
            };
            if event.cleared || !event.bookmarks.is_empty() || !event.removed.is_empty() {
                cx.emit(Event::Bookmarks(event));
            }
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Some((ticket, step)) = self.steps.next(token) else { return };
        match self.go_on(cx, ticket, step, result) {
            Ok(None) => {}
            Ok(Some(answer)) => cx.reply(ticket, Ok(Reply::Bookmarks(answer))),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }
}

impl Bookmarks {
    /// Asks for the next page of the node's items.
    fn page(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command, kept: Vec<Kept>, after: Option<String>) {
        let none: [&str; 0] = [];
        let payload = pubsub::items(NODE, &none, None).with_child(rsm::set(PAGE, after.as_deref()));
        self.steps.ask(cx, ticket, get(payload), Step::Items(command, kept, after));
    }

    /// An answer has come. What follows is asked, or there is an answer for the app.
    fn go_on(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        step: Step,
        result: Result<Option<Element>, Error>,
    ) -> Result<Option<Answer>, Error> {
        match step {
            Step::Items(command, mut kept, after) => {
                let next = match result {
                    Err(error) if pep::is_nothing(&error) => None,
                    result => {
                        let answer = result?;
                        let items = pubsub::items_of(answer.as_ref(), NODE)?;
                        kept.extend(items.iter().filter_map(Kept::of_item));
                        answer.and_then(|answer| rsm::next(&answer, items.len(), after.as_deref()))
                    }
                };
                if next.is_some() && kept.len() < MOST {
                    self.page(cx, ticket, command, kept, next);
                } else if kept.is_empty() {
                    self.steps.ask(cx, ticket, pep::last_item(None, OLD), Step::OldNode(command));
                } else {
                    return self.known(cx, ticket, command, kept, None);
                }
            }
            Step::OldNode(command) => {
                let storage = match result {
                    Err(error) if pep::is_nothing(&error) => None,
                    result => pep::payload_of(result?.as_ref(), OLD, "storage", OLD)?.map(|(_, storage)| storage),
                };
                let payload = Element::new("query", PRIVATE).with_child(Element::new("storage", OLD));
                self.steps.ask(cx, ticket, get(payload), Step::Private(command, storage));
            }
            Step::Private(command, node) => {
                let private = match result {
                    Err(error) if pep::is_nothing(&error) => None,
                    result => {
                        let answer = result?.filter(|answer| answer.is("query", PRIVATE));
                        answer.ok_or_else(|| unfit("the request for bookmarks"))?.child("storage", OLD).cloned()
                    }
                };
                let mut kept = Vec::new();
                for storage in [&node, &private].into_iter().flatten() {
                    Kept::add_old(&mut kept, storage);
                }
                return self.known(cx, ticket, command, kept, Some([node, private]));
            }
            Step::Minds(queue) => {
                let info = result?.filter(|info| info.is("query", INFO));
                let info = info.ok_or_else(|| unfit("the question what the account can"))?;
                self.minds = Some(info.children().any(|feature| feature.attr("var") == Some(OPTIONS)));
                self.publish(cx, ticket, queue, false)?;
            }
            // XEP-0060 §7.1.5: the node isn't like that.
            Step::Publish(queue, false) if result.as_ref().is_err_and(|error| error.condition() == Some("conflict")) => {
                let question = set(pubsub::configure(NODE, &CONFIG));
                self.steps.ask(cx, ticket, question, Step::Close(queue));
            }
            Step::Publish(mut queue, closed) => {
                result?;
                queue.pop();
                if queue.is_empty() {
                    return Ok(Some(Answer::Done));
                }
                self.publish(cx, ticket, queue, closed)?;
            }
            Step::Close(queue) => {
                result?;
                self.publish(cx, ticket, queue, true)?;
            }
            Step::Rewrite(private) => {
                result?;
                return Ok(self.rewrite(cx, ticket, None, private));
            }
            Step::Last => return result.map(|_| Some(Answer::Done)),
        }
        Ok(None)
    }

    /// All bookmarks are known; also what older clients have of them, where these are all.
    fn known(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        command: Command,
        kept: Vec<Kept>,
        old: Option<[Option<Element>; 2]>,
    ) -> Result<Option<Answer>, Error> {
        match command {
            Command::Get => return Ok(Some(Answer::All(kept.iter().map(Kept::bookmark).collect()))),
            Command::Set(bookmark) => {
                let before = kept.iter().find(|kept| kept.room.as_str() == bookmark.room);
                let id = before.map_or_else(|| bookmark.room.clone(), |before| before.id.clone());
                let conference = bookmark.into_conference(before.map(|before| &before.conference));
                // The last comes first: those of older clients, and then this one.
                let mut queue = vec![(id.clone(), conference)];
                if old.is_some() {
                    let others = kept.into_iter().rev().filter(|kept| kept.id != id);
                    queue.extend(others.map(|kept| (kept.id, kept.conference)));
                }
                match self.minds {
                    // §8: who asks a server that doesn't mind would tell all contacts.
                    None => {
                        let mut question = get(Element::new("query", INFO));
                        question.to = Some(cx.account().to_bare());
                        self.steps.ask(cx, ticket, question, Step::Minds(queue));
                    }
                    Some(_) => self.publish(cx, ticket, queue, false)?,
                }
            }
            Command::Remove(room) => match old {
                Some([node, private]) => {
                    let rest = |storage: Option<Element>| storage.and_then(|storage| wire::without(&storage, &room));
                    return Ok(self.rewrite(cx, ticket, rest(node), rest(private)));
                }
                None => {
                    let Some(kept) = kept.iter().find(|kept| kept.room == room) else {
                        return Ok(Some(Answer::Done));
                    };
                    // §4.5: the other clients are to hear of it.
                    self.steps.ask(cx, ticket, set(pubsub::retract(NODE, &kept.id, true)), Step::Last);
                }
            },
        }
        Ok(None)
    }

    /// Publishes the last of these.
    fn publish(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, queue: Vec<(String, Element)>, closed: bool) -> Result<(), Error> {
        if self.minds == Some(false) {
            let message = "the server can't keep bookmarks to the account alone";
            let error = Error::new(Code::StanzaError, Phase::Stanza, message).with_condition("feature-not-implemented");
            return Err(error.with_retryable(false));
        }
        if let Some((id, conference)) = queue.last() {
            let options = pubsub::options(&CONFIG);
            let question = set(pubsub::publish(NODE, Some(id), Some(conference.clone()), Some(options)));
            self.steps.ask(cx, ticket, question, Step::Publish(queue, closed));
        }
        Ok(())
    }

    /// Writes what older clients have, where it has changed: in their node, and in private XML.
    fn rewrite(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        node: Option<Element>,
        private: Option<Element>,
    ) -> Option<Answer> {
        let (question, step) = if let Some(storage) = node {
            let [persist, .., access] = CONFIG;
            let options = pubsub::options(&[persist, access]);
            let question = set(pubsub::publish(OLD, Some("current"), Some(storage), Some(options)));
            (question, Step::Rewrite(private))
        } else if let Some(storage) = private {
            (set(Element::new("query", PRIVATE).with_child(storage)), Step::Last)
        } else {
            return Some(Answer::Done);
        };
        self.steps.ask(cx, ticket, question, step);
        None
    }
}

/// How the node is to be (§4.3, XEP-0223 §3).
const CONFIG: [(&str, &str); 4] = [
    ("pubsub#persist_items", "true"),
    ("pubsub#max_items", "max"),
    ("pubsub#send_last_published_item", "never"),
    ("pubsub#access_model", "whitelist"),
];

/// A question to the own account.
fn get(payload: Element) -> Question {
    Question {
        set: false,
        to: None,
        payload,
    }
}

/// The same, by which something changes.
fn set(payload: Element) -> Question {
    Question {
        set: true,
        to: None,
        payload,
    }
}
