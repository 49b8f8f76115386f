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

use std::{fmt, mem};

use hmac::digest::{CtOutput, Output};
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
        let mut out = Secret(vec![0; self.output_len()]);
        self.keyed(key).mac([data, &[]], &mut out.0);
        out
    }

    /// Whether `tag` is the whole of `HMAC(key, data)`, compared in constant time.
    pub(super) fn verify(self, key: &[u8], data: &[u8], tag: &[u8]) -> bool {
        // The comparison is the hmac crate's, for the longest of the hashes: behind the end of a shorter one are zeros on
        // both sides. The lengths are no secret.
        fn comparable(bytes: &[u8]) -> CtOutput<Hmac<Sha512>> {
            let mut output = Output::<Hmac<Sha512>>::default();
            for (to, from) in output.iter_mut().zip(bytes) {
                *to = *from;
            }
            CtOutput::new(output)
        }
        let expected = self.hmac(key, data);
        tag.len() == self.output_len() && comparable(expected.as_bytes()) == comparable(tag)
    }

    #[allow(clippy::expect_used)] // RFC 2104 §2: a key of any length will do, a longer one than a block is hashed first.
    fn keyed(self, key: &[u8]) -> Box<dyn Keyed> {
        fn of<D: EagerHash>(key: &[u8]) -> Box<Hmac<D>> {
            Box::new(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
        }
        match self {
            Hash::Sha1 => of::<Sha1>(key),
            Hash::Sha256 => of::<Sha256>(key),
            Hash::Sha512 => of::<Sha512>(key),
        }
    }
}

/// HMAC with a key that is scheduled already, whatever its hash: all that is made once for each of them. The rest is made
/// once for all, which is a matter of bytes.
trait Keyed {
    /// `HMAC(key, parts)`, as many bytes of it as `out` has.
    fn mac(&self, parts: [&[u8]; 2], out: &mut [u8]);
}

impl<D: EagerHash> Keyed for Hmac<D> {
    fn mac(&self, [first, second]: [&[u8]; 2], out: &mut [u8]) {
        // A clone goes without the two blocks of the key schedule.
        let mac = self.clone().chain_update(first).chain_update(second);
        for (to, from) in out.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
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
    keyed: Box<dyn Keyed>,
    last: Secret,
    /// Room for what comes after it.
    next: Secret,
    sum: Secret,
    left: u32,
}

// RFC 5802 §2.2: `U1 := HMAC(str, salt + INT(1))`, `Ui := HMAC(str, Ui-1)`, and the sum of all of them by XOR.
impl Derivation {
    /// Does the key schedule and the first round.
    pub fn new(request: &KeyRequest) -> Self {
        let keyed = request.hash.keyed(request.password.as_bytes());
        let mut last = Secret(vec![0; request.hash.output_len()]);
        keyed.mac([&request.salt, &1_u32.to_be_bytes()], &mut last.0);
        Derivation {
            keyed,
            next: last.clone(),
            sum: last.clone(),
            last,
            // Zero iterations count as one, as they do in pbkdf2.
            left: request.iterations.saturating_sub(1),
        }
    }

    /// Does up to `iterations` rounds more, and returns the salted password once none is left.
    pub fn step(&mut self, iterations: u32) -> Option<Secret> {
        let now = iterations.min(self.left);
        self.left = self.left.saturating_sub(now);
        for _ in 0..now {
            self.keyed.mac([&self.last.0, &[]], &mut self.next.0);
            mem::swap(&mut self.last, &mut self.next);
            for (sum, byte) in self.sum.0.iter_mut().zip(&self.last.0) {
                *sum ^= byte;
            }
        }
        (self.left == 0).then(|| self.sum.clone())
    }
}
