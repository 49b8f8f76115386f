//! The salted password of SCRAM, `Hi()` of RFC 5802 §2.2 (July 2010), which is PBKDF2 (RFC 8018 §5.2) with HMAC
//! and one block of output; and the few HMACs and hashes that [`scram`](super::scram) makes from it.
//!
//! The state machine never derives by itself: it hands out a [`KeyRequest`]. WebCrypto answers it off the main
//! thread where a page has it ([`Hash::name`] is its name for the hash), [`derive()`] answers it at once, and
//! [`Derivation`] in slices, so that a page without WebCrypto stays alive meanwhile. All three give the same bytes.
//!
//! Left out: the hashes beyond SHA-512.

#[cfg(test)]
mod tests;

use std::fmt;

use hmac::digest::Output;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The hash function that a SCRAM mechanism is built on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// SCRAM-SHA-1, RFC 5802.
    Sha1,
    /// SCRAM-SHA-256, RFC 7677.
    Sha256,
    /// SCRAM-SHA-512, draft-melnikov-scram-sha-512.
    Sha512,
}

impl Hash {
    /// The name of the hash in the IANA registry of hash functions, which is WebCrypto's as well.
    pub fn name(self) -> &'static str {
        match self {
            Hash::Sha1 => "SHA-1",
            Hash::Sha256 => "SHA-256",
            Hash::Sha512 => "SHA-512",
        }
    }

    /// The SASL mechanism, without channel binding (RFC 5802 §4, RFC 7677 §3).
    pub fn mechanism(self) -> &'static str {
        match self {
            Hash::Sha1 => "SCRAM-SHA-1",
            Hash::Sha256 => "SCRAM-SHA-256",
            Hash::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The length of a hash, of a key and of a salted password, in bytes.
    pub fn output_len(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Sha512 => 64,
        }
    }

    /// `H(data)`, RFC 5802 §2.2.
    pub(super) fn digest(self, data: &[u8]) -> Secret {
        fn of<D: EagerHash>(data: &[u8]) -> Secret {
            Secret(D::digest(data).to_vec())
        }
        match self {
            Hash::Sha1 => of::<Sha1>(data),
            Hash::Sha256 => of::<Sha256>(data),
            Hash::Sha512 => of::<Sha512>(data),
        }
    }

    /// `HMAC(key, data)`, RFC 5802 §2.2.
    pub(crate) fn hmac(self, key: &[u8], data: &[u8]) -> Secret {
        fn of<D: EagerHash>(key: &[u8], data: &[u8]) -> Secret {
            Secret(mac::<D>(key, data).finalize().into_bytes().to_vec())
        }
        match self {
            Hash::Sha1 => of::<Sha1>(key, data),
            Hash::Sha256 => of::<Sha256>(key, data),
            Hash::Sha512 => of::<Sha512>(key, data),
        }
    }

    /// Whether `tag` is the whole of `HMAC(key, data)`, compared in constant time.
    pub(super) fn verify(self, key: &[u8], data: &[u8], tag: &[u8]) -> bool {
        match self {
            Hash::Sha1 => mac::<Sha1>(key, data).verify_slice(tag).is_ok(),
            Hash::Sha256 => mac::<Sha256>(key, data).verify_slice(tag).is_ok(),
            Hash::Sha512 => mac::<Sha512>(key, data).verify_slice(tag).is_ok(),
        }
    }
}

/// Bytes that never appear in a log: `Debug` shows `Secret(..)`.
///
/// They are overwritten with zeros when dropped, as well as safe code can: a copy that the compiler or the allocator
/// made on the way stays. `==` looks at every byte, but is for tests; what a server sent is compared by
/// the hmac crate.
#[derive(Clone, Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the bytes over without a copy; a password is its prepared UTF-8, `password.into_bytes()`.
    pub fn new(bytes: Vec<u8>) -> Self {
        Secret(bytes)
    }

    /// The bytes, for those who compute with them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without it the optimiser sees stores that nobody reads, and leaves them out.
        std::hint::black_box(&self.0);
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |bits, (a, b)| bits | (a ^ b));
        self.0.len() == other.0.len() && differing == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What it takes to derive a salted password: `Hi(password, salt, iterations)`, [`Hash::output_len`] bytes long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRequest {
    /// The hash that the HMAC is made of.
    pub hash: Hash,
    /// The password, prepared by SASLprep (RFC 5802 §2.2, `Normalize`), in UTF-8.
    pub password: Secret,
    /// The salt that the server keeps for this user, decoded.
    pub salt: Vec<u8>,
    /// The number of rounds; the first is the one over the salt.
    pub iterations: u32,
}

/// Derives at once. A million rounds block the caller for about a second.
pub fn derive(request: &KeyRequest) -> Secret {
    let mut key = vec![0; request.hash.output_len()];
    let (password, salt, rounds) = (request.password.as_bytes(), &request.salt, request.iterations);
    match request.hash {
        Hash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut key),
        Hash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut key),
        Hash::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut key),
    }
    Secret(key)
}

/// The same derivation in slices, the caller doing something else between them.
///
/// ```
/// use stanzawire::sasl::derive::{Derivation, Hash, KeyRequest, Secret, derive};
///
/// let password = Secret::new("pencil".to_owned().into_bytes());
/// let request = KeyRequest { hash: Hash::Sha1, password, salt: b"salt".to_vec(), iterations: 4096 };
/// let mut derivation = Derivation::new(&request);
/// let key = loop {
///     if let Some(key) = derivation.step(1000) {
///         break key;
///     }
/// };
/// assert_eq!(key, derive(&request));
/// ```
pub struct Derivation {
    rounds: Rounds,
    left: u32,
}

impl Derivation {
    /// Does the key schedule and the first round.
    pub fn new(request: &KeyRequest) -> Self {
        let (password, salt) = (request.password.as_bytes(), request.salt.as_slice());
        Derivation {
            rounds: match request.hash {
                Hash::Sha1 => Rounds::Sha1(Chain::new(password, salt)),
                Hash::Sha256 => Rounds::Sha256(Chain::new(password, salt)),
                Hash::Sha512 => Rounds::Sha512(Chain::new(password, salt)),
            },
            // Zero iterations count as one, as they do in pbkdf2.
            left: request.iterations.saturating_sub(1),
        }
    }

    /// Does up to `iterations` rounds more, and returns the salted password once none is left.
    pub fn step(&mut self, iterations: u32) -> Option<Secret> {
        let now = iterations.min(self.left);
        self.left = self.left.saturating_sub(now);
        let sum: &[u8] = match &mut self.rounds {
            Rounds::Sha1(chain) => chain.advance(now),
            Rounds::Sha256(chain) => chain.advance(now),
            Rounds::Sha512(chain) => chain.advance(now),
        };
        (self.left == 0).then(|| Secret(sum.to_vec()))
    }
}

enum Rounds {
    Sha1(Chain<Sha1>),
    Sha256(Chain<Sha256>),
    Sha512(Chain<Sha512>),
}

/// RFC 5802 §2.2: `U1 := HMAC(str, salt + INT(1))`, `Ui := HMAC(str, Ui-1)`, and the sum of all of them by XOR.
struct Chain<D: EagerHash> {
    /// Keyed and never fed: a clone of it starts each round without the two blocks of the key schedule.
    keyed: Hmac<D>,
    last: Output<Hmac<D>>,
    sum: Output<Hmac<D>>,
}

impl<D: EagerHash> Chain<D> {
    fn new(password: &[u8], salt: &[u8]) -> Self {
        let keyed = keyed::<D>(password);
        let last = keyed
            .clone()
            .chain_update(salt)
            .chain_update(1_u32.to_be_bytes())
            .finalize()
            .into_bytes();
        Chain {
            keyed,
            sum: last.clone(),
            last,
        }
    }

    fn advance(&mut self, rounds: u32) -> &[u8] {
        for _ in 0..rounds {
            self.last = self.keyed.clone().chain_update(&self.last).finalize().into_bytes();
            for (sum, byte) in self.sum.iter_mut().zip(&self.last) {
                *sum ^= byte;
            }
        }
        &self.sum
    }
}

impl<D: EagerHash> Drop for Chain<D> {
    fn drop(&mut self) {
        self.last.fill(0);
        self.sum.fill(0);
        std::hint::black_box((&self.last, &self.sum));
    }
}

fn mac<D: EagerHash>(key: &[u8], data: &[u8]) -> Hmac<D> {
    keyed::<D>(key).chain_update(data)
}

#[allow(clippy::expect_used)] // RFC 2104 §2: a key of any length will do, a longer one than a block is hashed first.
fn keyed<D: EagerHash>(key: &[u8]) -> Hmac<D> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
