//! Stanzas on their way out, and those that wait for a connection.

use super::io::{Millis, Origin, Token};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::stream::ns;
use crate::xml::{self, Element};

/// A stanza ready to be sent.
#[derive(Debug)]
pub struct Outgoing {
    /// Its text.
    pub(super) frame: String,
    /// Who wants to hear of it.
    pub(super) origin: Option<Origin>,
    /// What counts as done.
    pub(super) kind: Kind,
    /// Whether nobody may read it on its way.
    pub(super) private: bool,
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
        /// Whether the account's archive keeps its kind.
        archived: bool,
    },
    /// When it is sent.
    Send,
}

/// A message of which nobody knows whether the server has taken it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// Its id, which is its origin id too (XEP-0359 §2.2).
    pub id: String,
    /// To whom it went.
    pub to: Jid,
    /// Whether it is of a kind that the account's archive keeps: one with a body, of type `chat` or `normal`
    /// (XEP-0313 §6.1.1 leaves it to the server, and servers agree on these), unless it says itself that it isn't to be kept
    /// (XEP-0334 §4), or that its body is none (XEP-0428 §3).
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
        Ok(Outgoing {
            frame,
            origin,
            kind,
            private: false,
        })
    }

    /// The same, which only leaves where a password may: over an encrypted connection, or within this machine.
    #[must_use]
    pub fn in_private(self) -> Outgoing {
        Outgoing { private: true, ..self }
    }

    /// A message, done with when the server has taken it.
    ///
    /// # Errors
    /// As [`Outgoing::new`].
    pub fn message(message: &Element, id: String, to: Jid, origin: Origin) -> Result<Outgoing, Error> {
        let archived = archived(message);
        Outgoing::new(message, Kind::Deliver { id, to, archived }, Some(origin))
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

const FALLBACK: &str = "urn:xmpp:fallback:0";

/// Whether an account's archive keeps a message of this kind (see [`Doubt::archived`]).
pub(super) fn archived(message: &Element) -> bool {
    let hint = |name| message.child(name, "urn:xmpp:hints").is_some();
    let whole = |child: &Element| child.attr("start").is_none();
    let fallback = message.children().any(|child| {
        child.is("fallback", FALLBACK)
            && child
                .child("body", FALLBACK)
                .map_or(child.children().next().is_none(), whole)
    });
    matches!(message.attr("type"), None | Some("chat" | "normal"))
        && message.child("body", ns::CLIENT).is_some()
        && !hint("no-store")
        && !hint("no-permanent-store")
        && (!fallback || hint("store"))
}

/// A stanza from the call that asked for it to its end.
#[derive(Debug)]
pub(crate) struct Parcel {
    /// Its place among all that were ever submitted.
    pub(super) serial: u64,
    pub(super) outgoing: Outgoing,
    /// Whether it has been sent before.
    pub(super) sent: bool,
    /// The server has said that it has not handled it.
    pub(super) unhandled: bool,
    /// At how many stream errors it was under way.
    pub(super) strikes: u8,
    /// The segment of the store that it is kept in.
    pub(super) segment: Option<u32>,
}

impl Parcel {
    pub(super) fn new(serial: u64, outgoing: Outgoing) -> Parcel {
        Parcel {
            serial,
            outgoing,
            sent: false,
            unhandled: false,
            strikes: 0,
            segment: None,
        }
    }

    /// What keeps a place in the count, and is nothing else.
    pub(super) fn void() -> Parcel {
        Parcel::new(
            0,
            Outgoing {
                frame: String::new(),
                origin: None,
                kind: Kind::Send,
                private: false,
            },
        )
    }

    /// Whether there is nothing in it.
    pub(super) fn is_void(&self) -> bool {
        self.outgoing.frame.is_empty()
    }

    pub(super) fn is_for(&self, token: Token) -> bool {
        self.outgoing.origin.is_some_and(|origin| origin.token == token)
    }

    /// What is to be known of it where nobody knows whether the server has it.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        match &self.outgoing.kind {
            Kind::Deliver { id, to, archived } => Some(Doubt {
                id: id.clone(),
                to: to.clone(),
                archived: *archived,
            }),
            _ => None,
        }
    }
}

/// What isn't under way on a session, in order, and no more of it than allowed.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Messages of an ended session, of which nobody knows yet whether the server has them. They come before what waits.
    pub(super) doubts: Vec<Parcel>,
    /// What is to be sent.
    pub(super) waiting: Vec<Parcel>,
    serial: u64,
    bound: usize,
}

impl Outbox {
    pub(super) fn new(bound: usize) -> Outbox {
        Outbox {
            doubts: Vec::new(),
            waiting: Vec::new(),
            serial: 0,
            bound,
        }
    }

    /// Gives a stanza its place.
    pub(super) fn parcel(&mut self, outgoing: Outgoing) -> Parcel {
        self.serial += 1;
        Parcel::new(self.serial, outgoing)
    }

    /// What was restored has its places already.
    pub(super) fn after(&mut self, serial: u64) {
        self.serial = self.serial.max(serial);
    }

    /// The number of the last stanza, and up to which of them no message is open: neither here nor among those `under_way`.
    pub(super) fn progress<'a>(&'a self, under_way: impl Iterator<Item = &'a Parcel>) -> (u64, u64) {
        let first = |parcel: Option<&Parcel>| parcel.map_or(u64::MAX, |parcel| parcel.serial.saturating_sub(1));
        let open = [
            first(under_way.into_iter().find(|parcel| parcel.is_message())),
            first(self.doubts.first()),
            first(self.waiting.iter().find(|parcel| parcel.is_message())),
        ];
        let settled = open.into_iter().fold(self.serial, u64::min);
        (self.serial, settled)
    }

    /// Whether there is room for one more, beside those that are under way.
    pub(super) fn has_room(&self, under_way: usize) -> bool {
        self.doubts.len() + self.waiting.len() + under_way < self.bound
    }

    /// Puts in front what was under way.
    pub(super) fn put_back(&mut self, mut salvaged: Vec<Parcel>) {
        salvaged.append(&mut self.waiting);
        self.waiting = salvaged;
    }

    /// Puts each message behind the last one that was submitted before it.
    pub(super) fn put_among(&mut self, messages: Vec<Parcel>) {
        for message in messages {
            let before = |other: &Parcel| other.is_message() && other.serial < message.serial;
            let place = self.waiting.iter().rposition(before).map_or(0, |place| place + 1);
            self.waiting.insert(place, message);
        }
    }

    /// Takes out what waits for a call, and whether it may have been taken by the server.
    pub(super) fn cancel(&mut self, token: Token) -> Option<(Parcel, bool)> {
        let place = |queue: &[Parcel]| queue.iter().position(|parcel| parcel.is_for(token));
        if let Some(place) = place(&self.doubts) {
            return Some((self.doubts.remove(place), true));
        }
        Some((self.waiting.remove(place(&self.waiting)?), false))
    }
}

pub(super) fn queue_full() -> Error {
    Error::new(
        Code::QueueFull,
        Phase::Session,
        "too many stanzas are waiting for the server already",
    )
}
