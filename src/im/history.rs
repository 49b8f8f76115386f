//! Archives of messages, asked by the app: XEP-0313 1.1.3 (9 April 2025) with XEP-0059 1.0.1, and the preferences of XEP-0441
//! 0.2.0 (25 August 2020).
//!
//! What an archive has comes page by page, as the messages that listeners would have been told of, and from the archive that was
//! asked alone. Between two entries, or by ids, one is asked only where it says that it can (`urn:xmpp:mam:2#extended`).
//! Catching up when a session begins, and filling gaps, is the matter of [`archive`](super::archive).
//!
//! Left out: the archives of pubsub nodes (XEP-0442), other fields of an archive's form, and flipped pages (a page is turned here).

pub(super) mod reading;

pub use super::archive::prefs::{Keep, Preferences};

use super::archive::page::{self, Field};
use super::chat::Message;
use super::{Call, Config, Ctx, Feature, Flow, Never, Page, typescript};
use crate::error::Error;
use crate::given::{Arg, Args, Look};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::Stamp;
use crate::stream::ns;
use crate::xml::Element;
use reading::{Reading, Readings, unfit};
use serde::Serialize;

typescript!(
    r#"
export interface Calls {
  /** Archives of messages (XEP-0313): that of the account, and those of rooms. */
  readonly archive: Archive;
}

/** Which entries of an archive. Without any of this, all. */
export interface ArchiveQuery {
  /** Whose archive: a room's JID. Default: the account's own. Of a room's archive only what is from that room is told. */
  of?: string | undefined;
  /** To and from whom: a JID. A bare one stands for all its resources. */
  with?: string | undefined;
  /** Not before this time, as a `Date` or as XEP-0082 writes it. */
  start?: Date | string | undefined;
  /** Not behind this time. */
  end?: Date | string | undefined;
  /** Before the entry with this id: see {@link Message.stanzaId}. */
  before?: string | undefined;
  /** Behind the entry with this id. */
  after?: string | undefined;
  /** Those with these ids alone. An id that the archive hasn't got is a `stanza-error`, `item-not-found`. */
  ids?: readonly string[] | undefined;
  /** Which come first. Default `"oldest"`. */
  order?: "oldest" | "newest" | undefined;
  /** How many entries are asked for at once, 1 to 250. Default 50. The server may send fewer. */
  page?: number | undefined;
}

/** The ends of an archive; neither where it is empty. */
export interface ArchiveMetadata {
  /** Its first entry. */
  start?: ArchiveEnd;
  /** Its last entry. */
  end?: ArchiveEnd;
}

/** An entry of an archive. */
export interface ArchiveEnd {
  /** Its id: a {@link Message.stanzaId}. */
  id: string;
  /** When it was put there. */
  date: Date;
}

/** Which messages the account's archive keeps (XEP-0441). A bare JID in a list stands for all its resources. */
export interface ArchivePreferences {
  /** Where neither list names the other side: all messages, none, or those to and from contacts. */
  default: "always" | "never" | "roster";
  /** To and from whom messages are kept. */
  always: string[];
  /** To and from whom they are not. */
  never: string[];
}

/** Archives of messages. */
export interface Archive {
  /**
   * What an archive has, as the same objects that `message` events are; those which nobody would be told of are left out. `stanzaId` is
   * the archive's id of each, `delay` when it was put there. Messages that the account has sent are among them.
   *
   * A page is asked for when all of the one before has been taken; `signal` and `timeout` are for each, and without a timeout one ends after 30
   * seconds. A query goes on over a lost
   * connection: what was under way is asked again, and nothing comes twice. It has nothing to do with the `message`
   * events: what they have told may come here as well.
   *
   * Between two ids (`after` with `"newest"`, `before` with `"oldest"`) and by `ids` only archives can be asked that say so
   * (`urn:xmpp:mam:2#extended`); others as far as it can be done without, which is where nothing but `after` or
   * `before` narrows it down, and else it is a `stanza-error`, `feature-not-implemented`.
   *
   * Rejects `stanza-error` (`item-not-found` where the archive hasn't got an id that was named), `offline`, `invalid-jid`,
   * `protocol-violation` where the archive's answer is none.
   *
   * @example
   * for await (const { from, body, delay } of client.archive.query({ with: "bob@example.org", order: "newest" })) {
   *   console.log(delay, from, body);
   *   if (--wanted === 0) break; // no further page is asked for
   * }
   */
  query(query?: ArchiveQuery | null, options?: CallOptions): AsyncIterable<Message>;

  /**
   * Where an archive begins and ends: the account's own, or that `of` a room.
   *
   * Rejects `stanza-error` where it doesn't say (`urn:xmpp:mam:2#extended`), `offline`, `invalid-jid`, `protocol-violation`.
   *
   * @example
   * const { end } = await client.archive.metadata();
   */
  metadata(archive?: { of?: string | undefined } | null, options?: CallOptions): Promise<ArchiveMetadata>;

  /**
   * Which messages the account's archive keeps. Rejects `stanza-error` where that can't be said, `offline`, `protocol-violation`.
   *
   * @example
   * const { never } = await client.archive.preferences();
   */
  preferences(options?: CallOptions): Promise<ArchivePreferences>;

  /**
   * Changes which messages the account's archive keeps, and resolves to what it keeps from now on: that may be something else.
   * Who keeps less misses more: what isn't in the archive can't be caught up with.
   *
   * Rejects `stanza-error` where that can't be changed, `offline`, `invalid-jid`, `protocol-violation`.
   *
   * @example
   * const kept = await client.archive.preferences();
   * await client.archive.setPreferences({ ...kept, never: [...kept.never, "diary@example.org"] });
   */
  setPreferences(preferences: ArchivePreferences, options?: CallOptions): Promise<ArchivePreferences>;
}
"#
);

/// How many entries a page has, by default and at most.
const PAGE: [u32; 2] = [50, 250];

/// Which entries of an archive.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// Whose archive; none for the account's own.
    pub of: Option<Jid>,
    /// To and from whom.
    pub with: Option<Jid>,
    /// Not before this.
    pub start: Option<Stamp>,
    /// Not behind this.
    pub end: Option<Stamp>,
    /// Before the entry with this id.
    pub before: Option<String>,
    /// Behind it.
    pub after: Option<String>,
    /// Those with these ids.
    pub ids: Option<Vec<String>>,
    /// The newest first.
    pub newest: bool,
    /// How many at once.
    pub page: u32,
}

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// What an archive has: the page that goes on there.
    Query(Box<Query>, Option<String>),
    /// Where an archive begins and ends.
    Metadata(Option<Jid>),
    /// What the account's archive keeps.
    Preferences,
    /// What it is to keep.
    SetPreferences(Preferences),
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// Some of the entries.
    Page(Page<Box<Message>>),
    /// The ends of an archive.
    Metadata(Metadata),
    /// What the account's archive keeps.
    Preferences(Preferences),
}

/// The ends of an archive.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Metadata {
    /// Its first entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<End>,
    /// Its last entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// An entry of an archive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct End {
    /// Its id.
    pub id: String,
    /// When it was put there.
    pub date: Stamp,
}

/// Archives, asked by the app.
#[derive(Debug, Default)]
pub struct History {
    pages: Readings,
    /// What else is under way; of the two whether it is about preferences.
    asked: Vec<(Ticket, bool)>,
}

impl Feature for History {
    type Command = Command;
    type Reply = Reply;
    type Event = Never;

    const CALLS: &'static [Call] = &[
        Call::paged("archive.query", 1),
        Call::once("archive.metadata", 1),
        Call::once("archive.preferences", 0),
        Call::once("archive.setPreferences", 1),
    ];

    fn new(_: &Config) -> Self {
        History::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        match name {
            "archive.query" => {
                let query = args.of(0, "query", Query::given)?;
                Ok(Command::Query(query, args.of(1, "next", Arg::opt_text)?))
            }
            "archive.metadata" => Ok(Command::Metadata(args.of(0, "archive", archive)?)),
            "archive.preferences" => Ok(Command::Preferences),
            _ => args.of(0, "preferences", Preferences::given).map(Command::SetPreferences),
        }
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let (set, to, payload, preferences) = match command {
            Command::Query(query, cursor) => return self.query(cx, ticket, query, cursor),
            Command::Metadata(of) => (false, of, Element::new("metadata", page::MAM), false),
            Command::Preferences => (false, None, Element::new("prefs", page::MAM), true),
            Command::SetPreferences(preferences) => (true, None, preferences.element(), true),
        };
        match cx.ask(set, to, payload, Token::Call(ticket)) {
            Ok(()) => self.asked.push((ticket, preferences)),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_online(&mut self, _: &mut Ctx<'_>) {
        self.pages.forget();
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        match stanza.is("message", ns::CLIENT) && self.pages.take(cx, stanza) {
            true => Flow::Taken,
            false => Flow::Next,
        }
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let reply = match self.asked.iter().position(|(asked, _)| *asked == ticket) {
            Some(place) => {
                let (_, preferences) = self.asked.swap_remove(place);
                result.and_then(|payload| {
                    let payload = payload.as_ref();
                    let reply = match preferences {
                        true => payload.and_then(Preferences::read).map(Reply::Preferences),
                        false => payload.and_then(metadata).map(Reply::Metadata),
                    };
                    reply.ok_or_else(|| unfit("the archive answered something that it wasn't asked"))
                })
            }
            None => match self.pages.answered(cx, ticket, result) {
                Some((_, result)) => result.map(|read| {
                    let items = read.messages.into_iter().map(|(_, message)| message).collect();
                    let next = read.next;
                    Reply::Page(Page { items, next })
                }),
                None => return,
            },
        };
        cx.reply(ticket, reply.map(super::Reply::History));
    }
}

impl History {
    fn query(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, query: Box<Query>, cursor: Option<String>) {
        let reply = if query.ids.as_ref().is_some_and(Vec::is_empty) {
            let (items, next) = (Vec::new(), None);
            Ok(Reply::Page(Page { items, next }))
        } else {
            match self.pages.begin(cx, Reading::new(ticket, query, cursor)) {
                Ok(()) => return,
                Err(error) => Err(error),
            }
        };
        cx.reply(ticket, reply.map(super::Reply::History));
    }
}

impl Query {
    /// Reads what an app has passed.
    ///
    /// # Errors
    /// `invalid-argument`, `invalid-jid`.
    fn given(given: &Arg) -> Result<Box<Query>, Error> {
        let id = |arg: &Arg| match arg.opt_text()? {
            Some(id) if id.is_empty() => Err(arg.wrong("an id")),
            id => Ok(id),
        };
        let ids = |arg: &Arg| match arg.is_absent()? {
            true => Ok(None),
            false => arg.texts().map(Some),
        };
        let page = given.opt_of("page", |page| page.opt_whole(1, PAGE[1].into()))?;
        let mut query: Box<Query> = Box::default();
        query.of = archive(given)?;
        query.with = given.jid_of("with")?;
        query.start = given.opt_of("start", time)?;
        query.end = given.opt_of("end", time)?;
        query.before = given.opt_of("before", id)?;
        query.after = given.opt_of("after", id)?;
        query.ids = given.opt_of("ids", ids)?;
        query.newest = given.opt_of("order", |order| order.opt_word(&["oldest", "newest"]))? == Some(1);
        query.page = page.and_then(|page| u32::try_from(page).ok()).unwrap_or(PAGE[0]);
        Ok(query)
    }

    /// The entry that the first page begins at, in its direction.
    fn from(&self) -> Option<&str> {
        let (near, _) = self.ends();
        near.as_deref()
    }

    /// Whether it takes fields that not every archive has.
    fn is_extended(&self) -> bool {
        let (_, far) = self.ends();
        self.ids.is_some() || far.is_some()
    }

    /// The fields of the form, with those that not every archive has (§4.1.3) or without.
    fn fields(&self, extended: bool) -> Vec<Field> {
        let stamp = |stamp: &Option<Stamp>| stamp.as_ref().map(|stamp| vec![stamp.0.clone()]);
        let (name, (_, far)) = (if self.newest { "after-id" } else { "before-id" }, self.ends());
        let more = |values: Option<Vec<String>>| values.filter(|_| extended);
        let fields = [
            ("with", self.with.as_ref().map(|with| vec![with.as_str().to_owned()])),
            ("start", stamp(&self.start)),
            ("end", stamp(&self.end)),
            (name, more(far.clone().map(|id| vec![id]))),
            ("ids", more(self.ids.clone())),
        ];
        let given = fields.into_iter().filter_map(|(name, values)| Some((name, values?)));
        given.collect()
    }

    /// The entries at its ends, that with which it begins first.
    fn ends(&self) -> (&Option<String>, &Option<String>) {
        match self.newest {
            true => (&self.before, &self.after),
            false => (&self.after, &self.before),
        }
    }
}

/// Whose archive is meant: §3.3, they are at bare JIDs.
fn archive(of: &Arg) -> Result<Option<Jid>, Error> {
    Ok(of.jid_of("of")?.map(|of| of.to_bare()))
}

/// A point in time.
pub(super) fn time(given: &Arg) -> Result<Option<Stamp>, Error> {
    let text = match given.look()? {
        Look::Absent => return Ok(None),
        Look::Date(text) | Look::Text(text) => text,
        _ => String::new(),
    };
    let stamp = Stamp::parse(&text).ok_or_else(|| given.wrong("a Date, or a time as XEP-0082 writes it"))?;
    Ok(Some(stamp))
}

/// Reads a `<metadata/>` (§5): both ends, or neither.
fn metadata(metadata: &Element) -> Option<Metadata> {
    if !metadata.is("metadata", page::MAM) {
        return None;
    }
    let end = |name| match metadata.child(name, page::MAM) {
        None => Some(None),
        Some(end) => Some(Some(End {
            id: end.attr("id").filter(|id| !id.is_empty())?.to_owned(),
            date: Stamp::parse(end.attr("timestamp")?)?,
        })),
    };
    let (start, end) = (end("start")?, end("end")?);
    (start.is_some() == end.is_some()).then_some(Metadata { start, end })
}
