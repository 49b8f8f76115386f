//! Whose ids are believed: XEP-0359.

use super::*;
use crate::rooms;

#[test]
fn xep0359_3_a_rooms_id_counts_for_a_rooms_message() {
    let mut pair = rooms::entered(rooms::ALL);
    pair.receive(
        "<message xmlns='jabber:client' from='tea@rooms.example.org/Bob' type='groupchat'><body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='account'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='tea@rooms.example.org' id='room'/></message>",
    );
    assert_eq!(pair.messages().pop().unwrap().stanza_id.as_deref(), Some("room"));
}

/// A message with a forged id, and nothing else in its place.
fn numbered(from: &str, kind: &str, by: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{from}' to='alice@example.org' type='{kind}'><body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='forged'/></message>"
    )
}

/// The id of the message that comes in with one.
fn id_of(pair: &mut Pair, message: &str) -> Option<String> {
    pair.receive(message);
    pair.messages().pop().unwrap().stanza_id
}

/// A client whose server has no archive.
fn without_an_archive() -> Pair {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    pair.sent.drain(..2);
    pair.take_carbons();
    for _ in ["metadata", "query"] {
        let asked = pair.element();
        let id = asked.attr("id").unwrap();
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
    }
    pair.nothing_sent();
    pair
}

#[test]
fn xep0359_6_an_id_is_believed_of_who_announces_that_it_gives_them() {
    // Whoever sends it, in the account's name: no archive gives ids here, and nobody takes forged ones out.
    let forged = numbered("mallory@example.com/x", "chat", "alice@example.org");
    let mut pair = without_an_archive();
    assert_eq!(id_of(&mut pair, &forged), None);
    pair.announce_ids("mallory@example.com");
    assert_eq!(id_of(&mut pair, &forged), None, "somebody else's word");
    pair.announce_ids("alice@example.org");
    assert_eq!(
        id_of(&mut pair, &forged).as_deref(),
        Some("forged"),
        "the server's to take out"
    );

    // It may say something else later.
    pair.im("disco.info", json!(["alice@example.org"]));
    let asked = pair.element();
    pair.answer(&asked, "<query xmlns='http://jabber.org/protocol/disco#info'/>");
    assert_eq!(id_of(&mut pair, &forged), None);

    // In a room's name, which has no archive either, and says that it gives ids, or doesn't.
    let forged = numbered("tea@rooms.example.org/Bob", "groupchat", "tea@rooms.example.org");
    for (features, believed) in [(&[][..], None), (&["urn:xmpp:sid:0"][..], Some("forged"))] {
        let mut pair = rooms::entered(&[&[rooms::MUC], features].concat());
        pair.announce_ids("alice@example.org");
        assert_eq!(
            id_of(&mut pair, &forged).as_deref(),
            believed,
            "the account answers for itself"
        );
    }
}

#[test]
fn xep0359_6_a_word_between_two_in_a_room_is_numbered_by_the_account() {
    let forged = numbered("tea@rooms.example.org/Bob", "chat", "alice@example.org");
    let mut pair = without_an_archive();
    rooms::enter(&mut pair, rooms::ALL);
    assert_eq!(id_of(&mut pair, &forged), None);
}

#[test]
fn xep0359_6_a_node_of_theirs_announces_nothing() {
    let forged = numbered("mallory@example.com/x", "chat", "alice@example.org");
    let mut pair = without_an_archive();
    // What an item of a public node has in it is anybody's.
    pair.im("disco.info", json!(["alice@example.org", "node"]));
    let asked = pair.element();
    pair.answer(
        &asked,
        "<query xmlns='http://jabber.org/protocol/disco#info' node='node'><feature var='urn:xmpp:sid:0'/></query>",
    );
    assert_eq!(id_of(&mut pair, &forged), None);
}

#[test]
fn xep0313_3_5_an_archive_gives_ids() {
    let genuine = numbered("bob@example.org/x", "chat", "alice@example.org");
    let mut pair = Pair::online();
    assert_eq!(id_of(&mut pair, &genuine).as_deref(), Some("forged"));
}

#[test]
fn xep0359_3_what_a_server_left_in_counts_less_than_what_it_put_behind() {
    let mut pair = Pair::online();
    pair.receive(
        "<message xmlns='jabber:client' from='mallory@example.org/x' to='alice@example.org/x' type='chat'><body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='forged'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='genuine'/></message>",
    );
    assert_eq!(pair.messages().pop().unwrap().stanza_id.as_deref(), Some("genuine"));
}
