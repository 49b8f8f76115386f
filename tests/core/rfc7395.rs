//! RFC 7395 (October 2014), clause by clause: frames and headers here, the life of a stream in `rfc7395/life.rs`. The
//! manual's table (`src/manual/rfc7395.md`) names every test.

mod life;

use crate::pair::{Pair, config};
use crate::server::Fault;
use crate::stream::{FRAMING, condition, greeted_with, without_reconnection};
use stanzawire::engine::{Command, Event, Input, Observe};
use stanzawire::error::{Code, Phase};
use stanzawire::session::Status;
use stanzawire::xml;

/// A header of the server's.
fn open() -> String {
    format!("<open xmlns='{FRAMING}' from='example.org' id='s1' version='1.0' xml:lang='en'/>")
}

fn close() -> String {
    format!("<close xmlns='{FRAMING}'/>")
}

fn message(from: &str, attributes: &str, inner: &str) -> String {
    format!("<message xmlns='jabber:client' from='{from}' type='chat'{attributes}>{inner}</message>")
}

/// The stream is over on our side: said in words, or by the answer to the server's own.
fn is_closed(pair: &mut Pair) -> bool {
    let last = pair.sent.drain(..).next_back();
    last.is_some_and(|last| last.starts_with("<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\""))
        && pair.socket.is_none()
}

fn told(pair: &Pair) -> Vec<Code> {
    let code = |event: &Event| match event {
        Event::Error(error) => Some(error.code()),
        _ => None,
    };
    pair.events.iter().filter_map(code).collect()
}

#[test]
fn rfc7395_3_1_rejects_another_subprotocol() {
    for protocol in ["", "mqtt", "XMPP", "xmpp-framing"] {
        let mut pair = Pair::new(config());
        let call = pair.connect();
        let generation = pair.generation();
        pair.handle(Input::SocketOpen { generation, protocol });
        let error = pair.error(call);
        assert_eq!((error.code(), error.phase()), (Code::SubprotocolMissing, Phase::Socket));
        assert_eq!(pair.socket, None);
        pair.nothing_sent();
    }
}

#[test]
fn rfc7395_3_2_rejects_binary_messages() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    let generation = pair.generation();
    pair.handle(Input::BinaryFrame { generation });
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    assert_eq!(pair.socket, None);
}

#[test]
fn rfc7395_3_2_rejects_binary_messages_while_online() {
    let mut pair = Pair::online_with(without_reconnection());
    let generation = pair.generation();
    pair.handle(Input::BinaryFrame { generation });
    assert_eq!(condition(&mut pair).as_deref(), Some("unsupported-encoding"));
    assert_eq!((told(&pair), pair.socket), (vec![Code::ProtocolViolation], None));
}

#[test]
fn rfc7395_3_3_2_a_header_in_another_namespace_ends_the_stream() {
    for frame in [
        "<open version='1.0'/>",
        "<open xmlns='jabber:client' version='1.0'/>",
        "<x:open xmlns='urn:ietf:params:xml:ns:xmpp-framing' xmlns:x='urn:x' version='1.0'/>",
        "<close xmlns='http://etherx.jabber.org/streams'/>",
    ] {
        let (mut pair, error) = greeted_with(&[frame]);
        assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Stream));
        assert_eq!(error.condition(), Some("invalid-namespace"), "{frame}");
        assert_eq!(condition(&mut pair).as_deref(), Some("invalid-namespace"), "{frame}");

        let mut pair = Pair::online_with(without_reconnection());
        pair.receive(frame);
        assert_eq!(condition(&mut pair).as_deref(), Some("invalid-namespace"), "{frame}");
        assert_eq!((told(&pair), pair.socket), (vec![Code::ProtocolViolation], None));
    }
}

#[test]
fn rfc7395_3_3_3_bad_frames_end_the_stream_with_the_right_error() {
    let deep = "<a>".repeat(10_000);
    let wide = format!("<a {}/>", (0..100_000).map(|n| format!("a{n}='' ")).collect::<String>());
    let long = format!("<a>{}</a>", "x".repeat(5 << 20));
    for (frame, expected) in [
        ("<open", "not-well-formed"),
        ("<a/><b/>", "not-well-formed"),
        ("<a/>text", "not-well-formed"),
        ("", "not-well-formed"),
        ("  ", "not-well-formed"),
        ("<a>\0</a>", "not-well-formed"),
        ("<a>&#0;</a>", "not-well-formed"),
        ("<!DOCTYPE a [<!ENTITY l 'lol'>]><a>&l;</a>", "restricted-xml"),
        ("<!-- hi --><a/>", "restricted-xml"),
        ("<?php ?><a/>", "restricted-xml"),
        (&deep, "policy-violation"),
        (&wide, "policy-violation"),
        (&long, "policy-violation"),
    ] {
        let (mut pair, error) = greeted_with(&[frame]);
        assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Stream));
        assert_eq!(error.condition(), Some(expected));
        assert_eq!(condition(&mut pair).as_deref(), Some(expected));
        assert_eq!(pair.socket, None);

        // The same once online. What is too large there for a stanza is another matter.
        let mut pair = Pair::online_with(without_reconnection());
        pair.receive(frame);
        assert_eq!(condition(&mut pair).as_deref(), Some(expected));
        assert_eq!((pair.socket.is_none(), pair.engine.status()), (true, Status::Offline));
    }
}

#[test]
fn rfc7395_3_3_3_takes_any_legal_form() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    pair.element();
    pair.receive(
        "<?xml version='1.0'?>\n<o:open xmlns:o=\"urn:ietf:params:xml:ns:xmpp-framing\" version=\"1.0\"></o:open>",
    );
    pair.receive(
        "<features xmlns='http://etherx.jabber.org/streams'><s:mechanisms xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <s:mechanism><![CDATA[SCRAM-SHA]]>&#45;1</s:mechanism></s:mechanisms></features>",
    );
    assert_eq!(pair.element().attr("mechanism"), Some("SCRAM-SHA-1"));
    assert!(pair.is_open(call));
}

#[test]
fn rfc7395_3_3_3_each_of_our_frames_stands_alone() {
    let mut pair = Pair::new(config());
    pair.engine.observe(Observe {
        stanzas: false,
        frames: true,
    });
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    pair.send("bob@example.org", "one\n<two/>");
    pair.iq(Some("bob@example.org/x"));
    pair.receive(
        "<iq xmlns='jabber:client' type='get' id='p' from='eve@example.com/x'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    pair.call(Command::Disconnect);
    let sent = |event: &Event| match event {
        Event::Frame { inbound: false, data } => Some(data.clone()),
        _ => None,
    };
    let sent: Vec<String> = pair.events.iter().filter_map(sent).collect();
    assert!(sent.len() > 10, "{sent:?}");
    for frame in &sent {
        // The first character is a `<`, and no declaration's.
        assert!(frame.starts_with('<') && !frame.starts_with("<?"), "{frame}");
        let element = xml::read(frame, &xml::Limits::default()).expect("a document");
        assert!(!element.ns().is_empty(), "{frame}");
    }
}

#[test]
fn rfc7395_3_3_3_a_stanza_without_its_namespace_is_none() {
    let mut pair = Pair::online();
    pair.receive("<message from='bob@example.org/x'><body>hi</body></message>");
    pair.receive("<presence from='bob@example.org/x'/>");
    pair.receive("<iq type='get' id='1' from='bob@example.org/x'><ping xmlns='urn:xmpp:ping'/></iq>");
    pair.receive("<message xmlns='urn:x' from='bob@example.org/x'><body xmlns='jabber:client'>hi</body></message>");
    assert_eq!((pair.messages().len(), pair.presences().len()), (0, 0));
    pair.nothing_sent();
    assert_eq!(pair.engine.status(), Status::Online, "RFC 6120 §4.8.4: ignored");

    let (mut pair, error) = greeted_with(&[&open(), "<features/>"]);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Stream));
    assert_eq!(condition(&mut pair).as_deref(), Some("undefined-condition"));
}

#[test]
fn rfc7395_3_3_3_a_prefix_has_to_be_declared() {
    let (mut pair, error) = greeted_with(&[&open(), "<stream:features/>"]);
    assert_eq!(error.condition(), Some("not-well-formed"));
    assert_eq!(condition(&mut pair).as_deref(), Some("not-well-formed"));
}

#[test]
fn rfc7395_3_3_3_a_stanza_may_be_written_in_any_legal_form() {
    let mut pair = Pair::online();
    for frame in [
        "<message xmlns='jabber:client' from='bob@example.org/x'><body>a &lt; b</body></message>",
        "<message xmlns=\"jabber:client\" from=\"bob@example.org/x\"><body>a &#60; b</body></message >",
        "<?xml version='1.0' encoding='UTF-8'?><message xmlns='jabber:client' from='bob@example.org/x'>\
         <body><![CDATA[a < b]]></body></message>",
        "<c:message xmlns:c='jabber:client' from='bob@example.org/x'><c:body>a <![CDATA[<]]> b</c:body></c:message>",
        "<message\n\txmlns = 'jabber:client'\r\n from = '&#x62;ob@example.org/x'><body xmlns='jabber:client'>a &#x3C; b</body>\
         </message>\n",
    ] {
        pair.receive(frame);
    }
    assert_eq!(pair.messages().len(), 5);
    for message in pair.messages() {
        assert_eq!(message.from, "bob@example.org/x");
        assert_eq!(message.body.as_deref(), Some("a < b"));
    }
    // RFC 6120 §11.6: a byte order mark is a character like any other, and no `<`.
    let mut pair = Pair::online_with(without_reconnection());
    pair.receive(&format!("\u{FEFF}{}", message("bob@example.org/x", "", "")));
    assert_eq!(condition(&mut pair).as_deref(), Some("not-well-formed"));
}

#[test]
fn rfc7395_3_3_3_a_frame_says_its_language_itself() {
    let mut pair = Pair::online();
    pair.receive(&message("bob@example.org/x", " xml:lang='de'", "<body>Tag</body>"));
    pair.receive(&message("bob@example.org/x", "", "<body xml:lang='fr'>jour</body>"));
    pair.receive(&message("bob@example.org/x", "", "<body>day</body>"));
    let languages = |event: &Event| match event {
        Event::Stanza(stanza) => {
            let body = stanza.child("body", "jabber:client")?;
            let own = |attribute: Option<&str>| attribute.map(str::to_owned);
            Some((own(stanza.attr("xml:lang")), own(body.attr("xml:lang"))))
        }
        _ => None,
    };
    let seen: Vec<_> = pair.events.iter().filter_map(languages).collect();
    let said = |lang: &str| Some(lang.to_owned());
    // Neither the header's language nor an earlier frame's goes into a frame that names none.
    assert_eq!(seen, [(said("de"), None), (None, said("fr")), (None, None)]);
}

#[test]
fn rfc7395_3_4_the_client_speaks_first() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.nothing_sent();
    pair.open_socket();
    let open = pair.element();
    assert!(open.is("open", FRAMING));
    assert_eq!(
        (open.attr("to"), open.attr("version")),
        (Some("example.org"), Some("1.0"))
    );
    pair.nothing_sent();
}

#[test]
fn rfc7395_3_4_our_header_says_whose_stream_it_is() {
    let header = |url: &str, account: &str, lang: Option<&str>| {
        let mut config = config();
        config.session.url = Some(url.into());
        config.session.allow_insecure = true;
        config.session.account = stanzawire::jid::Jid::parse(account).unwrap();
        config.session.lang = lang.map(str::to_owned);
        let mut pair = Pair::new(config);
        pair.connect();
        pair.open_socket();
        let open = pair.element();
        let own = |name| open.attr(name).map(str::to_owned);
        assert_eq!(
            (own("to").as_deref(), own("version").as_deref()),
            (Some("example.org"), Some("1.0"))
        );
        assert_eq!((own("id"), open.nodes().len()), (None, 0), "RFC 6120 §4.7.3");
        (own("from"), own("xml:lang"))
    };
    let said = |text: &str| Some(text.to_owned());
    let alice = "alice@example.org";
    assert_eq!(
        header("wss://example.org", alice, Some("de-CH")),
        (said(alice), said("de-CH"))
    );
    assert_eq!(header("ws://localhost", alice, None), (said(alice), None));
    // RFC 6120 §4.7.1: not where others can listen, and not before there is an address.
    assert_eq!(header("ws://example.org", alice, None), (None, None));
    assert_eq!(header("wss://example.org", "example.org", None), (None, None));
}

#[test]
fn rfc7395_3_4_the_servers_header_is_taken_as_it_comes() {
    for header in [
        // RFC 6120 §4.7.1: another of its domains, or none; §4.7.3: no id, as servers before it; §4.7.5: later versions.
        format!("<open xmlns='{FRAMING}' from='hosting.example' id='1' version='1.0'/>"),
        format!("<open xmlns='{FRAMING}' version='1.0'/>"),
        format!(
            "<open xmlns='{FRAMING}' from='example.org' to='alice@example.org' id='1' xml:lang='tlh' version='01.13'/>"
        ),
        format!("<open xmlns='{FRAMING}' from='@@' id='' xml:lang='' note='' version='1.0'>  </open>"),
    ] {
        let mut pair = Pair::new(config());
        let call = pair.connect();
        pair.open_socket();
        pair.element();
        pair.receive(&header);
        assert!(pair.is_open(call), "{header}");
        pair.receive(
            "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
             <mechanism>SCRAM-SHA-1</mechanism></mechanisms></features>",
        );
        assert_eq!(pair.element().name(), "auth");
    }
}

#[test]
fn rfc7395_3_4_the_answer_to_our_header_is_a_header_or_the_end() {
    let (mut pair, error) = greeted_with(&[&close()]);
    assert_eq!(
        (error.code(), error.phase(), error.retryable()),
        (Code::Closed, Phase::Stream, true)
    );
    assert!(is_closed(&mut pair));

    let features = "<features xmlns='http://etherx.jabber.org/streams'/>";
    let (mut pair, error) = greeted_with(&[features]);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Stream));
    assert_eq!(condition(&mut pair).as_deref(), Some("undefined-condition"));
    // And one header is enough.
    let (mut pair, error) = greeted_with(&[&open(), &open()]);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Stream));
    assert_eq!(condition(&mut pair).as_deref(), Some("undefined-condition"));
}

#[test]
fn rfc7395_3_4_no_two_streams_share_a_socket() {
    let mut pair = Pair::online();
    let first = pair.generation();
    let again = pair.connect();
    assert_eq!(pair.error(again).code(), Code::InvalidState);
    pair.nothing_sent();
    pair.receive(&close());
    pair.sent.clear();
    pair.advance(1_000);
    assert_ne!(pair.generation(), first, "a new stream has a new socket");
    pair.open_socket();
    assert!(pair.element().is("open", FRAMING));
    assert!(
        pair.element().is("auth", "urn:ietf:params:xml:ns:xmpp-sasl"),
        "the server is known"
    );
    pair.nothing_sent();
}
