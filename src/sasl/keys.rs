//! What stands for a password: the client's and the server's key of SCRAM (RFC 5802 §3, July 2010).

use super::derive::{Hash, Secret};
use super::scram::{Limits, MAX_SALT};
use crate::error::{Code, Error, Phase};

/// What stands for a password with one hash, as long as the server keeps its salt and count (RFC 5802 §3). Whoever has
/// it can log in, and can pretend to this client to be the server; the password itself can only be guessed from it.
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
            "the `clientKey` or the `serverKey` has another length than a hash of its mechanism"
        } else if self.salt.is_empty() || self.salt.len() > MAX_SALT {
            "the `salt` of the keys is empty, or too long"
        } else if !(limits.min_iterations..=limits.max_iterations).contains(&self.iterations) {
            "the `iterations` of the keys are fewer or more than is allowed"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_the_keys_of_an_account() {
        let limits = Limits::default();
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
            let good = ScramKeys::of(hash, vec![1; 16], 4096, b"salted");
            assert!(good.check(limits).is_ok());
            let len = hash.output_len();
            let key = |len| Secret::new(vec![7; len]);
            let bad = |change: &dyn Fn(&mut ScramKeys)| {
                let mut keys = good.clone();
                change(&mut keys);
                keys.check(limits)
            };
            for keys in [
                bad(&|keys| keys.client_key = key(len - 1)),
                bad(&|keys| keys.client_key = key(0)),
                bad(&|keys| keys.server_key = key(len + 1)),
                bad(&|keys| keys.salt.clear()),
                bad(&|keys| keys.salt = vec![1; MAX_SALT + 1]),
                bad(&|keys| keys.iterations = 4095),
                bad(&|keys| keys.iterations = 0),
                bad(&|keys| keys.iterations = 1_000_001),
            ] {
                assert_eq!(keys.map_err(|error| error.code()), Err(Code::InvalidArgument));
            }
            // The last that is still taken.
            assert!(bad(&|keys| keys.salt = vec![1; MAX_SALT]).is_ok());
            assert!(bad(&|keys| keys.iterations = 1_000_000).is_ok());
        }
    }
}
