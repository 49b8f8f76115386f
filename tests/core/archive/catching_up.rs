//! What came while there was no session.

use super::*;
use crate::pair::JID;
use crate::sm;
use stanzawire::engine::Input;

#[test]
fn xep0313_5_the_first_question_is_where_the_archive_ends() {
    let (mut pair, asked) = first();
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("get"), None));
    assert!(asked.child("metadata", NS_MAM).is_some());
    pair.answer(&asked, &metadata("7"));
    pair.nothing_sent();
    assert!(gaps(&pair).is_empty() && pair.messages().is_empty());

    let asked = again(&mut pair);
    assert_eq!(after(&asked), (Some("7".into()), 100));
    page(&mut pair, &asked, &[from_bob("8"), from_bob("9")], true);
    assert_eq!(bodies(&pair), ["8", "9"]);
    let last = pair.messages().pop().unwrap();
    assert_eq!(
        last.stanza_id.as_deref(),
        Some("9"),
        "XEP-0313 §4.2: by its result, not by what it says itself"
    );
    assert_eq!(last.delay.unwrap().0, stamp("9"));
    pair.nothing_sent();

    // And on from there.
    let asked = again(&mut pair);
    let (from, _) = after(&asked);
    assert!(from.as_deref() == Some("7") || from.as_deref() == Some("9"), "{from:?}");
    page(&mut pair, &asked, &[from_bob("8"), from_bob("9"), from_bob("10")], true);
    assert_eq!(bodies(&pair), ["8", "9", "10"]);
    assert!(gaps(&pair).is_empty());
}

#[test]
fn xep0313_4_3_3_a_server_that_does_not_know_that_is_asked_for_its_last_entry() {
    let (mut pair, asked) = first();
    refuse(&mut pair, &asked, "cancel", "not-allowed");
    let asked = pair.element();
    assert_eq!(before(&asked), (String::new(), 1));
    // What comes meanwhile is told at once, and once.
    live(&mut pair, "7");
    assert_eq!(bodies(&pair), ["7"]);
    page(&mut pair, &asked, &[from_bob("6")], false);
    pair.nothing_sent();
    assert_eq!(bodies(&pair), ["7"], "what was there before is no news");
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("6"));
    page(&mut pair, &asked, &[from_bob("7"), from_bob("8")], true);
    assert_eq!(bodies(&pair), ["7", "8"]);
}

#[test]
fn xep0313_4_3_2_page_by_page() {
    let mut pair = knowing("0");
    let mut asked = again(&mut pair);
    let mut expected = Vec::new();
    for turn in 0..5 {
        let ids: Vec<String> = (1..=50).map(|n| (turn * 50 + n).to_string()).collect();
        let entries: Vec<_> = ids.iter().map(|id| from_bob(id)).collect();
        expected.extend(ids);
        page(&mut pair, &asked, &entries, turn == 4);
        assert_eq!(bodies(&pair), expected);
        if turn < 4 {
            asked = pair.element();
            assert_eq!(after(&asked).0, expected.last().cloned());
        }
        pair.nothing_sent();
    }
}

#[test]
fn an_archive_that_was_empty_is_read_from_its_beginning() {
    let mut pair = Pair::online();
    // It is asked for its end again: where it keeps nothing, it isn't searched.
    let asked = again(&mut pair);
    assert!(asked.child("metadata", NS_MAM).is_some());
    pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
    pair.nothing_sent();
    let asked = again(&mut pair);
    pair.answer(&asked, &metadata("2"));
    let asked = pair.element();
    assert_eq!(after(&asked), (None, 100));
    page(&mut pair, &asked, &[from_bob("1"), from_bob("2")], true);
    assert_eq!(bodies(&pair), ["1", "2"]);
    assert!(gaps(&pair).is_empty());
}

#[test]
fn messages_that_come_meanwhile_come_after() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    live(&mut pair, "2");
    live(&mut pair, "3");
    // What isn't in the archive waits for nothing.
    pair.receive("<message xmlns='jabber:client' from='carol@example.org/x'><body>by the way</body></message>");
    live_of(&mut pair, "urgent", "headline");
    assert_eq!(bodies(&pair), ["by the way", "urgent"]);
    page(&mut pair, &asked, &[from_bob("1"), from_bob("2")], true);
    assert_eq!(
        bodies(&pair),
        ["by the way", "urgent", "1", "2", "3"],
        "each once, in order"
    );
    // From now on there is nothing to wait for.
    live(&mut pair, "4");
    live(&mut pair, "4");
    assert_eq!(bodies(&pair)[5..], ["4"]);
}

#[test]
fn what_the_account_has_sent_is_no_news_to_it() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let entries = [
        kept("1", OWN, "bob@example.org", "sent"),
        kept("2", "alice@example.org/here", "alice@example.org/there", "to myself"),
        // Prosody keeps these twice, once as sent and once as received.
        kept("3", "alice@example.org/here", "alice@example.org/there", "to myself"),
        kept("4", "room@muc.example.org/bob", "alice@example.org", "in private"),
    ];
    page(&mut pair, &asked, &entries, true);
    assert_eq!(bodies(&pair), ["to myself", "in private"]);

    let of_a_room =
        "<message xmlns='jabber:client' type='groupchat' from='room@muc.example.org/bob'><body>x</body></message>";
    let asked = again(&mut pair);
    page(
        &mut pair,
        &asked,
        &[("5".into(), of_a_room.into()), from_bob("6")],
        true,
    );
    assert_eq!(bodies(&pair)[2..], ["6"], "a room has an archive of its own");
}

#[test]
fn xep0313_3_2_a_message_that_was_taken_out_is_passed_over() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[("1".into(), String::new()), from_bob("2")], true);
    assert_eq!(bodies(&pair), ["2"]);
    assert!(gaps(&pair).is_empty());
}

#[test]
fn a_bounce_that_was_kept_is_told() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let bounce = "<message xmlns='jabber:client' type='error' from='bob@example.org' to='alice@example.org/here' id='x'>\
                  <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    page(&mut pair, &asked, &[("1".into(), bounce.into())], true);
    assert_eq!(pair.messages()[0].condition.as_deref(), Some("service-unavailable"));
}

#[test]
fn a_search_that_is_cut_off_goes_on_where_it_was() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    result(&mut pair, &asked, &from_bob("1"));
    result(&mut pair, &asked, &from_bob("2"));
    live(&mut pair, "4");
    pair.close_socket();
    assert_eq!(bodies(&pair), ["1", "2"]);
    let asked = back(&mut pair);
    page(&mut pair, &asked, &["1", "2", "3", "4", "5"].map(from_bob), true);
    assert_eq!(
        bodies(&pair),
        ["1", "2", "3", "4", "5"],
        "what had waited is found again"
    );
}

#[test]
fn what_came_out_of_order_is_not_lost() {
    // Some servers number a message before they queue it: 2 was on its way when the connection broke, 3 had come.
    let mut pair = knowing("0");
    live(&mut pair, "1");
    live(&mut pair, "3");
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("0"), "from somewhat before");
    page(&mut pair, &asked, &["1", "2", "3", "4"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "3", "2", "4"]);

    // A connection that has held for a while has brought all there was.
    let mut pair = knowing("0");
    live(&mut pair, "1");
    pair.advance(5_000);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("1"));
    page(&mut pair, &asked, &[], true);
    assert_eq!(bodies(&pair), ["1"]);
}

#[test]
fn what_is_longer_ago_than_is_remembered_is_not_told_twice() {
    let mut pair = knowing("start");
    let ids: Vec<String> = (0..1_200).map(|n: u32| n.to_string()).collect();
    ids.iter().for_each(|id| live(&mut pair, id));
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("start"), "all came at once");
    let entries: Vec<_> = ids.iter().map(|id| from_bob(id)).collect();
    page(&mut pair, &asked, &entries, true);
    assert_eq!(bodies(&pair), ids);
}

#[test]
fn xep0313_4_3_2_an_anchor_that_is_gone_leaves_a_gap() {
    let mut pair = knowing("7");
    live(&mut pair, "8");
    pair.advance(5_000);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("8"));
    refuse(&mut pair, &asked, "cancel", "item-not-found");
    // By time, then.
    let asked = pair.element();
    let form = asked
        .child("query", NS_MAM)
        .unwrap()
        .child("x", "jabber:x:data")
        .unwrap();
    let values: Vec<_> = form
        .children()
        .map(|field| {
            (
                field.attr("var").unwrap(),
                field.child_text("value", "jabber:x:data").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        values,
        [("FORM_TYPE", NS_MAM.to_owned()), ("start", stamp("7"))],
        "XEP-0313 §4.1.2"
    );
    assert_eq!(gaps(&pair).len(), 1);
    let gap = gaps(&pair).pop().unwrap();
    assert_eq!((gap.after.as_deref(), gap.since.unwrap().0), (Some("8"), stamp("7")));
    page(&mut pair, &asked, &[from_bob("11"), from_bob("12")], false);
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("12"));
    page(&mut pair, &asked, &[from_bob("13")], true);
    assert_eq!(bodies(&pair), ["8", "11", "12", "13"]);
    pair.nothing_sent();
    let asked = again(&mut pair);
    refuse(&mut pair, &asked, "modify", "item-not-found");
    let asked = pair.element();
    assert_eq!(
        after(&asked).0.as_deref(),
        Some("13"),
        "the place before was gone, the anchor isn't"
    );
    page(&mut pair, &asked, &[], true);
    assert_eq!(gaps(&pair).len(), 1);
}

#[test]
fn an_archive_that_was_wiped_is_begun_anew() {
    for empty in [false, true] {
        let mut pair = knowing("7");
        let asked = again(&mut pair);
        live(&mut pair, "9");
        refuse(&mut pair, &asked, "cancel", "item-not-found");
        let asked = pair.element();
        assert!(
            asked
                .child("query", NS_MAM)
                .unwrap()
                .child("x", "jabber:x:data")
                .is_some()
        );
        page(&mut pair, &asked, &[], true);
        let asked = pair.element();
        assert_eq!(before(&asked), (String::new(), 1));
        let newest = if empty { vec![] } else { vec![from_bob("9")] };
        page(&mut pair, &asked, &newest, true);
        pair.nothing_sent();
        assert_eq!((bodies(&pair), gaps(&pair).len()), (vec!["9".to_owned()], 1));
        let asked = again(&mut pair);
        match empty {
            true => assert!(asked.child("metadata", NS_MAM).is_some()),
            false => assert_eq!(after(&asked).0.as_deref(), Some("9")),
        }
        assert_eq!(gaps(&pair).len(), 1);
    }
}

#[test]
fn without_an_archive_a_new_session_leaves_a_gap() {
    let none = |pair: &mut Pair, asked: &Element| {
        refuse(pair, asked, "cancel", "service-unavailable");
        let asked = pair.element();
        refuse(pair, &asked, "cancel", "feature-not-implemented");
        pair.nothing_sent();
    };
    let (mut pair, asked) = first();
    none(&mut pair, &asked);
    assert_eq!(gaps(&pair), [], "there is nothing before the first session");
    live(&mut pair, "1");
    live(&mut pair, "1");
    assert_eq!(bodies(&pair), ["1", "1"], "XEP-0359 §5: nobody vouches for those ids");
    for times in 1..3 {
        let asked = again(&mut pair);
        none(&mut pair, &asked);
        let nothing = Gap::default();
        assert_eq!(gaps(&pair), vec![nothing; times]);
    }
    // One that is there later serves from then on.
    let asked = again(&mut pair);
    pair.answer(&asked, &metadata("5"));
    assert_eq!(gaps(&pair).len(), 3);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("5"));
}

#[test]
fn a_first_session_that_ends_before_the_archive_has_answered_leaves_a_gap() {
    let (mut pair, _) = first();
    let asked = again(&mut pair);
    pair.answer(&asked, &metadata("5"));
    assert_eq!(gaps(&pair), [Gap::default()]);
}

#[test]
fn an_archive_that_is_out_of_order_is_asked_again() {
    let mut pair = knowing("0");
    let mut asked = again(&mut pair);
    live(&mut pair, "3");
    for (failures, wait) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 8_000), (5, 16_000), (6, 32_000)] {
        refuse(&mut pair, &asked, "wait", "resource-constraint");
        let released = failures >= 3;
        assert_eq!(!bodies(&pair).is_empty(), released, "nobody waits for ever");
        pair.advance(wait - 1);
        pair.nothing_sent();
        pair.advance(1);
        asked = pair.element();
        assert_eq!(after(&asked).0.as_deref(), Some("0"));
    }
    live(&mut pair, "4");
    page(&mut pair, &asked, &["1", "2", "3", "4"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["3", "4", "1", "2"]);
    assert_eq!(gaps(&pair), []);
}

#[test]
fn a_silent_archive_keeps_no_message_waiting() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    live(&mut pair, "5");
    pair.advance(9_999);
    result(&mut pair, &asked, &from_bob("1"));
    pair.advance(19_999);
    assert_eq!(bodies(&pair), ["1"], "as long as something comes it is waited for");
    pair.advance(1);
    assert_eq!(bodies(&pair), ["1"], "the connection may be dead");
    let ping = pings(&mut pair).pop().expect("the server is asked");
    pair.answer(&ping, "");
    assert_eq!(bodies(&pair), ["1", "5"]);
    // What it hasn't answered in half a minute is asked again, and for less at once.
    pair.advance(1);
    pair.advance(2_000);
    let asked = pair
        .sent
        .iter()
        .position(|frame| frame.contains("queryid"))
        .expect("another try");
    let asked = pair.sent.remove(asked).unwrap();
    let asked = stanzawire::xml::read(&asked, &Default::default()).unwrap();
    assert_eq!(after(&asked), (Some("1".into()), 50));
    page(&mut pair, &asked, &[from_bob("2"), from_bob("5"), from_bob("6")], true);
    assert_eq!(bodies(&pair), ["1", "5", "2", "6"]);
}

#[test]
fn on_a_connection_that_is_dead_no_message_overtakes_the_archive() {
    let mut pair = knowing("0");
    pair.handle(Input::Visible(false));
    again(&mut pair);
    live(&mut pair, "5");
    // A page that nobody sees: all that was due comes at once.
    while pair.socket.is_some() {
        pair.now = pair.now.after(60_000);
        pair.handle(Input::Deadline);
        assert_eq!(bodies(&pair), [""; 0]);
    }
    let asked = back(&mut pair);
    page(&mut pair, &asked, &["1", "5"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "5"]);
}

#[test]
fn a_server_that_knows_no_pings_is_there() {
    let mut pair = knowing("0");
    again(&mut pair);
    live(&mut pair, "5");
    pair.advance(20_000);
    let ping = pings(&mut pair).pop().unwrap();
    let from = format!(" type='error' from='example.org' id='{}'", ping.attr("id").unwrap());
    pair.receive(&format!(
        "<iq xmlns='jabber:client'{from}><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    assert_eq!(bodies(&pair), ["5"]);
}

/// The pings to the server among what was sent.
fn pings(pair: &mut Pair) -> Vec<Element> {
    let sent = pair.sent.iter().filter(|frame| frame.contains("urn:xmpp:ping"));
    sent.map(|frame| stanzawire::xml::read(frame, &Default::default()).unwrap())
        .collect()
}

#[test]
fn an_archive_that_is_asked_again_with_the_session_has_its_time_again() {
    let mut pair = sm::online();
    live(&mut pair, "1");
    sm::back(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(JID);
    pair.receive("<enabled xmlns='urn:xmpp:sm:3' id='session-1' resume='true'/>");
    live(&mut pair, "5");
    pair.close_socket();
    // The machine sleeps.
    pair.now = pair.now.after(19_000);
    sm::again(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, 0);
    pair.advance(2_000);
    assert_eq!(bodies(&pair), ["1"], "it has only just been asked");
    let asked = pair.sent.iter().find(|frame| frame.contains("queryid")).unwrap();
    let asked = stanzawire::xml::read(asked, &Default::default()).unwrap();
    page(&mut pair, &asked, &["2", "5"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "5"]);
}

#[test]
fn a_question_that_is_sent_again_with_the_session_has_its_time_again() {
    let mut pair = sm::online();
    live(&mut pair, "1");
    sm::back(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(JID);
    pair.receive("<enabled xmlns='urn:xmpp:sm:3' id='session-1' resume='true'/>");
    live(&mut pair, "5");
    pair.close_socket();
    // The machine sleeps, and wakes a second before half a minute is over.
    pair.now = pair.now.after(19_000);
    sm::again(&mut pair);
    pair.now = pair.now.after(10_000);
    pair.sent.clear();
    sm::resumed(&mut pair, 0);
    pair.advance(2_000);
    let questions = pair.sent.iter().filter(|frame| frame.contains("queryid")).count();
    assert_eq!(
        (questions, pings(&mut pair).len()),
        (1, 0),
        "it has only just been asked"
    );
    let asked = pair.sent.iter().find(|frame| frame.contains("queryid")).unwrap();
    let asked = stanzawire::xml::read(asked, &Default::default()).unwrap();
    page(&mut pair, &asked, &["2", "5"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "5"]);
}

#[test]
fn a_sign_of_life_that_was_asked_for_on_another_connection_is_none_of_the_archives_silence() {
    let mut pair = sm::online();
    live(&mut pair, "1");
    sm::back(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(JID);
    pair.receive("<enabled xmlns='urn:xmpp:sm:3' id='session-1' resume='true'/>");
    // The machine sleeps, and the connection has gone meanwhile.
    pair.now = pair.now.after(20_000);
    pair.handle(Input::Deadline);
    assert_eq!(pings(&mut pair).len(), 1);
    pair.close_socket();
    sm::again(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, 0);
    live(&mut pair, "5");
    for ping in pings(&mut pair) {
        pair.answer(&ping, "");
    }
    assert_eq!(bodies(&pair), ["1"], "the archive has only just been asked as well");
    let asked = pair.sent.iter().find(|frame| frame.contains("queryid")).unwrap();
    let asked = stanzawire::xml::read(asked, &Default::default()).unwrap();
    page(&mut pair, &asked, &["2", "5"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "5"]);
}
