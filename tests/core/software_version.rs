//! XEP-0092, both ways.

use crate::app::given;
use crate::pair::{Pair, config};
use serde_json::json;
use stanzawire::error::{Code, Phase};
use stanzawire::im::software_version::Software;

const VERSION: &str = "jabber:iq:version";

#[test]
fn xep0092_2_what_somebody_runs() {
    let mut pair = Pair::online();
    for (os, value) in [
        ("", json!({ "name": "Exodus", "version": "0.7.0.4" })),
        ("<os/>", json!({ "name": "Exodus", "version": "0.7.0.4" })),
        (
            "<os>Windows-XP 5.01.2600</os>",
            json!({ "name": "Exodus", "version": "0.7.0.4", "os": "Windows-XP 5.01.2600" }),
        ),
    ] {
        let call = pair.im("softwareVersion", json!(["juliet@capulet.com/balcony"]));
        let request = pair.element();
        assert_eq!(
            (request.attr("type"), request.attr("to")),
            (Some("get"), Some("juliet@capulet.com/balcony"))
        );
        assert!(request.child("query", VERSION).is_some());
        pair.answer(
            &request,
            &format!("<query xmlns='{VERSION}'><name>Exodus</name><version> 0.7.0.4 </version>{os}</query>"),
        );
        assert_eq!(pair.value(call), value);
    }
}

#[test]
fn xep0092_2_an_answer_that_is_none_is_the_other_sides_fault() {
    for payload in [
        "",
        "<query xmlns='jabber:iq:version'/>",
        "<query xmlns='jabber:iq:version'><name>Exodus</name></query>",
        "<query xmlns='jabber:iq:version'><version>1</version></query>",
        "<query xmlns='urn:x'><name>Exodus</name><version>1</version></query>",
        "<query xmlns='jabber:iq:version'><name xmlns='urn:x'>Exodus</name><version>1</version></query>",
        "<other xmlns='jabber:iq:version'><name>Exodus</name><version>1</version></other>",
    ] {
        let mut pair = Pair::online();
        let call = pair.im("softwareVersion", json!(["example.org"]));
        let request = pair.element();
        pair.answer(&request, payload);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Stanza),
            "{payload}"
        );
    }
}

#[test]
fn rfc6120_8_2_3_only_who_was_asked_says_what_it_runs() {
    let mut pair = Pair::online();
    let call = pair.im("softwareVersion", json!(["example.org"]));
    let id = pair.element().attr("id").unwrap().to_owned();
    for from in ["", "from='example.com'", "from='mallory@example.org'"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' {from}><query xmlns='{VERSION}'>\
             <name>forged</name><version>1</version></query></iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

/// What we say: name, version and system.
fn told(software: Option<Software>) -> (String, String, Option<String>) {
    let mut config = config();
    if let Some(software) = software {
        config.im.software = software;
    }
    let mut pair = Pair::online_with(config);
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='v1' from='bob@example.org/x'><query xmlns='{VERSION}'/></iq>"
    ));
    let answer = pair.element();
    assert_eq!(
        (answer.attr("type"), answer.attr("id"), answer.attr("to")),
        (Some("result"), Some("v1"), Some("bob@example.org/x"))
    );
    let query = answer.child("query", VERSION).unwrap();
    let text = |name| query.child_text(name, VERSION);
    (text("name").unwrap(), text("version").unwrap(), text("os"))
}

#[test]
fn xep0092_5_we_say_what_we_are_and_not_on_what_we_run() {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    assert_eq!(told(None), ("stanzawire".to_owned(), version, None));
}

#[test]
fn xep0092_2_an_app_says_what_it_is() {
    let app = |software| Software::given(&given(software, "software"));
    let chat = app(json!({ "name": "A&B", "version": "<7", "os": "the web" })).unwrap();
    assert_eq!(told(Some(chat)), ("A&B".into(), "<7".into(), Some("the web".into())));
    // Ours would be another one's.
    let chat = app(json!({ "name": "Chat" })).unwrap();
    assert_eq!(told(Some(chat)), ("Chat".into(), String::new(), None));
    for software in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": 7 }),
        json!({ "name": "a\u{0}" }),
        json!({ "name": "a<b" }),
        json!({ "name": "a", "version": 7 }),
        json!({ "name": "a", "version": "\u{1}" }),
        json!({ "name": "a", "os": ["x"] }),
        json!({ "name": "a", "os": "\u{ffff}" }),
        json!("Chat"),
    ] {
        let error = app(software.clone()).expect_err("it can't be used");
        assert_eq!(error.code(), Code::InvalidArgument, "{software}");
    }
}

#[test]
fn xep0030_3_1_the_app_goes_by_its_name_there_too() {
    let name = |name: &str| {
        let mut config = config();
        config.im.software.name = name.to_owned();
        let mut pair = Pair::online_with(config);
        pair.receive(
            "<iq xmlns='jabber:client' type='get' id='d1' from='bob@example.org/x'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        );
        let answer = pair.element();
        let info = answer.children().next().unwrap();
        let name = info
            .children()
            .find_map(|identity| identity.attr("name"))
            .map(str::to_owned);
        let features = info.children().filter_map(|feature| feature.attr("var"));
        assert!(features.into_iter().any(|feature| feature == VERSION));
        name
    };
    assert_eq!(name("A&B").as_deref(), Some("A&B"));
    let default = Software::default().name;
    assert_eq!(name(&default).as_deref(), Some("stanzawire"));
}
