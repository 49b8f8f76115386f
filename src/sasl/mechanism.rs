//! The mechanisms, and the choice among them: RFC 6120 §6.3.3 (March 2011), with the rules of XEP-0440 (1.0.0,
//! 2025-12-08) for channel binding and of XEP-0474 (0.5.0, 2025-10-25) for PLAIN.

#[cfg(test)]
mod tests;

use super::derive::Hash;
use super::exchange::bounded;
use super::{ChannelBinding, Credentials, Offer, Policy};
use crate::error::{Code, Error, Phase};

/// How much of the server's list an error repeats, in bytes.
const MAX_LIST: usize = 300;

/// A mechanism that this library speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    /// RFC 5802, bound to the connection's own encryption: it can't be relayed.
    ScramPlus(Hash),
    /// RFC 5802, RFC 7677.
    Scram(Hash),
    /// RFC 4616.
    Plain,
    /// RFC 7628.
    OauthBearer,
    /// RFC 4505.
    Anonymous,
    /// RFC 4422 appendix A.
    External,
    /// A token of the server's own (XEP-0484 §3.4), without channel binding. It is in a list of its own, and so never chosen
    /// from a server's list of mechanisms.
    HashedToken(Hash),
}

/// Strongest first within one kind of credentials. Channel binding comes before the hash: it ends an attack that is under
/// way, where a better hash makes dearer what an attacker does at home afterwards.
const ALL: [Mechanism; 10] = [
    Mechanism::ScramPlus(Hash::Sha512),
    Mechanism::ScramPlus(Hash::Sha256),
    Mechanism::ScramPlus(Hash::Sha1),
    Mechanism::Scram(Hash::Sha512),
    Mechanism::Scram(Hash::Sha256),
    Mechanism::Scram(Hash::Sha1),
    Mechanism::Plain,
    Mechanism::OauthBearer,
    Mechanism::Anonymous,
    Mechanism::External,
];

/// The same for tokens.
const HASHED: [Mechanism; 2] = [
    Mechanism::HashedToken(Hash::Sha512),
    Mechanism::HashedToken(Hash::Sha256),
];

impl Mechanism {
    /// The name in the IANA registry.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::ScramPlus(Hash::Sha512) => "SCRAM-SHA-512-PLUS",
            Mechanism::ScramPlus(Hash::Sha256) => "SCRAM-SHA-256-PLUS",
            Mechanism::ScramPlus(Hash::Sha1) => "SCRAM-SHA-1-PLUS",
            Mechanism::Scram(hash) => hash.mechanism(),
            Mechanism::Plain => "PLAIN",
            Mechanism::OauthBearer => "OAUTHBEARER",
            Mechanism::Anonymous => "ANONYMOUS",
            Mechanism::External => "EXTERNAL",
            Mechanism::HashedToken(Hash::Sha512) => "HT-SHA-512-NONE",
            Mechanism::HashedToken(_) => "HT-SHA-256-NONE",
        }
    }

    /// The mechanism of that name.
    pub fn from_name(name: &str) -> Option<Mechanism> {
        ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// The mechanisms that a server takes its own tokens by (XEP-0484 §3.1), of those with these names; the strongest first.
    pub fn for_tokens(names: &[String]) -> Vec<Mechanism> {
        let offered = |mechanism: &Mechanism| names.iter().any(|name| name == mechanism.name());
        HASHED.into_iter().filter(offered).collect()
    }

    /// Whether the server proves in it that it knows the account's key: SCRAM.
    pub fn proves(self) -> bool {
        matches!(self, Mechanism::ScramPlus(_) | Mechanism::Scram(_))
    }

    /// Whether a login by it shows that the account needs no PLAIN, which is refused from then on (XEP-0474 §7).
    pub fn pins(self) -> bool {
        self.proves() || self == Mechanism::External
    }

    /// Whether it is one that these credentials can be used with.
    pub fn fits(self, credentials: &Credentials) -> bool {
        match (self, credentials) {
            (Mechanism::ScramPlus(hash) | Mechanism::Scram(hash), Credentials::Keys(keys)) => keys.hash == hash,
            (Mechanism::ScramPlus(_) | Mechanism::Scram(_) | Mechanism::Plain, Credentials::Password(_))
            | (Mechanism::OauthBearer, Credentials::Token(_))
            | (Mechanism::Anonymous, Credentials::Anonymous)
            | (Mechanism::External, Credentials::External { .. }) => true,
            (mechanism, Credentials::Issued(token)) => mechanism == token.mechanism,
            _ => false,
        }
    }

    /// The strongest mechanism that these credentials can be used with and that the server offers.
    ///
    /// # Errors
    /// `no-mechanism` where there is none; `downgrade` where it would be PLAIN, and the account has done better, and where
    /// the offer contradicts itself.
    pub fn choose(
        credentials: &Credentials,
        offer: &Offer,
        policy: Policy,
        binding: Option<&ChannelBinding>,
    ) -> Result<Mechanism, Error> {
        // XEP-0440 §3, rule 5: where types of channel binding are offered and no mechanism to use them with, somebody has
        // taken it away. A client that can't bind would not have used it (rule 2).
        if binding.is_some()
            && matches!(credentials, Credentials::Password(_) | Credentials::Keys(_))
            && offer.bindings.is_some()
            && !offer.plus()
        {
            return Err(Error::new(
                Code::Downgrade,
                Phase::Auth,
                "the server offers to bind the login to the connection, and no mechanism for it",
            ));
        }
        let binds = binding.is_some_and(|binding| offer.takes(&binding.name));
        ALL.into_iter()
            .filter(|mechanism| mechanism.fits(credentials) && mechanism.may_run(policy))
            .filter(|mechanism| binds || !matches!(mechanism, Mechanism::ScramPlus(_)))
            .find(|mechanism| offer.names(mechanism.name()))
            .ok_or_else(|| nothing(credentials, offer, policy))
            .and_then(|mechanism| mechanism.unless_pinned(policy))
    }

    /// Whether the policy lets it run at all.
    pub(super) fn may_run(self, policy: Policy) -> bool {
        match self {
            Mechanism::Plain => policy.plain && policy.private,
            // RFC 6750 §5.3: over TLS alone. Who has the token can log in; XEP-0484 §7: and so can who has heard its hash.
            Mechanism::OauthBearer | Mechanism::HashedToken(_) => policy.private,
            _ => true,
        }
    }

    /// XEP-0474 §7: clients MUST NOT fall back to PLAIN once they have used SCRAM or EXTERNAL.
    pub(super) fn unless_pinned(self, policy: Policy) -> Result<Mechanism, Error> {
        if self != Mechanism::Plain || !policy.pinned {
            return Ok(self);
        }
        Err(Error::new(
            Code::Downgrade,
            Phase::Auth,
            "the server wants the password itself (PLAIN), without which this account has logged in before",
        )
        .with_hint(
            "Somebody may be between you and the server. If its operator says that the server has changed, clear what is \
             stored for the account.",
        ))
    }
}

impl Offer {
    /// Whether the mechanism is offered.
    pub fn names(&self, mechanism: &str) -> bool {
        self.mechanisms.iter().any(|name| name == mechanism)
    }

    /// Whether the type of channel binding is one that the server takes. One that lists none says nothing of it.
    fn takes(&self, binding: &str) -> bool {
        self.bindings
            .as_ref()
            .is_none_or(|types| types.iter().any(|name| name == binding))
    }

    /// Whether a mechanism with channel binding is offered.
    pub(super) fn plus(&self) -> bool {
        ALL.into_iter()
            .any(|mechanism| matches!(mechanism, Mechanism::ScramPlus(_)) && self.names(mechanism.name()))
    }
}

fn nothing(credentials: &Credentials, offer: &Offer, policy: Policy) -> Error {
    if offer.mechanisms.is_empty() {
        let message = "the server offers no way to log in";
        return Error::new(Code::NoMechanism, Phase::Auth, message).with_hint("Ask the server's operator.");
    }
    if matches!(credentials, Credentials::Keys(_)) && offer.mechanisms.iter().any(|name| name.starts_with("SCRAM-")) {
        let message = "the server no longer offers the mechanism that the keys were made for";
        return Error::new(Code::KeysOutdated, Phase::Auth, message);
    }
    let list = offer.mechanisms.join(", ");
    let message = "the server offers no way to log in that these credentials allow (it offers: ";
    let message = [message, bounded(&list, MAX_LIST), ")"].concat();
    let error = Error::new(Code::NoMechanism, Phase::Auth, message);
    match credentials {
        Credentials::Password(_) | Credentials::Token(_) if !policy.private => error.with_hint(
            "Neither passwords nor tokens are sent as they are on an unencrypted connection. Use a `wss:` endpoint.",
        ),
        Credentials::Password(_) if !policy.plain && offer.names("PLAIN") => error
            .with_hint("The server takes the password itself alone (PLAIN). Where you trust it, pass `allowPlain`."),
        _ => error,
    }
}
