//! Whether we are in a room: XEP-0410, and how we get in again.

use super::*;
use crate::server::Fault;
use crate::sm;
use stanzawire::engine::Input;
use stanzawire::error::Code;

const PING: &str = "urn:xmpp:ping";
const QUIET: u64 = 5 * 60_000;

/// The pings to the room among what was sent.
fn pings(pair: &mut Pair) -> Vec<Element> {
    let mut pings = Vec::new();
    while !pair.sent.is_empty() {
        let sent = pair.element();
        if sent.child("ping", PING).is_some() && sent.attr("to").is_some_and(|to| to.starts_with(ROOM)) {
            pings.push(sent);
        }
    }
    pings
}

fn status(pair: &mut Pair) -> Vec<String> {
    let told = news(pair, "status");
    told.iter()
        .map(|told| told["status"].as_str().unwrap().to_owned())
        .collect()
}

/// The connection is lost, and the session with it; what the client has sent in the next one.
fn next_session(pair: &mut Pair) {
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    pair.open_socket();
    pair.login(&Fault::None);
}

#[test]
fn xep0410_3_2_a_quiet_room_is_asked() {
    let mut pair = entered(ALL);
    pass(&mut pair, QUIET - 1_000);
    assert!(pings(&mut pair).is_empty());
    // Whatever it says is a sign of life.
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    pass(&mut pair, QUIET - 1);
    assert!(pings(&mut pair).is_empty());
    pass(&mut pair, 1);
    let asked = pings(&mut pair);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].attr("to"), Some("tea@rooms.example.org/Alice"));
    pair.answer(&asked[0], "");
    assert!(status(&mut pair).iter().all(|status| status != "rejoining"));
    pass(&mut pair, QUIET);
    assert_eq!(pings(&mut pair).len(), 1);
}

#[test]
fn xep0410_3_2_who_answers_by_these_errors_is_in_the_room() {
    for condition in ["service-unavailable", "feature-not-implemented", "item-not-found"] {
        let mut pair = entered(ALL);
        pass(&mut pair, QUIET);
        let asked = pings(&mut pair).remove(0);
        pair.told("room");
        pair.receive(&refusal(&asked, "cancel", condition));
        assert!(pair.told("room").is_empty(), "{condition}");
        pass(&mut pair, QUIET - 1);
        assert!(pings(&mut pair).is_empty(), "{condition}");
    }
}

#[test]
fn xep0410_3_2_where_nobody_knows_it_is_asked_again() {
    for condition in ["remote-server-not-found", "remote-server-timeout", ""] {
        let mut pair = entered(ALL);
        pass(&mut pair, QUIET);
        let asked = pings(&mut pair).remove(0);
        pair.told("room");
        if condition.is_empty() {
            pass(&mut pair, 30_000);
        } else {
            pair.receive(&refusal(&asked, "wait", condition));
        }
        assert!(pair.told("room").is_empty(), "{condition}");
        pass(&mut pair, 60_000);
        assert_eq!(pings(&mut pair).len(), 1, "{condition}");
    }
}

#[test]
fn xep0410_3_2_by_any_other_error_we_are_out_and_enter_again() {
    for condition in ["not-acceptable", "not-allowed", "bad-request"] {
        let mut pair = entered(ALL);
        said(&mut pair, "Bob", "m1", "<body>1</body>");
        pass(&mut pair, QUIET);
        let asked = pings(&mut pair).remove(0);
        pair.told("room");
        pair.receive(&refusal(&asked, "cancel", condition));
        assert_eq!(status(&mut pair), ["rejoining"]);
        let presence = join_presence(&mut pair);
        assert_eq!(presence.attr("to"), Some("tea@rooms.example.org/Alice"));
        let history = presence.child("x", MUC).unwrap().child("history", MUC).unwrap().clone();
        assert_eq!(history.attr("maxstanzas"), Some("0"), "the archive tells that");
        us(&mut pair, "Alice", "");
        assert_eq!(status(&mut pair), ["joined"]);
    }
}

#[test]
fn xep0410_3_2_only_the_room_can_answer() {
    let mut pair = entered(ALL);
    pass(&mut pair, QUIET);
    let asked = pings(&mut pair).remove(0);
    pair.told("room");
    let forged = refusal(&asked, "cancel", "not-acceptable").replace("from='tea@", "from='mallory@");
    pair.receive(&forged);
    assert!(pair.told("room").is_empty());
    pair.nothing_sent();
}

#[test]
fn xep0410_3_2_who_begins_to_look_has_it_asked() {
    let mut pair = entered(ALL);
    pair.handle(Input::Visible(true));
    assert!(pings(&mut pair).is_empty(), "it has only just been heard");
    pass(&mut pair, 60_000);
    pair.handle(Input::Visible(false));
    assert!(pings(&mut pair).is_empty());
    pair.handle(Input::Visible(true));
    pair.handle(Input::Visible(true));
    assert_eq!(pings(&mut pair).len(), 1, "once");
}

#[test]
fn xep0410_4_not_while_a_nickname_is_changed() {
    let mut pair = entered(ALL);
    pass(&mut pair, 60_000);
    pair.im("room.changeNick", json!([ROOM, "Alicia"]));
    pair.handle(Input::Visible(true));
    assert!(pings(&mut pair).is_empty());
}

#[test]
fn xep0410_1_after_a_resumed_session_nothing_is_entered_again() {
    let mut pair = sm::online();
    enter(&mut pair, ALL);
    pair.sent.clear();
    pair.told("room");
    sm::back(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST + 2);
    assert!(!pair.sent.iter().any(|frame| frame.contains(ROOM)), "{:?}", pair.sent);
    assert!(status(&mut pair).is_empty());
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    assert_eq!(bodies(&mut pair), ["1"]);
}

#[test]
fn xep0045_7_2_in_a_new_session_all_rooms_are_entered_again() {
    let mut pair = entered(PLAIN);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    pair.told("room");
    next_session(&mut pair);
    assert_eq!(status(&mut pair), ["rejoining"]);
    let presence = join_presence(&mut pair);
    let history = presence.child("x", MUC).unwrap().child("history", MUC).unwrap().clone();
    let seconds: u64 = history.attr("seconds").unwrap().parse().unwrap();
    assert!(
        (60..120).contains(&seconds),
        "as long as we were away, and a little more: {seconds}"
    );
    there(&mut pair, "Carol", "id-carol", "");
    us(&mut pair, "Alice", "");
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!(told["status"], json!("joined"));
    let nicks: Vec<_> = told["occupants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["nick"].clone())
        .collect();
    assert_eq!(nicks, [json!("Alice"), json!("Carol")], "as it is now");
    // What has been told isn't told twice.
    let delay = format!("<delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='2026-01-01T00:00:00Z'/>");
    said(&mut pair, "Bob", "m1", &format!("<body>1</body>{delay}"));
    said(&mut pair, "Bob", "m2", &format!("<body>2</body>{delay}"));
    subject(&mut pair, "");
    assert_eq!(bodies(&mut pair), ["2"]);
}

#[test]
fn what_is_said_meanwhile_waits_for_the_room() {
    let mut pair = entered(ALL);
    gone(
        &mut pair,
        "Alice",
        "<item affiliation='none' role='none'/><status code='110'/><status code='332'/>",
    );
    assert_eq!(status(&mut pair).pop().unwrap(), "rejoining");
    let call = pair.im("room.send", json!([ROOM, "hello"]));
    pair.nothing_sent();
    pass(&mut pair, 2_000);
    join_presence(&mut pair);
    assert!(pair.is_open(call));
    us(&mut pair, "Alice", "");
    let message = pair.element();
    assert_eq!(message.child_text("body", "jabber:client").as_deref(), Some("hello"));
}

#[test]
fn xep0045_11_a_service_that_shuts_down_is_tried_again_later_and_later() {
    for codes in [
        "<status code='332'/>",
        "<status code='333'/>",
        "<status code='307'/><status code='333'/>",
    ] {
        let mut pair = entered(ALL);
        gone(
            &mut pair,
            "Alice",
            &format!("<item affiliation='none' role='none'/><status code='110'/>{codes}"),
        );
        let told = news(&mut pair, "status").pop().unwrap();
        assert_eq!(told["status"], json!("rejoining"), "{codes}");
        let mut waits = Vec::new();
        for _ in 0..12 {
            let begun = pair.now;
            while pair.sent.is_empty() {
                pass(&mut pair, 100);
            }
            waits.push(pair.now.since(begun));
            let presence = join_presence(&mut pair);
            pair.receive(&refusal(&presence, "cancel", "remote-server-not-found"));
        }
        assert!(
            waits[0] <= 2_000 && waits[11] >= 150_000 && waits[11] <= 300_000,
            "{waits:?}"
        );
        assert!(pair.told("room").is_empty(), "it goes on trying");
    }
}

#[test]
fn a_room_that_says_nothing_is_tried_again() {
    let mut pair = entered(ALL);
    gone(
        &mut pair,
        "Alice",
        "<item affiliation='none' role='none'/><status code='110'/><status code='332'/>",
    );
    pass(&mut pair, 2_000);
    join_presence(&mut pair);
    pair.sent.clear();
    pass(&mut pair, 30_000 + 4_000);
    join_presence(&mut pair);
}

#[test]
fn xep0045_7_2_a_room_that_does_not_let_us_in_again_is_left() {
    for condition in ["forbidden", "registration-required", "not-authorized", "gone"] {
        let mut pair = entered(ALL);
        next_session(&mut pair);
        let call = pair.im("room.send", json!([ROOM, "hello"]));
        let presence = join_presence(&mut pair);
        pair.receive(&refusal(&presence, "auth", condition));
        let told = news(&mut pair, "status").pop().unwrap();
        assert_eq!(
            (&told["status"], &told["reason"], &told["condition"]),
            (&json!("left"), &json!("refused"), &json!(condition)),
        );
        assert_eq!(pair.error(call).code(), Code::NotDelivered);
    }
}

#[test]
fn a_nickname_that_our_former_session_has_yet_is_asked_for_again() {
    let mut pair = entered(ALL);
    next_session(&mut pair);
    for _ in 0..5 {
        let presence = join_presence(&mut pair);
        pair.receive(&refusal(&presence, "cancel", "conflict"));
        pair.sent.clear();
        while !pair
            .sent
            .iter()
            .any(|frame| frame.contains("tea@rooms.example.org/Alice"))
        {
            pass(&mut pair, 1_000);
        }
    }
    assert!(!status(&mut pair).contains(&"left".to_owned()));
    let presence = join_presence(&mut pair);
    pair.receive(&refusal(&presence, "cancel", "conflict"));
    assert_eq!(status(&mut pair), ["left"], "somebody else has it");
}

#[test]
fn a_client_that_logs_out_is_in_no_room() {
    let mut pair = entered(ALL);
    pair.told("room");
    pair.call(stanzawire::engine::Command::Disconnect);
    pass(&mut pair, 10_000);
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!((&told["status"], &told["reason"]), (&json!("left"), &json!("offline")));
}
