//! XEP-0357.

use crate::disco::{INFO, refuse};
use crate::pair::{Pair, config};
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml::Element;

const PUSH: &str = "urn:xmpp:push:0";
const FORMS: &str = "jabber:x:data";

/// The next request, which is one to the own account.
fn request(pair: &mut Pair, name: &str) -> (Element, Element) {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("set"), None));
    let request = iq.child(name, PUSH).expect("it is asked").clone();
    (iq, request)
}

#[test]
fn xep0357_4_1_the_account_says_whether_the_server_can() {
    for (feature, can) in [(PUSH, true), ("urn:xmpp:push:1", false)] {
        let mut pair = Pair::online();
        let call = pair.im("push.supported", json!([]));
        let iq = pair.element();
        assert_eq!(
            (iq.attr("type"), iq.attr("to")),
            (Some("get"), Some("alice@example.org"))
        );
        let id = iq.attr("id").unwrap();
        for from in ["mallory@example.org", "example.org", "push.example.org"] {
            pair.receive(&format!(
                "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'><query xmlns='{INFO}'/></iq>"
            ));
            assert!(pair.is_open(call), "{from}");
        }
        pair.answer(
            &iq,
            &format!("<query xmlns='{INFO}'><feature var='{feature}'/></query>"),
        );
        assert_eq!(pair.value(call), json!(can));
    }
    for answer in ["", "<other xmlns='urn:x'/>"] {
        let mut pair = Pair::online();
        let call = pair.im("push.supported", json!([]));
        let iq = pair.element();
        pair.answer(&iq, answer);
        assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    }
}

#[test]
fn xep0357_5_a_service_is_told_from_now_on() {
    let mut pair = Pair::online();
    let call = pair.im(
        "push.enable",
        json!([{ "service": "Push-5.client.example", "node": "yxs32uqsflafdk3iuqo" }]),
    );
    let (iq, enable) = request(&mut pair, "enable");
    assert_eq!(
        (enable.attr("jid"), enable.attr("node"), enable.children().count()),
        (Some("push-5.client.example"), Some("yxs32uqsflafdk3iuqo"), 0)
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);

    let call = pair.im("push.enable", json!([{ "service": "push.example" }]));
    let (iq, enable) = request(&mut pair, "enable");
    assert_eq!(enable.attr("node"), None);
    refuse(&mut pair, &iq, "service-unavailable");
    assert_eq!(pair.error(call).condition(), Some("service-unavailable"));
}

#[test]
fn xep0357_5_with_what_it_wants_to_hear_each_time() {
    let field = |name: &str, kind: &str, value: &str| json!({ "name": name, "type": kind, "value": value });
    let form = json!({ "type": "form", "fields": [field("secret", "text-private", "eruio234vzxc2kla-91")] });
    for options in [json!({ "secret": "eruio234vzxc2kla-91" }), form] {
        let mut pair = Pair::online();
        pair.im(
            "push.enable",
            json!([{ "node": "n", "options": options, "service": "push.example" }]),
        );
        let (_, enable) = request(&mut pair, "enable");
        let form = enable.child("x", FORMS).unwrap();
        assert_eq!(form.attr("type"), Some("submit"));
        let fields: Vec<_> = form
            .all("field", FORMS)
            .map(|field| (field.attr("var").unwrap(), field.child_text("value", FORMS).unwrap()))
            .collect();
        assert_eq!(
            fields,
            [
                (
                    "FORM_TYPE",
                    "http://jabber.org/protocol/pubsub#publish-options".to_owned()
                ),
                ("secret", "eruio234vzxc2kla-91".to_owned())
            ]
        );
    }
}

#[test]
fn xep0357_6_and_no_longer() {
    for node in [Some("n"), None] {
        let mut pair = Pair::online();
        let call = pair.im("push.disable", json!([{ "node": node, "service": "push.example" }]));
        let (iq, disable) = request(&mut pair, "disable");
        assert_eq!(
            (disable.attr("jid"), disable.attr("node")),
            (Some("push.example"), node)
        );
        pair.answer(&iq, "");
        assert_eq!(pair.value(call), Value::Null);
    }
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_that_it_is_done() {
    let mut pair = Pair::online();
    let call = pair.im("push.enable", json!([{ "service": "push.example" }]));
    let (iq, _) = request(&mut pair, "enable");
    let id = iq.attr("id").unwrap();
    for from in ["push.example", "mallory@example.org", "alice@example.org/elsewhere"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'/>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

#[test]
fn what_cannot_be_told_is_refused_at_once() {
    let mut pair = Pair::online();
    for (name, args, code) in [
        ("push.enable", json!([]), Code::InvalidArgument),
        ("push.enable", json!([{}]), Code::InvalidArgument),
        ("push.enable", json!([{ "service": "@" }]), Code::InvalidJid),
        (
            "push.enable",
            json!([{ "node": 1, "service": "a" }]),
            Code::InvalidArgument,
        ),
        (
            "push.enable",
            json!([{ "options": "a", "service": "a" }]),
            Code::InvalidArgument,
        ),
        (
            "push.enable",
            json!([{ "options": { "a": {} }, "service": "a" }]),
            Code::InvalidArgument,
        ),
        ("push.disable", json!([{ "node": "n" }]), Code::InvalidArgument),
    ] {
        let refused = pair.try_im(name, args.clone()).expect_err("it is refused");
        assert_eq!(refused.code(), code, "{name} {args}");
    }
    pair.nothing_sent();
    let mut pair = Pair::new(config());
    for (name, args) in [
        ("push.supported", json!([])),
        ("push.enable", json!([{ "service": "a" }])),
        ("push.disable", json!([{ "service": "a" }])),
    ] {
        let call = pair.im(name, args);
        assert_eq!(pair.error(call).code(), Code::Offline);
    }
}
