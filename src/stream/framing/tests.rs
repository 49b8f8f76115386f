//! Frames one by one.

use super::*;

fn parse(frame: &str) -> Incoming {
    incoming(frame, &Limits::default()).unwrap()
}

#[test]
fn rfc7395_3_3_3_a_message_is_a_document_of_its_own() {
    let frame = r#"<message xmlns="jabber:client" xml:lang="en">
        <body>Every WebSocket message is parsable by itself.</body>
      </message>"#;
    let Incoming::Element(message) = parse(frame) else {
        panic!("an element")
    };
    assert!(message.is("message", ns::CLIENT));
    assert_eq!(message.attr("xml:lang"), Some("en"));
    assert_eq!(
        message.child_text("body", ns::CLIENT).as_deref(),
        Some("Every WebSocket message is parsable by itself.")
    );
}

#[test]
fn rfc7395_3_4_stream_initiation() {
    let frame = r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="example.com"
        id="++TR84Sm6A3hnt3Q065SnAbbk3Y=" xml:lang="en" version="1.0" />"#;
    let Incoming::Open(open) = parse(frame) else {
        panic!("an open")
    };
    assert_eq!(open.version.as_deref(), Some("1.0"));
}

#[test]
fn rfc7395_3_4_our_header() {
    assert_eq!(
        crate::xml::write(&open("example.com", None, None)).unwrap(),
        r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="example.com" version="1.0"/>"#
    );
    let juliet = Jid::parse("juliet@example.com").unwrap();
    assert_eq!(
        crate::xml::write(&open("example.com", Some(&juliet), Some("de-CH"))).unwrap(),
        "<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" to=\"example.com\" from=\"juliet@example.com\" \
         version=\"1.0\" xml:lang=\"de-CH\"/>"
    );
}

#[test]
fn rfc7395_3_5_an_error_is_a_message_of_its_own() {
    let frame = r#"<stream:error xmlns:stream="http://etherx.jabber.org/streams">
        <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"#;
    let Incoming::Error(error) = parse(frame) else {
        panic!("an error")
    };
    assert_eq!(error.condition, "host-unknown");
}

#[test]
fn prosodys_undeclared_error_is_read() {
    let frame = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
                 <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced by new connection</text></stream:error>";
    let Incoming::Error(error) = parse(frame) else {
        panic!("an error")
    };
    assert_eq!(error.condition, "conflict");
    assert_eq!(error.text.as_deref(), Some("Replaced by new connection"));
    for frame in [
        "<stream:error>",
        "<stream:errors/>",
        "<stream:features/>",
        "<stream:error></a>",
    ] {
        assert!(incoming(frame, &Limits::default()).is_err(), "{frame}");
    }
}

#[test]
fn rfc7395_3_6_closing() {
    let uri = |frame| match parse(frame) {
        Incoming::Close { see_other_uri } => see_other_uri,
        other => panic!("a close, not {other:?}"),
    };
    assert_eq!(uri(r#"<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />"#), None);
    // §3.6.1
    let elsewhere = r#"<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"
                              see-other-uri="wss://otherendpoint.example/xmpp-bind" />"#;
    assert_eq!(uri(elsewhere).as_deref(), Some("wss://otherendpoint.example/xmpp-bind"));
    assert_eq!(
        crate::xml::write(&close()).unwrap(),
        r#"<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>"#
    );
}

#[test]
fn rfc7395_3_3_3_rejects_two_elements_in_a_frame() {
    assert!(incoming("<a xmlns='x'/><b xmlns='x'/>", &Limits::default()).is_err());
}

#[test]
fn rfc7395_3_8_rejects_whitespace_keepalive() {
    assert!(incoming(" ", &Limits::default()).is_err());
}

#[test]
fn rfc7395_3_3_2_headers_are_in_the_framed_stream_namespace() {
    for frame in [
        "<open/>",
        "<open xmlns='jabber:client' version='1.0'/>",
        "<close/>",
        "<x:close xmlns='urn:ietf:params:xml:ns:xmpp-framing' xmlns:x='urn:x'/>",
        // RFC 6120 §4.8.3
        "<message xmlns='jabber:server'/>",
    ] {
        let error = incoming(frame, &Limits::default()).unwrap_err();
        assert_eq!(error.condition(), "invalid-namespace", "{frame}");
    }
}

#[test]
fn rfc6120_4_7_5_versions() {
    let speaks = |version: Option<&str>| {
        Open {
            version: version.map(str::to_owned),
        }
        .is_xmpp()
    };
    for version in ["1.0", "1.1", "01.0", "10.0", "2.0", "1"] {
        assert!(speaks(Some(version)), "{version}");
    }
    for version in ["", "0.9", "00.9", "0", "one", ".1", "-1.0", " 1.0"] {
        assert!(!speaks(Some(version)), "{version}");
    }
    assert!(!speaks(None));
}

#[test]
fn a_stanza_is_known_by_its_name_alone() {
    for frame in [
        "<message >",
        "<iq/>",
        "<presence>",
        "<message\ttype=''>",
        " \r\n<message>",
        "<?xml version='1.0'?><iq id='a'>",
        "<c:message xmlns:c='jabber:client'>",
    ] {
        assert!(is_stanza(frame), "{frame}");
    }
    for frame in [
        "",
        "message",
        "<",
        "<messages/>",
        "<message:x/>",
        "<stream:features><message/>",
        "<success>",
        "<?xml <message>",
    ] {
        assert!(!is_stanza(frame), "{frame}");
    }
}
