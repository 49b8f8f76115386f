//! What goes together, and what each mechanism says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

use super::super::derive::{Hash, derive};
use super::*;

fn account() -> Jid {
    Jid::parse("user@example.org").unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn keys(hash: Hash) -> ScramKeys {
    ScramKeys::of(hash, b"salt".to_vec(), 4096, b"salted")
}

const LAX: Policy = Policy {
    plain: true,
    private: true,
    pinned: false,
    scram: super::super::scram::Limits {
        min_iterations: 4096,
        max_iterations: 1_000_000,
    },
};

fn start<'a>(mechanism: Mechanism, credentials: Credentials, account: &'a Jid) -> Start<'a> {
    Start {
        mechanism,
        credentials,
        account,
        nonce: "fyko+d2lbbFgONRv9qkxdawL".into(),
        policy: LAX,
        binding: None,
        offer: None,
        cached: None,
    }
}

fn begun(mechanism: Mechanism, credentials: Credentials) -> (Exchange, Vec<u8>) {
    Exchange::start(start(mechanism, credentials, &account())).unwrap()
}

fn code<T: core::fmt::Debug>(result: Result<T, Error>) -> Code {
    result.unwrap_err().code()
}

const SCRAM: Mechanism = Mechanism::Scram(Hash::Sha1);
const PLUS: Mechanism = Mechanism::ScramPlus(Hash::Sha1);
const SERVER_FIRST: &[u8] = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const SERVER_FINAL: &[u8] = b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

#[test]
fn rfc5802_5_the_example_and_what_it_leaves_behind() {
    let offer = Offer::default();
    let (exchange, first) = begun(SCRAM, Credentials::Password(secret("pencil")));
    assert_eq!(first, b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    assert_eq!(exchange.mechanism(), SCRAM);
    let (exchange, next) = exchange.challenge(SERVER_FIRST, &offer).unwrap();
    let Next::Derive(request) = next else {
        panic!("no key is asked for");
    };
    let (exchange, last) = exchange.derived(&derive(&request)).unwrap();
    assert_eq!(exchange.mechanism(), SCRAM);
    let keys = exchange.success(Some(SERVER_FINAL)).unwrap().unwrap();

    // RFC 6120 §6.4.5: the server's last message in a challenge, and the keys in place of the password.
    let account = account();
    for credentials in [Credentials::Keys(keys.clone()), Credentials::Password(secret("pencil"))] {
        let (exchange, _) = Exchange::start(Start {
            cached: Some(keys.clone()),
            ..start(SCRAM, credentials, &account)
        })
        .unwrap();
        let (exchange, next) = exchange.challenge(SERVER_FIRST, &offer).unwrap();
        assert!(matches!(next, Next::Respond(data) if data == last));
        let (exchange, next) = exchange.challenge(SERVER_FINAL, &offer).unwrap();
        assert!(matches!(next, Next::Respond(data) if data.is_empty()));
        assert_eq!(exchange.success(Some(&[])).unwrap(), Some(keys.clone()));
    }

    // Cached keys that no account can have are as good as none.
    let (exchange, _) = Exchange::start(Start {
        cached: Some(ScramKeys {
            client_key: secret("short"),
            ..keys
        }),
        ..start(SCRAM, Credentials::Password(secret("pencil")), &account)
    })
    .unwrap();
    let (_, next) = exchange.challenge(SERVER_FIRST, &offer).unwrap();
    assert!(matches!(next, Next::Derive(_)));
}

#[test]
fn what_does_not_go_together_does_not_begin() {
    let account = account();
    let password = || Credentials::Password(secret("pencil"));
    let token = || Credentials::Token(secret("token"));
    let refused = |start: Start<'_>| code(Exchange::start(start));
    for (mechanism, credentials) in [
        (Mechanism::Anonymous, password()),
        (Mechanism::OauthBearer, password()),
        (Mechanism::Plain, token()),
        (SCRAM, token()),
        (SCRAM, Credentials::Anonymous),
        (Mechanism::Plain, Credentials::Keys(keys(Hash::Sha1))),
        (Mechanism::Scram(Hash::Sha256), Credentials::Keys(keys(Hash::Sha1))),
        // No channel binding is there.
        (PLUS, password()),
    ] {
        assert_eq!(
            refused(start(mechanism, credentials, &account)),
            Code::NoMechanism,
            "{mechanism:?}"
        );
    }
    // What was remembered is held to the policy as well.
    let under = |policy, mechanism, credentials| {
        refused(Start {
            policy,
            ..start(mechanism, credentials, &account)
        })
    };
    let (strict, insecure, pinned) = (
        Policy { plain: false, ..LAX },
        Policy { private: false, ..LAX },
        Policy { pinned: true, ..LAX },
    );
    assert_eq!(under(strict, Mechanism::Plain, password()), Code::NoMechanism);
    assert_eq!(under(insecure, Mechanism::Plain, password()), Code::NoMechanism);
    assert_eq!(under(insecure, Mechanism::OauthBearer, token()), Code::NoMechanism);
    assert_eq!(under(pinned, Mechanism::Plain, password()), Code::Downgrade);

    for credentials in [
        Credentials::Password(secret("")),
        Credentials::Password(secret("pen\x07cil")),
        Credentials::Keys(ScramKeys {
            salt: Vec::new(),
            ..keys(Hash::Sha1)
        }),
        Credentials::Keys(ScramKeys {
            iterations: 4095,
            ..keys(Hash::Sha1)
        }),
    ] {
        assert_eq!(refused(start(SCRAM, credentials, &account)), Code::InvalidArgument);
    }
    for text in ["", "a b", "a\x01b"] {
        let start = start(Mechanism::OauthBearer, Credentials::Token(secret(text)), &account);
        assert_eq!(refused(start), Code::InvalidArgument);
    }
}

#[test]
fn rfc5802_6_what_is_said_of_channel_binding() {
    let account = account();
    let channel = ChannelBinding {
        name: "tls-exporter".into(),
        data: b"data".to_vec(),
    };
    let offer = |names: &[&str]| Offer {
        mechanisms: names.iter().map(|name| (*name).to_owned()).collect(),
        bindings: None,
    };
    let (with, without) = (offer(&["SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"]), offer(&["SCRAM-SHA-1"]));
    let first = |mechanism, binding, offer| {
        let start = Start {
            binding,
            offer,
            ..start(mechanism, Credentials::Password(secret("pencil")), &account)
        };
        let (_, message) = Exchange::start(start).unwrap();
        let text = String::from_utf8(message).unwrap();
        text.strip_suffix("n=user,r=fyko+d2lbbFgONRv9qkxdawL")
            .unwrap()
            .to_owned()
    };
    // No data: a browser.
    assert_eq!(first(SCRAM, None, Some(&with)), "n,,");
    assert_eq!(first(SCRAM, None, Some(&without)), "n,,");
    assert_eq!(first(SCRAM, None, None), "n,,");
    // Data, and no offer to use them.
    assert_eq!(first(SCRAM, Some(&channel), Some(&without)), "y,,");
    assert_eq!(first(SCRAM, Some(&channel), None), "y,,");
    // Data, and an offer that can't be taken.
    assert_eq!(first(SCRAM, Some(&channel), Some(&with)), "n,,");
    assert_eq!(first(PLUS, Some(&channel), Some(&with)), "p=tls-exporter,,");

    let unsound = ChannelBinding {
        data: Vec::new(),
        ..channel
    };
    let start = Start {
        binding: Some(&unsound),
        ..start(PLUS, Credentials::Password(secret("pencil")), &account)
    };
    assert_eq!(code(Exchange::start(start)), Code::InvalidArgument);
}

#[test]
fn mechanisms_of_one_message_take_no_challenge_and_no_data() {
    let external = Credentials::External {
        authzid: Some(account()),
    };
    let offer = Offer::default();
    for (mechanism, credentials, message) in [
        (
            Mechanism::Plain,
            Credentials::Password(secret("pencil")),
            b"\0user\0pencil".as_slice(),
        ),
        (Mechanism::Anonymous, Credentials::Anonymous, b""),
        (Mechanism::External, external, b"user@example.org"),
    ] {
        let begin = || begun(mechanism, credentials.clone());
        assert_eq!(begin().1, message);
        assert_eq!(begin().0.success(None), Ok(None));
        assert_eq!(begin().0.success(Some(&[])), Ok(None));
        assert_eq!(code(begin().0.success(Some(b"v=x"))), Code::ProtocolViolation);
        assert_eq!(code(begin().0.challenge(b"", &offer)), Code::ProtocolViolation);
        assert_eq!(code(begin().0.derived(&secret("x"))), Code::Internal);
    }
}

/// RFC 7628 §3.2.2.
const REASON: &str = r#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}"#;

#[test]
fn rfc7628_3_2_3_an_error_is_answered_and_then_told() {
    let offer = Offer::default();
    let begin = || begun(Mechanism::OauthBearer, Credentials::Token(secret("token"))).0;
    assert_eq!(begin().success(None), Ok(None));
    assert_eq!(code(begin().success(Some(b"x"))), Code::ProtocolViolation);

    let refused = |data: &[u8]| {
        let (exchange, next) = begin().challenge(data, &offer).unwrap();
        assert!(matches!(next, Next::Respond(data) if data == [1]));
        exchange
    };
    let error = refused(REASON.as_bytes()).failure("not-authorized", Some("No.".into()));
    assert_eq!(
        (error.code(), error.condition()),
        (Code::NotAuthorized, Some("not-authorized"))
    );
    assert_eq!((error.phase(), error.text()), (Phase::Auth, Some(REASON)));
    // Without a reason, or without the detour, there is what the failure itself says.
    for exchange in [begin(), refused(b"")] {
        let error = exchange.failure("not-authorized", Some("No.".into()));
        assert_eq!((error.code(), error.text()), (Code::NotAuthorized, Some("No.")));
    }
    // Other conditions are what they are.
    let error = refused(REASON.as_bytes()).failure("temporary-auth-failure", None);
    assert!(error.retryable() && error.text() == Some(REASON));

    // It is over: neither another challenge nor a success changes that.
    assert_eq!(code(refused(b"{}").challenge(b"{}", &offer)), Code::ProtocolViolation);
    assert_eq!(code(refused(b"{}").success(None)), Code::ProtocolViolation);
}

#[test]
fn rfc7628_3_2_2_what_is_kept_of_an_error_is_bounded() {
    for data in [
        vec![b'x'; 1_000_000],
        "ä".repeat(100_000).into_bytes(),
        [b"y".as_slice(), &"ä".repeat(100_000).into_bytes()].concat(),
        vec![0xff; 100_000],
    ] {
        let (exchange, _) = begun(Mechanism::OauthBearer, Credentials::Token(secret("token")))
            .0
            .challenge(&data, &Offer::default())
            .unwrap();
        let error = exchange.failure("not-authorized", None);
        let text = error.text().unwrap();
        assert!((MAX_REASON - 3..=MAX_REASON).contains(&text.len()), "{}", text.len());
    }
}

#[test]
fn success_counts_only_at_the_end_of_scram() {
    let offer = Offer::default();
    let begin = || begun(SCRAM, Credentials::Password(secret("pencil"))).0;
    let deriving = || begin().challenge(SERVER_FIRST, &offer).unwrap();
    let answered = || {
        let (exchange, next) = deriving();
        let Next::Derive(request) = next else {
            panic!("no key is asked for");
        };
        exchange.derived(&derive(&request)).unwrap().0
    };
    for data in [None, Some([].as_slice()), Some(SERVER_FINAL)] {
        assert_eq!(code(begin().success(data)), Code::ServerSignature);
        assert_eq!(code(deriving().0.success(data)), Code::ServerSignature);
    }
    assert_eq!(code(answered().success(None)), Code::ServerSignature);
    assert_eq!(code(answered().success(Some(&[]))), Code::ServerSignature);
    assert_eq!(code(answered().success(Some(b"v=AAAA"))), Code::ServerSignature);
    assert_eq!(code(answered().challenge(b"v=AAAA", &offer)), Code::ServerSignature);
    assert_eq!(
        code(deriving().0.challenge(SERVER_FIRST, &offer)),
        Code::ProtocolViolation
    );
    let (verified, _) = answered().challenge(SERVER_FINAL, &offer).unwrap();
    assert_eq!(code(verified.success(Some(SERVER_FINAL))), Code::ProtocolViolation);
    assert_eq!(code(begin().derived(&secret("x"))), Code::Internal);
    assert!(answered().success(Some(SERVER_FINAL)).unwrap().is_some());
}

#[test]
fn kept_keys_that_no_longer_fit_end_the_exchange() {
    let (exchange, _) = begun(SCRAM, Credentials::Keys(keys(Hash::Sha1)));
    let error = exchange.challenge(SERVER_FIRST, &Offer::default()).unwrap_err();
    assert_eq!((error.code(), error.phase()), (Code::KeysOutdated, Phase::Auth));
    // A server that asks for less than the keys were made with is found out before that.
    let (exchange, _) = begun(SCRAM, Credentials::Keys(keys(Hash::Sha1)));
    let weak = b"r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXC,i=1";
    assert_eq!(code(exchange.challenge(weak, &Offer::default())), Code::Downgrade);
}

#[test]
fn no_exchange_prints_a_secret() {
    for (mechanism, credentials) in [
        (SCRAM, Credentials::Password(secret("pencil"))),
        (SCRAM, Credentials::Keys(keys(Hash::Sha1))),
        (Mechanism::OauthBearer, Credentials::Token(secret("pencil"))),
    ] {
        let account = account();
        let start = start(mechanism, credentials, &account);
        let shown = format!("{start:?}");
        assert!(!shown.contains("112") && !shown.contains("pencil"), "{shown}");
        let shown = format!("{:?}", Exchange::start(start).unwrap().0);
        assert!(!shown.contains("112") && !shown.contains("pencil"), "{shown}");
    }
}
