//! A server that wants the stream elsewhere: RFC 7395 §3.6.1.

use crate::pair::{Pair, config};
use crate::server::Fault;
use stanzawire::engine::Reply;
use stanzawire::error::{Code, Phase};
use stanzawire::session::Status;

fn close_to(uri: &str) -> String {
    format!("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='{uri}'/>")
}

fn at(pair: &Pair) -> Option<&str> {
    pair.socket.as_ref().map(|(_, url)| url.as_str())
}

#[test]
fn rfc7395_3_6_1_follows_see_other_uri() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    pair.element();
    pair.receive(&close_to("wss://b.example.org/ws"));
    assert!(pair.element().is("close", "urn:ietf:params:xml:ns:xmpp-framing"));
    assert_eq!(at(&pair), Some("wss://b.example.org/ws"));
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn rfc7395_3_6_1_follows_see_other_uri_from_a_session() {
    let mut pair = Pair::online();
    pair.receive(&close_to("wss://b.example.org/ws"));
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    pair.advance(1_000);
    assert_eq!(at(&pair), Some("wss://b.example.org/ws"));
    // Where that leads nowhere, the endpoint of old is as good as ever.
    pair.close_socket();
    pair.advance(3_000);
    assert_eq!(at(&pair), Some("wss://example.org/ws"));
    pair.sent.clear();
    pair.open_socket();
    pair.sent.clear();
    assert_eq!(pair.engine.status(), Status::Reconnecting);
}

#[test]
fn rfc7395_3_6_1_never_from_wss_to_ws() {
    for uri in [
        "ws://example.org/ws",
        "ws://localhost/ws",
        "http://example.org/bosh",
        "https://example.org/bosh",
    ] {
        let mut pair = Pair::new(config());
        let call = pair.connect();
        pair.open_socket();
        pair.receive(&close_to(uri));
        let error = pair.error(call);
        let code = if uri.starts_with("https") {
            Code::ProtocolViolation
        } else {
            Code::Insecure
        };
        assert_eq!(error.code(), code, "{uri}");
        assert_eq!((at(&pair), pair.engine.status()), (None, Status::Offline), "{uri}");

        // Nor from a session.
        let mut pair = Pair::online();
        pair.receive(&close_to(uri));
        assert_eq!(pair.engine.status(), Status::Reconnecting);
        pair.advance(1_000);
        assert_eq!(at(&pair), Some("wss://example.org/ws"), "{uri}");
    }
}

#[test]
fn rfc7395_3_6_1_hops_are_bounded() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    let mut hops = 0;
    while pair.is_open(call) {
        hops += 1;
        assert!(hops < 100, "it goes on for ever");
        pair.open_socket();
        pair.sent.clear();
        pair.receive(&close_to(["wss://a.example.org/", "wss://b.example.org/"][hops % 2]));
    }
    assert_eq!(hops, 6);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Stream));
    assert_eq!((at(&pair), pair.engine.next_deadline()), (None, None));
}

#[test]
fn a_password_is_not_handed_to_where_the_server_leads() {
    for (uri, handed) in [
        ("wss://example.org:8443/", true),
        ("wss://chat.example.org/", true),
        ("wss://example.com/", false),
    ] {
        let mut config = config();
        config.session.allow_plain = true;
        let mut pair = Pair::new(config);
        let call = pair.connect();
        pair.open_socket();
        pair.element();
        pair.receive(&close_to(uri));
        pair.element();
        pair.open_socket();
        pair.greet("<mechanism>PLAIN</mechanism>");
        assert_eq!(pair.is_open(call), handed, "{uri}");
        if !handed {
            assert_eq!(pair.error(call).code(), Code::NoMechanism);
        }
    }
}
