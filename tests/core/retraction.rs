//! XEP-0424, both ways, and whose message may be retracted.

use crate::carbons::carbon;
use crate::chat::{said, taken};
use crate::pair::{NS_CLIENT, Pair};
use crate::rooms::enter_room;
use serde_json::json;
use stanzawire::error::Code;

const RETRACT: &str = "urn:xmpp:message-retract:1";
const BOB: &str = "bob@example.org/x";
const ROOM: &str = "room@muc.example.org";

fn retracts(id: &str) -> String {
    format!(
        "<body>/me has retracted something</body><fallback xmlns='urn:xmpp:fallback:0' for='{RETRACT}'/>\
         <retract xmlns='{RETRACT}' id='{id}'/>"
    )
}

/// Which message the last one retracts.
fn retracted(pair: &mut Pair) -> Option<String> {
    let all = pair.messages().len();
    let told = pair.told("retraction");
    assert_eq!(told.len(), all, "neither is its text told");
    let last = told.last()?;
    Some(last["retracts"].as_str().unwrap().to_owned())
}

fn in_room(nick: &str, id: &str, stanza_id: &str, content: &str) -> String {
    let content = format!("{content}<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{stanza_id}'/>");
    said(&format!("{ROOM}/{nick}"), "groupchat", id, &content)
}

#[test]
fn xep0424_3_a_retraction_names_the_message() {
    let mut pair = Pair::online();
    let (_, sent) = taken(&mut pair, "send", json!([{ "to": "bob@example.org", "body": "oh no" }]));
    let (message, value) = taken(&mut pair, "retract", json!([sent]));
    assert_eq!(
        (message.attr("to"), message.attr("type")),
        (Some("bob@example.org"), Some("chat"))
    );
    assert_eq!(
        message.child("retract", RETRACT).unwrap().attr("id"),
        sent["id"].as_str()
    );
    assert!(message.child_text("body", NS_CLIENT).unwrap().starts_with("/me "));
    let fallback = message.child("fallback", "urn:xmpp:fallback:0").unwrap();
    assert_eq!((fallback.attr("for"), fallback.children().count()), (Some(RETRACT), 0));
    assert!(message.child("store", "urn:xmpp:hints").is_some());
    assert_eq!(value["id"].as_str(), message.attr("id"));
    // §5.1: by its id, whatever other it has; of a correction by the first one's.
    let own = json!({ "id": "m1", "originId": "o1", "stanzaId": "s1", "from": "alice@example.org/y", "to": BOB });
    let (message, _) = taken(&mut pair, "retract", json!([own]));
    assert_eq!(message.child("retract", RETRACT).unwrap().attr("id"), Some("m1"));
    let own = json!({ "id": "m2", "to": BOB, "replaces": "m1" });
    let (message, _) = taken(&mut pair, "retract", json!([own]));
    assert_eq!(message.child("retract", RETRACT).unwrap().attr("id"), Some("m1"));
}

#[test]
fn xep0424_5_1_in_a_room_by_the_rooms_id() {
    let mut pair = Pair::online();
    let own =
        json!({ "id": "m1", "originId": "m1", "stanzaId": "s1", "from": format!("{ROOM}/alice"), "type": "groupchat" });
    let (message, _) = taken(&mut pair, "retract", json!([own]));
    assert_eq!(
        (message.attr("to"), message.attr("type")),
        (Some(ROOM), Some("groupchat"))
    );
    assert_eq!(message.child("retract", RETRACT).unwrap().attr("id"), Some("s1"));
    // What has just been sent there has none yet.
    let (_, sent) = taken(
        &mut pair,
        "send",
        json!([{ "to": ROOM, "body": "oh no", "type": "groupchat" }]),
    );
    assert_eq!(
        pair.try_im("retract", json!([sent])).unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[test]
fn only_what_one_has_said_oneself_can_be_retracted() {
    let mut pair = Pair::online();
    for wrong in [json!([{ "id": "m1", "from": BOB }]), json!([{ "id": "m1" }])] {
        let call = pair.im("retract", wrong);
        assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    }
    for wrong in [
        json!([{ "to": BOB }]),
        json!([{ "to": BOB, "id": "" }]),
        json!(["m1"]),
        json!([]),
    ] {
        assert_eq!(pair.try_im("retract", wrong).unwrap_err().code(), Code::InvalidArgument);
    }
    pair.nothing_sent();
}

#[test]
fn xep0424_5_the_sender_may_retract_what_they_have_said() {
    let mut pair = Pair::online();
    pair.receive(&said(BOB, "chat", "m1", "<body>oh no</body>"));
    pair.events.clear();
    for (from, id) in [(BOB, "m1"), ("Bob@example.org/y", "m1"), (BOB, "m0")] {
        pair.receive(&said(from, "chat", "r", &retracts(id)));
        assert_eq!(retracted(&mut pair).as_deref(), Some(id), "{from}");
    }
    // With or without words.
    pair.receive(&said(
        BOB,
        "chat",
        "r",
        &format!("<retract xmlns='{RETRACT}' id='m1'/>"),
    ));
    pair.receive(&said(
        BOB,
        "chat",
        "r",
        &format!("<body>gone</body><retract xmlns='{RETRACT}' id='m1'/>"),
    ));
    assert_eq!(retracted(&mut pair).as_deref(), Some("m1"));
    for wrong in [
        "<retract xmlns='urn:xmpp:message-retract:1'/>",
        "<retract xmlns='urn:xmpp:message-retract:1' id=''/>",
        "<retract xmlns='urn:xmpp:message-retract:0' id='m1'/>",
    ] {
        pair.receive(&said(BOB, "chat", "r", wrong));
        assert_eq!(pair.messages(), [], "{wrong}");
    }
    pair.receive(&said(BOB, "error", "r", &retracts("m1")));
    assert_eq!(pair.told("retraction").len(), 0);
}

#[test]
fn xep0424_5_nobody_retracts_what_somebody_else_has_said() {
    let mut pair = Pair::online();
    let (_, sent) = taken(&mut pair, "send", json!([{ "to": "bob@example.org", "body": "yes" }]));
    pair.receive(&said(BOB, "chat", "r", &retracts(sent["id"].as_str().unwrap())));
    assert_eq!(retracted(&mut pair), None);
    let inner = said("alice@example.org/phone", "chat", "m7", "<body>yes</body>");
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    pair.events.clear();
    pair.receive(&said(BOB, "chat", "r", &retracts("m7")));
    assert_eq!(retracted(&mut pair), None);
    // Ours is.
    let inner = said("alice@example.org/phone", "chat", "r", &retracts("m7"));
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(retracted(&mut pair).as_deref(), Some("m7"));
}

#[test]
fn xep0424_5_in_a_room_the_full_addresses_must_match() {
    let mut pair = Pair::online();
    enter_room(&mut pair, ROOM);
    pair.receive(&in_room("bob", "m1", "s1", "<body>oh no</body>"));
    pair.events.clear();
    for nick in ["alice", "mallory", "bob2"] {
        for id in ["s1", "m1"] {
            pair.receive(&in_room(nick, "r", "s2", &retracts(id)));
            assert_eq!(retracted(&mut pair), None, "{nick}");
        }
    }
    // An id of one's own making that is the room's for another's changes nothing.
    pair.receive(&in_room("mallory", "s1", "s3", "<body>mine</body>"));
    pair.events.clear();
    pair.receive(&in_room("mallory", "r", "s4", &retracts("s1")));
    assert_eq!(retracted(&mut pair), None);
    pair.receive(&in_room("bob", "r", "s5", &retracts("s1")));
    assert_eq!(retracted(&mut pair).as_deref(), Some("s1"));
    // A room's id counts from the room alone.
    let forged = said(
        &format!("{ROOM}/carol"),
        "groupchat",
        "m3",
        "<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='s9'/>",
    );
    pair.receive(&forged);
    pair.events.clear();
    pair.receive(&in_room("bob", "r", "s6", &retracts("s9")));
    assert_eq!(
        retracted(&mut pair).as_deref(),
        Some("s9"),
        "nobody's, as far as that is known"
    );
}

#[test]
fn xep0425_the_room_itself_may() {
    let mut pair = Pair::online();
    enter_room(&mut pair, ROOM);
    pair.receive(&in_room("bob", "m1", "s1", "<body>spam</body>"));
    pair.events.clear();
    pair.receive(&said(ROOM, "groupchat", "r", &retracts("s1")));
    assert_eq!(retracted(&mut pair).as_deref(), Some("s1"));
    // An account isn't a room because it says so.
    pair.receive(&said("bob@example.org", "chat", "m1", "<body>x</body>"));
    let inner = said("alice@example.org", "chat", "r", &retracts("m1"));
    pair.events.clear();
    pair.receive(&carbon(
        "sent",
        &inner.replace("alice@example.org/here", "bob@example.org"),
    ));
    assert_eq!(retracted(&mut pair), None);
}

#[test]
fn what_was_retracted_meanwhile_is_told_from_the_archive() {
    use crate::archive::{again, kept, knowing, page};
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let (id, message) = kept("2", BOB, "alice@example.org", "2");
    let message = message.replace("<body>2</body>", &retracts("m-1"));
    page(
        &mut pair,
        &asked,
        &[kept("1", BOB, "alice@example.org", "1"), (id, message)],
        true,
    );
    assert_eq!(pair.messages().len(), 2);
    let told = pair.told("retraction");
    assert_eq!(
        (&told[0]["retracts"], &told[0]["stanzaId"]),
        (&json!("m-1"), &json!("2"))
    );
}

#[test]
fn what_an_earlier_page_had_retracted_is_no_message_of_its() {
    use crate::sm::{self, kept::storing};
    let mut old = sm::online_with(storing());
    old.im("retract", json!([{ "id": "m1", "to": "bob@example.org" }]));
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    sm::resumed(&mut pair, sm::FIRST + 1);
    let told = pair.told("sent");
    assert_eq!(
        (&told[0]["retracts"], &told[0]["to"]),
        (&json!("m1"), &json!("bob@example.org"))
    );
}
