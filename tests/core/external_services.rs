//! XEP-0215.

use crate::disco::refuse;
use crate::pair::{NS_CLIENT, Pair, config};
use serde_json::{Value, json};
use stanzawire::error::{Code, Phase};

const SERVICES: &str = "urn:xmpp:extdisco:2";

fn services(of: &str, list: &str) -> String {
    format!("<services xmlns='{SERVICES}'{of}>{list}</services>")
}

fn get(list: &str) -> Value {
    let mut pair = Pair::online();
    let call = pair.im("externalServices.get", json!([]));
    let iq = pair.element();
    pair.answer(&iq, &services("", list));
    pair.value(call)
}

#[test]
fn xep0215_3_1_the_server_says_what_it_knows() {
    let mut pair = Pair::online();
    let call = pair.im("externalServices.get", json!([]));
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), Some("example.org")));
    assert_eq!(iq.child("services", SERVICES).unwrap().attr("type"), None);
    let list = "<service host='stun.example.org' port='9998' transport='udp' type='stun' action='add'/>\
                <service host='192.0.2.1' type='turn' name='Relay' username='nb78' password='jj92' restricted='true'
                         expires='2026-01-01T00:00:00Z'>\
                <x xmlns='jabber:x:data' type='result'><field var='realm'><value>a</value></field></x></service>";
    pair.answer(&iq, &services("", list));
    assert_eq!(
        pair.value(call),
        json!([
            { "type": "stun", "host": "stun.example.org", "port": 9998, "transport": "udp" },
            {
                "type": "turn", "host": "192.0.2.1", "name": "Relay", "username": "nb78", "password": "jj92", "restricted": true,
                "expires": "2026-01-01T00:00:00Z",
                "form": { "type": "result", "fields": [{ "name": "realm", "type": "text-single", "value": "a" }] },
            },
        ])
    );
}

#[test]
fn xep0215_3_2_those_of_a_type() {
    for filter in [json!({ "type": "turn" }), json!({}), Value::Null] {
        let mut pair = Pair::online();
        let call = pair.im("externalServices.get", json!([filter]));
        let iq = pair.element();
        assert_eq!(
            iq.child("services", SERVICES).unwrap().attr("type"),
            filter["type"].as_str()
        );
        pair.answer(&iq, &services(" type='turn'", ""));
        assert_eq!(pair.value(call), json!([]));
    }
}

#[test]
fn xep0215_2_what_nobody_could_use_isnt_told() {
    assert_eq!(
        get(
            "<service type='turn'/><service host='a'/><service host='' type='turn'/><service host='a' type='turn' port='70000'/>\
             <service host='a' type='turn' port='-1'/><service xmlns='urn:x' host='a' type='turn'/><other host='a' type='turn'/>\
             <service host='b' type='turn' restricted='perhaps' expires='soon' username=''><x xmlns='jabber:x:data'/></service>"
        ),
        json!([{ "type": "turn", "host": "b" }])
    );
}

#[test]
fn xep0215_3_3_what_it_takes_to_use_one() {
    for (port, written) in [(Value::Null, None), (json!(9999), Some("9999"))] {
        let mut pair = Pair::online();
        let call = pair.im(
            "externalServices.credentials",
            json!([{ "host": "turn.example.org", "port": port, "type": "turn" }]),
        );
        let iq = pair.element();
        assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), Some("example.org")));
        let asked = iq
            .child("credentials", SERVICES)
            .unwrap()
            .child("service", SERVICES)
            .unwrap();
        assert_eq!(
            ["host", "type", "port"].map(|name| asked.attr(name)),
            [Some("turn.example.org"), Some("turn"), written]
        );
        pair.answer(
            &iq,
            &format!(
                "<credentials xmlns='{SERVICES}'><service host='turn.example.org' type='turn' username='u' password='p'/></credentials>"
            ),
        );
        assert_eq!(
            pair.value(call),
            json!([{ "type": "turn", "host": "turn.example.org", "username": "u", "password": "p" }])
        );
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    let credentials = format!("<credentials xmlns='{SERVICES}'/>");
    let list = services("", "");
    for (name, answers) in [
        ("externalServices.get", ["", "<services xmlns='urn:x'/>", &credentials]),
        (
            "externalServices.credentials",
            ["", "<credentials xmlns='urn:x'/>", &list],
        ),
    ] {
        for answer in answers {
            let mut pair = Pair::online();
            let call = pair.im(name, json!([{ "host": "a", "type": "turn" }]));
            let iq = pair.element();
            pair.answer(&iq, answer);
            let error = pair.error(call);
            assert_eq!(
                (error.code(), error.phase()),
                (Code::ProtocolViolation, Phase::Stanza),
                "{answer}"
            );
        }
    }
    let mut pair = Pair::online();
    let call = pair.im("externalServices.get", json!([]));
    let iq = pair.element();
    refuse(&mut pair, &iq, "forbidden");
    assert_eq!(pair.error(call).condition(), Some("forbidden"));
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_where_calls_go_through() {
    let mut pair = Pair::online();
    let call = pair.im("externalServices.get", json!([]));
    let id = pair.element().attr("id").unwrap().to_owned();
    let list = services("", "<service host='evil.example' type='turn'/>");
    for from in [
        "",
        "from='mallory@example.org'",
        "from='alice@example.org'",
        "from='example.com'",
        "from='turn.example.org'",
    ] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' {from}>{list}</iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

fn push(pair: &mut Pair, from: &str, payload: &str) -> Option<String> {
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='set' id='p' {from}>{payload}</iq>"
    ));
    let answer = pair.element();
    assert_eq!(answer.attr("id"), Some("p"));
    let error = answer.child("error", NS_CLIENT)?;
    Some(error.children().next().unwrap().name().to_owned())
}

const CHANGED: &str = "<service action='add' host='a' port='1' type='turn' username='u' password='p'/>\
                       <service action='delete' host='b' type='turn'/><service action='remove' host='c' type='turn'/>\
                       <service action='modify' host='d' type='turn'/><service host='e' type='turn'/>";

#[test]
fn xep0215_3_2_the_server_says_what_has_changed() {
    for from in ["from='example.org'", "from='alice@example.org'", ""] {
        let mut pair = Pair::online();
        assert_eq!(push(&mut pair, from, &services(" type='turn'", CHANGED)), None);
        assert_eq!(
            pair.told("external-services"),
            [json!({ "type": "turn", "services": [
                { "action": "add", "type": "turn", "host": "a", "port": 1, "username": "u", "password": "p" },
                { "action": "delete", "type": "turn", "host": "b" },
                { "action": "delete", "type": "turn", "host": "c" },
                { "action": "modify", "type": "turn", "host": "d" },
                { "action": "add", "type": "turn", "host": "e" },
            ] })],
            "{from}"
        );
    }
}

#[test]
fn xep0215_3_2_nobody_else_says_what_has_changed() {
    for from in [
        "from='mallory@example.org/x'",
        "from='alice@example.org/elsewhere'",
        "from='turn.example.org'",
        "from='example.com'",
        "from='example.org/x'",
        "from='@'",
    ] {
        let mut pair = Pair::online();
        let answer = push(&mut pair, from, &services("", CHANGED));
        assert_eq!(answer.as_deref(), Some("service-unavailable"), "{from}");
        assert_eq!(pair.told("external-services"), Vec::<Value>::new(), "{from}");
    }
}

#[test]
fn what_cannot_be_asked_for_is_refused_at_once() {
    let mut pair = Pair::online();
    for (name, args) in [
        ("externalServices.get", json!(["turn"])),
        ("externalServices.get", json!([{ "type": 1 }])),
        ("externalServices.credentials", json!([])),
        ("externalServices.credentials", json!([{ "host": "a" }])),
        ("externalServices.credentials", json!([{ "type": "turn" }])),
        (
            "externalServices.credentials",
            json!([{ "host": "a", "port": 65536, "type": "turn" }]),
        ),
    ] {
        let refused = pair.try_im(name, args.clone()).expect_err("it is refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{name} {args}");
    }
    pair.nothing_sent();
    let mut pair = Pair::new(config());
    let call = pair.im("externalServices.get", json!([]));
    assert_eq!(pair.error(call).code(), Code::Offline);
}
