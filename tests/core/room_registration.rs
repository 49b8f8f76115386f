//! XEP-0045 §7.10, §7.12: registering with a room, and the nick that it keeps.

use crate::disco::{INFO, refuse};
use crate::pair::Pair;
use crate::pubsub::fields;
use crate::room_admin::{ROOM, sent};
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml;

const REGISTER: &str = "jabber:iq:register";
const FORM_TYPE: &str = "http://jabber.org/protocol/muc#register";

fn query(inner: &str) -> String {
    format!("<query xmlns='{REGISTER}'>{inner}</query>")
}

fn form() -> String {
    format!(
        "<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>{FORM_TYPE}</value></field>\
         <field var='muc#register_roomnick' type='text-single' label='Nickname'><required/></field></x>"
    )
}

fn registration(answer: &str) -> Result<Value, Code> {
    let mut pair = Pair::online();
    let call = pair.im("room.registration", json!([ROOM]));
    let (iq, payload) = sent(&mut pair, "get");
    assert_eq!(xml::write(&payload).unwrap(), format!("<query xmlns=\"{REGISTER}\"/>"));
    pair.answer(&iq, answer);
    match pair.reply(call) {
        Ok(_) => Ok(pair.value(call)),
        Err(error) => Err(error.code()),
    }
}

#[test]
fn xep0045_7_10_a_room_says_what_it_wants_to_know() {
    let told = registration(&query(&["<instructions>On the web</instructions>", &form()].concat())).unwrap();
    assert_eq!(
        (&told["registered"], &told["instructions"]),
        (&json!(false), &json!("On the web"))
    );
    assert_eq!(told["form"]["fields"][1]["required"], json!(true));
    assert_eq!(
        registration(&query("<registered/><username>thirdwitch</username>")),
        Ok(json!({ "registered": true, "nick": "thirdwitch" }))
    );
    assert_eq!(
        registration(&query("<registered/><username/><nick>thirdwitch</nick>")),
        Ok(json!({ "registered": true, "nick": "thirdwitch" }))
    );
    let both = registration(&query(&["<registered/>", &form()].concat())).unwrap();
    assert_eq!(both["registered"], json!(true));
    assert!(both["form"].is_object() && both["nick"].is_null());
}

#[test]
fn xep0045_7_10_what_says_neither_is_the_rooms_fault() {
    for answer in [
        String::new(),
        query(""),
        query("<username/>"),
        "<query xmlns='urn:x'><registered/></query>".to_owned(),
        query(
            &form()
                .replace("type='text-single'", "type='boolean'")
                .replace("<required/>", "<value>x</value>"),
        ),
    ] {
        assert_eq!(registration(&answer), Err(Code::ProtocolViolation), "{answer}");
    }
}

#[test]
fn xep0045_7_10_one_registers_by_a_nick_or_by_values() {
    for values in [json!("thirdwitch"), json!({ "muc#register_roomnick": "thirdwitch" })] {
        let mut pair = Pair::online();
        let call = pair.im("room.register", json!([ROOM, values]));
        let (iq, payload) = sent(&mut pair, "set");
        assert!(payload.is("query", REGISTER));
        assert_eq!(
            fields(payload.children().next().unwrap()),
            [
                ("FORM_TYPE".to_owned(), vec![FORM_TYPE.to_owned()]),
                ("muc#register_roomnick".to_owned(), vec!["thirdwitch".to_owned()]),
            ]
        );
        pair.answer(&iq, "");
        assert_eq!(pair.value(call), Value::Null);
        let call = pair.im("room.register", json!([ROOM, values]));
        let iq = pair.element();
        refuse(&mut pair, &iq, "conflict");
        assert_eq!(pair.error(call).condition(), Some("conflict"));
    }
    let mut pair = Pair::online();
    for values in [json!(null), json!(7), json!([])] {
        let error = pair.try_im("room.register", json!([ROOM, values])).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
    let call = pair.im("room.unregister", json!([ROOM]));
    let (iq, payload) = sent(&mut pair, "set");
    assert_eq!(xml::write(&payload).unwrap(), query("<remove/>").replace('\'', "\""));
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);
}

#[test]
fn xep0045_7_12_the_nick_that_a_room_keeps() {
    let node = "node='x-roomuser-item'";
    let identity = "<identity category='conference' type='text' name='thirdwitch'/>";
    for (answer, nick) in [
        (
            format!("<query xmlns='{INFO}' {node}>{identity}</query>"),
            json!("thirdwitch"),
        ),
        (format!("<query xmlns='{INFO}'>{identity}</query>"), json!("thirdwitch")),
        (format!("<query xmlns='{INFO}' {node}/>"), json!(null)),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("room.reservedNick", json!([ROOM]));
        let (iq, payload) = sent(&mut pair, "get");
        assert_eq!(
            xml::write(&payload).unwrap(),
            format!("<query xmlns=\"{INFO}\" node=\"x-roomuser-item\"/>")
        );
        pair.answer(&iq, &answer);
        assert_eq!(pair.value(call), nick);
    }
    for answer in [
        "",
        "<query xmlns='urn:x'/>",
        &format!("<query xmlns='{INFO}' node='other'/>"),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("room.reservedNick", json!([ROOM]));
        let iq = pair.element();
        pair.answer(&iq, answer);
        assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    }
    for (condition, nothing) in [
        ("feature-not-implemented", true),
        ("service-unavailable", true),
        ("item-not-found", true),
        ("forbidden", false),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("room.reservedNick", json!([ROOM]));
        let iq = pair.element();
        refuse(&mut pair, &iq, condition);
        match nothing {
            true => assert_eq!(pair.value(call), Value::Null),
            false => assert_eq!(pair.error(call).condition(), Some(condition)),
        }
    }
}

#[test]
fn xep0045_7_12_one_asks_before_one_enters() {
    for (name, args) in [
        ("registration", json!([ROOM])),
        ("register", json!([ROOM, "thirdwitch"])),
        ("unregister", json!([ROOM])),
        ("reservedNick", json!([ROOM])),
    ] {
        let frames = ["room.", "rooms."].map(|group| {
            let mut pair = Pair::online();
            pair.im(&[group, name].concat(), args.clone());
            pair.element()
                .children()
                .next()
                .map(|payload| xml::write(payload).unwrap())
        });
        assert_eq!(frames[0], frames[1], "{name}");
        assert!(frames[0].is_some());
    }
}
