//! XEP-0333, both ways.

use crate::chat::{said, taken};
use crate::pair::Pair;
use crate::roster::with_roster;
use serde_json::json;
use stanzawire::error::Code;

const MARKERS: &str = "urn:xmpp:chat-markers:0";
const OTHER: &str = "alice@example.org/phone";
const ROOM: &str = "room@muc.example.org";

fn displayed(id: &str) -> String {
    format!("<displayed xmlns='{MARKERS}' id='{id}'/>")
}

#[test]
fn xep0333_4_1_a_marker_is_asked_for() {
    let mut pair = Pair::online();
    let init = json!([{ "to": "bob@example.org", "body": "hi", "marker": { "type": "markable" } }]);
    let (message, _) = taken(&mut pair, "send", init);
    assert!(message.child("markable", MARKERS).unwrap().attr("id").is_none());
    pair.receive(&said(
        "bob@example.org/x",
        "chat",
        "m1",
        &format!("<body>hi</body><markable xmlns='{MARKERS}'/>"),
    ));
    assert_eq!(pair.told("message")[0]["marker"], json!({ "type": "markable" }));
    for wrong in [
        json!({}),
        json!({ "type": "seen" }),
        json!("markable"),
        json!({ "type": "displayed" }),
    ] {
        let init = json!([{ "to": "bob@example.org", "marker": wrong }]);
        assert_eq!(
            pair.try_im("send", init).unwrap_err().code(),
            Code::InvalidArgument,
            "{wrong}"
        );
    }
}

#[test]
fn xep0333_4_2_what_has_been_seen_is_marked_by_its_id() {
    let mut pair = with_roster();
    let message =
        json!({ "id": "m1", "originId": "o1", "stanzaId": "s1", "from": "bob@example.org/x", "type": "normal" });
    let (marker, value) = taken(&mut pair, "markDisplayed", json!([message]));
    assert_eq!(
        (marker.attr("to"), marker.attr("type")),
        (Some("bob@example.org"), Some("chat"))
    );
    assert_eq!(marker.child("displayed", MARKERS).unwrap().attr("id"), Some("m1"));
    assert!(marker.child("store", "urn:xmpp:hints").is_some());
    assert_eq!(value, json!(null));
    // The rest is for the account's other clients: `displayed.rs`.
    pair.sent.clear();
    // §5: of what the account has sent nothing is to be marked.
    for own in [
        json!({ "id": "m1", "from": OTHER, "to": "bob@example.org" }),
        json!({ "id": "m1", "from": "alice@example.org", "to": "bob@example.org" }),
        json!({ "id": "m1", "to": "bob@example.org" }),
    ] {
        let call = pair.im("markDisplayed", json!([own]));
        assert_eq!(pair.value(call), json!(null));
        pair.nothing_sent();
    }
}

#[test]
fn xep0333_4_3_a_rooms_message_is_marked_by_the_rooms_id() {
    let mut pair = Pair::online();
    let message =
        json!({ "id": "m1", "stanzaId": "s1", "originId": "o1", "from": format!("{ROOM}/bob"), "type": "groupchat" });
    let (marker, value) = taken(&mut pair, "markDisplayed", json!([message]));
    assert_eq!(
        (marker.attr("to"), marker.attr("type")),
        (Some(ROOM), Some("groupchat"))
    );
    assert_eq!(marker.child("displayed", MARKERS).unwrap().attr("id"), Some("s1"));
    assert!(marker.child("store", "urn:xmpp:hints").is_some());
    assert!(marker.child("body", "jabber:client").is_none());
    assert_eq!(value, json!(null));
    // The rest is for the account's other clients: `displayed.rs`.
    pair.sent.clear();
    // A room without such ids.
    let message = json!({ "id": "m1", "from": format!("{ROOM}/bob"), "type": "groupchat" });
    let (marker, _) = taken(&mut pair, "markDisplayed", json!([message]));
    assert_eq!(marker.child("displayed", MARKERS).unwrap().attr("id"), Some("m1"));
}

#[test]
fn xep0333_7_nobody_else_learns_that_we_are_there() {
    let mut pair = with_roster();
    for from in ["mallory@example.org/x", "alice@example.com/x"] {
        let call = pair.im("markDisplayed", json!([{ "id": "m1", "from": from, "type": "chat" }]));
        assert_eq!(pair.value(call), json!(null));
        pair.nothing_sent();
    }
}

#[test]
fn xep0490_3_the_accounts_other_clients_are_told_as_well() {
    let mut pair = with_roster();
    let mut first = true;
    for (message, with, by) in [
        (
            json!({ "from": "bob@example.org/x" }),
            "bob@example.org",
            "alice@example.org",
        ),
        (
            json!({ "from": "mallory@example.org/x" }),
            "mallory@example.org",
            "alice@example.org",
        ),
        (
            json!({ "from": OTHER, "to": "bob@example.org/x" }),
            "bob@example.org",
            "alice@example.org",
        ),
        (
            json!({ "from": format!("{ROOM}/bob"), "type": "groupchat" }),
            ROOM,
            ROOM,
        ),
        (
            json!({ "from": format!("{ROOM}/bob"), "occupant": true }),
            "room@muc.example.org/bob",
            "alice@example.org",
        ),
    ] {
        let mut of = json!({ "id": "m1", "stanzaId": "s1" });
        of.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
        pair.im("markDisplayed", json!([of]));
        let mut published = None;
        while let Some(frame) = pair.sent.pop_front() {
            let iq = stanzawire::xml::read(&frame, &Default::default()).unwrap();
            if iq.child("query", "http://jabber.org/protocol/disco#info").is_some() && std::mem::take(&mut first) {
                let feature = "<feature var='http://jabber.org/protocol/pubsub#publish-options'/>";
                pair.answer(
                    &iq,
                    &format!("<query xmlns='http://jabber.org/protocol/disco#info'>{feature}</query>"),
                );
            } else if frame.contains("urn:xmpp:mds:displayed:0") {
                published = Some(frame);
                pair.answer(&iq, "");
            } else if iq.child("ping", "urn:xmpp:ping").is_some() {
                pair.answer(&iq, "");
            }
        }
        let published = published.expect("it is published");
        assert!(published.contains(&format!("<item id=\"{with}\"")), "{published}");
        assert!(
            published.contains("id=\"s1\"") && published.contains(&format!("by=\"{by}\"")),
            "{published}"
        );
    }
}

#[test]
fn what_has_no_id_cannot_be_marked() {
    let pair = &mut Pair::online();
    for wrong in [
        json!(null),
        json!({ "from": "bob@example.org" }),
        json!({ "id": "", "from": "bob@example.org" }),
        json!({ "id": 1 }),
    ] {
        assert_eq!(
            pair.try_im("markDisplayed", json!([wrong])).unwrap_err().code(),
            Code::InvalidArgument
        );
    }
    let wrong = json!([{ "id": "m1", "from": "@@" }]);
    assert_eq!(
        pair.try_im("markDisplayed", wrong).unwrap_err().code(),
        Code::InvalidJid
    );
}

#[test]
fn xep0333_4_2_a_marker_is_told() {
    let mut pair = Pair::online();
    for kind in ["received", "displayed", "acknowledged"] {
        let marker = format!("<{kind} xmlns='{MARKERS}' id='m1'/>");
        pair.receive(&said("bob@example.org/x", "chat", "d1", &marker));
        assert_eq!(pair.told("marker")[0]["marker"], json!({ "type": kind, "id": "m1" }));
    }
    for ignored in [
        "<displayed xmlns='urn:xmpp:chat-markers:0'/>",
        "<displayed xmlns='urn:x' id='m1'/>",
        "<seen xmlns='urn:xmpp:chat-markers:0' id='m1'/>",
    ] {
        pair.receive(&said("bob@example.org/x", "chat", "d1", ignored));
    }
    pair.receive(&said("bob@example.org/x", "error", "d1", &displayed("m1")));
    assert_eq!(pair.told("marker").len(), 0);
}

#[test]
fn xep0333_5_a_marker_from_somebody_else_is_not_told() {
    let mut pair = Pair::online();
    let (_, sent) = taken(&mut pair, "send", json!([{ "to": "bob@example.org", "body": "hi" }]));
    let id = sent["id"].as_str().unwrap();
    for from in ["mallory@example.org/x", "bob@example.com/x", "@@"] {
        pair.receive(&said(from, "chat", "d1", &displayed(id)));
        assert_eq!(pair.messages(), [], "{from}");
    }
    pair.receive(&said("bob@example.org/x", "chat", "d1", &displayed(id)));
    assert_eq!(pair.told("marker").len(), 1);
    // What another client of ours has seen is news of another kind.
    let inner = said(OTHER, "chat", "d2", &displayed("m9"));
    pair.receive(&crate::carbons::carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(pair.told("marker")[0]["carbon"], "sent");
}

#[test]
fn a_marker_that_came_meanwhile_is_told_from_the_archive() {
    use crate::archive::{again, kept, knowing, page};
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let (id, message) = kept("1", "bob@example.org/x", "alice@example.org", "1");
    let message = message.replace("<body>1</body>", &displayed("m1"));
    page(&mut pair, &asked, &[(id, message)], true);
    let told = pair.told("marker");
    assert_eq!(
        (&told[0]["marker"]["id"], &told[0]["stanzaId"]),
        (&json!("m1"), &json!("1"))
    );
}
