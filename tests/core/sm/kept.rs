//! What outlives the page.

use super::{FIRST, SM, acknowledge, bodies, errors, failed, online_with, resumed};
use crate::pair::{JID, Pair, config};
use stanzawire::engine::{Config, Event, Input, Status};
use stanzawire::im::Named;
use std::collections::BTreeMap;

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

fn is_told(name: &str, event: &Event) -> bool {
    matches!(event, Event::Im(event) if event.name() == name)
}

#[test]
fn no_other_stanza_is_taken_for_a_message_that_was_kept() {
    // A page dies when the first stanza of a session that goes on has left. In the second case something was before the message in
    // the count that isn't sent again; in the first, it is the next page that goes on.
    for same in [false, true] {
        let mut old = online_with(storing());
        if same {
            let gone = old.send(BOB, "0");
            old.abort(gone);
        }
        old.send(BOB, "1");
        old.advance(1_000);
        let mut pair = match same {
            true => {
                super::back(&mut old);
                old
            }
            false => {
                let mut pair = kill(old);
                log_in(&mut pair);
                pair
            }
        };
        pair.sent.clear();
        pair.first_stanza = None;
        resumed(&mut pair, FIRST);
        let (frame, kept) = pair.first_stanza.take().expect("something is sent");
        let has_it = frame.contains("<message");
        for resumes in [true, false] {
            let mut old = Pair::new(storing());
            old.kept = kept.clone();
            let mut pair = kill(old);
            log_in(&mut pair);
            pair.sent.clear();
            match resumes {
                true => resumed(&mut pair, FIRST + 1),
                false => failed(&mut pair, Some(FIRST + 1)),
            }
            let told = pair.events.iter().any(|event| is_told("sent", event));
            assert_eq!(told, has_it, "{frame} {:?}", pair.events);
        }
    }
}

#[test]
fn nothing_leaves_in_a_session_that_goes_on_before_the_store_knows_the_numbers() {
    for silent in [false, true] {
        let mut pair = online_with(storing());
        let call = pair.send(BOB, "1");
        pair.advance(1_000);
        super::back(&mut pair);
        pair.sent.clear();
        pair.silent_store = true;
        resumed(&mut pair, FIRST);
        let later = pair.send(BOB, "2");
        pair.receive(
            "<iq xmlns='jabber:client' type='get' id='1' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        );
        assert!(
            pair.sent.iter().all(|frame| frame.starts_with("<r ")),
            "{:?}",
            pair.sent
        );
        if silent {
            // It isn't waited for.
            pair.advance(2_000);
        } else {
            pair.silent_store = false;
            pair.handle(Input::Visible(true));
        }
        assert_eq!(bodies(&mut pair), ["1", "2"]);
        acknowledge(&mut pair, FIRST + 3);
        assert!(pair.reply(call).is_ok() && pair.reply(later).is_ok());
    }
    // Where it knows of nothing that is under way, there is nothing to wait for.
    let mut pair = online_with(storing());
    pair.send(BOB, "1");
    super::back(&mut pair);
    pair.kept = BTreeMap::new();
    pair.sent.clear();
    pair.silent_store = true;
    resumed(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), ["1"]);
}
