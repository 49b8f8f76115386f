//! The roster, RFC 6121 §2 and §3 (March 2011): the contacts of an account, and who sees whose presence. It is fetched when a
//! session begins, then kept up to date by pushes.
//!
//! Where the server numbers the versions of rosters (§2.6), one that hasn't changed isn't sent again: the client keeps what it
//! knows over sessions, and, up to `KEPT` bytes of it, over pages. It is believed only by the number that the server gave
//! it, with nothing missing in between (`roster/versions.rs`). Requests of others to see our presence, which a server delivers once
//! in a session, are kept for the next page of that session (`roster/requests.rs`), with a bound.
//!
//! Left out: the error that may come back for a request of our own is a `presence` event like any other.

mod calls;
mod item;
mod requests;
mod versions;

pub use calls::{Answer, Command};
pub use item::{RosterItem, Subscription};
pub use requests::{Request, Verb};

use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Reply, from_account, unfit};
use crate::error::Error;
use crate::given::Args;
use crate::session::{Status, Ticket, Token};
use crate::stanza::iq;
use crate::stream::ns;
use crate::xml::Element;
use core::cell::OnceCell;
use serde::{Serialize, Serializer};
use super::sorted::Set;

const ROSTER: &str = "jabber:iq:roster";

/// How many bytes are kept for the next page, at most, more or less: of contacts, and beside them of requests.
const KEPT: usize = 64 << 10;

/// What listeners are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// A contact has changed.
    Item(RosterItem),
    /// Somebody asks to see our presence.
    Request(Request),
}

impl Named for News {
    fn name(&self) -> &'static str {
        match self {
            News::Item(_) => "roster",
            News::Request(_) => "subscription",
        }
    }
}

impl Serialize for News {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            News::Item(item) => item.serialize(serializer),
            News::Request(request) => request.serialize(serializer),
        }
    }
}

/// The roster as far as it is known.
#[derive(Debug, Default)]
pub struct Roster {
    /// In the order of their JIDs, each there once.
    items: Vec<RosterItem>,
    /// The server's number for just these: nothing is missing, and nothing too much. None where that isn't certain.
    ver: Option<String>,
    state: State,
    /// A push couldn't be read, and the whole roster hasn't come since.
    missed: bool,
    /// An earlier page knew the roster of the session that it left behind.
    left_known: bool,
    /// The app may have been told of the items: it is told of what changes.
    told: bool,
    waiting: Vec<Ticket>,
    /// A long answer that hasn't been taken in yet.
    unread: Option<Element>,
    /// Who asks to see our presence, the oldest first.
    requests: Vec<Request>,
    /// What [`Feature::save`] says, as long as nothing changes.
    saved: OnceCell<String>,
}

/// Of how many items an answer is read, and handed to the app, in turns of their own.
const LONG: usize = 500;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Asked,
    Known,
}

impl Feature for Roster {
    type Command = Command;
    type Reply = Answer;
    type Event = News;

    const NAME: &'static str = "roster";

    const CALLS: &'static [Call] = &[
        Call::once("roster.get", 0),
        Call::once("roster.set", 1),
        Call::once("roster.remove", 1),
        Call::once("roster.subscribe", 2),
        Call::once("roster.unsubscribe", 1),
        Call::once("roster.approve", 1),
        Call::once("roster.deny", 1),
    ];

    fn new(_: &Config) -> Self {
        Roster::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        calls::read(name, args)
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let result = match command {
            Command::Get => return self.get(cx, ticket),
            Command::Say { verb, to, status, nick } => {
                let sent = requests::say(cx, ticket, verb, &to, [status, nick]);
                if sent.is_ok() && matches!(verb, Verb::Approve | Verb::Deny) {
                    self.answered(cx, to.as_str());
                }
                sent
            }
            Command::Set { jid, name, groups } => ask(cx, item::entry(jid.as_str(), name.as_deref(), &groups), ticket),
            Command::Remove(jid) => {
                // RFC 6121 §2.5.1.
                let item = item::entry(jid.as_str(), None, &[]).with_attr("subscription", "remove");
                ask(cx, item, ticket)
            }
        };
        if let Err(error) = result {
            cx.reply(ticket, Err(error));
        }
    }

    fn on_binding(&mut self, cx: &mut Ctx<'_>) {
        // It can be asked for again where this comes to nothing. A version is the server's own: nothing of the app's is in it.
        self.begin();
        if self.request(cx).is_ok() {
            self.state = State::Asked;
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        self.begin();
        if self.state != State::Asked {
            self.fetch(cx);
        }
    }

    fn on_resumed(&mut self, cx: &mut Ctx<'_>, restored: bool, _: bool) {
        if !restored {
            return;
        }
        if core::mem::take(&mut self.left_known) {
            // What has changed since comes now, with all else that the server held back.
            self.know(cx);
        } else {
            // Nobody else's answer is ours. Until it has come, nobody may know that we are there.
            self.fetch(cx);
        }
        for request in &self.requests {
            cx.emit(Event::Roster(News::Request(request.clone())));
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if stanza.is("presence", ns::CLIENT) {
            self.presence(cx, stanza);
            return Flow::Next;
        }
        let (Some(true), Some(query)) = (iq::request(stanza), stanza.child("query", ROSTER)) else {
            return Flow::Next;
        };
        // RFC 6121 §2.1.6: a push comes without a sender, or from the account itself. Anybody else's is a forgery.
        if !from_account(stanza, cx.account()) {
            // Nobody else's to handle, either.
            cx.answer(&iq::error(stanza, "cancel", "service-unavailable"));
            return Flow::Taken;
        }
        // It comes behind what the server has answered.
        self.take_in(cx);
        // §2.1.6 again: exactly one item.
        let mut items = query.children();
        match (items.next().and_then(item::read), items.next()) {
            (Some(item), None) => {
                cx.answer(&iq::result(stanza, None));
                self.push(cx, item, query.attr("ver"));
            }
            _ => {
                self.miss(cx);
                cx.answer(&iq::error(stanza, "modify", "bad-request"));
            }
        }
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let asked = match token {
            Token::Call(ticket) => {
                let done = result.map(|_| Reply::Roster(Answer::Done));
                return cx.reply(ticket, done);
            }
            Token::Own(asked) => asked,
        };
        match result {
            Ok(Some(query)) if query.is("query", ROSTER) => {
                self.unread = Some(query);
                match &self.unread {
                    Some(query) if query.nodes().len() > LONG => later(cx),
                    _ => self.take_in(cx),
                }
            }
            Ok(None) if asked == versions::KNOWN => self.know(cx),
            // It makes something of our having nothing that it shouldn't.
            Ok(None) if asked == versions::NONE => {
                if let Err(error) = versions::ask(cx, None) {
                    self.fail(cx, &error);
                }
            }
            Ok(_) => self.fail(cx, &unfit("the roster request")),
            Err(error) => self.fail(cx, &error),
        }
    }

    fn on_timer(&mut self, cx: &mut Ctx<'_>) {
        if self.unread.is_some() {
            self.take_in(cx);
        } else if self.state == State::Known {
            self.tell(cx);
        }
    }

    fn on_offline(&mut self, cx: &mut Ctx<'_>) {
        self.state = State::Unknown;
        self.unread = None;
        self.left_known = false;
        self.saved.take();
        cx.facts.watchers.clear();
        cx.facts.contacts.clear();
    }

    fn save(&self) -> Option<String> {
        Some(self.saved.get_or_init(|| self.write()).clone())
    }

    fn restore(&mut self, _: &mut Ctx<'_>, saved: &str) {
        self.recall(saved);
    }
}

impl Roster {
    fn get(&mut self, cx: &mut Ctx<'_>, ticket: Ticket) {
        match (self.state, cx.status()) {
            (State::Known, _) => cx.reply(ticket, Ok(Reply::Roster(Answer::Items(self.items.clone())))),
            (State::Asked, _) | (State::Unknown, Status::Reconnecting) => self.waiting.push(ticket),
            (State::Unknown, _) => {
                self.waiting.push(ticket);
                self.fetch(cx);
            }
        }
    }

    /// A session begins that isn't an earlier page's: the server says anew who asks.
    fn begin(&mut self) {
        self.left_known = false;
        self.requests.clear();
        self.saved.take();
    }

    /// RFC 6121 §2.1.3.
    fn fetch(&mut self, cx: &mut Ctx<'_>) {
        match self.request(cx) {
            Ok(()) => self.state = State::Asked,
            Err(error) => self.fail(cx, &error),
        }
    }

    /// There is no roster for those who wait.
    fn fail(&mut self, cx: &mut Ctx<'_>, error: &Error) {
        self.state = State::Unknown;
        for ticket in core::mem::take(&mut self.waiting) {
            cx.reply(ticket, Err(error.clone()));
        }
    }

    /// The items are what the server has.
    fn know(&mut self, cx: &mut Ctx<'_>) {
        self.state = State::Known;
        self.told = true;
        let watchers = self.items.iter().filter(|item| item.watches());
        cx.facts.watchers = Set::of(watchers.map(|item| item.jid.clone()).collect());
        cx.facts.contacts = Set::of(self.items.iter().map(|item| item.jid.clone()).collect());
        match self.items.len() > LONG {
            true => later(cx),
            false => self.tell(cx),
        }
        self.changed(cx);
    }

    /// Answers those who wait for the items.
    fn tell(&mut self, cx: &mut Ctx<'_>) {
        for ticket in core::mem::take(&mut self.waiting) {
            cx.reply(ticket, Ok(Reply::Roster(Answer::Items(self.items.clone()))));
        }
    }

    /// Reads the server's answer, unless that has been done.
    fn take_in(&mut self, cx: &mut Ctx<'_>) {
        if let Some(query) = self.unread.take() {
            self.replace(cx, &query);
        }
    }

    /// One item has changed.
    fn push(&mut self, cx: &mut Ctx<'_>, item: RosterItem, ver: Option<&str>) {
        self.number(ver);
        if item.watches() {
            cx.facts.watchers.insert(item.jid.clone());
        } else {
            cx.facts.watchers.remove(&item.jid);
        }
        if item.subscription == Subscription::Remove {
            cx.facts.contacts.remove(&item.jid);
        } else {
            cx.facts.contacts.insert(item.jid.clone());
        }
        if item.watches() || item.subscription == Subscription::Remove {
            self.requests.retain(|request| request.from != item.jid);
        }
        self.apply(&item);
        self.changed(cx);
        cx.emit(Event::Roster(News::Item(item)));
    }

    /// Puts an item in its place, in the order of JIDs.
    fn apply(&mut self, item: &RosterItem) {
        let place = self.items.binary_search_by(|other| other.jid.cmp(&item.jid));
        match (place, item.subscription) {
            (Ok(place), Subscription::Remove) => {
                self.items.remove(place);
            }
            (Ok(place), _) => {
                if let Some(known) = self.items.get_mut(place) {
                    known.clone_from(item);
                }
            }
            (Err(_), Subscription::Remove) => {}
            (Err(place), _) => self.items.insert(place, item.clone()),
        }
    }

    fn changed(&mut self, cx: &mut Ctx<'_>) {
        self.saved.take();
        cx.changed();
    }
}

/// Goes on by the timer: what has come so far has taken the page's main thread for long enough.
fn later(cx: &mut Ctx<'_>) {
    cx.set_timer(Some(cx.now().after(1)));
}

/// Asks for a change of one item (RFC 6121 §2.1.5).
fn ask(cx: &mut Ctx<'_>, item: Element, ticket: Ticket) -> Result<(), Error> {
    let query = Element::new("query", ROSTER).with_child(item);
    cx.ask(true, None, query, Token::Call(ticket))
}
