//! Keys that stand for a password: what `scramKeys` and the `credentials` event are made of.

use crate::pair::{JID, Pair, config, password};
use crate::server::{Fault, Scram};
use stanzawire::engine::{Event, Input, Reply, Ticket};
use stanzawire::error::{Code, Phase};
use stanzawire::sasl::{Credentials, Hash, ScramKeys, Secret};
use stanzawire::session::{CredentialSource, Status};

fn keys_of(pair: &Pair) -> Vec<ScramKeys> {
    let keys = |event: &Event| match event {
        Event::Credentials(keys) => Some(keys.clone()),
        _ => None,
    };
    pair.events.iter().filter_map(keys).collect()
}

/// What a login with the password leaves behind.
fn left() -> ScramKeys {
    let pair = Pair::online();
    let keys = keys_of(&pair);
    assert_eq!(keys.len(), 1);
    keys[0].clone()
}

fn connecting(source: CredentialSource) -> (Pair, Ticket) {
    let mut config = config();
    config.session.credentials = source;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    (pair, call)
}

fn outdated() -> ScramKeys {
    ScramKeys {
        iterations: 5_000,
        ..left()
    }
}

#[test]
fn rfc5802_3_keys_log_in_without_the_password() {
    let keys = left();
    assert_eq!((keys.hash, keys.iterations), (Hash::Sha1, 4096));
    let (mut pair, call) = connecting(CredentialSource::Fixed(Credentials::Keys(keys)));
    let auth = pair.element();
    let mut scram = Scram::new("secret");
    let challenge = scram.challenge(&auth.text(), &Fault::None);
    pair.receive(&challenge);
    assert_eq!(pair.derive, None, "there is nothing to derive");
    let response = pair.element();
    let success = scram.success(&response.text(), &Fault::None);
    pair.receive(&success);
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(keys_of(&pair), [], "who has keys needs none");
}

#[test]
fn a_changed_count_is_an_error_of_its_own() {
    let (mut pair, call) = connecting(CredentialSource::Fixed(Credentials::Keys(outdated())));
    let auth = pair.element();
    let challenge = Scram::new("secret").challenge(&auth.text(), &Fault::None);
    pair.receive(&challenge);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::KeysOutdated, Phase::Auth));
    assert!(!error.retryable());
    assert_eq!(pair.socket, None);
    assert!(
        pair.sent.iter().all(|frame| !frame.starts_with("<response")),
        "no proof left"
    );
}

#[test]
fn the_password_is_asked_for_where_there_is_somebody_to_ask() {
    let (mut pair, call) = connecting(CredentialSource::Ask);
    let id = pair.asked.take().unwrap();
    assert_eq!(pair.asked_because, None);
    pair.handle(Input::Credentials {
        id,
        outcome: Ok(Credentials::Keys(outdated())),
    });
    let auth = pair.element();
    let challenge = Scram::new("secret").challenge(&auth.text(), &Fault::None);
    pair.receive(&challenge);
    assert!(pair.is_open(call));
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    let id = pair.asked.take().expect("asked again");
    assert_eq!(pair.asked_because.take().unwrap().code(), Code::KeysOutdated);
    let CredentialSource::Fixed(secret) = password("secret") else {
        unreachable!()
    };
    pair.handle(Input::Credentials {
        id,
        outcome: Ok(secret),
    });
    assert!(pair.authenticate(&Fault::None));
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(keys_of(&pair), [left()], "the new ones");
}

#[test]
fn it_is_asked_for_once() {
    let (mut pair, call) = connecting(CredentialSource::Ask);
    for round in 0..2 {
        let id = pair.asked.take().unwrap();
        pair.handle(Input::Credentials {
            id,
            outcome: Ok(Credentials::Keys(outdated())),
        });
        let auth = pair.element();
        let challenge = Scram::new("secret").challenge(&auth.text(), &Fault::None);
        pair.receive(&challenge);
        pair.sent.clear();
        if round == 0 {
            pair.open_socket();
            pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        }
    }
    assert_eq!(pair.error(call).code(), Code::KeysOutdated);
    assert_eq!((pair.engine.status(), pair.asked), (Status::Offline, None));
}

#[test]
fn keys_of_another_mechanism_are_outdated() {
    let keys = ScramKeys {
        hash: Hash::Sha256,
        client_key: Secret::new(vec![1; 32]),
        server_key: Secret::new(vec![2; 32]),
        ..left()
    };
    let (pair, call) = connecting(CredentialSource::Fixed(Credentials::Keys(keys)));
    assert_eq!(pair.error(call).code(), Code::KeysOutdated);
}

#[test]
fn the_password_is_asked_for_where_the_keys_are_refused() {
    // A new password with the salt and the count of the old one.
    let stale = ScramKeys {
        client_key: Secret::new(vec![1; 20]),
        ..left()
    };
    let (mut pair, call) = connecting(CredentialSource::Ask);
    let id = pair.asked.take().unwrap();
    pair.handle(Input::Credentials {
        id,
        outcome: Ok(Credentials::Keys(stale)),
    });
    let auth = pair.element();
    let mut scram = Scram::new("secret");
    let challenge = scram.challenge(&auth.text(), &Fault::None);
    pair.receive(&challenge);
    let response = pair.element();
    let refusal = scram.success(&response.text(), &Fault::None);
    assert!(refusal.contains("not-authorized"));
    pair.receive(&refusal);
    assert!(pair.is_open(call));
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.asked.is_some(), "asked again");
    assert_eq!(pair.asked_because.take().unwrap().code(), Code::NotAuthorized);
    // Whose password is wrong is told so.
    let id = pair.asked.take().unwrap();
    let CredentialSource::Fixed(wrong) = password("guess") else {
        unreachable!()
    };
    pair.handle(Input::Credentials { id, outcome: Ok(wrong) });
    assert!(!pair.authenticate(&Fault::None));
    assert_eq!(pair.error(call).code(), Code::NotAuthorized);
}
