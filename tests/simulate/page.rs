//! A tab and its pages: the engine, what a browser does for it, and how a page ends.

use crate::judge::Chain;
use crate::mutation::Mutated;
use crate::network::Link;
use crate::plan::{Login, StoreFault, StoreKind};
use crate::server::{ACCOUNT, PASSWORD};
use crate::store::{Errand, Store};
use crate::world::{Event, World};
use stanzawire::engine::{Command, Config, Engine, Input, Millis, Status, Ticket};
use stanzawire::im;
use stanzawire::jid::Jid;
use stanzawire::sasl::{Credentials, Secret};
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
    /// Since when, where it wasn't before.
    pub shown: Option<u64>,
    /// It began knowing nothing.
    pub fresh: bool,
    /// The connection that the app was told of.
    pub online_link: Option<Link>,
    /// The app wants to be connected.
    pub wants: bool,
    pub connecting: bool,
    pub errands: VecDeque<Errand>,
    pub at_errand: bool,
    pub mutated: Mutated,
    /// What the listeners are going to be told.
    pub deliveries: VecDeque<stanzawire::engine::Event>,
    pub ends: Option<u64>,
    /// The app has logged out once.
    pub let_go: bool,
    /// It is logging out, since then.
    pub ending: Option<u64>,
    /// It was told that it goes.
    pub left: bool,
    /// Who it is for the server (XEP-0388 §2.3), and the tokens that it was issued.
    pub agent: Option<String>,
    /// What it said last of its token.
    pub says: Option<String>,
    pub tokens: Vec<String>,
    /// The first connection since it has logged out; and when it began to do so again, with nothing wrong.
    pub first_link: Link,
    pub logout: Option<u64>,
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
                counters: self.plan.server.counters,
                keep_token: page.store != StoreKind::None && self.plan.server.sasl2.keep_token,
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
                self.chains.push(Chain::new(tab, self.now));
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
            shown: None,
            fresh,
            online_link: None,
            wants: true,
            connecting: false,
            errands: VecDeque::new(),
            at_errand: false,
            mutated: Mutated::default(),
            deliveries: VecDeque::new(),
            ends: None,
            let_go: false,
            ending: None,
            left: false,
            agent: None,
            says: None,
            tokens: Vec::new(),
            first_link: 0,
            logout: None,
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

    pub fn handle(&mut self, page: usize, fact: &Fact) {
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

    pub fn sleep(&mut self, page: usize, ms: u64, told: bool) {
        if let Some(link) = self.pages[page].link {
            self.connections[link].touched = Some(self.now + ms);
        }
        let one = &self.pages[page];
        if one.link.is_none() && one.connecting && matches!(self.plan.page.store, StoreKind::Async(_)) {
            // It wakes when its store should have answered long ago, and then doesn't wait for it: it knows nothing, and the next page
            // what was there before.
            let tab = one.tab;
            self.chains[one.chain].from = None;
            self.chains.push(Chain::new(tab, self.now));
            self.pages[page].chain = self.chains.len() - 1;
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

    /// The page is looked at, or no longer. A timer that was to be late because nobody did is so no more.
    pub fn look(&mut self, page: usize, visible: bool) {
        if visible && !self.pages[page].visible {
            self.pages[page].shown = Some(self.now);
        }
        self.pages[page].visible = visible;
        if visible {
            self.pages[page].armed = None;
        }
        self.fact(page, Fact::Visible(visible));
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
        let chain = self.pages[page].chain;
        self.chains[chain].over |= self.tabs[tab].chain != Some(chain);
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
