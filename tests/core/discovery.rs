//! Finding the endpoint: RFC 6415, RFC 7395 §4, XEP-0156.

mod remembered;

use crate::pair::{JID, Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Command, Config, Fetched, Reply, Ticket};
use stanzawire::error::{Code, Phase};
use stanzawire::session::Status;
use stanzawire::session::discovery::Source;

#[path = "../json_cases.rs"]
mod json_cases;

const XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
    <Link rel='urn:xmpp:alt-connections:websocket' href='wss://one.example.org/ws'/>\
    <Link rel='urn:xmpp:alt-connections:websocket' href='wss://two.example.org/ws'/></XRD>";
const JRD: &str = r#"{"links":[
    {"rel":"urn:xmpp:alt-connections:websocket","href":"wss://three.example.org/ws"},
    {"rel":"urn:xmpp:alt-connections:websocket","href":"wss://four.example.org/ws"}]}"#;
const EMPTY_XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>";
const INSECURE_XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
    <Link rel='urn:xmpp:alt-connections:websocket' href='ws://example.org/'/></XRD>";
const INSECURE_JRD: &str = r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"ws://example.org/"}]}"#;

fn discovering() -> Config {
    let mut config = config();
    config.session.url = None;
    config
}

fn response(status: u16, body: &str) -> Fetched<'_> {
    Fetched::Response { status, body }
}

fn found(pair: &mut Pair, body: &str) {
    pair.xrd(response(200, body));
}

/// Where the client wants its socket to.
fn dialled(pair: &Pair) -> &str {
    let (_, url) = pair.socket.as_ref().expect("the client has a socket");
    url
}

fn logs_in(pair: &mut Pair, call: Ticket) {
    pair.sent.clear();
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

fn log_out(pair: &mut Pair) {
    pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert_eq!(pair.engine.status(), Status::Offline);
    pair.sent.clear();
}

fn discover(pair: &mut Pair, timeout: Option<u64>) -> Ticket {
    pair.call(Command::Discover { timeout })
}

#[test]
fn xep0156_an_endpoint_is_found_and_used() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    let asked: Vec<&str> = pair.fetches.iter().map(|(_, url)| url.as_str()).collect();
    assert_eq!(
        asked,
        [
            "https://example.org/.well-known/host-meta",
            "https://example.org/.well-known/host-meta.json"
        ]
    );
    assert_eq!(pair.socket, None);
    found(&mut pair, XRD);
    assert_eq!(dialled(&pair), "wss://one.example.org/ws");
    logs_in(&mut pair, call);
    assert_eq!(pair.engine.jid().as_str(), JID);
}

#[test]
fn rfc6415_3_the_first_usable_answer_wins_and_the_other_is_dropped() {
    let mut pair = Pair::new(discovering());
    pair.connect();
    let (late, _) = pair.fetches[1].clone();
    found(&mut pair, XRD);
    assert_eq!(dialled(&pair), "wss://one.example.org/ws");
    assert_eq!(pair.fetches, [], "the JSON is cancelled");
    // What comes of it all the same changes nothing.
    let generation = pair.generation();
    pair.handle(stanzawire::engine::Input::Fetched {
        id: late,
        outcome: response(200, JRD),
    });
    assert_eq!(pair.generation(), generation);

    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    pair.jrd(response(200, JRD));
    assert_eq!(dialled(&pair), "wss://three.example.org/ws");
    assert_eq!(pair.fetches, [], "the XRD is cancelled");
    logs_in(&mut pair, call);
}

#[test]
fn rfc6415_3_where_one_document_fails_the_other_is_waited_for() {
    for outcome in [0, 1, 2, 3, 4, 5] {
        let outcome = || match outcome {
            0 => Fetched::Failed,
            1 => Fetched::TooLarge,
            2 => response(404, XRD),
            3 => response(200, "<!doctype html>"),
            4 => response(200, EMPTY_XRD),
            _ => response(200, INSECURE_XRD),
        };
        let mut pair = Pair::new(discovering());
        let call = pair.connect();
        pair.xrd(outcome());
        assert!(pair.is_open(call) && pair.socket.is_none() && pair.fetches.len() == 1);
        pair.jrd(response(200, JRD));
        assert_eq!(dialled(&pair), "wss://three.example.org/ws");

        let mut pair = Pair::new(discovering());
        let call = pair.connect();
        pair.jrd(outcome());
        assert!(pair.is_open(call) && pair.socket.is_none() && pair.fetches.len() == 1);
        found(&mut pair, XRD);
        assert_eq!(dialled(&pair), "wss://one.example.org/ws");
    }
}

#[test]
fn rfc6415_a_the_table_of_json_documents_holds() {
    let failures = json_cases::failures();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn xep0156_endpoints_are_tried_one_after_another() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    pair.close_socket();
    assert_eq!(dialled(&pair), "wss://two.example.org/ws");
    assert!(pair.is_open(call));
    pair.close_socket();
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::SocketFailed, Phase::Socket));

    // One that is silent gets its share of the time, and no more.
    let call = pair.connect();
    found(&mut pair, XRD);
    pair.advance(10_000);
    assert_eq!(dialled(&pair), "wss://two.example.org/ws");
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
    for (xrd, jrd, code, retryable) in [
        (Fetched::Failed, Fetched::Failed, Code::DiscoveryNetwork, true),
        (Fetched::TooLarge, Fetched::TooLarge, Code::DiscoveryParse, false),
        (response(404, ""), response(404, ""), Code::DiscoveryHttp, false),
        (response(503, ""), response(429, ""), Code::DiscoveryHttp, true),
        (response(200, "{}"), response(200, "<a/>"), Code::DiscoveryParse, false),
        (
            response(200, "<!DOCTYPE XRD []><XRD/>"),
            response(200, "[]"),
            Code::DiscoveryParse,
            false,
        ),
        (
            response(200, EMPTY_XRD),
            response(200, "{}"),
            Code::DiscoveryNoLink,
            false,
        ),
        (
            response(200, INSECURE_XRD),
            response(200, INSECURE_JRD),
            Code::Insecure,
            false,
        ),
    ] {
        let mut pair = Pair::new(discovering());
        let call = pair.connect();
        pair.xrd(xrd);
        assert!(pair.is_open(call));
        pair.jrd(jrd);
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
fn xep0156_where_both_fail_the_more_telling_error_is_told_and_the_words_of_each() {
    // Each tells more than those before it.
    let order = [
        (Code::DiscoveryNetwork, "could not be fetched (network or CORS"),
        (Code::DiscoveryHttp, "answered with HTTP status 404"),
        (Code::DiscoveryParse, "is larger than any host-meta should be"),
        (Code::DiscoveryNoLink, "names no WebSocket endpoint"),
        (Code::Insecure, "names only unencrypted WebSocket endpoints (ws:)"),
    ];
    let outcome = |code, json| match (code, json) {
        (Code::DiscoveryNetwork, _) => Fetched::Failed,
        (Code::DiscoveryHttp, _) => response(404, ""),
        (Code::DiscoveryParse, _) => Fetched::TooLarge,
        (Code::DiscoveryNoLink, false) => response(200, EMPTY_XRD),
        (Code::DiscoveryNoLink, true) => response(200, "{}"),
        (_, false) => response(200, INSECURE_XRD),
        (_, true) => response(200, INSECURE_JRD),
    };
    for (less, (one, said)) in order.into_iter().enumerate() {
        for (more, (other, also_said)) in order.into_iter().enumerate() {
            let mut pair = Pair::new(discovering());
            let call = pair.connect();
            // In either order.
            if (less + more) % 2 == 0 {
                pair.jrd(outcome(other, true));
                pair.xrd(outcome(one, false));
            } else {
                pair.xrd(outcome(one, false));
                pair.jrd(outcome(other, true));
            }
            let error = pair.error(call);
            assert_eq!(error.code(), order[less.max(more)].0);
            let network = less.min(more) == 0;
            assert_eq!(
                error.retryable(),
                network,
                "another try may reach what this one did not"
            );
            let message = error.message();
            let (first, second) = message.split_once("; ").unwrap();
            assert!(
                first.starts_with("the domain's host-meta ") && first.contains(said),
                "{message}"
            );
            if less == more {
                assert_eq!(second, "the same goes for its host-meta.json");
            } else {
                assert!(
                    second.starts_with("its host-meta.json ") && second.contains(also_said),
                    "{message}"
                );
            }
        }
    }

    // Of two statuses, the one that may pass.
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    pair.xrd(response(404, ""));
    pair.jrd(response(503, ""));
    let error = pair.error(call);
    assert!(error.retryable() && error.hint().contains("later"), "{}", error.hint());
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
    assert_eq!(pair.fetches, []);
}

#[test]
fn a_login_is_bounded_in_time_in_every_phase() {
    // During discovery.
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    pair.advance(30_000);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Timeout, Phase::Discovery));
    assert_eq!(pair.fetches, [], "the fetches are cancelled");

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
    assert_eq!(dialled(&pair), "wss://one.example.org/ws");
}

#[test]
fn discover_tells_the_endpoints_and_connects_to_none() {
    for (xrd, source, urls) in [
        (
            true,
            Source::Xrd,
            ["wss://one.example.org/ws", "wss://two.example.org/ws"],
        ),
        (
            false,
            Source::Json,
            ["wss://three.example.org/ws", "wss://four.example.org/ws"],
        ),
    ] {
        let mut pair = Pair::new(discovering());
        let call = discover(&mut pair, None);
        assert_eq!(pair.fetches.len(), 2);
        assert_eq!(pair.engine.next_deadline(), Some(pair.now.after(30_000)));
        match xrd {
            true => pair.xrd(response(200, XRD)),
            false => pair.jrd(response(200, JRD)),
        }
        let Ok(Reply::Endpoints(endpoints)) = pair.reply(call) else {
            panic!("{:?}", pair.reply(call));
        };
        let told: Vec<_> = endpoints
            .iter()
            .map(|endpoint| (endpoint.url.as_str(), endpoint.source))
            .collect();
        assert_eq!(told, urls.map(|url| (url, source)));
        // Nothing is left behind.
        assert_eq!((&pair.socket, &pair.fetches), (&None, &Vec::new()));
        assert_eq!(pair.engine.next_deadline(), None);
        assert!(pair.statuses().is_empty());
    }
}

#[test]
fn discover_fails_as_a_login_does() {
    let mut pair = Pair::new(discovering());
    let call = discover(&mut pair, None);
    pair.xrd(response(404, ""));
    pair.jrd(response(200, INSECURE_JRD));
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Insecure, Phase::Discovery));

    let call = discover(&mut pair, Some(100));
    pair.advance(100);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Timeout, Phase::Discovery));
    assert_eq!((&pair.fetches, pair.engine.next_deadline()), (&Vec::new(), None));

    let call = discover(&mut pair, None);
    pair.abort(call);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Aborted, Phase::Discovery));
    assert_eq!((&pair.fetches, pair.engine.next_deadline()), (&Vec::new(), None));

    // One thing at a time.
    let call = discover(&mut pair, None);
    let login = pair.connect();
    assert_eq!(pair.error(login).code(), Code::InvalidState);
    let again = discover(&mut pair, None);
    assert_eq!(pair.error(again).code(), Code::InvalidState);
    let logout = pair.call(Command::Disconnect);
    assert_eq!(pair.reply(logout), Ok(Reply::Done));
    assert_eq!(pair.error(call).code(), Code::Aborted);
    assert_eq!((&pair.fetches, pair.engine.next_deadline()), (&Vec::new(), None));

    let mut config = discovering();
    config.session.host_meta = Some("http://example.org".into());
    let mut pair = Pair::new(config);
    let call = discover(&mut pair, None);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Insecure, Phase::Discovery));
    assert_eq!((&pair.fetches, pair.engine.next_deadline()), (&Vec::new(), None));
}
