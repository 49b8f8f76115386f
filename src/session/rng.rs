//! The session's own random numbers, from the seed that the edge gave it: ChaCha20, so that a nonce or an id
//! tells nothing about the next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// A cryptographically secure generator, deterministic by its seed.
pub struct Rng(ChaCha20Rng);

impl Rng {
    /// Starts from 32 bytes that nobody can guess.
    pub fn new(seed: [u8; 32]) -> Rng {
        Rng(ChaCha20Rng::from_seed(seed))
    }

    /// 128 random bits as 22 characters of base64url: a stanza id, or a SCRAM nonce.
    pub fn id(&mut self) -> String {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A number below `bound` (0 where that is 0). The bias of the remainder is under one in 2³².
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
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
