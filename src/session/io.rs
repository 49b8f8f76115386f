//! What goes into a session and what it wishes for: facts in, wishes out, time beside them.

use super::discovery::Endpoint;
use crate::error::Error;
use crate::sasl::{Credentials, KeyRequest, ScramKeys, Secret};

/// A point in time: milliseconds since an origin of the edge's choice, never running backwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// The point `ms` milliseconds later.
    #[must_use]
    pub fn after(self, ms: u64) -> Millis {
        Millis(self.0.saturating_add(ms))
    }

    /// How many milliseconds have gone by since `earlier`; none where that is still to come.
    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Ties an answer to its question. The edge numbers its calls and the session its wishes, each in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticket(pub u64);

/// A fact that the edge reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The WebSocket is open.
    SocketOpen {
        /// Which socket: the number that [`Wish::Connect`] gave it.
        generation: u32,
        /// The subprotocol that the server chose (`WebSocket.protocol`), empty for none.
        protocol: &'a str,
    },
    /// A text message came in.
    Frame {
        /// Which socket.
        generation: u32,
        /// The message, whole.
        data: &'a str,
    },
    /// A binary message came in, which XMPP never sends (RFC 7395 §3.2).
    BinaryFrame {
        /// Which socket.
        generation: u32,
    },
    /// The WebSocket is closed, or could not be opened.
    SocketClosed {
        /// Which socket.
        generation: u32,
        /// The close code of RFC 6455 §7.4, 1006 for none.
        code: u16,
        /// Whether the closing handshake took place.
        clean: bool,
    },
    /// The end of a [`Wish::Fetch`].
    Fetched {
        /// The wish's number.
        id: Ticket,
        /// What came of it.
        outcome: Fetched<'a>,
    },
    /// The end of a [`Wish::DeriveKey`].
    Derived {
        /// The wish's number.
        id: Ticket,
        /// The salted password.
        key: Secret,
    },
    /// The end of a [`Wish::AskCredentials`].
    Credentials {
        /// The wish's number.
        id: Ticket,
        /// What the app gave, or why it gave nothing.
        outcome: Result<Credentials, Error>,
    },
    /// The end of a [`Wish::Load`].
    Loaded {
        /// The wish's number.
        id: Ticket,
        /// What was kept; none where nothing was, or the store failed.
        value: Option<&'a str>,
    },
    /// The end of a [`Wish::Store`].
    Stored {
        /// The wish's number.
        id: Ticket,
        /// Whether the store took it.
        kept: bool,
    },
    /// The browser says that the network has gone or come back.
    Network {
        /// `navigator.onLine`.
        online: bool,
    },
    /// Whether anybody can see the page. Until the first of these, it counts as seen.
    Visible(bool),
    /// The page has come back from where the browser had put it (`pageshow`, `resume`).
    PageShown,
    /// The page is about to go, perhaps for good (`pagehide`, `freeze`): what is to be kept must be kept now.
    PageHidden,
    /// The clock has jumped: the machine has slept, or the process was stopped.
    ClockJumped,
    /// What a clock on the wall says: once before the first login, and whenever the two clocks have drifted apart since. It is
    /// for those who ask us for the time, and nothing is decided by it.
    WallClock {
        /// Milliseconds since 1970, UTC.
        utc: u64,
        /// By how many minutes the local time is ahead of UTC.
        zone: i32,
    },
    /// The end of a [`Wish::Lock`].
    Locked {
        /// The wish's number.
        id: Ticket,
        /// Whether the lock is held now, or there are no locks on this platform.
        held: bool,
    },
    /// The point that `next_deadline` named has come.
    Deadline,
}

/// What came of a fetch.
#[derive(Debug)]
pub enum Fetched<'a> {
    /// The server answered.
    Response {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: &'a str,
    },
    /// No answer: network or CORS, the browser does not say which.
    Failed,
    /// The body was larger than asked for.
    TooLarge,
}

/// Something that only the edge can do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Wish {
    /// GET this without credentials, following no redirect to `http:`; answer by [`Input::Fetched`].
    Fetch {
        /// The wish's number.
        id: Ticket,
        /// Absolute.
        url: String,
        /// The most bytes of the body that are wanted.
        limit: usize,
    },
    /// Never mind that fetch. Nothing needs to be reported of it.
    CancelFetch {
        /// The wish's number.
        id: Ticket,
    },
    /// Open a WebSocket with the subprotocol `xmpp`. It takes the place of any before it.
    Connect {
        /// The socket's number, to be named in every fact about it.
        generation: u32,
        /// Absolute, `ws:` or `wss:`.
        url: String,
    },
    /// Send this text message on the present socket.
    Send(String),
    /// Close that socket. Nothing further needs to be reported of it.
    CloseSocket {
        /// Which socket.
        generation: u32,
        /// Our `<close/>` is on its way: give the server a moment to answer it, or to close by itself (RFC 7395 §3.6).
        linger: bool,
    },
    /// Derive a key without blocking the page; answer by [`Input::Derived`].
    DeriveKey {
        /// The wish's number.
        id: Ticket,
        /// What to derive.
        request: KeyRequest,
    },
    /// Call the app's `credentials` function; answer by [`Input::Credentials`].
    AskCredentials {
        /// The wish's number.
        id: Ticket,
        /// Why those that it gave before won't do, where it is asked again.
        error: Option<Error>,
    },
    /// Look up what was kept under this key; answer by [`Input::Loaded`]. Wished for only where
    /// [`Config::storage`](super::Config::storage) says that there is a store.
    Load {
        /// The wish's number.
        id: Ticket,
        /// The key.
        key: String,
    },
    /// Keep this under that key, or remove what is there; answer by [`Input::Stored`].
    Store {
        /// The wish's number.
        id: Ticket,
        /// The key.
        key: String,
        /// The value; none removes it.
        value: Option<String>,
    },
    /// Take this lock, which no two clients of an origin hold at once (Web Locks), and hold it until it is given back or the
    /// page is gone; answer by [`Input::Locked`].
    Lock {
        /// The wish's number.
        id: Ticket,
        /// The lock's name.
        name: String,
        /// How long to wait for whoever holds it, in milliseconds: a page that is being reloaded holds on for a moment.
        wait: u64,
    },
    /// Give this lock back.
    Unlock {
        /// The lock's name.
        name: String,
    },
}

/// What a session tells the layer above.
#[derive(Debug)]
#[non_exhaustive]
pub enum Note {
    /// The connection's state changed, perhaps because of an error.
    Status(Status, Option<Error>),
    /// Something went wrong that no call is told of.
    Failed(Error),
    /// A login with a password has left these keys behind: they stand for it from now on.
    Keys(ScramKeys),
    /// A resource is about to be bound: what features would ask and say then may leave now, by
    /// [`Session::submit_ahead`](super::Session::submit_ahead). [`Note::Online`] follows, or [`Note::Offline`].
    Binding,
    /// A resource is bound: stanzas may be sent.
    Online,
    /// The session is over, or won't come about; what was asked in it has been settled, or was asked ahead of it.
    Offline,
    /// The session goes on over a new connection (XEP-0198 §5): nothing in it has been lost, as far as this page knows.
    Resumed {
        /// It was an earlier page's session, of which the features know what they had saved and no more.
        restored: bool,
        /// The server has not got the last that the earlier page sent, and nobody knows what that was.
        lost: bool,
    },
    /// What an earlier page's features had saved.
    Restored(String),
    /// What the features would save is to be handed to [`Session::keep`](super::Session::keep) now.
    Keep,
    /// A message of an earlier page's was taken by the server, or wasn't. Taken with the `<stanza-id/>` of its archive, where
    /// that is known.
    Kept {
        /// The message, as it was sent.
        message: crate::xml::Element,
        /// What has become of it.
        result: Result<Option<crate::xml::Element>, Error>,
    },
    /// A stanza came in that answers nothing.
    Stanza(crate::xml::Element),
    /// A stanza came in, whatever it is. Only while observed.
    Seen(crate::xml::Element),
    /// A `connect`, `register` or `disconnect` has come to its end, or a `discover` has failed.
    Settled {
        /// The call's number.
        ticket: Ticket,
        /// How it ended.
        result: Result<(), Error>,
    },
    /// A `discover` has found something.
    Found {
        /// The call's number.
        ticket: Ticket,
        /// At least one, in the order in which a login would try them.
        endpoints: Vec<Endpoint>,
    },
    /// The server of the account that a `register` is to make says what it wants to know: [`Session::fill`](super::Session::fill)
    /// goes on from there.
    Form {
        /// The call's number.
        ticket: Ticket,
        /// A `<query/>` of XEP-0077.
        query: crate::xml::Element,
    },
    /// An iq was answered, or a message taken by the server (then without a payload).
    Answered {
        /// Who asked.
        origin: Origin,
        /// What came of it: the result's payload, if any.
        result: Result<Option<crate::xml::Element>, Error>,
    },
    /// A frame went in or out, credentials redacted. Only while observed.
    Frame {
        /// In, or out.
        inbound: bool,
        /// The text.
        data: String,
    },
}

/// Who asked, so that the answer finds its way back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The asking feature's place in the list, or [`Origin::APP`].
    pub owner: u8,
    /// What the owner knows the question by.
    pub token: Token,
}

impl Origin {
    /// The owner of what the app asks without a feature.
    pub const APP: u8 = u8::MAX;

    /// The owner of what the app sends as it is, and gets no answer to.
    pub const APP_SENDS: u8 = u8::MAX - 1;
}

/// What the owner of a question knows it by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
    /// It was asked for a call of the app's.
    Call(Ticket),
    /// It was asked on the owner's own account, and this is its number for it.
    Own(u32),
}

/// The state of the connection, as the app sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Status {
    /// No connection, and none is being made.
    Offline,
    /// The first login is under way.
    Connecting,
    /// A resource is bound.
    Online,
    /// The connection may have died, and the server was asked.
    Verifying,
    /// The connection was lost and is being made anew.
    Reconnecting,
}

impl Status {
    /// The status as JavaScript sees it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Offline => "offline",
            Status::Connecting => "connecting",
            Status::Online => "online",
            Status::Verifying => "verifying",
            Status::Reconnecting => "reconnecting",
        }
    }
}
