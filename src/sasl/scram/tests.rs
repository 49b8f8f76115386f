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

/// Nobody has published one with SHA-512: RFC 7677's with that hash, computed with Python's hashlib.
const MADE_512: Exchange = Exchange {
    hash: Hash::Sha512,
    client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
    server_final: "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    ..RFC_7677
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
fn scram_sha_512_example_exchange() {
    MADE_512.reproduce(derive);
    MADE_512.reproduce(in_odd_slices);
}

/// An exchange with keys in place of the password: the same messages, and no key to be derived.
fn with_keys(exchange: &Exchange, secrets: Secrets) -> Result<Accepted, ScramError> {
    ClientFirst::new(
        exchange.hash,
        "user",
        secrets,
        exchange.nonce.into(),
        Binding::Impossible,
        Limits::default(),
    )
    .challenge(exchange.server_first.as_bytes(), &Offer::default())
}

#[test]
fn rfc5802_3_the_keys_stand_for_the_password() {
    for exchange in [RFC_5802, RFC_7677, MADE_512] {
        let keys = exchange.answered().verify(exchange.server_final.as_bytes());
        let keys = keys.unwrap().into_keys();
        assert!(keys.check(Limits::default()).is_ok());
        assert_eq!((keys.hash, keys.iterations), (exchange.hash, 4096));
        let password = || Secret::new(b"pencil".to_vec());
        for secrets in [
            Secrets::Keys(keys.clone()),
            Secrets::Password(password(), Some(keys.clone())),
        ] {
            let Ok(Accepted::Answer(client)) = with_keys(&exchange, secrets) else {
                panic!("the keys don't fit");
            };
            assert_eq!(client.message(), exchange.client_final);
            assert_eq!(
                client.verify(exchange.server_final.as_bytes()).unwrap().into_keys(),
                keys
            );
        }

        let mut salted = keys.clone();
        salted.salt.push(0);
        let counted = ScramKeys {
            iterations: 4097,
            ..keys.clone()
        };
        let other = ScramKeys {
            hash: if exchange.hash == Hash::Sha1 {
                Hash::Sha512
            } else {
                Hash::Sha1
            },
            ..keys
        };
        for outdated in [salted, counted, other] {
            assert_eq!(
                with_keys(&exchange, Secrets::Keys(outdated.clone())).unwrap_err(),
                ScramError::KeysOutdated
            );
            // With a password they are made anew, and silently.
            let client = waiting(with_keys(&exchange, Secrets::Password(password(), Some(outdated))));
            let derived = derive(client.request());
            let client = client.derived(&derived).unwrap();
            assert_eq!(client.message(), exchange.client_final);
            assert!(client.verify(exchange.server_final.as_bytes()).is_ok());
        }
    }
}

#[test]
fn rfc5802_6_the_gs2_header_and_what_is_bound() {
    let channel = ChannelBinding {
        name: "tls-server-end-point".into(),
        data: vec![0, b',', 0xff],
    };
    for (binding, header, bound) in [
        (Binding::Impossible, "n,,", b"n,,".as_slice()),
        (Binding::Unshared, "n,,", b"n,,"),
        (Binding::Unoffered, "y,,", b"y,,"),
        (
            Binding::Bound(&channel),
            "p=tls-server-end-point,,",
            b"p=tls-server-end-point,,\0,\xff",
        ),
    ] {
        let secrets = Secrets::Password(Secret::new(b"pencil".to_vec()), None);
        let client = ClientFirst::new(Hash::Sha1, "user", secrets, "abc".into(), binding, Limits::default());
        assert_eq!(client.message(), format!("{header}n=user,r=abc"));
        let client = waiting(client.challenge(b"r=abcdef,s=QSXC,i=4096", &Offer::default()));
        let salted = derive(client.request());
        let client = client.derived(&salted).unwrap();
        let start = format!("c={},r=abcdef,p=", STANDARD.encode(bound));
        assert!(client.message().starts_with(&start), "{}", client.message());
    }
}

#[test]
fn rfc5802_7_a_channel_binding_has_a_name_and_data() {
    let sound = |name: &str, data: &[u8]| {
        let binding = ChannelBinding {
            name: name.into(),
            data: data.into(),
        };
        binding.is_sound()
    };
    assert!(sound("tls-exporter", b"x"));
    assert!(sound("X.1-a", b"\0"));
    assert!(!sound("tls-exporter", b""));
    for name in [
        "",
        "tls,exporter",
        "tls=exporter",
        "tls exporter",
        "tls_exporter",
        "tlß",
    ] {
        assert!(!sound(name, b"x"), "{name}");
    }
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
    let keys = RFC_5802.answered().verify(RFC_5802.server_final.as_bytes()).unwrap();
    let shown = format!("{keys:?}");
    assert_eq!(shown.matches("Secret(..)").count(), 2, "{shown}");
}
