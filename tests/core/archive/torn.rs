//! What the archive throws away while it is read, and what it must have thrown away.

use super::*;
use stanzawire::error::Code;

/// Takes the question for the entry before this one.
fn asked_before(pair: &mut Pair, id: &str) -> Element {
    let asked = pair.element();
    assert_eq!(before(&asked), (id.to_owned(), 1));
    asked
}

/// Takes the question what is behind this one.
fn asked_behind(pair: &mut Pair, id: &str) -> Element {
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some(id));
    asked
}

/// A search whose first page is read, and proven; what is asked next.
fn first_page() -> (Pair, Element) {
    let mut pair = knowing("1");
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &["2", "3"].map(from_bob), false);
    let asked = asked_before(&mut pair, "2");
    bare_page(&mut pair, &asked, &[from_bob("1")], false);
    let asked = asked_behind(&mut pair, "3");
    (pair, asked)
}

#[test]
fn xep0313_3_2_what_is_thrown_away_between_two_pages_is_missing() {
    for refused in [false, true] {
        let (mut pair, asked) = first_page();
        // One that shows what is left of what came later.
        bare_page(&mut pair, &asked, &["8", "9"].map(from_bob), true);
        let asked = asked_before(&mut pair, "8");
        match refused {
            true => refuse(&mut pair, &asked, "cancel", "item-not-found"),
            false => bare_page(&mut pair, &asked, &[], true),
        }
        pair.nothing_sent();
        assert_eq!(bodies(&pair), ["2", "3", "8", "9"]);
        let gaps = gaps(&pair);
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].after.as_deref(), &gaps[0].before), (Some("3"), &None));
        // The next search goes on from the end.
        let asked = again(&mut pair);
        assert_eq!(after(&asked).0.as_deref(), Some("3"), "where its last mark is");
    }
}

#[test]
fn xep0313_3_2_nothing_is_where_something_before_the_second_page_is_left() {
    let (mut pair, asked) = first_page();
    bare_page(&mut pair, &asked, &["4", "5"].map(from_bob), false);
    let asked = asked_behind(&mut pair, "5");
    bare_page(&mut pair, &asked, &[from_bob("6")], true);
    let asked = asked_before(&mut pair, "4");
    bare_page(&mut pair, &asked, &[from_bob("3")], false);
    pair.nothing_sent();
    assert_eq!(bodies(&pair), ["2", "3", "4", "5", "6"]);
    assert_eq!(gaps(&pair), []);
}

#[test]
fn what_came_in_and_was_thrown_away_is_told_before_what_came_later() {
    let mut pair = knowing("1");
    let asked = again(&mut pair);
    for id in ["2", "3", "4"] {
        live(&mut pair, id);
    }
    assert!(bodies(&pair).is_empty(), "it waits for the archive");
    bare_page(&mut pair, &asked, &["3", "4"].map(from_bob), true);
    let asked = asked_before(&mut pair, "3");
    bare_page(&mut pair, &asked, &[], true);
    assert_eq!(bodies(&pair), ["2", "3", "4"]);
}

/// Takes the question what the archive keeps: everything.
fn keeps_all(pair: &mut Pair) {
    let asked = pair.element();
    assert!(asked.child("prefs", NS_MAM).is_some(), "{asked:?}");
    pair.answer(
        &asked,
        "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>",
    );
}

#[test]
fn xep0313_3_2_an_empty_archive_that_was_not_empty_decides_nothing() {
    for filled in [true, false] {
        let (mut pair, asked) = first();
        pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
        let (call, _) = send(&mut pair, "1");
        if filled {
            // It has something, and the connection is lost before that is read.
            let asked = again(&mut pair);
            pair.answer(&asked, &metadata("7"));
            pair.element();
        }
        let asked = again(&mut pair);
        pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
        keeps_all(&mut pair);
        let asked = pair.element();
        bare_page(&mut pair, &asked, &[], true);
        match filled {
            true => assert_eq!(pair.error(call).code(), Code::DeliveryUnknown),
            false => assert_eq!(crate::sm::bodies(&mut pair), ["1"], "it never had it"),
        }
    }
}

#[test]
fn xep0313_3_2_an_empty_archive_that_should_have_what_was_delivered_decides_nothing() {
    for delivered in [true, false] {
        let (mut pair, asked) = first();
        pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
        if delivered {
            let before = pair.send("bob@example.org", "0");
            pair.element();
            pair.confirm();
            assert!(pair.reply(before).is_ok());
        }
        let (call, _) = send(&mut pair, "1");
        let asked = again(&mut pair);
        pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
        keeps_all(&mut pair);
        let asked = pair.element();
        bare_page(&mut pair, &asked, &[], true);
        match delivered {
            true => assert_eq!(pair.error(call).code(), Code::DeliveryUnknown),
            false => assert_eq!(crate::sm::bodies(&mut pair), ["1"]),
        }
    }
}

#[test]
fn messages_that_are_decided_leave_in_the_order_of_their_calls() {
    use crate::sm::kept::{kill, log_in, storing};
    use stanzawire::engine::Input;
    const SM: &str = "urn:xmpp:sm:3";
    let mut old = crate::sm::online_with(storing());
    old.close_socket();
    old.sent.clear();
    crate::sm::again(&mut old);
    old.sent.clear();
    crate::sm::failed(&mut old, Some(crate::sm::FIRST));
    old.bind(crate::pair::JID);
    // It can't be gone on with.
    old.receive(&format!("<enabled xmlns='{SM}'/>"));
    old.close_socket();
    old.send("bob@example.org", "1");
    old.advance(500);
    old.handle(Input::PageHidden);
    // The page dies when the message is in the store, and before there is a header that names it.
    old.send("bob@example.org", "2");
    old.advance(1_000);
    old.kept = old.at_segment.clone();
    let mut pair = kill(old);
    log_in(&mut pair);
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(crate::pair::JID);
    pair.receive(&format!("<enabled xmlns='{SM}' id='session-3' resume='true'/>"));
    let asked = pair.sent.iter().find(|frame| frame.contains(NS_MAM)).cloned().unwrap();
    pair.sent.clear();
    let asked = stanzawire::xml::read(&asked, &Default::default()).unwrap();
    pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
    pair.sent.retain(|frame| frame.contains(NS_MAM));
    keeps_all(&mut pair);
    pair.sent.retain(|frame| frame.contains(NS_MAM));
    let asked = pair.element();
    bare_page(&mut pair, &asked, &[], true);
    assert_eq!(crate::sm::bodies(&mut pair), ["1", "2"]);
}

#[test]
fn xep0386_2_2_a_resource_that_may_have_been_bound_is_one_for_which_something_was_dropped() {
    use crate::sasl2::{self, announce, authenticate, header, scram};
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(
        &mut pair,
        &["SCRAM-SHA-1"],
        "<bind xmlns='urn:xmpp:bind:0'><inline/></bind>",
    );
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(asked.child("bind", sasl2::BIND2).is_some());
    scram(&mut pair, &asked);
    // What the server says to that, nobody hears.
    pair.close_socket();
    pair.sent.clear();
    pair.connect();
    // And the next time there is no such thing any more.
    let asked = log_in(&mut pair);
    assert_eq!(
        before(&asked),
        (String::new(), 100),
        "what was dropped is in the archive"
    );
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    assert_eq!(gaps(&pair).len(), 1, "or nowhere");
}
