//! XEP-0184, both ways.

use crate::carbons::carbon;
use crate::chat::{said, taken};
use crate::pair::{NS_CLIENT, Pair, config};
use crate::roster::with_roster;
use serde_json::json;
use stanzawire::error::Code;

const ASKED: &str = "<body>hi</body><request xmlns='urn:xmpp:receipts'/>";
const OTHER: &str = "alice@example.org/phone";

fn receipt(id: &str) -> String {
    format!("<received xmlns='urn:xmpp:receipts' id='{id}'/>")
}

#[test]
fn xep0184_7_an_app_asks_for_a_receipt() {
    let mut pair = Pair::online();
    for (receipt, asks) in [
        (json!(true), true),
        (json!({ "requested": true }), true),
        (json!(false), false),
        (json!({}), false),
        (json!(null), false),
    ] {
        let init = json!([{ "to": "bob@example.org", "body": "hi", "receipt": receipt }]);
        let (message, _) = taken(&mut pair, "send", init);
        assert_eq!(
            message.child("request", "urn:xmpp:receipts").is_some(),
            asks,
            "{receipt}"
        );
        assert!(message.attr("id").is_some());
    }
    // §5.4: who sends one asks for none.
    let init = json!([{ "to": "bob@example.org", "receipt": { "id": "m1", "requested": true } }]);
    let (message, _) = taken(&mut pair, "send", init);
    assert_eq!(
        message.child("received", "urn:xmpp:receipts").unwrap().attr("id"),
        Some("m1")
    );
    assert!(message.child("request", "urn:xmpp:receipts").is_none());
    for wrong in [json!(1), json!("yes"), json!({ "id": 1 }), json!({ "requested": 1 })] {
        let init = json!([{ "to": "bob@example.org", "receipt": wrong }]);
        assert_eq!(pair.try_im("send", init).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn xep0184_7_who_asks_and_may_know_gets_one() {
    for (kind, answered) in [("chat", Some("chat")), ("normal", None), ("new", None)] {
        let mut pair = Pair::online();
        pair.receive(&said(OTHER, kind, "m1", ASKED));
        let answer = pair.element();
        assert!(answer.is("message", NS_CLIENT));
        assert_eq!((answer.attr("to"), answer.attr("type")), (Some(OTHER), answered));
        assert!(answer.attr("id").is_some_and(|id| id != "m1"));
        let children: Vec<_> = answer.children().collect();
        assert_eq!(children.len(), 1, "with nothing else in it");
        assert!(children[0].is("received", "urn:xmpp:receipts"));
        assert_eq!(children[0].attr("id"), Some("m1"));
        pair.nothing_sent();
        let told = pair.told("message");
        assert_eq!(told[0]["receipt"], json!({ "requested": true }));
    }
}

#[test]
fn xep0184_8_a_contact_that_sees_our_presence_gets_one() {
    let mut pair = with_roster();
    pair.receive(&said("bob@example.org/x", "chat", "m1", ASKED));
    let answer = pair.element();
    assert_eq!(answer.attr("to"), Some("bob@example.org/x"));
    assert_eq!(
        answer.child("received", "urn:xmpp:receipts").unwrap().attr("id"),
        Some("m1")
    );
    // As long as he does.
    pair.receive(
        "<iq xmlns='jabber:client' type='set' id='p1'><query xmlns='jabber:iq:roster'>\
         <item jid='bob@example.org' subscription='to'/></query></iq>",
    );
    pair.element();
    pair.receive(&said("bob@example.org/x", "chat", "m2", ASKED));
    pair.nothing_sent();
}

#[test]
fn xep0184_8_nobody_else_learns_that_we_are_there() {
    let mut pair = with_roster();
    for from in [
        "mallory@example.org/x",
        "mallory@example.org",
        "alice@example.com/phone",
        "example.org",
        "room@muc.example.org/alice",
        "@@",
    ] {
        pair.receive(&said(from, "chat", "m1", ASKED));
        pair.nothing_sent();
    }
    // Nor those who name nobody, or us.
    pair.receive(&said("", "chat", "m1", ASKED).replace("from=''", ""));
    pair.receive(&said("alice@example.org/here", "chat", "m1", ASKED));
    pair.nothing_sent();
    assert_eq!(pair.messages().len(), 8);
}

#[test]
fn xep0184_7_not_everything_is_to_be_acknowledged() {
    let mut pair = Pair::online();
    let request = "<request xmlns='urn:xmpp:receipts'/>";
    for (kind, id, content) in [
        ("groupchat", "m1", ASKED.to_owned()),
        ("headline", "m1", ASKED.to_owned()),
        ("error", "m1", ASKED.to_owned()),
        // §7: without an id there is nothing to acknowledge.
        ("chat", "", ASKED.to_owned()),
        // What has nothing to read in it.
        ("chat", "m1", request.to_owned()),
        (
            "chat",
            "m1",
            format!("{request}<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
        ),
        (
            "chat",
            "m1",
            format!("{request}<displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/>"),
        ),
        // §5.4: a receipt for a receipt would never end.
        ("chat", "m1", format!("{ASKED}{}", receipt("m0"))),
        // What doesn't ask.
        ("chat", "m1", "<body>hi</body>".to_owned()),
        ("chat", "m1", "<body>hi</body><request xmlns='urn:other'/>".to_owned()),
    ] {
        pair.receive(&said(OTHER, kind, id, &content));
        pair.nothing_sent();
    }
    // XEP-0280 §11: nor a copy.
    let inner = said("bob@example.org/phone", "chat", "m1", ASKED);
    pair.receive(&carbon("received", &inner.replace("/here", "/phone")));
    pair.receive(&carbon("received", &inner.replace("/here", "/phone")).replacen(
        "<received ",
        &format!("{request}<received "),
        1,
    ));
    pair.nothing_sent();
}

#[test]
fn an_app_can_keep_them_to_itself() {
    let mut config = config();
    config.im.receipts = false;
    let mut pair = Pair::online_with(config);
    pair.receive(&said(OTHER, "chat", "m1", ASKED));
    pair.nothing_sent();
}

#[test]
fn xep0184_5_5_what_is_told_from_the_archive_is_not_acknowledged() {
    use crate::archive::{again, kept, knowing, page};
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let (id, message) = kept("1", OTHER, "alice@example.org", "1");
    let message = message.replace("</message>", "<request xmlns='urn:xmpp:receipts'/></message>");
    let (second, receipt) = kept("2", "bob@example.org/x", "alice@example.org", "2");
    let receipt = receipt.replace("<body>2</body>", &self::receipt("m9"));
    page(&mut pair, &asked, &[(id, message), (second, receipt)], true);
    pair.nothing_sent();
    assert_eq!(pair.messages().len(), 2);
    // But a receipt that came meanwhile is told.
    assert_eq!(pair.told("receipt")[0]["receipt"], json!({ "id": "m9" }));
}

#[test]
fn xep0184_7_a_receipt_is_told() {
    let mut pair = Pair::online();
    let (_, sent) = taken(
        &mut pair,
        "send",
        json!([{ "to": "bob@example.org", "body": "hi", "receipt": true }]),
    );
    let id = sent["id"].as_str().unwrap();
    // From each of Bob's clients, and by any type.
    for (from, kind) in [
        ("bob@example.org/x", "chat"),
        ("Bob@example.org/y", "normal"),
        ("bob@example.org", "headline"),
    ] {
        pair.receive(&said(from, kind, "r1", &receipt(id)));
        let told = pair.told("receipt");
        assert_eq!(told.len(), 1);
        assert_eq!(
            (&told[0]["from"], &told[0]["receipt"]),
            (&json!(from), &json!({ "id": id }))
        );
    }
    pair.nothing_sent();
}

#[test]
fn xep0184_7_a_receipt_from_somebody_else_is_not_told() {
    let mut pair = Pair::online();
    let (_, sent) = taken(
        &mut pair,
        "send",
        json!([{ "to": "bob@example.org/x", "body": "hi", "receipt": true }]),
    );
    let id = sent["id"].as_str().unwrap();
    for from in [
        "mallory@example.org/x",
        "mallory@example.org",
        "bob@example.com/x",
        "example.org",
        "@@",
    ] {
        pair.receive(&said(from, "chat", "r1", &receipt(id)));
        // What is said with it is heard.
        pair.receive(&said(from, "chat", "r2", &format!("<body>psst</body>{}", receipt(id))));
        assert_eq!(pair.messages().len(), 1, "{from}");
        assert_eq!(pair.told("message")[0].get("receipt"), None);
    }
    // Nor one for what another client has sent.
    let inner = said("alice@example.org/phone", "chat", "m7", "<body>hi</body>");
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    pair.events.clear();
    pair.receive(&said("mallory@example.org/x", "chat", "r1", &receipt("m7")));
    assert_eq!(pair.messages(), []);
    pair.receive(&said("bob@example.org/x", "chat", "r1", &receipt("m7")));
    assert_eq!(pair.told("receipt").len(), 1);
}

#[test]
fn the_sent_messages_that_are_remembered_are_the_last_thousand() {
    let mut pair = Pair::online();
    let (_, sent) = taken(&mut pair, "send", json!([{ "to": "bob@example.org", "body": "hi" }]));
    let id = sent["id"].as_str().unwrap();
    let forged = said("mallory@example.org/x", "chat", "r", &receipt(id));
    for n in 1..1_000 {
        pair.receive(&said("carol@example.org/x", "chat", &n.to_string(), "<body>x</body>"));
    }
    pair.events.clear();
    pair.receive(&forged);
    assert_eq!(pair.told("receipt").len(), 0);
    // That one's own id was one more.
    pair.receive(&said("carol@example.org/x", "chat", "1000", "<body>x</body>"));
    pair.receive(&forged);
    assert_eq!(pair.told("receipt").len(), 1, "nobody knows any more");
}

#[test]
fn what_is_no_receipt_is_ignored() {
    let mut pair = Pair::online();
    for content in [
        "<received xmlns='urn:xmpp:receipts'/>",
        "<received xmlns='urn:xmpp:receipts' id=''/>",
        "<received xmlns='urn:other' id='m1'/>",
        "<a xmlns='urn:x'><received xmlns='urn:xmpp:receipts' id='m1'/></a>",
    ] {
        pair.receive(&said("bob@example.org/x", "chat", "r1", content));
        assert_eq!(pair.messages(), [], "{content}");
    }
}

#[test]
fn rfc6120_8_3_1_an_error_is_no_receipt() {
    let mut pair = Pair::online();
    let error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    pair.receive(&said(
        "bob@example.org/x",
        "error",
        "m1",
        &format!("{}{error}", receipt("m0")),
    ));
    let told = pair.messages().pop().unwrap();
    assert_eq!(
        (told.receipt, told.condition.as_deref()),
        (None, Some("service-unavailable"))
    );
    // And where ours bounces, nobody has to hear of it.
    pair.receive(&said(OTHER, "chat", "m1", ASKED));
    let answer = pair.element();
    pair.events.clear();
    pair.receive(&said(OTHER, "error", answer.attr("id").unwrap(), error));
    assert_eq!(pair.messages(), []);
}
