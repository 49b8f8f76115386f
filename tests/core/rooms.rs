//! Rooms: XEP-0045, XEP-0410, XEP-0421, XEP-0425, and their archives.

mod alive;
mod entering;
mod hostile;
mod kept;
mod messages;
mod missed;
mod occupants;

use crate::pair::Pair;
use serde_json::{Value, json};
use stanzawire::engine::Ticket;
use stanzawire::xml::Element;

pub const ROOM: &str = "tea@rooms.example.org";
const MUC: &str = "http://jabber.org/protocol/muc";
const USER: &str = "http://jabber.org/protocol/muc#user";
const INFO: &str = "http://jabber.org/protocol/disco#info";
const MAM: &str = "urn:xmpp:mam:2";
/// What a room with all that says.
pub const ALL: &[&str] = &[MUC, MAM, "urn:xmpp:sid:0", "urn:xmpp:occupant-id:0"];
/// And one without any of it.
pub const PLAIN: &[&str] = &[MUC];

/// The call that enters the room, and the presence that it sends; the room has said what it can.
pub fn call(pair: &mut Pair, options: Value, features: &[&str]) -> (Ticket, Element) {
    let call = pair.im("rooms.join", json!([ROOM, options]));
    let asked = pair.element();
    assert!(
        asked.child("query", INFO).is_some() && asked.attr("to") == Some(ROOM),
        "{asked:?}"
    );
    let presence = pair.element();
    answer_features(pair, &asked, features);
    (call, presence)
}

pub fn answer_features(pair: &mut Pair, asked: &Element, features: &[&str]) {
    let features: String = features.iter().map(|var| format!("<feature var='{var}'/>")).collect();
    pair.answer(asked, &format!("<query xmlns='{INFO}'>{features}</query>"));
}

/// A client that is in the room as Alice, a participant; nothing of what it was told has been looked at.
pub fn entered(features: &[&str]) -> Pair {
    let mut pair = Pair::online();
    enter(&mut pair, features);
    pair
}

pub fn enter(pair: &mut Pair, features: &[&str]) {
    let (call, _) = call(pair, json!({ "nick": "Alice" }), features);
    there(pair, "Bob", "id-bob", "");
    us(pair, "Alice", "");
    assert_eq!(pair.value(call), json!({ "room": ROOM }));
    subject(pair, "");
}

/// Enters a room as Alice that gives messages ids.
pub fn enter_room(pair: &mut Pair, room: &str) {
    let call = pair.im("rooms.join", json!([room, { "nick": "Alice" }]));
    let asked = pair.element();
    pair.element();
    answer_features(pair, &asked, &[MUC, "urn:xmpp:sid:0"]);
    pair.receive(&format!(
        "<presence xmlns='jabber:client' from='{room}/Alice'><x xmlns='{USER}'><item affiliation='none' role='participant'/>\
         <status code='110'/></x></presence>"
    ));
    assert!(pair.reply(call).is_ok());
    pair.events.clear();
}

/// Who is there: a participant with that id.
pub fn there(pair: &mut Pair, nick: &str, id: &str, more: &str) {
    pair.receive(&format!(
        "<presence xmlns='jabber:client' from='{ROOM}/{nick}' to='alice@example.org/here'>\
         <x xmlns='{USER}'><item affiliation='none' role='participant'/>{more}</x>\
         <occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id}'/></presence>"
    ));
}

/// We are there.
pub fn us(pair: &mut Pair, nick: &str, more: &str) {
    there(pair, nick, "id-alice", &format!("{more}<status code='110'/>"));
}

/// Somebody goes.
pub fn gone(pair: &mut Pair, nick: &str, content: &str) {
    pair.receive(&format!(
        "<presence xmlns='jabber:client' type='unavailable' from='{ROOM}/{nick}' to='alice@example.org/here'>\
         <x xmlns='{USER}'>{content}</x></presence>"
    ));
}

pub fn subject(pair: &mut Pair, text: &str) {
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='groupchat' from='{ROOM}/Bob' to='alice@example.org/here'>\
         <subject>{text}</subject></message>"
    ));
}

/// What somebody says to everybody, with the room's id for it and that of who says it.
pub fn said(pair: &mut Pair, nick: &str, id: &str, content: &str) {
    let who = nick.to_lowercase();
    pair.receive(&message(
        nick,
        id,
        &format!(
            "{content}<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='s-{id}'/>\
         <occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-{who}'/>"
        ),
    ));
}

/// The same as it is.
pub fn message(nick: &str, id: &str, content: &str) -> String {
    let from = if nick.is_empty() {
        ROOM.to_owned()
    } else {
        format!("{ROOM}/{nick}")
    };
    format!(
        "<message xmlns='jabber:client' type='groupchat' id='{id}' from='{from}' to='alice@example.org/here'>{content}</message>"
    )
}

/// What the rooms' events of a kind say.
pub fn news(pair: &mut Pair, kind: &str) -> Vec<Value> {
    pair.told("room")
        .into_iter()
        .filter(|event| event["kind"] == kind)
        .collect()
}

/// The bodies of what listeners are told as messages.
pub fn bodies(pair: &mut Pair) -> Vec<String> {
    let told = pair.told("message");
    told.iter()
        .map(|message| message["body"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Lets time pass, in which the server answers whether it is there.
pub fn pass(pair: &mut Pair, ms: u64) {
    let end = pair.now.after(ms);
    while pair.now < end {
        let next = pair.engine.next_deadline().filter(|next| *next < end).unwrap_or(end);
        pair.advance(next.since(pair.now).max(1));
        let is_ping = |frame: &String| frame.contains("to=\"example.org\"") && frame.contains("urn:xmpp:ping");
        while let Some(place) = pair.sent.iter().position(is_ping) {
            let ping = pair.sent.remove(place).unwrap();
            let ping = stanzawire::xml::read(&ping, &Default::default()).unwrap();
            pair.answer(&ping, "");
        }
    }
}

/// An error of the room's that answers this.
pub fn refusal(to: &Element, kind: &str, condition: &str) -> String {
    let (id, from) = (to.attr("id").unwrap(), to.attr("to").unwrap());
    let name = to.name();
    format!(
        "<{name} xmlns='jabber:client' type='error' id='{id}' from='{from}'><error type='{kind}'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{name}>"
    )
}

/// The presence that the client has sent to the room, behind questions what that can.
pub fn join_presence(pair: &mut Pair) -> Element {
    loop {
        let sent = pair.element();
        if sent.is("presence", "jabber:client") && sent.attr("to").is_some() {
            return sent;
        }
    }
}
