//! What stands for a password: the client's and the server's key of SCRAM (RFC 5802 §3, July 2010).

use super::derive::{Hash, Secret};
use super::scram::{Limits, MAX_SALT};
use crate::error::{Code, Error, Phase};

/// What stands for a password with one hash, as long as the server keeps its salt and count (RFC 5802 §3). Whoever has
/// it can log in, and can pretend to this client to be the server; the password itself doesn't follow from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScramKeys {
    /// The mechanism's hash.
    pub hash: Hash,
    /// The server's salt, decoded.
    pub salt: Vec<u8>,
    /// The server's iteration count.
    pub iterations: u32,
    /// `ClientKey`, [`Hash::output_len`] bytes.
    pub client_key: Secret,
    /// `ServerKey`, [`Hash::output_len`] bytes.
    pub server_key: Secret,
}

impl ScramKeys {
    /// `SaltedPassword` into the two keys that follow from it, RFC 5802 §3.
    pub(super) fn of(hash: Hash, salt: Vec<u8>, iterations: u32, salted: &[u8]) -> ScramKeys {
        ScramKeys {
            hash,
            salt,
            iterations,
            client_key: hash.hmac(salted, b"Client Key"),
            server_key: hash.hmac(salted, b"Server Key"),
        }
    }

    /// Whether these can be the keys of an account, made under `limits`.
    ///
    /// # Errors
    /// `invalid-argument`, with what is wrong about them.
    pub fn check(&self, limits: Limits) -> Result<(), Error> {
        let len = self.hash.output_len();
        let message = if self.client_key.as_bytes().len() != len || self.server_key.as_bytes().len() != len {
            "the SCRAM keys have another length than their hash"
        } else if self.salt.is_empty() || self.salt.len() > MAX_SALT {
            "the salt of the SCRAM keys is empty, or too long"
        } else if !(limits.min_iterations..=limits.max_iterations).contains(&self.iterations) {
            "the iteration count of the SCRAM keys is outside of what is allowed"
        } else {
            return Ok(());
        };
        Err(Error::new(Code::InvalidArgument, Phase::Auth, message))
    }

    /// Whether the server's challenge is the one that they were made for.
    pub(super) fn fit(&self, hash: Hash, salt: &[u8], iterations: u32) -> bool {
        self.hash == hash && self.salt == salt && self.iterations == iterations
    }
}
