//! XEP-0004, by the configuration of a node.

use crate::pair::Pair;
use crate::pubsub::{OWNER, fields};
use serde_json::{Value, json};
use stanzawire::error::{Code, Error};

/// What an app gets for a form.
fn read(form: &str) -> Result<Value, Error> {
    let mut pair = Pair::online();
    let call = pair.im("pubsub.configuration", json!(["n"]));
    let iq = pair.element();
    pair.answer(
        &iq,
        &format!("<pubsub xmlns='{OWNER}'><configure node='n'>{form}</configure></pubsub>"),
    );
    pair.reply(call).map(|_| pair.value(call))
}

fn form(kind: &str, inner: &str) -> String {
    format!("<x xmlns='jabber:x:data' type='{kind}'>{inner}</x>")
}

/// A field of a form of that type.
fn field_in(kind: &str, field: &str) -> Result<Value, Error> {
    read(&form(kind, field)).map(|form| form["fields"][0].clone())
}

fn value(kind: &str, values: &[&str]) -> Result<Value, Error> {
    let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
    let field = format!("<field var='a' type='{kind}'>{values}</field>");
    field_in("form", &field).map(|field| field["value"].clone())
}

#[test]
fn xep0004_3_a_form_has_all_that_it_says() {
    let read = read(&form(
        "form",
        "<title>T</title><instructions>one</instructions><instructions>two</instructions>\
         <field type='hidden' var='FORM_TYPE'><value>urn:x</value></field>\
         <field type='fixed'><value>Section</value></field>\
         <field type='list-single' var='l' label='L'><desc>D</desc><required/><value>b</value>\
         <option label='A'><value>a</value></option><option><value>b</value></option></field>",
    ));
    assert_eq!(
        read.unwrap(),
        json!({
            "type": "form", "title": "T", "instructions": "one\ntwo",
            "fields": [
                { "name": "FORM_TYPE", "type": "hidden", "value": "urn:x" },
                { "name": "", "type": "fixed", "value": "Section" },
                { "name": "l", "type": "list-single", "label": "L", "description": "D", "required": true, "value": "b",
                  "options": [{ "value": "a", "label": "A" }, { "value": "b" }] },
            ],
        })
    );
}

#[test]
fn xep0004_3_3_a_value_has_the_type_of_its_field() {
    for (kind, values, expected) in [
        ("boolean", vec!["1"], json!(true)),
        ("boolean", vec!["true"], json!(true)),
        ("boolean", vec!["0"], json!(false)),
        ("boolean", vec!["false"], json!(false)),
        ("boolean", vec![], json!(false)),
        ("boolean", vec![""], json!(false)),
        ("text-single", vec!["a"], json!("a")),
        ("text-single", vec![""], json!("")),
        ("text-single", vec![], json!(null)),
        ("text-private", vec!["a"], json!("a")),
        ("list-single", vec!["a"], json!("a")),
        ("fixed", vec!["a", "b"], json!("a\nb")),
        ("text-multi", vec!["a", "", "b"], json!(["a", "", "b"])),
        ("text-multi", vec![], json!([])),
        ("list-multi", vec!["b", "a"], json!(["b", "a"])),
        ("hidden", vec![], json!(null)),
        ("hidden", vec!["a"], json!("a")),
        ("hidden", vec!["a", "b"], json!(["a", "b"])),
        ("jid-single", vec!["Bob@Example.org"], json!("bob@example.org")),
        ("jid-single", vec![""], json!(null)),
        ("jid-single", vec![], json!(null)),
        // Whoever is there twice is there once.
        (
            "jid-multi",
            vec!["bob@example.org", "a@b/c", "Bob@example.org", ""],
            json!(["bob@example.org", "a@b/c"]),
        ),
        // What isn't known is a line of text.
        ("urn:other", vec!["a"], json!("a")),
    ] {
        assert_eq!(value(kind, &values).unwrap(), expected, "{kind} {values:?}");
    }
}

#[test]
fn xep0004_3_3_a_value_that_does_not_fit_is_an_error() {
    for (kind, values) in [
        ("boolean", vec!["yes"]),
        ("boolean", vec!["true", "true"]),
        ("text-single", vec!["a", "b"]),
        ("text-private", vec!["a", "b"]),
        ("list-single", vec!["a", "b"]),
        ("jid-single", vec!["a@b", "a@c"]),
        ("jid-single", vec!["@@"]),
        ("jid-multi", vec!["a@b", "@@"]),
        ("urn:other", vec!["a", "b"]),
    ] {
        let error = value(kind, &values).expect_err("it doesn't fit");
        assert_eq!(error.code(), Code::ProtocolViolation, "{kind} {values:?}");
    }
}

#[test]
fn xep0004_3_2_a_form_that_is_none_is_an_error() {
    for bad in [
        form("other", ""),
        form("", ""),
        "<x xmlns='jabber:x:data'/>".to_owned(),
        "<x xmlns='urn:other' type='form'/>".to_owned(),
        form("form", "<field type='text-single'/>"),
        form("form", "<field var='a'/><field var='a'/>"),
        form("form", "<field var='a' type='list-single'><option/></field>"),
        form(
            "form",
            "<field var='a' type='list-single'><option><value>1</value><value>2</value></option></field>",
        ),
        form("result", "<reported><field/></reported>"),
        form(
            "result",
            "<reported><field var='a' type='boolean'/></reported><item><field var='a'><value>7</value></field></item>",
        ),
    ] {
        assert_eq!(
            read(&bad).expect_err("it is none").code(),
            Code::ProtocolViolation,
            "{bad}"
        );
    }
}

#[test]
fn xep0004_3_2_where_no_type_is_said_the_form_says_it() {
    let two = "<field var='a'><value>1</value><value>2</value></field>";
    assert_eq!(field_in("result", two).unwrap()["type"], json!("text-multi"));
    assert_eq!(
        field_in("form", two).expect_err("a line").code(),
        Code::ProtocolViolation
    );
    let form_type = "<field var='FORM_TYPE'><value>urn:x</value></field>";
    assert_eq!(field_in("submit", form_type).unwrap()["type"], json!("hidden"));
    // XEP-0068 §4.3.
    assert_eq!(field_in("result", form_type).unwrap()["type"], json!("text-single"));
}

#[test]
fn xep0004_3_4_a_table() {
    let table = read(&form(
        "result",
        "<reported><field var='a' type='boolean' label='A'/><field var='b'/></reported>\
         <item><field var='a'><value>1</value></field><field var='b'><value>x</value></field></item>\
         <item><field var='a'/></item>",
    ));
    let table = table.unwrap();
    assert_eq!(
        table["reported"][0],
        json!({ "name": "a", "type": "boolean", "label": "A", "value": false })
    );
    assert_eq!(
        table["items"],
        json!([
            [
                { "name": "a", "type": "boolean", "value": true },
                { "name": "b", "type": "text-single", "value": "x" },
            ],
            [{ "name": "a", "type": "boolean", "value": false }],
        ])
    );
    assert_eq!(
        read(&form("cancel", "")).unwrap(),
        json!({ "type": "cancel", "fields": [] })
    );
}

/// What is submitted for values.
fn submitted(values: &Value) -> Result<Vec<(String, Vec<String>)>, Error> {
    let mut pair = Pair::online();
    pair.try_im("pubsub.configure", json!(["n", values]))?;
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("set"), None));
    let configure = iq.child("pubsub", OWNER).unwrap().child("configure", OWNER).unwrap();
    assert_eq!(configure.attr("node"), Some("n"));
    Ok(fields(configure.child("x", "jabber:x:data").unwrap()))
}

fn owned(fields: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    fields
        .iter()
        .map(|(name, values)| ((*name).to_owned(), own(values)))
        .collect()
}

const CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";

#[test]
fn values_are_submitted_by_their_names() {
    let values = json!({ "a": true, "b": false, "c": 7, "d": "x", "e": ["y", "z"], "f": [], "g": null });
    assert_eq!(
        submitted(&values).unwrap(),
        owned(&[
            ("FORM_TYPE", &[CONFIG]),
            ("a", &["true"]),
            ("b", &["false"]),
            ("c", &["7"]),
            ("d", &["x"]),
            ("e", &["y", "z"]),
            ("f", &[]),
        ])
    );
}

#[test]
fn a_form_that_was_filled_in_is_submitted_by_the_types_of_its_fields() {
    let mut filled_in = read(&form(
        "form",
        "<title>T</title><field type='hidden' var='FORM_TYPE'><value>urn:x</value></field>\
         <field type='hidden' var='h'><value>1</value><value>2</value></field>\
         <field type='fixed'><value>Section</value></field><field type='boolean' var='b'/>\
         <field type='text-single' var='empty'/><field type='text-single' var='t'/><field type='text-private' var='p'/>\
         <field type='text-multi' var='m'/><field type='list-single' var='l'/><field type='list-multi' var='ll'/>\
         <field type='jid-single' var='j'/><field type='jid-multi' var='jj'/>",
    ))
    .unwrap();
    let values = [
        ("b", json!(true)),
        ("t", json!("line")),
        ("p", json!("secret")),
        ("m", json!(["one\ntwo", "three"])),
        ("l", json!("a")),
        ("ll", json!(["a", "b"])),
        ("j", json!("Bob@example.org")),
        ("jj", json!(["a@b", "C@d"])),
    ];
    for field in filled_in["fields"].as_array_mut().unwrap() {
        if let Some((_, value)) = values.iter().find(|(name, _)| field["name"] == *name) {
            field["value"] = value.clone();
        }
    }
    assert_eq!(
        submitted(&filled_in).unwrap(),
        owned(&[
            ("FORM_TYPE", &["urn:x"]),
            ("h", &["1", "2"]),
            ("b", &["true"]),
            ("t", &["line"]),
            ("p", &["secret"]),
            ("m", &["one", "two", "three"]),
            ("l", &["a"]),
            ("ll", &["a", "b"]),
            ("j", &["bob@example.org"]),
            ("jj", &["a@b", "c@d"]),
        ])
    );
    // One that doesn't say what it is.
    let plain = json!({ "type": "form", "fields": [{ "name": "a", "type": "boolean", "value": false }] });
    assert_eq!(
        submitted(&plain).unwrap(),
        owned(&[("FORM_TYPE", &[CONFIG]), ("a", &["false"])])
    );
}

#[test]
fn a_value_that_does_not_fit_its_field_is_not_submitted() {
    let one =
        |kind: &str, value: Value| json!({ "type": "form", "fields": [{ "name": "a", "type": kind, "value": value }] });
    for (kind, value, code) in [
        ("boolean", json!("true"), Code::InvalidArgument),
        ("text-single", json!(true), Code::InvalidArgument),
        ("text-private", json!(["a"]), Code::InvalidArgument),
        ("list-single", json!(["a"]), Code::InvalidArgument),
        ("text-multi", json!("a"), Code::InvalidArgument),
        ("list-multi", json!("a"), Code::InvalidArgument),
        ("list-multi", json!([1]), Code::InvalidArgument),
        ("jid-single", json!("@@"), Code::InvalidJid),
        ("jid-multi", json!(["a@b", "@@"]), Code::InvalidJid),
        ("jid-multi", json!("a@b"), Code::InvalidArgument),
        ("hidden", json!(true), Code::InvalidArgument),
        ("other", json!("a"), Code::InvalidArgument),
    ] {
        let refused = submitted(&one(kind, value.clone())).expect_err("it doesn't fit");
        assert_eq!(refused.code(), code, "{kind} {value}");
    }
    for bad in [
        json!({ "type": "form", "fields": "a" }),
        json!({ "type": "form", "fields": [{ "type": "boolean", "value": true }] }),
        json!({ "type": "form", "fields": [{ "name": "a", "value": true }] }),
        json!({ "type": "form", "fields": ["a"] }),
        json!("a"),
        json!({ "a": {} }),
    ] {
        let refused = submitted(&bad).expect_err("it is no form");
        assert_eq!(refused.code(), Code::InvalidArgument, "{bad}");
    }
}
