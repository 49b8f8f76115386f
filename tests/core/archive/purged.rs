//! What the archive has thrown away, also where the server doesn't say so.

use super::*;
use stanzawire::error::Code;

/// Takes the question for the entry before this one, or for the newest.
fn asked_before(pair: &mut Pair, id: &str, max: u32) -> Element {
    let asked = pair.element();
    assert_eq!(before(&asked), (id.to_owned(), max));
    asked
}

/// Takes the question what has come since this time.
fn asked_since(pair: &mut Pair, start: &str) -> Element {
    let asked = pair.element();
    let form = asked
        .child("query", NS_MAM)
        .unwrap()
        .child("x", "jabber:x:data")
        .expect("a form");
    let field = form
        .children()
        .find(|field| field.attr("var") == Some("start"))
        .unwrap();
    assert_eq!(field.child_text("value", "jabber:x:data").unwrap(), start);
    asked
}

/// One whose anchor and first mark is 8.
fn at_8() -> Pair {
    let mut pair = knowing("7");
    live(&mut pair, "8");
    pair.advance(5_000);
    pair
}

#[test]
fn xep0313_3_2_behind_an_entry_that_is_still_the_newest_nothing_was_missed() {
    let mut pair = at_8();
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("8"));
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    live(&mut pair, "9");
    bare_page(&mut pair, &asked, &[from_bob("8")], false);
    pair.nothing_sent();
    assert_eq!(
        (bodies(&pair), gaps(&pair)),
        (vec!["8".to_owned(), "9".to_owned()], vec![])
    );
}

#[test]
fn xep0313_3_2_nor_where_something_came_in_meanwhile() {
    let mut pair = at_8();
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    live(&mut pair, "9");
    live(&mut pair, "10");
    bare_page(&mut pair, &asked, &[from_bob("10")], false);
    let asked = asked_before(&mut pair, "10", 100);
    bare_page(&mut pair, &asked, &["7", "8", "9"].map(from_bob), true);
    pair.nothing_sent();
    assert_eq!(
        (bodies(&pair), gaps(&pair).len()),
        (["8", "9", "10"].map(str::to_owned).to_vec(), 0)
    );
}

#[test]
fn xep0313_3_2_nor_where_more_came_in_than_a_page_holds() {
    let mut pair = at_8();
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[from_bob("13")], false);
    let asked = asked_before(&mut pair, "13", 100);
    bare_page(&mut pair, &asked, &["11", "12"].map(from_bob), false);
    let asked = asked_before(&mut pair, "11", 100);
    bare_page(&mut pair, &asked, &["8", "9", "10"].map(from_bob), false);
    pair.nothing_sent();
    assert_eq!(gaps(&pair), []);

    // But not for ever.
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[from_bob("13")], false);
    for _ in 0..21 {
        let asked = asked_before(&mut pair, "13", 100);
        bare_page(&mut pair, &asked, &[from_bob("13")], false);
    }
    asked_since(&mut pair, &stamp("7"));
}

/// A server that shows nothing behind an entry that it doesn't have, and calls that complete.
#[test]
fn xep0313_4_3_2_an_empty_page_behind_an_unknown_entry_is_no_end() {
    let mut pair = at_8();
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[from_bob("13")], false);
    let asked = asked_before(&mut pair, "13", 100);
    bare_page(&mut pair, &asked, &["11", "12"].map(from_bob), true);
    let asked = asked_since(&mut pair, &stamp("7"));
    let gap = gaps(&pair).pop().expect("a gap");
    assert_eq!((gap.after.as_deref(), gap.since.unwrap().0), (Some("8"), stamp("7")));
    bare_page(&mut pair, &asked, &["11", "12", "13"].map(from_bob), true);
    pair.nothing_sent();
    assert_eq!(bodies(&pair), ["8", "11", "12", "13"]);

    // And on from there, where the first mark is gone and the anchor isn't.
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("8"));
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[from_bob("13")], false);
    let asked = asked_before(&mut pair, "13", 100);
    bare_page(&mut pair, &asked, &["11", "12"].map(from_bob), true);
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("13"));
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[from_bob("13")], false);
    pair.nothing_sent();
    assert_eq!(gaps(&pair).len(), 1);
}

#[test]
fn xep0313_4_3_2_an_archive_that_is_empty_now_has_lost_the_anchor() {
    let mut pair = at_8();
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_since(&mut pair, &stamp("7"));
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[], true);
    pair.nothing_sent();
    assert_eq!(gaps(&pair).len(), 1);
}

/// A server whose ids are times: it shows what is left of what came later.
#[test]
fn xep0313_3_2_a_page_with_nothing_before_it_leaves_a_gap() {
    for left in [false, true] {
        for complete in [false, true] {
            let mut pair = at_8();
            let asked = again(&mut pair);
            bare_page(&mut pair, &asked, &["11", "12"].map(from_bob), complete);
            let asked = asked_before(&mut pair, "11", 1);
            match left {
                true => bare_page(&mut pair, &asked, &[from_bob("8")], false),
                false => bare_page(&mut pair, &asked, &[], true),
            }
            if !complete {
                let asked = pair.element();
                assert_eq!(after(&asked).0.as_deref(), Some("12"));
                bare_page(&mut pair, &asked, &[from_bob("13")], true);
                if left {
                    let asked = asked_before(&mut pair, "13", 1);
                    bare_page(&mut pair, &asked, &[from_bob("12")], false);
                }
            }
            pair.nothing_sent();
            let afters: Vec<_> = gaps(&pair).into_iter().map(|gap| gap.after).collect();
            assert_eq!(afters, if left { vec![] } else { vec![Some("8".to_owned())] });
            assert_eq!(bodies(&pair).len(), if complete { 3 } else { 4 });
        }
    }
}

#[test]
fn xep0313_3_2_where_the_anchor_itself_is_found_nothing_behind_it_was_thrown_away() {
    let mut pair = knowing("0");
    live(&mut pair, "1");
    live(&mut pair, "2");
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("0"));
    bare_page(&mut pair, &asked, &["2", "3"].map(from_bob), true);
    pair.nothing_sent();
    assert_eq!(gaps(&pair), []);

    // And where it isn't: neither the mark nor the anchor is left.
    let mut pair = knowing("0");
    live(&mut pair, "1");
    live(&mut pair, "2");
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &["3"].map(from_bob), true);
    let asked = asked_before(&mut pair, "3", 1);
    bare_page(&mut pair, &asked, &[], true);
    pair.nothing_sent();
    assert_eq!((bodies(&pair).len(), gaps(&pair)[0].after.as_deref()), (3, Some("2")));
}

#[test]
fn xep0059_2_2_a_page_that_is_gone_before_the_next_is_no_end() {
    let mut pair = at_8();
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &["9", "10"].map(from_bob), false);
    let asked = asked_before(&mut pair, "9", 1);
    bare_page(&mut pair, &asked, &[from_bob("8")], false);
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("10"));
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_before(&mut pair, "", 1);
    bare_page(&mut pair, &asked, &[from_bob("12")], true);
    let asked = asked_before(&mut pair, "12", 100);
    bare_page(&mut pair, &asked, &[], true);
    let asked = asked_since(&mut pair, &stamp("10"));
    bare_page(&mut pair, &asked, &[from_bob("12")], true);
    pair.nothing_sent();
    assert_eq!((bodies(&pair).len(), gaps(&pair)[0].after.as_deref()), (4, Some("10")));
}

#[test]
fn a_proof_that_is_cut_off_is_asked_for_again() {
    let mut pair = at_8();
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &["11", "12"].map(from_bob), true);
    asked_before(&mut pair, "11", 1);
    for _ in 0..3 {
        let asked = again(&mut pair);
        assert_eq!(
            after(&asked).0.as_deref(),
            Some("8"),
            "what isn't proven isn't behind us"
        );
        pair.advance(6_000);
        bare_page(&mut pair, &asked, &["11", "12", "13"].map(from_bob), true);
        asked_before(&mut pair, "11", 1);
    }
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &["11", "12", "13"].map(from_bob), true);
    let asked = asked_before(&mut pair, "11", 1);
    bare_page(&mut pair, &asked, &[], true);
    assert_eq!(bodies(&pair), ["8", "11", "12", "13"]);
    assert_eq!((gaps(&pair).len(), gaps(&pair)[0].after.as_deref()), (1, Some("8")));
    // From the next on it is.
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &["11", "12", "13"].map(from_bob), true);
    pair.nothing_sent();
    assert_eq!(gaps(&pair).len(), 1);
}

#[test]
fn xep0313_3_2_what_may_have_been_thrown_away_is_not_sent_again() {
    let ends: [fn(&mut Pair, Element, &str); 3] = [
        // Nothing behind an unknown entry.
        |pair, asked, _| {
            bare_page(pair, &asked, &[], true);
            let asked = prefs(pair);
            let asked = look_again(pair, &asked, "8");
            bare_page(pair, &asked, &[], true);
            let asked = asked_before(pair, "", 1);
            bare_page(pair, &asked, &[], true);
            let asked = asked_since(pair, &stamp("7"));
            bare_page(pair, &asked, &[], true);
            let asked = pair.element();
            bare_page(pair, &asked, &[], true);
        },
        // What is left of what came later.
        |pair, asked, _| {
            bare_page(pair, &asked, &[from_bob("11")], true);
            let asked = prefs(pair);
            let asked = look_again(pair, &asked, "11");
            bare_page(pair, &asked, &[], true);
            let asked = asked_before(pair, "11", 1);
            bare_page(pair, &asked, &[], true);
        },
        // Found after all.
        |pair, asked, id| {
            bare_page(pair, &asked, &[from_bob("11")], true);
            let asked = prefs(pair);
            let asked = look_again(pair, &asked, "11");
            bare_page(pair, &asked, &[], true);
            let asked = asked_before(pair, "11", 1);
            bare_page(pair, &asked, &[sent("9", id, "1")], true);
        },
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let mut pair = at_8();
        let (call, id) = send(&mut pair, "1");
        let asked = again(&mut pair);
        assert_eq!(after(&asked).0.as_deref(), Some("8"));
        end(&mut pair, asked, &id);
        assert_eq!(crate::sm::bodies(&mut pair), [""; 0]);
        match n {
            2 => assert!(pair.reply(call).is_ok()),
            _ => assert_eq!((pair.error(call).code(), gaps(&pair).len()), (Code::DeliveryUnknown, 1)),
        }
    }
}

#[test]
fn xep0313_3_2_nor_is_it_by_the_session_after_that() {
    for found in [false, true] {
        let mut pair = at_8();
        let (call, id) = send(&mut pair, "1");
        let asked = again(&mut pair);
        refuse(&mut pair, &asked, "cancel", "item-not-found");
        let asked = asked_since(&mut pair, &stamp("7"));
        bare_page(&mut pair, &asked, &[], true);
        asked_before(&mut pair, "", 100);
        let asked = again(&mut pair);
        pair.answer(&asked, &metadata("12"));
        let asked = asked_before(&mut pair, "", 100);
        let entry = if found { sent("11", &id, "1") } else { from_bob("11") };
        bare_page(&mut pair, &asked, &[entry], true);
        assert_eq!(crate::sm::bodies(&mut pair), [""; 0]);
        match found {
            true => assert!(pair.reply(call).is_ok()),
            false => assert_eq!(pair.error(call).code(), Code::DeliveryUnknown),
        }
        // Of what is sent from now on it can be told.
        pair.advance(5_000);
        let (call, _) = send(&mut pair, "2");
        let asked = again(&mut pair);
        bare_page(&mut pair, &asked, &[from_bob("13")], true);
        let asked = prefs(&mut pair);
        let asked = look_again(&mut pair, &asked, "13");
        bare_page(&mut pair, &asked, &[], true);
        let asked = asked_before(&mut pair, "13", 1);
        bare_page(&mut pair, &asked, &[from_bob("12")], true);
        assert_eq!(crate::sm::bodies(&mut pair), ["2"]);
        assert!(pair.is_open(call));
    }

    // Nor where the first of them has gone on with what was left.
    let mut pair = at_8();
    let (call, _) = send(&mut pair, "1");
    let asked = again(&mut pair);
    bare_page(&mut pair, &asked, &[from_bob("11")], false);
    let asked = asked_before(&mut pair, "11", 1);
    bare_page(&mut pair, &asked, &[], true);
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("11"));
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("11"));
    page(&mut pair, &asked, &[from_bob("12")], true);
    assert_eq!(crate::sm::bodies(&mut pair), [""; 0]);
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);
}

/// The anchor is there, and so nothing is missed; the mark before the message in doubt isn't.
#[test]
fn xep0313_3_2_the_anchor_proves_nothing_of_what_is_before_it() {
    for left in [false, true] {
        let mut pair = knowing("0");
        let (call, _) = send(&mut pair, "1");
        live(&mut pair, "2");
        let asked = again(&mut pair);
        assert_eq!(after(&asked).0.as_deref(), Some("0"));
        bare_page(&mut pair, &asked, &["2", "3"].map(from_bob), true);
        let asked = prefs(&mut pair);
        let asked = look_again(&mut pair, &asked, "3");
        bare_page(&mut pair, &asked, &[], true);
        let asked = asked_before(&mut pair, "2", 1);
        match left {
            true => bare_page(&mut pair, &asked, &[from_bob("0")], true),
            false => bare_page(&mut pair, &asked, &[], true),
        }
        assert_eq!(gaps(&pair), []);
        match left {
            true => assert_eq!(crate::sm::bodies(&mut pair), ["1"]),
            false => assert_eq!(pair.error(call).code(), Code::DeliveryUnknown),
        }
    }
}

/// Takes the question what the archive keeps.
fn prefs(pair: &mut Pair) -> Element {
    let asked = pair.element();
    assert!(asked.child("prefs", NS_MAM).is_some(), "{asked:?}");
    asked
}

/// It keeps everything: the search looks once more behind this entry.
fn look_again(pair: &mut Pair, asked: &Element, end: &str) -> Element {
    pair.answer(
        asked,
        "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>",
    );
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some(end));
    asked
}
