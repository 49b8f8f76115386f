//! XEP-0066, both ways.

use crate::chat::{said, taken};
use crate::pair::Pair;
use serde_json::json;
use stanzawire::error::Code;

const OOB: &str = "jabber:x:oob";

#[test]
fn xep0066_3_addresses_go_out() {
    let mut pair = Pair::online();
    let init = json!([{ "to": "bob@example.org", "oob": [{ "url": "https://example.org/a", "desc": "A" }, { "url": "sip:b@example.org" }] }]);
    let (message, _) = taken(&mut pair, "send", init);
    let all: Vec<_> = message.children().filter(|child| child.is("x", OOB)).collect();
    let texts = |place: usize| (all[place].child_text("url", OOB), all[place].child_text("desc", OOB));
    assert_eq!(texts(0), (Some("https://example.org/a".into()), Some("A".into())));
    assert_eq!((texts(1), all.len()), ((Some("sip:b@example.org".into()), None), 2));
    for wrong in [
        json!("https://example.org"),
        json!([{}]),
        json!([{ "url": "example.org" }]),
        json!([{ "url": "a b:c" }]),
        json!([{ "url": "https://example.org", "desc": 1 }]),
    ] {
        let init = json!([{ "to": "bob@example.org", "oob": wrong }]);
        assert_eq!(pair.try_im("send", init).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn xep0066_3_addresses_are_told() {
    let mut pair = Pair::online();
    let x = |url: &str| format!("<x xmlns='{OOB}'><url>{url}</url></x>");
    pair.receive(&said(
        "bob@example.org/x",
        "chat",
        "m1",
        &format!("<x xmlns='{OOB}'><url> https://example.org/a </url><desc>A</desc></x>"),
    ));
    assert_eq!(
        pair.told("message")[0]["oob"],
        json!([{ "url": "https://example.org/a", "desc": "A" }]),
        "also without a text"
    );
    for ignored in [
        x(""),
        x("example.org"),
        x("https:"),
        x("1a:b"),
        x("https://a b"),
        format!("<x xmlns='{OOB}'/>"),
        "<x xmlns='urn:x'><url>a:b</url></x>".into(),
    ] {
        pair.receive(&said("bob@example.org/x", "chat", "m1", &ignored));
        assert_eq!(pair.messages(), [], "{ignored}");
    }
    pair.receive(&said("bob@example.org/x", "chat", "m1", &x("a:b").repeat(30)));
    assert_eq!(pair.told("message")[0]["oob"].as_array().unwrap().len(), 20);
    pair.receive(&said("bob@example.org/x", "error", "m1", &x("a:b")));
    assert_eq!(pair.messages()[0].oob, None);
}
