//! The store that outlives the page: what is written when, what it may say, and what it may not do.

use super::kept::{log_in, reload, storing};
use super::{FIRST, SM, acknowledge, bodies, errors, failed, online_with, resumed};
use crate::pair::{JID, Pair};
use stanzawire::engine::{Command, Input, Status};
use stanzawire::error::Code;

const BOB: &str = "bob@example.org";

#[test]
fn what_has_been_handled_is_stored_before_it_is_said() {
    let mut pair = online_with(storing());
    pair.advance(2_000);
    let handled = |pair: &Pair| {
        let header = pair
            .kept
            .iter()
            .find(|(key, _)| key.matches(':').count() == 2 && !key.ends_with(":tabs"));
        header.unwrap().1.split('\u{1e}').nth(6).unwrap().to_owned()
    };
    pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
    pair.sent.clear();
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    assert_eq!(
        pair.element().attr("h"),
        Some("1"),
        "at once, where the last write is long ago"
    );
    assert_eq!(handled(&pair), "1");
    pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    pair.nothing_sent();
    assert_eq!(handled(&pair), "1", "once a second at most");
    pair.advance(1_000);
    assert_eq!(pair.element().attr("h"), Some("2"));
    assert_eq!(handled(&pair), "2");
    // Where that would be too many, the server doesn't have to wait.
    for _ in 0..200 {
        pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
    }
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    assert_eq!(pair.element().attr("h"), Some("202"));
}

#[test]
fn a_message_is_written_once_and_only_if_it_takes_long() {
    let mut pair = online_with(storing());
    for n in 0..50 {
        pair.send(BOB, &n.to_string());
        acknowledge(&mut pair, FIRST + 1 + n);
    }
    pair.advance(1_000);
    assert!(pair.kept.values().all(|value| !value.contains("<message")));
    pair.send(BOB, "long");
    pair.advance(1_000);
    let segments = |pair: &Pair| pair.kept.values().filter(|value| value.contains("<message")).count();
    assert_eq!(segments(&pair), 1);
    acknowledge(&mut pair, FIRST + 51);
    pair.advance(1_000);
    assert_eq!(segments(&pair), 0, "and removed when it has been taken");
}

#[test]
fn nothing_is_kept_of_a_session_that_was_ended() {
    let mut pair = online_with(storing());
    pair.send(BOB, "1");
    pair.advance(1_000);
    pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert_eq!(pair.kept.len(), 0, "{:?}", pair.kept);
    assert!(pair.locked.is_empty());
}

#[test]
fn a_second_client_keeps_its_hands_off_what_the_first_one_holds() {
    let mut first = online_with(storing());
    first.send(BOB, "1");
    first.advance(1_000);
    // The store was copied, as with a duplicated tab; the locks are those of the origin.
    let mut second = Pair::seeded(storing(), 2);
    second.kept = first.kept.clone();
    second.locked = first.locked.clone();
    let call = second.connect();
    let (id, _) = second.load.take().unwrap();
    second.handle(Input::Loaded { id, value: None });
    log_in(&mut second);
    assert!(
        second.sent.iter().all(|frame| !frame.contains("session-1")),
        "{:?}",
        second.sent
    );
    second.sent.retain(|frame| frame.contains("xmpp-bind"));
    second.bind("alice@example.org/there");
    assert!(second.reply(call).is_ok());
    assert_eq!(bodies(&mut second), [""; 0]);
    // Loaded again, it finds its own.
    second.receive(&format!("<enabled xmlns='{SM}' id='session-2' resume='true'/>"));
    second.handle(Input::PageHidden);
    let mut third = Pair::seeded(storing(), 3);
    third.kept = second.kept;
    third.locked = first.locked.clone();
    third.connect();
    let (id, _) = third.load.take().unwrap();
    third.handle(Input::Loaded { id, value: None });
    log_in(&mut third);
    assert!(third.sent.back().unwrap().contains("session-2"), "{:?}", third.sent);
}

#[test]
fn a_store_that_fails_ends_nothing() {
    let mut pair = Pair::new(storing());
    pair.store_fails = true;
    pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(Input::Loaded { id, value: None });
    log_in(&mut pair);
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(JID);
    pair.receive(&format!("<enabled xmlns='{SM}' id='session-1' resume='true'/>"));
    let call = pair.send(BOB, "1");
    pair.advance(3_000);
    let errors = errors(&pair);
    assert_eq!(
        errors.iter().map(|error| error.code()).collect::<Vec<_>>(),
        [Code::StorageFailed],
        "once"
    );
    assert!(pair.kept.is_empty());
    assert!(pair.is_open(call));
    pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
    pair.sent.clear();
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    assert!(pair.element().is("a", SM), "at once: there is nothing to wait for");
}

#[test]
fn garbage_in_the_store_is_no_state() {
    let mut old = online_with(storing());
    old.send(BOB, "1");
    old.handle(Input::PageHidden);
    let good = old.kept.clone();
    let header = good
        .keys()
        .find(|key| key.matches(':').count() == 2 && !key.ends_with(":tabs"))
        .unwrap()
        .clone();
    let fields: Vec<&str> = good[&header].split('\u{1e}').collect();
    let mut bad: Vec<String> = vec![
        String::new(),
        "garbage".into(),
        "\u{1e}".repeat(12),
        "\u{1e}".repeat(99),
    ];
    for place in 0..fields.len() {
        for value in [
            "",
            "x",
            "-1",
            "99999999999999999999",
            "4294967295",
            "1:1:4294967295 7:7",
            "2",
            "\u{0}",
        ] {
            let mut fields = fields.clone();
            fields[place] = value;
            bad.push(fields.join("\u{1e}"));
        }
    }
    for record in bad {
        let mut pair = Pair::new(storing());
        pair.kept = good.clone();
        pair.kept.insert(header.clone(), record);
        let call = pair.connect();
        let (id, _) = pair.load.take().unwrap();
        pair.handle(Input::Loaded { id, value: None });
        pair.open_socket();
        super::login_up_to_features(&mut pair);
        if pair.sent.back().is_some_and(|frame| frame.starts_with("<resume")) {
            failed(&mut pair, None);
        }
        pair.sent.retain(|frame| frame.contains("xmpp-bind"));
        assert!(!pair.sent.is_empty(), "{:?}", pair.kept[&header]);
        pair.bind(JID);
        assert!(pair.reply(call).is_ok());
    }
    // And in its segments.
    let segment = good.keys().find(|key| key.matches(':').count() == 3).unwrap();
    for value in [
        "",
        "x",
        "1\u{1e}<iq/>\u{1e}2\u{1e}<message xmlns='jabber:client'/>",
        "1\u{1e}<message",
    ] {
        let mut pair = Pair::new(storing());
        pair.kept = good.clone();
        pair.kept.insert(segment.clone(), value.into());
        pair.connect();
        let (id, _) = pair.load.take().unwrap();
        pair.handle(Input::Loaded { id, value: None });
        log_in(&mut pair);
        pair.sent.clear();
        resumed(&mut pair, FIRST);
        assert_eq!(bodies(&mut pair), [""; 0]);
        assert_eq!(pair.engine.status(), Status::Online);
    }
}

#[test]
fn a_login_that_fails_leaves_what_is_kept_for_the_next() {
    let mut old = online_with(storing());
    old.send(BOB, "1");
    let mut pair = reload(old);
    pair.close_socket();
    assert_eq!(pair.engine.status(), Status::Offline);
    assert!(pair.kept.values().any(|value| value.contains("<message")));
    pair.connect();
    log_in(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), ["1"]);
}

#[test]
fn a_client_that_logs_out_leaves_the_others_what_is_theirs() {
    // Two of them, by one store.
    let mut first = online_with(storing());
    first.advance(1_000);
    let mut second = Pair::seeded(storing(), 2);
    second.kept = first.kept.clone();
    second.locked = first.locked.clone();
    second.connect();
    let (id, _) = second.load.take().unwrap();
    second.handle(Input::Loaded { id, value: None });
    log_in(&mut second);
    second.sent.retain(|frame| frame.contains("xmpp-bind"));
    second.bind("alice@example.org/there");
    second.receive(&format!("<enabled xmlns='{SM}' id='session-2' resume='true'/>"));
    second.handle(Input::PageHidden);
    first.kept = second.kept.clone();
    first.call(Command::Disconnect);
    first.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    let mut third = Pair::seeded(storing(), 3);
    third.kept = first.kept;
    third.connect();
    let (id, _) = third.load.take().unwrap();
    third.handle(Input::Loaded { id, value: None });
    log_in(&mut third);
    assert!(third.sent.back().unwrap().contains("session-2"), "{:?}", third.sent);
}

#[test]
fn a_lock_that_comes_when_the_login_was_given_up_is_given_back() {
    for abort in [false, true] {
        let mut old = online_with(storing());
        old.handle(Input::PageHidden);
        let mut pair = Pair::seeded(storing(), 7);
        pair.kept = old.kept;
        pair.hold_locks = true;
        let call = pair.connect();
        let (id, _) = pair.load.take().unwrap();
        pair.handle(Input::Loaded { id, value: None });
        if abort {
            pair.abort(call);
        } else {
            pair.call(Command::Disconnect);
        }
        assert_eq!(pair.engine.status(), Status::Offline);
        pair.hold_locks = false;
        pair.handle(Input::Visible(true));
        assert!(pair.locked.is_empty(), "{:?}", pair.locked);
        pair.connect();
        log_in(&mut pair);
        assert!(pair.sent.back().unwrap().contains("session-1"), "{:?}", pair.sent);
    }
}

#[test]
fn a_login_that_is_given_up_while_the_store_is_read_leaves_what_is_there() {
    for abort in [false, true] {
        let mut old = online_with(storing());
        old.send(BOB, "1");
        old.handle(Input::PageHidden);
        let mut pair = Pair::seeded(storing(), 7);
        pair.kept = old.kept;
        pair.hold_locks = true;
        let call = pair.connect();
        let (id, _) = pair.load.take().unwrap();
        pair.handle(Input::Loaded { id, value: None });
        (pair.hold_locks, pair.silent_store) = (false, true);
        pair.handle(Input::Visible(true));
        assert_eq!(
            pair.locked.len(),
            1,
            "the lock is held, and what is under it comes too late"
        );
        if abort {
            pair.abort(call);
        } else {
            pair.call(Command::Disconnect);
        }
        pair.silent_store = false;
        pair.handle(Input::Visible(true));
        assert!(pair.locked.is_empty(), "{:?}", pair.locked);
        pair.connect();
        log_in(&mut pair);
        assert!(pair.sent.back().unwrap().contains("session-1"), "{:?}", pair.sent);
        pair.sent.clear();
        resumed(&mut pair, FIRST);
        assert_eq!(bodies(&mut pair), ["1"]);
    }
}

#[test]
fn numbers_of_messages_that_cannot_be_are_none() {
    for serial in ["0", "18446744073709551615", "9223372036854775808"] {
        let mut old = online_with(storing());
        old.send(BOB, "1");
        old.handle(Input::PageHidden);
        let mut pair = Pair::seeded(storing(), 7);
        pair.kept = old.kept;
        for (key, value) in &mut pair.kept {
            let mut fields: Vec<String> = value.split('\u{1e}').map(str::to_owned).collect();
            match (key.matches(':').count(), fields.len()) {
                (3, _) => fields[0] = serial.into(),
                (2, 14) => fields[8] = format!("{}:{serial}:1", FIRST + 1),
                _ => continue,
            }
            *value = fields.join("\u{1e}");
        }
        pair.connect();
        let (id, _) = pair.load.take().unwrap();
        pair.handle(Input::Loaded { id, value: None });
        log_in(&mut pair);
        pair.sent.clear();
        resumed(&mut pair, FIRST);
        let call = pair.send(BOB, "2");
        // What the earlier page had sent may have been its presence.
        let sent = super::stanzas(&mut pair);
        acknowledge(&mut pair, FIRST + sent);
        assert!(pair.reply(call).is_ok());
    }
}

#[test]
fn a_store_that_falls_silent_keeps_no_acknowledgement_back() {
    let mut config = storing();
    config.session.silence = 3_000;
    let mut pair = online_with(config);
    pair.advance(1_000);
    pair.silent_store = true;
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>in</body></message>");
    pair.sent.clear();
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    pair.advance(3_500);
    assert!(
        pair.sent.iter().any(|frame| frame.starts_with("<a ")),
        "at least what is stored: {:?}",
        pair.sent
    );
}

#[test]
fn what_was_never_sent_is_not_delivered_once_the_store_has_let_go_of_it() {
    let left = |pair: &mut Pair| {
        pair.close_socket();
        let call = pair.send(BOB, "1");
        pair.advance(1_000);
        assert!(pair.kept.values().any(|value| value.contains("<message")));
        call
    };
    for fails in [false, true] {
        let mut pair = online_with(storing());
        let call = left(&mut pair);
        pair.silent_store = true;
        pair.store_fails = fails;
        pair.call(Command::Disconnect);
        assert_eq!(pair.engine.status(), Status::Offline);
        assert!(pair.is_open(call), "the next page would send it");
        pair.silent_store = false;
        pair.handle(Input::Visible(true));
        assert_eq!(pair.error(call).code(), Code::NotDelivered);
        assert!(pair.kept.is_empty(), "{:?}", pair.kept);
    }
    // One that never says so may still have it.
    let mut pair = online_with(storing());
    let call = left(&mut pair);
    pair.silent_store = true;
    pair.call(Command::Disconnect);
    pair.advance(2_000);
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);
    // What it hasn't got needs nobody's leave.
    let mut pair = online_with(storing());
    pair.close_socket();
    let call = pair.send(BOB, "1");
    pair.silent_store = true;
    pair.call(Command::Disconnect);
    assert_eq!(pair.error(call).code(), Code::NotDelivered);
}

#[test]
fn a_page_that_is_killed_while_it_logs_out_leaves_no_message_to_the_next() {
    let mut old = online_with(storing());
    old.close_socket();
    old.send(BOB, "1");
    old.advance(1_000);
    old.call(Command::Disconnect);
    // As it was when the promise was settled.
    let mut pair = Pair::seeded(storing(), 7);
    pair.kept = old.at_segment;
    assert!(
        pair.kept.values().any(|value| value.starts_with("1\u{1e}5\u{1e}")),
        "the header goes first"
    );
    assert!(pair.kept.values().any(|value| value.contains("<message")));
    pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(Input::Loaded { id, value: None });
    log_in(&mut pair);
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(JID);
    pair.receive(&format!("<enabled xmlns='{SM}' id='session-2' resume='true'/>"));
    assert!(
        pair.sent.iter().all(|frame| !frame.contains("<message")),
        "{:?}",
        pair.sent
    );
    let told = pair.told("not-sent");
    assert_eq!(told.len(), 1, "should the last page not have said so");
    assert_eq!(told[0]["body"], "1");
    pair.advance(1_000);
    assert!(
        pair.kept.values().all(|value| !value.contains("<message")),
        "and it is tidied up"
    );
}
