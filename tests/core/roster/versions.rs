//! Versions of the roster: RFC 6121 §2.6. What is known over sessions and pages, and when it is believed.

use super::{ROSTER, push};
use crate::last_activity::idle;
use crate::pair::{JID, Pair, config};
use crate::server::Fault;
use serde_json::{Value, json};
use stanzawire::engine::Config;
use stanzawire::error::Code;
use stanzawire::xml::Element;

pub const OFFER: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><ver xmlns='urn:xmpp:features:rosterver'/>";
pub const BOB: &str = "<item jid='bob@example.org' name='Bob' subscription='both'/>";
pub const CAROL: &str = "<item jid='carol@example.org' subscription='to'/>";

/// Logs in at a server that numbers rosters, or one that doesn't; the roster request.
pub fn log_in(pair: &mut Pair, offer: &str) -> Element {
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart(offer);
    pair.bind(JID);
    pair.take_first_stanzas().0
}

fn begun(config: Config) -> (Pair, Element) {
    let mut pair = Pair::new(config);
    pair.connect();
    let request = log_in(&mut pair, OFFER);
    (pair, request)
}

/// The next session of this client; its roster request.
fn again(pair: &mut Pair) -> Element {
    pair.close_socket();
    log_in(pair, OFFER)
}

pub fn ver(request: &Element) -> Option<&str> {
    request.child("query", ROSTER).unwrap().attr("ver")
}

pub fn answer(pair: &mut Pair, request: &Element, ver: &str, items: &str) {
    pair.answer(request, &format!("<query xmlns='{ROSTER}' {ver}>{items}</query>"));
}

/// A client that has this roster.
fn knowing(ver: &str, items: &str) -> Pair {
    let (mut pair, request) = begun(config());
    answer(&mut pair, &request, ver, items);
    pair
}

pub fn pushed(pair: &mut Pair, ver: &str, item: &str) {
    pair.receive(&push("", item).replacen("<query", &format!("<query {ver}"), 1));
}

pub fn jids(pair: &mut Pair) -> Vec<String> {
    let call = pair.roster();
    let items = pair.value(call);
    let jids = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["jid"].as_str().unwrap().to_owned());
    jids.collect()
}

#[test]
fn rfc6121_2_6_2_a_version_is_asked_for_where_the_server_has_any() {
    let (_, request) = begun(config());
    assert_eq!(ver(&request), Some(""), "to begin with");
    let mut pair = Pair::new(config());
    pair.connect();
    let request = log_in(&mut pair, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    assert_eq!(ver(&request), None);
    // What it gives all the same is of no use to it.
    answer(&mut pair, &request, "ver='v1'", BOB);
    pair.close_socket();
    let request = log_in(&mut pair, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    assert_eq!(ver(&request), None);
}

#[test]
fn rfc6121_2_6_3_what_has_not_changed_is_not_sent_again() {
    let mut pair = knowing("ver='v1'", BOB);
    let request = again(&mut pair);
    assert_eq!(ver(&request), Some("v1"));
    let call = pair.roster();
    assert!(pair.is_open(call));
    assert_eq!(idle(&mut pair, "bob@example.org/x"), None, "that isn't known yet");
    pair.answer(&request, "");
    assert_eq!(pair.value(call)[0]["name"], "Bob");
    assert!(idle(&mut pair, "bob@example.org/x").is_some());
    // Changes come as pushes, each with its version.
    pushed(&mut pair, "ver='v2'", CAROL);
    pushed(
        &mut pair,
        "ver='v3'",
        "<item jid='bob@example.org' subscription='remove'/>",
    );
    assert_eq!(jids(&mut pair), ["carol@example.org"]);
    let request = again(&mut pair);
    assert_eq!(ver(&request), Some("v3"));
    pair.answer(&request, "");
    assert_eq!(jids(&mut pair), ["carol@example.org"]);
}

#[test]
fn rfc6121_2_6_3_the_whole_roster_takes_the_place_of_what_was_known() {
    let mut pair = knowing("ver='v1'", &[BOB, CAROL].concat());
    let request = again(&mut pair);
    pair.events.clear();
    let dave = "<item jid='dave@example.org' subscription='from'/>";
    let carol = CAROL.replace("'to'", "'both'");
    answer(&mut pair, &request, "ver='v2'", &[dave, &carol].concat());
    assert_eq!(jids(&mut pair), ["carol@example.org", "dave@example.org"]);
    assert_eq!(idle(&mut pair, "bob@example.org/x"), None);
    assert!(idle(&mut pair, "dave@example.org/x").is_some());
    // What the app knew is told to have changed.
    let told = pair.told("roster");
    let told: Vec<_> = told.iter().map(|told| (&told["jid"], &told["subscription"])).collect();
    assert_eq!(
        told,
        [
            (&json!("bob@example.org"), &json!("remove")),
            (&json!("carol@example.org"), &json!("both")),
            (&json!("dave@example.org"), &json!("from")),
        ]
    );
    assert_eq!(ver(&again(&mut pair)), Some("v2"));
}

#[test]
fn what_changed_between_two_sessions_is_told_without_versions_too() {
    let offer = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    let mut pair = Pair::new(config());
    pair.connect();
    let request = log_in(&mut pair, offer);
    answer(&mut pair, &request, "", &[BOB, CAROL].concat());
    assert_eq!(pair.told("roster"), Vec::<Value>::new(), "the first is nothing new");
    pair.close_socket();
    let request = log_in(&mut pair, offer);
    answer(
        &mut pair,
        &request,
        "",
        &[CAROL, "<item jid='zoe@example.org'/>"].concat(),
    );
    let told = pair.told("roster");
    assert_eq!(
        told[0],
        json!({ "jid": "bob@example.org", "subscription": "remove", "pending": false, "approved": false, "groups": [] })
    );
    assert_eq!((told.len(), &told[1]["jid"]), (2, &json!("zoe@example.org")));
}

#[test]
fn rfc6121_2_6_3_an_empty_answer_means_nothing_to_who_knows_nothing() {
    let (mut pair, request) = begun(config());
    let call = pair.roster();
    // Who has nothing can't have it unchanged. The server is asked in the old way.
    pair.answer(&request, "");
    assert!(pair.is_open(call));
    let request = pair.element();
    assert_eq!(ver(&request), None);
    answer(&mut pair, &request, "", BOB);
    assert_eq!(pair.value(call)[0]["jid"], "bob@example.org");

    let (mut pair, request) = begun(config());
    let call = pair.roster();
    pair.answer(&request, "");
    let request = pair.element();
    pair.answer(&request, "");
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
}

#[test]
fn rfc6121_2_6_2_what_may_be_something_else_has_no_version() {
    // A push without one; one that can't be read; an answer without one, or an empty one.
    let mut without = knowing("ver='v1'", BOB);
    pushed(&mut without, "", CAROL);
    let mut unread = knowing("ver='v1'", BOB);
    pushed(&mut unread, "ver='v2'", "<item subscription='both'/>");
    pushed(&mut unread, "ver='v3'", CAROL);
    let mut unread_alone = knowing("ver='v1'", BOB);
    pushed(&mut unread_alone, "ver='v2'", &[BOB, CAROL].concat());
    let empty = knowing("ver=''", BOB);
    let none = knowing("", BOB);
    for mut pair in [without, unread, unread_alone, empty, none] {
        assert_eq!(ver(&again(&mut pair)), Some(""));
    }
    // Once nothing is missing, it has one again.
    let mut pair = knowing("ver='v1'", BOB);
    pushed(&mut pair, "", CAROL);
    pushed(&mut pair, "ver='v3'", CAROL);
    assert_eq!(ver(&again(&mut pair)), Some("v3"));
    let mut pair = knowing("ver='v1'", BOB);
    pushed(&mut pair, "ver='v2'", "<item/>");
    let request = again(&mut pair);
    answer(&mut pair, &request, "ver='v2'", BOB);
    pushed(&mut pair, "ver='v3'", CAROL);
    assert_eq!(ver(&again(&mut pair)), Some("v3"));
}

#[test]
fn rfc6121_2_6_2_what_comes_before_the_roster_has_no_version() {
    // An earlier page's answer, of which this knows nothing, may have come before that.
    let mut pair = knowing("ver='v1'", BOB);
    let request = again(&mut pair);
    pushed(&mut pair, "ver='v5'", CAROL);
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{}'/>",
        request.attr("id").unwrap()
    ));
    assert_eq!(ver(&again(&mut pair)), Some(""));
    // Nothing is missing from what has come.
    let mut pair = knowing("ver='v1'", BOB);
    let request = again(&mut pair);
    pushed(&mut pair, "ver='v2'", CAROL);
    pair.answer(&request, "");
    assert_eq!(jids(&mut pair), ["bob@example.org", "carol@example.org"]);
}

#[test]
fn rfc6121_2_6_2_a_part_has_no_version() {
    // The roster itself never came: what was pushed is all there is.
    let (mut pair, request) = begun(config());
    pushed(&mut pair, "ver='v2'", CAROL);
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{}'/>",
        request.attr("id").unwrap()
    ));
    let request = again(&mut pair);
    assert_eq!(ver(&request), Some(""));
    pair.answer(&request, "");
    assert_eq!(ver(&pair.element()), None);
}

#[test]
fn rfc6121_2_1_6_a_forged_push_changes_no_version() {
    let mut pair = knowing("ver='v1'", BOB);
    for forged in [
        push("from='mallory@example.org'", CAROL).replacen("<query", "<query ver='v9'", 1),
        push("from='mallory@example.org'", "<item/>"),
        push("from='example.org'", CAROL),
    ] {
        pair.receive(&forged);
        assert_eq!(pair.sent.pop_front().map(|answer| answer.contains("error")), Some(true));
    }
    assert_eq!(jids(&mut pair), ["bob@example.org"]);
    assert_eq!(ver(&again(&mut pair)), Some("v1"));
}

/// The 2014 roster answer advisory: clients looked at the id of an answer, and not at who had sent it.
#[test]
fn rfc6121_2_6_3_a_forged_answer_is_none() {
    let mut pair = knowing("ver='v1'", BOB);
    let request = again(&mut pair);
    let call = pair.roster();
    let id = request.attr("id").unwrap();
    for from in ["mallory@example.org", "alice@example.org/there"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'/>"
        ));
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{from}'><query xmlns='{ROSTER}'/></iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

#[test]
fn an_anonymous_account_knows_nothing_of_the_one_before() {
    let mut config = config();
    config.session.account = stanzawire::jid::Jid::parse("example.org").unwrap();
    config.session.credentials = stanzawire::session::CredentialSource::Fixed(stanzawire::sasl::Credentials::Anonymous);
    let mut pair = Pair::new(config);
    pair.connect();
    for (name, others) in [("a1", ""), ("a2", "remove")] {
        while pair.socket.is_none() {
            pair.advance(1_000);
        }
        pair.sent.clear();
        pair.open_socket();
        pair.greet("<mechanism>ANONYMOUS</mechanism>");
        pair.element();
        pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        pair.restart(OFFER);
        pair.bind(&format!("{name}@example.org/x"));
        let request = pair.element();
        assert_eq!(ver(&request), None);
        pair.events.clear();
        answer(
            &mut pair,
            &request,
            "ver='v1'",
            if others.is_empty() { BOB } else { "" },
        );
        let told = pair.told("roster");
        assert_eq!(
            told.first().map(|told| told["subscription"].as_str().unwrap()),
            Some(others).filter(|kind| !kind.is_empty())
        );
        pair.close_socket();
    }
}

#[test]
fn five_thousand_contacts_in_any_order() {
    let (mut pair, request) = begun(config());
    let place = |n: usize| n * 7_919 % 5_000;
    let items: String = (0..5_000)
        .map(|n| format!("<item jid='c{:04}@example.org' subscription='both'/>", place(n)))
        .collect();
    answer(&mut pair, &request, "ver='v1'", &[items.as_str(), &items].concat());
    // It is taken in by turns.
    pair.advance(1);
    let known = jids(&mut pair);
    assert_eq!(known.len(), 5_000, "each once");
    assert!(known.is_sorted());
    assert!(idle(&mut pair, "c4711@example.org/x").is_some());
}
