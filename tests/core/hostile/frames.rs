//! Frames that are none, or that are made to cost much: RFC 6120 §11, RFC 7395 §3.3.3.

use super::{At, at, comes_back, ended};
use crate::pair::Pair;
use crate::stream::condition;
use stanzawire::engine::Event;
use stanzawire::error::Code;
use stanzawire::session::Status;

/// Each with the stream error that it ends the stream with.
pub fn worst() -> Vec<(String, &'static str)> {
    let mut lol = String::from("<!DOCTYPE a [<!ENTITY l0 'lol'>");
    for n in 1..10 {
        let references = format!("&l{};", n - 1).repeat(10);
        lol += &format!("<!ENTITY l{n} '{references}'>");
    }
    lol += "]><a>&l9;</a>";
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
    let prefixes: String = (0..100_000).map(|n| format!(" xmlns:a{n}='b'")).collect();
    let declared: String = (0..16).map(|n| format!(" xmlns:a{n}='b'")).collect();
    let frames = [
        (lol.as_str(), "restricted-xml"),
        ("<!DOCTYPE a SYSTEM 'https://evil.example/'><a/>", "restricted-xml"),
        (
            "<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'>%p;]><a/>",
            "restricted-xml",
        ),
        ("<a>&l9;</a>", "restricted-xml"),
        ("<a b='&nbsp;'/>", "restricted-xml"),
        ("<?xml-stylesheet href='a'?><a/>", "restricted-xml"),
        ("<a><?php?></a>", "restricted-xml"),
        ("<a><!-- --></a>", "restricted-xml"),
        (&"<a>".repeat(10_000), "policy-violation"),
        (&("<a>".repeat(10_000) + &"</a>".repeat(10_000)), "policy-violation"),
        (&format!("<a{attributes}/>"), "policy-violation"),
        (&format!("<a{prefixes}/>"), "policy-violation"),
        (
            &format!("<a>{}</a>", format!("<a{declared}>").repeat(2_000)),
            "policy-violation",
        ),
        (&format!("<a>{}</a>", "x".repeat(5 << 20)), "policy-violation"),
        (&format!("<a b='{}'/>", "x".repeat(5 << 20)), "policy-violation"),
        (&" ".repeat(5 << 20), "policy-violation"),
        (&format!("<a>{}</a>", "<b/>".repeat(100_000)), "policy-violation"),
        (&format!("<a>{}</a>", "&lt;".repeat(100_000)), "policy-violation"),
        (
            &format!("<a>{}</a>", "<![CDATA[]]>".repeat(100_000)),
            "policy-violation",
        ),
        ("<a>\0</a>", "not-well-formed"),
        ("\0", "not-well-formed"),
        ("<a b='\0'/>", "not-well-formed"),
        ("<a\0/>", "not-well-formed"),
        ("<a>&#0;</a>", "not-well-formed"),
        ("<a>&#xD800;</a>", "not-well-formed"),
        ("<a>&#xD83E;&#xDD80;</a>", "not-well-formed"),
        ("<a b='&#57343;'/>", "not-well-formed"),
        ("<a>&#x110000;</a>", "not-well-formed"),
        ("<a>&#99999999999999999999;</a>", "not-well-formed"),
        ("<a>\u{FFFE}</a>", "not-well-formed"),
        ("<a/><b/>", "not-well-formed"),
        ("<a></a><a></a>", "not-well-formed"),
        ("<a/>text", "not-well-formed"),
        ("<a/>\u{FFFD}", "not-well-formed"),
        ("<a>", "not-well-formed"),
        ("</a>", "not-well-formed"),
        ("<a></b>", "not-well-formed"),
        ("<a b='1' b='2'/>", "not-well-formed"),
        ("<a b=1/>", "not-well-formed"),
        ("<a b='<'/>", "not-well-formed"),
        ("<b:a/>", "not-well-formed"),
        ("<a><![CDATA[</a>", "not-well-formed"),
        ("<a>]]></a>", "not-well-formed"),
        ("<a xmlns:b=''/>", "not-well-formed"),
        ("<a xmlns:xml='urn:x'/>", "not-well-formed"),
        ("<a/><?xml version='1.0'?>", "restricted-xml"),
        ("<", "not-well-formed"),
        ("", "not-well-formed"),
        ("{\"a\":1}", "not-well-formed"),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
            "not-well-formed",
        ),
    ];
    frames.map(|(frame, condition)| (frame.to_owned(), condition)).into()
}

fn shown(frame: &str) -> String {
    frame.chars().take(60).collect()
}

#[test]
fn rfc6120_11_bad_frames_in_each_state() {
    let worst = worst();
    for state in At::ALL {
        for (n, (frame, expected)) in worst.iter().enumerate() {
            // The costly states get a third of them each time.
            if matches!(
                state,
                At::Success | At::Reopen | At::Refeatures | At::Bind | At::Session
            ) && n % 3 != state as usize % 3
            {
                continue;
            }
            let case = format!("{} at {state:?}", shown(frame));
            let (mut pair, call) = at(state);
            pair.receive(frame);
            assert_eq!(pair.socket, None, "{case}");
            if state == At::Closing {
                // The stream is over on our side already, and there is nothing left to say.
                assert!(pair.reply(call).is_ok() && pair.sent.is_empty(), "{case}");
                continue;
            }
            let error = ended(&pair, call).unwrap_or_else(|| panic!("{case}"));
            assert_eq!(
                (error.code(), error.condition()),
                (Code::ProtocolViolation, Some(*expected)),
                "{case}"
            );
            assert!(
                error
                    .message()
                    .starts_with("the server sent a frame that cannot be read"),
                "{case}"
            );
            if state != At::Socket {
                assert_eq!(condition(&mut pair).as_deref(), Some(*expected), "{case}");
            }
            pair.nothing_sent();
            if n == 0 {
                comes_back(pair, call);
            }
        }
    }
}

#[test]
fn what_was_once_a_lone_surrogate_is_a_character() {
    // A browser makes U+FFFD of it before anybody sees it.
    let mut pair = Pair::online();
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>\u{FFFD}</body></message>");
    assert_eq!(pair.messages()[0].body.as_deref(), Some("\u{FFFD}"));
}

#[test]
fn a_flood_of_bad_stanzas_ends_nothing_and_grows_nothing() {
    let mut pair = Pair::online();
    let message = |inner: &str| format!("<message xmlns='jabber:client' from='eve@evil.example/x'>{inner}</message>");
    let deep = message(&"<a>".repeat(100));
    for _ in 0..1_000 {
        pair.receive(&deep);
    }
    assert_eq!(pair.engine.status(), Status::Online);
    pair.nothing_sent();
    let told = |event: &Event| matches!(event, Event::Error(error) if error.condition() == Some("policy-violation"));
    assert_eq!(pair.events.iter().filter(|event| told(event)).count(), 1_000);
}
