//! XEP-0030 §3, §4 and XEP-0045 §6.1: what services a server has.

use crate::disco::{INFO, RSM, refuse};
use crate::pair::{Pair, config};
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml::Element;

const ITEMS: &str = "http://jabber.org/protocol/disco#items";

fn items(jids: &[&str], end: &str) -> String {
    let items: String = jids
        .iter()
        .map(|jid| format!("<item jid='{jid}' name='{jid}!'/>"))
        .collect();
    format!("<query xmlns='{ITEMS}'>{items}{end}</query>")
}

fn is(category: &str, kind: &str, feature: &str) -> String {
    format!("<query xmlns='{INFO}'><identity category='{category}' type='{kind}'/><feature var='{feature}'/></query>")
}

/// The question what the server has.
fn what_it_has(pair: &mut Pair) -> Element {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), Some("example.org")));
    assert!(iq.child("query", ITEMS).is_some(), "{iq:?}");
    iq
}

/// The questions what these are, in that order.
fn what_they_are(pair: &mut Pair, jids: &[&str]) -> Vec<Element> {
    let asked = jids.iter().map(|jid| {
        let iq = pair.element();
        assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), Some(*jid)));
        assert!(iq.child("query", INFO).is_some(), "{iq:?}");
        iq
    });
    let asked = asked.collect();
    pair.nothing_sent();
    asked
}

fn jids(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["jid"].as_str().unwrap())
        .collect()
}

#[test]
fn xep0045_6_1_the_services_with_rooms() {
    let mut pair = Pair::online();
    let call = pair.im("rooms.services", json!([]));
    let iq = what_it_has(&mut pair);
    // Rooms and accounts are no services, and nothing is asked twice.
    let has = [
        "pubsub.example.org",
        "Rooms.example.org",
        "irc.example.org",
        "a@rooms.example.org",
        "rooms.example.org",
        "example.org",
    ];
    let node = "<item jid='example.org' node='n'/><item jid='other.example.org' node='n'/>";
    pair.answer(&iq, &items(&has, node));
    let asked = what_they_are(
        &mut pair,
        &[
            "example.org",
            "pubsub.example.org",
            "rooms.example.org",
            "irc.example.org",
        ],
    );
    // In whatever order they answer.
    pair.answer(&asked[2], &is("conference", "text", "urn:a"));
    pair.answer(&asked[3], &is("conference", "irc", "urn:a"));
    refuse(&mut pair, &asked[1], "forbidden");
    assert!(pair.is_open(call));
    pair.answer(&asked[0], &is("server", "im", "urn:a"));
    assert_eq!(
        pair.value(call),
        json!({ "items": [{
            "jid": "rooms.example.org", "name": "Rooms.example.org!",
            "identities": [{ "category": "conference", "type": "text" }], "features": ["urn:a"], "forms": [],
        }] })
    );
}

#[test]
fn xep0030_3_1_services_by_category_type_or_feature() {
    for (which, found) in [
        (json!(null), vec!["example.org", "a.example.org", "b.example.org"]),
        (json!({ "category": "store" }), vec!["a.example.org", "b.example.org"]),
        (json!({ "type": "im" }), vec!["example.org"]),
        (json!({ "category": "store", "type": "im" }), vec![]),
        (json!({ "feature": "urn:a" }), vec!["example.org", "a.example.org"]),
        (
            json!({ "category": "store", "feature": "urn:a" }),
            vec!["a.example.org"],
        ),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("disco.services", json!([which]));
        let iq = what_it_has(&mut pair);
        pair.answer(&iq, &items(&["a.example.org", "b.example.org"], ""));
        let asked = what_they_are(&mut pair, &["example.org", "a.example.org", "b.example.org"]);
        for (place, answer) in [
            (1, is("store", "file", "urn:a")),
            (2, is("store", "file", "urn:b")),
            (0, is("server", "im", "urn:a")),
        ] {
            pair.answer(&asked[place], &answer);
        }
        assert_eq!(jids(&pair.value(call)), found, "{which}");
    }
    let mut pair = Pair::online();
    for which in [json!("x"), json!({ "feature": 7 })] {
        assert_eq!(
            pair.try_im("disco.services", json!([which])).unwrap_err().code(),
            Code::InvalidArgument
        );
    }
}

#[test]
fn what_does_not_answer_is_left_out() {
    let mut pair = Pair::online();
    let call = pair.im("disco.services", json!([]));
    let iq = what_it_has(&mut pair);
    pair.answer(
        &iq,
        &items(&["a.example.org", "dead.example.org", "odd.example.org"], ""),
    );
    let asked = what_they_are(
        &mut pair,
        &["example.org", "a.example.org", "dead.example.org", "odd.example.org"],
    );
    pair.answer(&asked[0], &is("server", "im", "urn:a"));
    pair.answer(&asked[1], &is("store", "file", "urn:a"));
    pair.answer(&asked[3], "<query xmlns='urn:x'/>");
    pair.advance(29_000);
    assert!(pair.is_open(call));
    // Others may ask whether it is still there meanwhile.
    pair.advance(2_000);
    assert_eq!(jids(&pair.value(call)), ["example.org", "a.example.org"]);
}

#[test]
fn xep0059_2_services_come_in_pages() {
    let mut pair = Pair::online();
    let call = pair.im("rooms.services", json!([]));
    let iq = what_it_has(&mut pair);
    let end = format!("<set xmlns='{RSM}'><first index='0'>x</first><last>y</last><count>2</count></set>");
    pair.answer(&iq, &items(&["a.example.org"], &end));
    for asked in what_they_are(&mut pair, &["example.org", "a.example.org"]) {
        pair.answer(&asked, &is("server", "im", "urn:a"));
    }
    assert_eq!(pair.value(call), json!({ "items": [], "next": "y" }));
    let call = pair.im("rooms.services", json!(["y"]));
    let iq = what_it_has(&mut pair);
    let set = iq.child("query", ITEMS).unwrap().child("set", RSM).unwrap();
    assert_eq!(set.child_text("after", RSM).as_deref(), Some("y"));
    pair.answer(&iq, &items(&["b.example.org"], ""));
    // The server itself has been asked.
    let asked = what_they_are(&mut pair, &["b.example.org"]);
    pair.answer(&asked[0], &is("conference", "text", "urn:a"));
    assert_eq!(jids(&pair.value(call)), ["b.example.org"]);
    // Nothing more is nothing to be asked.
    let call = pair.im("rooms.services", json!(["z"]));
    let iq = what_it_has(&mut pair);
    pair.answer(&iq, &items(&[], ""));
    assert_eq!(pair.value(call), json!({ "items": [] }));
}

#[test]
fn a_server_that_names_thousands_is_not_asked_of_them_all() {
    let mut pair = Pair::online();
    pair.im("disco.services", json!([]));
    let iq = what_it_has(&mut pair);
    let many: Vec<String> = (0..1_000).map(|n| format!("s{n}.example.org")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    pair.answer(&iq, &items(&many, ""));
    assert_eq!(pair.sent.len(), 51);
}

#[test]
fn where_the_server_says_nothing_or_is_gone_it_rejects() {
    let mut pair = Pair::online();
    let call = pair.im("disco.services", json!([]));
    let iq = what_it_has(&mut pair);
    refuse(&mut pair, &iq, "service-unavailable");
    assert_eq!(pair.error(call).condition(), Some("service-unavailable"));
    let call = pair.im("disco.services", json!([]));
    let iq = what_it_has(&mut pair);
    pair.answer(&iq, &format!("<query xmlns='{ITEMS}'><item name='nowhere'/></query>"));
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    // What is known is not all, when the session ends.
    let call = pair.im("disco.services", json!([]));
    let iq = what_it_has(&mut pair);
    pair.answer(&iq, &items(&["a.example.org"], ""));
    let asked = what_they_are(&mut pair, &["example.org", "a.example.org"]);
    pair.answer(&asked[1], &is("store", "file", "urn:a"));
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    assert!(pair.reply(call).is_err());
    let mut offline = Pair::new(config());
    let call = offline.im("rooms.services", json!([]));
    assert_eq!(offline.error(call).code(), Code::Offline);
}
