//! A tab and its pages: the engine, what a browser does for it, and how a page ends.

use crate::judge::Chain;
use crate::mutation::{Mutated, Mutation};
use crate::network::Link;
use crate::plan::{Login, StoreFault, StoreKind};
use crate::server::{ACCOUNT, PASSWORD};
use crate::store::{Errand, Store};
use crate::world::{Event, World};
use stanzawire::engine::{Command, Config, Engine, Input, Millis, Output, Status, Ticket, Wish};
use stanzawire::im;
use stanzawire::jid::Jid;
use stanzawire::sasl::{Credentials, Secret, derive};
use stanzawire::session::{self, CredentialSource};
use std::collections::{BTreeMap, VecDeque};

/// What outlives a page.
#[derive(Debug, Default)]
pub struct Tab {
    pub store: Store,
    pub page: Option<usize>,
    /// The chain of pages that the next one belongs to.
    pub chain: Option<usize>,
}

/// What a page is told.
#[derive(Clone, Debug)]
pub enum Fact {
    Opened { generation: u32 },
    Frame { generation: u32, data: String },
    Closed { generation: u32 },
    Derived { id: Ticket, key: Secret },
    Loaded { id: Ticket, value: Option<String> },
    Stored { id: Ticket, kept: bool },
    Network { online: bool },
    Visible(bool),
    PageShown,
    PageHidden,
    ClockJumped,
    Locked { id: Ticket, held: bool },
    Deadline,
}

/// What a promise of the app's is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    Connect,
    Disconnect,
    /// Which of the messages.
    Send(usize),
    Ask,
}

pub struct Page {
    pub tab: usize,
    pub chain: usize,
    pub engine: Engine,
    pub alive: bool,
    armed: Option<u64>,
    /// The same deadline, and how often it has come in vain.
    stuck: (u64, u32),
    tickets: u64,
    /// The calls, and how often each was settled.
    pub calls: BTreeMap<u64, (Call, u32)>,
    pub link: Option<Link>,
    /// What has happened while the page was asleep.
    pending: VecDeque<Fact>,
    asleep: bool,
    /// For how long, all in all.
    pub slept: u64,
    /// After so many more outputs the process dies, and a new one begins so much later.
    pub doom: Option<u64>,
    pub restarts: u64,
    pub status: Status,
    pub visible: bool,
    /// The connection that the app was told of.
    pub online_link: Option<Link>,
    /// The app wants to be connected.
    pub wants: bool,
    pub connecting: bool,
    pub errands: VecDeque<Errand>,
    at_errand: bool,
    pub mutated: Mutated,
    /// What the listeners are going to be told.
    pub deliveries: VecDeque<stanzawire::engine::Event>,
    pub ends: Option<u64>,
    /// The app has logged out once.
    pub let_go: bool,
    /// It was told that it goes.
    pub left: bool,
}

impl Page {
    pub fn sleeps(&self) -> bool {
        self.asleep
    }
}

impl World {
    fn config(&self) -> Config {
        let credentials = match self.plan.server.login {
            Login::External => Credentials::External { authzid: None },
            _ => Credentials::Password(Secret::new(PASSWORD.as_bytes().to_vec())),
        };
        let account = Jid::parse(ACCOUNT).unwrap();
        let page = &self.plan.page;
        Config {
            session: session::Config {
                url: Some("wss://example.org/ws".into()),
                allow_plain: true,
                storage: page.store != StoreKind::None,
                resource: page.resource.map(str::to_owned),
                queue: page.queue,
                ..session::Config::new(account, CredentialSource::Fixed(credentials))
            },
            im: im::Config {
                presence: (!page.invisible).then(Default::default),
                ..im::Config::default()
            },
        }
    }

    pub fn start_page(&mut self, tab: usize) {
        let number = self.pages.len();
        let engine = Engine::new(self.config(), self.random.seed());
        let fresh = self.plan.page.store_fault != StoreFault::None || !self.tabs[tab].store.has_session();
        let chain = match self.tabs[tab].chain {
            Some(chain) if !fresh => chain,
            _ => {
                self.chains.push(Chain::new(tab));
                self.chains.len() - 1
            }
        };
        self.tabs[tab].chain = Some(chain);
        self.tabs[tab].page = Some(number);
        self.log(|| {
            format!(
                "page {number} of tab {tab} begins{}",
                if fresh { ", knowing nothing" } else { "" }
            )
        });
        self.pages.push(Page {
            tab,
            chain,
            engine,
            alive: true,
            armed: None,
            stuck: (0, 0),
            tickets: 0,
            calls: BTreeMap::new(),
            link: None,
            pending: VecDeque::new(),
            asleep: false,
            slept: 0,
            doom: None,
            restarts: 500,
            status: Status::Offline,
            visible: true,
            online_link: None,
            wants: true,
            connecting: false,
            errands: VecDeque::new(),
            at_errand: false,
            mutated: Mutated::default(),
            deliveries: VecDeque::new(),
            ends: None,
            let_go: false,
            left: false,
        });
        self.app(number);
    }

    /// The app calls.
    pub fn call(&mut self, page: usize, call: Call, command: Command) -> u64 {
        let now = Millis(self.now);
        let one = &mut self.pages[page];
        one.tickets += 1;
        let ticket = one.tickets;
        one.calls.insert(ticket, (call, 0));
        one.engine.command(now, Ticket(ticket), command);
        self.drain(page);
        ticket
    }

    pub fn abort(&mut self, page: usize, ticket: u64) {
        let now = Millis(self.now);
        self.pages[page].engine.abort(now, Ticket(ticket));
        self.drain(page);
    }

    /// Tells a page something: now, or when it is awake.
    pub fn fact(&mut self, page: usize, fact: Fact) {
        let one = &mut self.pages[page];
        if !one.alive {
            return;
        }
        if one.asleep {
            one.pending.push_back(fact);
            return;
        }
        if !matches!(fact, Fact::Frame { .. } | Fact::Deadline) {
            self.log(|| format!("  page {page}: {fact:?}"));
        }
        self.handle(page, &fact);
        self.drain(page);
    }

    fn handle(&mut self, page: usize, fact: &Fact) {
        let now = Millis(self.now);
        let engine = &mut self.pages[page].engine;
        let input = match fact {
            Fact::Opened { generation } => Input::SocketOpen {
                generation: *generation,
                protocol: "xmpp",
            },
            Fact::Frame { generation, data } => Input::Frame {
                generation: *generation,
                data,
            },
            Fact::Closed { generation } => Input::SocketClosed {
                generation: *generation,
                code: 1006,
                clean: false,
            },
            Fact::Derived { id, key } => Input::Derived {
                id: *id,
                key: key.clone(),
            },
            Fact::Loaded { id, value } => Input::Loaded {
                id: *id,
                value: value.as_deref(),
            },
            Fact::Stored { id, kept } => Input::Stored { id: *id, kept: *kept },
            Fact::Network { online } => Input::Network { online: *online },
            Fact::Visible(visible) => Input::Visible(*visible),
            Fact::PageShown => Input::PageShown,
            Fact::PageHidden => Input::PageHidden,
            Fact::ClockJumped => Input::ClockJumped,
            Fact::Locked { id, held } => Input::Locked { id: *id, held: *held },
            Fact::Deadline => Input::Deadline,
        };
        engine.handle(now, input);
    }

    /// The drain rule: what the engine wants is done in order, then the store's errands, then the app's listeners.
    pub fn drain(&mut self, page: usize) {
        loop {
            while let Some(output) = self.pages[page].engine.poll_output() {
                if let Some(doom) = &mut self.pages[page].doom {
                    if *doom <= 1 {
                        self.log(|| "  the process dies here".into());
                        return self.die(page, false);
                    }
                    *doom -= 1;
                }
                self.carry_out(page, output);
                if !self.pages[page].alive {
                    return;
                }
            }
            if self.run_errand(page) {
                continue;
            }
            match self.pages[page].deliveries.pop_front() {
                Some(event) => self.listener(page, event),
                None => break,
            }
            if !self.pages[page].alive {
                return;
            }
        }
        self.arm(page);
    }

    fn arm(&mut self, page: usize) {
        let now = self.now;
        let Some(Millis(deadline)) = self.pages[page].engine.next_deadline() else {
            self.pages[page].armed = None;
            return;
        };
        let throttle = if self.pages[page].visible {
            3
        } else {
            self.plan.page.throttle
        };
        if self.pages[page].armed != Some(deadline) {
            self.pages[page].armed = Some(deadline);
            let late = self.random.below(throttle + 1);
            self.at(deadline.max(now) + late, Event::Timer { page, armed: deadline });
        }
    }

    pub fn timer(&mut self, page: usize, armed: u64) {
        let one = &mut self.pages[page];
        if !one.alive || one.armed != Some(armed) || one.asleep {
            return;
        }
        one.armed = None;
        self.fact(page, Fact::Deadline);
        let one = &mut self.pages[page];
        // Whatever is due has been done: the same deadline doesn't come back.
        let again = one.alive && one.engine.next_deadline().is_some_and(|next| next.0 <= armed);
        one.stuck = if again && one.stuck.0 == armed {
            (armed, one.stuck.1 + 1)
        } else {
            (armed, u32::from(again))
        };
        if one.stuck.1 >= 2 {
            self.breaks(format!("the deadline {armed} of page {page} has come, and comes again"));
        }
    }

    fn carry_out(&mut self, page: usize, output: Output) {
        match output {
            Output::Reply { ticket, result } => self.settled(page, ticket.0, result),
            Output::Event(event) => {
                self.saw(page, &event);
                self.pages[page].deliveries.push_back(event);
            }
            Output::Io(wish) => self.grant(page, wish),
            _ => self.breaks("an output that the simulation doesn't know".into()),
        }
    }

    fn grant(&mut self, page: usize, wish: Wish) {
        match wish {
            Wish::Send(frame) => match self.pages[page].link {
                Some(link) if self.connections[link].attached => self.send_up(link, frame),
                _ => self.log(|| format!("  page {page} writes to a socket that is closed: {frame}")),
            },
            Wish::Connect { generation, .. } => {
                if let Some(link) = self.pages[page]
                    .link
                    .take()
                    .filter(|link| self.connections[*link].attached)
                {
                    self.given_up(page, link);
                    self.let_go(link);
                }
                self.connect(page, generation);
            }
            Wish::CloseSocket { generation, .. } => {
                let link = self.pages[page].link.filter(|link| {
                    let connection = &self.connections[*link];
                    connection.attached && connection.generation == generation
                });
                if let Some(link) = link {
                    self.log(|| format!("  page {page} closes connection {link}"));
                    self.given_up(page, link);
                    self.let_go(link);
                    self.pages[page].link = None;
                }
            }
            Wish::DeriveKey { id, request } => {
                let key = KEYS.with_borrow_mut(|keys| {
                    keys.entry(request.salt.clone())
                        .or_insert_with(|| derive::derive(&request))
                        .clone()
                });
                self.fact_soon(page, Fact::Derived { id, key });
            }
            Wish::Load { id, key } => self.errand(page, Errand::Load { id, key }),
            Wish::Store { id, key, value } => {
                if self.mutation == Some(Mutation::StoreForgets) && self.pages[page].mutated.happens() {
                    return self.fact_soon(page, Fact::Stored { id, kept: true });
                }
                self.errand(page, Errand::Store { id, key, value });
            }
            Wish::Lock { id, name, wait } => self.lock(page, id, name, wait),
            Wish::Unlock { name } => {
                self.locks.retain(|(held, holder)| *held != name || *holder != page);
                self.grant_locks();
            }
            other => self.breaks(format!("a wish that the simulation doesn't know: {other:?}")),
        }
    }

    /// What a platform answers in the same turn: the engine hears it after the drain.
    pub fn fact_soon(&mut self, page: usize, fact: Fact) {
        self.pages[page].errands.push_front(Errand::Tell(fact));
    }

    /// Does what the store, or another part of the platform, is to do next; whether there was something to do now.
    fn run_errand(&mut self, page: usize) -> bool {
        if self.pages[page].at_errand {
            // One at a time; what isn't the store's needn't wait for it.
            let told = self.pages[page]
                .errands
                .iter()
                .position(|errand| matches!(errand, Errand::Tell(_)));
            return match told.and_then(|place| self.pages[page].errands.remove(place)) {
                Some(Errand::Tell(fact)) => {
                    self.handle(page, &fact);
                    true
                }
                _ => false,
            };
        }
        let Some(errand) = self.pages[page].errands.front() else {
            return false;
        };
        match (errand, self.plan.page.store) {
            (Errand::Tell(_), _) | (_, StoreKind::Sync | StoreKind::None) => {
                let Some(errand) = self.pages[page].errands.pop_front() else {
                    return false;
                };
                let fact = self.run_now(page, errand);
                self.handle(page, &fact);
                true
            }
            (_, StoreKind::Async(most)) => {
                self.pages[page].at_errand = true;
                let takes = self.random.below(most + 1);
                self.at(self.now + takes, Event::Stored { page });
                false
            }
        }
    }

    pub fn errand_done(&mut self, page: usize) {
        if !self.pages[page].alive {
            return;
        }
        self.pages[page].at_errand = false;
        let next = self.pages[page]
            .errands
            .iter()
            .position(|errand| !matches!(errand, Errand::Tell(_)));
        if let Some(errand) = next.and_then(|place| self.pages[page].errands.remove(place)) {
            let fact = self.run_now(page, errand);
            self.fact(page, fact);
        }
    }

    fn errand(&mut self, page: usize, errand: Errand) {
        if self.plan.page.store == StoreKind::None {
            return self.breaks("there is no store, and the engine was told so".into());
        }
        let now = self.plan.page.store_first && self.plan.page.store == StoreKind::Sync;
        let errand = match now {
            true => Errand::Tell(self.run_now(page, errand)),
            false => errand,
        };
        self.pages[page].errands.push_back(errand);
    }

    fn run_now(&mut self, page: usize, errand: Errand) -> Fact {
        let tab = self.pages[page].tab;
        self.log(|| format!("  page {page} {}", errand.shown()));
        let fault = self.plan.page.store_fault;
        self.tabs[tab].store.run(errand, fault, &mut self.random)
    }

    // --- locks ---

    fn lock(&mut self, page: usize, id: Ticket, name: String, wait: u64) {
        if !self.plan.page.locks {
            return self.fact_soon(page, Fact::Locked { id, held: true });
        }
        let holder = self
            .locks
            .iter()
            .find(|(held, _)| *held == name)
            .map(|(_, holder)| *holder);
        self.log(|| format!("  page {page} wants the lock {name}, held by {holder:?}"));
        match holder {
            None => {
                self.take_lock(name, page);
                self.fact_soon(page, Fact::Locked { id, held: true });
            }
            Some(_) => {
                self.waiting.push((name, page, id.0));
                self.at(self.now + wait, Event::LockLate { page, id: id.0 });
            }
        }
    }

    fn take_lock(&mut self, name: String, page: usize) {
        let tab = self.pages[page].tab;
        let first = *self.owners.entry(name.clone()).or_insert(tab);
        // A tab that was left for a moment; its duplicate was there before it came back.
        self.stolen |= first != tab;
        self.locks.push((name, page));
    }

    pub fn lock_late(&mut self, page: usize, id: u64) {
        let before = self.waiting.len();
        self.waiting
            .retain(|(_, waiter, number)| (*waiter, *number) != (page, id));
        if self.waiting.len() < before {
            self.fact(
                page,
                Fact::Locked {
                    id: Ticket(id),
                    held: false,
                },
            );
        }
    }

    pub fn release(&mut self, page: usize) {
        self.locks.retain(|(_, holder)| *holder != page);
        self.grant_locks();
    }

    fn grant_locks(&mut self) {
        let free = |(name, _, _): &(String, usize, u64)| self.locks.iter().all(|(held, _)| held != name);
        if let Some(place) = self.waiting.iter().position(free) {
            let (name, page, id) = self.waiting.remove(place);
            self.take_lock(name, page);
            self.fact(
                page,
                Fact::Locked {
                    id: Ticket(id),
                    held: true,
                },
            );
        }
    }

    // --- how a page sleeps, goes and dies ---

    pub fn sleep(&mut self, page: usize, ms: u64, told: bool) {
        if let Some(link) = self.pages[page].link {
            self.connections[link].touched = Some(self.now + ms);
        }
        self.pages[page].asleep = true;
        self.pages[page].slept += ms;
        self.at(self.now + ms, Event::Wake { page, told });
    }

    pub fn wake(&mut self, page: usize, told: bool) {
        if !self.pages[page].alive || !self.pages[page].asleep {
            return;
        }
        self.log(|| format!("page {page} wakes"));
        self.pages[page].asleep = false;
        let mut pending = std::mem::take(&mut self.pages[page].pending);
        if told {
            // Before what has come meanwhile, or after some of it.
            let place = self.random.below(pending.len() as u64 + 1) as usize;
            pending.insert(place, Fact::ClockJumped);
        }
        for fact in pending {
            self.fact(page, fact);
        }
        if self.pages[page].alive {
            self.pages[page].armed = None;
            self.arm(page);
        }
    }

    /// The page has been told that it goes. A store that takes its time gets a moment.
    pub fn leave_soon(&mut self, page: usize, after: u64) {
        if self.pages[page].alive {
            self.pages[page].wants = false;
            match self.plan.page.store {
                StoreKind::Async(_) => self.at(self.now + 20, Event::Leave { page, after }),
                _ => self.leave(page, after),
            }
        }
    }

    pub fn leave(&mut self, page: usize, after: u64) {
        if self.pages[page].alive {
            self.pages[page].restarts = after;
            self.pages[page].left = true;
            self.die(page, matches!(self.plan.page.store, StoreKind::Sync));
        }
    }

    /// The page is gone. What it had written to its socket may still arrive.
    pub fn die(&mut self, page: usize, orderly: bool) {
        let now = self.now;
        let one = &mut self.pages[page];
        if !one.alive {
            return;
        }
        one.alive = false;
        one.ends = Some(now);
        let (tab, restarts, link) = (one.tab, one.restarts, one.link.take());
        self.tabs[tab].page = None;
        self.waiting.retain(|(_, waiter, _)| *waiter != page);
        self.log(|| format!("page {page} {}", if orderly { "is left" } else { "is killed" }));
        self.page_died(page, orderly);
        if let Some(link) = link.filter(|link| self.connections[*link].attached) {
            let share = if self.random.percent(50) {
                100
            } else {
                self.random.below(101)
            };
            if self.connections[link].up.is_cut() || share == 100 {
                self.let_go(link);
            } else {
                self.connections[link].up.cut(share);
                let takes = self.takes();
                self.connections[link].attached = false;
                let at = self.connections[link].up.close(now, takes);
                self.at(at, Event::Arrive { link, up: true });
            }
        }
        let holds = self.random.pick(&[0, 0, 50, 400]);
        self.at(now + holds, Event::Release { page });
        self.at(now + restarts, Event::Start { tab });
    }

    /// A second tab with a copy of the first one's store.
    pub fn duplicate(&mut self) {
        if self.tabs.len() < 3 {
            let store = self.tabs[0].store.clone();
            self.tabs.push(Tab {
                store,
                page: None,
                chain: None,
            });
            let tab = self.tabs.len() - 1;
            self.start_page(tab);
        }
    }
}

thread_local! {
    /// Keys by salt: the server has one password.
    static KEYS: std::cell::RefCell<BTreeMap<Vec<u8>, Secret>> = const { std::cell::RefCell::new(BTreeMap::new()) };
}
