//! One error type for everything that can go wrong, from a refused socket to a bounced message.
//!
//! An [`Error`] answers the questions an app has, in this order: what happened ([`Error::message`]), where
//! ([`Phase`]), which of the known kinds it is ([`Code`], stable across versions), whether trying again can
//! help ([`Error::retryable`]), and what a person could do about it ([`Error::hint`]). Where the peer gave a
//! reason, its XMPP condition (RFC 6120 §4.9.3, §6.5, §8.3.3) and its text are kept as they came.

use crate::xml::Element;
use core::fmt;
use std::borrow::Cow;

/// The kinds of failure. The strings of [`Code::as_str`] are part of the public API and never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Code {
    /// Host-meta could not be asked: no network, no such host, or a CORS refusal.
    DiscoveryNetwork,
    /// Host-meta answered with an HTTP status that is no success.
    DiscoveryHttp,
    /// Host-meta answered with something that is no XRD.
    DiscoveryParse,
    /// Host-meta answered, but names no WebSocket endpoint that may be used.
    DiscoveryNoLink,
    /// The only way on is unencrypted, and that was not allowed.
    Insecure,
    /// The WebSocket could not be opened.
    SocketFailed,
    /// The server accepted the WebSocket without the subprotocol `xmpp` (RFC 7395 §3.1).
    SubprotocolMissing,
    /// The server broke the rules of the protocol.
    ProtocolViolation,
    /// The server ended the stream with an error (RFC 6120 §4.9).
    StreamError,
    /// The connection was closed without a reason.
    Closed,
    /// The credentials were refused (RFC 6120 §6.5).
    NotAuthorized,
    /// The server offers no mechanism that the credentials can be used with.
    NoMechanism,
    /// The server did not prove that it knows the account's key (RFC 5802 §3).
    ServerSignature,
    /// The server offers less security than it must, or less than before.
    Downgrade,
    /// The keys that the app kept no longer fit: the server has changed the account's salt or iteration count.
    KeysOutdated,
    /// No resource could be bound (RFC 6120 §7).
    BindFailed,
    /// Another session took this one's place (RFC 6120 §4.9.3.3).
    Conflict,
    /// The other side answered a stanza with an error (RFC 6120 §8.3).
    StanzaError,
    /// There is no registering here, but somewhere else: on the web, mostly (XEP-0077 §5).
    RegistrationElsewhere,
    /// There is no connection, and none is being made.
    Offline,
    /// The message has certainly not been taken by the server.
    NotDelivered,
    /// Nobody can tell whether the server has taken the message.
    DeliveryUnknown,
    /// Too many stanzas wait for the connection already.
    QueueFull,
    /// The stanza is larger than may be sent.
    TooLarge,
    /// It took longer than allowed.
    Timeout,
    /// The app aborted it.
    Aborted,
    /// Not an XMPP address (RFC 7622).
    InvalidJid,
    /// The app passed something that cannot be used.
    InvalidArgument,
    /// The call does not fit the client's present state.
    InvalidState,
    /// The app's store has failed.
    StorageFailed,
    /// A fault of this library.
    Internal,
}

impl Code {
    /// The code as JavaScript sees it.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Whether trying the same again later can succeed.
    fn retryable(self) -> bool {
        self.row().1
    }

    /// The advice that goes with an error of this kind where none more precise is given.
    fn hint(self) -> &'static str {
        self.row().2
    }

    /// Name, worth a retry, advice.
    fn row(self) -> (&'static str, bool, &'static str) {
        match self {
            Code::DiscoveryNetwork => (
                "discovery-network",
                true,
                "Check the domain's spelling and the network. The server must send `Access-Control-Allow-Origin` \
                 with its host-meta; where it has none, pass `url`.",
            ),
            Code::DiscoveryHttp => (
                "discovery-http",
                false,
                "The domain publishes no host-meta (XEP-0156). If you know its WebSocket address, pass `url`.",
            ),
            Code::DiscoveryParse => (
                "discovery-parse",
                false,
                "The domain's host-meta is no such document (RFC 6415). If you know its WebSocket address, pass `url`.",
            ),
            Code::DiscoveryNoLink => (
                "discovery-no-link",
                false,
                "The domain offers no secure WebSocket. If you know one, pass `url`.",
            ),
            Code::Insecure => (
                "insecure",
                false,
                "Use `wss:` and `https:`. For a test server beyond this machine there is `allowInsecure`.",
            ),
            Code::SocketFailed => (
                "socket-failed",
                true,
                "The browser tells no reason: the address may be wrong, the certificate invalid, the server down, or what \
                 answers may not speak XMPP (no subprotocol `xmpp`).",
            ),
            Code::SubprotocolMissing => (
                "subprotocol-missing",
                false,
                "What answered is a WebSocket server, but it does not speak XMPP. Check the address.",
            ),
            Code::ProtocolViolation => (
                "protocol-violation",
                false,
                "This is the server's fault, or that of something between you and it.",
            ),
            Code::StreamError => (
                "stream-error",
                true,
                "The condition says why the server ended the stream.",
            ),
            Code::Closed => (
                "closed",
                true,
                "Try again. If it stays so, the server's log may say why.",
            ),
            Code::NotAuthorized => ("not-authorized", false, "Check the address and the password."),
            Code::NoMechanism => (
                "no-mechanism",
                false,
                "The server asks for another kind of credentials.",
            ),
            Code::ServerSignature => (
                "server-signature",
                false,
                "This may not be the server it claims to be. Do not send it anything.",
            ),
            Code::Downgrade => (
                "downgrade",
                false,
                "Somebody may be between you and the server. Do not send it anything.",
            ),
            Code::KeysOutdated => (
                "keys-outdated",
                false,
                "The password may have been changed. Log in with the password, and keep the new `scramKeys`.",
            ),
            Code::BindFailed => ("bind-failed", false, "Leave `resource` out to let the server choose."),
            Code::Conflict => (
                "conflict",
                false,
                "Another session logged in under the same resource. Leave `resource` out to let the server choose.",
            ),
            Code::StanzaError => ("stanza-error", false, "The condition says why it was refused."),
            Code::RegistrationElsewhere => (
                "registration-elsewhere",
                false,
                "Show the `url`, where there is one, and the `text`: they say where it is done.",
            ),
            Code::Offline => ("offline", false, "Call `connect()` first."),
            Code::NotDelivered => ("not-delivered", true, "It can be sent again without doubling it."),
            Code::DeliveryUnknown => (
                "delivery-unknown",
                false,
                "The connection was lost before the server confirmed. Sending again may deliver twice.",
            ),
            Code::QueueFull => (
                "queue-full",
                true,
                "Wait for earlier calls to settle before making more.",
            ),
            Code::TooLarge => ("too-large", false, "Send less at once."),
            Code::Timeout => ("timeout", true, "Try again, or allow more time by `timeout`."),
            Code::Aborted => ("aborted", false, "The `cause` is the signal's reason."),
            Code::InvalidJid => (
                "invalid-jid",
                false,
                "An address looks like `user@example.org` or `user@example.org/resource`.",
            ),
            Code::InvalidArgument => ("invalid-argument", false, "The message names what to correct."),
            Code::InvalidState => (
                "invalid-state",
                false,
                "Look at `status`; `disconnect()` first to log in anew.",
            ),
            Code::StorageFailed => (
                "storage-failed",
                false,
                "The session goes on. After a reload of the page it begins anew, and messages that were under way are not heard of.",
            ),
            Code::Internal => ("internal", false, "This is a fault of stanzawire. Please report it."),
        }
    }
}

/// How far things had come when it happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Looking for the endpoint.
    Discovery,
    /// Opening the WebSocket.
    Socket,
    /// The stream itself: its opening, features, end.
    Stream,
    /// Authentication.
    Auth,
    /// Resource binding.
    Bind,
    /// The session as a whole: its state, its login as seen from the app.
    Session,
    /// One stanza, and the answer to it.
    Stanza,
}

impl Phase {
    /// The phase as JavaScript sees it.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Discovery => "discovery",
            Phase::Socket => "socket",
            Phase::Stream => "stream",
            Phase::Auth => "auth",
            Phase::Bind => "bind",
            Phase::Session => "session",
            Phase::Stanza => "stanza",
        }
    }
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(Box<Fields>);

/// Boxed, so that a `Result` costs a pointer where it is handed on.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Fields {
    code: Code,
    phase: Phase,
    retryable: bool,
    message: Cow<'static, str>,
    condition: Option<Cow<'static, str>>,
    text: Option<String>,
    url: Option<String>,
    hint: &'static str,
    specific: Option<Element>,
    max_size: Option<u64>,
    retry_at: Option<String>,
}

impl Error {
    /// An error of this kind, in this phase, that `message` explains to a person.
    pub fn new(code: Code, phase: Phase, message: impl Into<Cow<'static, str>>) -> Self {
        Error::make(code, phase, message.into())
    }

    #[inline(never)]
    fn make(code: Code, phase: Phase, message: Cow<'static, str>) -> Self {
        Error(Box::new(Fields {
            code,
            phase,
            retryable: code.retryable(),
            message,
            condition: None,
            text: None,
            url: None,
            hint: code.hint(),
            specific: None,
            max_size: None,
            retry_at: None,
        }))
    }

    /// Adds the XMPP condition that the peer gave.
    #[must_use]
    pub fn with_condition(mut self, condition: impl Into<Cow<'static, str>>) -> Self {
        self.0.condition = Some(condition.into());
        self
    }

    /// Adds the text that the peer gave.
    #[must_use]
    pub fn with_text(mut self, text: Option<String>) -> Self {
        self.0.text = text;
        self
    }

    /// Adds what an application says beside the condition (RFC 6120 §8.3.4).
    #[must_use]
    pub fn with_specific(mut self, specific: Option<Element>) -> Self {
        self.0.specific = specific;
        self
    }

    /// Adds how large it might have been, in bytes.
    #[must_use]
    pub fn with_max_size(mut self, max_size: Option<u64>) -> Self {
        self.0.max_size = max_size;
        self
    }

    /// Adds when a retry can help, as XEP-0082 writes it.
    #[must_use]
    pub fn with_retry_at(mut self, retry_at: Option<String>) -> Self {
        self.0.retry_at = retry_at;
        self
    }

    /// Adds the address on the web that the peer gave.
    #[must_use]
    pub fn with_url(mut self, url: Option<String>) -> Self {
        self.0.url = url;
        self
    }

    /// Replaces the advice.
    #[must_use]
    pub fn with_hint(mut self, hint: &'static str) -> Self {
        self.0.hint = hint;
        self
    }

    /// Says whether a retry can help, where the code alone does not decide it.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Says when it happened, where only the caller knows.
    #[must_use]
    pub fn in_phase(mut self, phase: Phase) -> Self {
        self.0.phase = phase;
        self
    }

    /// Which of the known kinds it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// How far things had come.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// Whether trying the same again later can succeed.
    pub fn retryable(&self) -> bool {
        self.0.retryable
    }

    /// One sentence for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The XMPP condition that the peer gave, such as `not-authorized`.
    pub fn condition(&self) -> Option<&str> {
        self.0.condition.as_deref()
    }

    /// The text that the peer gave. It is not ours: show it as a quotation.
    pub fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// What an application says beside the condition (RFC 6120 §8.3.4).
    pub fn specific(&self) -> Option<&Element> {
        self.0.specific.as_ref()
    }

    /// How large it might have been, in bytes, where the peer has said so.
    pub fn max_size(&self) -> Option<u64> {
        self.0.max_size
    }

    /// From when on a retry can help, as XEP-0082 writes it, where the peer has said so.
    pub fn retry_at(&self) -> Option<&str> {
        self.0.retry_at.as_deref()
    }

    /// Where to go on, on the web: `http:` or `https:`. It is the peer's, and not ours.
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// What a person could do about it.
    pub fn hint(&self) -> &'static str {
        self.0.hint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
