//! XEP-0012, both ways.

use crate::pair::{Pair, config};
use serde_json::json;
use stanzawire::engine::Input;
use stanzawire::error::{Code, Phase};

const LAST: &str = "jabber:iq:last";

/// What a client of somebody's is told of our idle time, in seconds; nothing where it is refused.
pub fn idle(pair: &mut Pair, from: &str) -> Option<u64> {
    let from = if from.is_empty() {
        String::new()
    } else {
        format!("from='{from}'")
    };
    pair.sent.clear();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='l1' {from}><query xmlns='{LAST}'/></iq>"
    ));
    let answer = pair.element();
    assert_eq!(answer.attr("id"), Some("l1"));
    match answer.attr("type") {
        Some("result") => Some(answer.child("query", LAST)?.attr("seconds")?.parse().unwrap()),
        _ => {
            let error = answer.child("error", "jabber:client").unwrap();
            // §4: as if we didn't know what that is.
            assert!(
                error
                    .child("service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas")
                    .is_some()
            );
            None
        }
    }
}

/// A contact that sees our presence, or no longer does.
fn contact(pair: &mut Pair, jid: &str, subscription: &str) {
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='set' id='p1'><query xmlns='jabber:iq:roster'>\
         <item jid='{jid}' subscription='{subscription}'/></query></iq>"
    ));
}

#[test]
fn xep0012_2_how_long_ago_somebody_was_there() {
    let mut pair = Pair::online();
    let call = pair.im("lastActivity", json!(["bob@example.org"]));
    let request = pair.element();
    assert_eq!(
        (request.attr("type"), request.attr("to")),
        (Some("get"), Some("bob@example.org"))
    );
    assert!(request.child("query", LAST).is_some());
    pair.answer(
        &request,
        &format!("<query xmlns='{LAST}' seconds='903'> Heading Home\n</query>"),
    );
    assert_eq!(pair.value(call), json!({ "seconds": 903, "status": "Heading Home" }));

    let call = pair.im("lastActivity", json!(["example.org"]));
    let request = pair.element();
    pair.answer(&request, &format!("<query xmlns='{LAST}' seconds='9007199254740991'/>"));
    assert_eq!(pair.value(call), json!({ "seconds": 9_007_199_254_740_991_u64 }));
}

#[test]
fn xep0012_2_an_answer_that_is_none_is_the_other_sides_fault() {
    for payload in [
        "",
        "<query xmlns='jabber:iq:last'/>",
        "<query xmlns='jabber:iq:last' seconds=''/>",
        "<query xmlns='jabber:iq:last' seconds='-1'/>",
        "<query xmlns='jabber:iq:last' seconds='1.5'/>",
        "<query xmlns='jabber:iq:last' seconds='soon'/>",
        "<query xmlns='jabber:iq:last' seconds='9007199254740992'/>",
        "<query xmlns='jabber:iq:last' seconds='99999999999999999999'/>",
        "<query xmlns='urn:x' seconds='1'/>",
        "<other xmlns='jabber:iq:last' seconds='1'/>",
    ] {
        let mut pair = Pair::online();
        let call = pair.im("lastActivity", json!(["bob@example.org"]));
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
fn xep0012_3_who_may_not_know_is_refused() {
    let mut pair = Pair::online();
    let call = pair.im("lastActivity", json!(["bob@example.org"]));
    let id = pair.element().attr("id").unwrap().to_owned();
    // Nobody else answers for him.
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='mallory@example.org'>\
         <query xmlns='{LAST}' seconds='1'/></iq>"
    ));
    assert!(pair.is_open(call));
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}' from='bob@example.org'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    let error = pair.error(call);
    assert_eq!(
        (error.code(), error.condition()),
        (Code::StanzaError, Some("forbidden"))
    );
}

#[test]
fn who_does_not_answer_is_not_waited_for_for_ever() {
    for (call, args) in [
        ("lastActivity", json!(["bob@example.org/x"])),
        ("entityTime", json!(["bob@example.org/x"])),
        ("softwareVersion", json!(["bob@example.org/x"])),
    ] {
        let mut pair = Pair::online();
        let ticket = pair.im(call, args);
        pair.advance(29_999);
        assert!(pair.is_open(ticket), "{call}");
        pair.advance(1);
        assert_eq!(pair.error(ticket).code(), Code::Timeout, "{call}");
    }
}

#[test]
fn somebody_must_be_asked() {
    let mut pair = Pair::online();
    for call in ["lastActivity", "entityTime", "softwareVersion"] {
        for (args, code) in [
            (json!([]), Code::InvalidArgument),
            (json!([null]), Code::InvalidArgument),
            (json!([7]), Code::InvalidArgument),
            (json!(["@@"]), Code::InvalidJid),
        ] {
            assert_eq!(pair.try_im(call, args).unwrap_err().code(), code, "{call}");
        }
        let mut offline = Pair::new(config());
        let ticket = offline.im(call, json!(["bob@example.org"]));
        assert_eq!(offline.error(ticket).code(), Code::Offline, "{call}");
    }
    pair.nothing_sent();
}

#[test]
fn xep0012_4_those_who_see_our_presence_are_answered() {
    let mut pair = Pair::online();
    contact(&mut pair, "bob@example.org", "from");
    contact(&mut pair, "carol@example.org", "to");
    pair.advance(40_000);
    assert!(idle(&mut pair, "bob@example.org/x").is_some_and(|seconds| seconds >= 40));
    assert!(idle(&mut pair, "alice@example.org/there").is_some());
    assert!(idle(&mut pair, "alice@example.org").is_some());
    assert!(idle(&mut pair, "").is_some());
    // §8: nobody learns by this who is there.
    for stranger in [
        "carol@example.org/x",
        "mallory@example.org/x",
        "mallory@example.org",
        "bob@example.com/x",
        "example.org",
        "alice@example.com/there",
        "@@",
    ] {
        assert_eq!(idle(&mut pair, stranger), None, "{stranger}");
    }
    contact(&mut pair, "bob@example.org", "to");
    assert_eq!(idle(&mut pair, "bob@example.org/x"), None);
}

#[test]
fn xep0012_4_what_counts_is_what_the_app_does_and_who_looks() {
    let mut pair = Pair::online();
    pair.advance(40_000);
    let me = "alice@example.org/there";
    let before = idle(&mut pair, me).unwrap();
    assert!(before >= 40, "{before}");
    // That others ask or write is nothing that the user does.
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>hi</body></message>");
    assert_eq!(idle(&mut pair, me), Some(before));
    pair.send("bob@example.org", "hi");
    assert_eq!(idle(&mut pair, me), Some(0));
    pair.advance(2_000);
    assert_eq!(idle(&mut pair, me), Some(2));
    pair.handle(Input::Visible(false));
    assert_eq!(idle(&mut pair, me), Some(0));
}

#[test]
fn xep0012_8_an_app_can_keep_it_to_itself() {
    let mut config = config();
    config.im.last_activity = false;
    let mut pair = Pair::online_with(config);
    contact(&mut pair, "bob@example.org", "both");
    assert_eq!(idle(&mut pair, "bob@example.org/x"), None);
    assert_eq!(idle(&mut pair, "alice@example.org/there"), None);
    // §6: and then it isn't said that this can do it.
    for (answers, said) in [(false, false), (true, true)] {
        let mut config = crate::pair::config();
        config.im.last_activity = answers;
        let mut pair = Pair::online_with(config);
        pair.receive(
            "<iq xmlns='jabber:client' type='get' id='d1' from='bob@example.org/x'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        );
        assert_eq!(pair.sent.pop_front().unwrap().contains(LAST), said);
    }
}

#[test]
fn xep0012_2_a_set_is_no_question() {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='set' id='l1'><query xmlns='{LAST}' seconds='7'/></iq>"
    ));
    assert_eq!(pair.element().attr("type"), Some("error"));
}
