//! What is written reads back equal, whatever it says; and no input makes the reader panic.

#![allow(clippy::expect_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use stanzawire::xml::{Element, Limits, Node, read, write};

/// Any text that XML can carry, rich in what has to be escaped.
fn text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "<", ">", "&", "\"", "'", "\t", "\n", "\r", " ", "]]>", "&lt;", "🦀", "\u{FFFD}",
    ]);
    let piece = prop_oneof![3 => special.prop_map(str::to_owned), 1 => any::<String>()];
    vec(piece, 0..6).prop_map(|pieces| {
        let carried = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
        pieces.concat().chars().filter(carried).collect()
    })
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_éñ名][a-zA-Z0-9_.é·-]{0,6}".prop_filter("no declaration", |name| name != "xmlns")
}

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["", "jabber:client", "urn:x", "urn:{y}"]).prop_map(str::to_owned),
        1 => text(),
    ]
}

fn attribute() -> impl Strategy<Value = (String, String)> {
    let foreign = (namespace(), name()).prop_map(|(ns, local)| {
        if ns.is_empty() {
            local
        } else {
            format!("{{{ns}}}{local}")
        }
    });
    (
        prop_oneof![3 => name(), 1 => Just("xml:lang".to_owned()), 1 => foreign],
        text(),
    )
}

fn empty() -> impl Strategy<Value = Element> {
    (name(), namespace(), vec(attribute(), 0..4)).prop_map(|(name, ns, attributes)| {
        attributes
            .into_iter()
            .fold(Element::new(name, ns), |element, (name, value)| {
                element.with_attr(name, value)
            })
    })
}

fn element() -> impl Strategy<Value = Element> {
    (empty(), text())
        .prop_map(|(element, text)| element.with_text(text))
        .prop_recursive(6, 40, 5, |inner| {
            let node = prop_oneof![2 => inner.prop_map(Node::Element), 1 => text().prop_map(Node::Text)];
            (empty(), vec(node, 0..5)).prop_map(|(mut element, nodes)| {
                for node in nodes {
                    element.push(node);
                }
                element
            })
        })
}

/// Something between XML and nonsense.
fn soup() -> impl Strategy<Value = String> {
    let pieces = vec![
        "<",
        "</",
        ">",
        "/>",
        "a",
        "b:",
        "xmlns",
        "xmlns:b",
        "xml:",
        "=",
        "'",
        "\"",
        "'u'",
        " ",
        "\r",
        "&",
        "&#",
        "x",
        "0",
        "13",
        "D800",
        ";",
        "amp",
        "<a>",
        "</a>",
        "<a ",
        "<a b='c'",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<!DOCTYPE",
        "<?xml version='1.0'?>",
        "é",
        "\u{FFFE}",
        "\0",
        "🦀",
    ];
    vec(prop::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

/// What was read can be written, and reads back equal.
fn holds(frame: &str) {
    let limits = Limits::default();
    if let Ok(element) = read(frame, &limits) {
        let written = write(&element).expect("what was read can be written");
        assert_eq!(
            read(&written, &limits).as_ref(),
            Ok(&element),
            "{frame:?} became {written:?}"
        );
    }
}

proptest! {
    #[test]
    fn written_reads_back_equal(element in element()) {
        let frame = write(&element).expect("XML can carry it");
        prop_assert_eq!(read(&frame, &Limits::default()), Ok(element), "{}", frame);
    }

    #[test]
    fn no_character_is_lost_or_let_through(text in any::<String>(), tail in any::<char>()) {
        let element = Element::new("a", "").with_attr("b", text.clone()).with_text(text).with_text(tail);
        if let Ok(frame) = write(&element) {
            prop_assert_eq!(read(&frame, &Limits::default()), Ok(element), "{}", frame);
        }
    }

    #[test]
    fn a_name_is_written_as_a_name_or_not_at_all(name in any::<String>(), ns in any::<String>()) {
        let element = Element::new(name.clone(), ns.clone()).with_attr(name.clone(), "").with_attr(format!("{{{ns}}}{name}"), "");
        if let Ok(frame) = write(&element) {
            prop_assert_eq!(read(&frame, &Limits::default()), Ok(element), "{}", frame);
        }
    }

    #[test]
    fn any_string_is_read_without_panic(frame in any::<String>()) {
        holds(&frame);
        holds(&format!("<a>{frame}</a>"));
        holds(&format!("<a b='{frame}'/>"));
    }

    #[test]
    fn any_soup_is_read_without_panic(frame in soup()) {
        holds(&frame);
        holds(&format!("<a xmlns:b='u'>{frame}</a>"));
        holds(&format!("<a xmlns:b='u' {frame}/>"));
    }

    #[test]
    fn a_damaged_frame_is_read_without_panic(element in element(), at in any::<prop::sample::Index>(), piece in soup()) {
        let mut frame = write(&element).expect("XML can carry it");
        let mut at = at.index(frame.len());
        while !frame.is_char_boundary(at) {
            at -= 1;
        }
        frame.insert_str(at, &piece);
        holds(&frame);
        frame.truncate(at);
        prop_assert!(read(&frame, &Limits::default()).is_err());
    }
}
