//! One seed's world: a clock that only events move, and everything that happens on it.

use crate::judge::{Chain, Sent};
use crate::mutation::Mutation;
use crate::network::{Connection, Item, Link, takes};
use crate::page::{Fact, Page, Tab};
use crate::plan::{Act, Learns, Plan, StoreFault, StoreKind};
use crate::random::Random;
use crate::server::{Counts, Effect, Server};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Nothing takes more events than this, unless it runs in circles.
const MOST_EVENTS: u64 = 1_000_000;

/// What is to come.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// Something may have arrived on that way of the connection.
    Arrive { link: Link, up: bool },
    /// A WebSocket is open at its client's end.
    Opened(Link),
    /// The client is told that there's no connection.
    Closed(Link),
    /// The server closes this side of a connection for good.
    ServerLearns(Link),
    /// The client's own end of it.
    ClientLearns(Link),
    /// The page's timer.
    Timer { page: usize, armed: u64 },
    /// The page runs again.
    Wake { page: usize, told: bool },
    /// The store has done what it was at.
    Stored { page: usize },
    /// A lock has been waited for long enough.
    LockLate { page: usize, id: u64 },
    /// The locks of a page that has gone are free.
    Release { page: usize },
    /// A page begins.
    Start { tab: usize },
    /// A page that was to die does so now at the latest.
    Doom { page: usize },
    /// The page goes, having said so.
    Leave { page: usize, after: u64 },
    /// The app looks whether it is connected.
    App { page: usize },
    /// The server has something to do.
    Tick,
    /// The server is back.
    Boot,
    /// The network of the page is back.
    Online,
    /// Something from the plan.
    Act(usize),
    /// The faults are over.
    Heal,
    /// All is to be well by now.
    Probe,
    /// All is to be settled by now.
    End,
    /// And logged out.
    Gone,
}

pub struct World {
    pub plan: Plan,
    pub mutation: Option<Mutation>,
    pub now: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    events: u64,
    pub random: Random,
    pub server: Server,
    pub connections: Vec<Connection>,
    pub tabs: Vec<Tab>,
    pub pages: Vec<Page>,
    pub chains: Vec<Chain>,
    pub sent: Vec<Sent>,
    /// How many messages the peer has sent.
    pub peer_sent: u32,
    /// Until when no connection can be made, and whether that is said.
    pub refuses: u64,
    refuses_silently: bool,
    /// The page has no network until then.
    pub offline: u64,
    /// Held locks, and those who wait: name, page, and number of the wish.
    pub locks: Vec<(String, usize)>,
    pub waiting: Vec<(String, usize, u64)>,
    /// Which tab held a lock first.
    pub owners: BTreeMap<String, usize>,
    ticks: Option<u64>,
    /// A copy of a tab has taken up what the tab had left.
    pub stolen: bool,
    pub ended: bool,
    pub transcript: Option<Vec<String>>,
    /// The first promise that was broken.
    pub broken: Option<String>,
    pub tally: Tally,
}

/// What was counted over all seeds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    pub counts: Counts,
    pub connections: u64,
    pub pages: u64,
    pub sent: u64,
    pub resolved: u64,
    pub not_delivered: u64,
    pub unknown: u64,
    pub kept: u64,
    pub received: u64,
    pub gaps: u64,
    pub events: u64,
}

impl World {
    pub fn new(seed: u64, plan: Plan, mutation: Option<Mutation>, transcript: bool) -> World {
        let mut random = Random::new(seed ^ 0x5eed);
        let server = Server::new(plan.server.clone(), random.fork());
        World {
            plan,
            mutation,
            now: 0,
            queue: BinaryHeap::new(),
            events: 0,
            random,
            server,
            connections: Vec::new(),
            tabs: Vec::new(),
            pages: Vec::new(),
            chains: Vec::new(),
            sent: Vec::new(),
            peer_sent: 0,
            refuses: 0,
            refuses_silently: false,
            offline: 0,
            locks: Vec::new(),
            waiting: Vec::new(),
            owners: BTreeMap::new(),
            ticks: None,
            stolen: false,
            ended: false,
            transcript: transcript.then(Vec::new),
            broken: None,
            tally: Tally::default(),
        }
    }

    /// Runs to the end, or to the first promise that is broken.
    pub fn run(&mut self) {
        for (number, (at, act)) in self.plan.acts.clone().into_iter().enumerate() {
            self.log(|| format!("plan #{number} at {at}: {act:?}"));
            self.at(at, Event::Act(number));
        }
        self.tabs.push(Tab::default());
        self.start_page(0);
        self.at(self.plan.end, Event::Heal);
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            self.now = at;
            self.events += 1;
            if self.events > MOST_EVENTS {
                self.breaks("more happens than can be: something runs in circles".into());
            }
            self.happen(event);
            if self.broken.is_some() || self.ended {
                break;
            }
        }
        self.tally.events = self.events;
        self.tally.counts = self.server.counts;
        self.tally.connections = self.connections.len() as u64;
        self.tally.pages = self.pages.len() as u64;
    }

    pub fn at(&mut self, at: u64, event: Event) {
        // Numbered, so that what happens at one time happens in the order of its causes.
        self.events += 1;
        self.queue.push(Reverse((at.max(self.now), self.events, event)));
    }

    pub fn log(&mut self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{:>9} {}", self.now, line()));
        }
    }

    pub fn breaks(&mut self, what: String) {
        self.log(|| format!("BROKEN: {what}"));
        self.broken.get_or_insert(what);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { link, up } => self.arrive(link, up),
            Event::Opened(link) => self.fact_of(link, |generation| Fact::Opened { generation }),
            Event::Closed(link) | Event::ClientLearns(link) => self.client_learns(link),
            Event::ServerLearns(link) => {
                self.log(|| format!("the server learns that connection {link} is gone"));
                self.server.closed(self.now, link);
                self.effects();
            }
            Event::Timer { page, armed } => self.timer(page, armed),
            Event::Wake { page, told } => self.wake(page, told),
            Event::Stored { page } => self.errand_done(page),
            Event::LockLate { page, id } => self.lock_late(page, id),
            Event::Release { page } => self.release(page),
            Event::Start { tab } => self.start_page(tab),
            Event::Doom { page } => self.die(page, false),
            Event::Leave { page, after } => self.leave(page, after),
            Event::App { page } => self.app(page),
            Event::Tick => {
                self.ticks = None;
                if self.server.running {
                    self.server.tick(self.now);
                    self.effects();
                }
                self.arm_server();
            }
            Event::Boot => {
                self.log(|| "the server is back".into());
                self.server.running = true;
            }
            Event::Online => self.online_again(),
            Event::Act(number) => {
                let act = self.plan.acts[number].1;
                self.log(|| format!("act #{number}: {act:?}"));
                self.act(act);
            }
            Event::Heal => self.heal(),
            Event::Probe => self.probe(),
            Event::End => self.end(),
            Event::Gone => self.gone(),
        }
        if let Some((from, to, link)) = self.server.stolen.take() {
            self.log(|| format!("tab {to} goes on with the session of tab {from}"));
            self.stolen = true;
            let used = |link: Link| self.connections[link].attached && self.pages[self.connections[link].page].alive;
            if link.is_some_and(used) && self.plan.page.locks && self.plan.page.store_fault == StoreFault::None {
                self.breaks(format!(
                    "tab {to} takes the session of tab {from} away, whose page lives"
                ));
            }
        }
        // What was written to a connection long left may arrive at any time.
        if let Some((link, stale)) = self.server.stale.take()
            && self.connections[link].attached
            && !matches!(self.plan.page.store, StoreKind::Async(_))
            && self.plan.page.store_fault == StoreFault::None
            && !self.stolen
            && !self.plan.has(|act| matches!(act, Act::Disconnect { .. }))
        {
            self.breaks(format!("the client has forgotten what it has said: {stale}"));
        }
        if let Some(wrong) = self.server.wrong.first() {
            let wrong = format!("the client breaks the protocol: {wrong}");
            self.breaks(wrong);
        }
    }

    // --- the network ---

    /// The client opens a WebSocket.
    pub fn connect(&mut self, page: usize, generation: u32) {
        let link = self.connections.len();
        self.connections.push(Connection::new(page, generation));
        self.pages[page].link = Some(link);
        let (out, back) = (self.takes(), self.takes());
        if !self.server.running || self.refuses > self.now || self.offline > self.now {
            let silent = self.server.running && self.refuses_silently && self.offline <= self.now;
            self.log(|| {
                format!(
                    "connection {link} of page {page} is refused{}",
                    if silent { " silently" } else { "" }
                )
            });
            self.connections[link].touched = Some(self.now);
            if !silent {
                self.at(self.now + out + back, Event::Closed(link));
            }
            return;
        }
        self.log(|| format!("connection {link} of page {page}"));
        self.connections[link].accepted = true;
        let tab = self.pages[page].tab;
        self.server.accept(link, tab);
        self.at(self.now + out + back, Event::Opened(link));
    }

    pub fn takes(&mut self) -> u64 {
        takes(&mut self.random, &self.plan.network)
    }

    pub fn send_up(&mut self, link: Link, frame: String) {
        let frame = self.by_another_tab(link, frame);
        let frames = match self.mutation {
            Some(mutation) => self.pages[self.connections[link].page].mutated.up(mutation, frame),
            None => vec![frame],
        };
        for frame in frames {
            self.log(|| format!("  {link} -> {frame}"));
            self.watch_up(link, &frame);
            self.has_left(link, &frame);
            let takes = self.takes();
            match self.connections[link].up.send(self.now, takes, Item::Frame(frame)) {
                Some(at) => self.at(at, Event::Arrive { link, up: true }),
                None => self.log(|| "     (lost)".into()),
            }
        }
    }

    /// Carries out what the server wants.
    pub fn effects(&mut self) {
        for effect in self.server.effects() {
            match effect {
                Effect::Send(link, ref frame) => {
                    let takes = self.takes();
                    match self.connections[link]
                        .down
                        .send(self.now, takes, Item::Frame(frame.clone()))
                    {
                        Some(at) => self.at(at, Event::Arrive { link, up: false }),
                        None => self.log(|| format!("  {link} <- (lost)")),
                    }
                }
                Effect::Close(link) | Effect::GiveUp(link) => {
                    if matches!(effect, Effect::GiveUp(_)) {
                        self.unanswered(link);
                    }
                    let takes = self.takes();
                    let connection = &mut self.connections[link];
                    connection.touched = Some(self.now);
                    if !connection.down.is_cut() {
                        let at = connection.down.close(self.now, takes);
                        self.at(at, Event::Arrive { link, up: false });
                    }
                }
            }
        }
        self.arm_server();
    }

    fn arm_server(&mut self) {
        if let Some(next) = self.server.next().filter(|_| self.server.running)
            && self.ticks.is_none_or(|at| at > next)
        {
            self.ticks = Some(next);
            self.at(next, Event::Tick);
        }
    }

    fn arrive(&mut self, link: Link, up: bool) {
        let now = self.now;
        let connection = &mut self.connections[link];
        let way = if up { &mut connection.up } else { &mut connection.down };
        let Some(item) = way.arrived(now) else {
            if let Some(next) = way.next() {
                // Frozen meanwhile.
                self.at(next, Event::Arrive { link, up });
            }
            return;
        };
        match (item, up) {
            (Item::Frame(frame), true) => {
                if !self.server.running || !self.server.is_open(link) {
                    return self.log(|| format!("  {link} => dropped: {frame}"));
                }
                self.log(|| format!("  {link} => {frame}"));
                self.server.frame(now, link, &frame);
                self.arrived(link);
                self.effects();
            }
            (Item::Frame(frame), false) => {
                let page = self.connections[link].page;
                let frames = match self.mutation {
                    Some(mutation) => self.pages[page].mutated.down(mutation, frame),
                    None => vec![frame],
                };
                for frame in frames {
                    self.log(|| format!("  {link} <= {frame}"));
                    self.watch_down(link, &frame);
                    self.fact_of(link, |generation| Fact::Frame {
                        generation,
                        data: frame,
                    });
                }
            }
            (Item::Closed, true) => {
                self.server.closed(now, link);
                self.effects();
            }
            (Item::Closed, false) => self.client_learns(link),
        }
    }

    fn client_learns(&mut self, link: Link) {
        self.log(|| format!("connection {link} is closed, as the client learns"));
        self.fact_of(link, |generation| Fact::Closed { generation });
        self.connections[link].attached = false;
    }

    /// Something that a page is told about its connection, if it still has it.
    fn fact_of(&mut self, link: Link, fact: impl FnOnce(u32) -> Fact) {
        let connection = &self.connections[link];
        if connection.attached {
            let (page, fact) = (connection.page, fact(connection.generation));
            self.fact(page, fact);
        }
    }

    /// The client lets go of a connection; what it has written so far is still on its way.
    pub fn let_go(&mut self, link: Link) {
        let takes = self.takes();
        let connection = &mut self.connections[link];
        connection.attached = false;
        if connection.accepted && !connection.up.is_cut() {
            let at = connection.up.close(self.now, takes);
            self.at(at, Event::Arrive { link, up: true });
        }
    }

    /// The connections that somebody still uses.
    pub fn live(&self) -> Vec<Link> {
        let live = self
            .connections
            .iter()
            .enumerate()
            .filter(|(_, one)| one.accepted && one.attached);
        live.map(|(link, _)| link).collect()
    }

    pub fn cut(&mut self, link: Link, client: Learns, server: Learns, shares: [u64; 2]) {
        let connection = &mut self.connections[link];
        if connection.up.is_cut() && connection.down.is_cut() {
            return;
        }
        connection.touched = Some(self.now);
        let lost = [connection.up.cut(shares[0]), connection.down.cut(shares[1])];
        self.log(|| format!("connection {link} is cut: {lost:?} frames lost up and down"));
        if let Learns::After(after) = client {
            let at = self.connections[link]
                .down
                .next()
                .unwrap_or_default()
                .max(self.now + after);
            self.at(at, Event::ClientLearns(link));
        }
        if let Learns::After(after) = server {
            let at = self.connections[link]
                .up
                .next()
                .unwrap_or_default()
                .max(self.now + after);
            self.at(at, Event::ServerLearns(link));
        }
    }

    pub fn refuse(&mut self, ms: u64, silent: bool) {
        self.refuses = self.now + ms;
        self.refuses_silently = silent;
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Send { .. } | Act::Ask(_) | Act::Abort | Act::Disconnect { .. } => self.app_acts(act),
            _ => self.fault(act),
        }
    }
}
