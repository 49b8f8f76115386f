//! The account's own archive, XEP-0313 1.1.3 (9 April 2025) with XEP-0059 1.0: what came while there was no session is told
//! when there is one again, once and in order; and what became of a message that was under way when its session ended.
//!
//! Without anything known of the archive, the client asks where it ends, and looks back no further, unless the server has
//! dropped what it kept (`archive/back.rs`): that is the *anchor*. From then on the anchor is the last entry that the app has
//! been told of. A session that isn't a resumed one begins with what is behind it (`archive/search.rs`), and messages that
//! come meanwhile wait for that. Where something may be missing, there is a `gap` event.
//!
//! What is in a gap can be fetched later (`archive/gap.rs`), and the app's own queries are the matter of
//! [`history`](super::history).
//!
//! What the account's other clients have sent is told as well, as a carbon would be; what this client has sent is not
//! (`archive/sent.rs`).
//!
//! Left out for now: what rooms leave in the account's archive.

mod answers;
mod back;
mod gap;
pub(super) mod page;
pub(super) mod prefs;
mod proof;
mod search;
mod seen;
mod sent;

use super::carbons::{self, Carbon};
use super::{Call, Config, Ctx, Event, Feature, Flow, Page, chat};
use crate::error::Error;
use crate::given::Args;
use crate::session::{Status, Ticket, Token};
use crate::stanza::{Stamp, delay};
use crate::stream::ns;
use crate::xml::{self, Element, Node};
use chat::{Message, MessageType};
use gap::Fills;
use search::Search;
use seen::{Marks, Place, Seen};
use sent::{is_sent, own, own_key};

pub use gap::{Command, Cursor, Gap};

/// An entry of the archive; without an id the place before the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Point {
    pub(super) id: Option<String>,
    /// When it was put there, or some time before that.
    pub(super) stamp: Option<Stamp>,
}

/// How many messages wait at most while the archive is read, and how many bytes of them, roughly.
const HELD: [usize; 2] = [500, 4 << 20];

/// How often it is looked whether the marks can move on, in milliseconds.
const TIDY: u64 = 5_000;

/// What is known of the account's archive.
#[derive(Debug, Default)]
pub struct Archive {
    /// Whose archive: the bare JID.
    account: String,
    anchor: Option<Point>,
    marks: Marks,
    seen: Seen,
    /// The first entry that has been told of since the last gap.
    first: Option<String>,
    fills: Fills,
    /// There has been a session before.
    earlier: bool,
    /// And in this page.
    lived: bool,
    /// The resource was bound along with the authentication, by a server that has dropped what it kept.
    inline: bool,
    /// And that hasn't been read back yet.
    owed: bool,
    /// An earlier page was still reading, and this one hasn't begun yet.
    unread: bool,
    /// And hadn't told yet of what an earlier session may have missed.
    lost: bool,
    /// Messages in doubt may have been among what was thrown away.
    undecided: bool,
    /// The archive was empty, and then it wasn't.
    filled: bool,
    /// What a search has left open that was cut off: see [`Search::seam`].
    seam: Option<(String, Place)>,
    search: Option<Box<Search>>,
    tokens: u32,
    /// The timer is set to look after the marks.
    tidying: bool,
    /// Whether it is wanted what other clients have sent; and what of that has been told.
    wants_sent: bool,
    sent: Seen,
    /// The addresses that this client had in its last sessions, the last one behind: what was sent from there, it has sent.
    own: Vec<String>,
}

impl Feature for Archive {
    type Command = Command;
    type Reply = Page<Box<Message>>;
    type Event = Gap;

    const NAME: &'static str = "archive";

    const CALLS: &'static [Call] = &[Call::paged("archive.fill", 1)];

    // It may have to wait for a connection, and for all that was missed without one.
    const PATIENCE: Option<u64> = Some(120_000);

    fn new(config: &Config) -> Self {
        Archive {
            wants_sent: config.carbons,
            ..Archive::default()
        }
    }

    fn read(_: &str, args: &mut Args) -> Result<Command, Error> {
        gap::read(args)
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Fill(gap, cursor) = command;
        self.fill(cx, ticket, gap, cursor);
    }

    fn on_binding(&mut self, cx: &mut Ctx<'_>) {
        // Before our presence, and so before any message for us. Who has no address yet has no archive that is known.
        if cx.account().local().is_some() && self.begin(cx, self.earlier).is_err() {
            // It can be asked again where this comes to nothing.
            self.search = None;
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        cx.facts.numbering.forget();
        let account = cx.account().bare_str();
        if account != self.account {
            // An anonymous account is another one each time.
            if !self.account.is_empty() {
                let (tokens, fills) = (self.tokens, core::mem::take(&mut self.fills));
                *self = Archive {
                    tokens,
                    fills,
                    wants_sent: self.wants_sent,
                    ..Archive::default()
                };
            }
            self.account = account.to_owned();
        }
        self.is_at(cx.jid());
        self.bound(cx);
        if self.search.is_none()
            && let Err(error) = self.begin(cx, self.earlier)
        {
            self.fail(cx, &error);
        }
        self.begun(cx);
        (self.earlier, self.lived) = (true, true);
        cx.changed();
    }

    fn on_resumed(&mut self, cx: &mut Ctx<'_>, restored: bool, lost: bool) {
        if !restored {
            // What was asked is asked again, and has its time again. A sign of life that is from now says nothing of it.
            match &mut self.search {
                Some(search) if search.asked => {
                    search.ping = 0;
                    self.wait(cx);
                }
                _ => self.again(cx),
            }
            self.fill_on(cx);
            return;
        }
        (cx.facts.numbering.archive, self.lived) = (self.anchor.is_some(), true);
        // What is in doubt keeps all that is sent after it waiting; and a server that hasn't heard of us has sent nothing.
        let before = self.lost;
        if (self.unread || lost || !cx.facts.numbering.archive || !cx.doubts().is_empty())
            && let Err(error) = self.begin(cx, before)
        {
            self.fail(cx, &error);
        }
        self.fill_on(cx);
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if !stanza.is("message", ns::CLIENT) {
            return Flow::Next;
        }
        if self.entry(cx, stanza) || self.fill_entry(cx, stanza) {
            return Flow::Taken;
        }
        let own = cx.account();
        let carbon = carbons::open(stanza, own);
        // What another client was sent is in the archive as if it had come here.
        let (copied, message) = carbon.map_or((None, stanza), |(carbon, message)| (Some(carbon), message));
        let sent = copied == Some(Carbon::Sent);
        let kind = chat::kind(message);
        // A room's message has its place in the room's archive.
        let id = match kind {
            MessageType::Groupchat => None,
            _ => chat::stanza_id(message, own.bare_str()),
        };
        if id.is_none() && !sent {
            return Flow::Next;
        }
        if let Some(search) = self.search.as_mut().filter(|search| search.hold)
            && matches!(kind, MessageType::Chat | MessageType::Normal)
        {
            let weight = search.weight.saturating_add(weight(stanza));
            if search.held.len() < HELD[0] && weight <= HELD[1] {
                search.weight = weight;
                search.held.push(stanza.clone());
                return Flow::Taken;
            }
            if !sent {
                // It is in the archive too, and so will be found there.
                search.dropped = true;
                return Flow::Taken;
            }
        }
        if sent {
            self.sees_sent(cx, message);
        }
        // Where there has never been an archive, nobody gives such ids but who forges them.
        let archive = cx.facts.numbering.archive || self.search.is_some() || self.anchor.is_some();
        let Some(id) = id.filter(|_| !sent && archive) else {
            return Flow::Next;
        };
        if !self.pass(cx, message, id) && cx.facts.numbering.archive {
            return Flow::Taken;
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        match token {
            Token::Call(ticket) => self.filled(cx, ticket, result),
            Token::Own(_) => self.answered(cx, token, result),
        }
    }

    fn on_timer(&mut self, cx: &mut Ctx<'_>) {
        self.tidying = false;
        let connected = is_connected(cx);
        match &self.search {
            Some(search) if search.asked && connected => {
                self.verify(cx);
                self.wait(cx);
            }
            Some(search) if search.asked => self.wait(cx),
            // Where there is no connection, that goes on when there is one.
            Some(_) if connected => self.again(cx),
            Some(_) => {}
            None if !connected => self.tidy_later(cx),
            None => {
                self.marks.tidy(cx.now(), cx.progress().1);
                // Not each has left a mark.
                if let Some(anchor) = &self.anchor
                    && let Some(id) = anchor.id.as_deref().filter(|_| self.marks.first() != Some(&anchor.id))
                {
                    self.marks.push(cx.now(), id, cx.progress());
                }
                self.tidy_later(cx);
                cx.changed();
            }
        }
    }

    fn save(&self) -> Option<String> {
        if !self.earlier {
            return None;
        }
        let anchor = self.anchor.as_ref();
        let id = |id: &Option<String>| id.clone().unwrap_or_default();
        let own = |saved: Element, jid: &String| saved.with_child(Element::new("own", page::MAM).with_text(jid.as_str()));
        let seam = self.search.as_ref().map_or(&self.seam, |search| &search.seam).as_ref();
        let saved = Element::new("archive", page::MAM)
            .with_attr("of", self.account.as_str())
            .with_opt_attr("after", anchor.map(|anchor| id(&anchor.id)))
            .with_opt_attr("stamp", anchor.and_then(|anchor| anchor.stamp.clone()).map(|at| at.0))
            .with_opt_attr("mark", self.marks.first().map(id))
            .with_opt_attr("first", self.first.clone())
            .with_opt_attr("unread", (self.unread || self.search.is_some()).then_some("1"))
            .with_opt_attr("lost", self.may_have_lost().then_some("1"))
            .with_opt_attr("inline", self.may_have_been_dropped().then_some("1"))
            .with_opt_attr("undecided", self.undecided.then_some("1"))
            .with_opt_attr("owed", self.owed.then_some("1"))
            .with_opt_attr("filled", self.filled.then_some("1"))
            .with_opt_attr("seam", seam.map(|(first, _)| first.as_str()))
            .with_opt_attr("torn", seam.and_then(|(_, after)| after.as_deref()))
            .with_attr("seen", self.seen.save())
            .with_attr("sent", self.sent.save());
        xml::write(&self.own.iter().fold(saved, own)).ok()
    }

    fn restore(&mut self, _: &mut Ctx<'_>, saved: &str) {
        let Ok(saved) = xml::read(saved, &xml::Limits::default()) else {
            return;
        };
        let id = |name| saved.attr(name).map(|id| Some(id.to_owned()).filter(|id| !id.is_empty()));
        let account = saved.attr("of").unwrap_or_default();
        if self.lived && self.anchor.is_some() && account == self.account {
            // This client knows what its app has been told. Where the messages are that another has left, nobody knows.
            if id("mark").as_ref() != self.marks.first() {
                self.marks.begin(None);
            }
            self.unread = true;
            return;
        }
        self.account = account.to_owned();
        self.anchor = id("after").map(|id| Point {
            id,
            stamp: saved.attr("stamp").and_then(Stamp::parse),
        });
        if let Some(mark) = id("mark") {
            self.marks.begin(Some(mark));
        }
        self.first = saved.attr("first").map(str::to_owned);
        self.unread = saved.attr("unread").is_some();
        self.lost = saved.attr("lost").is_some();
        self.inline = saved.attr("inline").is_some();
        self.undecided = saved.attr("undecided").is_some();
        self.owed = saved.attr("owed").is_some();
        self.filled = saved.attr("filled").is_some();
        let place = |name| saved.attr(name).map(str::to_owned);
        self.seam = place("seam").map(|first| (first, place("torn")));
        self.seen = Seen::restore(saved.attr("seen").unwrap_or_default());
        self.sent = Seen::restore(saved.attr("sent").unwrap_or_default());
        self.own = saved.all("own", page::MAM).map(Element::text).collect();
        self.earlier = true;
    }

    fn on_offline(&mut self, cx: &mut Ctx<'_>) {
        // What waited to be told is in the archive, behind the anchor, unless it is never told from there.
        if let Some(search) = self.search.take() {
            self.seam = search.seam.filter(|_| !search.told);
            let unkept = Archive::unkept(cx, search.held);
            self.let_through(cx, unkept);
        }
        self.fill_no_more(cx);
        cx.facts.numbering.archive = false;
        self.tidying = false;
        cx.set_timer(None);
    }
}

impl Archive {
    /// Whether an earlier session may have missed something, and that has yet to be told.
    fn may_have_lost(&self) -> bool {
        self.search.as_ref().map_or(self.lost, |search| search.lost)
    }

    /// Whether the server may have dropped what it kept, and nobody knows yet whether it has an archive.
    fn may_have_been_dropped(&self) -> bool {
        self.inline && (self.unread || self.search.is_some())
    }

    /// A message goes by; whether for the first time.
    fn pass(&mut self, cx: &mut Ctx<'_>, message: &Element, id: &str) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        if own(message, cx.account())
            && let Some(key) = own_key(message)
        {
            self.seen.insert(&key);
        }
        // What was kept aside by the server has its place in the archive before what is from now.
        if self.first.is_none() && delay(message).is_none() {
            self.first = Some(id.to_owned());
        }
        if self.search.is_none() && cx.facts.numbering.archive {
            self.advance(cx, id.to_owned(), None);
            self.marks.push(cx.now(), id, cx.progress());
            self.tidy_later(cx);
        }
        true
    }

    /// The app has been told of everything up to here.
    fn advance(&mut self, cx: &mut Ctx<'_>, id: String, stamp: Option<Stamp>) {
        let anchor = self.anchor.get_or_insert_default();
        anchor.id = Some(id);
        self.filled = false;
        anchor.stamp = stamp.or(anchor.stamp.take());
        cx.changed();
    }

    /// Whether an entry of the archive is one to be told.
    fn is_new(&mut self, cx: &mut Ctx<'_>, message: &Element, id: &str) -> bool {
        match is_sent(message, cx.account()) {
            true => self.is_new_sent(cx, message),
            false => self.seen.insert(id),
        }
    }

    /// Tells of an entry of the archive, unless that has been told of; whether there was something to be told.
    fn tell(&mut self, cx: &mut Ctx<'_>, message: &Element, at: &Point) -> bool {
        let account = cx.account();
        if chat::kind(message) == MessageType::Groupchat {
            return false;
        }
        let sent = is_sent(message, account);
        // Some servers keep a message to oneself twice, once sent and once received.
        if !sent && own(message, account) && own_key(message).is_some_and(|key| !self.seen.insert(&key)) {
            return false;
        }
        let Some(mut read) = chat::read(message, account) else {
            return false;
        };
        read.carbon = sent.then_some(Carbon::Sent);
        read.stanza_id.clone_from(&at.id);
        read.delay = at.stamp.clone().or(read.delay);
        if self.first.is_none() {
            self.first.clone_from(&at.id);
        }
        chat::tell(cx, read, true)
    }

    /// What came in before this entry, and isn't in the archive before it, isn't there at all.
    fn let_older_through(&mut self, cx: &mut Ctx<'_>, id: &str) {
        let Some(search) = &mut self.search else { return };
        let is_it = |stanza: &Element| {
            let account = cx.account();
            let message = carbons::open(stanza, account).map_or(stanza, |(_, message)| message);
            chat::stanza_id(message, account.bare_str()) == Some(id)
        };
        if let Some(place @ 1..) = search.held.iter().position(is_it) {
            let older: Vec<Element> = search.held.drain(..place).collect();
            search.weight = search.held.iter().map(weight).sum();
            self.let_through(cx, older);
        }
    }

    /// Lets through what has waited, in order.
    fn release(&mut self, cx: &mut Ctx<'_>) {
        let Some(search) = &mut self.search else { return };
        search.hold = false;
        let held = core::mem::take(&mut search.held);
        self.let_through(cx, held);
    }

    fn let_through(&mut self, cx: &mut Ctx<'_>, held: Vec<Element>) {
        for stanza in held {
            let account = cx.account();
            let read = chat::open(&stanza, account);
            let first = match carbons::open(&stanza, account) {
                Some((Carbon::Sent, message)) => self.sees_sent(cx, message),
                carbon => {
                    let message = carbon.map_or(&stanza, |(_, message)| message);
                    let id = chat::stanza_id(message, account.bare_str()).map(str::to_owned);
                    id.is_some_and(|id| self.pass(cx, message, &id))
                }
            };
            if let Some(read) = read.filter(|_| first || !cx.facts.numbering.archive) {
                chat::tell(cx, read, false);
            }
        }
    }

    /// Of what waits, all but what the archive tells of as well.
    fn unkept(cx: &Ctx<'_>, held: Vec<Element>) -> Vec<Element> {
        let sent = |stanza: &Element| matches!(carbons::open(stanza, cx.account()), Some((Carbon::Sent, _)));
        held.into_iter().filter(sent).collect()
    }

    fn tidy_later(&mut self, cx: &mut Ctx<'_>) {
        if !self.tidying && self.marks.are_many() {
            self.tidying = true;
            cx.set_timer(Some(cx.now().after(TIDY)));
        }
    }
}

/// Whether there is a connection, as far as anybody knows.
fn is_connected(cx: &Ctx<'_>) -> bool {
    matches!(cx.status(), Status::Online | Status::Verifying)
}

/// About how many bytes an element takes.
pub(super) fn weight(element: &Element) -> usize {
    let own = element.attrs().fold(100, |sum, (_, value)| sum + value.len() + 50);
    element.nodes().iter().fold(own, |sum, node| match node {
        Node::Element(child) => sum + weight(child),
        Node::Text(text) => sum + text.len(),
    })
}
