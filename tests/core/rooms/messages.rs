//! What is said in a room: §7.2.13, §7.4, §7.5, §8.1, and what is said of it later.

use super::*;
use crate::chat::taken;
use stanzawire::error::Code;

#[test]
fn xep0045_7_4_a_message_comes_as_the_rooms() {
    let mut pair = entered(ALL);
    pair.told("message");
    said(
        &mut pair,
        "Bob",
        "m1",
        "<body>hello</body><nick xmlns='http://jabber.org/protocol/nick'>The Queen</nick>",
    );
    let expected = json!({
        "body": "hello", "from": "tea@rooms.example.org/Bob", "id": "m1", "nick": "Bob", "occupantId": "id-bob", "room": ROOM,
        "stanzaId": "s-m1", "to": "alice@example.org/here", "type": "groupchat",
    });
    let events = std::mem::take(&mut pair.events);
    pair.events.clone_from(&events);
    assert_eq!(pair.told("message"), std::slice::from_ref(&expected));
    pair.events = events;
    assert_eq!(
        news(&mut pair, "message"),
        [json!({ "kind": "message", "message": expected, "room": ROOM })]
    );
}

#[test]
fn xep0045_7_4_we_say_something_to_everybody() {
    let mut pair = entered(ALL);
    let (message, sent) = taken(&mut pair, "room.send", json!([ROOM, "hello"]));
    assert_eq!(
        (message.attr("type"), message.attr("to")),
        (Some("groupchat"), Some(ROOM))
    );
    assert_eq!(message.child_text("body", "jabber:client").as_deref(), Some("hello"));
    assert_eq!(sent["type"], json!("groupchat"));
    let id = sent["id"].as_str().unwrap().to_owned();
    said(&mut pair, "Alice", &id, "<body>hello</body>");
    let told = pair.told("message").pop().unwrap();
    assert_eq!(
        (&told["own"], &told["stanzaId"]),
        (&json!(true), &json!(format!("s-{id}")))
    );
}

#[test]
fn xep0045_7_4_a_room_that_refuses_it_fails_the_promise() {
    let mut pair = entered(ALL);
    let call = pair.im("room.send", json!([ROOM, "hello"]));
    let message = pair.element();
    pair.receive(&refusal(&message, "auth", "forbidden"));
    assert_eq!(pair.error(call).condition(), Some("forbidden"));
}

#[test]
fn xep0045_7_5_a_word_with_one_of_them() {
    let mut pair = entered(ALL);
    pair.told("message");
    let (message, _) = taken(&mut pair, "room.sendPrivate", json!([ROOM, "Bob", "psst"]));
    assert_eq!(
        (message.attr("type"), message.attr("to")),
        (Some("chat"), Some("tea@rooms.example.org/Bob"))
    );
    assert!(message.child("x", USER).is_some());
    // Also one that is sent without the room.
    let (message, _) = taken(
        &mut pair,
        "send",
        json!([{ "body": "psst", "to": "tea@rooms.example.org/Bob" }]),
    );
    assert!(message.child("x", USER).is_some());
    let (message, _) = taken(
        &mut pair,
        "send",
        json!([{ "body": "psst", "to": "coffee@rooms.example.org/Bob" }]),
    );
    assert!(message.child("x", USER).is_none());
    // And what comes back is marked, whether the room has marked it or not.
    for mark in ["<x xmlns='http://jabber.org/protocol/muc#user'/>", ""] {
        pair.receive(&message_to_us("chat", &format!("<body>what?</body>{mark}")));
        let events = pair.events.clone();
        let told = pair.told("message").pop().unwrap();
        assert_eq!(
            (&told["type"], &told["occupant"], &told["room"], &told["nick"]),
            (&json!("chat"), &json!(true), &json!(ROOM), &json!("Bob")),
        );
        pair.events = events;
        assert!(news(&mut pair, "message").is_empty());
    }
    pair.receive(&message_to_us("chat", "<body>what?</body>"));
    assert_eq!(news(&mut pair, "private-message").len(), 1);
}

fn message_to_us(kind: &str, content: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='{kind}' id='p1' from='{ROOM}/Bob' to='alice@example.org/here'>{content}</message>"
    )
}

#[test]
fn xep0045_8_1_the_subject_is_what_has_no_body() {
    let mut pair = entered(ALL);
    pair.told("room");
    subject(&mut pair, "tea at five");
    assert_eq!(
        news(&mut pair, "subject"),
        [json!({ "kind": "subject", "nick": "Bob", "room": ROOM, "subject": "tea at five" })]
    );
    for more in ["<body>x</body>", "<thread>x</thread>"] {
        said(&mut pair, "Bob", "m1", &format!("<subject>coffee</subject>{more}"));
        assert!(news(&mut pair, "subject").is_empty(), "{more}");
    }
    let (message, _) = taken(&mut pair, "room.setSubject", json!([ROOM, "tea at six"]));
    assert_eq!(
        message.child_text("subject", "jabber:client").as_deref(),
        Some("tea at six")
    );
    assert!(message.child("body", "jabber:client").is_none());
    assert_eq!(
        (message.attr("type"), message.attr("to")),
        (Some("groupchat"), Some(ROOM))
    );
}

#[test]
fn xep0045_7_2_13_what_was_said_before_comes_with_its_time() {
    let mut pair = Pair::online();
    call(&mut pair, json!({ "nick": "Alice" }), ALL);
    us(&mut pair, "Alice", "");
    let delay = format!("<delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='2026-01-01T00:00:00Z'/>");
    said(&mut pair, "Bob", "m1", &format!("<body>1</body>{delay}"));
    subject(&mut pair, "");
    let told = pair.told("message");
    assert_eq!(
        (&told[0]["body"], &told[0]["delay"]),
        (&json!("1"), &json!("2026-01-01T00:00:00Z"))
    );
}

#[test]
fn xep0045_7_4_what_comes_before_the_room_has_said_what_it_can_waits_for_that() {
    let mut pair = Pair::online();
    let call = pair.im("rooms.join", json!([ROOM, { "nick": "Alice" }]));
    let asked = pair.element();
    pair.element();
    us(&mut pair, "Alice", "");
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    assert!(pair.is_open(call) && pair.told("message").is_empty());
    answer_features(&mut pair, &asked, ALL);
    assert!(pair.reply(call).is_ok());
    assert_eq!(pair.told("message")[0]["occupantId"], json!("id-bob"));
}

#[test]
fn xep0359_5_the_verbs_name_a_message_by_the_rooms_id() {
    let mut pair = entered(ALL);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    let theirs = pair.told("message").pop().unwrap();
    said(&mut pair, "Alice", "m2", "<body>2</body>");
    let ours = pair.told("message").pop().unwrap();
    let (message, _) = taken(&mut pair, "react", json!([theirs, ["🫖"]]));
    let reactions = message.child("reactions", "urn:xmpp:reactions:0").unwrap();
    assert_eq!(
        (reactions.attr("id"), message.attr("to"), message.attr("type")),
        (Some("s-m1"), Some(ROOM), Some("groupchat"))
    );
    let (message, _) = taken(&mut pair, "reply", json!([theirs, "yes"]));
    let reply = message.child("reply", "urn:xmpp:reply:0").unwrap();
    assert_eq!(
        (reply.attr("id"), reply.attr("to")),
        (Some("s-m1"), Some("tea@rooms.example.org/Bob"))
    );
    let (message, _) = taken(&mut pair, "retract", json!([ours]));
    assert_eq!(
        message
            .child("retract", "urn:xmpp:message-retract:1")
            .unwrap()
            .attr("id"),
        Some("s-m2")
    );
    let (message, _) = taken(&mut pair, "correct", json!([ours, "two"]));
    assert_eq!(
        message
            .child("replace", "urn:xmpp:message-correct:0")
            .unwrap()
            .attr("id"),
        Some("m2")
    );
    assert_eq!(message.attr("to"), Some(ROOM));
}

#[test]
fn xep0425_4_a_message_is_taken_back_by_the_room() {
    let mut pair = entered(ALL);
    said(&mut pair, "Bob", "m1", "<body>spam</body>");
    pair.told("room");
    let call = pair.im("room.moderate", json!([ROOM, "s-m1", "spam"]));
    let asked = pair.element();
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("set"), Some(ROOM)));
    let moderate = asked.child("moderate", "urn:xmpp:message-moderate:1").unwrap();
    assert_eq!(moderate.attr("id"), Some("s-m1"));
    assert!(moderate.child("retract", "urn:xmpp:message-retract:1").is_some());
    assert_eq!(
        moderate.child_text("reason", "urn:xmpp:message-moderate:1").as_deref(),
        Some("spam")
    );
    pair.answer(&asked, "");
    assert_eq!(pair.value(call), json!(null));
    pair.receive(&message("", "r1", &moderated("s-m1")));
    let events = pair.events.clone();
    let told = pair.told("retraction").pop().unwrap();
    let who = json!({ "by": "tea@rooms.example.org/Alice", "occupantId": "id-alice", "reason": "spam" });
    assert_eq!(
        (&told["retracts"], &told["moderation"], &told["from"]),
        (&json!("s-m1"), &who, &json!(ROOM))
    );
    pair.events = events;
    assert_eq!(
        news(&mut pair, "moderation"),
        [json!({
            "by": "tea@rooms.example.org/Alice", "kind": "moderation", "occupantId": "id-alice", "reason": "spam", "room": ROOM,
            "stanzaId": "s-m1",
        })]
    );
}

pub fn moderated(id: &str) -> String {
    format!(
        "<retract id='{id}' xmlns='urn:xmpp:message-retract:1'>\
         <moderated by='{ROOM}/Alice' xmlns='urn:xmpp:message-moderate:1'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-alice'/></moderated>\
         <reason>spam</reason></retract>"
    )
}

#[test]
fn xep0425_4_a_room_that_refuses_to_says_why() {
    let mut pair = entered(ALL);
    let call = pair.im("room.moderate", json!([ROOM, "s-m1"]));
    let asked = pair.element();
    pair.receive(&refusal(&asked, "auth", "forbidden"));
    assert_eq!(
        (pair.error(call).code(), pair.error(call).condition()),
        (Code::StanzaError, Some("forbidden"))
    );
    assert_eq!(
        pair.try_im("room.moderate", json!([ROOM, ""])).unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[test]
fn xep0045_10_2_1_a_room_that_is_configured_says_so_and_is_asked_again() {
    let mut pair = entered(PLAIN);
    pair.told("room");
    pair.receive(&message(
        "",
        "c1",
        &format!("<x xmlns='{USER}'><status code='104'/></x>"),
    ));
    assert_eq!(
        news(&mut pair, "configuration"),
        [json!({ "codes": [104], "kind": "configuration", "room": ROOM })]
    );
    let asked = pair.element();
    answer_features(&mut pair, &asked, ALL);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    assert_eq!(pair.told("message")[0]["occupantId"], json!("id-bob"));
}
