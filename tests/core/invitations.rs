//! XEP-0249 and XEP-0045 §7.8: invitations to rooms.

use crate::archive;
use crate::carbons::{carbon, carbon_from};
use crate::disco::{INFO, refuse};
use crate::pair::{NS_CLIENT, Pair, config};
use crate::room_admin::ROOM;
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml::{self, Element};

const USER: &str = "http://jabber.org/protocol/muc#user";
const DIRECT: &str = "jabber:x:conference";
const BLOCKING: &str = "urn:xmpp:blocking";
const CRONE: &str = "crone1@shakespeare.lit/desktop";

fn message(from: &str, inner: &str) -> String {
    format!("<message xmlns='{NS_CLIENT}' from='{from}' to='alice@example.org'>{inner}</message>")
}

fn mediated(by: &str) -> String {
    format!(
        "<x xmlns='{USER}'><invite from='{by}'><reason>Hey Hecate</reason></invite><password>cauldronburn</password></x>\
         <x xmlns='{DIRECT}' jid='{ROOM}'>Hey Hecate</x><body>{by} invited you to the room {ROOM}</body>"
    )
}

fn direct() -> String {
    format!("<x xmlns='{DIRECT}' jid='{ROOM}' password='cauldronburn' reason='Hey Hecate'/><body>Come!</body>")
}

fn of_room(by: &str) -> Value {
    json!({ "room": ROOM, "from": by, "reason": "Hey Hecate", "password": "cauldronburn", "mediated": true })
}

fn of_sender(by: &str) -> Value {
    json!({ "room": ROOM, "from": by, "reason": "Hey Hecate", "password": "cauldronburn", "mediated": false })
}

/// A client that knows who is blocked.
fn knowing(blocked: &[&str]) -> Pair {
    let mut pair = Pair::online();
    pair.im("blocking.get", json!([]));
    let iq = pair.element();
    answer(&mut pair, &iq, blocked);
    pair
}

fn answer(pair: &mut Pair, iq: &Element, blocked: &[&str]) {
    let items: String = blocked.iter().map(|jid| format!("<item jid='{jid}'/>")).collect();
    pair.answer(iq, &format!("<blocklist xmlns='{BLOCKING}'>{items}</blocklist>"));
}

/// What is told of a message: invitations, or the bodies of messages.
fn told(pair: &mut Pair, frame: &str) -> (Vec<Value>, Vec<String>) {
    pair.events.clear();
    pair.receive(frame);
    let bodies = pair.messages().into_iter().filter_map(|message| message.body).collect();
    (pair.told("invitation"), bodies)
}

const NOTHING: (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());

#[test]
fn xep0045_7_8_2_a_room_passes_an_invitation_on() {
    let mut pair = knowing(&[]);
    assert_eq!(
        told(&mut pair, &message(ROOM, &mediated(CRONE))),
        (vec![of_room(CRONE)], vec![])
    );
    // Of somebody in it, and with a conversation that goes on.
    let nick = [ROOM, "/firstwitch"].concat();
    let more = format!("<x xmlns='{USER}'><invite from='{nick}'><reason/><continue thread='t1'/></invite></x>");
    assert_eq!(
        told(&mut pair, &message(ROOM, &more)).0,
        [json!({ "room": ROOM, "from": nick, "mediated": true, "continue": true, "thread": "t1" })]
    );
    // Where the room doesn't say who it was.
    for by in ["", " from='@@'"] {
        let nobody = format!("<x xmlns='{USER}'><invite{by}/></x>");
        assert_eq!(
            told(&mut pair, &message(ROOM, &nobody)).0,
            [json!({ "room": ROOM, "mediated": true })]
        );
    }
}

#[test]
fn xep0249_2_somebody_invites_directly() {
    let mut pair = knowing(&[]);
    assert_eq!(
        told(&mut pair, &message(CRONE, &direct())),
        (vec![of_sender(CRONE)], vec![])
    );
    let more = format!("<x xmlns='{DIRECT}' jid='Coven@rooms.example.org/nick' continue='1' thread='t1'/>");
    assert_eq!(
        told(&mut pair, &message(CRONE, &more)).0,
        [json!({ "room": ROOM, "from": CRONE, "mediated": false, "continue": true, "thread": "t1" })]
    );
}

#[test]
fn xep0045_7_8_2_a_mediated_one_is_believed_of_the_rooms_bare_jid_alone() {
    let only = |by: &str| mediated(by).replace(&format!("<x xmlns='{DIRECT}' jid='{ROOM}'>Hey Hecate</x>"), "");
    for from in [
        [ROOM, "/mallory"].concat().as_str(),
        "mallory@example.org/x",
        "rooms.example.org",
        "alice@example.org/there",
    ] {
        let mut pair = knowing(&[]);
        let (invitations, bodies) = told(&mut pair, &message(from, &only(CRONE)));
        assert_eq!(invitations, Vec::<Value>::new(), "{from}");
        // It is what its sender says, and no more.
        assert_eq!(bodies.len(), 1, "{from}");
    }
    // What is beside it is the sender's own.
    let mut pair = knowing(&[]);
    let (invitations, _) = told(&mut pair, &message("mallory@example.org/x", &mediated(CRONE)));
    assert_eq!(
        invitations,
        [json!({ "room": ROOM, "from": "mallory@example.org/x", "mediated": false })]
    );
}

#[test]
fn what_is_no_invitation_is_a_message() {
    let mut pair = knowing(&[]);
    for inner in [
        format!("<x xmlns='{DIRECT}'/><body>1</body>"),
        format!("<x xmlns='{DIRECT}' jid='@@'/><body>1</body>"),
        format!("<x xmlns='{USER}'/><body>1</body>"),
        "<x xmlns='urn:x' jid='a@b'/><body>1</body>".to_owned(),
    ] {
        assert_eq!(
            told(&mut pair, &message(CRONE, &inner)),
            (vec![], vec!["1".to_owned()]),
            "{inner}"
        );
    }
    // To all in a room, and what bounces.
    for kind in ["groupchat", "headline", "error"] {
        let frame = message(ROOM, &mediated(CRONE)).replace("<message ", &format!("<message type='{kind}' "));
        assert_eq!(told(&mut pair, &frame).0, Vec::<Value>::new(), "{kind}");
    }
}

#[test]
fn xep0191_2_who_is_blocked_cannot_invite_not_through_a_room_either() {
    for (blocked, drops) in [
        ("crone1@shakespeare.lit", true),
        (CRONE, true),
        ("shakespeare.lit", true),
        ("shakespeare.lit/desktop", true),
        (ROOM, true),
        ("rooms.example.org", true),
        ("crone1@shakespeare.lit/other", false),
        ("crone2@shakespeare.lit", false),
        ("example.org", false),
    ] {
        let mut pair = knowing(&[blocked]);
        let (of_room, of_sender) = (message(ROOM, &mediated(CRONE)), message(CRONE, &direct()));
        for frame in [of_room, of_sender] {
            let (invitations, bodies) = told(&mut pair, &frame);
            assert_eq!((invitations.is_empty(), bodies), (drops, vec![]), "{blocked}");
        }
    }
    // By a nick in a room.
    let nick = [ROOM, "/mallory"].concat();
    let mut pair = knowing(&[&nick]);
    assert_eq!(told(&mut pair, &message(ROOM, &mediated(&nick))), NOTHING);
    // As it is now.
    let mut pair = knowing(&["crone1@shakespeare.lit"]);
    pair.receive(&format!(
        "<iq xmlns='{NS_CLIENT}' type='set' id='b1'><unblock xmlns='{BLOCKING}'><item jid='crone1@shakespeare.lit'/></unblock></iq>"
    ));
    assert_eq!(told(&mut pair, &message(ROOM, &mediated(CRONE))).0.len(), 1);
}

#[test]
fn as_long_as_it_is_not_known_who_is_blocked_an_invitation_waits() {
    let mut pair = Pair::online();
    assert_eq!(told(&mut pair, &message(ROOM, &mediated(CRONE))), NOTHING);
    assert_eq!(told(&mut pair, &message("bob@example.org/x", &direct())), NOTHING);
    let iq = pair.element();
    assert!(iq.child("blocklist", BLOCKING).is_some());
    pair.nothing_sent();
    pair.events.clear();
    answer(&mut pair, &iq, &["crone1@shakespeare.lit"]);
    assert_eq!(pair.told("invitation"), [of_sender("bob@example.org/x")]);
    // Now it is known.
    assert_eq!(told(&mut pair, &message(ROOM, &mediated(CRONE))), NOTHING);
    pair.nothing_sent();
    // Where the server knows no such thing, nobody is blocked.
    let mut pair = Pair::online();
    pair.receive(&message(ROOM, &mediated(CRONE)));
    let iq = pair.element();
    refuse(&mut pair, &iq, "service-unavailable");
    assert_eq!(pair.told("invitation"), [of_room(CRONE)]);
    assert_eq!(told(&mut pair, &message(ROOM, &mediated(CRONE))).0.len(), 1);
    pair.nothing_sent();
}

#[test]
fn a_new_session_asks_again_for_what_waits() {
    let mut pair = Pair::online();
    pair.receive(&message(ROOM, &mediated(CRONE)));
    archive::again(&mut pair);
    let list = pair
        .sent
        .iter()
        .position(|frame| frame.contains(BLOCKING))
        .expect("it is asked again");
    let iq = pair.sent.remove(list).unwrap();
    let iq = xml::read(&iq, &xml::Limits::default()).unwrap();
    answer(&mut pair, &iq, &[]);
    assert_eq!(pair.told("invitation"), [of_room(CRONE)]);
}

#[test]
fn a_flood_of_invitations_leaves_no_bounds() {
    let mut pair = Pair::online();
    for _ in 0..200 {
        pair.receive(&message(ROOM, &mediated(CRONE)));
    }
    let iq = pair.element();
    pair.nothing_sent();
    answer(&mut pair, &iq, &[]);
    assert_eq!(pair.told("invitation").len(), 100);
}

#[test]
fn copies_and_late_ones_are_told_and_our_own_are_not() {
    let mut pair = knowing(&[]);
    // Another client of the account was invited.
    let mut expected = of_room(CRONE);
    expected["carbon"] = json!("received");
    let frame = carbon("received", &message(ROOM, &mediated(CRONE)));
    assert_eq!(told(&mut pair, &frame), (vec![expected], vec![]));
    let forged = carbon_from(
        " from='mallory@example.org'",
        "received",
        &message(ROOM, &mediated(CRONE)),
    );
    assert_eq!(told(&mut pair, &forged), NOTHING);
    // Another client of the account has invited somebody, or the room hands our own back.
    let ours = message("alice@example.org/phone", &direct()).replace("to='alice@example.org'", "to='bob@example.org'");
    assert_eq!(told(&mut pair, &carbon("sent", &ours)), NOTHING);
    assert_eq!(told(&mut pair, &message("alice@example.org/phone", &direct())), NOTHING);
    assert_eq!(
        told(&mut pair, &message(ROOM, &mediated("alice@example.org/phone"))),
        NOTHING
    );
    // What was kept by the server.
    let delay = "<delay xmlns='urn:xmpp:delay' stamp='2026-11-21T10:00:00Z'/>";
    let mut expected = of_room(CRONE);
    expected["delay"] = json!("2026-11-21T10:00:00Z");
    assert_eq!(
        told(&mut pair, &message(ROOM, &(mediated(CRONE) + delay))).0,
        [expected]
    );
}

#[test]
fn xep0313_what_came_meanwhile_is_told_once() {
    let mut pair = archive::knowing("0");
    pair.im("blocking.get", json!([]));
    let iq = pair.element();
    answer(&mut pair, &iq, &[]);
    let asked = archive::again(&mut pair);
    pair.events.clear();
    archive::page(
        &mut pair,
        &asked,
        &[("1".to_owned(), message(ROOM, &mediated(CRONE)))],
        true,
    );
    let bodies = pair.messages().len();
    let mut invitations = pair.told("invitation");
    assert_eq!((bodies, invitations.len()), (0, 1));
    let stamp = invitations[0].as_object_mut().unwrap().remove("delay");
    assert!(stamp.is_some());
    assert_eq!(invitations, [of_room(CRONE)]);
}

/// The message that a call sends, its ids apart.
fn sent(pair: &mut Pair) -> (Option<String>, Option<String>, Vec<String>) {
    let message = pair.element();
    assert!(message.is("message", NS_CLIENT));
    let children = message.children().filter(|child| child.name() != "origin-id");
    let children = children.map(|child| xml::write(child).unwrap()).collect();
    let attr = |name| message.attr(name).map(str::to_owned);
    (attr("to"), attr("type"), children)
}

#[test]
fn xep0045_7_8_2_we_invite_through_the_room() {
    let mut pair = Pair::online();
    let how = json!({ "continue": true, "reason": "Hey Hecate", "thread": "t1" });
    let call = pair.im("room.invite", json!([ROOM, "Hecate@shakespeare.lit", how]));
    let x = format!(
        "<x xmlns=\"{USER}\"><invite to=\"hecate@shakespeare.lit\"><reason>Hey Hecate</reason>\
         <continue thread=\"t1\"/></invite></x>"
    );
    assert_eq!(
        sent(&mut pair),
        (Some(ROOM.to_owned()), None, vec![x]),
        "of type normal"
    );
    pair.confirm();
    match pair.reply(call) {
        Ok(reply) => assert!(matches!(reply, stanzawire::engine::Reply::Im(_))),
        Err(error) => panic!("{error:?}"),
    }
    assert_eq!(pair.value(call)["to"], json!(ROOM));
    // What the room has against it.
    let id = pair.value(call)["id"].as_str().unwrap().to_owned();
    pair.events.clear();
    pair.receive(&format!(
        "<message xmlns='{NS_CLIENT}' from='{ROOM}' type='error' id='{id}'><x xmlns='{USER}'><invite to='a@b'/></x>\
         <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    assert_eq!(pair.messages()[0].condition.as_deref(), Some("forbidden"));
}

#[test]
fn xep0249_2_we_invite_directly() {
    let x = format!(
        "<x xmlns=\"{DIRECT}\" continue=\"true\" jid=\"{ROOM}\" password=\"cauldronburn\" reason=\"Hey\" thread=\"t1\"/>"
    );
    let mut pair = Pair::online();
    let how = json!({ "direct": true, "password": "cauldronburn", "reason": "Hey", "thread": "t1" });
    let call = pair.im(
        "room.invite",
        json!(["coven@rooms.example.org/me", "hecate@shakespeare.lit", how]),
    );
    assert_eq!(
        sent(&mut pair),
        (Some("hecate@shakespeare.lit".to_owned()), None, vec![x])
    );
    pair.confirm();
    assert_eq!(pair.value(call)["to"], json!("hecate@shakespeare.lit"));
    // By a message with a text.
    let invitation = json!({ "body": "Come!", "invitation": { "room": ROOM }, "to": "hecate@shakespeare.lit" });
    pair.im("send", json!([invitation]));
    let (_, _, children) = sent(&mut pair);
    assert_eq!(
        children,
        [
            "<body xmlns=\"jabber:client\">Come!</body>".to_owned(),
            format!("<x xmlns=\"{DIRECT}\" jid=\"{ROOM}\"/>")
        ]
    );
}

#[test]
fn xep0045_7_8_2_an_invitation_is_declined_through_the_room() {
    let mut pair = Pair::online();
    let call = pair.im("rooms.decline", json!([of_room(CRONE), "Too busy"]));
    let x = format!("<x xmlns=\"{USER}\"><decline to=\"{CRONE}\"><reason>Too busy</reason></decline></x>");
    assert_eq!(sent(&mut pair), (Some(ROOM.to_owned()), None, vec![x]));
    pair.confirm();
    assert_eq!(pair.value(call), Value::Null);
    // XEP-0249 §2: a direct one is silently discarded.
    let call = pair.im("rooms.decline", json!([of_sender(CRONE)]));
    assert_eq!(pair.value(call), Value::Null);
    pair.nothing_sent();
    for (name, args, code) in [
        (
            "rooms.decline",
            json!([{ "mediated": true, "room": ROOM }]),
            Code::InvalidArgument,
        ),
        (
            "rooms.decline",
            json!([{ "mediated": true, "room": "@@" }]),
            Code::InvalidJid,
        ),
        ("rooms.decline", json!([null]), Code::InvalidArgument),
        ("room.invite", json!([ROOM]), Code::InvalidArgument),
        ("room.invite", json!([ROOM, "@@"]), Code::InvalidJid),
        ("room.invite", json!([ROOM, "a@b", "x"]), Code::InvalidArgument),
        (
            "send",
            json!([{ "invitation": {}, "to": "a@b" }]),
            Code::InvalidArgument,
        ),
    ] {
        let error = pair.try_im(name, args.clone()).expect_err("it can't be used");
        assert_eq!(error.code(), code, "{name} {args}");
    }
    let mut offline = Pair::new(config());
    let call = offline.im("room.invite", json!([ROOM, "a@b"]));
    assert_eq!(offline.error(call).code(), Code::Offline);
}

#[test]
fn xep0045_7_8_2_the_room_says_who_does_not_come() {
    let decline = format!(
        "<x xmlns='{USER}'><decline from='hecate@shakespeare.lit'><reason>Too busy</reason></decline></x><body>hecate declined</body>"
    );
    let told = |pair: &mut Pair, from: &str| {
        pair.events.clear();
        pair.receive(&message(from, &decline));
        assert!(from != ROOM || pair.messages().is_empty());
        pair.told("invitation-declined")
    };
    let expected = json!({ "room": ROOM, "from": "hecate@shakespeare.lit", "reason": "Too busy" });
    assert_eq!(told(&mut knowing(&[]), ROOM), [expected]);
    for from in [
        [ROOM, "/mallory"].concat().as_str(),
        "mallory@example.org/x",
        "rooms.example.org",
    ] {
        assert_eq!(told(&mut knowing(&[]), from), Vec::<Value>::new(), "{from}");
    }
    assert_eq!(
        told(&mut knowing(&["hecate@shakespeare.lit"]), ROOM),
        Vec::<Value>::new()
    );
}

#[test]
fn xep0249_4_nobody_is_invited_to_where_they_are() {
    let mut pair = knowing(&[]);
    pair.im("rooms.join", json!([ROOM, { "nick": "me" }]));
    let invite = [message(ROOM, &mediated(CRONE)), message(CRONE, &direct())];
    for frame in &invite {
        assert_eq!(told(&mut pair, frame).0.len(), 1, "not as long as they aren't");
    }
    while !pair.sent.is_empty() {
        let sent = pair.element();
        if sent.child("query", INFO).is_some() {
            pair.answer(&sent, &format!("<query xmlns='{INFO}'/>"));
        }
    }
    pair.receive(&format!(
        "<presence xmlns='{NS_CLIENT}' from='{ROOM}/me' to='alice@example.org/here'>\
         <x xmlns='{USER}'><item affiliation='member' role='participant'/><status code='110'/></x></presence>"
    ));
    pair.receive(&format!(
        "<message xmlns='{NS_CLIENT}' from='{ROOM}' to='alice@example.org/here' type='groupchat'><subject/></message>"
    ));
    for frame in &invite {
        assert_eq!(told(&mut pair, frame), NOTHING);
    }
    // Who doesn't come is told there.
    let decline = format!("<x xmlns='{USER}'><decline from='hecate@shakespeare.lit'/></x>");
    pair.events.clear();
    pair.receive(&message(ROOM, &decline));
    assert_eq!(pair.told("invitation-declined").len(), 1);
}
