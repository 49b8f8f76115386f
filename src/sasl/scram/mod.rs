//! SCRAM, the client's side: RFC 5802 (July 2010) with the requirements of RFC 7677 (November 2015), for the SASL
//! exchange of RFC 6120 §6 (March 2011), which carries these messages in base64.
//!
//! Each state is moved into the next, so that an exchange out of order does not compile:
//!
//! ```text
//! ClientFirst ── challenge(server-first) ─▶ AwaitingKey ── derived(salted password) ─▶ AwaitingFinal ── verify(server-final) ─▶ Verified
//!    │ message()            │                  │ request()                                ▲   │ message()
//!                           └───────────────────── the keys are there already ───────────┘
//! ```
//!
//! The machine has no clock and no randomness, and does not derive the key: see [`derive`](super::derive). Only
//! [`Verified`] says that the login has taken place: the server has then shown that it knows the user's keys.
//! A `<success/>` without a server-final-message counts for nothing.
//!
//! Left out: authorization identities, and SASLprep (name and password come prepared).

mod binding;
mod downgrade;
mod error;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use self::binding::{Binding, ChannelBinding};
pub use self::error::ScramError;
pub(super) use self::wire::MAX_SALT;
use self::wire::ServerFirst;
use super::derive::{Hash, KeyRequest, Secret};
use super::{Offer, ScramKeys};

/// The iteration counts accepted, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Below it a stolen exchange is too cheap to search for the password. 4,096 by default,
    /// what servers should at least announce (RFC 5802 §5.1, RFC 7677 §3).
    pub min_iterations: u32,
    /// Above it a server burns the client's time. 1,000,000 by default.
    pub max_iterations: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            min_iterations: 4096,
            max_iterations: 1_000_000,
        }
    }
}

/// What a client proves that it knows.
#[derive(Debug)]
pub enum Secrets {
    /// The password, prepared by SASLprep, and the keys that it had at another time, if there are any.
    Password(Secret, Option<ScramKeys>),
    /// The keys alone.
    Keys(ScramKeys),
}

/// The client has its first message to send, and waits for the server's.
#[derive(Debug)]
pub struct ClientFirst {
    hash: Hash,
    secrets: Secrets,
    nonce: String,
    limits: Limits,
    gs2_header: String,
    /// `cbind-input`, in base64
    bound: String,
    /// The offer has to be vouched for, see [`Binding::Unshared`].
    unshared: bool,
    /// `client-first-message-bare`
    bare: String,
}

impl ClientFirst {
    /// Starts an exchange.
    ///
    /// `username` is prepared already (SASLprep, RFC 5802 §5.1), and not empty; what it needs
    /// of escaping is done here. `nonce` is fresh, unpredictable, printable ASCII without a comma; with another one
    /// [`challenge`](Self::challenge) fails.
    pub fn new(
        hash: Hash,
        username: &str,
        secrets: Secrets,
        nonce: String,
        binding: Binding<'_>,
        limits: Limits,
    ) -> Self {
        let mut bare = String::from("n=");
        escape(username, &mut bare);
        bare.push_str(",r=");
        bare.push_str(&nonce);
        ClientFirst {
            hash,
            secrets,
            nonce,
            limits,
            gs2_header: binding.gs2_header(),
            bound: STANDARD.encode(binding.input()),
            unshared: binding == Binding::Unshared,
            bare,
        }
    }

    /// The client-first-message, for `<auth/>`.
    pub fn message(&self) -> String {
        self.gs2_header.clone() + &self.bare
    }

    /// Takes the server-first-message, decoded from the base64 of `<challenge/>`, and what the server offered before it.
    ///
    /// # Errors
    /// All of [`ScramError`] that concerns the server's first message; the exchange is over, and no proof has been sent.
    pub fn challenge(self, server_first: &[u8], offer: &Offer) -> Result<Accepted, ScramError> {
        let ServerFirst {
            text,
            nonce,
            salt,
            iterations,
        } = ServerFirst::parse(server_first)?;
        // RFC 5802 §5.1: the client MUST verify that the nonce starts with its own. One that adds nothing to it is
        // a replay of ours; an empty one of ours would prove nothing.
        match nonce.strip_prefix(self.nonce.as_str()) {
            Some(added) if !added.is_empty() && !self.nonce.is_empty() => {}
            _ => return Err(ScramError::NonceMismatch),
        }
        // RFC 5802 §5.1 and RFC 7677 §3.
        if iterations < self.limits.min_iterations {
            return Err(ScramError::IterationsTooFew(iterations));
        }
        if iterations > self.limits.max_iterations {
            return Err(ScramError::IterationsTooMany(iterations));
        }
        downgrade::check(self.hash, text, offer, self.unshared)?;
        // RFC 5802 §7: client-final-message-without-proof = channel-binding "," nonce.
        let without_proof = ["c=", &self.bound, ",r=", nonce].concat();
        // RFC 5802 §3. The server's message stands in it byte for byte as it came, extensions and all.
        let said = Said {
            auth_message: [self.bare.as_str(), text, without_proof.as_str()].join(","),
            without_proof,
        };
        let hash = self.hash;
        match self.secrets {
            Secrets::Keys(keys) | Secrets::Password(_, Some(keys)) if keys.fit(hash, &salt, iterations) => {
                Ok(Accepted::Answer(said.answer(keys)))
            }
            Secrets::Keys(_) => Err(ScramError::KeysOutdated),
            Secrets::Password(password, _) => Ok(Accepted::Derive(AwaitingKey {
                request: KeyRequest {
                    hash,
                    password,
                    salt,
                    iterations,
                },
                said,
            })),
        }
    }
}

/// A name where a list of attributes holds it: RFC 5802 §5.1, `saslname`.
pub(super) fn escape(name: &str, out: &mut String) {
    for c in name.chars() {
        match c {
            ',' => out.push_str("=2C"),
            '=' => out.push_str("=3D"),
            _ => out.push(c),
        }
    }
}

/// The challenge is accepted.
#[derive(Debug)]
pub enum Accepted {
    /// What comes next needs the salted password.
    Derive(AwaitingKey),
    /// The keys are there already.
    Answer(AwaitingFinal),
}

/// What has been said up to the client's proof.
#[derive(Debug)]
struct Said {
    auth_message: String,
    /// `client-final-message-without-proof`
    without_proof: String,
}

impl Said {
    /// Makes the proof, RFC 5802 §3.
    fn answer(self, keys: ScramKeys) -> AwaitingFinal {
        let stored_key = keys.hash.digest(keys.client_key.as_bytes());
        let client_signature = keys.hash.hmac(stored_key.as_bytes(), self.auth_message.as_bytes());
        let proof: Vec<u8> = keys
            .client_key
            .as_bytes()
            .iter()
            .zip(client_signature.as_bytes())
            .map(|(key, signature)| key ^ signature)
            .collect();
        let mut message = self.without_proof;
        message.push_str(",p=");
        STANDARD.encode_string(proof, &mut message);
        AwaitingFinal {
            keys,
            auth_message: self.auth_message,
            message,
        }
    }
}

/// The challenge is accepted; what comes next needs the salted password.
#[derive(Debug)]
pub struct AwaitingKey {
    request: KeyRequest,
    said: Said,
}

impl AwaitingKey {
    /// What has to be derived.
    pub fn request(&self) -> &KeyRequest {
        &self.request
    }

    /// Goes on with the salted password that [`request`](Self::request) asked for.
    ///
    /// # Errors
    /// [`ScramError::KeyLength`] where it can't be one.
    pub fn derived(self, salted: &Secret) -> Result<AwaitingFinal, ScramError> {
        let KeyRequest {
            hash, salt, iterations, ..
        } = self.request;
        let salted = salted.as_bytes();
        if salted.len() != hash.output_len() {
            return Err(ScramError::KeyLength);
        }
        Ok(self.said.answer(ScramKeys::of(hash, salt, iterations, salted)))
    }
}

/// The client has its proof to send, and waits for the server's.
pub struct AwaitingFinal {
    keys: ScramKeys,
    auth_message: String,
    message: String,
}

impl AwaitingFinal {
    /// The client-final-message, for `<response/>`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Takes the server-final-message, decoded from the base64 of `<success/>`, or of a last `<challenge/>`; where
    /// there was none, an empty one.
    ///
    /// # Errors
    /// All of [`ScramError`] that concerns the server's last message: the server is not to be trusted, and the stream
    /// has to be given up.
    pub fn verify(self, server_final: &[u8]) -> Result<Verified, ScramError> {
        let signature = wire::server_final(server_final)?;
        // RFC 5802 §3: ServerSignature := HMAC(ServerKey, AuthMessage). §5: if it differs, the client MUST fail.
        let key = self.keys.server_key.as_bytes();
        if self.keys.hash.verify(key, self.auth_message.as_bytes(), &signature) {
            Ok(Verified(self.keys))
        } else {
            Err(ScramError::SignatureWrong)
        }
    }
}

impl fmt::Debug for AwaitingFinal {
    /// Leaves the proof out: with the rest of the exchange it is enough to try passwords on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitingFinal(..)")
    }
}

/// The server has proved that it knows the user. There is no other way to come by one than [`AwaitingFinal::verify`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Verified(ScramKeys);

impl Verified {
    /// What stands for the password from now on.
    pub fn into_keys(self) -> ScramKeys {
        self.0
    }
}
