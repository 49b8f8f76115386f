//! From a URL to a bound resource: RFC 7395 §3.4, RFC 6120 §4.3, §6, §7.
//!
//! `socket → <open/> → features → SASL → <open/> → features → bind (→ session, RFC 3921 §3) → online`.
//! Nothing that arrives out of this order is believed; in particular a `<success/>` counts only as the end of an
//! exchange that was under way. What leaves may be ahead of it: see `ahead.rs`.

mod ahead;
mod binding;
mod login;

use super::Shared;
use super::attempt::Attempt;
use super::discovery::Endpoint;
use super::io::{Input, Millis, Ticket};
use super::memory::Known;
use super::online::{Begun, Online, Sm};
use super::sm;
use super::state::State;
use super::timers::Timer;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::sasl::{Credentials, Exchange, Mechanism, Offer};
use crate::stream::features::StreamLimits;
use crate::stream::framing::{self, Incoming};
use crate::stream::ns;
use crate::xml::Element;
pub(crate) use ahead::Hurried;
use ahead::{Ahead, is_hasty};

/// How long one endpoint may take while others wait for their turn, in milliseconds.
const ENDPOINT_TIMEOUT: u64 = 10_000;

/// How many stanzas may arrive between the binding and the session of RFC 3921.
const EARLY: usize = 100;

/// How often a login is led elsewhere.
const HOPS: u32 = 5;

/// One endpoint's negotiation.
#[derive(Debug)]
pub(crate) struct Negotiate {
    pub(crate) attempt: Attempt,
    endpoint: Endpoint,
    generation: u32,
    step: Step,
    /// What the server offered to log in by.
    offer: Offer,
    /// What was logged in by.
    mechanism: Option<Mechanism>,
    /// What would have been logged in by, had the offer been waited for.
    better: Option<Mechanism>,
    ahead: Ahead,
    requires_session: bool,
    /// Whether the server offers stream management (XEP-0198), and whether `<enable/>` has left.
    sm: bool,
    enabled: bool,
    /// Whether a resource or a session was asked for, and the answer is still to come.
    binding: bool,
    /// Whether it wants to know if anybody looks (XEP-0352).
    csi: bool,
    stumbles: bool,
    limits: StreamLimits,
}

/// What there is to log in with.
#[derive(Debug)]
pub(crate) enum Given {
    Nothing,
    /// The app has been asked.
    Asked(Ticket),
    Credentials(Credentials),
}

impl Given {
    /// Whether this is the answer that is waited for.
    pub(crate) fn awaits(&self, id: Ticket) -> bool {
        matches!(self, Given::Asked(asked) if *asked == id)
    }
}

/// What is awaited.
#[derive(Debug)]
enum Step {
    /// The socket.
    Socket,
    /// The server's `<open/>`, before or after authentication.
    Open { authenticated: bool },
    /// The server's features.
    Features { authenticated: bool },
    /// The app's credentials.
    Credentials,
    /// The server's next word in the SASL exchange.
    Sasl(Exchange),
    /// A derived key.
    Key { id: Ticket, exchange: Exchange },
    /// The answer to the bind request of this id.
    Bind(String),
    /// The answer to the request to go on with the session that sleeps.
    Resume,
    /// The answer to the session request.
    Session { id: String, jid: Jid, early: Vec<Element> },
}

/// How a step ends.
type Outcome = Result<Progress, Failure>;

enum Progress {
    To(Step),
    /// A resource is bound, and this came in since.
    Bound(Jid, Vec<Element>),
    /// The session that slept goes on.
    Resumed,
    /// Once more, and otherwise.
    Anew,
    /// Something has left too early.
    Again,
    /// The server wants the stream at this URI.
    Elsewhere(String),
}

/// Why a negotiation ends.
struct Failure {
    error: Error,
    /// The stream error to send, where the server is to blame.
    condition: Option<&'static str>,
    /// Whether haste may be the reason, where there was any.
    haste: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure {
            error,
            condition: None,
            haste: false,
        }
    }
}

impl Negotiate {
    pub(crate) fn start(shared: &mut Shared, now: Millis, attempt: Attempt, endpoint: Endpoint) -> State {
        if attempt.is_last() {
            shared.timers.stop(Timer::Endpoint);
        } else {
            shared.timers.set(Timer::Endpoint, now.after(ENDPOINT_TIMEOUT));
        }
        let generation = shared.dial(endpoint.url.clone());
        let mut negotiate = Box::new(Negotiate {
            attempt,
            endpoint,
            generation,
            step: Step::Socket,
            offer: Offer::default(),
            mechanism: None,
            better: None,
            ahead: Ahead::default(),
            requires_session: false,
            sm: false,
            enabled: false,
            binding: false,
            csi: false,
            stumbles: false,
            limits: StreamLimits::default(),
        });
        negotiate.ask_early(shared);
        State::Negotiate(negotiate)
    }

    pub(crate) fn handle(mut self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        let step = core::mem::replace(&mut self.step, Step::Socket);
        let phase = step.phase();
        // The step stays what it was where the fact is none of its business.
        let outcome = match (input, step) {
            (Input::SocketOpen { generation, protocol }, Step::Socket) if generation == self.generation => {
                self.opened(shared, protocol)
            }
            (Input::SocketClosed { generation, .. }, step) if generation == self.generation => {
                return self.closed(shared, now, &step);
            }
            (Input::Frame { generation, data }, step) if generation == self.generation => {
                shared.saw(data);
                match framing::incoming_as(shared.config.framing, data, &shared.config.frame) {
                    Ok(incoming) => self.incoming(shared, incoming, step),
                    Err(error) => {
                        let condition = error.condition();
                        let text = "the server sent a frame that cannot be read: ".to_owned() + error.text();
                        let error = Error::new(Code::ProtocolViolation, phase, text).with_condition(condition);
                        Err(Failure {
                            condition: Some(condition),
                            ..error.into()
                        })
                    }
                }
            }
            (Input::BinaryFrame { generation }, _) if generation == self.generation => Err(violation(
                phase,
                "the server sent a binary message, which XMPP does not have",
                "unsupported-encoding",
            )),
            (Input::Credentials { id, outcome }, step) if self.attempt.given.awaits(id) => match (outcome, step) {
                (Err(error), _) => Err(error.into()),
                (Ok(credentials), step) => {
                    self.attempt.given = Given::Credentials(credentials);
                    match step {
                        Step::Credentials => self.credentials(shared),
                        step => Ok(Progress::To(step)),
                    }
                }
            },
            // A socket that was opened into a dead network stays there for long; one that was open before says nothing. A
            // person at a dialog is left alone.
            (Input::Network { online: true }, step) if shared.was_offline && !matches!(step, Step::Credentials) => {
                match shared.wakings.allow(now) {
                    true => Ok(Progress::Anew),
                    false => Ok(Progress::To(step)),
                }
            }
            (Input::Derived { id, key }, Step::Key { id: asked, exchange }) if id == asked => {
                self.derived(shared, exchange, &key)
            }
            (_, step) => Ok(Progress::To(step)),
        };
        match outcome {
            Ok(Progress::To(step)) => {
                self.step = step;
                self.wait(shared, now);
                State::Negotiate(self)
            }
            Ok(Progress::Bound(jid, early)) => self.online(shared, now, jid, early),
            Ok(Progress::Resumed) => self.resume(shared, now),
            Ok(Progress::Anew) => self.anew(shared, now, phase != Phase::Socket),
            Ok(Progress::Again) => self.again(shared, now, true),
            Ok(Progress::Elsewhere(uri)) => self.go_elsewhere(shared, now, &uri),
            Err(failure) if failure.haste && self.ahead.unanswered => self.again(shared, now, true),
            Err(failure) if self.asks_again(shared, &failure.error) => self.anew(shared, now, true),
            Err(failure) => {
                // Where things stood decides whether the stream can still be closed politely.
                let open = phase != Phase::Socket;
                shared.hang_up(self.generation, open, failure.condition);
                self.failed(shared, now, failure.error)
            }
        }
    }

    fn online(mut self, shared: &mut Shared, now: Millis, jid: Jid, early: Vec<Element>) -> State {
        if self.sm && !self.enabled {
            // Before anything that it is to count.
            shared.write(&sm::enable());
        }
        let sm = if self.sm { Sm::Asked } else { Sm::Off };
        let begun = self.succeed(shared);
        let ahead = self.ahead.stanzas.take().unwrap_or_default();
        let mut online = Online::start(shared, now, begun, jid, sm, ahead);
        if let Some(login) = self.attempt.ticket {
            shared.settle(login, Ok(()));
        }
        for stanza in early {
            online.stanza(shared, now, stanza);
        }
        State::Online(online)
    }

    /// The server has the session yet: what it hasn't taken is sent again.
    fn resume(mut self, shared: &mut Shared, now: Millis) -> State {
        let Some(asleep) = shared.asleep.take() else {
            return self.anew(shared, now, true);
        };
        let begun = self.succeed(shared);
        let online = Online::resume(shared, now, begun, *asleep);
        if let Some(login) = self.attempt.ticket {
            shared.settle(login, Ok(()));
        }
        State::Online(online)
    }

    /// What is remembered of a login that has come to its good end, and what goes on from it.
    fn succeed(&mut self, shared: &mut Shared) -> Begun {
        self.binding = false;
        shared.timers.stop(Timer::Haste);
        let hurried = self.hurried(shared);
        let url = self.endpoint.url.clone();
        let known = shared.memory.of(&url);
        let pipelining = self.ahead.unanswered || known.is_some_and(|known| known.pipelining);
        shared.memory.learn(Known {
            url,
            mechanism: self.better.or(self.mechanism),
            pipelining,
            session: self.requires_session,
            sm: self.sm,
            stumbles: self.stumbles,
        });
        shared.remember();
        Begun {
            endpoint: self.endpoint.clone(),
            generation: self.generation,
            limits: self.limits,
            csi: self.csi,
            hurried,
        }
    }

    /// The endpoint took longer than its share.
    pub(crate) fn too_slow(self, shared: &mut Shared, now: Millis) -> State {
        let phase = self.phase();
        self.out_of_time(shared);
        let error = Error::new(Code::Timeout, phase, "the endpoint did not answer in time");
        self.hang_up(shared, None).next(shared, now, error)
    }

    /// Breaks off on our side.
    pub(crate) fn hang_up(mut self, shared: &mut Shared, condition: Option<&'static str>) -> Attempt {
        self.forget_ahead(shared);
        shared.hang_up(self.generation, self.phase() != Phase::Socket, condition);
        self.attempt
    }

    pub(crate) fn phase(&self) -> Phase {
        self.step.phase()
    }

    /// Another endpoint may do better, unless it was the account that was refused.
    fn failed(mut self, shared: &mut Shared, now: Millis, error: Error) -> State {
        self.forget_ahead(shared);
        match (error.phase(), error.code()) {
            (Phase::Socket | Phase::Stream, _) | (_, Code::Closed) => self.attempt.next(shared, now, error),
            _ => self.attempt.fail(shared, now, error),
        }
    }

    fn closed(self, shared: &mut Shared, now: Millis, step: &Step) -> State {
        if self.ahead.unanswered {
            return self.again(shared, now, false);
        }
        let error = match step {
            Step::Socket => Error::new(
                Code::SocketFailed,
                Phase::Socket,
                "the WebSocket to ".to_owned() + &self.endpoint.url + " could not be opened",
            ),
            step => Error::new(
                Code::Closed,
                step.phase(),
                "the server closed the connection during the login",
            ),
        };
        self.failed(shared, now, error)
    }

    /// Follows the server to where it wants the stream (RFC 7395 §3.6.1).
    fn go_elsewhere(mut self, shared: &mut Shared, now: Millis, uri: &str) -> State {
        self.forget_ahead(shared);
        shared.hang_up(self.generation, true, None);
        self.attempt.hops += 1;
        let config = &shared.config;
        let next = if self.attempt.hops > HOPS {
            let message = "the server leads from one endpoint to the next, and to no login";
            Err(Error::new(Code::ProtocolViolation, Phase::Stream, message))
        } else {
            self.endpoint.redirected(uri, &config.account, config.allow_insecure)
        };
        match next {
            Ok(endpoint) => Negotiate::start(shared, now, self.attempt, endpoint),
            Err(error) => self.failed(shared, now, error),
        }
    }

    fn opened(&mut self, shared: &mut Shared, protocol: &str) -> Outcome {
        // RFC 7395 §3.1: without the subprotocol the client must close the connection.
        if protocol != framing::SUBPROTOCOL {
            let message = "the server opened a WebSocket, but not for XMPP (its subprotocol is not `xmpp`)";
            return Err(Error::new(Code::SubprotocolMissing, Phase::Socket, message).into());
        }
        self.open(shared);
        self.hurry(shared);
        Ok(Progress::To(Step::Open { authenticated: false }))
    }

    /// Sends the stream's header (RFC 7395 §3.4).
    fn open(&self, shared: &mut Shared) {
        let account = &shared.config.account;
        // RFC 6120 §4.7.1: SHOULD, once nobody can listen. An anonymous login has no address yet.
        let from = (self.endpoint.private && account.local().is_some()).then_some(account);
        let header = framing::open(account.domain(), from, shared.config.lang.as_deref());
        shared.write(&header);
    }

    fn incoming(&mut self, shared: &mut Shared, incoming: Incoming, step: Step) -> Outcome {
        let phase = step.phase();
        match (incoming, step) {
            (Incoming::Error(error), _) => Err(Failure {
                haste: is_hasty(&error.condition),
                ..error.into_error(phase).into()
            }),
            (
                Incoming::Close {
                    see_other_uri: Some(uri),
                },
                _,
            ) => Ok(Progress::Elsewhere(uri)),
            (Incoming::Close { .. }, _) => Err(Failure {
                haste: true,
                ..Error::new(Code::Closed, phase, "the server closed the stream during the login").into()
            }),
            (Incoming::Open(open), Step::Open { authenticated }) => {
                if !open.is_xmpp() {
                    // RFC 6120 §4.7.5: something before XMPP 1.0 has no features.
                    return Err(violation(
                        phase,
                        "the server does not speak XMPP 1.0",
                        "unsupported-version",
                    ));
                }
                Ok(Progress::To(Step::Features { authenticated }))
            }
            (Incoming::Nothing, step) => Ok(Progress::To(step)),
            (Incoming::Features(features), Step::Features { authenticated: false }) => {
                let Some(offer) = features.offer else {
                    let message = "the server does not offer authentication on this connection";
                    return Err(Error::new(Code::NoMechanism, Phase::Auth, message).into());
                };
                self.offer = offer;
                match self.ahead.exchange.take() {
                    None => self.credentials(shared),
                    // What it was begun with may have been taken out of the offer since.
                    Some(exchange) if self.offer.names(exchange.mechanism().name()) => {
                        self.look_further(shared);
                        Ok(Progress::To(Step::Sasl(exchange)))
                    }
                    Some(_) => Ok(Progress::Again),
                }
            }
            (Incoming::Features(features), Step::Features { authenticated: true }) => self.bind(shared, &features),
            (Incoming::Element(element), Step::Sasl(exchange)) if element.ns() == ns::SASL => {
                self.sasl(shared, &element, exchange)
            }
            (Incoming::Element(iq), Step::Bind(id)) if binding::answers(&iq, &id) => self.bound(shared, &iq),
            (Incoming::Element(element), Step::Resume) if element.ns() == ns::SM => self.resumed(shared, &element),
            (Incoming::Element(element), Step::Open { .. } | Step::Features { .. } | Step::Bind(_) | Step::Resume)
                if self.refuses_haste(&element) =>
            {
                Ok(Progress::Again)
            }
            (Incoming::Element(element), Step::Session { id, jid, early }) if element.ns() != ns::SASL => {
                Negotiate::before_session(element, id, jid, early)
            }
            (_, step) => Err(violation(
                step.phase(),
                "the server sent something out of order during the login",
                "undefined-condition",
            )),
        }
    }
}

impl Step {
    fn phase(&self) -> Phase {
        match self {
            Step::Socket => Phase::Socket,
            Step::Open { authenticated: false } | Step::Features { authenticated: false } => Phase::Stream,
            Step::Credentials | Step::Sasl(_) | Step::Key { .. } => Phase::Auth,
            Step::Open { authenticated: true }
            | Step::Features { authenticated: true }
            | Step::Bind(_)
            | Step::Resume
            | Step::Session { .. } => Phase::Bind,
        }
    }
}

fn violation(phase: Phase, message: &'static str, condition: &'static str) -> Failure {
    Failure {
        condition: Some(condition),
        ..Error::new(Code::ProtocolViolation, phase, message)
            .with_condition(condition)
            .into()
    }
}
