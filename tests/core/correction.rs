//! XEP-0308, both ways, and whose message may be corrected.

use crate::carbons::carbon;
use crate::chat::{said, taken};
use crate::pair::{NS_CLIENT, Pair};
use crate::rooms::enter_room;
use serde_json::{Value, json};
use stanzawire::error::Code;

const CORRECT: &str = "urn:xmpp:message-correct:0";
const BOB: &str = "bob@example.org/x";
const ROOM: &str = "room@muc.example.org";

fn text(id: &str) -> String {
    format!("<body>{id}</body>")
}

fn corrects(id: &str) -> String {
    format!("<body>better</body><replace xmlns='{CORRECT}' id='{id}'/>")
}

/// Which message the last one takes the place of.
fn replaces(pair: &mut Pair) -> Option<String> {
    let last = pair.told("message").pop().expect("it is told");
    assert_eq!(last["body"], "better");
    last.get("replaces").map(|id| id.as_str().unwrap().to_owned())
}

#[test]
fn xep0308_3_a_correction_names_the_message() {
    let mut pair = Pair::online();
    let (_, sent) = taken(&mut pair, "send", json!([{ "to": "bob@example.org", "body": "helo" }]));
    assert_eq!((&sent["type"], sent.get("replaces")), (&json!("chat"), None));
    let (message, better) = taken(&mut pair, "correct", json!([sent, "hello"]));
    assert_eq!(
        (message.attr("to"), message.attr("type")),
        (Some("bob@example.org"), Some("chat"))
    );
    assert_eq!(message.child_text("body", NS_CLIENT).as_deref(), Some("hello"));
    assert_eq!(
        message.child("replace", CORRECT).unwrap().attr("id"),
        sent["id"].as_str()
    );
    assert_ne!(message.attr("id"), sent["id"].as_str(), "with an id of its own");
    assert_eq!(better["id"].as_str(), message.attr("id"));
    // §4: the first one each time.
    let (message, _) = taken(
        &mut pair,
        "correct",
        json!([better, { "body": "hello!", "subject": "s" }]),
    );
    assert_eq!(
        message.child("replace", CORRECT).unwrap().attr("id"),
        sent["id"].as_str()
    );
    assert_eq!(message.child_text("subject", NS_CLIENT).as_deref(), Some("s"));
}

#[test]
fn xep0308_4_the_rest_of_the_message_is_said_again() {
    let mut pair = Pair::online();
    let own = json!({
        "id": "m1", "from": "alice@example.org/phone", "to": BOB, "type": "normal", "body": "> quote\nhelo", "thread": "t",
        "subject": "s", "reply": { "id": "b1", "to": BOB }, "hints": ["store"], "oob": [{ "url": "https://example.org/a" }],
        "files": [{ "name": "a.txt" }], "unstyled": true, "receipt": { "requested": true },
        "fallback": [{ "for": "urn:xmpp:reply:0", "body": { "start": 0, "end": 8 } }], "state": "active",
    });
    let (message, _) = taken(&mut pair, "correct", json!([own, "hello"]));
    assert_eq!(
        (message.attr("to"), message.attr("type")),
        (Some(BOB), None),
        "of the same type, to the same"
    );
    let text = |name| message.child_text(name, NS_CLIENT);
    assert_eq!(
        (text("thread").as_deref(), text("subject").as_deref()),
        (Some("t"), Some("s"))
    );
    let names = [
        ("reply", "urn:xmpp:reply:0"),
        ("store", "urn:xmpp:hints"),
        ("x", "jabber:x:oob"),
        ("file-sharing", "urn:xmpp:sfs:0"),
        ("unstyled", "urn:xmpp:styling:0"),
    ];
    for (name, ns) in names {
        assert!(message.child(name, ns).is_some(), "{name}");
    }
    // What has its place in the text, and what is asked for once, isn't.
    for (name, ns) in [("fallback", "urn:xmpp:fallback:0"), ("request", "urn:xmpp:receipts")] {
        assert!(message.child(name, ns).is_none(), "{name}");
    }
    // The correction's own counts, and what is no message's is nothing.
    let own = json!({ "id": "m1", "to": BOB, "thread": "t", "reply": 7, "files": "many", "hints": ["store"] });
    let (message, _) = taken(
        &mut pair,
        "correct",
        json!([own, { "body": "hello", "thread": "u", "hints": ["no-store"] }]),
    );
    assert_eq!(message.child_text("thread", NS_CLIENT).as_deref(), Some("u"));
    assert!(message.child("store", "urn:xmpp:hints").is_none() && message.child("reply", "urn:xmpp:reply:0").is_none());
}

#[test]
fn in_a_room_it_is_the_id_as_well() {
    let mut pair = Pair::online();
    let own = json!({ "id": "m1", "stanzaId": "s1", "from": format!("{ROOM}/alice"), "type": "groupchat" });
    let (message, _) = taken(&mut pair, "correct", json!([own, "hello"]));
    assert_eq!(
        (message.attr("to"), message.attr("type")),
        (Some(ROOM), Some("groupchat"))
    );
    assert_eq!(message.child("replace", CORRECT).unwrap().attr("id"), Some("m1"));
    // So is what was sent there.
    let (_, sent) = taken(
        &mut pair,
        "send",
        json!([{ "to": ROOM, "body": "helo", "type": "groupchat" }]),
    );
    let (message, _) = taken(&mut pair, "correct", json!([sent, "hello"]));
    assert_eq!(
        (message.attr("to"), message.attr("type")),
        (Some(ROOM), Some("groupchat"))
    );
}

#[test]
fn only_what_one_has_said_oneself_can_be_corrected() {
    let mut pair = Pair::online();
    for wrong in [
        json!([{ "id": "m1", "from": BOB }, "x"]),
        json!([{ "id": "m1", "from": "alice@example.com", "to": BOB }, "x"]),
        json!([{ "id": "m1", "from": format!("{ROOM}/bob"), "occupant": true }, "x"]),
        // To whom?
        json!([{ "id": "m1" }, "x"]),
    ] {
        let call = pair.im("correct", wrong);
        assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    }
    for wrong in [
        json!([{ "to": BOB }, "x"]),
        json!([{ "to": BOB, "stanzaId": "s1" }, "x"]),
        json!([{ "id": "m1", "to": BOB }]),
        json!([{ "id": "m1", "to": BOB }, 1]),
        json!([{ "id": "m1", "to": BOB }, ["x"]]),
        json!([{ "id": "m1", "to": BOB }, { "body": 1 }]),
        json!([{ "id": "m1", "to": BOB, "type": "error" }, "x"]),
        json!(["m1", "x"]),
        json!([null, "x"]),
    ] {
        assert_eq!(pair.try_im("correct", wrong).unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(
        pair.try_im("correct", json!([{ "id": "m1", "to": "@@" }, "x"]))
            .unwrap_err()
            .code(),
        Code::InvalidJid
    );
    pair.nothing_sent();
    let mut pair = Pair::new(crate::pair::config());
    let call = pair.im("correct", json!([{ "id": "m1", "to": BOB }, "x"]));
    assert_eq!(pair.error(call).code(), Code::Offline);
}

#[test]
fn xep0308_4_the_sender_may_correct_what_they_have_said() {
    let mut pair = Pair::online();
    pair.receive(&said(BOB, "chat", "m1", &text("m1")));
    // From whichever client, and though the message isn't known.
    for (from, id) in [
        (BOB, "m1"),
        ("BOB@example.org/other", "m1"),
        ("bob@example.org", "m1"),
        (BOB, "m0"),
    ] {
        pair.receive(&said(from, "chat", "c", &corrects(id)));
        assert_eq!(replaces(&mut pair).as_deref(), Some(id), "{from}");
    }
    // With nothing left of it.
    pair.receive(&said(
        BOB,
        "chat",
        "c",
        &format!("<replace xmlns='{CORRECT}' id='m1'/>"),
    ));
    assert_eq!(pair.told("message")[0]["replaces"], "m1");
    // What names none is none.
    for wrong in [
        "<replace xmlns='urn:xmpp:message-correct:0'/>",
        "<replace xmlns='urn:xmpp:message-correct:0' id=''/>",
        "<replace xmlns='urn:x' id='m1'/>",
    ] {
        pair.receive(&said(BOB, "chat", "c", &format!("<body>better</body>{wrong}")));
        assert_eq!(replaces(&mut pair), None, "{wrong}");
        pair.receive(&said(BOB, "chat", "c", wrong));
        assert_eq!(pair.messages(), []);
    }
    pair.receive(&said(BOB, "error", "c", &corrects("m1")));
    assert_eq!(replaces(&mut pair), None);
}

#[test]
fn xep0308_4_nobody_corrects_what_somebody_else_has_said() {
    // Bob, what we have said to him.
    let mut pair = Pair::online();
    let (_, sent) = taken(&mut pair, "send", json!([{ "to": "bob@example.org", "body": "yes" }]));
    pair.receive(&said(BOB, "chat", "c", &corrects(sent["id"].as_str().unwrap())));
    assert_eq!(replaces(&mut pair), None, "it is told as what it is");
    // With no text of its own it is nothing.
    let bare = format!("<replace xmlns='{CORRECT}' id='{}'/>", sent["id"].as_str().unwrap());
    pair.receive(&said(BOB, "chat", "c", &bare));
    assert_eq!(pair.messages(), []);
    // What another client of ours has sent, by its id and its origin id.
    let inner = said(
        "alice@example.org/phone",
        "chat",
        "m7",
        &format!("{}<origin-id xmlns='urn:xmpp:sid:0' id='o7'/>", text("m7")),
    );
    let inner = inner.replace("alice@example.org/here", "bob@example.org");
    pair.receive(&carbon("sent", &inner));
    for id in ["m7", "o7"] {
        pair.receive(&said(BOB, "chat", "c", &corrects(id)));
        assert_eq!(replaces(&mut pair), None);
    }
    // And we, what he has: as a carbon, from a client of ours that is mistaken.
    pair.receive(&said(BOB, "chat", "b1", &text("b1")));
    let inner = said("alice@example.org/phone", "chat", "c", &corrects("b1"));
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(replaces(&mut pair), None);
    // While each their own, they may.
    pair.receive(&said(BOB, "chat", "c", &corrects("b1")));
    assert_eq!(replaces(&mut pair).as_deref(), Some("b1"));
    let inner = said("alice@example.org/phone", "chat", "c", &corrects("m7"));
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(replaces(&mut pair).as_deref(), Some("m7"));
    // Mallory's messages are in another conversation.
    pair.receive(&said("mallory@example.org/x", "chat", "c", &corrects("b1")));
    assert_eq!(replaces(&mut pair).as_deref(), Some("b1"));
}

#[test]
fn xep0308_4_in_a_room_the_full_addresses_must_match() {
    let mut pair = Pair::online();
    for room in [ROOM, "other@muc.example.org"] {
        enter_room(&mut pair, room);
    }
    let (alice, bob, mallory) = (
        format!("{ROOM}/alice"),
        format!("{ROOM}/bob"),
        format!("{ROOM}/mallory"),
    );
    pair.receive(&said(&bob, "groupchat", "m1", &text("m1")));
    for from in [&alice, &mallory, &format!("{ROOM}/bob2")] {
        pair.receive(&said(from, "groupchat", "c", &corrects("m1")));
        assert_eq!(replaces(&mut pair), None, "{from}");
    }
    // To take an id for one's own afterwards changes nothing.
    pair.receive(&said(&mallory, "groupchat", "m1", &text("m1")));
    pair.receive(&said(&mallory, "groupchat", "c", &corrects("m1")));
    assert_eq!(replaces(&mut pair), None);
    pair.receive(&said(&bob, "groupchat", "c", &corrects("m1")));
    assert_eq!(replaces(&mut pair).as_deref(), Some("m1"));
    // In another room somebody else may have it.
    pair.receive(&said("other@muc.example.org/x", "groupchat", "c", &corrects("m1")));
    assert_eq!(replaces(&mut pair).as_deref(), Some("m1"));
}

#[test]
fn xep0308_4_so_they_must_between_a_rooms_occupants() {
    let mut pair = Pair::online();
    let marked = |content: &str| format!("{content}<x xmlns='http://jabber.org/protocol/muc#user'/>");
    let (bob, mallory) = (format!("{ROOM}/bob"), format!("{ROOM}/mallory"));
    pair.receive(&said(&bob, "chat", "m1", &marked(&text("m1"))));
    assert_eq!(pair.told("message")[0]["occupant"], json!(true));
    for content in [marked(&corrects("m1")), corrects("m1")] {
        pair.receive(&said(&mallory, "chat", "c", &content));
        assert_eq!(replaces(&mut pair), None);
    }
    pair.receive(&said(&bob, "chat", "c", &marked(&corrects("m1"))));
    assert_eq!(replaces(&mut pair).as_deref(), Some("m1"));
    // An answer goes to that occupant.
    let message = json!({ "id": "m1", "from": bob, "occupant": true });
    let (reply, _) = taken(&mut pair, "reply", json!([message, "psst"]));
    assert_eq!(reply.attr("to"), Some(bob.as_str()));
}

#[test]
fn what_came_from_the_archive_is_remembered_as_well() {
    use crate::archive::{again, kept, knowing, page};
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let correction = |id: &str, from: &str, of: &str| {
        let (id, message) = kept(id, from, "alice@example.org", "better");
        let replace = format!("<replace xmlns='{CORRECT}' id='{of}'/></message>");
        (id, message.replace("</message>", &replace))
    };
    let entries = [kept("1", BOB, "alice@example.org", "1"), correction("2", BOB, "m-1")];
    page(&mut pair, &asked, &entries, true);
    let told: Vec<Value> = pair.told("message");
    assert_eq!((told[0].get("replaces"), &told[1]["replaces"]), (None, &json!("m-1")));
    // Bob's id in Bob's conversation, but not his any more.
    let inner = said("alice@example.org/phone", "chat", "c", &corrects("m-1"));
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(replaces(&mut pair), None);
}

#[test]
fn an_error_makes_nobodys_message_somebody_elses() {
    let mut pair = Pair::online();
    let (_, sent) = taken(&mut pair, "send", json!([{ "to": "bob@example.org", "body": "yes" }]));
    let id = sent["id"].as_str().unwrap();
    pair.receive(&said(BOB, "error", id, "<body>yes</body>"));
    pair.receive(&said(BOB, "error", "x1", "<body>yes</body>"));
    pair.events.clear();
    pair.receive(&said(BOB, "chat", "c", &corrects(id)));
    assert_eq!(replaces(&mut pair), None);
    // Nor has an id that bounced been Bob's.
    let inner = said("alice@example.org/phone", "chat", "c", &corrects("x1"));
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(replaces(&mut pair).as_deref(), Some("x1"));
}

#[test]
fn what_is_remembered_has_bounds() {
    let mut pair = Pair::online();
    enter_room(&mut pair, ROOM);
    let (bob, mallory) = (format!("{ROOM}/bob"), format!("{ROOM}/mallory"));
    let long = "x".repeat(513);
    pair.receive(&said(&bob, "groupchat", &long, &text("m1")));
    pair.receive(&said(&mallory, "groupchat", "c", &corrects(&long)));
    assert_eq!(replaces(&mut pair), Some(long), "too long to be remembered");
    pair.receive(&said(&bob, "groupchat", "m1", &text("m1")));
    for n in 0..1_000 {
        pair.receive(&said(&mallory, "groupchat", &format!("f{n}"), &text("flood")));
    }
    pair.receive(&said(&mallory, "groupchat", "c", &corrects("m1")));
    assert_eq!(
        replaces(&mut pair).as_deref(),
        Some("m1"),
        "longer ago than a thousand messages"
    );
}
