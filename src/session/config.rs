//! What a session is told once, when it is made.

use super::backoff::ReconnectPolicy;
use crate::jid::Jid;
use crate::sasl::{Credentials, scram};
use crate::stream::framing::Framing;
use crate::xml;

/// The session's part of the app's options.
#[derive(Clone, Debug)]
pub struct Config {
    /// The account: a bare JID, or a bare domain for an anonymous login.
    pub account: Jid,
    /// What to log in with.
    pub credentials: CredentialSource,
    /// The endpoint, where it isn't to be discovered.
    pub url: Option<String>,
    /// The origin to ask for host-meta in place of `https://DOMAIN`.
    pub host_meta: Option<String>,
    /// The resource to ask for (RFC 6120 §7.7); without one the server chooses.
    pub resource: Option<String>,
    /// How long a login may take, all endpoints together, in milliseconds.
    pub timeout: u64,
    /// How to come back after a loss; `None` not at all.
    pub reconnect: Option<ReconnectPolicy>,
    /// Whether `ws:` and `http:` may be used beyond loopback.
    pub allow_insecure: bool,
    /// Whether PLAIN may be used over `wss:` or loopback.
    pub allow_plain: bool,
    /// The language of the stream (RFC 6120 §4.7.4).
    pub lang: Option<String>,
    /// Bounds on what the server may send in a frame.
    pub frame: xml::Limits,
    /// Bounds on what SCRAM may ask for.
    pub scram: scram::Limits,
    /// How stanzas are framed.
    pub framing: Framing,
    /// Whether there is a store that outlives the client.
    pub storage: bool,
    /// Whether a token that the server issues for the next login may be kept in that store (XEP-0484). It is as good as a
    /// password.
    pub keep_token: bool,
    /// What features want enabled along with a resource (XEP-0386 §2.2): an element's name and namespace.
    pub inline: Vec<(&'static str, &'static str)>,
    /// How many stanzas may wait for a connection or a confirmation at once.
    pub queue: usize,
    /// How long the server may be silent, while somebody can see the page, before it is asked whether it is there; in
    /// milliseconds.
    pub silence: u64,
    /// Where a session's counters begin (XEP-0198 §4): with 0, unless a test's server begins there as well, so that it sees them
    /// wrap.
    #[doc(hidden)]
    pub counters: u32,
}

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum CredentialSource {
    /// They are known.
    Fixed(Credentials),
    /// The app is asked each time.
    Ask,
    /// There are none: only a token from an earlier login will do.
    None,
}

impl Config {
    /// The usual settings for an account.
    pub fn new(account: Jid, credentials: CredentialSource) -> Config {
        Config {
            account,
            credentials,
            url: None,
            host_meta: None,
            resource: None,
            timeout: 30_000,
            reconnect: Some(ReconnectPolicy::default()),
            allow_insecure: false,
            allow_plain: false,
            lang: None,
            frame: xml::Limits::default(),
            scram: scram::Limits::default(),
            framing: Framing::default(),
            storage: false,
            keep_token: false,
            inline: Vec::new(),
            queue: 10_000,
            silence: 3_000,
            counters: 0,
        }
    }
}
