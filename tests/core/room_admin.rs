//! XEP-0045 §8 to §10: what those do in a room who have a say there.

use crate::disco::refuse;
use crate::pair::{Pair, config};
use crate::pubsub::fields;
use serde_json::{Value, json};
use stanzawire::error::{Code, Phase};
use stanzawire::xml::{self, Element};

pub const ROOM: &str = "coven@rooms.example.org";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const OWNER: &str = "http://jabber.org/protocol/muc#owner";
const CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";

/// The iq that is sent to the room, of this type, and what is in it.
pub fn sent(pair: &mut Pair, kind: &str) -> (Element, Element) {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some(kind), Some(ROOM)));
    let payload = iq.children().next().expect("it has a payload").clone();
    assert_eq!(iq.children().count(), 1);
    (iq, payload)
}

/// What a call sends that changes something, as text; it is done.
fn set(name: &str, args: Value) -> String {
    let mut pair = Pair::online();
    let call = pair.im(name, args);
    let (iq, payload) = sent(&mut pair, "set");
    assert!(pair.is_open(call));
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);
    xml::write(&payload).unwrap()
}

fn admin(item: &str) -> String {
    format!("<query xmlns='{ADMIN}'>{item}</query>").replace('\'', "\"")
}

fn owner(child: &str) -> String {
    format!("<query xmlns='{OWNER}'>{child}</query>").replace('\'', "\"")
}

#[test]
fn xep0045_8_2_a_role_is_given_by_nick() {
    assert_eq!(
        set("room.setRole", json!([ROOM, "pistol", "none", "Avaunt, you cullion!"])),
        admin("<item nick='pistol' role='none'><reason>Avaunt, you cullion!</reason></item>")
    );
    // Of the room, whoever in it is named.
    let occupant = [ROOM, "/pistol"].concat();
    assert_eq!(
        set("room.setRole", json!([occupant, " pis/tol", "moderator"])),
        admin("<item nick=' pis/tol' role='moderator'/>")
    );
}

#[test]
fn xep0045_9_1_an_affiliation_is_given_by_bare_jid() {
    assert_eq!(
        set(
            "room.setAffiliation",
            json!([ROOM, "Earl@shakespeare.lit/stabber", "outcast", { "reason": "Treason" }])
        ),
        admin("<item affiliation='outcast' jid='earl@shakespeare.lit'><reason>Treason</reason></item>")
    );
    assert_eq!(
        set(
            "room.setAffiliation",
            json!([ROOM, "hag66@shakespeare.lit", "member", { "nick": "thirdwitch" }])
        ),
        admin("<item affiliation='member' jid='hag66@shakespeare.lit' nick='thirdwitch'/>")
    );
    assert_eq!(
        set("room.setAffiliation", json!([ROOM, "spam.example", "none"])),
        admin("<item affiliation='none' jid='spam.example'/>")
    );
}

#[test]
fn xep0045_9_2_a_list_is_asked_for() {
    let mut pair = Pair::online();
    let call = pair.im("room.affiliations", json!([ROOM, "outcast"]));
    let (iq, payload) = sent(&mut pair, "get");
    assert_eq!(xml::write(&payload).unwrap(), admin("<item affiliation='outcast'/>"));
    pair.answer(
        &iq,
        &admin(
            "<item affiliation='outcast' jid='Earl@shakespeare.lit'><reason>Treason</reason></item>\
             <item affiliation='outcast' jid='&#x2615;@x.org' nick='cup'/>",
        ),
    );
    assert_eq!(
        pair.value(call),
        json!([
            { "jid": "earl@shakespeare.lit", "affiliation": "outcast", "reason": "Treason" },
            { "jid": "☕@x.org", "affiliation": "outcast", "nick": "cup" },
        ])
    );
}

#[test]
fn xep0045_9_2_who_does_not_belong_on_a_list_makes_it_none() {
    for answer in [
        String::new(),
        owner(""),
        "<list xmlns='http://jabber.org/protocol/muc#admin'/>".to_owned(),
        admin("<item affiliation='member' jid='a@b'/>"),
        admin("<item affiliation='outcast' jid='a@b'/><item jid='a@b'/>"),
        admin("<item affiliation='outcast' nick='a'/>"),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("room.affiliations", json!([ROOM, "outcast"]));
        let (iq, _) = sent(&mut pair, "get");
        pair.answer(&iq, &answer);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Stanza),
            "{answer}"
        );
    }
}

const FORM: &str = "<x xmlns='jabber:x:data' type='form'><title>Configuration</title>\
     <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roomconfig</value></field>\
     <field var='muc#roomconfig_membersonly' type='boolean'><value>1</value></field>\
     <field var='muc#roomconfig_roomadmins' type='jid-multi'><value>Wicca@shakespeare.lit</value></field></x>";

#[test]
fn xep0045_10_2_a_room_says_how_it_is_configured() {
    let mut pair = Pair::online();
    let call = pair.im("room.configuration", json!([ROOM]));
    let (iq, payload) = sent(&mut pair, "get");
    assert_eq!(xml::write(&payload).unwrap(), format!("<query xmlns=\"{OWNER}\"/>"));
    pair.answer(&iq, &owner(FORM));
    let form = pair.value(call);
    assert_eq!(form["title"], json!("Configuration"));
    assert_eq!(form["fields"][1]["value"], json!(true));
    assert_eq!(form["fields"][2]["value"], json!(["wicca@shakespeare.lit"]));
    // And what was told can be filled in.
    let mut form = form;
    form["fields"][1]["value"] = json!(false);
    let call = pair.im("room.configure", json!([ROOM, form]));
    let (iq, payload) = sent(&mut pair, "set");
    let one = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
    assert_eq!(
        fields(payload.child("x", "jabber:x:data").unwrap()),
        [
            one("FORM_TYPE", CONFIG),
            one("muc#roomconfig_membersonly", "false"),
            one("muc#roomconfig_roomadmins", "wicca@shakespeare.lit"),
        ]
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);
}

#[test]
fn xep0045_10_2_what_is_no_configuration_is_the_rooms_fault() {
    for answer in [
        String::new(),
        admin(FORM),
        owner(""),
        owner(&FORM.replace("jabber:x:data", "urn:x")),
        owner(&FORM.replace("muc#roomconfig</value>", "muc#register</value>")),
        owner(&FORM.replace("<value>1<", "<value>perhaps<")),
        owner(&FORM.replace("Wicca@", "@")),
        owner(&FORM.replace(" type='form'", "")),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("room.configuration", json!([ROOM]));
        let (iq, _) = sent(&mut pair, "get");
        pair.answer(&iq, &answer);
        assert_eq!(pair.error(call).code(), Code::ProtocolViolation, "{answer}");
    }
}

#[test]
fn xep0045_10_1_2_an_empty_form_opens_an_instant_room() {
    let empty = owner("<x xmlns='jabber:x:data' type='submit'/>");
    for values in [
        json!([ROOM]),
        json!([ROOM, {}]),
        json!([ROOM, null]),
        json!([ROOM, { "a": null }]),
    ] {
        assert_eq!(set("room.configure", values), empty);
    }
    let name = set(
        "room.configure",
        json!([ROOM, { "muc#roomconfig_roomname": "A Dark Cave" }]),
    );
    assert!(
        name.contains(CONFIG) && name.contains("<value>A Dark Cave</value>"),
        "{name}"
    );
}

#[test]
fn xep0045_10_1_3_a_configuration_is_given_up() {
    assert_eq!(
        set("room.cancelConfiguration", json!([ROOM])),
        owner("<x xmlns='jabber:x:data' type='cancel'/>")
    );
}

#[test]
fn xep0045_10_9_a_room_is_destroyed() {
    assert_eq!(set("room.destroy", json!([ROOM])), owner("<destroy/>"));
    let more =
        json!({ "alternate": "Heath@rooms.example.org", "password": "cauldron", "reason": "Macbeth doth come." });
    assert_eq!(
        set("room.destroy", json!([ROOM, more])),
        owner(
            "<destroy jid='heath@rooms.example.org'><password>cauldron</password>\
             <reason>Macbeth doth come.</reason></destroy>"
        )
    );
}

#[test]
fn what_cannot_be_asked_of_a_room_is_not_asked() {
    let mut pair = Pair::online();
    for (name, args, code) in [
        ("room.setRole", json!(["@@", "pistol", "none"]), Code::InvalidJid),
        ("room.setRole", json!([ROOM, "", "none"]), Code::InvalidArgument),
        ("room.setRole", json!([ROOM, null, "none"]), Code::InvalidArgument),
        ("room.setRole", json!([ROOM, "pistol", "owner"]), Code::InvalidArgument),
        ("room.setRole", json!([ROOM, "pistol"]), Code::InvalidArgument),
        ("room.setAffiliation", json!([ROOM, "@@", "member"]), Code::InvalidJid),
        (
            "room.setAffiliation",
            json!([ROOM, "a@b", "moderator"]),
            Code::InvalidArgument,
        ),
        (
            "room.setAffiliation",
            json!([ROOM, "a@b", "member", "x"]),
            Code::InvalidArgument,
        ),
        ("room.affiliations", json!([ROOM, "none"]), Code::InvalidArgument),
        ("room.affiliations", json!([ROOM]), Code::InvalidArgument),
        ("room.configure", json!([ROOM, "x"]), Code::InvalidArgument),
        ("room.destroy", json!([ROOM, { "alternate": "@@" }]), Code::InvalidJid),
        ("room.configuration", json!([]), Code::InvalidArgument),
    ] {
        let error = pair.try_im(name, args.clone()).expect_err("it can't be used");
        assert_eq!(error.code(), code, "{name} {args}");
    }
    pair.nothing_sent();
}

#[test]
fn what_a_room_refuses_rejects() {
    for (name, args) in [
        ("room.setRole", json!([ROOM, "pistol", "none"])),
        ("room.affiliations", json!([ROOM, "owner"])),
        ("room.configuration", json!([ROOM])),
        ("room.configure", json!([ROOM])),
        ("room.destroy", json!([ROOM])),
    ] {
        let mut pair = Pair::online();
        let call = pair.im(name, args.clone());
        let iq = pair.element();
        refuse(&mut pair, &iq, "forbidden");
        assert_eq!(pair.error(call).condition(), Some("forbidden"), "{name}");
        let mut offline = Pair::new(config());
        let call = offline.im(name, args);
        assert_eq!(offline.error(call).code(), Code::Offline, "{name}");
    }
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_answers_for_a_room() {
    let mut pair = Pair::online();
    let call = pair.im("room.configuration", json!([ROOM]));
    let id = pair.element().attr("id").unwrap().to_owned();
    let occupant = [ROOM, "/mallory"].concat();
    for from in [
        "mallory@example.org",
        "rooms.example.org",
        "alice@example.org",
        &occupant,
    ] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'>{}</iq>",
            owner(FORM)
        ));
        assert!(pair.is_open(call), "{from}");
    }
}
