//! RFC 7395 §3.5 to §3.10: errors, ends, restarts, signs of life.

use super::{close, is_closed, message, open, told};
use crate::pair::{JID, Pair, config};
use crate::server::Fault;
use crate::stream::{FRAMING, condition, greeted_with, without_reconnection};
use stanzawire::engine::{Command, Event, Reply};
use stanzawire::error::{Code, Phase};
use stanzawire::session::Status;
use stanzawire::xml;

#[test]
fn rfc7395_3_5_a_stream_error_during_the_login() {
    let (pair, error) = greeted_with(&[
        &format!("<open xmlns='{FRAMING}' version='1.0'/>"),
        "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
         <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Never heard of it</text></stream:error>",
    ]);
    assert_eq!((error.code(), error.phase()), (Code::StreamError, Phase::Stream));
    assert_eq!(
        (error.condition(), error.text()),
        (Some("host-unknown"), Some("Never heard of it"))
    );
    assert!(!error.retryable());
    assert_eq!(pair.socket, None);
}

#[test]
fn rfc7395_3_5_a_stream_error_while_online() {
    let error = |condition: &str| {
        let mut pair = Pair::online();
        pair.receive(&format!(
            "<error xmlns='http://etherx.jabber.org/streams'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"
        ));
        // RFC 6120 §4.9.1.1: whoever receives it closes its side.
        assert!(is_closed(&mut pair), "{condition}");
        let status = |event: &Event| match event {
            Event::Status(status, Some(error)) => Some((*status, error.code(), error.condition()?.to_owned())),
            _ => None,
        };
        pair.events.iter().find_map(status).expect("the status says why")
    };
    let said = |status, condition: &str| (status, Code::StreamError, condition.to_owned());
    assert_eq!(error("system-shutdown"), said(Status::Reconnecting, "system-shutdown"));
    assert_eq!(error("policy-violation"), said(Status::Offline, "policy-violation"));
    assert_eq!(error("something-new"), said(Status::Offline, "something-new"));
}

#[test]
fn rfc7395_3_5_an_error_before_the_servers_header_counts_too() {
    let (mut pair, error) = greeted_with(&["<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
         <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"]);
    assert_eq!(
        (error.code(), error.condition()),
        (Code::StreamError, Some("host-unknown"))
    );
    assert!(is_closed(&mut pair));
}

#[test]
fn rfc7395_3_6_the_server_closes_during_the_login() {
    let (_, error) = greeted_with(&[&format!("<close xmlns='{FRAMING}'/>")]);
    assert_eq!((error.code(), error.phase()), (Code::Closed, Phase::Stream));

    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.close_socket();
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::SocketFailed, Phase::Socket));
    assert!(error.retryable());

    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    pair.close_socket();
    assert_eq!(pair.error(call).code(), Code::Closed);
}

#[test]
fn rfc7395_3_6_disconnecting_closes_the_stream_first() {
    let mut pair = Pair::online();
    let call = pair.call(Command::Disconnect);
    let unavailable = pair.element();
    assert_eq!(unavailable.attr("type"), Some("unavailable"), "RFC 6121 §4.5.2");
    assert!(pair.element().is("close", FRAMING));
    assert!(pair.is_open(call));
    // What was on its way still counts.
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x' type='chat'><body>late</body></message>");
    assert_eq!(pair.messages().len(), 1);
    pair.receive(&format!("<close xmlns='{FRAMING}'/>"));
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(pair.socket, None);
    assert_eq!(pair.engine.status(), Status::Offline);
    pair.nothing_sent();
    assert_eq!(pair.engine.next_deadline(), None);
}

#[test]
fn rfc7395_3_6_waiting_for_the_servers_close_is_bounded() {
    let mut pair = Pair::online();
    let first = pair.call(Command::Disconnect);
    let second = pair.call(Command::Disconnect);
    pair.advance(2_999);
    assert!(pair.is_open(first) && pair.is_open(second));
    pair.advance(1);
    assert_eq!(
        (pair.reply(first), pair.reply(second)),
        (Ok(Reply::Done), Ok(Reply::Done))
    );
    assert_eq!(pair.socket, None);
}

#[test]
fn rfc7395_3_6_the_server_closes_while_online() {
    let mut pair = Pair::online();
    pair.receive(&close());
    assert!(is_closed(&mut pair), "answered by ours");
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    let mut pair = Pair::online_with(without_reconnection());
    pair.receive(&close());
    assert_eq!(
        (told(&pair), pair.engine.status()),
        (vec![Code::Closed], Status::Offline)
    );
}

#[test]
fn rfc7395_3_6_a_broken_socket_closes_the_stream() {
    let mut pair = Pair::online_with(without_reconnection());
    let sent = pair.send("bob@example.org", "1");
    let asked = pair.iq(None);
    pair.sent.clear();
    pair.close_socket();
    pair.nothing_sent();
    assert_eq!(pair.engine.status(), Status::Offline);
    assert_eq!(told(&pair), [Code::Closed]);
    assert_eq!(pair.error(sent).code(), Code::DeliveryUnknown);
    assert_eq!(pair.error(asked).code(), Code::Closed);

    // Also where our own `<close/>` is on its way.
    let mut pair = Pair::online();
    let call = pair.call(Command::Disconnect);
    pair.close_socket();
    assert_eq!(
        (pair.reply(call), pair.engine.status()),
        (Ok(Reply::Done), Status::Offline)
    );
    assert!(told(&pair).is_empty());
}

#[test]
fn rfc7395_3_6_what_comes_behind_our_close_is_taken_up_to_the_servers() {
    let mut pair = Pair::online();
    let sent = pair.send("bob@example.org", "1");
    pair.element();
    let ping = pair.element();
    let call = pair.call(Command::Disconnect);
    pair.receive(&message("bob@example.org/x", "", "<body>late</body>"));
    // A stranger's stanza beyond a bound ends nothing here either.
    pair.receive(&message("eve@evil.example/x", "", &"<a>".repeat(100)));
    pair.answer(&ping, "");
    assert!(pair.reply(sent).is_ok(), "and answers still count");
    assert!(pair.is_open(call));
    pair.receive(&close());
    assert_eq!((pair.reply(call), pair.messages().len()), (Ok(Reply::Done), 1));
    assert_eq!((pair.socket, pair.closed), (None, 1));
}

#[test]
fn rfc7395_3_7_the_stream_restarts_on_the_same_socket() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    let generation = pair.generation();
    pair.login(&Fault::None);
    assert_eq!(pair.generation(), generation);
}

#[test]
fn rfc7395_3_7_a_restart_is_a_header_and_no_end() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    // RFC 6120 §4.3.3: the old stream is replaced, the socket isn't.
    let header = pair.element();
    assert!(header.is("open", FRAMING));
    assert_eq!(header.attr("to"), Some("example.org"));
    pair.receive(&open());
    pair.receive(
        "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>",
    );
    pair.bind(JID);
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn rfc7395_3_7_features_without_a_new_header_are_out_of_order() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.receive(
        "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>",
    );
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Bind));
    assert_eq!(condition(&mut pair).as_deref(), Some("undefined-condition"));
}

#[test]
fn rfc7395_3_8_white_space_is_no_frame() {
    for space in [" ", "\n", "\t\r\n "] {
        let (mut pair, error) = greeted_with(&[&open(), space]);
        assert_eq!(error.condition(), Some("not-well-formed"));
        assert_eq!(condition(&mut pair).as_deref(), Some("not-well-formed"));
        let mut pair = Pair::online_with(without_reconnection());
        pair.receive(space);
        assert_eq!(condition(&mut pair).as_deref(), Some("not-well-formed"));
    }
}

#[test]
fn rfc7395_3_8_no_sign_of_life_of_ours_is_white_space() {
    let mut pair = Pair::online();
    let sent = pair.send("bob@example.org", "1");
    for _ in 0..150 {
        while let Some(frame) = pair.sent.pop_front() {
            assert!(frame.starts_with('<'), "{frame:?}");
            let element = xml::read(&frame, &xml::Limits::default()).unwrap();
            if element.child("ping", "urn:xmpp:ping").is_some() {
                // XEP-0199, the one that §3.8 names.
                pair.answer(&element, "");
            }
        }
        pair.advance(4_000);
    }
    assert!(pair.reply(sent).is_ok());
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn rfc7395_3_9_an_offer_of_tls_is_ignored() {
    for tls in [
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
    ] {
        let mut pair = Pair::new(config());
        let call = pair.connect();
        pair.open_socket();
        pair.element();
        pair.receive(&open());
        pair.receive(&format!(
            "<features xmlns='http://etherx.jabber.org/streams'>{tls}<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
             <mechanism>SCRAM-SHA-1</mechanism></mechanisms></features>"
        ));
        assert!(pair.authenticate(&Fault::None));
        pair.restart(&format!("{tls}<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"));
        pair.bind(JID);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
    }
    // What would answer a request that is never made is out of order.
    let (_, error) = greeted_with(&[&open(), "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"]);
    assert_eq!(error.code(), Code::ProtocolViolation);
}

#[test]
fn rfc7395_3_10_an_offer_of_stream_management_binds_nobody() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}
