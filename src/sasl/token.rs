//! The Hashed Token mechanisms without channel binding, HT-SHA-256-NONE and HT-SHA-512-NONE: draft-schmaus-kitten-sasl-ht-09,
//! which XEP-0484 (0.2.0) names. One message each way: each side shows that it has the token, by an HMAC of its role.
//!
//! Left out: the variants with channel binding, for which a page has no data, and the key/value pairs of
//! draft-ietf-kitten-sasl-ht-01, which no XEP refers to.

use super::{Hash, Mechanism, Secret};
use crate::jid::Jid;

/// What a server gives out so that the next login takes one round trip (XEP-0484 §3.3). It is as good as a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssuedToken {
    /// The only mechanism that it can be used with.
    pub mechanism: Mechanism,
    /// The token.
    pub secret: Secret,
}

/// The client's only message: `authcid NUL HMAC(token, "Initiator" || cb-data)`.
pub(super) fn message(hash: Hash, account: &Jid, token: &Secret) -> Vec<u8> {
    let mut message = account.local().unwrap_or_default().as_bytes().to_vec();
    message.push(0);
    message.extend_from_slice(hash.hmac(token.as_bytes(), b"Initiator").as_bytes());
    message
}

/// Whether the server's message is `HMAC(token, "Responder" || cb-data)`, compared in constant time.
pub(super) fn verify(hash: Hash, token: &Secret, data: &[u8]) -> bool {
    hash.verify(token.as_bytes(), b"Responder", data)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The HMACs by `openssl dgst -hmac`.
    #[test]
    fn draft_schmaus_kitten_sasl_ht_both_messages() {
        let account = Jid::parse("tim@example.org/desk").unwrap();
        let token = Secret::new(b"secret-token:fast-Entp".to_vec());
        let message = message(Hash::Sha256, &account, &token);
        assert_eq!(message.get(..4), Some(b"tim\0".as_slice()));
        assert_eq!(hex(message.get(4..).unwrap()), INITIATOR);
        let mut data: Vec<u8> = (0..32)
            .map(|place| u8::from_str_radix(RESPONDER.get(place * 2..place * 2 + 2).unwrap(), 16).unwrap())
            .collect();
        assert!(verify(Hash::Sha256, &token, &data));
        assert!(!verify(Hash::Sha512, &token, &data));
        assert!(!verify(
            Hash::Sha256,
            &Secret::new(b"secret-token:fast-entp".to_vec()),
            &data
        ));
        assert!(!verify(Hash::Sha256, &token, data.get(..31).unwrap()), "all of it");
        assert!(!verify(Hash::Sha256, &token, b""));
        *data.last_mut().unwrap() ^= 1;
        assert!(!verify(Hash::Sha256, &token, &data));
        // Our own message is no proof.
        assert!(!verify(Hash::Sha256, &token, message.get(4..).unwrap()));
    }

    const INITIATOR: &str = "836a4948180cbb6b4a6f732ea7ae72afdab943567301d49de4ed6cea88f7df04";
    const RESPONDER: &str = "7465ea0f16eba995244b638866ab4606d44e7f4cd7b0b19f7a99789465b4a5d9";
}
