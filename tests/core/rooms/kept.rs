//! What the next page knows of the rooms.

use super::*;
use crate::sm;

/// The page behind one that was in the room and has been told `m1`, as far as the session's being resumed.
fn next_page(features: &[&str]) -> Pair {
    let mut old = sm::online_with(sm::kept::storing());
    enter(&mut old, features);
    said(&mut old, "Bob", "m1", "<body>1</body>");
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    pair.sent.clear();
    pair
}

#[test]
fn a_page_whose_session_goes_on_is_in_the_rooms_of_the_one_before() {
    let mut pair = next_page(ALL);
    sm::resumed(&mut pair, sm::FIRST + 2);
    let presence = join_presence(&mut pair);
    assert_eq!(presence.attr("to"), Some("tea@rooms.example.org/Alice"));
    let history = presence.child("x", MUC).unwrap().child("history", MUC).unwrap().clone();
    assert_eq!(
        history.attr("maxstanzas"),
        Some("0"),
        "the session has been there all the time"
    );
    // What came meanwhile waits, and who is there are no contacts.
    said(&mut pair, "Bob", "m2", "<body>2</body>");
    there(&mut pair, "Bob", "id-bob", "");
    assert!(pair.told("presence").is_empty() && pair.told("message").is_empty());
    us(&mut pair, "Alice", "");
    let told = news(&mut pair, "status").pop().unwrap();
    assert_eq!(
        (&told["status"], told["occupants"].as_array().unwrap().len()),
        (&json!("joined"), 2)
    );
    assert_eq!(
        told["occupants"][1]["occupantId"],
        json!("id-bob"),
        "it is known what the room can"
    );
    let asked = loop {
        let sent = pair.element();
        if sent.child("query", MAM).is_some() && sent.attr("to") == Some(ROOM) {
            break sent;
        }
    };
    pair.answer(
        &asked,
        &format!("<fin xmlns='{MAM}' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin>"),
    );
    assert_eq!(bodies(&mut pair), ["2"]);
}

#[test]
fn a_room_without_an_archive_goes_on_as_well() {
    let mut pair = next_page(PLAIN);
    sm::resumed(&mut pair, sm::FIRST + 2);
    join_presence(&mut pair);
    said(&mut pair, "Bob", "m2", "<body>2</body>");
    us(&mut pair, "Alice", "");
    assert_eq!(bodies(&mut pair), ["2"]);
}

#[test]
fn a_page_with_a_session_of_its_own_enters_them_again() {
    let mut pair = next_page(ALL);
    sm::failed(&mut pair, None);
    pair.bind(crate::pair::JID);
    let presence = join_presence(&mut pair);
    assert_eq!(presence.attr("to"), Some("tea@rooms.example.org/Alice"));
    us(&mut pair, "Alice", "");
    assert_eq!(news(&mut pair, "status").pop().unwrap()["status"], json!("joined"));
}

#[test]
fn an_app_that_enters_what_is_entered_again_by_itself_has_missed_nothing() {
    let mut old = sm::online_with(sm::kept::storing());
    enter(&mut old, ALL);
    said(&mut old, "Bob", "m1", "<body>1</body>");
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    let known = news(&mut pair, "status");
    assert_eq!(
        known[0]["status"],
        json!("rejoining"),
        "the app can find it before it has been entered"
    );
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST + 2);
    join_presence(&mut pair);
    let call = pair.im("rooms.join", json!([ROOM, { "nick": "Alice" }]));
    assert!(
        pair.sent.iter().all(|sent| !sent.contains("/muc\"")),
        "it is on the way in: {:?}",
        pair.sent
    );
    us(&mut pair, "Alice", "");
    assert_eq!(pair.value(call), json!({ "room": ROOM }));
    let asked = loop {
        let sent = pair.element();
        if sent.child("query", MAM).is_some() && sent.attr("to") == Some(ROOM) {
            break sent;
        }
    };
    let after = asked
        .child("query", MAM)
        .and_then(|query| query.child("set", "http://jabber.org/protocol/rsm"));
    assert_eq!(
        after
            .and_then(|set| set.child_text("after", "http://jabber.org/protocol/rsm"))
            .as_deref(),
        Some("s-m1")
    );
}

#[test]
fn what_was_left_is_not_entered_again_and_no_password_is_kept() {
    let mut old = sm::online_with(sm::kept::storing());
    let (call, _) = call(&mut old, json!({ "nick": "Alice", "password": "open-sesame" }), ALL);
    us(&mut old, "Alice", "");
    assert!(old.reply(call).is_ok());
    old.advance(2_000);
    assert!(old.kept.values().any(|kept| kept.contains(ROOM)));
    assert!(old.kept.values().all(|kept| !kept.contains("open-sesame")));
    old.im("room.leave", json!([ROOM]));
    gone(
        &mut old,
        "Alice",
        "<item affiliation='none' role='none'/><status code='110'/>",
    );
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST + 3);
    assert!(!pair.sent.iter().any(|frame| frame.contains(ROOM)), "{:?}", pair.sent);
}

#[test]
fn nonsense_in_the_store_is_no_room() {
    for saved in [
        "",
        "<rooms",
        "<rooms xmlns='http://jabber.org/protocol/muc'><room/><room jid='@' nick='x'/></rooms>",
    ] {
        let mut old = sm::online_with(sm::kept::storing());
        enter(&mut old, ALL);
        old.advance(2_000);
        for kept in old.kept.values_mut() {
            if let (Some(start), Some(end)) = (kept.find("<rooms"), kept.find("</rooms>")) {
                kept.replace_range(start..end + "</rooms>".len(), saved);
            }
        }
        let mut pair = sm::kept::kill(old);
        sm::kept::log_in(&mut pair);
        pair.sent.clear();
        sm::resumed(&mut pair, sm::FIRST + 2);
        assert!(!pair.sent.iter().any(|frame| frame.contains(ROOM)), "{saved}");
    }
}
