//! What one page leaves for the next must hold for the one after that, too.

use super::*;
use crate::pair::JID;
use crate::sm;
use crate::sm::kept::{kill, log_in as log_in_again, reload, storing};

/// What the archive is asked.
fn asked(pair: &mut Pair) -> Element {
    let place = pair
        .sent
        .iter()
        .position(|frame| frame.contains(NS_MAM))
        .expect("a search");
    let frame = pair.sent.remove(place).unwrap();
    stanzawire::xml::read(&frame, &Default::default()).unwrap()
}

/// The session can't be gone on with; of its stanzas so many have been handled.
fn anew(pair: &mut Pair, h: Option<u32>) {
    pair.sent.clear();
    sm::failed(pair, h);
    pair.bind(JID);
}

fn says(pair: &Pair, body: &str) -> bool {
    pair.sent
        .iter()
        .any(|frame| frame.contains(&format!("<body>{body}</body>")))
}

#[test]
fn what_was_sent_again_is_not_under_way_in_the_session_before() {
    let mut old = sm::online_with(storing());
    live(&mut old, "1");
    send(&mut old, "out");
    old.advance(1_000);
    sm::back(&mut old);
    anew(&mut old, Some(sm::FIRST));
    let question = asked(&mut old);
    refuse(&mut old, &question, "cancel", "service-unavailable");
    assert!(says(&old, "out"), "the server has said that it hasn't got it");

    // Before a second has passed.
    let mut pair = kill(old);
    log_in_again(&mut pair);
    assert!(
        pair.sent.iter().all(|frame| !frame.contains("<resume ")),
        "{:?}",
        pair.sent
    );
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(JID);
    let question = asked(&mut pair);
    refuse(&mut pair, &question, "cancel", "service-unavailable");
    assert!(!says(&pair, "out"), "it may have by now");
}

#[test]
fn what_may_have_left_a_page_before_the_last_is_in_doubt() {
    let mut old = sm::online_with(storing());
    live(&mut old, "1");
    old.advance(2_000);
    let earlier = old.kept.clone();
    send(&mut old, "out");
    old.advance(1_000);
    // The page has died between the message and the header.
    assert!(old.kept.len() > earlier.len());
    old.kept.extend(earlier);
    let mut pair = reload(kill(old));
    log_in_again(&mut pair);
    anew(&mut pair, None);
    assert!(!says(&pair, "out"));
    let question = asked(&mut pair);
    page(&mut pair, &question, &[kept("2", OWN, "bob@example.org", "out")], true);
}

#[test]
fn rfc6120_7_7_2_2_the_next_page_throws_out_what_an_earlier_one_has_left() {
    let mut old = sm::online_with(storing());
    sm::back(&mut old);
    old.sent.clear();
    sm::failed(&mut old, None);
    old.close_socket();
    let mut pair = reload(old);
    log_in_again(&mut pair);
    let bind = pair.sent.iter().find(|frame| frame.contains("xmpp-bind")).unwrap();
    assert!(bind.contains("<resource>here</resource>"), "{bind}");
}

#[test]
fn what_leaves_a_page_that_was_hidden_is_in_doubt() {
    let mut old = sm::online_with(storing());
    live(&mut old, "1");
    old.advance(2_000);
    old.close_socket();
    old.send("bob@example.org", "out");
    // Nothing has been sent by then.
    old.handle(stanzawire::engine::Input::PageHidden);
    sm::again(&mut old);
    sm::resumed(&mut old, sm::FIRST);
    assert!(says(&old, "out"));
    let mut pair = kill(old);
    log_in_again(&mut pair);
    anew(&mut pair, None);
    assert!(!says(&pair, "out"));
}
