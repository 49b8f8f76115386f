//! Who may say what of a room: what is forged is dropped, or is told as no more than it is.

use super::messages::moderated;
use super::*;

#[test]
fn xep0045_7_4_a_room_that_we_are_not_in_says_nothing() {
    let mut pair = Pair::online();
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    pair.receive(
        "<message xmlns='jabber:client' type='groupchat' from='mallory@example.org/x'><body>2</body></message>",
    );
    pair.receive("<message xmlns='jabber:client' type='groupchat'><body>3</body></message>");
    assert!(pair.told("message").is_empty());
    // Nor before it has let us in.
    call(&mut pair, json!({ "nick": "Alice" }), ALL);
    said(&mut pair, "Bob", "m2", "<body>4</body>");
    us(&mut pair, "Alice", "");
    assert!(pair.told("message").is_empty());
    // Nor another one.
    pair.receive(
        "<message xmlns='jabber:client' type='groupchat' from='coffee@rooms.example.org/Bob'><body>5</body></message>",
    );
    assert!(pair.told("message").is_empty());
    assert!(pair.told("room").is_empty());
}

#[test]
fn xep0045_7_2_somebody_elses_muc_user_makes_no_room() {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<presence xmlns='jabber:client' from='bob@example.org/Alice'><x xmlns='{USER}'>\
         <item affiliation='owner' role='moderator'/><status code='110'/></x></presence>"
    ));
    assert!(news(&mut pair, "status").is_empty());
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='chat' from='bob@example.org/x'><body>1</body><x xmlns='{USER}'>\
         <status code='104'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-alice'/></message>"
    ));
    let told = pair.told("message").pop().unwrap();
    assert_eq!(
        (
            told.get("room"),
            told.get("nick"),
            told.get("occupantId"),
            told.get("own")
        ),
        (None, None, None, None)
    );
    // Nor does it change one.
    let mut pair = entered(ALL);
    pair.told("room");
    for stanza in [
        format!(
            "<presence xmlns='jabber:client' type='unavailable' from='bob@example.org/Alice'><x xmlns='{USER}'><status code='110'/></x></presence>"
        ),
        format!(
            "<presence xmlns='jabber:client' type='unavailable' from='coffee@rooms.example.org/Alice'><x xmlns='{USER}'><status code='110'/></x></presence>"
        ),
        format!(
            "<message xmlns='jabber:client' from='bob@example.org'><x xmlns='{USER}'><status code='104'/></x></message>"
        ),
    ] {
        pair.receive(&stanza);
        assert!(pair.told("room").is_empty(), "{stanza}");
    }
    pair.nothing_sent();
}

#[test]
fn xep0045_10_2_1_an_occupant_configures_nothing() {
    let mut pair = entered(ALL);
    pair.told("room");
    said(
        &mut pair,
        "Bob",
        "m1",
        &format!("<body>1</body><x xmlns='{USER}'><status code='104'/></x>"),
    );
    assert!(news(&mut pair, "configuration").is_empty());
    pair.nothing_sent();
}

#[test]
fn xep0045_7_2_13_a_time_that_an_occupant_has_written_is_none() {
    let mut pair = entered(ALL);
    for from in [
        "",
        "from='tea@rooms.example.org'",
        "from='rooms.example.org'",
        "from='mallory@example.org'",
    ] {
        said(
            &mut pair,
            "Bob",
            &format!("m{from}").replace(['\'', ' '], ""),
            &format!("<body>1</body><delay xmlns='urn:xmpp:delay' {from} stamp='2026-01-01T00:00:00Z'/>"),
        );
        assert_eq!(
            pair.told("message")[0].get("delay"),
            None,
            "{from}: the history is over"
        );
    }
    // And while it isn't, that of another one.
    let mut pair = Pair::online();
    call(&mut pair, json!({ "nick": "Alice" }), ALL);
    us(&mut pair, "Alice", "");
    said(
        &mut pair,
        "Bob",
        "m1",
        "<body>1</body><delay xmlns='urn:xmpp:delay' from='mallory@example.org' stamp='2026-01-01T00:00:00Z'/>",
    );
    assert_eq!(pair.told("message")[0].get("delay"), None);
}

#[test]
fn xep0421_4_an_occupant_id_counts_only_where_the_room_announces_them() {
    let mut pair = entered(PLAIN);
    let told = news(&mut pair, "status").pop().unwrap();
    assert!(
        told["occupants"]
            .as_array()
            .unwrap()
            .iter()
            .all(|occupant| occupant.get("occupantId").is_none())
    );
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    assert_eq!(pair.told("message")[0].get("occupantId"), None);
    there(&mut pair, "Carol", "id-bob", "");
    assert_eq!(news(&mut pair, "occupant")[0]["occupant"].get("occupantId"), None);
}

#[test]
fn xep0359_5_a_stanza_id_counts_only_where_the_room_gives_them() {
    let mut pair = entered(PLAIN);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    assert_eq!(pair.told("message")[0].get("stanzaId"), None);
    // And by the room alone.
    let mut pair = entered(ALL);
    pair.receive(&message(
        "Bob",
        "m1",
        "<body>1</body><stanza-id xmlns='urn:xmpp:sid:0' by='coffee@rooms.example.org' id='x'/>",
    ));
    assert_eq!(pair.told("message")[0].get("stanzaId"), None);
}

fn correction(pair: &mut Pair, nick: &str, id: &str) -> Value {
    said(
        pair,
        nick,
        id,
        "<body>2</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>",
    );
    pair.told("message").pop().unwrap()
}

#[test]
fn xep0421_3_who_takes_over_a_nickname_can_not_correct_what_it_has_said() {
    let mut pair = entered(ALL);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    gone(&mut pair, "Bob", "<item affiliation='none' role='none'/>");
    there(&mut pair, "Bob", "id-mallory", "");
    let forged = "<body>2</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>\
                  <occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-mallory'/>";
    pair.receive(&message("Bob", "m2", forged));
    assert_eq!(pair.told("message").pop().unwrap().get("replaces"), None);
    let retraction = "<retract xmlns='urn:xmpp:message-retract:1' id='s-m1'/>\
                      <occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-mallory'/>";
    pair.receive(&message("Bob", "m3", retraction));
    assert!(pair.told("retraction").is_empty());
}

#[test]
fn xep0421_3_who_comes_back_by_another_nickname_can() {
    let mut pair = entered(ALL);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    gone(&mut pair, "Bob", "<item affiliation='none' role='none'/>");
    there(&mut pair, "Robert", "id-bob", "");
    let ours = "<body>2</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>\
                <occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-bob'/>";
    pair.receive(&message("Robert", "m2", ours));
    assert_eq!(pair.told("message").pop().unwrap()["replaces"], json!("m1"));
}

#[test]
fn xep0308_4_without_occupant_ids_a_nickname_that_left_and_came_back_is_another_one() {
    let mut pair = entered(PLAIN);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    assert_eq!(
        correction(&mut pair, "Bob", "m2")["replaces"],
        json!("m1"),
        "that is the same one"
    );
    gone(&mut pair, "Bob", "<item affiliation='none' role='none'/>");
    there(&mut pair, "Bob", "", "");
    assert_eq!(correction(&mut pair, "Bob", "m3").get("replaces"), None);
    // By another nickname it is the same one all the time, where the room says so.
    let mut pair = entered(PLAIN);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    gone(
        &mut pair,
        "Bob",
        "<item affiliation='none' role='participant' nick='Robert'/><status code='303'/>",
    );
    there(&mut pair, "Bob", "", "");
    assert_eq!(
        correction(&mut pair, "Bob", "m2").get("replaces"),
        None,
        "somebody else has it now"
    );
}

#[test]
fn xep0308_4_a_private_message_is_not_corrected_by_who_takes_over_the_nickname() {
    let mut pair = entered(ALL);
    let private = |id: &str, more: &str| {
        format!(
            "<message xmlns='jabber:client' type='chat' id='{id}' from='{ROOM}/Bob' to='alice@example.org/here'><body>1</body>{more}</message>"
        )
    };
    let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='p1'/>";
    pair.receive(&private("p1", ""));
    pair.receive(&private("p2", replace));
    assert_eq!(pair.told("message").pop().unwrap()["replaces"], json!("p1"));
    gone(&mut pair, "Bob", "<item affiliation='none' role='none'/>");
    there(&mut pair, "Bob", "id-mallory", "");
    pair.receive(&private("p3", replace));
    assert_eq!(pair.told("message").pop().unwrap().get("replaces"), None);
}

#[test]
fn xep0425_5_nobody_but_the_room_moderates() {
    let mut pair = entered(ALL);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    pair.told("room");
    for nick in ["Bob", "Carol", "Alice"] {
        pair.receive(&message(nick, &format!("f-{nick}"), &moderated("s-m1")));
        let events = pair.events.clone();
        assert!(pair.told("retraction").is_empty(), "{nick}");
        pair.events = events;
        assert!(news(&mut pair, "moderation").is_empty(), "{nick}");
    }
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='groupchat' from='coffee@rooms.example.org'>{}</message>",
        moderated("s-m1")
    ));
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='chat' from='{ROOM}/Bob'>{}</message>",
        moderated("s-m1")
    ));
    assert!(news(&mut pair, "moderation").is_empty());
}

#[test]
fn xep0045_7_4_a_groupchat_message_is_never_a_private_one() {
    let mut pair = entered(ALL);
    pair.told("message");
    said(&mut pair, "Bob", "m1", &format!("<body>1</body><x xmlns='{USER}'/>"));
    let told = pair.told("message").pop().unwrap();
    assert_eq!((&told["type"], told.get("occupant")), (&json!("groupchat"), None));
    // What another client of ours is said to have been sent is none of the room's.
    pair.receive(&format!(
        "<message xmlns='jabber:client' from='alice@example.org' to='alice@example.org/here'><received xmlns='urn:xmpp:carbons:2'>\
         <forwarded xmlns='urn:xmpp:forward:0'>{}</forwarded></received></message>",
        message("Bob", "m2", "<body>2</body>")
    ));
    assert!(
        pair.told("message").is_empty(),
        "XEP-0280 §6.1: no room's message is one"
    );
}

#[test]
fn xep0313_8_2_what_nobody_asked_the_archive_for_is_nothing() {
    let mut pair = entered(ALL);
    pair.told("message");
    pair.receive(&format!(
        "<message xmlns='jabber:client' from='{ROOM}'><result xmlns='{MAM}' id='s-9' queryid='x'>\
         <forwarded xmlns='urn:xmpp:forward:0'>{}</forwarded></result></message>",
        message("Bob", "m9", "<body>9</body>")
    ));
    assert!(pair.told("message").is_empty());
}
