//! Stanzas on their way out, and those that wait for a connection.

use super::io::{Millis, Origin, Token};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::stream::ns;
use crate::xml::{self, Element};
use std::collections::VecDeque;

/// A stanza ready to be sent.
#[derive(Debug)]
pub struct Outgoing {
    /// Its text.
    pub(super) frame: String,
    /// Who wants to hear of it.
    pub(super) origin: Option<Origin>,
    /// What counts as done.
    pub(super) kind: Kind,
}

/// When a stanza is done with.
#[derive(Debug)]
pub enum Kind {
    /// When it is answered: an iq.
    Ask {
        /// Its id.
        id: String,
        /// Who may answer.
        to: Option<Jid>,
        /// Until when, where somebody else doesn't watch the time.
        deadline: Option<Millis>,
    },
    /// When the server has taken it: a message.
    Deliver {
        /// Its id.
        id: String,
        /// Who may refuse it.
        to: Jid,
    },
    /// When it is sent.
    Send,
}

/// A message of which nobody knows whether the server has taken it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// Its id, which is its origin id too (XEP-0359 §3.2).
    pub id: String,
    /// To whom it went.
    pub to: Jid,
    /// Whether it is of a kind that the account's archive keeps: one with a body, of type `chat` or `normal`
    /// (XEP-0313 §5.1.1 leaves it to the server, and servers agree on these).
    pub archived: bool,
}

impl Outgoing {
    /// Makes a stanza ready.
    ///
    /// # Errors
    /// `invalid-argument` for what XML cannot carry, `too-large` beyond 8 MiB.
    pub fn new(element: &Element, kind: Kind, origin: Option<Origin>) -> Result<Outgoing, Error> {
        let frame = xml::write(element).map_err(|error| {
            let code = match error {
                xml::WriteError::Length => Code::TooLarge,
                _ => Code::InvalidArgument,
            };
            Error::new(
                code,
                Phase::Stanza,
                "the stanza cannot be sent: ".to_owned() + error.text(),
            )
        })?;
        Ok(Outgoing { frame, origin, kind })
    }

    /// An iq with a question.
    ///
    /// # Errors
    /// As [`Outgoing::new`].
    pub fn ask(
        id: String,
        set: bool,
        to: Option<Jid>,
        payload: Element,
        deadline: Option<Millis>,
        origin: Origin,
    ) -> Result<Outgoing, Error> {
        let iq = Element::new("iq", ns::CLIENT)
            .with_attr("type", if set { "set" } else { "get" })
            .with_attr("id", id.as_str())
            .with_opt_attr("to", to.as_ref().map(Jid::as_str))
            .with_child(payload);
        Outgoing::new(&iq, Kind::Ask { id, to, deadline }, Some(origin))
    }
}

/// What waits while there is no connection, in order, and no more of it than allowed.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<Outgoing>,
    bound: usize,
}

impl Outbox {
    pub(super) fn new(bound: usize) -> Outbox {
        Outbox {
            waiting: VecDeque::new(),
            bound,
        }
    }

    pub(super) fn push(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        if self.waiting.len() >= self.bound {
            return Err(queue_full());
        }
        self.waiting.push_back(outgoing);
        Ok(())
    }

    /// Puts back in front what came from here, or would have come after it.
    pub(super) fn put_back(&mut self, mut held: VecDeque<Outgoing>) {
        held.append(&mut self.waiting);
        self.waiting = held;
    }

    pub(super) fn drain(&mut self) -> VecDeque<Outgoing> {
        core::mem::take(&mut self.waiting)
    }

    /// Takes out what waits for a call.
    pub(super) fn cancel(&mut self, token: Token) -> Option<Origin> {
        let waits = |outgoing: &Outgoing| outgoing.origin.is_some_and(|origin| origin.token == token);
        let place = self.waiting.iter().position(waits)?;
        self.waiting.remove(place)?.origin
    }
}

pub(super) fn queue_full() -> Error {
    Error::new(
        Code::QueueFull,
        Phase::Session,
        "too many stanzas are waiting for the server already",
    )
}
