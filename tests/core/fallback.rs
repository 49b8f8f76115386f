//! XEP-0428, both ways, with places as XEP-0426 counts them.

use crate::chat::{said, taken};
use crate::pair::Pair;
use serde_json::{Value, json};
use stanzawire::error::Code;

const FALLBACK: &str = "urn:xmpp:fallback:0";
const BOB: &str = "bob@example.org/x";

fn told(content: &str) -> Value {
    let mut pair = Pair::online();
    pair.receive(&said(BOB, "chat", "m1", content));
    pair.told("message")[0]["fallback"].clone()
}

#[test]
fn xep0428_2_2_which_parts_are_for_others() {
    let whole = json!([{ "for": "urn:x", "body": true, "subject": true }]);
    assert_eq!(
        told(&format!("<body>x</body><fallback xmlns='{FALLBACK}' for='urn:x'/>")),
        whole
    );
    let body = format!("<body>x</body><fallback xmlns='{FALLBACK}' for='urn:x'><body/></fallback>");
    assert_eq!(told(&body), json!([{ "for": "urn:x", "body": true }]));
    // Several parts, and of both.
    let many = format!(
        "<body>abcdef</body><subject>xyz</subject><fallback xmlns='{FALLBACK}' for='urn:x'><body start='0' end='2'/>\
         <body start='4' end='6'/><subject start='1' end='2'/></fallback><fallback xmlns='{FALLBACK}'><body/></fallback>"
    );
    let expected = json!([
        { "for": "urn:x", "body": { "start": 0, "end": 2 } },
        { "for": "urn:x", "body": { "start": 4, "end": 6 } },
        { "for": "urn:x", "subject": { "start": 1, "end": 2 } },
        { "for": "", "body": true },
    ]);
    assert_eq!(told(&many), expected);
}

#[test]
fn xep0426_2_places_are_javascripts_here_and_code_points_there() {
    let text = "🧛🏾🇺🇳 &amp; x";
    let content =
        format!("<body>{text}</body><fallback xmlns='{FALLBACK}' for='urn:x'><body start='2' end='5'/></fallback>");
    // Two characters of two units each, then two more, and a space.
    assert_eq!(
        told(&content),
        json!([{ "for": "urn:x", "body": { "start": 4, "end": 9 } }])
    );
    let mut pair = Pair::online();
    let init =
        json!([{ "to": BOB, "body": "🧛🏾🇺🇳 & x", "fallback": [{ "for": "urn:x", "body": { "start": 4, "end": 9 } }] }]);
    let (message, _) = taken(&mut pair, "send", init);
    let part = message
        .child("fallback", FALLBACK)
        .unwrap()
        .child("body", FALLBACK)
        .unwrap();
    assert_eq!((part.attr("start"), part.attr("end")), (Some("2"), Some("5")));
    // Beyond the end is the end.
    let content = format!(
        "<body>ab</body><fallback xmlns='{FALLBACK}' for='urn:x'><body start='1' end='4000000000'/></fallback>"
    );
    assert_eq!(told(&content)[0]["body"], json!({ "start": 1, "end": 2 }));
}

#[test]
fn what_an_app_says_of_parts_is_written() {
    let mut pair = Pair::online();
    let init = json!([{ "to": BOB, "body": "abc", "subject": "s", "fallback": [
        { "for": "urn:a", "body": true },
        { "for": "urn:b", "subject": true },
        { "for": "urn:c", "body": true, "subject": true },
        { "for": "urn:d", "body": { "start": 1, "end": 9 }, "subject": false },
    ] }]);
    let (message, _) = taken(&mut pair, "send", init);
    let all: Vec<_> = message
        .children()
        .filter(|child| child.is("fallback", FALLBACK))
        .collect();
    let parts = |place: usize| {
        all[place]
            .children()
            .map(|part| (part.name(), part.attr("end")))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (parts(0), parts(1), parts(2)),
        (vec![("body", None)], vec![("subject", None)], vec![])
    );
    assert_eq!(parts(3), [("body", Some("3"))]);
    for wrong in [
        json!("urn:a"),
        json!([{ "body": true }]),
        json!([{ "for": "urn:a", "body": "all" }]),
        json!([{ "for": "urn:a", "body": { "start": 1 } }]),
        json!([{ "for": "urn:a", "body": { "start": 2, "end": 1 } }]),
        json!([{ "for": "urn:a", "body": { "start": -1, "end": 1 } }]),
        json!([{ "for": "urn:a", "body": { "start": 0, "end": 1.5 } }]),
    ] {
        let init = json!([{ "to": BOB, "body": "abc", "fallback": wrong }]);
        assert_eq!(pair.try_im("send", init).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn what_is_no_part_is_ignored_and_there_is_an_end_to_them() {
    for part in [
        "<body start='1'/>",
        "<body end='1'/>",
        "<body start='2' end='1'/>",
        "<body start='x' end='1'/>",
        "<body start='-1' end='1'/>",
        "<body start='0' end='4294967296'/>",
        "<subject start='0' end='1'/>",
        "<other/>",
        "<body xmlns='jabber:client'/>",
    ] {
        let content = format!("<body>abc</body><fallback xmlns='{FALLBACK}' for='urn:x'>{part}</fallback>");
        assert_eq!(told(&content), json!(null), "{part}");
    }
    let many = format!(
        "<fallback xmlns='{FALLBACK}' for='urn:x'>{}</fallback>",
        "<body start='0' end='1'/>".repeat(30)
    );
    assert_eq!(
        told(&format!("<body>abc</body>{many}{many}")).as_array().unwrap().len(),
        20
    );
    // What can't be read is as much work: it counts as well.
    let unread = format!(
        "<fallback xmlns='{FALLBACK}' for='urn:x'>{}<body start='0' end='1'/></fallback>",
        "<body start='2' end='1'/>".repeat(20)
    );
    assert_eq!(told(&format!("<body>abc</body>{unread}")), json!(null));
    // Nor is anything counted in a text that has no end.
    let long = "a".repeat(70_000);
    assert_eq!(
        told(&format!(
            "<body>{long}</body><fallback xmlns='{FALLBACK}' for='urn:x'><body start='0' end='1'/></fallback>"
        )),
        json!(null)
    );
}

#[test]
fn it_is_nothing_by_itself() {
    let mut pair = Pair::online();
    pair.receive(&said(
        BOB,
        "chat",
        "m1",
        &format!("<fallback xmlns='{FALLBACK}' for='urn:x'/>"),
    ));
    assert_eq!(pair.messages(), []);
    pair.receive(&said(
        BOB,
        "error",
        "m1",
        &format!("<body>x</body><fallback xmlns='{FALLBACK}' for='urn:x'/>"),
    ));
    assert_eq!(pair.messages()[0].fallback, None);
}
