//! One connection's life, and the next one's: the state machine between the socket and the features.
//!
//! A [`Session`] takes facts ([`Input`]) and requests of the layer above, and says in one ordered queue ([`Said`])
//! what the edge is to do and what the layer above is to know. Its states are moved by value
//! (`session/state.rs`): `Idle → Discover → Negotiate → Online → Closing → Revoke`, and `Backoff` between a lost connection and
//! the next attempt.

mod agent;
mod attempt;
pub mod backoff;
pub mod config;
pub mod discovery;
mod io;
mod keeper;
mod ledger;
mod letting_go;
mod memory;
mod negotiate;
mod online;
mod outgoing;
mod recall;
mod redact;
mod register;
mod revoke;
pub mod rng;
mod shared;
mod sm;
mod state;
pub mod timers;
pub mod tracker;

pub use backoff::ReconnectPolicy;
pub use config::{Config, CredentialSource};
pub use io::{Fetched, Input, Millis, Note, Origin, Status, Ticket, Token, Wish};
pub use outgoing::{Doubt, Kind, Outgoing};

pub use crate::stream::framing::Framing;

use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::xml::Element;
use rng::Rng;
use shared::Shared;
use sm::Asleep;
use state::State;
use timers::Timer;

/// What a session has to say, in order.
#[derive(Debug)]
pub enum Said {
    /// To the edge.
    Wish(Wish),
    /// To the layer above.
    Note(Note),
}

/// How late a timer of a page that is looked at must be for the machine to have slept, in milliseconds.
const ASLEEP: u64 = 3_000;

/// The connection of one account.
#[derive(Debug)]
pub struct Session {
    shared: Shared,
    state: State,
}

/// What is said only to those who watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Observe {
    /// Every stanza that comes in, as a [`Note::Seen`].
    pub stanzas: bool,
    /// Every frame, as a [`Note::Frame`].
    pub frames: bool,
}

impl Session {
    /// A session that isn't connected. The seed must be 32 bytes that nobody can guess.
    pub fn new(config: Config, seed: [u8; 32]) -> Session {
        Session {
            shared: Shared::new(config, seed),
            state: State::Idle,
        }
    }

    /// Begins a login; `ticket` is settled when a resource is bound, or by the reason why none could be.
    pub fn connect(&mut self, now: Millis, ticket: Ticket, timeout: Option<u64>) {
        self.step(|state, shared| state.connect(shared, now, ticket, timeout));
    }

    /// Looks up the domain's endpoints, connecting to none; `ticket` is settled by a [`Note::Found`], or by the reason why
    /// there are none.
    pub fn discover(&mut self, now: Millis, ticket: Ticket, timeout: Option<u64>) {
        self.step(|state, shared| state.discover(shared, now, ticket, timeout));
    }

    /// Ends whatever there is; `ticket` is settled when it has ended.
    pub fn disconnect(&mut self, now: Millis, ticket: Ticket) {
        self.step(|state, shared| state.disconnect(shared, now, ticket));
    }

    /// Takes a fact.
    pub fn handle(&mut self, now: Millis, input: Input<'_>) {
        match input {
            Input::Deadline => self.deadline(now),
            input => {
                let closed = self.shared.keeper.is_closed();
                self.take_note(&input);
                if closed && !self.shared.keeper.is_closed() {
                    self.flush(now);
                }
                let network = match input {
                    Input::Network { online } => Some(online),
                    _ => None,
                };
                self.step(|state, shared| state.handle(shared, now, input));
                if let Some(online) = network {
                    self.shared.was_offline = !online;
                }
            }
        }
        self.shared.keep_later(now);
    }

    fn deadline(&mut self, now: Millis) {
        let due = self.next_deadline();
        while let Some(timer) = self.shared.timers.expired(now) {
            match timer {
                Timer::Keep => self.shared.note(Note::Keep),
                Timer::Numbers => {
                    self.shared.keeper.open();
                    self.flush(now);
                }
                Timer::LetGo => self.shared.let_go_in_doubt(),
                timer => self.step(|state, shared| state.timer(shared, now, timer)),
            }
        }
        match &mut self.state {
            State::Online(online) => online.expire(&mut self.shared, now),
            _ => {
                if let Some(mut asleep) = self.shared.asleep.take() {
                    online::expire(&mut asleep.tracker, &mut self.shared, now);
                    self.shared.asleep = Some(asleep);
                }
            }
        }
        // Nobody looks at a page whose timers are held up by the browser. One that is looked at has slept.
        if self.shared.visible && due.is_some_and(|due| now.since(due) > ASLEEP) {
            self.step(|state, shared| state.handle(shared, now, Input::ClockJumped));
        }
    }

    /// What is true in every state.
    fn take_note(&mut self, input: &Input<'_>) {
        let shared = &mut self.shared;
        match *input {
            Input::Loaded { id, value } if shared.memory.late == Some(id) => {
                shared.memory.late = None;
                if shared.memory.recall_late(value.unwrap_or_default()) {
                    shared.remember();
                }
            }
            Input::Loaded { id, value } => shared.leave_tabs(id, value.unwrap_or_default()),
            Input::Locked { id, held } => {
                if let Some((_, name)) = shared.keeper.late.take_if(|(late, _)| *late == id)
                    && held
                {
                    shared.wish(Wish::Unlock { name });
                }
            }
            Input::Stored { id, kept } => {
                shared.let_go(id, kept);
                if let (true, State::Online(online)) = (shared.stored(id, kept), &mut self.state) {
                    online.stored(shared);
                }
            }
            Input::Visible(visible) => {
                shared.visible = visible;
                if !visible {
                    shared.keep_now();
                }
            }
            Input::PageHidden => shared.keep_now(),
            _ => {}
        }
    }

    /// Sends a stanza, or queues it while the connection is being made again.
    ///
    /// # Errors
    /// `offline`, `queue-full`; `invalid-argument` for what XML cannot carry.
    pub fn submit(&mut self, now: Millis, outgoing: Outgoing) -> Result<(), Error> {
        let shared = &mut self.shared;
        match (&mut self.state, shared.status) {
            (State::Online(online), _) => online.submit(shared, now, outgoing)?,
            (State::Recall(_) | State::Discover(_) | State::Negotiate(_) | State::Backoff, Status::Reconnecting) => {
                let asleep = shared.asleep.as_ref();
                let under_way = asleep.map_or(0, |asleep| asleep.ledger.awaited() + asleep.tracker.under_way());
                if !shared.outbox.has_room(under_way) {
                    return Err(outgoing::queue_full());
                }
                let parcel = shared.outbox.parcel(outgoing);
                if parcel.is_message() {
                    shared.keep_before_message(false);
                }
                shared.outbox.waiting.push(parcel);
            }
            _ => return Err(Error::new(Code::Offline, Phase::Session, "the client is not connected")),
        }
        shared.keep_later(now);
        Ok(())
    }

    /// Sends a stanza behind the bind request of a login that isn't through yet (see [`Note::Binding`]). It must give
    /// nothing away: the server may not have proved itself. Where the login fails, nobody is told.
    ///
    /// # Errors
    /// `offline` where no resource is being bound.
    pub fn submit_ahead(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        match &mut self.state {
            State::Negotiate(negotiate) => negotiate.send_ahead(&mut self.shared, outgoing),
            _ => Err(Error::new(Code::Offline, Phase::Session, "no resource is being bound")),
        }
    }

    /// Sends what was queued while there was no connection.
    pub fn flush(&mut self, now: Millis) {
        if let State::Online(online) = &mut self.state {
            online.pump(&mut self.shared, now);
        }
    }

    /// The messages whose session has ended without a word about them, in the order in which they were sent.
    pub fn doubts(&self) -> Vec<Doubt> {
        let doubts = self.shared.outbox.doubts.iter();
        doubts.filter_map(outgoing::Parcel::doubt).collect()
    }

    /// The archive has this message of ours.
    pub fn found(&mut self, doubt: &Doubt, stanza_id: &Element) {
        self.shared.found(doubt, stanza_id);
    }

    /// The archive has been searched: what it would have is sent again, the rest ends with `delivery-unknown`.
    pub fn end_doubts(&mut self, now: Millis, absent: &dyn Fn(&Doubt) -> bool) {
        self.shared.end_doubts(absent);
        self.flush(now);
    }

    /// The number of the last stanza that was to be sent, and up to which of them it is known of every message what has become
    /// of it. The two grow, and nothing else is to be read from them.
    pub fn progress(&self) -> (u64, u64) {
        let ledger = match (&self.state, &self.shared.asleep) {
            (State::Online(online), _) => Some(online.ledger()),
            (_, Some(asleep)) => Some(&asleep.ledger),
            _ => None,
        };
        let under_way = ledger.into_iter().flat_map(ledger::Ledger::iter);
        self.shared.outbox.progress(under_way)
    }

    /// Whether the server has taken a message that its archive should have, in this page or an earlier one.
    pub fn delivered(&self) -> bool {
        self.shared.delivered
    }

    /// Whether a resource was asked for along with a login that came to nothing, since this was asked last: a server that has bound it
    /// has dropped what it kept (XEP-0386 §2.2).
    pub fn unheard(&mut self) -> bool {
        core::mem::take(&mut self.shared.unheard)
    }

    /// What the features would save has changed.
    pub fn changed(&mut self, now: Millis) {
        self.shared.keeper.change();
        self.shared.keep_later(now);
    }

    /// What the server said of the resource, where it was bound along with the authentication (XEP-0386 §2.2).
    /// With it what was enabled along with it, by their namespaces.
    pub fn inline(&self) -> Option<(&Element, &[String])> {
        match &self.state {
            State::Online(online) => online.inline(),
            _ => None,
        }
    }

    /// Whether the server numbers the versions of rosters, as far as its features have said so, now or at the login before.
    pub fn numbers_rosters(&self) -> bool {
        self.shared.memory.roster_ver
    }

    /// Whether the server keeps an archive for the account.
    pub fn learn_of_archive(&mut self, archive: bool) {
        self.shared.memory.learn_of_archive(archive);
        self.shared.remember();
    }

    /// Where the server would like the session to be resumed: a host and a port for TCP (XEP-0198 §5).
    pub fn location(&self) -> Option<&str> {
        match &self.state {
            State::Online(online) => online.location(),
            _ => None,
        }
    }

    /// Breaks off what was begun for a call: it ends with `error`, and what hasn't been sent won't be.
    pub fn cancel(&mut self, ticket: Ticket, error: Error) {
        let token = Token::Call(ticket);
        let shared = &mut self.shared;
        let ended = match shared.outbox.cancel(token) {
            Some((parcel, doubted)) => {
                shared.keeper.settled(&parcel);
                // The question itself may be among those that still wait for their answers.
                if let Some(asleep) = &mut shared.asleep {
                    asleep.tracker.cancel(token);
                }
                if let State::Online(online) = &mut self.state {
                    online.cancel(shared, token, &error);
                }
                let error = if doubted {
                    online::may_be_taken(&error)
                } else {
                    error.clone()
                };
                parcel.outgoing.origin.map(|origin| (origin, error))
            }
            None => match (&mut self.state, shared.asleep.take()) {
                (State::Online(online), _) => online.cancel(shared, token, &error),
                (State::Closing(closing), _) => closing.online.cancel(shared, token, &error),
                (_, Some(mut asleep)) => {
                    let Asleep { tracker, ledger, .. } = &mut *asleep;
                    let ended = online::cancel(tracker, ledger, shared, token, &error);
                    shared.asleep = Some(asleep);
                    ended
                }
                _ => None,
            },
        };
        match ended {
            Some((origin, error)) => self.shared.note(Note::Answered {
                origin,
                result: Err(error),
            }),
            None => self.step(|state, shared| state.cancel(shared, ticket, error)),
        }
    }

    /// The next thing to carry out or to know.
    pub fn poll(&mut self) -> Option<Said> {
        self.shared.said.pop_front()
    }

    /// When [`Input::Deadline`] is due.
    pub fn next_deadline(&self) -> Option<Millis> {
        let asked = match &self.state {
            State::Online(online) => online.next_deadline(),
            _ => {
                let asleep = self.shared.asleep.as_ref();
                asleep.and_then(|asleep| asleep.tracker.next_deadline())
            }
        };
        [self.shared.timers.next(), asked].into_iter().flatten().min()
    }

    /// The bound address, while online.
    pub fn jid(&self) -> Option<&Jid> {
        match &self.state {
            State::Online(online) => Some(online.jid()),
            State::Closing(closing) => Some(closing.online.jid()),
            _ => self.shared.asleep.as_ref().map(|asleep| &asleep.jid),
        }
    }

    /// The account as configured.
    pub fn account(&self) -> &Jid {
        &self.shared.config.account
    }

    /// The connection's state.
    pub fn status(&self) -> Status {
        self.shared.status
    }

    /// Whether the app allows what isn't encrypted also beyond this machine.
    pub fn allows_insecure(&self) -> bool {
        self.shared.config.allow_insecure
    }

    /// Whether nothing is connected, and nothing under way.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.shared.letting_go.is_empty()
    }

    /// How far things have come.
    pub fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// Fresh randomness.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.shared.rng
    }

    /// What to say though nobody needs it.
    pub fn observe(&mut self, observe: Observe) {
        self.shared.observe = observe;
    }

    fn step(&mut self, transition: impl FnOnce(State, &mut Shared) -> State) {
        let state = core::mem::replace(&mut self.state, State::Idle);
        self.state = transition(state, &mut self.shared);
    }
}
