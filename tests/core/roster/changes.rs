//! Changing the roster, and who sees whose presence: RFC 6121 §2.3 to §2.5 and §3.

use super::{ROSTER, push, with_roster};
use crate::last_activity::idle;
use crate::pair::{NS_CLIENT, Pair, config};
use crate::sm;
use serde_json::{Value, json};
use stanzawire::error::Code;

#[test]
fn rfc6121_2_3_and_2_4_a_contact_is_set() {
    let mut pair = Pair::online();
    for (contact, item) in [
        (
            json!({ "jid": "Nurse@example.com/x", "name": "Nurse", "groups": ["Servants", "A&B", "Servants"] }),
            "<item jid=\"nurse@example.com\" name=\"Nurse\"><group>Servants</group><group>A&amp;B</group></item>",
        ),
        // What is left out is taken away.
        (
            json!({ "jid": "nurse@example.com" }),
            "<item jid=\"nurse@example.com\"/>",
        ),
        (
            json!({ "jid": "nurse@example.com", "name": "", "groups": [], "subscription": "both" }),
            "<item jid=\"nurse@example.com\"/>",
        ),
    ] {
        let call = pair.im("roster.set", json!([contact]));
        assert!(pair.sent.front().unwrap().contains(item), "{:?}", pair.sent);
        let request = pair.element();
        assert_eq!((request.attr("type"), request.attr("to")), (Some("set"), None));
        assert!(request.child("query", ROSTER).is_some());
        assert!(pair.is_open(call));
        pair.answer(&request, "");
        assert_eq!(pair.value(call), Value::Null);
    }
}

#[test]
fn rfc6121_2_5_a_contact_is_removed() {
    let mut pair = with_roster();
    let call = pair.im("roster.remove", json!(["bob@example.org/x"]));
    let request = pair.element();
    let item = request.child("query", ROSTER).unwrap().child("item", ROSTER).unwrap();
    assert_eq!(
        (item.attr("jid"), item.attr("subscription"), request.attr("type")),
        (Some("bob@example.org"), Some("remove"), Some("set"))
    );
    // §2.5.2: the push says it, not our own call.
    let get = pair.roster();
    assert_eq!(pair.value(get).as_array().unwrap().len(), 1);
    pair.receive(&push("", "<item jid='bob@example.org' subscription='remove'/>"));
    pair.answer(&request, "");
    assert_eq!(pair.value(call), Value::Null);
    let get = pair.roster();
    assert_eq!(pair.value(get), json!([]));
}

#[test]
fn rfc6121_2_3_3_what_the_server_refuses_rejects() {
    for (name, args) in [
        ("roster.set", json!([{ "jid": "bob@example.org" }])),
        ("roster.remove", json!(["bob@example.org"])),
    ] {
        let mut pair = Pair::online();
        let call = pair.im(name, args.clone());
        let id = pair.element().attr("id").unwrap().to_owned();
        // Nobody else refuses, or grants.
        for forged in ["error", "result"] {
            pair.receive(&format!(
                "<iq xmlns='jabber:client' type='{forged}' id='{id}' from='mallory@example.org'/>"
            ));
            assert!(pair.is_open(call), "{forged}");
        }
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}'><error type='modify'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
        assert_eq!(pair.error(call).condition(), Some("item-not-found"));
        let mut offline = Pair::new(config());
        let call = offline.im(name, args);
        assert_eq!(offline.error(call).code(), Code::Offline);
    }
}

#[test]
fn what_cannot_be_set_is_not_sent() {
    let mut pair = Pair::online();
    for (name, args, code) in [
        ("roster.set", json!([]), Code::InvalidArgument),
        ("roster.set", json!(["bob@example.org"]), Code::InvalidArgument),
        ("roster.set", json!([{}]), Code::InvalidArgument),
        ("roster.set", json!([{ "jid": 7 }]), Code::InvalidArgument),
        ("roster.set", json!([{ "jid": "@@" }]), Code::InvalidJid),
        (
            "roster.set",
            json!([{ "jid": "b@example.org", "name": 7 }]),
            Code::InvalidArgument,
        ),
        (
            "roster.set",
            json!([{ "jid": "b@example.org", "groups": "Friends" }]),
            Code::InvalidArgument,
        ),
        (
            "roster.set",
            json!([{ "jid": "b@example.org", "groups": [7] }]),
            Code::InvalidArgument,
        ),
        (
            "roster.set",
            json!([{ "jid": "b@example.org", "groups": [""] }]),
            Code::InvalidArgument,
        ),
        ("roster.remove", json!([]), Code::InvalidArgument),
        ("roster.remove", json!(["@@"]), Code::InvalidJid),
        ("roster.subscribe", json!([null]), Code::InvalidArgument),
        (
            "roster.subscribe",
            json!(["b@example.org", "hi"]),
            Code::InvalidArgument,
        ),
        (
            "roster.subscribe",
            json!(["b@example.org", { "status": 7 }]),
            Code::InvalidArgument,
        ),
        (
            "roster.subscribe",
            json!(["b@example.org", { "nick": [] }]),
            Code::InvalidArgument,
        ),
        ("roster.unsubscribe", json!(["@@"]), Code::InvalidJid),
        ("roster.approve", json!([{}]), Code::InvalidArgument),
        ("roster.deny", json!([]), Code::InvalidArgument),
    ] {
        let error = pair.try_im(name, args.clone()).expect_err("it can't be used");
        assert_eq!(error.code(), code, "{name} {args}");
    }
    // What XML can't carry shows when it is written.
    for (name, args) in [
        ("roster.set", json!([{ "jid": "b@example.org", "name": "\u{1}" }])),
        (
            "roster.set",
            json!([{ "jid": "b@example.org", "groups": ["\u{ffff}"] }]),
        ),
        ("roster.subscribe", json!(["b@example.org", { "status": "\u{0}" }])),
        ("roster.subscribe", json!(["b@example.org", { "nick": "\u{0}" }])),
    ] {
        let call = pair.im(name, args);
        assert_eq!(pair.error(call).code(), Code::InvalidArgument, "{name}");
    }
    pair.nothing_sent();
}

#[test]
fn rfc6121_3_who_may_see_whose_presence_is_said() {
    let mut pair = Pair::online();
    for (name, kind) in [
        ("roster.subscribe", "subscribe"),
        ("roster.unsubscribe", "unsubscribe"),
        ("roster.approve", "subscribed"),
        ("roster.deny", "unsubscribed"),
    ] {
        let call = pair.im(name, json!(["Bob@example.org/x"]));
        assert_eq!(pair.value(call), Value::Null);
        let presence = pair.element();
        assert!(presence.is("presence", NS_CLIENT));
        // §3.1.1: to the bare JID, with an id.
        assert_eq!(
            (presence.attr("type"), presence.attr("to")),
            (Some(kind), Some("bob@example.org"))
        );
        assert!(presence.attr("id").is_some_and(|id| !id.is_empty()));
        assert_eq!(presence.children().count(), 0);
        let mut offline = Pair::new(config());
        let call = offline.im(name, json!(["bob@example.org"]));
        assert_eq!(offline.error(call).code(), Code::Offline, "{name}");
    }
}

#[test]
fn xep0172_4_1_a_request_can_have_words_and_a_name() {
    let mut pair = Pair::online();
    let words = json!({ "status": "It's <me>", "nick": "Ishmael" });
    pair.im("roster.subscribe", json!(["bob@example.org", words]));
    let presence = pair.element();
    assert_eq!(presence.child_text("status", NS_CLIENT).as_deref(), Some("It's <me>"));
    let nick = presence.child_text("nick", "http://jabber.org/protocol/nick");
    assert_eq!(nick.as_deref(), Some("Ishmael"));
}

#[test]
fn rfc6121_3_4_what_was_approved_ahead_is_told() {
    let mut pair = with_roster();
    pair.im("roster.approve", json!(["carol@example.org"]));
    assert_eq!(pair.element().attr("type"), Some("subscribed"));
    pair.events.clear();
    pair.receive(&push(
        "",
        "<item jid='carol@example.org' subscription='none' approved='true'/>",
    ));
    let told = pair.told("roster");
    assert_eq!(
        (&told[0]["approved"], &told[0]["subscription"]),
        (&json!(true), &json!("none"))
    );
    assert_eq!(idle(&mut pair, "carol@example.org/x"), None, "she hasn't asked");
    pair.receive(&push("", "<item jid='carol@example.org' subscription='from'/>"));
    assert!(idle(&mut pair, "carol@example.org/x").is_some());
}

#[test]
fn a_request_waits_for_the_connection_to_come_back() {
    for goes_on in [true, false] {
        let mut pair = sm::online();
        pair.close_socket();
        let call = pair.im("roster.subscribe", json!(["bob@example.org"]));
        assert!(pair.is_open(call), "it hasn't been sent");
        sm::again(&mut pair);
        pair.sent.clear();
        if goes_on {
            sm::resumed(&mut pair, sm::FIRST);
        } else {
            sm::failed(&mut pair, None);
            pair.bind(crate::pair::JID);
        }
        let asked = |frame: &&String| frame.contains("type=\"subscribe\"");
        assert_eq!(pair.sent.iter().filter(asked).count(), 1, "{goes_on}");
        assert_eq!(pair.value(call), Value::Null);
    }
    let mut pair = sm::online();
    pair.close_socket();
    let call = pair.im("roster.subscribe", json!(["bob@example.org"]));
    pair.call(stanzawire::engine::Command::Disconnect);
    assert!(pair.error(call).code() == Code::NotDelivered);
}

// --- requests of others ---

fn asks(from: &str, words: &str) -> String {
    format!("<presence xmlns='jabber:client' type='subscribe' {from}>{words}</presence>")
}

#[test]
fn rfc6121_3_1_4_who_asks_is_told() {
    let mut pair = Pair::online();
    let words = "<status>It's me</status><nick xmlns='http://jabber.org/protocol/nick'>Ishmael</nick>";
    pair.receive(&asks("from='Bob@example.org/x'", words));
    let event = |event: &stanzawire::engine::Event| matches!(event, stanzawire::engine::Event::Im(im) if stanzawire::im::Named::name(im) == "presence");
    assert!(pair.events.iter().any(event), "as a presence, too");
    let bob = json!({ "from": "bob@example.org", "status": "It's me", "nick": "Ishmael" });
    assert_eq!(pair.told("subscription"), [bob]);
    pair.receive(&asks(
        "from='icq.example.org'",
        "<status/><nick xmlns='urn:x'>no</nick>",
    ));
    assert_eq!(pair.told("subscription"), [json!({ "from": "icq.example.org" })]);
    pair.nothing_sent();
}

#[test]
fn rfc6121_3_1_4_what_is_no_request_is_not_told() {
    let mut pair = Pair::online();
    for presence in [
        asks("", ""),
        asks("from='@@'", ""),
        // Our own presence is there for us to see.
        asks("from='alice@example.org'", ""),
        asks("from='alice@example.org/there'", ""),
        asks("from='bob@example.org'", "").replace("subscribe", "subscribed"),
        asks("from='bob@example.org'", "").replace("subscribe", "error"),
        asks("from='bob@example.org'", "").replace("presence", "message"),
    ] {
        pair.receive(&presence);
        assert_eq!(pair.told("subscription"), Vec::<Value>::new(), "{presence}");
    }
}

/// Who asks, as the next page of the session is told.
fn still_asking(happens: impl FnOnce(&mut Pair)) -> Vec<String> {
    let mut old = sm::online_with(sm::kept::storing());
    happens(&mut old);
    let said = sm::stanzas(&mut old);
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    pair.events.clear();
    sm::resumed(&mut pair, sm::FIRST + said);
    let told = pair.told("subscription");
    told.iter()
        .map(|told| told["from"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_next_page_is_told_who_still_asks() {
    let ask = |pair: &mut Pair| {
        pair.receive(&asks("from='bob@example.org'", ""));
        pair.receive(&asks("from='carol@example.org'", ""));
        pair.receive(&asks("from='bob@example.org'", "<status>again</status>"));
    };
    let [bob, carol] = ["bob@example.org", "carol@example.org"];
    assert_eq!(still_asking(ask), [carol, bob]);
    for answer in ["approve", "deny"] {
        let left = still_asking(|pair| {
            ask(pair);
            pair.im(&format!("roster.{answer}"), json!([bob]));
        });
        assert_eq!(left, [carol], "{answer}");
    }
    // Another client of the account's has answered, or who asked asks no longer.
    for word in [
        push("", "<item jid='bob@example.org' subscription='from'/>"),
        push("", "<item jid='bob@example.org' subscription='remove'/>"),
        "<presence xmlns='jabber:client' from='bob@example.org' type='unsubscribe'/>".to_owned(),
    ] {
        let left = still_asking(|pair| {
            ask(pair);
            pair.receive(&word);
        });
        assert_eq!(left, [carol], "{word}");
    }
    // Nobody else can take a request back, or answer it.
    for word in [
        push(
            "from='carol@example.org'",
            "<item jid='bob@example.org' subscription='from'/>",
        ),
        push("", "<item jid='bob@example.org' subscription='to'/>"),
        "<presence xmlns='jabber:client' from='mallory@example.org' type='unsubscribe'/>".to_owned(),
        "<presence xmlns='jabber:client' from='@@' type='unsubscribe'/>".to_owned(),
    ] {
        let left = still_asking(|pair| {
            ask(pair);
            pair.receive(&word);
        });
        assert_eq!(left, [carol, bob], "{word}");
    }
}

#[test]
fn no_more_requests_are_kept_than_fit() {
    let long = "x".repeat(501);
    let mut old = sm::online_with(sm::kept::storing());
    let nick = format!("<nick xmlns='http://jabber.org/protocol/nick'>{long}</nick><status>a\nb</status>");
    for number in 0..150 {
        old.receive(&asks(&format!("from='c{number}@example.org'"), &nick));
    }
    assert_eq!(old.told("subscription").len(), 150, "each is told");
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    sm::resumed(&mut pair, sm::FIRST);
    let told = pair.told("subscription");
    assert_eq!(told.len(), 100);
    assert_eq!(told[0], json!({ "from": "c0@example.org", "status": "a\nb" }));
    // Once.
    sm::back(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST + 1);
    assert_eq!(pair.told("subscription"), Vec::<Value>::new());
}

#[test]
fn no_more_bytes_of_requests_are_kept_than_fit() {
    let words = "x".repeat(500);
    let mut old = sm::online_with(sm::kept::storing());
    let words = format!("<nick xmlns='http://jabber.org/protocol/nick'>{words}</nick><status>{words}</status>");
    for number in 10..99 {
        old.receive(&asks(&format!("from='c{number}@example.org'"), &words));
    }
    assert_eq!(old.told("subscription").len(), 89, "each is told");
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    sm::resumed(&mut pair, sm::FIRST);
    assert_eq!(pair.told("subscription").len(), (64 << 10) / (60 + 15 + 1_000));
}

#[test]
fn in_a_new_session_it_is_the_server_that_says_who_asks() {
    let mut old = sm::online_with(sm::kept::storing());
    old.receive(&asks("from='bob@example.org'", ""));
    let mut pair = sm::kept::reload(old);
    sm::kept::log_in(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(crate::pair::JID);
    assert_eq!(pair.told("subscription"), Vec::<Value>::new());
}
