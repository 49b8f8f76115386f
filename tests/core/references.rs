//! XEP-0372, both ways, with places as XEP-0426 counts them.

use crate::chat::{said, taken};
use crate::pair::Pair;
use serde_json::{Value, json};
use stanzawire::error::Code;

const REFERENCE: &str = "urn:xmpp:reference:0";
const BOB: &str = "bob@example.org/x";

fn told(content: &str) -> Value {
    let mut pair = Pair::online();
    pair.receive(&said(BOB, "chat", "m1", content));
    pair.told("message")[0]["references"].clone()
}

#[test]
fn xep0372_3_1_references_go_out() {
    let mut pair = Pair::online();
    let init = json!([{ "to": BOB, "body": "🦊 Juliet", "references": [
        { "type": "mention", "uri": "xmpp:juliet@example.org", "begin": 3, "end": 9 },
        { "type": "data", "uri": "https://example.org", "anchor": "xmpp:a@b?;item=1", "begin": 3, "end": 9 },
        { "type": "data", "uri": "https://example.org" },
    ] }]);
    let (message, _) = taken(&mut pair, "send", init);
    let all: Vec<_> = message
        .children()
        .filter(|child| child.is("reference", REFERENCE))
        .collect();
    let attrs = |place: usize| ["type", "uri", "begin", "end", "anchor"].map(|name| all[place].attr(name));
    assert_eq!(
        attrs(0),
        [
            Some("mention"),
            Some("xmpp:juliet@example.org"),
            Some("2"),
            Some("8"),
            None
        ]
    );
    // In a text that isn't here there is nothing to be counted.
    assert_eq!(attrs(1)[2..], [Some("3"), Some("9"), Some("xmpp:a@b?;item=1")]);
    assert_eq!(attrs(2), [Some("data"), Some("https://example.org"), None, None, None]);
    for wrong in [
        json!("x"),
        json!([{ "uri": "a:b" }]),
        json!([{ "type": "data" }]),
        json!([{ "type": "data", "uri": "juliet" }]),
        json!([{ "type": "data", "uri": "a:b", "begin": 1 }]),
        json!([{ "type": "data", "uri": "a:b", "begin": 2, "end": 1 }]),
        json!([{ "type": "data", "uri": "a:b", "begin": -1, "end": 1 }]),
    ] {
        let init = json!([{ "to": BOB, "body": "x", "references": wrong }]);
        assert_eq!(pair.try_im("send", init).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn xep0372_3_1_references_are_told() {
    let mention =
        "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:juliet@example.org' begin='2' end='8'/>";
    let expected = json!([{ "type": "mention", "uri": "xmpp:juliet@example.org", "begin": 3, "end": 9 }]);
    assert_eq!(told(&format!("<body>🦊 Juliet</body>{mention}")), expected);
    // §3.4: of an earlier message, without a text.
    let earlier = "<reference xmlns='urn:xmpp:reference:0' type='data' uri='a:b' anchor='c:d' begin='2' end='8'/>";
    assert_eq!(
        told(earlier),
        json!([{ "type": "data", "uri": "a:b", "begin": 2, "end": 8, "anchor": "c:d" }])
    );
    assert_eq!(
        told("<reference xmlns='urn:xmpp:reference:0' type='data' uri='a:b'/>"),
        json!([{ "type": "data", "uri": "a:b" }])
    );
    for ignored in [
        "uri='a:b'",
        "type='data'",
        "type='' uri='a:b'",
        "type='data' uri='b'",
        "type='data' uri='a:b' begin='1'",
        "type='data' uri='a:b' begin='2' end='1'",
        "type='data' uri='a:b' begin='x' end='1'",
        "type='data' uri='a:b' anchor='c:d' begin='2' end='1'",
    ] {
        let content = format!("<body>abc</body><reference xmlns='{REFERENCE}' {ignored}/>");
        assert_eq!(told(&content), json!(null), "{ignored}");
    }
    let many = "<reference xmlns='urn:xmpp:reference:0' type='data' uri='a:b'/>".repeat(60);
    assert_eq!(told(&many).as_array().unwrap().len(), 50);
    let mut pair = Pair::online();
    pair.receive(&said(BOB, "error", "m1", &many));
    assert_eq!(pair.messages()[0].references, None);
}

#[test]
fn of_too_many_that_cannot_be_read_none_is_looked_for() {
    let reference = |uri| format!("<reference xmlns='urn:xmpp:reference:0' type='data' uri='{uri}'/>");
    let bad = reference("no address").repeat(50);
    assert_eq!(
        told(&format!("<body>a</body>{bad}{}", reference("https://example.org/"))),
        json!(null)
    );
}
