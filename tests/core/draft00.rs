//! draft-ietf-xmpp-websocket-00: the stream's own tags as messages. No server of today speaks it; this one is scripted.

use crate::pair::{JID, Pair, config};
use crate::server::{Fault, Scram};
use stanzawire::engine::{Command, Config, Event, Reply};
use stanzawire::error::{Code, Phase};
use stanzawire::session::{Framing, Status};
use stanzawire::stream::framing::{Incoming, incoming_as, wire};
use stanzawire::xml::{Limits, ReadError};

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='s1' version='1.0' xml:lang='en'>";
const OUR_HEADER: &str = "<stream:stream xmlns=\"jabber:client\" xmlns:stream=\"http://etherx.jabber.org/streams\" \
                          to=\"example.org\" from=\"alice@example.org\" version=\"1.0\">";

fn draft() -> Config {
    let mut config = config();
    config.session.framing = Framing::Draft00;
    config.session.reconnect = None;
    config
}

/// The next message of the client's, as it went out.
fn message(pair: &mut Pair) -> String {
    pair.sent.pop_front().expect("the client sent something")
}

/// What stands between the tags of a message without children.
fn text(message: &str) -> &str {
    let (_, rest) = message.split_once('>').unwrap();
    rest.split_once('<').unwrap().0
}

/// A server that says its stanzas and features with nothing declared that its header has declared.
fn online() -> Pair {
    let mut pair = Pair::new(draft());
    let call = pair.connect();
    pair.open_socket();
    assert_eq!(message(&mut pair), OUR_HEADER);
    pair.receive(HEADER);
    pair.receive(
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>",
    );
    let mut scram = Scram::new("secret");
    let auth = message(&mut pair);
    assert!(auth.starts_with("<auth xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\""));
    let challenge = scram.challenge(text(&auth), &Fault::None);
    pair.receive(&challenge);
    pair.derive_key();
    let response = message(&mut pair);
    let success = scram.success(text(&response), &Fault::None);
    pair.receive(&success);
    // §3.7: a new header on the same socket, and no end of the old stream.
    assert_eq!(message(&mut pair), OUR_HEADER);
    pair.receive(HEADER);
    pair.receive("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>");
    let bind = pair.element();
    let id = bind.attr("id").unwrap();
    pair.receive(&format!(
        "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{JID}</jid></bind></iq>"
    ));
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    pair.take_first_stanzas();
    pair
}

#[test]
fn a_whole_session() {
    let mut pair = online();
    assert_eq!(pair.engine.jid().as_str(), JID);

    let call = pair.send("bob@example.org", "hi");
    let sent = message(&mut pair);
    assert!(
        sent.starts_with("<message xmlns=\"jabber:client\""),
        "§3.6: a message of its own, {sent}"
    );
    let ping = pair.element();
    let id = ping.attr("id").unwrap();
    pair.receive(&format!("<iq type='result' from='example.org' id='{id}'/>"));
    assert!(pair.reply(call).is_ok());

    pair.receive("<message from='bob@example.org/x' type='chat'><body>hello</body></message>");
    assert_eq!(pair.messages()[0].body.as_deref(), Some("hello"));
    // §3.8: white space between stanzas says nothing.
    for space in [" ", "\n", ""] {
        pair.receive(space);
    }
    assert_eq!(pair.engine.status(), Status::Online);

    // §3.5: the end of the stream, from both sides.
    let done = pair.call(Command::Disconnect);
    assert!(message(&mut pair).starts_with("<presence "));
    assert_eq!(message(&mut pair), "</stream:stream>");
    pair.receive("<message from='bob@example.org/x' type='chat'><body>late</body></message>");
    assert_eq!(pair.messages().len(), 2);
    pair.receive("</stream:stream>");
    assert_eq!(pair.reply(done), Ok(Reply::Done));
    assert_eq!((pair.socket, pair.closed), (None, 1));
}

#[test]
fn the_server_ends_it() {
    let mut pair = online();
    pair.receive("</stream:stream>");
    assert_eq!(message(&mut pair), "</stream:stream>", "§3.5: the corresponding tag");
    assert_eq!((pair.socket.is_none(), pair.engine.status()), (true, Status::Offline));

    let mut pair = online();
    pair.receive("<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    let told = |event: &Event| matches!(event, Event::Error(error) if error.condition() == Some("system-shutdown"));
    assert!(pair.events.iter().any(told));
    assert_eq!(message(&mut pair), "</stream:stream>");
}

#[test]
fn an_error_instead_of_a_stream() {
    let mut pair = Pair::new(draft());
    let call = pair.connect();
    pair.open_socket();
    // §3.4: the error between both tags of the stream, in one message.
    pair.receive(&format!(
        "{HEADER}<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
    ));
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::StreamError, Phase::Stream));
    assert_eq!(error.condition(), Some("host-unknown"));
    assert_eq!(pair.socket, None);
}

#[test]
fn what_watchers_see_is_what_was_sent() {
    let mut pair = Pair::new(draft());
    pair.engine.observe(stanzawire::engine::Observe {
        stanzas: false,
        frames: true,
    });
    pair.connect();
    pair.open_socket();
    pair.receive(HEADER);
    let frame = |event: &Event| match event {
        Event::Frame { data, .. } => Some(data.clone()),
        _ => None,
    };
    let frames: Vec<String> = pair.events.iter().filter_map(frame).collect();
    assert_eq!(frames, [OUR_HEADER, HEADER]);
}

#[test]
fn hostile_headers_fail_typed() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
    let wide = format!("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'{attributes}>");
    let long = format!("<stream:stream a='{}'>", "x".repeat(5 << 20));
    for (header, expected) in [
        ("<stream:stream", "not-well-formed"),
        ("<stream:stream a='>", "not-well-formed"),
        ("<stream:stream a=>", "not-well-formed"),
        ("<stream:stream a>", "not-well-formed"),
        ("<stream:stream version='1.0'>", "not-well-formed"),
        ("<:stream>", "not-well-formed"),
        ("<a:b:stream>", "not-well-formed"),
        (&[HEADER, "<stream:stream>"].concat(), "not-well-formed"),
        (&[HEADER, HEADER].concat(), "restricted-xml"),
        (&[HEADER, "<stream:features/>"].concat(), "undefined-condition"),
        (
            &[HEADER, "<stream:features/></stream:stream>"].concat(),
            "undefined-condition",
        ),
        (&[HEADER, "</stream:stream>x"].concat(), "not-well-formed"),
        ("</stream:stream", "not-well-formed"),
        ("</stream:stream x=''>", "not-well-formed"),
        ("</stream:stream></stream:stream>", "not-well-formed"),
        ("</stream:features>", "not-well-formed"),
        ("<!DOCTYPE stream><stream:stream>", "restricted-xml"),
        ("<?php?><stream:stream>", "restricted-xml"),
        ("<!-- --><stream:stream>", "restricted-xml"),
        (
            "<stream:stream xmlns:stream='urn:x' version='1.0'>",
            "invalid-namespace",
        ),
        ("<stream version='1.0'>", "invalid-namespace"),
        (&wide, "policy-violation"),
        (&long, "policy-violation"),
    ] {
        let mut pair = Pair::new(draft());
        let call = pair.connect();
        pair.open_socket();
        pair.receive(header);
        let error = pair.error(call);
        let shown = &header[..header.len().min(100)];
        assert_eq!(
            (error.code(), error.condition()),
            (Code::ProtocolViolation, Some(expected)),
            "{shown}"
        );
        assert_eq!(message(&mut pair), OUR_HEADER);
        assert!(message(&mut pair).contains(expected), "{shown}");
        assert_eq!(message(&mut pair), "</stream:stream>");
        assert_eq!(pair.socket, None);
    }
}

#[test]
fn headers_out_of_order_fail_typed() {
    let body = [HEADER, "<message/></stream:stream>"].concat();
    for frames in [
        &["</stream:stream>"][..],
        &[HEADER, HEADER],
        &[&body],
        &[HEADER, "<message><body>early</body></message>"],
        &["<stream:features/>"],
    ] {
        let mut pair = Pair::new(draft());
        let call = pair.connect();
        pair.open_socket();
        for frame in frames {
            pair.receive(frame);
        }
        let code = pair.error(call).code();
        assert!(matches!(code, Code::ProtocolViolation | Code::Closed), "{frames:?}");
        assert_eq!(pair.socket, None);
    }
}

fn read(message: &str) -> Result<Incoming, ReadError> {
    incoming_as(Framing::Draft00, message, &Limits::default())
}

#[test]
fn headers_in_any_legal_form() {
    for header in [
        HEADER,
        "<stream:stream xmlns:stream=\"http://etherx.jabber.org/streams\" version=\"1.0\">",
        "<stream:stream\n\txmlns:stream = 'http://etherx.jabber.org/streams' version\r\n=\r\n'1.0' >",
        "<s:stream id='>' xmlns:s='http://etherx.jabber.org/streams' note=\"it's\" version='1.0'>",
        "<stream xmlns='http://etherx.jabber.org/streams' version='1.0'>\n",
        " \n<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<stream xmlns='http://etherx.jabber.org/streams' version='1.0'>",
    ] {
        match read(header) {
            Ok(Incoming::Open(open)) => assert_eq!(open.version.as_deref(), Some("1.0"), "{header}"),
            other => panic!("{header}: {other:?}"),
        }
    }
    for end in ["</stream:stream>", "</stream>", "</s:stream\n>", " </stream:stream> "] {
        assert!(
            matches!(read(end), Ok(Incoming::Close { see_other_uri: None })),
            "{end}"
        );
    }
}

#[test]
fn what_leans_on_the_header_is_held() {
    for (message, name, ns) in [
        ("<message/>", "message", "jabber:client"),
        ("<presence from='a@b'></presence>", "presence", "jabber:client"),
        (
            "<?xml version='1.0'?><iq id='1' note='a=\">\"'/>",
            "iq",
            "jabber:client",
        ),
        ("<c:message/>", "message", "jabber:client"),
        ("<message xmlns='urn:x'/>", "message", "urn:x"),
        ("<r xmlns = 'urn:xmpp:sm:3'/>", "r", "urn:xmpp:sm:3"),
        ("<x:r xmlns:x='urn:xmpp:sm:3'/>", "r", "urn:xmpp:sm:3"),
        ("<x xmlnsy='urn:x'/>", "x", "jabber:client"),
    ] {
        match read(message) {
            Ok(Incoming::Element(element)) => assert!(element.is(name, ns), "{message}: {element:?}"),
            other => panic!("{message}: {other:?}"),
        }
    }
    let Ok(Incoming::Element(message)) = read("<message><body>hi</body></message>") else {
        panic!("a stanza");
    };
    assert_eq!(message.child_text("body", "jabber:client").as_deref(), Some("hi"));
    for features in ["<stream:features/>", "<s:features/>", "<features/>"] {
        assert!(matches!(read(features), Ok(Incoming::Features(_))), "{features}");
    }
    for error in ["<stream:error/>", "<error/>", "<x:error xmlns='urn:x'/>"] {
        assert!(matches!(read(error), Ok(Incoming::Error(_))), "{error}");
    }
    // Some other name with a prefix that nobody declared is no element; two are none, and none leaves its header.
    for message in [
        "<x:y/>",
        "<message/><message/>",
        "<message/>text",
        "<message/></stream>",
        "<message/></stream><stream>",
        "<message/></stream><stream xmlns='http://etherx.jabber.org/streams'><message/>",
        "<message></stream><stream></message>",
        "<message",
        "text",
        "</message>",
        "<message>&lol;</message>",
    ] {
        assert!(read(message).is_err(), "{message}");
    }
}

#[test]
fn the_limits_are_those_of_a_frame() {
    let limits = Limits::default();
    let of = |length: usize| format!("<message>{}</message>", "x".repeat(length - 19));
    assert!(read(&of(limits.bytes)).is_ok());
    assert!(matches!(read(&of(limits.bytes + 1)), Err(ReadError::TooLarge(_))));
    let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
    assert!(read(&deep(limits.depth)).is_ok());
    assert!(matches!(read(&deep(limits.depth + 1)), Err(ReadError::TooLarge(_))));
}

#[test]
fn only_our_own_headers_are_rewritten() {
    let rewritten = |frame: &str| wire(Framing::Draft00, frame.to_owned());
    assert_eq!(
        rewritten("<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" to=\"a/&gt;\" xml:lang=\"de\"/>"),
        "<stream:stream xmlns=\"jabber:client\" xmlns:stream=\"http://etherx.jabber.org/streams\" to=\"a/&gt;\" xml:lang=\"de\">"
    );
    assert_eq!(
        rewritten("<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\"/>"),
        "</stream:stream>"
    );
    for frame in ["<open xmlns=\"urn:x\"/>", "<message xmlns=\"jabber:client\"/>", ""] {
        assert_eq!(rewritten(frame), frame);
        assert_eq!(wire(Framing::Rfc7395, frame.to_owned()), frame);
    }
}
