//! SCRAM, the client's side: RFC 5802 (July 2010) with the requirements of RFC 7677 (November 2015), for the SASL
//! exchange of RFC 6120 §6 (March 2011), which carries these messages in base64.
//!
//! Each state is moved into the next, so that an exchange out of order does not compile:
//!
//! ```text
//! ClientFirst ── challenge(server-first) ─▶ AwaitingKey ── derived(salted password) ─▶ AwaitingFinal ── verify(server-final) ─▶ Verified
//!    │ message()                               │ request()                                │ message()
//! ```
//!
//! The machine has no clock and no randomness, and does not derive the key: see [`derive`](super::derive). Only
//! [`Verified`] says that the login has taken place: the server has then shown that it knows the user's keys.
//! A `<success/>` without a server-final-message counts for nothing.
//!
//! Left out: the `-PLUS` mechanisms (a browser shows no channel binding), authorization identities, SASLprep
//! (name and password come prepared), stored keys in place of a password. The hash of XEP-0474 (0.5.0, 2025-10-25) is
//! handed out by [`AwaitingKey::extension`] and compared by whoever knows the mechanisms offered.

mod error;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use self::error::ScramError;
use self::wire::ServerFirst;
use super::derive::{Hash, KeyRequest, Secret};

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

/// What the client says of channel binding, RFC 5802 §6; the GS2 header follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum ChannelBinding {
    /// The client can't bind to the channel: "n". A browser never can.
    #[default]
    None,
}

impl ChannelBinding {
    /// RFC 5802 §7: `gs2-header = gs2-cbind-flag "," [authzid] ","`.
    fn gs2_header(self) -> &'static str {
        match self {
            ChannelBinding::None => "n,,",
        }
    }
}

/// The client has its first message to send, and waits for the server's.
#[derive(Debug)]
pub struct ClientFirst {
    hash: Hash,
    password: Secret,
    nonce: String,
    channel_binding: ChannelBinding,
    limits: Limits,
    /// `client-first-message-bare`
    bare: String,
}

impl ClientFirst {
    /// Starts an exchange.
    ///
    /// `username` and `password` are prepared already (SASLprep, RFC 5802 §5.1), and not empty; what the name needs
    /// of escaping is done here. `nonce` is fresh, unpredictable, printable ASCII without a comma; with another one
    /// [`challenge`](Self::challenge) fails.
    pub fn new(
        hash: Hash,
        username: &str,
        password: Secret,
        nonce: String,
        channel_binding: ChannelBinding,
        limits: Limits,
    ) -> Self {
        let mut bare = String::from("n=");
        for c in username.chars() {
            match c {
                // RFC 5802 §5.1: sent as "=2C" and "=3D".
                ',' => bare.push_str("=2C"),
                '=' => bare.push_str("=3D"),
                _ => bare.push(c),
            }
        }
        bare.push_str(",r=");
        bare.push_str(&nonce);
        ClientFirst {
            hash,
            password,
            nonce,
            channel_binding,
            limits,
            bare,
        }
    }

    /// The client-first-message, for `<auth/>`.
    pub fn message(&self) -> String {
        let mut message = String::from(self.channel_binding.gs2_header());
        message.push_str(&self.bare);
        message
    }

    /// Takes the server-first-message, decoded from the base64 of `<challenge/>`.
    ///
    /// # Errors
    /// All of [`ScramError`] that concerns the server's first message; the exchange is over.
    pub fn challenge(self, server_first: &[u8]) -> Result<AwaitingKey, ScramError> {
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
        // RFC 5802 §7: channel-binding = "c=" base64 of the GS2 header, with the channel's data behind it, had we any.
        let mut without_proof = String::from("c=");
        STANDARD.encode_string(self.channel_binding.gs2_header(), &mut without_proof);
        without_proof.push_str(",r=");
        without_proof.push_str(nonce);
        Ok(AwaitingKey {
            request: KeyRequest {
                hash: self.hash,
                password: self.password,
                salt,
                iterations,
            },
            bare: self.bare,
            server_first: text.to_owned(),
            without_proof,
        })
    }
}

/// The challenge is accepted; what comes next needs the salted password.
#[derive(Debug)]
pub struct AwaitingKey {
    request: KeyRequest,
    bare: String,
    server_first: String,
    /// `client-final-message-without-proof`
    without_proof: String,
}

impl AwaitingKey {
    /// What has to be derived.
    pub fn request(&self) -> &KeyRequest {
        &self.request
    }

    /// The value of an optional attribute of the server-first-message, such as `h` of XEP-0474. It can be trusted
    /// once the exchange is verified, and a difference found in it is a reason to stop at once.
    pub fn extension(&self, name: u8) -> Option<&str> {
        wire::extension(&self.server_first, name)
    }

    /// Goes on with the salted password that [`request`](Self::request) asked for.
    ///
    /// # Errors
    /// [`ScramError::KeyLength`] where it can't be one.
    pub fn derived(self, salted: &Secret) -> Result<AwaitingFinal, ScramError> {
        let hash = self.request.hash;
        let salted = salted.as_bytes();
        if salted.len() != hash.output_len() {
            return Err(ScramError::KeyLength);
        }
        // RFC 5802 §3. The server's message stands in it byte for byte as it came, extensions and all.
        let mut auth_message = self.bare;
        auth_message.push(',');
        auth_message.push_str(&self.server_first);
        auth_message.push(',');
        auth_message.push_str(&self.without_proof);

        let client_key = hash.hmac(salted, b"Client Key");
        let stored_key = hash.digest(client_key.as_bytes());
        let client_signature = hash.hmac(stored_key.as_bytes(), auth_message.as_bytes());
        let proof: Vec<u8> = client_key
            .as_bytes()
            .iter()
            .zip(client_signature.as_bytes())
            .map(|(key, signature)| key ^ signature)
            .collect();

        let mut message = self.without_proof;
        message.push_str(",p=");
        STANDARD.encode_string(proof, &mut message);
        Ok(AwaitingFinal {
            hash,
            server_key: hash.hmac(salted, b"Server Key"),
            auth_message,
            message,
        })
    }
}

/// The client has its proof to send, and waits for the server's.
pub struct AwaitingFinal {
    hash: Hash,
    server_key: Secret,
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
        if self
            .hash
            .verify(self.server_key.as_bytes(), self.auth_message.as_bytes(), &signature)
        {
            Ok(Verified(()))
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
pub struct Verified(());
