//! What a server says that it takes, and for how long it waits: XEP-0478, and the keepalive of XEP-0199 §4.1.

use crate::pair::{JID, Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Config, Reply};
use stanzawire::error::{Code, Phase};
use stanzawire::session::Status;

/// A client on a server with these limits.
fn online(limits: &str, config: Config) -> Pair {
    let mut pair = Pair::new(config);
    let call = pair.connect();
    pair.open_socket();
    login(&mut pair, limits);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    pair
}

fn login(pair: &mut Pair, limits: &str) {
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart(&format!(
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><limits xmlns='urn:xmpp:stream-limits:0'>{limits}</limits>"
    ));
    pair.bind(JID);
    pair.take_first_stanzas();
}

#[test]
fn xep0478_4_what_is_too_large_is_refused_here() {
    let mut pair = online("<max-bytes>1000</max-bytes>", config());
    let call = pair.send("bob@example.org", &"x".repeat(1_000));
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::TooLarge, Phase::Stanza));
    assert!(error.to_string().contains("no more than 1000"), "{error}");
    pair.nothing_sent();
    // In bytes, not in characters.
    let call = pair.send("bob@example.org", &"\u{1F600}".repeat(240));
    assert_eq!(pair.error(call).code(), Code::TooLarge);
    let call = pair.send("bob@example.org", "small");
    pair.element();
    pair.confirm();
    assert!(pair.reply(call).is_ok());
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn xep0478_4_what_was_queued_before_the_limit_was_known_is_refused_as_well() {
    let mut pair = online("", config());
    pair.close_socket();
    let large = pair.send("bob@example.org", &"x".repeat(1_000));
    let small = pair.send("bob@example.org", "small");
    pair.advance(1_000);
    pair.open_socket();
    login(&mut pair, "<max-bytes>1000</max-bytes>");
    assert_eq!(pair.error(large).code(), Code::TooLarge);
    assert!(pair.is_open(small));
    let message = pair.element();
    assert_eq!(message.child_text("body", "jabber:client").as_deref(), Some("small"));
}

#[test]
fn xep0478_3_1_idle_seconds_set_the_keepalive() {
    for (limits, silence) in [
        ("", 50_000),
        ("<idle-seconds>20</idle-seconds>", 15_000),
        ("<idle-seconds>0</idle-seconds>", 50_000),
        ("<idle-seconds>1</idle-seconds>", 3_000),
        ("<idle-seconds>1800</idle-seconds>", 50_000),
        ("<idle-seconds>4294967295</idle-seconds>", 50_000),
        ("<idle-seconds>many</idle-seconds>", 50_000),
    ] {
        let mut pair = online(limits, config());
        pair.advance(silence - 1);
        pair.nothing_sent();
        // What is said counts as a sign of life.
        pair.send("bob@example.org", "hi");
        pair.element();
        pair.confirm();
        pair.advance(silence - 1);
        pair.nothing_sent();
        for _ in 0..3 {
            pair.advance(1);
            let ping = pair.element();
            assert!(
                ping.child("ping", "urn:xmpp:ping").is_some(),
                "RFC 7395 §3.8: no white space"
            );
            assert_eq!(ping.attr("to"), Some("example.org"));
            pair.answer(&ping, "");
            pair.advance(silence - 1);
            pair.nothing_sent();
        }
    }
}

#[test]
fn xep0199_4_1_a_server_that_has_gone_is_noticed() {
    let mut config = config();
    config.session.silence = 3_000;
    let mut pair = online("", config);
    pair.advance(3_000);
    pair.element();
    pair.advance(4_799);
    assert_eq!(pair.engine.status(), Status::Online);
    pair.advance(1);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
}
