//! What a browser does for the engine: it carries out the wishes, one after the other.

use crate::mutation::Mutation;
use crate::page::Fact;
use crate::plan::StoreKind;
use crate::store::Errand;
use crate::world::{Event, World};
use stanzawire::engine::{Output, Ticket, Wish};
use stanzawire::sasl::{Secret, derive};
use std::collections::BTreeMap;

impl World {
    pub fn carry_out(&mut self, page: usize, output: Output) {
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
    pub fn run_errand(&mut self, page: usize) -> bool {
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
}

thread_local! {
    /// Keys by salt: the server has one password.
    static KEYS: std::cell::RefCell<BTreeMap<Vec<u8>, Secret>> = const { std::cell::RefCell::new(BTreeMap::new()) };
}
