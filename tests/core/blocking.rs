//! XEP-0191.

use crate::pair::{NS_CLIENT, Pair, config};
use crate::server::Fault;
use crate::sm;
use serde_json::{Value, json};
use stanzawire::engine::Ticket;
use stanzawire::error::{Code, Phase};

const BLOCKING: &str = "urn:xmpp:blocking";

fn items(jids: &[&str]) -> String {
    jids.iter().map(|jid| format!("<item jid='{jid}'/>")).collect()
}

fn get(pair: &mut Pair, jids: &[&str]) -> Value {
    let call = pair.im("blocking.get", json!([]));
    let request = pair.element();
    pair.answer(
        &request,
        &format!("<blocklist xmlns='{BLOCKING}'>{}</blocklist>", items(jids)),
    );
    pair.value(call)
}

fn push(from: &str, payload: &str) -> String {
    format!("<iq xmlns='jabber:client' type='set' id='b1' {from}>{payload}</iq>")
}

fn block(jids: &[&str]) -> String {
    format!("<block xmlns='{BLOCKING}'>{}</block>", items(jids))
}

fn unblock(jids: &[&str]) -> String {
    format!("<unblock xmlns='{BLOCKING}'>{}</unblock>", items(jids))
}

/// The iq of a change: its kind, and whom it names.
fn change(pair: &mut Pair) -> (String, Vec<String>) {
    let request = pair.element();
    assert_eq!(
        (request.attr("type"), request.attr("to")),
        (Some("set"), None),
        "§3.3: to nobody"
    );
    let list = request.children().next().unwrap();
    assert_eq!(list.ns(), BLOCKING);
    let jids = list.children().map(|item| item.attr("jid").unwrap().to_owned());
    let change = (list.name().to_owned(), jids.collect());
    pair.answer(&request, "");
    change
}

#[test]
fn xep0191_3_2_nothing_is_asked_before_the_app_asks() {
    let mut pair = Pair::online();
    pair.nothing_sent();
    let call = pair.im("blocking.get", json!([]));
    let request = pair.element();
    assert_eq!((request.attr("type"), request.attr("to")), (Some("get"), None));
    assert!(request.child("blocklist", BLOCKING).is_some());
    // An address that no JID can have any more is blocked all the same.
    let list = items(&[
        "Romeo@montague.net",
        "iago@shakespeare.lit/Attic",
        "&#x2615;@x.org",
        "spam.example",
    ]);
    pair.answer(&request, &format!("<blocklist xmlns='{BLOCKING}'>{list}</blocklist>"));
    assert_eq!(
        pair.value(call),
        json!([
            "iago@shakespeare.lit/Attic",
            "romeo@montague.net",
            "spam.example",
            "☕@x.org"
        ])
    );
    assert_eq!(pair.told("blocking"), Vec::<Value>::new());
}

#[test]
fn xep0191_3_2_what_is_no_list_is_the_servers_fault() {
    for payload in [
        String::new(),
        block(&["a@b"]),
        "<blocklist xmlns='urn:x'/>".to_owned(),
        format!("<blocklist xmlns='{BLOCKING}'><item/></blocklist>"),
        format!("<blocklist xmlns='{BLOCKING}'><item xmlns='urn:x' jid='a@b'/></blocklist>"),
        format!("<blocklist xmlns='{BLOCKING}'><item jid='a@b'/><other jid='a@b'/></blocklist>"),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("blocking.get", json!([]));
        let request = pair.element();
        pair.answer(&request, &payload);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Stanza),
            "{payload}"
        );
    }
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_who_is_blocked() {
    let mut pair = Pair::online();
    let call = pair.im("blocking.get", json!([]));
    let id = pair.element().attr("id").unwrap().to_owned();
    for from in ["mallory@example.org", "alice@example.org/there", "example.com"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'><blocklist xmlns='{BLOCKING}'/></iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

#[test]
fn xep0191_3_3_and_3_4_somebody_is_blocked_and_unblocked() {
    let mut pair = Pair::online();
    let mut calls = |name, args, change_is: (&str, &[&str])| {
        let call = pair.im(name, args);
        let (kind, jids) = change(&mut pair);
        assert_eq!(
            (kind.as_str(), jids),
            (change_is.0, change_is.1.iter().map(|jid| (*jid).to_owned()).collect())
        );
        assert_eq!(pair.value(call), Value::Null);
    };
    let [romeo, iago] = ["romeo@montague.net", "iago@shakespeare.lit/attic"];
    calls("blocking.block", json!(["Romeo@montague.net"]), ("block", &[romeo]));
    calls("blocking.block", json!([[romeo, iago]]), ("block", &[romeo, iago]));
    calls("blocking.unblock", json!([romeo]), ("unblock", &[romeo]));
    calls("blocking.unblock", json!([[romeo, iago]]), ("unblock", &[romeo, iago]));
    calls("blocking.unblock", json!([]), ("unblock", &[]));
    calls("blocking.unblock", json!([null]), ("unblock", &[]));
}

#[test]
fn xep0191_3_5_nobody_is_everybody_only_where_nobody_was_named() {
    let mut pair = Pair::online();
    for (name, args, code) in [
        ("blocking.unblock", json!([[]]), Code::InvalidArgument),
        ("blocking.unblock", json!([""]), Code::InvalidJid),
        (
            "blocking.unblock",
            json!([["bob@example.org", null]]),
            Code::InvalidArgument,
        ),
        ("blocking.unblock", json!([false]), Code::InvalidArgument),
        (
            "blocking.unblock",
            json!([{ "jid": "bob@example.org" }]),
            Code::InvalidArgument,
        ),
        ("blocking.block", json!([]), Code::InvalidArgument),
        ("blocking.block", json!([null]), Code::InvalidArgument),
        ("blocking.block", json!([[]]), Code::InvalidArgument),
        ("blocking.block", json!([7]), Code::InvalidArgument),
        ("blocking.block", json!(["@@"]), Code::InvalidJid),
        ("blocking.block", json!([["bob@example.org", "@@"]]), Code::InvalidJid),
    ] {
        let error = pair.try_im(name, args.clone()).expect_err("it can't be used");
        assert_eq!(error.code(), code, "{name} {args}");
    }
    pair.nothing_sent();
}

#[test]
fn what_the_server_refuses_rejects() {
    for (name, args) in [
        ("blocking.get", json!([])),
        ("blocking.block", json!(["bob@example.org"])),
        ("blocking.unblock", json!([])),
    ] {
        let mut pair = Pair::online();
        let call = pair.im(name, args.clone());
        let id = pair.element().attr("id").unwrap().to_owned();
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
        assert_eq!(pair.error(call).condition(), Some("service-unavailable"), "{name}");
        let mut offline = Pair::new(config());
        let call = offline.im(name, args);
        assert_eq!(offline.error(call).code(), Code::Offline, "{name}");
    }
}

#[test]
fn xep0191_3_3_a_push_is_answered_and_told() {
    let mut pair = Pair::online();
    get(&mut pair, &["iago@shakespeare.lit"]);
    for (from, payload, told) in [
        (
            "",
            block(&["Romeo@montague.net"]),
            json!({ "type": "blocked", "jids": ["romeo@montague.net"] }),
        ),
        (
            "from='alice@example.org'",
            unblock(&["iago@shakespeare.lit"]),
            json!({ "type": "unblocked", "jids": ["iago@shakespeare.lit"] }),
        ),
        ("", unblock(&[]), json!({ "type": "unblocked", "jids": [] })),
    ] {
        pair.receive(&push(from, &payload));
        let answer = pair.element();
        assert_eq!((answer.attr("type"), answer.attr("id")), (Some("result"), Some("b1")));
        assert_eq!(pair.told("blocking"), [told]);
    }
}

#[test]
fn xep0191_3_3_forged_pushes_tell_nothing() {
    let blocks = block(&["bob@example.org"]);
    let genuine = "from='alice@example.org'";
    for (from, payload) in [
        ("from='mallory@example.org'", blocks.clone()),
        ("from='mallory@example.org/x'", blocks.clone()),
        ("from='alice@example.org/there'", blocks.clone()),
        ("from='alice@example.com'", blocks.clone()),
        ("from='example.org'", blocks.clone()),
        ("from='@@'", blocks.clone()),
        ("from='mallory@example.org'", unblock(&["bob@example.org"])),
        ("from='mallory@example.org'", unblock(&[])),
        // Nobody can say what these mean.
        (genuine, block(&[])),
        (genuine, format!("<block xmlns='{BLOCKING}'><item/></block>")),
        (genuine, format!("<unblock xmlns='{BLOCKING}'><item/></unblock>")),
        (
            genuine,
            format!("<unblock xmlns='{BLOCKING}'><item xmlns='urn:x' jid='a@b'/></unblock>"),
        ),
        (genuine, format!("<unblock xmlns='{BLOCKING}'><other/></unblock>")),
        (genuine, blocks.clone() + &unblock(&[])),
        (genuine, format!("<blocklist xmlns='{BLOCKING}'/>")),
        (genuine, blocks.replace(BLOCKING, "urn:xmpp:other")),
    ] {
        let mut pair = Pair::online();
        get(&mut pair, &["iago@shakespeare.lit"]);
        pair.receive(&push(from, &payload));
        assert_eq!(pair.told("blocking"), Vec::<Value>::new(), "{from} {payload}");
        let answer = pair.element();
        assert_eq!(answer.attr("type"), Some("error"), "RFC 6120 §8.2.3");
        assert!(answer.child("error", NS_CLIENT).is_some());
    }
    let mut pair = Pair::online();
    pair.receive(&push("", &blocks).replace("type='set'", "type='get'"));
    assert_eq!(pair.told("blocking"), Vec::<Value>::new());
}

fn again(pair: &mut Pair) {
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
}

#[test]
fn xep0191_3_3_in_a_new_session_the_server_is_asked_to_tell_again() {
    let mut pair = Pair::online();
    // Who hasn't asked yet doesn't ask.
    again(&mut pair);
    pair.nothing_sent();
    get(&mut pair, &["bob@example.org", "carol@example.org"]);
    pair.receive(&push("", &block(&["dave@example.org"])));
    pair.receive(&push("", &unblock(&["carol@example.org"])));
    pair.sent.clear();
    pair.events.clear();
    again(&mut pair);
    let request = pair.element();
    pair.answer(
        &request,
        &format!(
            "<blocklist xmlns='{BLOCKING}'>{}</blocklist>",
            items(&["dave@example.org", "eve@example.org"])
        ),
    );
    assert_eq!(
        pair.told("blocking"),
        [
            json!({ "type": "unblocked", "jids": ["bob@example.org"] }),
            json!({ "type": "blocked", "jids": ["eve@example.org"] }),
        ]
    );
    // Where it can't be had, what was known stays known.
    again(&mut pair);
    let id = pair.element().attr("id").unwrap().to_owned();
    pair.receive(&format!("<iq xmlns='jabber:client' type='error' id='{id}'/>"));
    again(&mut pair);
    let request = pair.element();
    pair.answer(&request, &format!("<blocklist xmlns='{BLOCKING}'/>"));
    assert_eq!(
        pair.told("blocking"),
        [json!({ "type": "unblocked", "jids": ["dave@example.org", "eve@example.org"] })]
    );
}

#[test]
fn a_list_that_could_not_be_had_again_is_asked_for_until_it_can() {
    let mut pair = Pair::online();
    get(&mut pair, &["bob@example.org"]);
    again(&mut pair);
    for wait in [5_000, 10_000, 20_000] {
        let id = pair.element().attr("id").unwrap().to_owned();
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}'><error type='wait'>\
             <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
        pair.advance(wait - 1);
        pair.nothing_sent();
        pair.advance(1);
    }
    let request = pair.element();
    pair.events.clear();
    pair.answer(&request, &format!("<blocklist xmlns='{BLOCKING}'/>"));
    assert_eq!(
        pair.told("blocking"),
        [json!({ "type": "unblocked", "jids": ["bob@example.org"] })]
    );
    pair.advance(45_000);
    pair.nothing_sent();
    // A server that has no such list any more isn't asked again.
    again(&mut pair);
    let id = pair.element().attr("id").unwrap().to_owned();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    pair.advance(45_000);
    pair.nothing_sent();
}

#[test]
fn a_session_that_goes_on_goes_on_being_told() {
    let mut pair = sm::online();
    get(&mut pair, &[]);
    let said = sm::FIRST + 1;
    sm::back(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, said);
    assert!(pair.sent.iter().all(|frame| !frame.contains(BLOCKING)));
    pair.receive(&push("", &block(&["bob@example.org"])));
    assert_eq!(pair.told("blocking").len(), 1);
}

#[test]
fn two_who_ask_are_answered_each() {
    let mut pair = Pair::online();
    let calls: Vec<Ticket> = (0..2).map(|_| pair.im("blocking.get", json!([]))).collect();
    let blocked = pair.im("blocking.block", json!(["bob@example.org"]));
    pair.abort(calls[0]);
    let requests = [pair.element(), pair.element()];
    change(&mut pair);
    assert_eq!(pair.value(blocked), Value::Null);
    for request in &requests {
        pair.answer(request, &format!("<blocklist xmlns='{BLOCKING}'/>"));
    }
    assert_eq!(pair.error(calls[0]).code(), Code::Aborted);
    assert_eq!(pair.value(calls[1]), json!([]));
}

#[test]
fn xep0191_3_3_what_is_sent_to_somebody_who_is_blocked_comes_back() {
    let mut pair = Pair::online();
    let call = pair.send("romeo@montague.net", "Can you hear me now?");
    let id = pair.element().attr("id").unwrap().to_owned();
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='error' id='{id}' from='romeo@montague.net'><error type='cancel'>\
         <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <blocked xmlns='urn:xmpp:blocking:errors'/></error></message>"
    ));
    assert_eq!(pair.error(call).condition(), Some("not-acceptable"));
}
