//! The session's own random numbers, from the seed that the edge gave it, so that a nonce or an id tells nothing about
//! the next: HMAC-SHA-256 (RFC 2104, February 1997), keyed with the seed, of a counter. A pseudorandom function in
//! counter mode is as good a stream as a cipher's, and this one SCRAM has brought along.

use crate::sasl::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A cryptographically secure generator, deterministic by its seed.
pub struct Rng {
    seed: [u8; 32],
    counter: u64,
}

impl Rng {
    /// Starts from 32 bytes that nobody can guess.
    pub fn new(seed: [u8; 32]) -> Rng {
        Rng { seed, counter: 0 }
    }

    /// 128 random bits as 22 characters of base64url: a stanza id, or a SCRAM nonce.
    pub fn id(&mut self) -> String {
        URL_SAFE_NO_PAD.encode(self.next())
    }

    /// A number below `bound` (0 where that is 0). The bias of the remainder is under one in 2³².
    pub fn below(&mut self, bound: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.next();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
            .checked_rem(bound)
            .unwrap_or(0)
    }

    /// 128 bits, each time others.
    fn next(&mut self) -> [u8; 16] {
        // A session of 2⁶⁴ numbers would outlast its reader.
        self.counter = self.counter.wrapping_add(1);
        let hash = Hash::Sha256.hmac(&self.seed, &self.counter.to_be_bytes());
        let mut bytes = [0; 16];
        for (byte, hashed) in bytes.iter_mut().zip(hash.as_bytes()) {
            *byte = *hashed;
        }
        bytes
    }
}

impl core::fmt::Debug for Rng {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Rng(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_128_bits_and_differ() {
        let mut rng = Rng::new([1; 32]);
        let (one, two) = (rng.id(), rng.id());
        assert_eq!(one.len(), 22);
        assert_ne!(one, two);
        assert_eq!(Rng::new([1; 32]).id(), one);
        assert_ne!(Rng::new([2; 32]).id(), one);
    }
}
