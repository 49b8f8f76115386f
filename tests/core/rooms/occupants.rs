//! Who is in a room: §7.2 to §7.7, and how it ends for others' reasons.

use super::*;
use stanzawire::error::Code;

fn occupant(pair: &mut Pair) -> Value {
    let mut all = news(pair, "occupant");
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn xep0045_7_2_who_comes_and_changes_and_leaves() {
    let mut pair = entered(ALL);
    pair.told("room");
    pair.receive(&format!(
        "<presence xmlns='jabber:client' from='{ROOM}/Carol'><show>away</show><status>tea</status>\
         <x xmlns='{USER}'><item affiliation='owner' role='moderator' jid='carol@example.org/pda'/></x></presence>"
    ));
    let carol = json!({
        "affiliation": "owner", "jid": "carol@example.org/pda", "nick": "Carol", "role": "moderator", "show": "away", "status": "tea",
    });
    assert_eq!(
        occupant(&mut pair),
        json!({ "change": "joined", "kind": "occupant", "occupant": carol, "room": ROOM })
    );
    there(&mut pair, "Carol", "id-carol", "");
    let changed = occupant(&mut pair);
    assert_eq!(
        (&changed["change"], &changed["occupant"]["role"]),
        (&json!("changed"), &json!("participant"))
    );
    // The same again is no news.
    there(&mut pair, "Carol", "id-carol", "");
    assert!(news(&mut pair, "occupant").is_empty());
    gone(&mut pair, "Carol", "<item affiliation='none' role='none'/>");
    let left = occupant(&mut pair);
    assert_eq!(
        (&left["change"], &left["reason"], &left["occupant"]["nick"]),
        (&json!("left"), &json!("left"), &json!("Carol"))
    );
    // Who isn't there can't leave.
    gone(&mut pair, "Carol", "<item affiliation='none' role='none'/>");
    assert!(news(&mut pair, "occupant").is_empty());
}

#[test]
fn xep0045_8_2_9_1_11_1_why_somebody_is_no_longer_there() {
    for (codes, reason) in [
        (vec![307], "kicked"),
        (vec![301], "banned"),
        (vec![301, 307], "banned"),
        (vec![321], "affiliation"),
        (vec![322], "members-only"),
        (vec![332], "shutdown"),
        (vec![307, 333], "error"),
    ] {
        let mut pair = entered(ALL);
        pair.told("room");
        let codes: String = codes.iter().map(|code| format!("<status code='{code}'/>")).collect();
        gone(
            &mut pair,
            "Bob",
            &format!("<item affiliation='none' role='none'><actor nick='Carol'/><reason>enough</reason></item>{codes}"),
        );
        let left = occupant(&mut pair);
        assert_eq!(
            (&left["reason"], &left["by"], &left["text"]),
            (&json!(reason), &json!("Carol"), &json!("enough")),
        );
    }
}

#[test]
fn xep0045_8_2_who_is_thrown_out_is_out_and_stays_out() {
    for (code, reason) in [
        (307, "kicked"),
        (301, "banned"),
        (321, "affiliation"),
        (322, "members-only"),
    ] {
        let mut pair = entered(ALL);
        let waiting = pair.im("room.changeNick", json!([ROOM, "Alicia"]));
        pair.element();
        gone(
            &mut pair,
            "Alice",
            &format!(
                "<item affiliation='none' role='none'><actor nick='Bob'/><reason>out</reason></item>\
             <status code='110'/><status code='{code}'/>"
            ),
        );
        assert_eq!(pair.error(waiting).code(), Code::NotDelivered);
        let told = news(&mut pair, "status").pop().unwrap();
        assert_eq!(
            (&told["status"], &told["reason"], &told["by"], &told["text"]),
            (&json!("left"), &json!(reason), &json!("Bob"), &json!("out")),
        );
        pass(&mut pair, 3_600_000);
        assert!(!pair.sent.iter().any(|frame| frame.contains(ROOM)), "{:?}", pair.sent);
        let call = pair.im("room.send", json!([ROOM, "hello?"]));
        assert_eq!(pair.error(call).code(), Code::InvalidState);
    }
}

#[test]
fn xep0045_10_9_a_room_that_is_destroyed_says_where_to_go() {
    let mut pair = entered(ALL);
    // As the standard's own example has it, without a code.
    gone(
        &mut pair,
        "Alice",
        "<item affiliation='none' role='none'/><destroy jid='coffee@rooms.example.org'><reason>closed</reason><password>p</password></destroy>",
    );
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!(
        told,
        json!({
            "alternate": "coffee@rooms.example.org", "kind": "status", "nick": "Alice", "password": "p", "reason": "destroyed", "room": ROOM,
            "status": "left", "text": "closed",
        })
    );
}

#[test]
fn xep0045_7_6_somebody_takes_another_nickname() {
    let mut pair = entered(ALL);
    pair.told("room");
    gone(
        &mut pair,
        "Bob",
        "<item affiliation='none' role='participant' nick='Robert'/><status code='303'/>",
    );
    let told = occupant(&mut pair);
    assert_eq!(
        (
            &told["change"],
            &told["previous"],
            &told["occupant"]["nick"],
            &told["occupant"]["occupantId"]
        ),
        (&json!("nick"), &json!("Bob"), &json!("Robert"), &json!("id-bob")),
    );
    there(&mut pair, "Robert", "id-bob", "");
    assert!(news(&mut pair, "occupant").is_empty(), "that is the same one");
}

#[test]
fn xep0045_7_6_we_take_another_nickname() {
    let mut pair = entered(ALL);
    let call = pair.im("room.changeNick", json!([ROOM, "Alicia"]));
    let presence = pair.element();
    assert_eq!(presence.attr("to"), Some("tea@rooms.example.org/Alicia"));
    assert!(presence.child("x", MUC).is_none(), "that would be entering");
    gone(
        &mut pair,
        "Alice",
        "<item affiliation='none' role='participant' nick='Alicia'/><status code='303'/><status code='110'/>",
    );
    assert!(pair.is_open(call));
    us(&mut pair, "Alicia", "");
    assert_eq!(pair.value(call), json!("Alicia"));
    let told = occupant(&mut pair);
    assert_eq!(
        (&told["occupant"]["nick"], &told["occupant"]["self"]),
        (&json!("Alicia"), &json!(true))
    );
    let own = "<body>1</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-alice'/>";
    pair.receive(&message("Alicia", "m1", own));
    assert_eq!(pair.told("message")[0]["own"], json!(true));
}

#[test]
fn xep0045_7_6_a_nickname_that_is_taken() {
    let mut pair = entered(ALL);
    let call = pair.im("room.changeNick", json!([ROOM, "Bob"]));
    let presence = pair.element();
    pair.receive(&refusal(&presence, "cancel", "conflict"));
    let error = pair.error(call);
    assert_eq!((error.code(), error.condition()), (Code::StanzaError, Some("conflict")));
    assert!(
        news(&mut pair, "status").iter().all(|told| told["status"] != "left"),
        "we are in it yet"
    );
    // And it can be tried again.
    pair.im("room.changeNick", json!([ROOM, "Alicia"]));
    pair.element();
}

#[test]
fn xep0045_7_7_our_presence_in_a_room_and_in_all() {
    let mut pair = entered(ALL);
    let call = pair.im("setPresence", json!([{ "priority": 5, "show": "away" }]));
    assert!(pair.reply(call).is_ok());
    pair.element();
    let presence = pair.element();
    assert_eq!(presence.attr("to"), Some("tea@rooms.example.org/Alice"));
    assert_eq!(presence.child_text("show", "jabber:client").as_deref(), Some("away"));
    assert!(presence.child("priority", "jabber:client").is_none());
    let call = pair.im("room.setPresence", json!([ROOM, { "show": "dnd", "status": "tea" }]));
    assert_eq!(pair.value(call), json!(null));
    let presence = pair.element();
    assert_eq!(presence.child_text("show", "jabber:client").as_deref(), Some("dnd"));
    pair.im("setPresence", json!([{}]));
    pair.element();
    pair.nothing_sent();
}

#[test]
fn a_crowd_is_bounded() {
    let mut pair = Pair::online();
    let (call, _) = call(&mut pair, json!({ "nick": "Alice" }), ALL);
    for number in 0..20_010 {
        there(&mut pair, &format!("n{number}"), "id", "");
    }
    us(&mut pair, "Alice", "");
    assert!(pair.reply(call).is_ok());
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!(
        told["occupants"].as_array().unwrap().len(),
        20_001,
        "and we are among them"
    );
    // What one of those beyond says is told all the same.
    said(&mut pair, "n20009", "m1", "<body>1</body>");
    assert_eq!(bodies(&mut pair), ["1"]);
}
