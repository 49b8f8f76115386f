//! XEP-0045 §6.3, §6.4: what rooms there are, and what they are.

use crate::disco::{INFO, RSM, refuse};
use crate::pair::{Pair, config};
use crate::room_admin::{ROOM, sent};
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml;

const ITEMS: &str = "http://jabber.org/protocol/disco#items";
const MUC: &str = "http://jabber.org/protocol/muc";

fn info(answer: &str) -> Result<Value, Code> {
    let mut pair = Pair::online();
    let call = pair.im("room.info", json!([ROOM]));
    let (iq, payload) = sent(&mut pair, "get");
    assert_eq!(xml::write(&payload).unwrap(), format!("<query xmlns=\"{INFO}\"/>"));
    pair.answer(&iq, answer);
    match pair.reply(call) {
        Ok(_) => Ok(pair.value(call)),
        Err(error) => Err(error.code()),
    }
}

fn room(features: &[&str], form: &str) -> String {
    let features: String = features
        .iter()
        .map(|feature| format!("<feature var='{feature}'/>"))
        .collect();
    format!(
        "<query xmlns='{INFO}'><identity category='conference' type='text' name='A Dark Cave'/>\
         <feature var='{MUC}'/>{features}{form}</query>"
    )
}

fn form(fields: &[(&str, &[&str])]) -> String {
    let field = |(name, values): &(&str, &[&str])| {
        let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
        format!("<field var='{name}'>{values}</field>")
    };
    let fields: String = fields.iter().map(field).collect();
    format!(
        "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>\
         <value>{MUC}#roominfo</value></field>{fields}</x>"
    )
}

#[test]
fn xep0045_6_4_what_a_room_says_of_itself() {
    let mut told = info(&room(
        &[
            "muc_membersonly",
            "muc_passwordprotected",
            "muc_hidden",
            "muc_temporary",
            "muc_unmoderated",
            "muc_nonanonymous",
            "http://jabber.org/protocol/muc#stable_id",
            "urn:xmpp:mam:2",
            "urn:xmpp:occupant-id:0",
            "vcard-temp",
            "jabber:iq:register",
        ],
        &form(&[
            ("muc#roominfo_description", &["The place for all good witches!"]),
            (
                "muc#roominfo_contactjid",
                &["Crone1@shakespeare.lit", "hag66@shakespeare.lit"],
            ),
            ("muc#roominfo_subject", &["Spells"]),
            ("muc#roomconfig_changesubject", &["true"]),
            ("muc#roominfo_occupants", &["3"]),
            ("muc#roomconfig_maxusers", &["20"]),
            ("muc#roominfo_lang", &["en"]),
            ("muc#roominfo_logs", &["http://www.shakespeare.lit/chatlogs/coven/"]),
            ("muc#maxhistoryfetch", &["50"]),
            ("muc#roominfo_avatarhash", &["e04c31b8d827efaf1e2b0b587b5e05e3a00d082e"]),
        ]),
    ))
    .unwrap();
    let told = told.as_object_mut().unwrap();
    assert_eq!(told.remove("features").unwrap().as_array().unwrap().len(), 12);
    assert_eq!(told.remove("forms").unwrap()[0]["fields"].as_array().unwrap().len(), 11);
    assert_eq!(
        Value::Object(told.clone()),
        json!({
            "name": "A Dark Cave", "description": "The place for all good witches!", "subject": "Spells", "lang": "en",
            "occupants": 3, "maxUsers": 20, "maxHistory": 50, "membersOnly": true, "passwordProtected": true,
            "moderated": false, "persistent": false, "public": false, "anonymity": "nonanonymous", "changeSubject": true,
            "archive": true, "stableIds": true, "occupantIds": true, "registration": true, "vcard": true,
            "avatars": ["e04c31b8d827efaf1e2b0b587b5e05e3a00d082e"],
            "contacts": ["crone1@shakespeare.lit", "hag66@shakespeare.lit"],
            "logs": "http://www.shakespeare.lit/chatlogs/coven/",
        })
    );
    // What isn't said isn't known, and what is said both ways is believed the worse.
    let mut little = info(&room(&["muc_semianonymous", "muc_open"], "")).unwrap();
    let little = little.as_object_mut().unwrap();
    little.remove("features");
    assert_eq!(
        Value::Object(little.clone()),
        json!({
            "name": "A Dark Cave", "membersOnly": false, "anonymity": "semianonymous", "archive": false, "stableIds": false,
            "occupantIds": false, "registration": false, "vcard": false, "forms": [],
        })
    );
    let both = info(&room(&["muc_semianonymous", "muc_nonanonymous"], "")).unwrap();
    assert_eq!(both["anonymity"], json!("nonanonymous"));
    let none = info(&room(&[], &form(&[("muc#roominfo_maxusers", &["none"])]))).unwrap();
    assert!(none["maxUsers"].is_null());
}

#[test]
fn xep0045_6_4_what_is_no_room_or_cannot_be_read_is_an_error() {
    for answer in [
        String::new(),
        format!("<query xmlns='{INFO}'/>"),
        format!("<query xmlns='{INFO}'><feature var='{MUC}'/></query>"),
        format!("<query xmlns='{INFO}'><identity category='client' type='web'/><feature var='{MUC}'/></query>"),
        format!("<query xmlns='{INFO}'><identity category='conference' type='text'/></query>"),
        room(&[], &form(&[("muc#roominfo_occupants", &["many"])])),
        room(&[], &form(&[("muc#roominfo_occupants", &["-1"])])),
        room(&[], &form(&[("muc#roomconfig_maxusers", &["1", "2"])])),
        room(&[], &form(&[("muc#roominfo_contactjid", &["@@"])])),
        room(&[], &form(&[("muc#roomconfig_changesubject", &["perhaps"])])),
    ] {
        assert_eq!(info(&answer), Err(Code::ProtocolViolation), "{answer}");
    }
    for name in ["room.info", "rooms.info"] {
        let mut pair = Pair::online();
        let call = pair.im(name, json!([ROOM]));
        let (iq, _) = sent(&mut pair, "get");
        refuse(&mut pair, &iq, "item-not-found");
        assert_eq!(pair.error(call).condition(), Some("item-not-found"));
    }
}

#[test]
fn xep0045_6_3_the_rooms_of_a_service_page_by_page() {
    let mut pair = Pair::online();
    let call = pair.im("rooms.list", json!(["rooms.example.org", { "max": 2 }]));
    let iq = pair.element();
    assert_eq!(
        (iq.attr("type"), iq.attr("to")),
        (Some("get"), Some("rooms.example.org"))
    );
    let max = |iq: &xml::Element| {
        iq.child("query", ITEMS)
            .unwrap()
            .child("set", RSM)
            .unwrap()
            .child_text("max", RSM)
    };
    assert_eq!(max(&iq).as_deref(), Some("2"));
    pair.answer(
        &iq,
        &format!(
            "<query xmlns='{ITEMS}'><item jid='Heath@rooms.example.org' name='A Lonely Heath'/><item jid='{ROOM}'/>\
             <set xmlns='{RSM}'><first index='0'>a</first><last>b</last><count>3</count></set></query>"
        ),
    );
    let page = pair.value(call);
    assert_eq!(
        page,
        json!({ "items": [{ "jid": "heath@rooms.example.org", "name": "A Lonely Heath" }, { "jid": ROOM }], "next": "b" })
    );
    let call = pair.im("rooms.list", json!(["rooms.example.org", null, "b"]));
    let iq = pair.element();
    assert_eq!(max(&iq).as_deref(), Some("100"));
    let set = iq.child("query", ITEMS).unwrap().child("set", RSM).unwrap();
    assert_eq!(set.child_text("after", RSM).as_deref(), Some("b"));
    pair.answer(&iq, &format!("<query xmlns='{ITEMS}'><item jid='a@b'/></query>"));
    assert_eq!(pair.value(call), json!({ "items": [{ "jid": "a@b" }] }));
    for answer in [
        "",
        "<query xmlns='urn:x'/>",
        &format!("<query xmlns='{ITEMS}'><item name='a'/></query>"),
    ] {
        let call = pair.im("rooms.list", json!(["rooms.example.org"]));
        let iq = pair.element();
        pair.answer(&iq, answer);
        assert_eq!(pair.error(call).code(), Code::ProtocolViolation, "{answer}");
    }
    for (args, code) in [
        (json!([]), Code::InvalidArgument),
        (json!(["@@"]), Code::InvalidJid),
        (json!(["rooms.example.org", { "max": 0 }]), Code::InvalidArgument),
        (json!(["rooms.example.org", { "max": 501 }]), Code::InvalidArgument),
    ] {
        assert_eq!(pair.try_im("rooms.list", args).unwrap_err().code(), code);
    }
    let mut offline = Pair::new(config());
    let call = offline.im("rooms.list", json!(["rooms.example.org"]));
    assert_eq!(offline.error(call).code(), Code::Offline);
}
