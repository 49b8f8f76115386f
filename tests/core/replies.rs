//! XEP-0461, both ways.

use crate::chat::{said, taken};
use crate::pair::{NS_CLIENT, Pair};
use serde_json::json;
use stanzawire::error::Code;

const REPLY: &str = "urn:xmpp:reply:0";
const BOB: &str = "bob@example.org/x";
const ROOM: &str = "room@muc.example.org";

#[test]
fn xep0461_3_an_answer_names_the_message_and_its_author() {
    let mut pair = Pair::online();
    let message = json!({ "id": "m1", "from": BOB, "to": "alice@example.org", "type": "chat", "thread": "t" });
    let (sent, _) = taken(&mut pair, "reply", json!([message, "yes"]));
    assert_eq!(
        (sent.attr("to"), sent.attr("type")),
        (Some("bob@example.org"), Some("chat"))
    );
    let reply = sent.child("reply", REPLY).unwrap();
    assert_eq!((reply.attr("id"), reply.attr("to")), (Some("m1"), Some(BOB)));
    assert_eq!(sent.child_text("body", NS_CLIENT).as_deref(), Some("yes"));
    assert_eq!(
        sent.child_text("thread", NS_CLIENT).as_deref(),
        Some("t"),
        "XEP-0085 §5.7"
    );
    let init = json!({ "body": "yes", "thread": "u", "type": "headline", "receipt": true });
    let (sent, _) = taken(&mut pair, "reply", json!([message, init]));
    assert_eq!(
        (sent.child_text("thread", NS_CLIENT).as_deref(), sent.attr("type")),
        (Some("u"), Some("headline"))
    );
    // To what one has said oneself.
    let (_, own) = taken(&mut pair, "send", json!([{ "to": BOB, "body": "hi" }]));
    let (sent, _) = taken(&mut pair, "reply", json!([own, "and?"]));
    let reply = sent.child("reply", REPLY).unwrap();
    assert_eq!(
        (reply.attr("id"), reply.attr("to")),
        (own["id"].as_str(), Some("alice@example.org"))
    );
    assert_eq!(sent.attr("to"), Some(BOB));
}

#[test]
fn xep0461_4_1_by_the_right_id() {
    let mut pair = Pair::online();
    for (message, id) in [
        (
            json!({ "id": "m1", "originId": "o1", "stanzaId": "s1", "from": BOB }),
            "o1",
        ),
        (json!({ "id": "m1", "from": BOB }), "m1"),
        (
            json!({ "id": "m1", "originId": "o1", "stanzaId": "s1", "from": format!("{ROOM}/bob"), "type": "groupchat" }),
            "s1",
        ),
    ] {
        let (sent, _) = taken(&mut pair, "reply", json!([message, "yes"]));
        let reply = sent.child("reply", REPLY).unwrap();
        assert_eq!(
            (reply.attr("id"), reply.attr("to")),
            (Some(id), message["from"].as_str())
        );
        assert_eq!(sent.attr("to"), Some(if id == "s1" { ROOM } else { "bob@example.org" }));
        assert_eq!(sent.attr("type"), Some(if id == "s1" { "groupchat" } else { "chat" }));
    }
    for wrong in [
        json!([{ "id": "m1", "from": format!("{ROOM}/bob"), "type": "groupchat" }, "yes"]),
        json!([{ "from": BOB }, "yes"]),
        json!([{ "id": "m1", "from": BOB }]),
    ] {
        assert_eq!(pair.try_im("reply", wrong).unwrap_err().code(), Code::InvalidArgument);
    }
    let call = pair.im("reply", json!([{ "id": "m1" }, "yes"]));
    assert_eq!(pair.error(call).code(), Code::InvalidArgument, "to whom?");
    for (wrong, code) in [
        (json!({}), Code::InvalidArgument),
        (json!({ "id": "m1", "to": "@@" }), Code::InvalidJid),
    ] {
        let init = json!([{ "to": BOB, "body": "x", "reply": wrong }]);
        assert_eq!(pair.try_im("send", init).unwrap_err().code(), code);
    }
}

#[test]
fn xep0461_3_an_answer_is_told() {
    let mut pair = Pair::online();
    for (reply, told) in [
        (
            "<reply xmlns='urn:xmpp:reply:0' id='m1' to='Alice@example.org/x'/>",
            json!({ "id": "m1", "to": "alice@example.org/x" }),
        ),
        ("<reply xmlns='urn:xmpp:reply:0' id='m1'/>", json!({ "id": "m1" })),
        (
            "<reply xmlns='urn:xmpp:reply:0' id='m1' to='@@'/>",
            json!({ "id": "m1" }),
        ),
        ("<reply xmlns='urn:xmpp:reply:0' to='alice@example.org'/>", json!(null)),
        ("<reply xmlns='urn:xmpp:reply:0' id=''/>", json!(null)),
        ("<reply xmlns='urn:x' id='m1'/>", json!(null)),
    ] {
        pair.receive(&said(BOB, "chat", "m2", &format!("<body>yes</body>{reply}")));
        assert_eq!(pair.told("message")[0]["reply"], told, "{reply}");
        // Alone it says nothing.
        pair.receive(&said(BOB, "chat", "m2", reply));
        assert_eq!(pair.messages(), []);
    }
    pair.receive(&said(
        BOB,
        "error",
        "m2",
        "<body>yes</body><reply xmlns='urn:xmpp:reply:0' id='m1'/>",
    ));
    assert_eq!(pair.messages().pop().unwrap().reply, None);
}
