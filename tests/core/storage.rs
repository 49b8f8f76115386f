//! What outlives a client: the pin that keeps PLAIN away, and what is known of the server.

use crate::pair::{Pair, config, password};
use crate::server::Fault;
use stanzawire::engine::{Config, Input, Reply, Ticket};
use stanzawire::error::Code;
use stanzawire::jid::Jid;
use stanzawire::sasl::Credentials;
use stanzawire::session::{CredentialSource, Status};

const KEY: &str = "stanzawire:alice@example.org";

fn storing() -> Config {
    let mut config = config();
    config.session.storage = true;
    config.session.allow_plain = true;
    config
}

/// A client that is about to log in, with what its store gave it.
fn with(config: Config, kept: Option<&str>) -> (Pair, Ticket) {
    let mut pair = Pair::new(config);
    let call = pair.connect();
    assert_eq!(pair.socket, None, "not before the store has answered");
    let (id, key) = pair.load.take().expect("the store is asked");
    assert_eq!(key, KEY);
    pair.handle(Input::Loaded { id, value: kept });
    (pair, call)
}

/// What a client that has logged in by SCRAM leaves behind.
fn left_by_scram() -> String {
    let (mut pair, call) = with(storing(), None);
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    let (key, value) = pair.stored.pop().expect("something is kept");
    assert_eq!((key.as_str(), pair.stored.len()), (KEY, 0));
    let value = value.unwrap();
    assert!(!value.contains("secret"));
    value
}

#[test]
fn plain_is_refused_once_the_account_has_logged_in_by_scram() {
    let (mut pair, call) = with(storing(), Some(&left_by_scram()));
    pair.open_socket();
    // The server is known: the client begins at once, and nothing is offered that fits.
    pair.sent.clear();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>");
    let features = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms \
                    xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
    pair.receive(features);
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>PLAIN</mechanism>");
    assert_eq!(pair.error(call).code(), Code::Downgrade);
    assert_eq!(pair.socket, None);
    assert!(pair.sent.iter().all(|frame| !frame.starts_with("<auth")));
}

#[test]
fn plain_is_refused_once_the_account_has_logged_in_by_external() {
    let mut external = storing();
    external.session.credentials = CredentialSource::Fixed(Credentials::External { authzid: None });
    let (mut pair, call) = with(external, None);
    pair.open_socket();
    pair.greet("<mechanism>EXTERNAL</mechanism>");
    pair.element();
    pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(crate::pair::JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    let (_, kept) = pair.stored.pop().unwrap();
    let (mut pair, call) = with(storing(), kept.as_deref());
    pair.open_socket();
    pair.greet("<mechanism>PLAIN</mechanism>");
    assert_eq!(pair.error(call).code(), Code::Downgrade);
}

#[test]
fn the_same_client_remembers_without_a_store() {
    let mut config = config();
    config.session.allow_plain = true;
    let mut pair = Pair::online_with(config);
    assert_eq!(pair.load, None);
    assert!(pair.stored.is_empty());
    pair.close_socket();
    pair.advance(1_000);
    pair.open_socket();
    pair.sent.clear();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>");
    pair.receive(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms \
         xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
    );
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>PLAIN</mechanism>");
    assert_eq!(pair.engine.status(), Status::Offline, "a downgrade is not tried again");
}

#[test]
fn plain_alone_pins_nothing() {
    let (mut pair, call) = with(storing(), None);
    pair.open_socket();
    pair.greet("<mechanism>PLAIN</mechanism>");
    pair.element();
    pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(crate::pair::JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    let (_, kept) = pair.stored.pop().unwrap();
    let (mut pair, _) = with(storing(), kept.as_deref());
    pair.open_socket();
    pair.greet("<mechanism>PLAIN</mechanism>");
    assert_eq!(pair.element().attr("mechanism"), Some("PLAIN"));
}

#[test]
fn a_client_that_was_loaded_again_hurries_as_well() {
    let (mut pair, _) = with(storing(), Some(&left_by_scram()));
    pair.open_socket();
    assert_eq!(pair.sent.len(), 2, "header and first message: {:?}", pair.sent);
}

#[test]
fn a_store_that_fails_or_says_anything_costs_nothing_but_haste() {
    for kept in [
        None,
        Some(""),
        Some("garbage"),
        Some("1 pipelining SCRAM-SHA-1 "),
        Some("1 pipelining X wss://example.org/ws"),
    ] {
        let (mut pair, call) = with(storing(), kept);
        pair.open_socket();
        pair.login(&Fault::None);
        assert_eq!(pair.reply(call), Ok(Reply::Done), "{kept:?}");
    }
    // One that is silent is waited for no longer than two seconds, and may speak as late as it likes.
    let mut pair = Pair::new(storing());
    let call = pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.advance(2_000);
    pair.open_socket();
    pair.handle(Input::Loaded {
        id,
        value: Some("1 pinned"),
    });
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn a_login_can_be_given_up_while_the_store_is_asked() {
    let mut pair = Pair::new(storing());
    let call = pair.connect();
    pair.abort(call);
    assert_eq!(pair.error(call).code(), Code::Aborted);
    assert_eq!(
        (pair.engine.status(), pair.engine.next_deadline()),
        (Status::Offline, None)
    );
    let call = pair.connect();
    let end = pair.call(stanzawire::engine::Command::Disconnect);
    assert_eq!(pair.error(call).code(), Code::Aborted);
    assert_eq!(pair.reply(end), Ok(Reply::Done));
    // Once asked, it isn't asked again.
    let call = pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(Input::Loaded { id, value: None });
    pair.close_socket();
    assert!(!pair.is_open(call));
    pair.connect();
    assert_eq!(pair.load, None);
    assert!(pair.socket.is_some());
}

#[test]
fn an_account_has_a_record_of_its_own() {
    let mut config = storing();
    config.session.account = Jid::parse("Bob@example.org").unwrap();
    config.session.credentials = password("x");
    let mut pair = Pair::new(config);
    pair.connect();
    assert_eq!(pair.load.unwrap().1, "stanzawire:bob@example.org");
}
