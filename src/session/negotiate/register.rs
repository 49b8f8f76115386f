//! Making the account in the place of logging in to it, XEP-0077 2.4 (25 January 2012), §3.1.1.
//!
//! `socket → <open/> → features → what is to be known? → it is filled in → the account is there`, and the stream ends: a login
//! begins another. What is asked and filled in is an element that those above read and write. Whether the server announces
//! that it takes any account (§6) makes no difference: over WebSocket few do.

use super::{Negotiate, Outcome, Progress, Step, binding, violation};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::session::Shared;
use crate::session::io::{Millis, Note, Ticket};
use crate::session::outgoing::{Kind, Outgoing};
use crate::session::state::State;
use crate::session::timers::Timer;
use crate::stanza::StanzaError;
use crate::stream::ns;
use crate::xml::Element;

/// How far it has come.
#[derive(Debug)]
pub(super) enum Registering {
    /// The server was asked what it wants to know: the question's id.
    Asked(String),
    /// That is being filled in.
    Form,
    /// The server was told: the id of that.
    Told(String),
}

/// What is said of a server that doesn't even answer.
const STRANGERS: &str = "The server may let nobody make an account this way. Its web page may say how it is done.";

impl Negotiate {
    /// The features are there: asks what is to be known of the account.
    pub(super) fn ask_to_register(&mut self, shared: &mut Shared) -> Outcome {
        // §9: the password is going to be sent as it is.
        if !self.endpoint.private {
            let message = "the server leads to an endpoint that isn't its own, where no password is sent";
            return Err(Error::new(Code::Insecure, Phase::Stream, message).into());
        }
        let id = shared.rng.id();
        let question = iq(shared, "get", &id, Element::new("query", ns::REGISTER));
        shared.write(&question);
        Ok(Progress::To(Step::Register(Registering::Asked(id))))
    }

    /// Something comes in while an account is made.
    pub(super) fn registering(&mut self, shared: &mut Shared, element: &Element, step: Registering) -> Outcome {
        let id = match &step {
            Registering::Asked(id) | Registering::Told(id) => id.as_str(),
            Registering::Form => "",
        };
        // Nobody is logged in, and nobody but the server can be there.
        let domain = shared.config.account.domain_jid();
        let from = element.attr("from").map(Jid::parse);
        let by_server = from.is_none_or(|from| from.is_ok_and(|from| from == domain));
        if !binding::answers(element, id) || !by_server {
            let message = "the server sent something out of order while the account was made";
            return Err(violation(Phase::Stanza, message, "undefined-condition"));
        }
        if let Some(error) = StanzaError::of(element) {
            return Err(refused(error).into());
        }
        if let Registering::Told(_) = step {
            return Ok(Progress::Registered);
        }
        let Some(query) = element.child("query", ns::REGISTER) else {
            let message = "the server doesn't say what it wants to know of a new account";
            return Err(Error::new(Code::ProtocolViolation, Phase::Stanza, message).into());
        };
        // Whoever fills that in does it for this server, and takes the time that it takes.
        self.attempt.stay();
        shared.timers.stop(Timer::Attempt);
        shared.timers.stop(Timer::Endpoint);
        if let Some(ticket) = self.attempt.ticket {
            let query = query.clone();
            shared.note(Note::Form { ticket, query });
        }
        Ok(Progress::To(Step::Register(Registering::Form)))
    }

    /// It is filled in. From here on the account belongs to that call.
    pub(crate) fn fill(
        mut self: Box<Self>,
        shared: &mut Shared,
        now: Millis,
        ticket: Ticket,
        timeout: Option<u64>,
        query: Element,
    ) -> State {
        let id = shared.rng.id();
        let request = Outgoing::new(&iq(shared, "set", &id, query), Kind::Send, None);
        let request = match self.step {
            Step::Register(Registering::Form) => request,
            _ => {
                let message = "there is nothing to be filled in";
                Err(Error::new(Code::InvalidState, Phase::Session, message))
            }
        };
        match request {
            Ok(request) => {
                let timeout = timeout.unwrap_or(shared.config.timeout);
                shared.timers.set(Timer::Attempt, now.after(timeout));
                self.attempt.ticket = Some(ticket);
                self.step = Step::Register(Registering::Told(id));
                shared.write_frame(request.frame);
            }
            Err(error) => shared.settle(ticket, Err(error)),
        }
        State::Negotiate(self)
    }
}

impl Registering {
    /// The server has closed the connection instead of answering.
    pub(super) fn closed(&self) -> Error {
        match self {
            Registering::Told(_) => {
                let message = "the connection ended before the server said whether the account is there";
                Error::new(Code::Closed, Phase::Stanza, message)
                    .with_hint("Try to log in: the account may be there. Otherwise try again.")
            }
            _ => {
                let message = "the server closed the connection when an account was to be made";
                Error::new(Code::Closed, Phase::Stanza, message).with_hint(STRANGERS)
            }
        }
    }

    /// A stream error in the place of an answer.
    pub(super) fn explain(&self, error: Error) -> Error {
        match self {
            Registering::Asked(_) if error.condition() == Some("not-authorized") => error.with_hint(STRANGERS),
            _ => error,
        }
    }
}

/// What the server says, and what a person can do about it (§3.1).
fn refused(error: StanzaError) -> Error {
    let hint = match error.condition.as_str() {
        "conflict" => "Somebody has that name: choose another.",
        "not-acceptable" | "bad-request" => {
            "Something that the server wants is missing, or it doesn't like it, such as a password that is too weak. `text` may say what."
        }
        "jid-malformed" => "That can't be a name at this server: choose another.",
        "resource-constraint" | "policy-violation" => {
            "The server takes only so many new accounts at a time: wait, and try again."
        }
        "forbidden" | "not-allowed" | "not-authorized" | "feature-not-implemented" | "service-unavailable" => STRANGERS,
        _ => return error.into_error("the server made no account"),
    };
    error.into_error("the server made no account").with_hint(hint)
}

/// A question to the server, of somebody who has no address yet.
fn iq(shared: &Shared, kind: &'static str, id: &str, payload: Element) -> Element {
    Element::new("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr("id", id)
        .with_attr("to", shared.config.account.domain())
        .with_child(payload)
}
