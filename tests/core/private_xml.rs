//! XEP-0049.

use crate::disco::refuse;
use crate::pair::{Pair, config};
use serde_json::json;
use stanzawire::error::{Code, Phase};

const PRIVATE: &str = "jabber:iq:private";

#[test]
fn xep0049_2_3_what_is_kept_comes_back() {
    let mut pair = Pair::online();
    let prefs = json!({
        "name": "exodus", "attrs": { "xmlns": "exodus:prefs" },
        "children": [{ "name": "defaultnick", "attrs": {}, "children": ["Hamlet"] }],
    });
    let call = pair.im("privateXml.set", json!([prefs]));
    let iq = pair.element();
    // Of the own account alone.
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("set"), None));
    let kept = iq
        .child("query", PRIVATE)
        .unwrap()
        .child("exodus", "exodus:prefs")
        .unwrap();
    assert_eq!(
        kept.child_text("defaultnick", "exodus:prefs").as_deref(),
        Some("Hamlet")
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), json!(null));

    let call = pair.im("privateXml.get", json!(["exodus", "exodus:prefs"]));
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), None));
    let query = iq.child("query", PRIVATE).unwrap();
    assert_eq!(query.children().count(), 1);
    let wanted = query.child("exodus", "exodus:prefs").unwrap();
    assert!(wanted.nodes().is_empty());
    pair.answer(
        &iq,
        &format!(
            "<query xmlns='{PRIVATE}'><exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus></query>"
        ),
    );
    assert_eq!(pair.value(call)["children"][0]["children"], json!(["Hamlet"]));
}

#[test]
fn xep0049_2_3_where_nothing_is_kept_the_question_comes_back() {
    let mut pair = Pair::online();
    let call = pair.im("privateXml.get", json!(["exodus", "exodus:prefs"]));
    let iq = pair.element();
    pair.answer(
        &iq,
        &format!("<query xmlns='{PRIVATE}'><exodus xmlns='exodus:prefs'/></query>"),
    );
    assert_eq!(pair.value(call), json!(null));
}

#[test]
fn xep0049_2_what_is_no_answer_is_an_error() {
    for answer in [
        "",
        "<exodus xmlns='exodus:prefs'/>",
        "<query xmlns='jabber:iq:private'/>",
        "<query xmlns='jabber:iq:private'><exodus xmlns='other:prefs'/></query>",
        "<query xmlns='jabber:iq:private'><other xmlns='exodus:prefs'/></query>",
        "<query xmlns='urn:other'><exodus xmlns='exodus:prefs'/></query>",
    ] {
        let mut pair = Pair::online();
        let call = pair.im("privateXml.get", json!(["exodus", "exodus:prefs"]));
        let iq = pair.element();
        pair.answer(&iq, answer);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Stanza),
            "{answer}"
        );
    }
    let mut pair = Pair::online();
    let call = pair.im("privateXml.get", json!(["exodus", "exodus:prefs"]));
    let iq = pair.element();
    refuse(&mut pair, &iq, "not-acceptable");
    assert_eq!(pair.error(call).condition(), Some("not-acceptable"));
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_what_is_kept() {
    let mut pair = Pair::online();
    let call = pair.im("privateXml.get", json!(["exodus", "exodus:prefs"]));
    let id = pair.element().attr("id").unwrap().to_owned();
    for from in ["mallory@example.org", "alice@example.org/elsewhere", "example.com"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'><query xmlns='{PRIVATE}'>\
             <exodus xmlns='exodus:prefs'>forged</exodus></query></iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

#[test]
fn what_cannot_be_kept_is_refused_at_once() {
    let mut pair = Pair::online();
    for (name, args) in [
        ("privateXml.get", json!([])),
        ("privateXml.get", json!(["a"])),
        ("privateXml.get", json!([1, "urn:x"])),
        ("privateXml.get", json!(["a", ""])),
        ("privateXml.get", json!(["a", "jabber:client"])),
        ("privateXml.get", json!(["a", PRIVATE])),
        ("privateXml.set", json!([])),
        ("privateXml.set", json!(["<a/>"])),
        ("privateXml.set", json!([{ "name": "a", "attrs": {}, "children": [] }])),
        (
            "privateXml.set",
            json!([{ "name": "a", "attrs": { "xmlns": PRIVATE }, "children": [] }]),
        ),
    ] {
        let refused = pair.try_im(name, args.clone()).expect_err("it is refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{name} {args}");
    }
    let call = pair.im("privateXml.get", json!(["a b", "urn:x"]));
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    let mut pair = Pair::new(config());
    let call = pair.im("privateXml.get", json!(["a", "urn:x"]));
    assert_eq!(pair.error(call).code(), Code::Offline);
}
