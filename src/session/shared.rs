//! What outlives a state: what all of them share, and how they say what they have to say.

use super::agent::Agent;
use super::backoff::{Hurries, Wakings};
use super::config::Config;
use super::discovery::Endpoint;
use super::io::{Millis, Note, Origin, Status, Ticket, Wish};
use super::keeper::Keeper;
use super::letting_go::LettingGo;
use super::memory::{self, Memory};
use super::outgoing::Outbox;
use super::redact;
use super::rng::Rng;
use super::sm::Asleep;
use super::timers::{Timer, Timers};
use super::{Observe, Said};
use crate::error::{Code, Error, Phase};
use crate::stream::framing;
use crate::xml::{self, Element};
use std::collections::VecDeque;

/// What outlives a state.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// What an attempt has found, without those that have failed since.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) rng: Rng,
    pub(crate) timers: Timers,
    pub(super) outbox: Outbox,
    pub(crate) memory: Memory,
    pub(crate) keeper: Keeper,
    pub(crate) agent: Agent,
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
    /// Who has asked for the account to be removed (XEP-0077 §3.2).
    pub(crate) removing: Option<Origin>,
    /// The client was in use when its last connection was lost, and isn't to be kept waiting.
    pub(crate) hurry: bool,
    /// How often that still may be.
    pub(crate) hurries: Hurries,
    /// The server has taken a message of a kind that archives keep, in this session or an earlier one.
    pub(crate) delivered: bool,
    /// A resource was asked for along with a login that came to nothing: the server may have bound it, and dropped what it kept.
    pub(crate) unheard: bool,
    /// What was given up, and the store has yet.
    pub(super) letting_go: Vec<LettingGo>,
    /// An attempt was given up, or left by an earlier page, that had asked for a resource or a session already, and may get
    /// it yet.
    pub(crate) ghost: bool,
    /// Whether anybody can see the page.
    pub(crate) visible: bool,
    /// Whether the network was gone before it came back.
    pub(crate) was_offline: bool,
    pub(super) said: VecDeque<Said>,
    generation: u32,
    tickets: u64,
    pub(super) status: Status,
    pub(super) observe: Observe,
}

impl Shared {
    pub(super) fn new(config: Config, seed: [u8; 32]) -> Shared {
        Shared {
            outbox: Outbox::new(config.queue),
            config,
            endpoints: Vec::new(),
            rng: Rng::new(seed),
            timers: Timers::default(),
            memory: Memory::default(),
            keeper: Keeper::default(),
            agent: Agent::default(),
            asleep: None,
            bound: None,
            elsewhere: None,
            failures: 0,
            wakings: Wakings::default(),
            dismissed: false,
            removing: None,
            hurry: false,
            hurries: Hurries::default(),
            delivered: false,
            unheard: false,
            letting_go: Vec::new(),
            ghost: false,
            visible: true,
            was_offline: false,
            said: VecDeque::new(),
            generation: 0,
            tickets: 0,
            status: Status::Offline,
            observe: Observe::default(),
        }
    }

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
                let shown = redact::redacted(element).and_then(|shown| xml::write(&shown).ok());
                self.note(Note::Frame {
                    inbound: false,
                    data: shown.unwrap_or_else(|| frame.clone()),
                });
            }
            self.wish(Wish::Send(frame));
        }
    }

    /// Sends a stanza that is text already.
    pub(crate) fn write_frame(&mut self, frame: String) {
        if self.observe.frames {
            let shown = redact::shown(&frame, &self.config.frame);
            let data = framing::wire(self.config.framing, shown.unwrap_or_else(|| frame.clone()));
            self.note(Note::Frame { inbound: false, data });
        }
        let frame = framing::wire(self.config.framing, frame);
        self.wish(Wish::Send(frame));
    }

    /// Says that a frame came in.
    pub(crate) fn saw(&mut self, frame: &str) {
        if self.observe.frames {
            let shown = redact::shown(frame, &self.config.frame);
            self.note(Note::Frame {
                inbound: true,
                data: shown.unwrap_or_else(|| frame.to_owned()),
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
    pub(crate) fn give_up(&mut self, now: Millis, error: Option<Error>, reason: &Error) {
        self.bury_asleep(reason);
        let mut never = Vec::new();
        for parcel in core::mem::take(&mut self.outbox.doubts) {
            let message = "the connection ended for good before the server had confirmed the message: ";
            let (code, message) = match parcel.unhandled {
                true => (Code::NotDelivered, NEVER_SENT.to_owned()),
                false => (Code::DeliveryUnknown, message.to_owned() + reason.message()),
            };
            let error = Error::new(code, Phase::Stanza, message);
            never.extend(self.finish_or_let_go(parcel, error));
        }
        for parcel in core::mem::take(&mut self.outbox.waiting) {
            // An earlier page's, of whose last second nothing is known.
            let code = match parcel.sent && !parcel.unhandled {
                true => Code::DeliveryUnknown,
                false => Code::NotDelivered,
            };
            let error = never_sent(code);
            never.extend(self.finish_or_let_go(parcel, error));
        }
        let writes = self.forget_kept(&never);
        self.bound = None;
        self.stop(error);
        self.wait_to_let_go(now, writes, never);
    }

    /// The app's own attempt has come to nothing. What an earlier page has left goes back to where it was.
    pub(crate) fn leave(&mut self, error: Option<Error>) {
        self.stop(error);
        self.release_kept();
    }

    /// What asked for the account to be removed has been done, though it may never be answered.
    pub(crate) fn account_is_gone(&mut self) {
        if let Some(origin) = self.removing.take() {
            if let Some(asleep) = &mut self.asleep {
                asleep.tracker.cancel(origin.token);
            }
            self.note(Note::Answered {
                origin,
                result: Ok(None),
            });
        }
    }

    /// Nothing is known of the account any more, neither here nor in the store.
    pub(crate) fn forget_account(&mut self) {
        let loaded = core::mem::take(&mut self.memory).loaded;
        self.memory.loaded = loaded;
        if self.config.storage {
            let key = memory::key(&self.config.account);
            self.store(key, None);
        }
    }

    /// Nothing is under way any more.
    fn stop(&mut self, error: Option<Error>) {
        let letting_go = self.timers.due(Timer::LetGo);
        self.timers = Timers::default();
        if let Some(due) = letting_go {
            self.timers.set(Timer::LetGo, due);
        }
        self.failures = 0;
        self.elsewhere = None;
        self.set_status(Status::Offline, error);
    }
}

/// What is said of that which waited for a connection.
const NEVER_SENT: &str = "the connection ended for good before this could be sent";

pub(super) fn never_sent(code: Code) -> Error {
    Error::new(code, Phase::Session, NEVER_SENT)
}
