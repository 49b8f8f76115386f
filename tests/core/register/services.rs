//! Registrations with services.

use super::{query, told};
use crate::pair::Pair;
use serde_json::json;
use stanzawire::error::Code;

const GATEWAY: &str = "gateway.example.org";

#[test]
fn xep0077_3_1_what_is_on_file() {
    let mut pair = Pair::online();
    let call = pair.im("registration.get", json!([GATEWAY]));
    let request = pair.element();
    assert_eq!((request.attr("type"), request.attr("to")), (Some("get"), Some(GATEWAY)));
    let id = request.attr("id").unwrap().to_owned();
    let answer = query(
        "<registered/><username>juliet</username><password>R0m30</password><email>juliet@capulet.com</email>\
         <x xmlns='jabber:x:oob'><url>https://gateway.example.org/me</url></x>",
    );
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='mallory@example.org'>{answer}</iq>"
    ));
    assert!(pair.is_open(call));
    pair.answer(&request, &answer);
    let field = |name: &str, kind: &str, value: Option<&str>| json!({ "name": name, "required": true, "type": kind, "value": value });
    assert_eq!(
        pair.value(call),
        json!({
            "form": {
                "fields": [
                    field("username", "text-single", Some("juliet")),
                    field("password", "text-private", None),
                    field("email", "text-single", Some("juliet@capulet.com")),
                ],
                "type": "form",
            },
            "registered": true,
            "url": "https://gateway.example.org/me",
        })
    );
}

#[test]
fn xep0077_3_1_values_go_where_the_service_asks_for_them() {
    let plain = query("<registered/><username>juliet</username><password/><email>juliet@capulet.com</email>");
    let form = query(
        "<x xmlns='jabber:x:data' type='form'><field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>\
         <field type='list-single' var='x-size'><value>M</value><option><value>M</value></option></field>\
         <field type='text-private' var='password'><required/></field></x>",
    );
    for (asked, expected) in [
        (
            plain,
            vec![
                ("username", "juliet"),
                ("password", "new"),
                ("email", "juliet@capulet.com"),
            ],
        ),
        (
            form,
            vec![
                ("FORM_TYPE", "jabber:iq:register"),
                ("x-size", "M"),
                ("password", "new"),
            ],
        ),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("registration.set", json!([GATEWAY, { "password": "new" }]));
        let get = pair.element();
        assert_eq!(get.attr("type"), Some("get"), "§3.1: nobody guesses");
        pair.answer(&get, &asked);
        let set = pair.element();
        assert_eq!((set.attr("type"), set.attr("to")), (Some("set"), Some(GATEWAY)));
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(told(&set), expected);
        assert!(pair.is_open(call));
        pair.answer(&set, "");
        assert_eq!(pair.value(call), json!(null));
    }
}

#[test]
fn xep0077_3_1_what_cannot_be_registered() {
    for (answer, code) in [
        (query("<username/><password/><email/>"), Code::InvalidArgument),
        (query("<instructions>There</instructions>"), Code::RegistrationElsewhere),
        ("<query xmlns='urn:x'/>".to_owned(), Code::ProtocolViolation),
        (String::new(), Code::ProtocolViolation),
    ] {
        let mut pair = Pair::online();
        let call = pair.im(
            "registration.set",
            json!([GATEWAY, { "username": "me", "password": "new" }]),
        );
        let get = pair.element();
        pair.answer(&get, &answer);
        assert_eq!(pair.error(call).code(), code, "{answer}");
        pair.nothing_sent();
    }
}

#[test]
fn xep0077_3_2_a_registration_ends() {
    let mut pair = Pair::online();
    let call = pair.im("registration.remove", json!([GATEWAY]));
    let request = pair.element();
    assert_eq!((request.attr("type"), request.attr("to")), (Some("set"), Some(GATEWAY)));
    assert_eq!(told(&request), [("remove".to_owned(), String::new())]);
    pair.answer(&request, "");
    assert_eq!(pair.value(call), json!(null));
    assert_eq!(pair.engine.status(), stanzawire::session::Status::Online);
}

#[test]
fn the_own_server_is_another_matter() {
    let mut pair = Pair::online();
    for jid in ["example.org", "alice@example.org", "alice@example.org/there"] {
        for (name, args) in [
            ("registration.set", json!([jid, {}])),
            ("registration.remove", json!([jid])),
        ] {
            let call = pair.im(name, args);
            assert_eq!(pair.error(call).code(), Code::InvalidArgument, "{name} {jid}");
        }
    }
    pair.nothing_sent();
    for args in [json!([]), json!([null]), json!(["@"])] {
        let code = pair.try_im("registration.get", args).unwrap_err().code();
        assert!(matches!(code, Code::InvalidArgument | Code::InvalidJid));
    }
}
