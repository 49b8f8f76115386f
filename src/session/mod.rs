//! One connection's life, and the next one's: the state machine between the socket and the features.
//!
//! A [`Session`] takes facts ([`Input`]) and requests of the layer above, and says in one ordered queue ([`Said`])
//! what the edge is to do and what the layer above is to know. Its states are moved by value
//! (`session/state.rs`): `Idle → Discover → Negotiate → Online → Closing`, and `Backoff` between a lost connection and
//! the next attempt.

mod attempt;
pub mod backoff;
pub mod config;
pub mod discovery;
mod io;
mod keeper;
mod ledger;
mod memory;
mod negotiate;
mod online;
mod outgoing;
mod recall;
pub mod rng;
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
use crate::stream::framing;
use crate::stream::ns;
use crate::xml::{self, Element};
use backoff::Wakings;
use discovery::Endpoint;
use keeper::Keeper;
use memory::Memory;
use outgoing::Outbox;
use rng::Rng;
use sm::Asleep;
use state::State;
use std::collections::VecDeque;
use timers::{Timer, Timers};

/// What a session has to say, in order.
#[derive(Debug)]
pub enum Said {
    /// To the edge.
    Wish(Wish),
    /// To the layer above.
    Note(Note),
}

/// The connection of one account.
#[derive(Debug)]
pub struct Session {
    shared: Shared,
    state: State,
}

/// What outlives a state.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// What an attempt has found, without those that have failed since.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) rng: Rng,
    pub(crate) timers: Timers,
    outbox: Outbox,
    pub(crate) memory: Memory,
    pub(crate) keeper: Keeper,
    /// The session whose connection is gone.
    pub(crate) asleep: Option<Box<Asleep>>,
    /// The resource that was bound last: asked for again, it ends what the server may still have of that session.
    pub(crate) bound: Option<String>,
    /// Where the server wants the next stream (RFC 7395 §3.6.1).
    pub(crate) elsewhere: Option<Endpoint>,
    /// Failed attempts to come back, in a row.
    pub(crate) failures: u32,
    /// How often something from outside may bring an attempt forward.
    pub(crate) wakings: Wakings,
    /// The server has sent us away, and perhaps all others too.
    pub(crate) dismissed: bool,
    /// Whether anybody can see the page.
    pub(crate) visible: bool,
    /// Whether the network was gone before it came back.
    pub(crate) was_offline: bool,
    said: VecDeque<Said>,
    generation: u32,
    tickets: u64,
    status: Status,
    observe: Observe,
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
            shared: Shared {
                outbox: Outbox::new(config.queue),
                config,
                endpoints: Vec::new(),
                rng: Rng::new(seed),
                timers: Timers::default(),
                memory: Memory::default(),
                keeper: Keeper::default(),
                asleep: None,
                bound: None,
                elsewhere: None,
                failures: 0,
                wakings: Wakings::default(),
                dismissed: false,
                visible: true,
                was_offline: false,
                said: VecDeque::new(),
                generation: 0,
                tickets: 0,
                status: Status::Offline,
                observe: Observe::default(),
            },
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
                self.take_note(&input);
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
            Input::Locked { id, held } => {
                if let Some((_, name)) = shared.keeper.late.take_if(|(late, _)| *late == id)
                    && held
                {
                    shared.wish(Wish::Unlock { name });
                }
            }
            Input::Stored { id, kept } => shared.stored(id, kept),
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
                    shared.keep_before_message();
                }
                shared.outbox.waiting.push_back(parcel);
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
    pub fn found(&mut self, id: &str, stanza_id: &Element) {
        self.shared.found(id, stanza_id);
    }

    /// The archive has been searched: what it would have is sent again, the rest ends with `delivery-unknown`.
    pub fn end_doubts(&mut self, now: Millis, absent: &dyn Fn(&Doubt) -> bool) {
        self.shared.end_doubts(absent);
        self.flush(now);
    }

    /// What the features would save has changed.
    pub fn changed(&mut self, now: Millis) {
        self.shared.keeper.change();
        self.shared.keep_later(now);
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

    /// Whether nothing is connected, and nothing under way.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
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

impl Shared {
    pub(crate) fn wish(&mut self, wish: Wish) {
        self.said.push_back(Said::Wish(wish));
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.said.push_back(Said::Note(note));
    }

    pub(crate) fn settle(&mut self, ticket: Ticket, result: Result<(), Error>) {
        self.note(Note::Settled { ticket, result });
    }

    pub(crate) fn set_status(&mut self, status: Status, error: Option<Error>) {
        if self.status != status {
            self.status = status;
            self.note(Note::Status(status, error));
        }
    }

    /// A number for a wish of ours.
    pub(crate) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Opens a socket; facts about any earlier one are void from here on.
    pub(crate) fn dial(&mut self, url: String) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        self.wish(Wish::Connect { generation, url });
        generation
    }

    /// Keeps what is to be remembered, where that has changed and there is a store.
    pub(crate) fn remember(&mut self) {
        if !self.config.storage {
            return;
        }
        if let Some(record) = self.memory.record() {
            let id = self.ticket();
            let key = memory::key(&self.config.account);
            self.wish(Wish::Store {
                id,
                key,
                value: Some(record),
            });
        }
    }

    /// Sends an element of our own making.
    pub(crate) fn write(&mut self, element: &Element) {
        // What we make ourselves is of text that was checked when it came in: addresses, ids, and the language.
        if let Ok(frame) = xml::write(element) {
            let frame = framing::wire(self.config.framing, frame);
            if self.observe.frames {
                let shown = redacted(element).and_then(|shown| xml::write(&shown).ok());
                self.note(Note::Frame {
                    inbound: false,
                    data: shown.unwrap_or_else(|| frame.clone()),
                });
            }
            self.wish(Wish::Send(frame));
        }
    }

    /// Sends a frame that holds no credentials.
    pub(crate) fn write_frame(&mut self, frame: String) {
        let frame = framing::wire(self.config.framing, frame);
        if self.observe.frames {
            self.note(Note::Frame {
                inbound: false,
                data: frame.clone(),
            });
        }
        self.wish(Wish::Send(frame));
    }

    /// Says that a frame came in.
    pub(crate) fn saw(&mut self, frame: &str) {
        if self.observe.frames {
            // Only a login's frames are read for this, and those of somebody who writes about it.
            let login = frame
                .contains(ns::SASL)
                .then(|| xml::read(frame, &self.config.frame).ok());
            let shown = login.flatten().and_then(|element| redacted(&element));
            self.note(Note::Frame {
                inbound: true,
                data: shown
                    .and_then(|shown| xml::write(&shown).ok())
                    .unwrap_or_else(|| frame.to_owned()),
            });
        }
    }

    /// Says that a stanza came in.
    pub(crate) fn note_seen(&mut self, stanza: &Element) {
        if self.observe.stanzas {
            self.note(Note::Seen(stanza.clone()));
        }
    }

    /// Closes the socket, having said why where the stream is open (RFC 7395 §3.5, §3.6).
    pub(crate) fn hang_up(&mut self, generation: u32, open: bool, condition: Option<&'static str>) {
        if open {
            if let Some(condition) = condition {
                self.write(&crate::stream::stream_error::StreamError::element(condition));
            }
            self.write(&framing::close());
        }
        self.wish(Wish::CloseSocket {
            generation,
            linger: open,
        });
    }

    /// There won't be a connection unless the app asks for one: what waits for it never goes out, and what was under way is
    /// never heard of.
    pub(crate) fn give_up(&mut self, error: Option<Error>, reason: &Error) {
        self.bury_asleep(reason);
        for parcel in core::mem::take(&mut self.outbox.doubts) {
            let message = "the connection ended for good before the server had confirmed the message: ";
            let (code, message) = match parcel.unhandled {
                true => (Code::NotDelivered, NEVER_SENT.to_owned()),
                false => (Code::DeliveryUnknown, message.to_owned() + reason.message()),
            };
            self.finish(parcel, Err(Error::new(code, Phase::Stanza, message)));
        }
        for parcel in core::mem::take(&mut self.outbox.waiting) {
            // An earlier page's, of whose last second nothing is known.
            let code = match parcel.sent && !parcel.unhandled {
                true => Code::DeliveryUnknown,
                false => Code::NotDelivered,
            };
            self.finish(parcel, Err(Error::new(code, Phase::Session, NEVER_SENT)));
        }
        self.forget_kept();
        self.bound = None;
        self.stop(error);
    }

    /// Nothing is under way any more.
    pub(crate) fn stop(&mut self, error: Option<Error>) {
        self.timers = Timers::default();
        self.failures = 0;
        self.elsewhere = None;
        self.set_status(Status::Offline, error);
    }
}

/// What is said of that which waited for a connection.
const NEVER_SENT: &str = "the connection ended for good before this could be sent";

/// How late a timer of a page that is looked at must be for the machine to have slept, in milliseconds.
const ASLEEP: u64 = 3_000;

/// The element without its credentials, where it has any. What the server says of SCRAM is as good as a proof to those who
/// try passwords: its signature can be checked against each.
fn redacted(element: &Element) -> Option<Element> {
    if element.ns() != ns::SASL || !matches!(element.name(), "auth" | "response" | "challenge" | "success") {
        return None;
    }
    let mut shown = Element::new(element.name().to_owned(), ns::SASL);
    if let Some(mechanism) = element.attr("mechanism") {
        shown.set_attr("mechanism", mechanism);
    }
    if !element.text().trim().is_empty() {
        shown = shown.with_text("[redacted]");
    }
    Some(shown)
}
