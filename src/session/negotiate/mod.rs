//! From a URL to a bound resource: RFC 7395 §3.4, RFC 6120 §4.3, §6, §7.
//!
//! `socket → <open/> → features → SASL → <open/> → features → bind (→ session, RFC 3921 §3) → online`.
//! Nothing that arrives out of this order is believed; in particular a `<success/>` counts only as the end of an
//! exchange that was under way. What leaves may be ahead of it: see `ahead.rs`.

mod ahead;
mod begun;
mod binding;
mod login;
mod register;
mod sasl2;

use super::Shared;
use super::attempt::{Attempt, Goal};
use super::discovery::Endpoint;
use super::io::{Input, Millis, Ticket};
use super::state::State;
use super::timers::Timer;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::sasl::{Credentials, Exchange, Mechanism, Offer};
use crate::stream::features::{Features, StreamLimits};
use crate::stream::framing::{self, Incoming};
use crate::stream::ns;
use crate::xml::Element;
pub(crate) use ahead::Hurried;
use ahead::{Ahead, is_hasty};
use register::Registering;
use sasl2::{Along, Bound};

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
    /// What the server offered before the login.
    offered: Features,
    /// What of it there is to log in by: the list of the profile that is used.
    offer: Offer,
    /// What was asked for along with the authentication, where that is by the profile that allows it.
    along: Option<Along>,
    /// What came of it, where a resource was bound, and whether the features behind it are still to come.
    bound: Option<Bound>,
    features_to_come: bool,
    /// A token was tried.
    refused_token: bool,
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
    /// A resource is bound, and the features are still to say whether there is stream management.
    Bound { jid: Jid, early: Vec<Element> },
    /// The answer to the bind request of this id.
    Bind(String),
    /// The answer to the request to go on with the session that sleeps.
    Resume,
    /// What the server says to somebody who wants to have an account.
    Register(Registering),
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
    /// The account is there.
    Registered,
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
            offered: Features::default(),
            offer: Offer::default(),
            along: None,
            bound: None,
            features_to_come: false,
            refused_token: false,
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
        if negotiate.attempt.goal == Goal::Login {
            negotiate.ask_early(shared);
        }
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
            (Input::Network { online: true }, step)
                if shared.was_offline && !matches!(step, Step::Credentials | Step::Register(_)) =>
            {
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
            Ok(Progress::Registered) => {
                shared.hang_up(self.generation, true, None);
                self.attempt.succeed(shared)
            }
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
        if self.ahead.unanswered && self.along.is_none() {
            return self.again(shared, now, false);
        }
        if self.ahead.unanswered && !matches!(step, Step::Sasl(_)) {
            // A connection may be lost at any moment. Who hangs up on the same words twice doesn't want them.
            shared.memory.cut = !shared.memory.cut;
            return match shared.memory.cut {
                true => self.anew(shared, now, false),
                false => self.again(shared, now, false),
            };
        }
        let error = match step {
            Step::Socket => Error::new(
                Code::SocketFailed,
                Phase::Socket,
                "the WebSocket to ".to_owned() + &self.endpoint.url + " could not be opened",
            ),
            Step::Register(step) => step.closed(),
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
        if self.attempt.goal == Goal::Login {
            self.hurry(shared);
        }
        Ok(Progress::To(Step::Open { authenticated: false }))
    }

    /// Sends the stream's header (RFC 7395 §3.4).
    fn open(&self, shared: &mut Shared) {
        let account = &shared.config.account;
        // RFC 6120 §4.7.1: SHOULD, once nobody can listen. An anonymous login has no address yet, and neither has who is to have one.
        let known = account.local().is_some() && self.attempt.goal == Goal::Login;
        let from = (self.endpoint.private && known).then_some(account);
        let header = framing::open(account.domain(), from, shared.config.lang.as_deref());
        shared.write(&header);
    }

    fn incoming(&mut self, shared: &mut Shared, incoming: Incoming, step: Step) -> Outcome {
        let phase = step.phase();
        match (incoming, step) {
            (Incoming::Error(error), Step::Register(step)) => Err(step.explain(error.into_error(phase)).into()),
            // What was filled in there is for nobody else.
            (Incoming::Close { .. }, Step::Register(step @ (Registering::Form | Registering::Told(_)))) => {
                Err(step.closed().into())
            }
            (Incoming::Close { see_other_uri: None }, Step::Register(step)) => Err(step.closed().into()),
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
            (Incoming::Features(_), Step::Features { authenticated: false }) if self.attempt.goal == Goal::Account => {
                self.ask_to_register(shared)
            }
            (Incoming::Element(element), Step::Register(step)) => self.registering(shared, &element, step),
            (Incoming::Features(features), Step::Features { authenticated: false }) => self.features(shared, features),
            (Incoming::Features(features), Step::Bound { jid, early }) => {
                self.take_features(shared, &features);
                Ok(Progress::Bound(jid, early))
            }
            (Incoming::Features(features), Step::Features { authenticated: true }) => self.bind(shared, &features),
            (Incoming::Element(element), Step::Sasl(exchange)) if element.ns() == self.profile() => {
                self.sasl(shared, &element, exchange)
            }
            (Incoming::Element(element), Step::Bound { jid, early }) if element.ns() != ns::SASL2 => {
                let early = binding::early(early, element)?;
                Ok(Progress::To(Step::Bound { jid, early }))
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
            Step::Register(_) => Phase::Stanza,
            Step::Open { authenticated: true }
            | Step::Features { authenticated: true }
            | Step::Bound { .. }
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
