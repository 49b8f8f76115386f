//! The published exchanges, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

mod hostile;

use super::*;
use crate::sasl::derive::{Derivation, derive};

struct Exchange {
    hash: Hash,
    nonce: &'static str,
    client_first: &'static str,
    server_first: &'static str,
    client_final: &'static str,
    server_final: &'static str,
}

const RFC_5802: Exchange = Exchange {
    hash: Hash::Sha1,
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
    client_first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    client_final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
};

const RFC_7677: Exchange = Exchange {
    hash: Hash::Sha256,
    nonce: "rOprNGfwEbeRWgbNEkqO",
    client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

impl Exchange {
    fn start(&self) -> ClientFirst {
        start(self.hash, "user", self.nonce, Limits::default())
    }

    fn answered(&self) -> AwaitingFinal {
        let waiting = waiting(self.start().challenge(self.server_first.as_bytes(), &Offer::default()));
        let salted = derive(waiting.request());
        waiting.derived(&salted).unwrap()
    }

    fn reproduce(&self, derive: impl FnOnce(&KeyRequest) -> Secret) {
        let client = self.start();
        assert_eq!(client.message(), self.client_first);
        let client = waiting(client.challenge(self.server_first.as_bytes(), &Offer::default()));
        assert_eq!((client.request().hash, client.request().iterations), (self.hash, 4096));
        let salted = derive(client.request());
        let client = client.derived(&salted).unwrap();
        assert_eq!(client.message(), self.client_final);
        assert!(client.verify(self.server_final.as_bytes()).is_ok());
    }
}

fn start(hash: Hash, username: &str, nonce: &str, limits: Limits) -> ClientFirst {
    ClientFirst::new(
        hash,
        username,
        Secrets::Password(Secret::new(b"pencil".to_vec()), None),
        nonce.into(),
        Binding::Impossible,
        limits,
    )
}

/// The challenge is accepted, and no key is there yet.
fn waiting(accepted: Result<Accepted, ScramError>) -> AwaitingKey {
    match accepted.unwrap() {
        Accepted::Derive(waiting) => waiting,
        Accepted::Answer(_) => panic!("there was a key already"),
    }
}

/// The number of rounds a slice changes from one to the next.
fn in_odd_slices(request: &KeyRequest) -> Secret {
    let mut derivation = Derivation::new(request);
    for slice in [0, 1, 7, 1000, 13, 3000].into_iter().cycle().take(100) {
        if let Some(key) = derivation.step(slice) {
            return key;
        }
    }
    panic!("not derived");
}

#[test]
fn rfc5802_5_example_exchange() {
    RFC_5802.reproduce(derive);
    RFC_5802.reproduce(in_odd_slices);
}

#[test]
fn rfc7677_3_example_exchange() {
    RFC_7677.reproduce(derive);
    RFC_7677.reproduce(in_odd_slices);
}

#[test]
fn rfc5802_5_1_commas_and_equals_signs_in_the_name_are_escaped() {
    for (name, sent) in [
        ("a,b=c", "a=2Cb=3Dc"),
        ("=2C", "=3D2C"),
        (",,==", "=2C=2C=3D=3D"),
        ("jürgen", "jürgen"),
    ] {
        let client = start(Hash::Sha1, name, "abc", Limits::default());
        assert_eq!(client.message(), format!("n,,n={sent},r=abc"));
    }
}

/// The name stands escaped in what is signed, too: the server signs what it was sent.
#[test]
fn rfc5802_3_the_auth_message_is_made_of_the_messages_as_sent() {
    let server_first = "r=abcdef,s=QSXCR+Q6sek8bf92,i=4096,x=ex t,y=ü=";
    let client = start(Hash::Sha1, "a,b", "abc", Limits::default());
    let client = waiting(client.challenge(server_first.as_bytes(), &Offer::default()));
    let salted = derive(client.request());
    let server_key = Hash::Sha1.hmac(salted.as_bytes(), b"Server Key");
    let signed = format!("n=a=2Cb,r=abc,{server_first},c=biws,r=abcdef");
    let signature = STANDARD.encode(Hash::Sha1.hmac(server_key.as_bytes(), signed.as_bytes()).as_bytes());
    let client = client.derived(&salted).unwrap();
    assert!(client.verify(format!("v={signature}").as_bytes()).is_ok());
}

#[test]
fn no_state_prints_a_secret() {
    let client = RFC_5802.start();
    assert!(!format!("{client:?}").contains("112"), "{client:?}");
    let client = waiting(client.challenge(RFC_5802.server_first.as_bytes(), &Offer::default()));
    assert!(!format!("{client:?}").contains("112"), "{client:?}");
    assert_eq!(format!("{:?}", RFC_5802.answered()), "AwaitingFinal(..)");
}
