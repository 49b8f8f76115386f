//! SASL (RFC 4422) as XMPP profiles it (RFC 6120 §6, XEP-0388): the choice of a mechanism, and one exchange with it.
//!
//! The credentials alone decide which mechanisms are possible; of those the strongest that the server offers
//! wins ([`Mechanism::choose`]). An [`Exchange`] is moved by value from step to step and ends in `Ok` only when the
//! mechanism has given all that it promises: for SCRAM, when the server has proved that it knows the account's key.
//!
//! Left out: security layers (RFC 6120 §6.3.4, TLS has one), and authorization identities but for EXTERNAL.

pub mod derive;
mod exchange;
mod failure;
mod keys;
mod mechanism;
mod oauth;
pub mod prep;
pub mod scram;
mod simple;
mod token;

pub use derive::{Derivation, Hash, KeyRequest, Secret};
pub use exchange::{Exchange, Next, Start};
pub use failure::failure;
pub use keys::ScramKeys;
pub use mechanism::Mechanism;
pub use scram::ChannelBinding;
pub use token::IssuedToken;

use crate::jid::Jid;

/// What the app logs in with.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// The account's password: SCRAM, or PLAIN where the app allows it.
    Password(Secret),
    /// What a login with the password left behind: SCRAM, and no password needed.
    Keys(ScramKeys),
    /// A token of OAuth 2.0 (RFC 7628).
    Token(Secret),
    /// A token of the server's own, from an earlier login (XEP-0484). No app gives one.
    Issued(IssuedToken),
    /// No account at all (RFC 4505).
    Anonymous,
    /// Something outside the stream vouches for the client, such as a cookie (RFC 4422 appendix A).
    External {
        /// The address to act as, where it isn't the one that the server derives.
        authzid: Option<Jid>,
    },
}

/// What the server offers to authenticate by, as its features said it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// The mechanisms, in the server's order (RFC 6120 §6.3.3).
    pub mechanisms: Vec<String>,
    /// The types of channel binding (XEP-0440 1.0.0, 2025-12-08), in the server's order; none where it names none.
    pub bindings: Option<Vec<String>>,
}

/// What a login must not go below.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The app allows PLAIN. It takes [`private`](Self::private) as well.
    pub plain: bool,
    /// The connection is encrypted, or doesn't leave this machine.
    pub private: bool,
    /// The account has logged in by SCRAM or EXTERNAL before ([`Mechanism::pins`]): PLAIN is a downgrade.
    pub pinned: bool,
    /// Bounds on what SCRAM may ask.
    pub scram: scram::Limits,
}
