//! XEP-0045 §7.13, §8.6: asking for a voice, and giving it.

use crate::pair::{NS_CLIENT, Pair, config};
use crate::pubsub::fields;
use crate::room_admin::ROOM;
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml::Element;

const REQUEST: &str = "http://jabber.org/protocol/muc#request";

fn form() -> String {
    format!(
        "<x xmlns='jabber:x:data' type='form'><title>Voice request</title>\
         <field var='FORM_TYPE' type='hidden'><value>{REQUEST}</value></field>\
         <field var='muc#role' type='list-single'><value>participant</value></field>\
         <field var='muc#jid' type='jid-single'><value>hag66@shakespeare.lit/pda</value></field>\
         <field var='muc#roomnick' type='text-single'><value>thirdwitch</value></field>\
         <field var='muc#request_allow' type='boolean'><value>false</value></field></x>"
    )
}

fn told(attrs: &str, inner: &str) -> Vec<Value> {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<message xmlns='{NS_CLIENT}' to='alice@example.org/here' {attrs}>{inner}</message>"
    ));
    pair.told("voice-request")
}

/// The message that is sent to the room, and what it submits.
fn submitted(pair: &mut Pair) -> Vec<(String, Vec<String>)> {
    let message: Element = pair.element();
    assert!(message.is("message", NS_CLIENT));
    assert_eq!((message.attr("to"), message.attr("type")), (Some(ROOM), None));
    assert_eq!(message.children().count(), 1);
    fields(message.children().next().unwrap())
}

fn one(name: &str, value: &str) -> (String, Vec<String>) {
    (name.to_owned(), vec![value.to_owned()])
}

#[test]
fn xep0045_7_13_a_voice_is_asked_for() {
    let mut pair = Pair::online();
    let call = pair.im("room.requestVoice", json!([ROOM]));
    assert_eq!(
        submitted(&mut pair),
        [one("FORM_TYPE", REQUEST), one("muc#role", "participant")]
    );
    assert_eq!(pair.value(call), Value::Null);
    let mut offline = Pair::new(config());
    let call = offline.im("room.requestVoice", json!([ROOM]));
    assert_eq!(offline.error(call).code(), Code::Offline);
}

#[test]
fn xep0045_8_6_a_moderator_hears_of_it_and_answers() {
    let expected =
        json!({ "room": ROOM, "nick": "thirdwitch", "jid": "hag66@shakespeare.lit/pda", "role": "participant" });
    assert_eq!(
        told(&format!("from='{ROOM}'"), &form()),
        core::slice::from_ref(&expected)
    );
    assert_eq!(
        told(&format!("from='{ROOM}' type='normal'"), &form()),
        core::slice::from_ref(&expected)
    );
    for (allow, word) in [(true, "true"), (false, "false")] {
        let mut pair = Pair::online();
        let call = pair.im("room.answerVoiceRequest", json!([ROOM, expected, allow]));
        assert_eq!(
            submitted(&mut pair),
            [
                one("FORM_TYPE", REQUEST),
                one("muc#role", "participant"),
                one("muc#roomnick", "thirdwitch"),
                one("muc#request_allow", word),
                one("muc#jid", "hag66@shakespeare.lit/pda"),
            ]
        );
        assert_eq!(pair.value(call), Value::Null);
    }
    let mut pair = Pair::online();
    let other = json!({ "room": "heath@rooms.example.org", "nick": "thirdwitch", "role": "participant" });
    for args in [
        json!([ROOM, other, true]),
        json!([ROOM, expected]),
        json!([ROOM, null, true]),
    ] {
        let error = pair.try_im("room.answerVoiceRequest", args).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
}

#[test]
fn xep0045_8_6_nobody_but_the_room_says_who_asks() {
    for attrs in [
        &format!("from='{ROOM}/mallory'"),
        "from='mallory@example.org/x'",
        "from='rooms.example.org'",
        "from='alice@example.org'",
        "from='@@'",
        "",
        &format!("from='{ROOM}' type='error'"),
        &format!("from='{ROOM}' type='groupchat'"),
    ] {
        assert_eq!(told(attrs, &form()), Vec::<Value>::new(), "{attrs}");
    }
    for other in [
        form().replace("type='form'", "type='submit'"),
        form().replace("muc#request<", "muc#register<"),
        form().replace("<value>thirdwitch</value>", ""),
        form().replace("<value>false", "<value>perhaps"),
        form().replace("jabber:x:data", "urn:x"),
        String::new(),
    ] {
        assert_eq!(told(&format!("from='{ROOM}'"), &other), Vec::<Value>::new(), "{other}");
    }
}
