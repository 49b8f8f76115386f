//! What was missed comes from the room's archive: XEP-0313.

use super::*;
use crate::server::Fault;

/// A client that has been told the message `m1`, and is back in the room in another session; the question to its archive.
fn back() -> (Pair, Element) {
    let mut pair = entered(ALL);
    said(&mut pair, "Bob", "m1", "<body>1</body>");
    again(&mut pair);
    let asked = question(&mut pair);
    (pair, asked)
}

fn again(pair: &mut Pair) {
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    pair.open_socket();
    pair.login(&Fault::None);
    join_presence(pair);
    us(pair, "Alice", "");
    pair.events.clear();
}

fn question(pair: &mut Pair) -> Element {
    loop {
        let sent = pair.element();
        if sent.child("query", MAM).is_some() && sent.attr("to") == Some(ROOM) {
            return sent;
        }
    }
}

fn after(asked: &Element) -> Option<String> {
    let set = asked
        .child("query", MAM)?
        .child("set", "http://jabber.org/protocol/rsm")?;
    set.child_text("after", "http://jabber.org/protocol/rsm")
}

fn entry(pair: &mut Pair, asked: &Element, nick: &str, id: &str, content: &str) {
    let query = asked.child("query", MAM).unwrap().attr("queryid").unwrap();
    pair.receive(&format!(
        "<message xmlns='jabber:client' from='{ROOM}' to='alice@example.org/here'><result xmlns='{MAM}' id='s-{id}' queryid='{query}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>{}</forwarded></result></message>",
        message(nick, id, content)
    ));
}

fn fin(pair: &mut Pair, asked: &Element, last: &str, complete: bool) {
    pair.answer(asked, &format!(
        "<fin xmlns='{MAM}' complete='{complete}'><set xmlns='http://jabber.org/protocol/rsm'><last>s-{last}</last></set></fin>"
    ));
}

#[test]
fn xep0313_4_what_was_missed_is_told_in_order_and_once() {
    let (mut pair, asked) = back();
    assert_eq!(after(&asked).as_deref(), Some("s-m1"));
    // What comes meanwhile waits.
    said(&mut pair, "Bob", "m4", "<body>4</body>");
    said(&mut pair, "Bob", "m3", "<body>3</body>");
    entry(&mut pair, &asked, "Bob", "m2", "<body>2</body>");
    entry(&mut pair, &asked, "Bob", "m3", "<body>3</body>");
    fin(&mut pair, &asked, "m3", false);
    let next = question(&mut pair);
    assert_eq!(after(&next).as_deref(), Some("s-m3"));
    fin(&mut pair, &next, "m3", true);
    let told = pair.told("message");
    let all: Vec<_> = told.iter().map(|message| message["body"].clone()).collect();
    assert_eq!(all, [json!("2"), json!("3"), json!("4")]);
    assert_eq!(
        told[0],
        json!({
            "body": "2", "delay": "2026-01-01T00:00:00Z", "from": "tea@rooms.example.org/Bob", "id": "m2", "nick": "Bob", "room": ROOM,
            "stanzaId": "s-m2", "to": "alice@example.org/here", "type": "groupchat",
        })
    );
    said(&mut pair, "Bob", "m5", "<body>5</body>");
    assert_eq!(bodies(&mut pair), ["5"]);
}

#[test]
fn xep0313_6_1_2_what_the_archive_has_is_from_the_room() {
    let (mut pair, asked) = back();
    let query = asked.child("query", MAM).unwrap().attr("queryid").unwrap().to_owned();
    let result = |from: &str, query: &str, message: &str| {
        format!(
            "<message xmlns='jabber:client' from='{from}'><result xmlns='{MAM}' id='s-9' queryid='{query}'>\
             <forwarded xmlns='urn:xmpp:forward:0'>{message}</forwarded></result></message>"
        )
    };
    let honest = message("Bob", "m9", "<body>9</body>");
    pair.receive(&result("mallory@example.org", &query, &honest));
    pair.receive(&result("tea@rooms.example.org/Bob", &query, &honest));
    pair.receive(&result(ROOM, "another", &honest));
    pair.receive(&result(ROOM, &query, &honest.replace("tea@", "coffee@")));
    pair.receive(&result(ROOM, &query, &honest.replace("groupchat", "chat")));
    fin(&mut pair, &asked, "m9", true);
    assert!(pair.told("message").is_empty());
}

#[test]
fn xep0425_5_nor_does_anybody_moderate_in_the_archive() {
    let (mut pair, asked) = back();
    entry(&mut pair, &asked, "Bob", "m2", &messages::moderated("s-m1"));
    entry(&mut pair, &asked, "", "m3", &messages::moderated("s-m1"));
    fin(&mut pair, &asked, "m3", true);
    assert_eq!(news(&mut pair, "moderation").len(), 1);
}

#[test]
fn xep0045_8_1_an_old_subject_is_none() {
    let (mut pair, asked) = back();
    subject(&mut pair, "now");
    entry(&mut pair, &asked, "Bob", "m2", "<subject>then</subject>");
    fin(&mut pair, &asked, "m2", true);
    let told = news(&mut pair, "subject");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["subject"], json!("now"));
}

#[test]
fn xep0313_4_3_2_where_the_archive_does_not_know_the_place_there_is_a_gap() {
    let (mut pair, asked) = back();
    said(&mut pair, "Bob", "m5", "<body>5</body>");
    pair.receive(&refusal(&asked, "cancel", "item-not-found"));
    let events = pair.events.clone();
    assert_eq!(
        pair.told("gap"),
        [json!({ "after": "s-m1", "before": "s-m5", "room": ROOM })]
    );
    pair.events = events;
    assert_eq!(bodies(&mut pair), ["5"]);
}

#[test]
fn a_gap_of_a_rooms_is_filled_from_its_archive() {
    let mut pair = entered(ALL);
    let call = pair.im(
        "archive.fill",
        json!([{ "after": "s-m1", "before": "s-m4", "room": ROOM }]),
    );
    let asked = question(&mut pair);
    assert_eq!(after(&asked).as_deref(), Some("s-m1"));
    entry(&mut pair, &asked, "Bob", "m2", "<body>2</body>");
    entry(&mut pair, &asked, "Bob", "m4", "<body>4</body>");
    fin(&mut pair, &asked, "m4", true);
    let page = pair.value(call);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&page["items"][0]["body"], &page["items"][0]["room"]),
        (&json!("2"), &json!(ROOM))
    );
}

#[test]
fn an_archive_without_an_end_is_a_gap_in_the_end() {
    let (mut pair, mut asked) = back();
    for number in 2..22 {
        entry(&mut pair, &asked, "Bob", &format!("m{number}"), "<body>x</body>");
        fin(&mut pair, &asked, &format!("m{number}"), false);
        if number < 21 {
            asked = question(&mut pair);
        }
    }
    let events = pair.events.clone();
    assert_eq!(pair.told("gap"), [json!({ "after": "s-m21", "room": ROOM })]);
    pair.events = events;
    assert_eq!(bodies(&mut pair).len(), 20);
    pair.nothing_sent();
}

#[test]
fn a_session_that_ends_meanwhile_is_caught_up_with_in_the_next_one() {
    let (mut pair, asked) = back();
    entry(&mut pair, &asked, "Bob", "m2", "<body>2</body>");
    said(&mut pair, "Bob", "m4", "<body>4</body>");
    assert_eq!(bodies(&mut pair), ["2"]);
    again(&mut pair);
    let asked = question(&mut pair);
    assert_eq!(after(&asked).as_deref(), Some("s-m2"));
    entry(&mut pair, &asked, "Bob", "m3", "<body>3</body>");
    entry(&mut pair, &asked, "Bob", "m4", "<body>4</body>");
    fin(&mut pair, &asked, "m4", true);
    assert_eq!(bodies(&mut pair), ["3", "4"]);
}

#[test]
fn what_is_too_much_to_wait_is_left_to_the_archive() {
    let (mut pair, asked) = back();
    for number in 2..1_010 {
        said(&mut pair, "Bob", &format!("m{number}"), "<body>x</body>");
    }
    fin(&mut pair, &asked, "m1", true);
    let next = question(&mut pair);
    for number in 2..1_010 {
        entry(&mut pair, &next, "Bob", &format!("m{number}"), "<body>x</body>");
    }
    fin(&mut pair, &next, "m1009", true);
    let told = pair.told("message");
    let ids: Vec<_> = told
        .iter()
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = (2..1_010).map(|number| format!("m{number}")).collect();
    assert_eq!(ids.len(), expected.len());
    assert_eq!(ids, expected);
}
