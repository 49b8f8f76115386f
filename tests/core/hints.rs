//! XEP-0334, both ways.

use crate::archive;
use crate::chat::{said, taken};
use crate::pair::{NS_MAM, Pair};
use serde_json::json;
use stanzawire::error::Code;

const HINTS: &str = "urn:xmpp:hints";

#[test]
fn xep0334_4_hints_go_out() {
    let mut pair = Pair::online();
    let all = json!(["no-permanent-store", "no-store", "no-copy", "store", "store"]);
    for (to, expected) in [
        (
            "bob@example.org/x",
            vec!["no-permanent-store", "no-store", "no-copy", "store"],
        ),
        // §4.3: to a bare JID there is no `no-copy`.
        ("bob@example.org", vec!["no-permanent-store", "no-store", "store"]),
    ] {
        let (message, _) = taken(&mut pair, "send", json!([{ "to": to, "body": "psst", "hints": all }]));
        let hints: Vec<_> = message
            .children()
            .filter(|child| child.ns() == HINTS)
            .map(|child| child.name())
            .collect();
        assert_eq!(hints, expected);
        // XEP-0280 §9: both, or neither.
        let private = message.child("private", "urn:xmpp:carbons:2").is_some();
        assert_eq!(private, expected.contains(&"no-copy"));
    }
    for wrong in [json!("store"), json!(["keep"]), json!([null]), json!([1])] {
        let init = json!([{ "to": "bob@example.org", "body": "x", "hints": wrong }]);
        assert_eq!(pair.try_im("send", init).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn xep0334_4_hints_are_told() {
    let mut pair = Pair::online();
    let hints = "<store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/><keep xmlns='urn:xmpp:hints'/><no-store xmlns='urn:x'/>";
    pair.receive(&said(
        "bob@example.org/x",
        "chat",
        "m1",
        &format!("<body>x</body>{hints}"),
    ));
    assert_eq!(pair.told("message")[0]["hints"], json!(["no-copy", "store"]));
    // Alone they are nothing to be told of, and of an error they say nothing (§5).
    pair.receive(&said("bob@example.org/x", "chat", "m1", hints));
    assert_eq!(pair.messages(), []);
    pair.receive(&said(
        "bob@example.org/x",
        "error",
        "m1",
        &format!("<body>x</body>{hints}"),
    ));
    assert_eq!(pair.messages()[0].hints, None);
}

/// What becomes of a message under way when its session has ended and the archive doesn't have it.
fn in_doubt(more: serde_json::Value) -> bool {
    let mut pair = archive::knowing("0");
    let mut init = json!({ "to": "bob@example.org", "body": "1" });
    init.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let call = pair.im("send", json!([init]));
    pair.sent.clear();
    let asked = archive::again(&mut pair);
    archive::page(&mut pair, &asked, &[], true);
    while let Some(frame) = pair.sent.pop_front() {
        let asked = stanzawire::xml::read(&frame, &Default::default()).unwrap();
        if asked.is("message", "jabber:client") {
            return true;
        }
        if asked.child("prefs", NS_MAM).is_some() {
            pair.answer(&asked, &format!("<prefs xmlns='{NS_MAM}' default='always'/>"));
        } else if asked.child("query", NS_MAM).is_some() {
            archive::page(&mut pair, &asked, &[], true);
        }
    }
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);
    false
}

#[test]
fn what_no_archive_keeps_is_not_sent_again_for_not_being_there() {
    assert!(in_doubt(json!({})), "it would be there, so it was not taken");
    assert!(in_doubt(json!({ "hints": ["store"] })));
    assert!(!in_doubt(json!({ "hints": ["no-store"] })));
    assert!(!in_doubt(json!({ "hints": ["no-permanent-store"] })));
    // XEP-0428 §3: a server may take a text that is for others alone for none.
    let whole = json!([{ "for": "urn:x", "body": true }]);
    assert!(!in_doubt(json!({ "fallback": whole })));
    assert!(!in_doubt(
        json!({ "fallback": [{ "for": "urn:x", "body": true, "subject": true }] })
    ));
    assert!(in_doubt(json!({ "fallback": whole, "hints": ["store"] })));
    assert!(in_doubt(
        json!({ "fallback": [{ "for": "urn:x", "body": { "start": 0, "end": 1 } }] })
    ));
}
