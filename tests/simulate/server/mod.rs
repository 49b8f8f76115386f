//! The model of a server: XMPP over WebSocket for one account, its archive, and a peer who is always there.
//!
//! Written from the specifications and apart from the client. What it has handled, it has handled for good: the messages that
//! the peer got, and the archive, outlive a restart. Sessions may.

mod archive;
mod login;
mod sasl2;
mod sm;
mod stanzas;

pub use archive::Entry;
pub use sasl2::{Tokens, agent_of};
pub use stanzas::in_text;

use crate::network::Link;
use crate::plan::ServerPlan;
use crate::random::Random;
use login::Stream;
use sm::Managed;
use stanzawire::xml::{self, Element};
use std::collections::BTreeMap;

pub const DOMAIN: &str = "example.org";
pub const ACCOUNT: &str = "alice@example.org";
pub const PEER: &str = "bob@example.org";
pub const PASSWORD: &str = "secret";

const CLIENT: &str = "jabber:client";
const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
const SM: &str = "urn:xmpp:sm:3";

/// What the server does to a connection.
#[derive(Debug)]
pub enum Effect {
    Send(Link, String),
    Close(Link),
    /// The same, because the client doesn't answer.
    GiveUp(Link),
}

/// A message of the peer's that was handed to a session.
#[derive(Debug)]
pub struct Given {
    pub number: u32,
    pub tab: usize,
    /// When the session was bound.
    pub bound: u64,
    /// The client has acknowledged it.
    pub acknowledged: bool,
}

/// What was counted, for those who want to know whether the simulation comes where it should.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub logins: u64,
    pub resumed: u64,
    pub refused: u64,
    pub searches: u64,
    pub replaced: u64,
    /// Resources bound along with the authentication, and logins by a token.
    pub inline: u64,
    pub by_token: u64,
}

/// A bound resource, connected or waiting to be resumed.
#[derive(Debug)]
struct Session {
    tab: usize,
    resource: String,
    bound: u64,
    /// Whose it is, where that was said.
    agent: Option<String>,
    link: Option<Link>,
    managed: Option<Managed>,
    /// The client is available: messages to the account reach it.
    present: bool,
    /// When it is given up, while it has no connection.
    expires: Option<u64>,
}

/// What the server says a while later.
#[derive(Debug)]
enum Later {
    Stanzas(Vec<String>),
    Ack,
}

pub struct Server {
    pub plan: ServerPlan,
    pub now: u64,
    pub running: bool,
    random: Random,
    streams: BTreeMap<Link, Stream>,
    sessions: BTreeMap<u64, Session>,
    numbers: u64,
    pub archive: Vec<Entry>,
    /// Messages of the peer's that the archive had once.
    pub purged: Vec<u32>,
    /// When the archive first threw anything away.
    pub first_purge: Option<u64>,
    offline: Vec<u32>,
    /// How much was handled in sessions that are over.
    forgotten: BTreeMap<String, u32>,
    pub tokens: Tokens,
    /// On whose login messages were dropped that are in no archive, and when.
    pub dropped: Vec<(Link, u64)>,
    later: BTreeMap<(u64, u64), (u64, Later)>,
    effects: Vec<Effect>,
    /// The numbers of the client's messages that the peer has got, in that order.
    pub taken: Vec<u32>,
    pub given: Vec<Given>,
    /// Messages of the peer's that the server kept nowhere.
    pub unheard: Vec<u32>,
    /// Tabs whose client has become available.
    pub arrived: Vec<usize>,
    /// What the client must not do, and did.
    pub wrong: Vec<String>,
    /// A client has come with a memory that isn't of the session's last moment.
    pub stale: Option<(Link, String)>,
    /// A tab has gone on with another one's session: whose, which, and where that was
    /// connected.
    pub stolen: Option<(usize, usize, Option<Link>)>,
    pub counts: Counts,
}

impl Server {
    pub fn new(plan: ServerPlan, random: Random) -> Server {
        Server {
            plan,
            now: 0,
            running: true,
            random,
            streams: BTreeMap::new(),
            sessions: BTreeMap::new(),
            numbers: 0,
            archive: Vec::new(),
            purged: Vec::new(),
            first_purge: None,
            offline: Vec::new(),
            forgotten: BTreeMap::new(),
            tokens: Tokens::default(),
            dropped: Vec::new(),
            later: BTreeMap::new(),
            effects: Vec::new(),
            taken: Vec::new(),
            given: Vec::new(),
            unheard: Vec::new(),
            arrived: Vec::new(),
            wrong: Vec::new(),
            stale: None,
            stolen: None,
            counts: Counts::default(),
        }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// A WebSocket has been opened by that tab.
    pub fn accept(&mut self, link: Link, tab: usize) {
        self.streams.insert(link, Stream::new(tab));
    }

    /// A frame has come in.
    pub fn frame(&mut self, now: u64, link: Link, frame: &str) {
        self.now = now;
        let Some(stream) = self.streams.get(&link) else { return };
        let session = stream.session();
        let Ok(element) = xml::read(frame, &xml::Limits::default()) else {
            return self.wrong.push(format!("this is no frame: {frame}"));
        };
        if element.is("close", FRAMING) {
            self.send(link, format!("<close xmlns='{FRAMING}'/>"));
            self.effects.push(Effect::Close(link));
            self.streams.remove(&link);
            // The stream has been ended in good order: there is nothing to resume.
            if let Some(session) = session {
                self.end(session);
            }
            return;
        }
        if element.is("error", "http://etherx.jabber.org/streams") {
            // RFC 6120 §4.9.1.1: that was the stream. Servers disagree on whether its session can be resumed.
            self.effects.push(Effect::Close(link));
            self.streams.remove(&link);
            match session {
                Some(session) if self.random.percent(50) => self.detach(session),
                Some(session) => self.end(session),
                None => {}
            }
            return;
        }
        match session {
            Some(session) => self.online(session, link, &element),
            None => self.login(link, &element),
        }
    }

    /// The connection has ended, as the server sees it.
    pub fn closed(&mut self, now: u64, link: Link) {
        self.now = now;
        let session = self.streams.remove(&link).and_then(|stream| stream.session());
        if let Some(session) = session {
            self.detach(session);
        }
    }

    /// Whether a session listens to this connection.
    pub fn is_open(&self, link: Link) -> bool {
        self.streams.contains_key(&link)
    }

    /// The session waits for its client to come back, if it can.
    fn detach(&mut self, id: u64) {
        let keeps = self.now + self.plan.keeps;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.link = None;
        match &mut session.managed {
            Some(managed) if managed.resumable => {
                managed.asked = None;
                session.expires = Some(keeps);
            }
            _ => self.end(id),
        }
    }

    /// The session is over. What its client hasn't acknowledged is in the archive, or waits for another session, or is lost.
    fn end(&mut self, id: u64) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        if let Some(managed) = session.managed {
            if self.plan.failed_h {
                self.forgotten.insert(managed.id.clone(), managed.handled);
            }
            let unacknowledged = managed.queue.iter().filter_map(|queued| queued.given);
            for given in unacknowledged {
                let number = self.given[given].number;
                if !self.plan.archive && self.plan.offline && !self.offline.contains(&number) {
                    self.offline.push(number);
                }
            }
        }
        if let Some(link) = session.link {
            self.streams.remove(&link);
            self.effects.push(Effect::Close(link));
        }
    }

    fn stream_error(&mut self, link: Link, condition: &str) {
        self.send(
            link,
            format!(
                "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
                 <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            ),
        );
        self.send(link, format!("<close xmlns='{FRAMING}'/>"));
    }

    fn send(&mut self, link: Link, frame: String) {
        self.effects.push(Effect::Send(link, frame));
    }

    // --- what happens to a server ---

    /// The process ends. The connections do with it.
    pub fn stop(&mut self, now: u64, keeps_sessions: bool) {
        self.now = now;
        self.running = false;
        if !keeps_sessions {
            self.later.clear();
        }
        let links: Vec<Link> = self.streams.keys().copied().collect();
        for link in links {
            self.closed(now, link);
        }
        if !keeps_sessions && !self.plan.sasl2.keeps_tokens {
            self.tokens.clear();
        }
        self.change();
        if !keeps_sessions {
            self.forgotten.clear();
            let ids: Vec<u64> = self.sessions.keys().copied().collect();
            let failed_h = std::mem::take(&mut self.plan.failed_h);
            // Nobody was there to put anything aside.
            let offline = std::mem::take(&mut self.plan.offline);
            ids.into_iter().for_each(|id| self.end(id));
            (self.plan.failed_h, self.plan.offline) = (failed_h, offline);
        }
        self.effects.clear();
    }

    /// The sessions that wait to be resumed are given up.
    pub fn expire(&mut self, now: u64) {
        self.now = now;
        let waiting = self.sessions.iter().filter(|(_, session)| session.link.is_none());
        let ids: Vec<u64> = waiting.map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.end(id));
    }

    /// The streams of all connected sessions end.
    pub fn end_streams(&mut self, now: u64, condition: Option<&str>) {
        self.now = now;
        let keeps = self.random.percent(50);
        for link in self.links() {
            match condition {
                Some(condition) => self.stream_error(link, condition),
                None => self.send(link, format!("<close xmlns='{FRAMING}'/>")),
            }
            self.effects.push(Effect::Close(link));
            let session = self.streams.remove(&link).and_then(|stream| stream.session());
            match session {
                Some(session) if keeps => self.detach(session),
                Some(session) => {
                    if let Some(session) = self.sessions.get_mut(&session) {
                        session.link = None;
                    }
                    self.end(session);
                }
                None => {}
            }
        }
    }

    /// The connections of sessions.
    fn links(&self) -> Vec<Link> {
        self.sessions.values().filter_map(|session| session.link).collect()
    }

    // --- time ---

    /// When something is due.
    pub fn next(&self) -> Option<u64> {
        let later = self.later.keys().next().map(|(at, _)| *at);
        let expires = self.sessions.values().filter_map(|session| session.expires).min();
        let patience = self.sessions.values().filter_map(|session| {
            let asked = session.managed.as_ref()?.asked?;
            session.link.map(|_| asked + self.plan.patience)
        });
        [later, expires, patience.min()].into_iter().flatten().min()
    }

    pub fn tick(&mut self, now: u64) {
        self.now = now;
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            let (session, later) = entry.remove();
            match later {
                Later::Stanzas(frames) => frames.into_iter().for_each(|frame| self.give(session, frame, None)),
                Later::Ack => self.acknowledge(session),
            }
        }
        let patience = self.plan.patience;
        let due = |session: &Session| {
            let asked = session.managed.as_ref().and_then(|managed| managed.asked);
            session.expires.is_some_and(|expires| expires <= now)
                || session.link.is_some() && asked.is_some_and(|asked| asked + patience <= now)
        };
        let due: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| due(session))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            match self.sessions.get(&id).and_then(|session| session.link) {
                Some(link) => {
                    self.streams.remove(&link);
                    self.effects.push(Effect::GiveUp(link));
                    self.detach(id);
                }
                None => self.end(id),
            }
        }
    }

    fn later(&mut self, delay: u64, session: u64, later: Later) {
        let key = (self.now + delay, self.number());
        self.later.insert(key, (session, later));
    }

    // --- for those who judge ---

    /// How many stanzas wait for an acknowledgement on that connection.
    pub fn unacknowledged(&self, link: Link) -> usize {
        let there = self.sessions.values().find(|session| session.link == Some(link));
        there
            .and_then(|session| session.managed.as_ref())
            .map_or(0, |managed| managed.queue.len())
    }
}

/// The text in an element's attribute, for putting it into another one.
fn attr(element: &Element, name: &str) -> String {
    escaped(element.attr(name).unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;")
}
