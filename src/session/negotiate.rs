//! From a URL to a bound resource: RFC 7395 §3.4, RFC 6120 §4.3, §6, §7.
//!
//! `socket → <open/> → features → SASL → <open/> → features → bind (→ session, RFC 3921 §3) → online`.
//! Nothing that arrives out of this order is believed; in particular a `<success/>` counts only as the end of an
//! exchange that was under way.

use super::Shared;
use super::config::CredentialSource;
use super::discovery::Endpoint;
use super::io::{Input, Millis, Ticket, Wish};
use super::online::Online;
use super::state::{Attempt, State};
use super::timers::Timer;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::sasl::{self, Credentials, Exchange, Mechanism, Next, Policy, Secret};
use crate::stanza::StanzaError;
use crate::stream::features::Features;
use crate::stream::framing::{self, Incoming};
use crate::stream::ns;
use crate::xml::Element;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How long one endpoint may take while others wait for their turn, in milliseconds.
const ENDPOINT_TIMEOUT: u64 = 10_000;

/// How many stanzas may arrive between the binding and the session of RFC 3921.
const EARLY: usize = 100;

/// One endpoint's negotiation.
#[derive(Debug)]
pub(crate) struct Negotiate {
    pub(crate) attempt: Attempt,
    endpoint: Endpoint,
    generation: u32,
    step: Step,
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
    Credentials { id: Ticket, features: Features },
    /// The server's next word in the SASL exchange.
    Sasl(Exchange),
    /// A derived key.
    Key { id: Ticket, exchange: Exchange },
    /// The answer to the bind request.
    Bind { id: String, session: bool },
    /// The answer to the session request.
    Session { id: String, jid: Jid, early: Vec<Element> },
}

/// How a step ends.
type Outcome = Result<Progress, Failure>;

enum Progress {
    To(Step),
    /// A resource is bound, and this came in since.
    Bound(Jid, Vec<Element>),
}

/// Why a negotiation ends.
struct Failure {
    error: Error,
    /// The stream error to send, where the server is to blame.
    condition: Option<&'static str>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, condition: None }
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
        State::Negotiate(Box::new(Negotiate {
            attempt,
            endpoint,
            generation,
            step: Step::Socket,
        }))
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
                match framing::incoming(data, &shared.config.frame) {
                    Ok(incoming) => self.incoming(shared, incoming, step),
                    Err(error) => {
                        let condition = error.condition();
                        let text = "the server sent a frame that cannot be read: ".to_owned() + error.text();
                        let error = Error::new(Code::ProtocolViolation, phase, text).with_condition(condition);
                        Err(Failure {
                            error,
                            condition: Some(condition),
                        })
                    }
                }
            }
            (Input::BinaryFrame { generation }, _) if generation == self.generation => Err(violation(
                phase,
                "the server sent a binary message, which XMPP does not have",
                "unsupported-encoding",
            )),
            (Input::Credentials { id, outcome }, Step::Credentials { id: asked, features }) if id == asked => outcome
                .map_err(Failure::from)
                .and_then(|credentials| self.authenticate(shared, &features, credentials)),
            (Input::Derived { id, key }, Step::Key { id: asked, exchange }) if id == asked => {
                derived(shared, exchange, &key)
            }
            (_, step) => Ok(Progress::To(step)),
        };
        match outcome {
            Ok(Progress::To(step)) => {
                self.step = step;
                State::Negotiate(self)
            }
            Ok(Progress::Bound(jid, early)) => {
                let mut online = Online::start(shared, now, self.generation, jid, self.attempt.ticket);
                for stanza in early {
                    online.stanza(shared, now, stanza);
                }
                State::Online(online)
            }
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
        let error = Error::new(Code::Timeout, self.phase(), "the endpoint did not answer in time");
        self.hang_up(shared, None).next(shared, now, error)
    }

    /// Breaks off on our side.
    pub(crate) fn hang_up(self, shared: &mut Shared, condition: Option<&'static str>) -> Attempt {
        shared.hang_up(self.generation, self.phase() != Phase::Socket, condition);
        self.attempt
    }

    pub(crate) fn phase(&self) -> Phase {
        self.step.phase()
    }

    /// Another endpoint may do better, unless it was the account that was refused.
    fn failed(self, shared: &mut Shared, now: Millis, error: Error) -> State {
        match error.phase() {
            Phase::Socket | Phase::Stream => self.attempt.next(shared, now, error),
            _ => self.attempt.fail(shared, now, error),
        }
    }

    fn closed(self, shared: &mut Shared, now: Millis, step: &Step) -> State {
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

    fn opened(&self, shared: &mut Shared, protocol: &str) -> Outcome {
        // RFC 7395 §3.1: without the subprotocol the client must close the connection.
        if protocol != framing::SUBPROTOCOL {
            let message = "the server opened a WebSocket, but not for XMPP (its subprotocol is not `xmpp`)";
            return Err(Error::new(Code::SubprotocolMissing, Phase::Socket, message).into());
        }
        Ok(Progress::To(self.open(shared, false)))
    }

    fn open(&self, shared: &mut Shared, authenticated: bool) -> Step {
        let header = framing::open(shared.config.account.domain(), shared.config.lang.as_deref());
        shared.write(&header);
        Step::Open { authenticated }
    }

    fn incoming(&self, shared: &mut Shared, incoming: Incoming, step: Step) -> Outcome {
        let phase = step.phase();
        match (incoming, step) {
            (Incoming::Error(error), _) => Err(error.into_error(phase).into()),
            (Incoming::Close, _) => {
                Err(Error::new(Code::Closed, phase, "the server closed the stream during the login").into())
            }
            (Incoming::Open(open), Step::Open { authenticated }) => {
                // RFC 6120 §4.7.5: without a version the server speaks something before XMPP 1.0, without features.
                match open.version.as_deref().and_then(|version| version.split('.').next()) {
                    None | Some("0") => Err(violation(
                        phase,
                        "the server does not speak XMPP 1.0",
                        "unsupported-version",
                    )),
                    Some(_) => Ok(Progress::To(Step::Features { authenticated })),
                }
            }
            (Incoming::Features(features), Step::Features { authenticated: false }) => {
                self.credentials(shared, features)
            }
            (Incoming::Features(features), Step::Features { authenticated: true }) => bind(shared, &features),
            (Incoming::Element(element), Step::Sasl(exchange)) if element.ns() == ns::SASL => {
                self.sasl(shared, &element, exchange)
            }
            (Incoming::Element(iq), Step::Bind { id, session }) if answers(&iq, &id) => bound(shared, &iq, session),
            (Incoming::Element(element), Step::Session { id, jid, mut early }) => {
                if !answers(&element, &id) {
                    if early.len() >= EARLY {
                        let message = "the server sends and sends, and does not grant the session";
                        return Err(violation(Phase::Bind, message, "policy-violation"));
                    }
                    // The resource is bound: others may reach it before the session is granted.
                    early.push(element);
                    return Ok(Progress::To(Step::Session { id, jid, early }));
                }
                match StanzaError::of(&element) {
                    Some(error) => Err(bind_error(error).into()),
                    None => Ok(Progress::Bound(jid, early)),
                }
            }
            (_, step) => Err(violation(
                step.phase(),
                "the server sent something out of order during the login",
                "undefined-condition",
            )),
        }
    }

    fn credentials(&self, shared: &mut Shared, features: Features) -> Outcome {
        match &shared.config.credentials {
            CredentialSource::Fixed(credentials) => {
                let credentials = credentials.clone();
                self.authenticate(shared, &features, credentials)
            }
            CredentialSource::Ask => {
                let id = shared.ticket();
                shared.wish(Wish::AskCredentials { id, error: None });
                // A person at a dialog is not the endpoint's slowness.
                shared.timers.stop(Timer::Endpoint);
                Ok(Progress::To(Step::Credentials { id, features }))
            }
        }
    }

    fn authenticate(&self, shared: &mut Shared, features: &Features, credentials: Credentials) -> Outcome {
        let policy = Policy {
            plain: shared.config.allow_plain && self.endpoint.private,
            scram: shared.config.scram,
        };
        let Some(offered) = &features.mechanisms else {
            let message = "the server does not offer authentication on this connection";
            return Err(Error::new(Code::NoMechanism, Phase::Auth, message).into());
        };
        let mechanism = Mechanism::choose(&credentials, offered, policy)?;
        let nonce = shared.rng.id();
        let (exchange, initial) = Exchange::start(mechanism, credentials, &shared.config.account, nonce, policy)?;
        let auth = Element::new("auth", ns::SASL)
            .with_attr("mechanism", mechanism.name())
            // RFC 6120 §6.4.2: "=" is an initial response of no bytes.
            .with_text(if initial.is_empty() {
                "=".to_owned()
            } else {
                STANDARD.encode(initial)
            });
        shared.write(&auth);
        Ok(Progress::To(Step::Sasl(exchange)))
    }

    fn sasl(&self, shared: &mut Shared, element: &Element, exchange: Exchange) -> Outcome {
        match element.name() {
            "challenge" => {
                let (exchange, next) = exchange.challenge(&decoded(element)?.unwrap_or_default())?;
                match next {
                    Next::Respond(data) => {
                        respond(shared, data);
                        Ok(Progress::To(Step::Sasl(exchange)))
                    }
                    Next::Derive(request) => {
                        let id = shared.ticket();
                        shared.wish(Wish::DeriveKey { id, request });
                        // By its challenge the endpoint has shown that it is alive, and the rest is ours.
                        shared.timers.stop(Timer::Endpoint);
                        Ok(Progress::To(Step::Key { id, exchange }))
                    }
                }
            }
            "success" => {
                exchange.success(decoded(element)?.as_deref())?;
                // RFC 6120 §6.4.6, RFC 7395 §3.7: the stream begins anew.
                Ok(Progress::To(self.open(shared, true)))
            }
            "failure" => {
                let condition = element.children().find(|child| child.name() != "text");
                let text = element.child_text("text", ns::SASL);
                Err(sasl::failure(condition.map_or("not-authorized", Element::name), text).into())
            }
            _ => Err(violation(
                Phase::Auth,
                "the server sent something out of order during the authentication",
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
            Step::Credentials { .. } | Step::Sasl(_) | Step::Key { .. } => Phase::Auth,
            Step::Open { authenticated: true }
            | Step::Features { authenticated: true }
            | Step::Bind { .. }
            | Step::Session { .. } => Phase::Bind,
        }
    }
}

fn violation(phase: Phase, message: &'static str, condition: &'static str) -> Failure {
    Failure {
        error: Error::new(Code::ProtocolViolation, phase, message).with_condition(condition),
        condition: Some(condition),
    }
}

fn derived(shared: &mut Shared, exchange: Exchange, key: &Secret) -> Outcome {
    let (exchange, data) = exchange.derived(key)?;
    respond(shared, data);
    Ok(Progress::To(Step::Sasl(exchange)))
}

fn respond(shared: &mut Shared, data: Vec<u8>) {
    shared.write(&Element::new("response", ns::SASL).with_text(STANDARD.encode(data)));
}

/// The bytes that a SASL element carries; none where it is empty (RFC 6120 §6.4.2).
fn decoded(element: &Element) -> Result<Option<Vec<u8>>, Failure> {
    match element.text().trim() {
        "" => Ok(None),
        "=" => Ok(Some(Vec::new())),
        text => match STANDARD.decode(text) {
            Ok(data) => Ok(Some(data)),
            Err(_) => Err(violation(
                Phase::Auth,
                "the server sent SASL data that is no base64",
                "invalid-xml",
            )),
        },
    }
}

fn bind(shared: &mut Shared, features: &Features) -> Outcome {
    if !features.bind {
        return Err(violation(
            Phase::Bind,
            "the server does not offer to bind a resource",
            "undefined-condition",
        ));
    }
    let resource = shared.config.resource.clone();
    let payload = Element::new("bind", ns::BIND)
        .with_opt_child(resource.map(|resource| Element::new("resource", ns::BIND).with_text(resource)));
    let id = ask(shared, payload);
    Ok(Progress::To(Step::Bind {
        id,
        session: features.session,
    }))
}

/// Sends an iq to the server during the negotiation.
fn ask(shared: &mut Shared, payload: Element) -> String {
    let id = shared.rng.id();
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("type", "set")
        .with_attr("id", id.as_str())
        .with_child(payload);
    shared.write(&iq);
    id
}

/// Whether this is the server's answer to the iq that we sent it. Before a resource is bound, nobody else can reach us.
fn answers(iq: &Element, id: &str) -> bool {
    iq.is("iq", ns::CLIENT) && iq.attr("id") == Some(id) && matches!(iq.attr("type"), Some("result" | "error"))
}

fn bound(shared: &mut Shared, iq: &Element, session: bool) -> Outcome {
    if let Some(error) = StanzaError::of(iq) {
        return Err(bind_error(error).into());
    }
    let jid = iq
        .child("bind", ns::BIND)
        .and_then(|bind| bind.child_text("jid", ns::BIND))
        .and_then(|text| Jid::parse(text.trim()).ok())
        .filter(Jid::is_full);
    let Some(jid) = jid else {
        let message = "the server bound something that is no full JID";
        return Err(Error::new(Code::BindFailed, Phase::Bind, message).into());
    };
    // RFC 6120 §7.1: what is bound is a resource of the account that was authenticated. Only an anonymous login learns
    // its address here. A domain in its ASCII form may come back in its Unicode form.
    let account = &shared.config.account;
    let domain_fits = jid.domain() == account.domain() || account.domain().contains("xn--");
    if !domain_fits || (account.local().is_some() && jid.local() != account.local()) {
        let message = "the server bound the address of another account: ".to_owned() + jid.as_str();
        return Err(Error::new(Code::BindFailed, Phase::Bind, message).into());
    }
    if !session {
        return Ok(Progress::Bound(jid, Vec::new()));
    }
    let id = ask(shared, Element::new("session", ns::SESSION));
    let early = Vec::new();
    Ok(Progress::To(Step::Session { id, jid, early }))
}

fn bind_error(error: StanzaError) -> Error {
    let code = match error.condition.as_ref() {
        "conflict" => Code::Conflict,
        _ => Code::BindFailed,
    };
    let message = "the server refused to bind a resource: ".to_owned() + &error.condition;
    Error::new(code, Phase::Bind, message)
        .with_retryable(error.kind == "wait")
        .with_condition(error.condition)
        .with_text(error.text)
}
