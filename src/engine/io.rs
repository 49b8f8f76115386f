//! What goes into the engine and what comes out of it: facts, calls, wishes and news.

pub use crate::session::discovery::Endpoint;
pub use crate::session::{Fetched, Input, Millis, Observe, Status, Ticket, Wish};

use crate::error::Error;
use crate::im;
use crate::jid::Jid;
use crate::sasl::ScramKeys;
use crate::xml::Element;

/// A call of the app's. Its ticket is settled by exactly one [`Output::Reply`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Command {
    /// Log in: one attempt over all endpoints.
    Connect {
        /// Milliseconds, in place of the configured ones.
        timeout: Option<u64>,
    },
    /// Say which endpoints the account's domain names, and connect to none.
    Discover {
        /// Milliseconds, in place of the configured ones.
        timeout: Option<u64>,
    },
    /// Make an account, which takes no login. It may resolve to what the app is to fill in; [`Command::Fill`] goes on then.
    Register {
        /// Which.
        account: Box<im::register::NewAccount>,
        /// Milliseconds for the server's form and for its last word each, in place of the configured ones.
        timeout: Option<u64>,
    },
    /// Fill in the rest.
    Fill {
        /// With what.
        values: im::register::Values,
        /// Milliseconds, in place of the configured ones.
        timeout: Option<u64>,
    },
    /// Log out (RFC 7395 §3.6). Bounded in time, and never fails.
    Disconnect,
    /// Ask somebody something (RFC 6120 §8.2.3).
    Iq {
        /// What to ask.
        request: IqRequest,
        /// Milliseconds, in place of [`IQ_TIMEOUT`].
        timeout: Option<u64>,
    },
    /// Send a stanza of the app's making, as it is.
    SendElement(Element),
    /// Answer an [`Event::Request`].
    Answer {
        /// Which request.
        request: Ticket,
        /// The payload of a result (or none), or a condition of RFC 6120 §8.3.3 for an error.
        outcome: Result<Option<Element>, &'static str>,
    },
    /// A feature's own call.
    Im {
        /// Which, of which feature.
        command: im::Command,
        /// Milliseconds; without them the feature's own bounds hold.
        timeout: Option<u64>,
    },
}

/// How long an iq waits for its answer when the caller names no time, in milliseconds.
pub const IQ_TIMEOUT: u64 = 30_000;

/// An iq that the app asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IqRequest {
    /// A set, not a get.
    pub set: bool,
    /// To whom; nobody is the own account.
    pub to: Option<Jid>,
    /// What.
    pub payload: Element,
}

/// Requests that the app answers itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// The namespace of the payload.
    pub xmlns: String,
    /// Only sets, or only gets; both where it is `None`.
    pub set: Option<bool>,
}

/// What the engine has to say, to be carried out in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Do what only the edge can do.
    Io(Wish),
    /// Settle a call's promise.
    Reply {
        /// The call's number.
        ticket: Ticket,
        /// What to settle it with.
        result: Result<Reply, Error>,
    },
    /// Tell the listeners.
    Event(Event),
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing.
    Done,
    /// The endpoints of the account's domain, at least one.
    Endpoints(Vec<Endpoint>),
    /// The payload of an iq result, if it had one.
    Payload(Option<Element>),
    /// A feature's own value.
    Im(im::Reply),
}

/// What listeners are told.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The connection's state changed, perhaps because of an error.
    Status(Status, Option<Error>),
    /// Something went wrong that no promise tells of.
    Error(Error),
    /// A login with a password has left these keys behind.
    Credentials(ScramKeys),
    /// The session goes on over a new connection (XEP-0198 §5); nothing in it has been lost.
    Resumed {
        /// It was begun by an earlier page.
        restored: bool,
    },
    /// A stanza came in. Only while observed.
    Stanza(Element),
    /// A frame went in or out, credentials redacted. Only while observed.
    Frame {
        /// In, or out.
        inbound: bool,
        /// The text.
        data: String,
    },
    /// A request that the app said it would answer.
    Request {
        /// To be named in the [`Command::Answer`].
        request: Ticket,
        /// The handler that the app registered for it.
        handler: u32,
        /// The whole iq.
        iq: Element,
    },
    /// A feature's own event.
    Im(im::Event),
}
