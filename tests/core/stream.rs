//! The stream: RFC 6120 §4. What RFC 7395 makes of it is in `rfc7395.rs`.

use crate::pair::{Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Command, Config, Event, Input, Reply};
use stanzawire::error::{Code, Error, Phase};
use stanzawire::session::Status;
use stanzawire::xml::Element;

pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

/// With no second attempt, so that the first is looked at alone.
pub fn without_reconnection() -> Config {
    let mut config = config();
    config.session.reconnect = None;
    config
}

/// What the login ends in when the server sends this after its socket has opened.
pub fn greeted_with(frames: &[&str]) -> (Pair, Error) {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    for frame in frames {
        pair.receive(frame);
    }
    let error = pair.error(call);
    (pair, error)
}

/// The condition that the client ended the stream with.
pub fn condition(pair: &mut Pair) -> Option<String> {
    let mut condition = None;
    while !pair.sent.is_empty() {
        let element = pair.element();
        if element.is("error", "http://etherx.jabber.org/streams") {
            condition = element.children().next().map(|child| child.name().to_owned());
            let close = pair.element();
            assert!(close.is("close", FRAMING), "RFC 7395 §3.5: the error, then the end");
        }
    }
    condition
}

#[test]
fn rfc6120_4_7_5_rejects_a_server_before_xmpp_1() {
    for version in ["", " version='0.9'"] {
        let (mut pair, error) = greeted_with(&[&format!("<open xmlns='{FRAMING}'{version}/>")]);
        assert_eq!(error.condition(), Some("unsupported-version"));
        assert_eq!(condition(&mut pair).as_deref(), Some("unsupported-version"));
    }
}

#[test]
fn facts_about_an_old_socket_are_void() {
    let mut pair = Pair::online();
    let old = pair.generation();
    pair.close_socket();
    pair.advance(1_000);
    assert_ne!(pair.generation(), old);
    for input in [
        Input::SocketOpen {
            generation: old,
            protocol: "xmpp",
        },
        Input::Frame {
            generation: old,
            data: "<!DOCTYPE a>",
        },
        Input::BinaryFrame { generation: old },
        Input::SocketClosed {
            generation: old,
            code: 1000,
            clean: true,
        },
    ] {
        pair.handle(input);
        assert_eq!(pair.engine.status(), Status::Reconnecting);
        pair.nothing_sent();
    }
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn rfc6120_4_9_3_3_a_conflict_ends_it_for_good() {
    let mut pair = Pair::online();
    pair.receive(
        "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
         <conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    );
    assert_eq!(pair.engine.status(), Status::Offline);
    assert!(pair.events.iter().any(|event| matches!(
        event,
        Event::Error(error) if error.code() == Code::Conflict
    )));
    pair.advance(3_600_000);
    assert_eq!(pair.socket, None);
}

#[test]
fn what_the_app_may_not_send_itself() {
    let mut pair = Pair::online();
    for ns in [
        "",
        FRAMING,
        "http://etherx.jabber.org/streams",
        "urn:ietf:params:xml:ns:xmpp-sasl",
        "urn:xmpp:sm:3",
    ] {
        let call = pair.call(Command::SendElement(Element::new("x", ns)));
        assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    }
    let call = pair.call(Command::SendElement(Element::new("active", "urn:xmpp:csi:0")));
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert!(pair.element().is("active", "urn:xmpp:csi:0"));
}

/// What a stranger can put into a message without breaking a rule of XML.
fn oversized() -> Vec<String> {
    let attributes: String = (0..65).map(|n| format!(" a{n}=''")).collect();
    let prefixes: String = (0..17).map(|n| format!(" xmlns:n{n}='urn:{n}' n{n}:a=''")).collect();
    let inner = [
        "<x xmlns='urn:x' xmlns:p='urn:p' p:xmlns='v'/>".to_owned(),
        format!("<x xmlns='urn:x'{attributes}/>"),
        format!("<x xmlns='urn:x'{prefixes}/>"),
        "<a>".repeat(65) + &"</a>".repeat(65),
        "<a/>".repeat(70_000),
        format!("<body>{}</body>", "=".repeat(140_000)),
        "x".repeat(3 << 20),
    ];
    let message =
        |inner: &String| format!("<message xmlns='jabber:client' from='eve@evil.example/x'>{inner}</message>");
    inner.iter().map(message).collect()
}

#[test]
fn no_stanza_of_a_strangers_ends_the_session() {
    for frame in oversized() {
        let mut pair = Pair::online();
        pair.receive(&frame);
        assert_eq!(pair.engine.status(), Status::Online);
        pair.nothing_sent();
        let told = |event: &Event| matches!(event, Event::Error(error) if error.code() == Code::ProtocolViolation);
        assert!(pair.events.iter().any(told), "it isn't dropped in silence");
        pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>next</body></message>");
        assert_eq!(pair.messages().len(), 1);
    }
}

#[test]
fn a_language_that_cannot_be_sent_is_refused() {
    let mut config = config();
    config.session.lang = Some("\0".into());
    let mut pair = Pair::new(config);
    let call = pair.connect();
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::InvalidArgument, Phase::Session));
    assert_eq!((pair.socket.take(), pair.engine.status()), (None, Status::Offline));
}

#[test]
fn every_stanza_is_shown_to_those_who_watch() {
    let mut pair = Pair::online();
    pair.events.clear();
    let stanzas = |pair: &Pair| {
        pair.events
            .iter()
            .filter(|event| matches!(event, Event::Stanza(_)))
            .count()
    };
    pair.send("bob@example.org", "1");
    let id = pair.element().attr("id").unwrap().to_owned();
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='error' id='{id}' from='bob@example.org'/>"
    ));
    assert_eq!(stanzas(&pair), 1);
    pair.confirm();
    assert_eq!(stanzas(&pair), 2);
    pair.iq(None);
    let iq = pair.element();
    pair.answer(&iq, "");
    assert_eq!(stanzas(&pair), 3);
}

#[test]
fn rfc6120_6_4_a_login_that_is_over_does_not_go_on() {
    for name in ["success", "challenge", "failure"] {
        let mut pair = Pair::online_with(without_reconnection());
        pair.receive(&format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"));
        assert_eq!((pair.engine.status(), pair.socket.is_none()), (Status::Offline, true));
        let told = |event: &Event| matches!(event, Event::Error(error) if error.code() == Code::ProtocolViolation);
        assert!(pair.events.iter().any(told));
    }
}
