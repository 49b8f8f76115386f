//! Entering and leaving: §7.1, §7.2, §7.6, §7.14, §10.1.

use super::*;
use crate::pair::{NS_CLIENT, config};
use stanzawire::error::Code;

#[test]
fn xep0045_7_2_2_entering_ends_with_our_own_presence() {
    let mut pair = Pair::online();
    let (call, presence) = call(&mut pair, json!({ "nick": "Alice" }), ALL);
    assert_eq!(presence.attr("to"), Some("tea@rooms.example.org/Alice"));
    let x = presence.child("x", MUC).expect("§7.2.1");
    assert_eq!(x.children().count(), 0);
    assert!(presence.child("c", "http://jabber.org/protocol/caps").is_some());
    assert_eq!(
        news(&mut pair, "status")[0],
        json!({ "kind": "status", "nick": "Alice", "room": ROOM, "status": "joining" })
    );
    there(&mut pair, "Bob", "id-bob", "");
    assert!(pair.is_open(call), "not before it is ours");
    assert!(pair.told("room").is_empty(), "who is there is told at once");
    us(&mut pair, "Alice", "<status code='170'/>");
    assert_eq!(pair.value(call), json!({ "room": ROOM }));
    assert_eq!(
        news(&mut pair, "status"),
        [json!({
            "codes": [170], "kind": "status", "nick": "Alice",
            "occupants": [
                { "affiliation": "none", "nick": "Alice", "occupantId": "id-alice", "role": "participant", "self": true },
                { "affiliation": "none", "nick": "Bob", "occupantId": "id-bob", "role": "participant" },
            ],
            "room": ROOM, "status": "joined",
        })]
    );
}

#[test]
fn xep0045_7_2_occupants_are_no_contacts() {
    let mut pair = Pair::online();
    call(&mut pair, json!({ "nick": "Alice" }), ALL);
    there(&mut pair, "Bob", "id-bob", "");
    us(&mut pair, "Alice", "");
    gone(&mut pair, "Bob", "<item affiliation='none' role='none'/>");
    assert!(pair.told("presence").is_empty());
    // Others are.
    pair.receive("<presence xmlns='jabber:client' from='bob@example.org/phone'/>");
    assert_eq!(pair.told("presence").len(), 1);
}

#[test]
fn xep0045_7_2_5_a_password_and_7_2_14_how_much_history() {
    let mut pair = Pair::online();
    let history =
        json!({ "maxChars": 1000, "maxMessages": 0, "seconds": 60, "since": { "$date": "2026-01-01T00:00:00Z" } });
    let (_, presence) = call(
        &mut pair,
        json!({ "history": history, "nick": "Alice", "password": "<secret>" }),
        ALL,
    );
    let x = presence.child("x", MUC).unwrap();
    assert_eq!(x.child_text("password", MUC).as_deref(), Some("<secret>"));
    let history = x.child("history", MUC).unwrap();
    let attrs: Vec<_> = history.attrs().collect();
    assert_eq!(
        attrs,
        [
            ("maxstanzas", "0"),
            ("maxchars", "1000"),
            ("seconds", "60"),
            ("since", "2026-01-01T00:00:00Z")
        ]
    );
}

#[test]
fn xep0045_7_2_refusals_have_their_conditions_and_hints() {
    for (condition, hint) in [
        ("conflict", "nickname"),
        ("not-authorized", "password"),
        ("registration-required", "members"),
        ("forbidden", "banned"),
        ("service-unavailable", "full"),
        ("item-not-found", "no such room"),
        ("not-allowed", "made"),
        ("not-acceptable", "reserved"),
        ("gone", "condition"),
    ] {
        let mut pair = Pair::online();
        let (call, presence) = call(&mut pair, json!({ "nick": "Alice" }), ALL);
        pair.receive(&refusal(&presence, "cancel", condition));
        let error = pair.error(call);
        assert_eq!((error.code(), error.condition()), (Code::StanzaError, Some(condition)));
        assert!(error.hint().contains(hint), "{condition}: {}", error.hint());
        let told = news(&mut pair, "status").pop().unwrap();
        assert_eq!(
            (&told["status"], &told["reason"], &told["condition"]),
            (&json!("left"), &json!("refused"), &json!(condition))
        );
        // It can be tried again.
        pair.im("rooms.join", json!([ROOM, { "nick": "Alice2" }]));
        assert_eq!(
            join_presence(&mut pair).attr("to"),
            Some("tea@rooms.example.org/Alice2")
        );
    }
}

#[test]
fn rfc6120_8_3_1_a_refusal_answers_the_presence_by_its_id() {
    let mut pair = Pair::online();
    let (call, presence) = call(&mut pair, json!({ "nick": "Alice" }), ALL);
    let forged = refusal(&presence, "cancel", "forbidden").replace(presence.attr("id").unwrap(), "guessed");
    pair.receive(&forged);
    assert!(pair.is_open(call));
}

#[test]
fn xep0045_7_2_8_a_nickname_that_the_service_changes() {
    let mut pair = Pair::online();
    let (call, _) = call(&mut pair, json!({ "nick": "Alice" }), ALL);
    us(&mut pair, "alice-1", "<status code='210'/>");
    assert_eq!(pair.value(call), json!({ "room": ROOM }));
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!((&told["nick"], &told["assigned"]), (&json!("alice-1"), &json!(true)));
    assert_eq!(told["occupants"][0]["self"], json!(true));
    // From then on it is ours.
    let own = "<body>1</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-alice'/>";
    pair.receive(&message("alice-1", "m1", own));
    assert_eq!(pair.told("message")[0]["own"], json!(true));
}

#[test]
fn xep0045_10_1_a_room_that_was_made_is_asked_again_what_it_can() {
    let mut pair = Pair::online();
    let call = pair.im("rooms.join", json!([ROOM, { "nick": "Alice" }]));
    let asked = pair.element();
    pair.element();
    pair.receive(&refusal(&asked, "cancel", "item-not-found"));
    us(&mut pair, "Alice", "<status code='201'/>");
    assert!(pair.is_open(call));
    let again = pair.element();
    assert_eq!(again.attr("to"), Some(ROOM));
    answer_features(&mut pair, &again, ALL);
    assert_eq!(pair.value(call), json!({ "room": ROOM }));
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!((&told["status"], &told["created"]), (&json!("joined"), &json!(true)));
    assert_eq!(told["occupants"][0]["occupantId"], json!("id-alice"));
}

#[test]
fn a_room_that_says_nothing_of_itself_can_be_entered() {
    let mut pair = Pair::online();
    let call = pair.im("rooms.join", json!([ROOM, { "nick": "Alice" }]));
    let asked = pair.element();
    pair.element();
    us(&mut pair, "Alice", "");
    pair.receive(&refusal(&asked, "cancel", "service-unavailable"));
    assert_eq!(pair.value(call), json!({ "room": ROOM }));
    assert_eq!(
        news(&mut pair, "status").pop().unwrap()["occupants"][0].get("occupantId"),
        None
    );
}

#[test]
fn a_call_that_is_given_up_leaves_nobody_in_the_room() {
    let mut pair = Pair::online();
    let (call, _) = call(&mut pair, json!({ "nick": "Alice" }), ALL);
    pair.abort(call);
    assert_eq!(pair.error(call).code(), Code::Aborted);
    let presence = pair.element();
    assert_eq!(
        (presence.attr("type"), presence.attr("to")),
        (Some("unavailable"), Some("tea@rooms.example.org/Alice"))
    );
    // What comes meanwhile is told to nobody.
    there(&mut pair, "Bob", "id-bob", "");
    us(&mut pair, "Alice", "");
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    assert!(pair.told("message").is_empty());
    gone(
        &mut pair,
        "Alice",
        "<item affiliation='none' role='none'/><status code='110'/>",
    );
    assert_eq!(news(&mut pair, "status").pop().unwrap()["status"], json!("left"));
}

#[test]
fn xep0045_7_14_leaving_ends_with_our_own_unavailable_presence() {
    let mut pair = entered(ALL);
    let call = pair.im("room.leave", json!([ROOM]));
    let presence = pair.element();
    assert!(presence.is("presence", NS_CLIENT));
    assert_eq!(
        (presence.attr("type"), presence.attr("to")),
        (Some("unavailable"), Some("tea@rooms.example.org/Alice"))
    );
    assert!(pair.is_open(call));
    gone(
        &mut pair,
        "Alice",
        "<item affiliation='none' role='none'/><status code='110'/>",
    );
    assert_eq!(pair.value(call), json!(null));
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!((&told["status"], &told["reason"]), (&json!("left"), &json!("left")));
    let again = pair.im("rooms.leave", json!([ROOM]));
    assert_eq!(pair.error(again).code(), Code::InvalidState);
}

#[test]
fn a_room_that_does_not_let_us_go_is_left_all_the_same() {
    let mut pair = entered(ALL);
    let call = pair.im("room.leave", json!([ROOM]));
    pair.advance(4_999);
    assert!(pair.is_open(call));
    pair.advance(1);
    assert_eq!(pair.value(call), json!(null));
    assert_eq!(news(&mut pair, "status").pop().unwrap()["status"], json!("left"));
}

#[test]
fn entering_twice_is_entering_once() {
    let mut pair = entered(ALL);
    let same = pair.im("rooms.join", json!([ROOM, { "nick": "Alice" }]));
    assert_eq!(pair.value(same), json!({ "room": ROOM }));
    let other = pair.im("rooms.join", json!([ROOM, { "nick": "Carol" }]));
    assert_eq!(pair.error(other).code(), Code::InvalidState);
    pair.nothing_sent();
}

#[test]
fn what_can_not_be_a_room_or_a_nickname_is_refused() {
    let mut pair = Pair::online();
    for (args, code) in [
        (
            json!(["tea@rooms.example.org/Alice", { "nick": "Alice" }]),
            Code::InvalidArgument,
        ),
        (json!(["rooms.example.org", { "nick": "Alice" }]), Code::InvalidArgument),
        (json!(["@", { "nick": "Alice" }]), Code::InvalidJid),
        (json!([ROOM, { "nick": "" }]), Code::InvalidArgument),
        (json!([ROOM, {}]), Code::InvalidArgument),
        (json!([ROOM]), Code::InvalidArgument),
        (
            json!([ROOM, { "history": { "maxMessages": -1 }, "nick": "Alice" }]),
            Code::InvalidArgument,
        ),
    ] {
        assert_eq!(
            pair.try_im("rooms.join", args.clone()).unwrap_err().code(),
            code,
            "{args}"
        );
    }
    pair.nothing_sent();
    let mut offline = Pair::new(config());
    let call = offline.im("rooms.join", json!([ROOM, { "nick": "Alice" }]));
    assert_eq!(offline.error(call).code(), Code::Offline);
}
