//! XEP-0030, both ways.

use crate::pair::{NS_CLIENT, Pair, config};
use serde_json::json;
use stanzawire::error::{Code, Phase};
use stanzawire::im;
use stanzawire::xml::Element;

pub const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";
pub const RSM: &str = "http://jabber.org/protocol/rsm";

#[test]
fn xep0030_3_1_the_client_tells_the_truth() {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='d' from='bob@example.org/x'><query xmlns='{INFO}'/></iq>"
    ));
    let answer = pair.element();
    assert_eq!(
        (answer.attr("type"), answer.attr("to")),
        (Some("result"), Some("bob@example.org/x"))
    );
    let query = answer.child("query", INFO).unwrap();
    let identity = query.child("identity", INFO).unwrap();
    assert_eq!(
        (identity.attr("category"), identity.attr("type")),
        (Some("client"), Some("web"))
    );
    let told: Vec<&str> = query.children().filter_map(|child| child.attr("var")).collect();
    let mut listed: Vec<&str> = im::DISCO.iter().flat_map(|features| features.iter().copied()).collect();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(told, listed);
    assert!(told.contains(&INFO) && told.contains(&"urn:xmpp:ping"));
}

#[test]
fn xep0030_3_2_there_are_no_nodes() {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='d' from='b@c/x'><query xmlns='{INFO}' node='n'/></iq>"
    ));
    let answer = pair.element();
    let error = answer.child("error", NS_CLIENT).unwrap();
    assert_eq!(error.children().next().unwrap().name(), "item-not-found");
}

/// The error that answers an iq.
pub fn refuse(pair: &mut Pair, iq: &Element, condition: &str) {
    let from = iq.attr("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
    let id = iq.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'{from}><error type='cancel'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
}

/// What is asked next, as the iq and its query.
fn asked(pair: &mut Pair, ns: &str) -> (Element, Element) {
    let iq = pair.element();
    assert_eq!(iq.attr("type"), Some("get"));
    let query = iq.child("query", ns).expect("it is asked").clone();
    (iq, query)
}

#[test]
fn xep0030_3_1_others_say_what_they_are_and_can() {
    let mut pair = Pair::online();
    let call = pair.im("disco.info", json!(["plays.shakespeare.lit"]));
    let (iq, query) = asked(&mut pair, INFO);
    assert_eq!(
        (iq.attr("to"), query.attr("node")),
        (Some("plays.shakespeare.lit"), None)
    );
    pair.answer(
        &iq,
        &format!(
            "<query xmlns='{INFO}' xml:lang='de'><identity category='conference' type='text' name='Stücke'/>\
             <identity category='directory' type='chatroom' name='Plays' xml:lang='en'/>\
             <feature var='{INFO}'/><feature var='jabber:iq:time'/>\
             <x xmlns='jabber:x:data' type='result'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:x</value></field><field var='a'><value>1</value></field></x></query>"
        ),
    );
    assert_eq!(
        pair.value(call),
        json!({
            "identities": [
                { "category": "conference", "type": "text", "name": "Stücke", "lang": "de" },
                { "category": "directory", "type": "chatroom", "name": "Plays", "lang": "en" },
            ],
            "features": [INFO, "jabber:iq:time"],
            "forms": [{ "type": "result", "fields": [
                { "name": "FORM_TYPE", "type": "hidden", "value": "urn:x" },
                { "name": "a", "type": "text-single", "value": "1" },
            ] }],
        })
    );
    // Nobody is the own server, and a node stands in its answer.
    let call = pair.im("disco.info", json!([null, "n"]));
    let (iq, query) = asked(&mut pair, INFO);
    assert_eq!((iq.attr("to"), query.attr("node")), (Some("example.org"), Some("n")));
    pair.answer(&iq, &format!("<query xmlns='{INFO}' node='n'/>"));
    assert_eq!(
        pair.value(call),
        json!({ "node": "n", "identities": [], "features": [], "forms": [] })
    );
}

#[test]
fn xep0030_3_1_whether_somebody_supports_something() {
    for (feature, answer) in [("urn:y", true), ("urn:z", false), (INFO, true)] {
        let mut pair = Pair::online();
        let call = pair.im("disco.supports", json!(["bob@example.org/x", feature]));
        let (iq, query) = asked(&mut pair, INFO);
        assert_eq!((iq.attr("to"), query.attr("node")), (Some("bob@example.org/x"), None));
        pair.answer(&iq, &format!("<query xmlns='{INFO}'><feature var='urn:y'/></query>"));
        assert_eq!(pair.value(call), json!(answer), "{feature}");
    }
}

#[test]
fn xep0030_3_what_is_no_answer_is_an_error() {
    let form =
        |field: &str| format!("<query xmlns='{INFO}'><x xmlns='jabber:x:data' type='result'>{field}</x></query>");
    for answer in [
        String::new(),
        "<query xmlns='urn:other'/>".into(),
        format!("<other xmlns='{INFO}'/>"),
        format!("<query xmlns='{INFO}' node='other'/>"),
        format!("<query xmlns='{INFO}'><identity type='web'/></query>"),
        format!("<query xmlns='{INFO}'><identity category='client'/></query>"),
        format!("<query xmlns='{INFO}'><feature/></query>"),
        form("<field var='a' type='boolean'><value>perhaps</value></field>"),
    ] {
        for call in ["disco.info", "disco.supports"] {
            let mut pair = Pair::online();
            let call = pair.im(call, json!(["bob@example.org/x", "n"]));
            let (iq, _) = asked(&mut pair, INFO);
            pair.answer(&iq, &answer);
            let error = pair.error(call);
            assert_eq!(
                (error.code(), error.phase()),
                (Code::ProtocolViolation, Phase::Stanza),
                "{answer}"
            );
        }
    }
    let mut pair = Pair::online();
    let call = pair.im("disco.info", json!(["bob@example.org/x"]));
    let (iq, _) = asked(&mut pair, INFO);
    refuse(&mut pair, &iq, "service-unavailable");
    assert_eq!(pair.error(call).condition(), Some("service-unavailable"));
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_what_somebody_can() {
    let mut pair = Pair::online();
    let call = pair.im("disco.supports", json!(["bob@example.org/x", "urn:y"]));
    let (iq, _) = asked(&mut pair, INFO);
    let id = iq.attr("id").unwrap();
    for from in [
        "",
        "from='mallory@example.org/x'",
        "from='bob@example.org'",
        "from='example.org'",
    ] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' {from}><query xmlns='{INFO}'><feature var='urn:y'/></query></iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
    pair.answer(&iq, &format!("<query xmlns='{INFO}'/>"));
    assert_eq!(pair.value(call), json!(false));
}

#[test]
fn xep0030_4_1_what_others_have_page_by_page() {
    let mut pair = Pair::online();
    let call = pair.im("disco.items", json!(["muc.example.org", "n"]));
    let (iq, query) = asked(&mut pair, ITEMS);
    assert_eq!(
        (iq.attr("to"), query.attr("node")),
        (Some("muc.example.org"), Some("n"))
    );
    let set = query.child("set", RSM).unwrap();
    assert!(set.child("max", RSM).is_some() && set.child("after", RSM).is_none());
    pair.answer(
        &iq,
        &format!(
            "<query xmlns='{ITEMS}' node='n'><item jid='A@muc.example.org' name='a'/><item jid='&#x2615;@muc.example.org' node='x'/>\
             <set xmlns='{RSM}'><first index='0'>f</first><last>l</last><count>3</count></set></query>"
        ),
    );
    assert_eq!(
        pair.value(call),
        json!({
            "items": [{ "jid": "a@muc.example.org", "name": "a" }, { "jid": "☕@muc.example.org", "node": "x" }],
            "next": "l",
        })
    );
    // XEP-0059 §2.2: the next page begins behind the last entry.
    let call = pair.im("disco.items", json!(["muc.example.org", "n", "l"]));
    let (iq, query) = asked(&mut pair, ITEMS);
    let set = query.child("set", RSM).unwrap();
    assert_eq!(set.child_text("after", RSM).as_deref(), Some("l"));
    pair.answer(
        &iq,
        &format!(
            "<query xmlns='{ITEMS}' node='n'><item jid='b@muc.example.org'/>\
             <set xmlns='{RSM}'><first index='2'>m</first><last>m</last><count>3</count></set></query>"
        ),
    );
    assert_eq!(pair.value(call), json!({ "items": [{ "jid": "b@muc.example.org" }] }));
}

#[test]
fn xep0059_2_2_there_is_an_end_to_pages() {
    let item = "<item jid='b@muc.example.org'/>";
    let set = |set: &str| format!("<set xmlns='{RSM}'>{set}</set>");
    for (answer, next) in [
        // Who knows no pages.
        (item.to_owned(), json!(null)),
        (String::new(), json!(null)),
        // An empty page is the last.
        (set("<last>m</last><count>9</count>"), json!(null)),
        (item.to_owned() + &set("<count>9</count>"), json!(null)),
        // One that ends where it began would be asked for forever.
        (
            item.to_owned() + &set("<first index='0'>l</first><last>l</last><count>9</count>"),
            json!(null),
        ),
        (
            item.to_owned() + &set("<first index='8'>m</first><last>m</last><count>9</count>"),
            json!(null),
        ),
        (item.to_owned() + &set("<first>m</first><last>m</last>"), json!("m")),
        (
            item.to_owned() + &set("<first index='x'>m</first><last>m</last><count>-1</count>"),
            json!("m"),
        ),
        (
            item.to_owned() + &set("<first index='18446744073709551615'>m</first><last>m</last><count>9</count>"),
            json!(null),
        ),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("disco.items", json!(["muc.example.org", null, "l"]));
        let (iq, _) = asked(&mut pair, ITEMS);
        pair.answer(&iq, &format!("<query xmlns='{ITEMS}'>{answer}</query>"));
        let page = pair.value(call);
        assert_eq!(page.get("next").unwrap_or(&json!(null)), &next, "{answer}");
    }
}

#[test]
fn xep0030_4_1_what_are_no_items_is_an_error() {
    for answer in [
        String::new(),
        format!("<query xmlns='{INFO}'/>"),
        format!("<query xmlns='{ITEMS}' node='other'/>"),
        format!("<query xmlns='{ITEMS}'><item name='a'/></query>"),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("disco.items", json!([null]));
        let (iq, _) = asked(&mut pair, ITEMS);
        assert_eq!(iq.attr("to"), Some("example.org"));
        pair.answer(&iq, &answer);
        assert_eq!(pair.error(call).code(), Code::ProtocolViolation, "{answer}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_at_once() {
    let mut pair = Pair::online();
    for (name, args, code) in [
        ("disco.info", json!(["@@"]), Code::InvalidJid),
        ("disco.info", json!([7]), Code::InvalidArgument),
        ("disco.info", json!(["a@b", 7]), Code::InvalidArgument),
        ("disco.items", json!(["@@"]), Code::InvalidJid),
        ("disco.items", json!(["a@b", {}]), Code::InvalidArgument),
        ("disco.items", json!(["a@b", null, 7]), Code::InvalidArgument),
        ("disco.supports", json!([]), Code::InvalidArgument),
        ("disco.supports", json!(["@@", "f"]), Code::InvalidJid),
        ("disco.supports", json!(["a@b"]), Code::InvalidArgument),
    ] {
        let refused = pair.try_im(name, args.clone()).expect_err("it is refused");
        assert_eq!(refused.code(), code, "{name} {args}");
    }
    let call = pair.im("disco.info", json!(["a@b", "\u{1}"]));
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    let mut pair = Pair::new(config());
    let call = pair.im("disco.info", json!([]));
    assert_eq!(pair.error(call).code(), Code::Offline);
}

#[test]
fn xep0030_4_1_this_client_has_nothing() {
    let mut pair = Pair::online();
    for (node, answered) in [("", true), ("node='n'", false)] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='get' id='d' from='b@c/x'><query xmlns='{ITEMS}' {node}/></iq>"
        ));
        let answer = pair.element();
        match answer.child("query", ITEMS) {
            Some(query) => assert!(answered && query.children().next().is_none()),
            None => {
                let error = answer.child("error", NS_CLIENT).unwrap();
                assert!(!answered && error.children().next().unwrap().name() == "item-not-found");
            }
        }
    }
    // §3.1: it is a question.
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='set' id='d' from='b@c/x'><query xmlns='{ITEMS}'/></iq>"
    ));
    assert_eq!(pair.element().attr("type"), Some("error"));
}
