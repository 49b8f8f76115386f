//! Finding the endpoint: RFC 7395 §4, XEP-0156.

use crate::pair::{JID, Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Config, Fetched, Reply};
use stanzawire::error::{Code, Phase};
use stanzawire::session::Status;

const XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
    <Link rel='urn:xmpp:alt-connections:websocket' href='wss://one.example.org/ws'/>\
    <Link rel='urn:xmpp:alt-connections:websocket' href='wss://two.example.org/ws'/></XRD>";

fn discovering() -> Config {
    let mut config = config();
    config.session.url = None;
    config
}

fn found(pair: &mut Pair, body: &str) {
    pair.fetched(Fetched::Response { status: 200, body });
}

#[test]
fn xep0156_an_endpoint_is_found_and_used() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    assert_eq!(
        pair.fetch.as_ref().unwrap().1,
        "https://example.org/.well-known/host-meta"
    );
    assert_eq!(pair.socket, None);
    found(&mut pair, XRD);
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://one.example.org/ws");
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(pair.engine.jid().as_str(), JID);
}

#[test]
fn xep0156_endpoints_are_tried_one_after_another() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    pair.close_socket();
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://two.example.org/ws");
    assert!(pair.is_open(call));
    pair.close_socket();
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::SocketFailed, Phase::Socket));

    // One that is silent gets its share of the time, and no more.
    let call = pair.connect();
    found(&mut pair, XRD);
    pair.advance(10_000);
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://two.example.org/ws");
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn xep0156_a_refused_account_is_not_tried_elsewhere() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    pair.receive("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
    assert_eq!(pair.error(call).code(), Code::NotAuthorized);
    assert_eq!(pair.socket, None);
}

#[test]
fn xep0156_errors_say_what_it_was() {
    let response = |status, body| Fetched::Response { status, body };
    for (outcome, code, retryable) in [
        (Fetched::Failed, Code::DiscoveryNetwork, true),
        (Fetched::TooLarge, Code::DiscoveryParse, false),
        (response(404, ""), Code::DiscoveryHttp, false),
        (response(503, ""), Code::DiscoveryHttp, true),
        (response(200, "{}"), Code::DiscoveryParse, false),
        (response(200, "<!DOCTYPE XRD []><XRD/>"), Code::DiscoveryParse, false),
        (
            response(200, "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>"),
            Code::DiscoveryNoLink,
            false,
        ),
        (
            response(
                200,
                "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
                 <Link rel='urn:xmpp:alt-connections:websocket' href='ws://example.org/'/></XRD>",
            ),
            Code::Insecure,
            false,
        ),
    ] {
        let mut pair = Pair::new(discovering());
        let call = pair.connect();
        pair.fetched(outcome);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase(), error.retryable()),
            (code, Phase::Discovery, retryable)
        );
        assert!(!error.hint().is_empty());
        assert_eq!(
            (pair.engine.status(), pair.engine.next_deadline()),
            (Status::Offline, None)
        );
        // The client can try again.
        pair.connect();
        found(&mut pair, XRD);
        assert!(pair.socket.is_some());
    }
}

#[test]
fn unencrypted_ways_are_refused_before_anything_is_sent() {
    let mut config = config();
    config.session.url = Some("ws://example.org/".into());
    let mut pair = Pair::new(config);
    let call = pair.connect();
    assert_eq!(pair.error(call).code(), Code::Insecure);
    assert_eq!(pair.socket, None);

    let mut config = discovering();
    config.session.host_meta = Some("http://example.org".into());
    let mut pair = Pair::new(config);
    let call = pair.connect();
    assert_eq!(pair.error(call).code(), Code::Insecure);
    assert_eq!(pair.fetch, None);
}

#[test]
fn a_login_is_bounded_in_time_in_every_phase() {
    // During discovery.
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    pair.advance(30_000);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Timeout, Phase::Discovery));
    assert_eq!(pair.fetch, None, "the fetch is cancelled");

    // While the socket opens.
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.advance(30_000);
    assert_eq!(
        (pair.error(call).code(), pair.error(call).phase()),
        (Code::Timeout, Phase::Socket)
    );
    assert_eq!(pair.socket, None);

    // During authentication.
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    pair.advance(30_000);
    assert_eq!(
        (pair.error(call).code(), pair.error(call).phase()),
        (Code::Timeout, Phase::Auth)
    );
    assert_eq!((pair.socket, pair.engine.next_deadline()), (None, None));
}

#[test]
fn a_person_at_a_dialog_is_not_the_endpoints_slowness() {
    let mut config = discovering();
    config.session.credentials = stanzawire::session::CredentialSource::Ask;
    let mut pair = Pair::new(config);
    pair.connect();
    found(&mut pair, XRD);
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    pair.advance(25_000);
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://one.example.org/ws");
}
