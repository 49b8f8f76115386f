//! Gaps, and what they have left out, fetched when the app asks for it.
//!
//! Forwards from where the gap begins, and no further than to where the client took over: the entry that the gap names, or else the
//! first that has been told since, or where the archive ended when that was looked up. While the archive is searched for what was
//! missed, a fill waits: neither is to tell what the other does.

use super::{Archive, Event, is_connected};
use crate::error::{Code, Error, Phase};
use crate::given::{Arg, Args, invalid};
use crate::im::chat::{Message, MessageType};
use crate::im::history::Query;
use crate::im::history::reading::{End, Read, Reading, Readings};
use crate::im::{Ctx, Named, Page, Reply, history, typescript};
use crate::jid::Jid;
use crate::session::{Status, Ticket};
use crate::stanza::Stamp;
use crate::xml::Element;
use serde::Serialize;

/// Messages may be missing: those behind the last one known. Some that came after those may have been told of already.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Gap {
    /// The room in whose archive it is; none for that of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The archive's id of the last message that came before, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// A time at which nothing was missing yet, by the server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Stamp>,
    /// The archive's id of the first message behind it, where all that is known is that something came before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

typescript!(
    r#"
export interface FeatureEvents {
  /**
   * Messages may be missing here, and could not be fetched from the archive. {@link Archive.fill} fetches what it has there by now. The
   * event is plain data: it can be kept as JSON, and filled later.
   */
  gap: GapEvent;
}

/**
 * A hole in what came in, between the last message seen and the first one of this session. Where all fields are absent, it
 * isn't known where it begins.
 *
 * A client that knows nothing of the archive, on a server that drops at a login what it kept (Bind 2, XEP-0386), reads the last 100 entries, and
 * tells of them as `message` events. Where there are more, it says so by `before`.
 */
export interface GapEvent {
  /** The room where it is; without it, the account's own archive has it. */
  room?: string;
  /** The archive's id of the last message before it. */
  after?: string;
  /** When it began. */
  since?: Date;
  /** The archive's id of the first message behind it. Where it begins isn't known: there may be nothing in it that is new. */
  before?: string;
}

/** Where messages may be missing: a {@link GapEvent}, or what `JSON.parse()` makes of one that was kept. */
export interface Gap {
  room?: string | undefined;
  after?: string | undefined;
  since?: Date | string | undefined;
  before?: string | undefined;
}

export interface Archive {
  /**
   * What the account's archive has in a gap, as {@link Archive.query} tells it, oldest first: also what the account has sent
   * meanwhile, and nothing from rooms; or what a room's has, with a gap of its. What listeners have been told of is left out, as far as that is still known: of the last
   * 1,000 entries, also over a reload. It is up to the app to keep what it gets: nothing else remembers it, and a second
   * fill of the same gap brings the same.
   *
   * It begins behind `after`; where the archive hasn't got that any more, at `since`; and where that isn't known, with what the archive
   * has first. It ends before `before`. Without that it ends where this client took over: before the first message that it has
   * told of since it told of its last gap. So fill a gap before the next one, or a fill may go over what has been told since,
   * and that is left out only as far as it is still known.
   *
   * Without a connection, and while the archive is searched for what was missed, it waits. Without a timeout a page ends after two minutes.
   *
   * Rejects `stanza-error`, `offline`, `protocol-violation`.
   *
   * @example
   * client.on("gap", async (gap) => {
   *   for await (const message of client.archive.fill(gap)) show(message);
   * });
   */
  fill(gap: Gap, options?: CallOptions): AsyncIterable<Message>;
}
"#
);

impl Named for Gap {
    fn name(&self) -> &'static str {
        "gap"
    }
}

/// How many entries are asked for at once.
const PAGE: u32 = 50;

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// What a gap has left out: the page that goes on there.
    Fill(Gap, Option<Cursor>),
}

/// Where a page goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Among what has come since the gap's time, and not behind its first id.
    since: bool,
    id: String,
}

/// The gaps that are being filled.
#[derive(Debug, Default)]
pub(super) struct Fills {
    pages: Readings,
    gaps: Vec<(Ticket, Gap)>,
    /// For the end of a search.
    waiting: Vec<(Ticket, Gap, Option<Cursor>)>,
}

pub(super) fn read(args: &mut Args) -> Result<Command, Error> {
    let gap = args.take(0, "gap");
    let gap = Gap {
        room: gap.jid_of("room")?.map(|room| room.bare_str().to_owned()),
        after: gap.text_of("after")?.filter(|id| !id.is_empty()),
        since: gap.of("since", history::time)?,
        before: gap.text_of("before")?.filter(|id| !id.is_empty()),
    };
    let cursor = args.of(1, "next", Arg::opt_text)?;
    let cursor = cursor.map(|next| match (next.strip_prefix('s'), next.strip_prefix('a')) {
        (Some(id), _) => Ok(Cursor {
            since: true,
            id: id.to_owned(),
        }),
        (_, Some(id)) => Ok(Cursor {
            since: false,
            id: id.to_owned(),
        }),
        _ => Err(invalid("`next` is no place in a gap")),
    });
    Ok(Command::Fill(gap, cursor.transpose()?))
}

impl Archive {
    /// The app asks for what is in a gap.
    pub(super) fn fill(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, gap: Gap, cursor: Option<Cursor>) {
        match cx.status() {
            Status::Online | Status::Verifying if self.search.is_none() => {
                let since = match &cursor {
                    Some(cursor) => cursor.since,
                    None => gap.after.is_none(),
                };
                self.ask_page(cx, ticket, gap, since, cursor.map(|cursor| cursor.id));
            }
            Status::Online | Status::Verifying | Status::Reconnecting => self.fills.waiting.push((ticket, gap, cursor)),
            _ => {
                let error = Error::new(Code::Offline, Phase::Session, "the client is not connected");
                cx.reply(ticket, Err(error));
            }
        }
    }

    fn ask_page(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, gap: Gap, since: bool, cursor: Option<String>) {
        let mut query: Box<Query> = Box::default();
        query.of = gap.room.as_deref().and_then(|room| Jid::parse(room).ok());
        query.start = gap.since.clone().filter(|_| since);
        query.after = gap.after.clone().filter(|_| !since);
        query.page = PAGE;
        let mut reading = Reading::new(ticket, query, cursor);
        reading.floor = gap.after.clone();
        reading.end = self.end_of(&gap);
        match self.fills.pages.begin(cx, reading) {
            Ok(()) => self.fills.gaps.push((ticket, gap)),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    /// Where a gap ends, as far as that is known.
    fn end_of(&self, gap: &Gap) -> Option<End> {
        // Of a room's archive nothing else is known here.
        let own = gap.room.is_none();
        let before = gap.before.as_ref().or(self.first.as_ref().filter(|_| own));
        let known = self.anchor.as_ref().and_then(|anchor| anchor.id.as_ref()).filter(|_| own);
        match (before, known) {
            (Some(id), _) => Some(End {
                id: id.clone(),
                included: false,
            }),
            // What was there when the client took over.
            (None, Some(id)) if gap.after.as_ref() != Some(id) => Some(End {
                id: id.clone(),
                included: true,
            }),
            _ => None,
        }
    }

    /// A page has come to its end, or won't.
    pub(super) fn filled(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, result: Result<Option<Element>, Error>) {
        let Some((reading, result)) = self.fills.pages.answered(cx, ticket, result) else {
            return;
        };
        let Some(place) = self.fills.gaps.iter().position(|(of, _)| *of == ticket) else {
            return;
        };
        let (_, gap) = self.fills.gaps.swap_remove(place);
        let begins_behind = reading.query.after.is_some() && reading.cursor.is_none();
        let gone = match &result {
            // §4.3.2: it is no longer there. Prosody's default store shows nothing behind such an entry, and says no more.
            Err(error) => matches!(
                error.condition(),
                Some("item-not-found" | "bad-request" | "not-acceptable")
            ),
            Ok(read) => !read.any && gap.since.is_some(),
        };
        if begins_behind && gone {
            // §3.2: the oldest go first, and so whatever there is came later.
            return self.ask_page(cx, ticket, gap, true, None);
        }
        let since = reading.query.after.is_none();
        let in_room = reading.query.of.is_some();
        let page = result.map(|read| self.untold(cx.account(), read, since, in_room));
        cx.reply(ticket, page.map(Reply::Archive));
    }

    /// What nobody has been told of.
    fn untold(&self, account: &Jid, read: Read, since: bool, in_room: bool) -> Page<Box<Message>> {
        let own = |jid: &str| Jid::parse(jid).is_ok_and(|jid| jid.same_bare(account));
        let mut notes = Vec::new();
        let is_new = |(id, message): &(String, Box<Message>)| {
            if (message.kind == MessageType::Groupchat) != in_room || self.seen.contains(id) {
                return false;
            }
            // Some servers keep a message to oneself twice.
            let key = message.origin_id.as_ref().or(message.id.as_ref());
            let key = key.filter(|_| own(&message.from) && own(&message.to));
            key.is_none_or(|key| {
                let key = ["own ", key].concat();
                let new = !self.seen.contains(&key) && !notes.contains(&key);
                notes.push(key);
                new
            })
        };
        let mut messages = read.messages;
        messages.retain(is_new);
        let next = read.next.map(|id| [if since { "s" } else { "a" }, &id].concat());
        Page {
            items: messages.into_iter().map(|(_, message)| message).collect(),
            next,
        }
    }

    /// An entry of a page of a gap; whether it is one.
    pub(super) fn fill_entry(&mut self, cx: &Ctx<'_>, stanza: &Element) -> bool {
        self.fills.pages.take(cx, stanza)
    }

    /// The archive isn't searched any more.
    pub(super) fn fill_on(&mut self, cx: &mut Ctx<'_>) {
        if self.search.is_none() && is_connected(cx) {
            for (ticket, gap, cursor) in core::mem::take(&mut self.fills.waiting) {
                self.fill(cx, ticket, gap, cursor);
            }
        }
    }

    /// The session is over. Where no other follows, nobody waits any longer.
    pub(super) fn fill_no_more(&mut self, cx: &Ctx<'_>) {
        if cx.status() == Status::Offline {
            self.fills.waiting.clear();
        }
    }

    /// Tells of a gap.
    pub(super) fn tell_gap(&mut self, cx: &mut Ctx<'_>, gap: Gap) {
        self.first = None;
        cx.emit(Event::Archive(gap));
    }
}
