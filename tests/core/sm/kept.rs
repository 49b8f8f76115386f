//! What outlives the page.

use super::{FIRST, SM, acknowledge, bodies, errors, failed, online_with, resumed};
use crate::pair::{JID, Pair, config};
use stanzawire::engine::{Command, Config, Event, Input, Status};
use stanzawire::error::Code;
use stanzawire::im::Named;

const BOB: &str = "bob@example.org";

pub fn storing() -> Config {
    let mut config = config();
    config.session.storage = true;
    config
}

/// The page is loaded again: all that is left is what the store has.
pub fn reload(mut old: Pair) -> Pair {
    old.handle(Input::PageHidden);
    kill(old)
}

/// The page is gone without a word.
pub fn kill(old: Pair) -> Pair {
    let mut pair = Pair::seeded(storing(), 7);
    pair.kept = old.kept;
    pair.connect();
    let (id, _) = pair.load.take().expect("the store is asked");
    pair.handle(Input::Loaded { id, value: None });
    pair
}

pub fn log_in(pair: &mut Pair) {
    pair.open_socket();
    super::login_up_to_features(pair);
}

#[test]
fn the_session_goes_on_in_the_next_page() {
    let mut old = online_with(storing());
    old.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>in</body></message>");
    old.send(BOB, "1");
    old.send(BOB, "2");
    let mut pair = reload(old);
    log_in(&mut pair);
    let resume = pair.sent.pop_back().unwrap();
    assert!(
        resume.contains("previd=\"session-1\"") && resume.contains("h=\"1\""),
        "{resume}"
    );
    pair.sent.clear();
    resumed(&mut pair, FIRST + 1);
    assert!(pair.events.contains(&Event::Resumed { restored: true }));
    assert_eq!(pair.engine.jid().as_str(), JID);
    assert_eq!(bodies(&mut pair), ["2"]);
    acknowledge(&mut pair, FIRST + 2);
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn what_waited_for_a_connection_leaves_from_the_next_page() {
    let mut old = online_with(storing());
    old.send(BOB, "1");
    old.close_socket();
    old.send(BOB, "2");
    old.send(BOB, "3");
    let mut pair = reload(old);
    log_in(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), ["1", "2", "3"]);
}

#[test]
fn a_login_of_the_page_before_that_comes_through_late_ends_nothing() {
    const CONFLICT: &str = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
                            <conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let mut old = online_with(storing());
    old.send(BOB, "1");
    old.advance(1_000);
    let mut pair = kill(old);
    log_in(&mut pair);
    failed(&mut pair, None);
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(JID);
    pair.receive(CONFLICT);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    let told = |event: &Event| matches!(event, Event::Im(event) if event.name() == "not-sent");
    assert!(!pair.events.iter().any(told), "{:?}", pair.events);
    super::again(&mut pair);
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(JID);
    // There was one of them. Whoever comes now is somebody else.
    pair.receive(CONFLICT);
    assert_eq!(pair.engine.status(), Status::Offline);
    assert!(pair.events.iter().any(told), "{:?}", pair.events);

    // And so is who comes a minute later.
    let mut old = online_with(storing());
    old.advance(1_000);
    let mut pair = kill(old);
    log_in(&mut pair);
    resumed(&mut pair, FIRST);
    for _ in 0..30 {
        pair.advance(2_000);
        pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
    }
    pair.receive(CONFLICT);
    assert_eq!(pair.engine.status(), Status::Offline);
}

#[test]
fn what_was_acknowledged_does_not_come_back_with_its_segment() {
    let mut old = online_with(storing());
    old.send(BOB, "1");
    old.send(BOB, "2");
    // Written together.
    old.advance(1_000);
    acknowledge(&mut old, FIRST + 1);
    let mut pair = reload(old);
    log_in(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST + 1);
    assert_eq!(bodies(&mut pair), ["2"]);
}

#[test]
fn a_page_that_is_killed_has_written_a_second_before() {
    let mut old = online_with(storing());
    old.advance(1_000);
    old.send(BOB, "1");
    old.advance(1_000);
    old.send(BOB, "2");
    let mut pair = kill(old);
    log_in(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), ["1"], "of the second one nothing is known");
}

#[test]
fn a_count_beyond_what_the_store_knows_is_a_stale_store() {
    let mut old = online_with(storing());
    old.advance(1_000);
    old.send(BOB, "1");
    old.advance(1_000);
    old.send(BOB, "2");
    let mut pair = kill(old);
    log_in(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST + 2);
    assert!(errors(&pair).is_empty(), "nobody's fault");
    // A new session, in which the archive has to tell.
    assert_ne!(pair.engine.status(), Status::Online);
    pair.sent.clear();
    pair.open_socket();
    super::login_up_to_features(&mut pair);
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(JID);
    assert_eq!(pair.engine.status(), Status::Online);
    assert_eq!(bodies(&mut pair), [""; 0], "not before it has told");
}

#[test]
fn a_failed_resumption_in_the_next_page_tells_how_far_the_server_came() {
    let mut old = online_with(storing());
    old.send(BOB, "1");
    old.send(BOB, "2");
    let mut pair = reload(old);
    log_in(&mut pair);
    pair.sent.clear();
    failed(&mut pair, Some(FIRST + 2));
    pair.bind(JID);
    assert_eq!(bodies(&mut pair), [""; 0]);
}

#[test]
fn a_page_that_is_killed_in_its_first_write_leaves_no_message_to_the_session_before() {
    for h in [Some(FIRST), None] {
        let mut old = online_with(storing());
        old.advance(1_000);
        let mut old = reload(old);
        log_in(&mut old);
        old.sent.clear();
        failed(&mut old, Some(FIRST));
        old.bind(JID);
        old.receive(&format!("<enabled xmlns='{SM}' id='session-2' resume='true'/>"));
        // The archive is asked, and nothing waits for its answer.
        old.send(BOB, "1");
        old.advance(1_000);
        old.kept = old.at_segment.clone();
        assert!(old.kept.values().any(|value| value.contains("<message")));
        let mut pair = kill(old);
        log_in(&mut pair);
        let resume = pair.sent.pop_back().unwrap();
        assert!(resume.contains("previd=\"session-2\""), "{resume}");
        pair.sent.clear();
        match h {
            // The server has it.
            Some(h) => pair.receive(&format!("<resumed xmlns='{SM}' previd='session-2' h='{}'/>", h + 1)),
            None => failed(&mut pair, Some(FIRST + 1)),
        }
        if h.is_none() {
            pair.bind(JID);
        }
        assert_eq!(bodies(&mut pair), [""; 0], "{h:?}");
        let sent = |event: &Event| matches!(event, Event::Im(event) if event.name() == "sent");
        assert_eq!(pair.events.iter().filter(|event| sent(event)).count(), 1, "{h:?}");
    }
}

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
