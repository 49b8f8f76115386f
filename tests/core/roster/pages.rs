//! What the next page knows of the roster: RFC 6121 §2.6, and what the store has of it.

use super::ROSTER;
use super::versions::{BOB, CAROL, OFFER, answer, jids, log_in, pushed, ver};
use crate::last_activity::idle;
use crate::pair::{JID, Pair};
use crate::server::Fault;
use crate::sm;
use serde_json::{Value, json};
use stanzawire::engine::Input;
use stanzawire::xml::Element;

/// The page behind one that knew this of a session with stream management, which is about to go on.
fn next_page(ver: &str, items: &str, happens: impl FnOnce(&mut Pair)) -> Pair {
    let mut pair = sm::kept::reload(leaving(ver, items, happens));
    sm::kept::log_in(&mut pair);
    pair.sent.clear();
    pair.events.clear();
    pair
}

fn leaving(ver: &str, items: &str, happens: impl FnOnce(&mut Pair)) -> Pair {
    let mut old = Pair::new(sm::kept::storing());
    old.connect();
    let (id, _) = old.load.take().unwrap();
    old.handle(Input::Loaded { id, value: None });
    old.open_socket();
    sm::login(&mut old);
    let request = old.sent.iter().find(|frame| frame.contains(ROSTER)).unwrap();
    let request = stanzawire::xml::read(request, &Default::default()).unwrap();
    sm::enabled(&mut old, "session-1");
    answer(&mut old, &request, ver, items);
    old.sent.clear();
    happens(&mut old);
    old
}

fn roster_request(pair: &mut Pair) -> Element {
    while !pair.sent.front().expect("the roster is asked for").contains(ROSTER) {
        pair.sent.pop_front();
    }
    pair.element()
}

#[test]
fn the_next_page_of_a_session_that_goes_on_knows_the_roster() {
    let bob = "<item jid='bob@example.org' name='B &amp;&#10;b' subscription='from' ask='subscribe' approved='true'>\
               <group>A\tB</group><group>\n</group></item>";
    for version in ["ver='v1'", ""] {
        let mut pair = next_page(version, &[bob, CAROL].concat(), |old| {
            pushed(old, version, "<item jid='dave@example.org' subscription='both'/>");
        });
        sm::resumed(&mut pair, sm::FIRST + 1);
        assert!(
            pair.sent.iter().all(|frame| !frame.contains(ROSTER)),
            "nothing is asked"
        );
        assert!(idle(&mut pair, "bob@example.org/x").is_some());
        assert!(idle(&mut pair, "dave@example.org/x").is_some());
        assert_eq!(idle(&mut pair, "carol@example.org/x"), None);
        let call = pair.roster();
        let known = pair.value(call);
        assert_eq!(
            known[0],
            json!({
                "jid": "bob@example.org", "name": "B &\nb", "subscription": "from", "pending": true, "approved": true,
                "groups": ["A\tB", "\n"],
            })
        );
        assert_eq!(known.as_array().unwrap().len(), 3);
        assert_eq!(pair.told("roster"), Vec::<Value>::new());
        // What has changed since the page went comes now.
        pushed(&mut pair, version, "<item jid='bob@example.org' subscription='to'/>");
        assert_eq!(idle(&mut pair, "bob@example.org/x"), None);
    }
}

/// The next page asks, and believes nobody's presence to be anybody's business before it has an answer.
fn asks_anew(mut pair: Pair) {
    sm::resumed(&mut pair, sm::FIRST);
    let request = roster_request(&mut pair);
    assert_eq!(ver(&request), None);
    assert_eq!(idle(&mut pair, "bob@example.org/x"), None);
    answer(&mut pair, &request, "", BOB);
    assert!(idle(&mut pair, "bob@example.org/x").is_some());
    assert_eq!(jids(&mut pair), ["bob@example.org"]);
    assert_eq!(pair.told("roster"), Vec::<Value>::new());
}

#[test]
fn a_roster_that_is_too_long_to_be_kept_is_asked_for() {
    let many = |count: usize, name: &str| -> String {
        let item =
            |n| format!("<item jid='bob{n}@example.org' name='{name}' subscription='both'><group>G</group></item>");
        (0..count).map(item).collect()
    };
    let long = "x".repeat(100);
    for (count, name, fits) in [
        (300, long.as_str(), true),
        (5_000, "", false),
        (1, &"&lt;".repeat(70_000), false),
    ] {
        let old = leaving("ver='v1'", &many(count, name), |_| {});
        let mut pair = sm::kept::reload(old);
        let kept = pair.kept.values().map(String::len).max().unwrap();
        assert!(kept < 80_000, "{kept}");
        sm::kept::log_in(&mut pair);
        pair.sent.clear();
        pair.events.clear();
        if fits {
            sm::resumed(&mut pair, sm::FIRST);
            assert_eq!(jids(&mut pair).len(), count);
        } else {
            asks_anew(pair);
        }
    }
}

#[test]
fn a_roster_that_the_earlier_page_did_not_have_is_asked_for() {
    let missing = |old: &mut Pair| pushed(old, "ver='v2'", "<item subscription='both'/>");
    for old in [
        sm::online_with(sm::kept::storing()),
        leaving("ver='v1'", CAROL, missing),
    ] {
        let mut pair = sm::kept::reload(old);
        sm::kept::log_in(&mut pair);
        pair.sent.clear();
        pair.events.clear();
        asks_anew(pair);
    }
}

#[test]
fn what_a_store_has_made_of_it_is_not_believed() {
    for (text, other) in [
        (
            "<query xmlns=\"jabber:iq:roster\"",
            "<query xmlns=\"jabber:iq:roster\" <",
        ),
        ("</query>", ""),
        ("known=\"1\"", ""),
        ("roster\u{1f}<query", "rooster\u{1f}<query"),
    ] {
        let mut old = leaving("ver='v1'", BOB, |_| {});
        old.handle(Input::PageHidden);
        for record in old.kept.values_mut().filter(|record| record.contains(ROSTER)) {
            assert!(record.contains(text), "{record}");
            *record = record.replace(text, other);
        }
        let mut pair = sm::kept::kill(old);
        sm::kept::log_in(&mut pair);
        pair.sent.clear();
        pair.events.clear();
        asks_anew(pair);
    }
}

#[test]
fn rfc6121_2_6_2_the_next_page_asks_for_what_has_changed() {
    let mut old = Pair::new(sm::kept::storing());
    old.connect();
    let (id, _) = old.load.take().unwrap();
    old.handle(Input::Loaded { id, value: None });
    let request = log_in(&mut old, OFFER);
    answer(&mut old, &request, "ver='v1'", BOB);
    old.handle(Input::PageHidden);
    let record = old.stored.pop().expect("the server is remembered").1;
    assert!(record.as_ref().unwrap().contains(" rosterver "), "{record:?}");

    let mut pair = Pair::seeded(sm::kept::storing(), 7);
    pair.kept = old.kept;
    pair.connect();
    let (id, _) = pair.load.take().unwrap();
    let value = record.as_deref();
    pair.handle(Input::Loaded { id, value });
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    // It is known that the server can do this before it says so.
    pair.restart(OFFER);
    let bind = pair.element();
    let request = roster_request(&mut pair);
    assert_eq!(ver(&request), Some("v1"));
    pair.answer(
        &bind,
        &format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{JID}</jid></bind>"),
    );
    let call = pair.roster();
    assert_eq!(idle(&mut pair, "bob@example.org/x"), None);
    pair.answer(&request, "");
    assert_eq!(pair.value(call)[0]["name"], "Bob");
    assert!(idle(&mut pair, "bob@example.org/x").is_some());
    assert_eq!(pair.told("roster"), Vec::<Value>::new());
}
