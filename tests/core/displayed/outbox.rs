//! What was displayed, on its way to the server.

use super::*;

#[test]
fn of_a_conversation_the_last_counts() {
    let mut pair = minding();
    let first = set(&mut pair, "bob@example.org", "1");
    let (asked, _) = published(&mut pair);
    let second = set(&mut pair, "bob@example.org", "2");
    let other = set(&mut pair, "eve@example.org", "3");
    let third = set(&mut pair, "bob@example.org", "4");
    pair.nothing_sent();
    pair.answer(&asked, "");
    assert_eq!(pair.value(first), Value::Null);
    let (asked, texts) = published(&mut pair);
    assert_eq!(texts, ["bob@example.org", OWN, "4"]);
    pair.nothing_sent();
    pair.answer(&asked, "");
    assert_eq!((pair.value(second), pair.value(third)), (Value::Null, Value::Null));
    let (asked, texts) = published(&mut pair);
    assert_eq!(texts, ["eve@example.org", OWN, "3"]);
    pair.answer(&asked, "");
    assert_eq!(pair.value(other), Value::Null);
    pair.nothing_sent();
}

#[test]
fn what_this_client_has_said_is_not_told() {
    let mut pair = minding();
    set(&mut pair, "bob@example.org", "1");
    let (asked, _) = published(&mut pair);
    assert_eq!(own(&item("bob@example.org", OWN, "1"))(&mut pair), [] as [Value; 0]);
    pair.answer(&asked, "");
    // Once: from then on it is another client's.
    assert_eq!(own(&item("bob@example.org", OWN, "1"))(&mut pair).len(), 1);
    set(&mut pair, "bob@example.org", "2");
    let (asked, _) = published(&mut pair);
    refuse(&mut pair, &asked, "conflict");
    assert_eq!(own(&item("bob@example.org", OWN, "2"))(&mut pair).len(), 1);
}

/// Comes back in a new session; what was sent behind the login.
fn anew(pair: &mut Pair) {
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    pair.open_socket();
    pair.login(&Fault::None);
    pair.sent.retain(|frame| frame.contains(INFO) || frame.contains(PUBSUB));
}

#[test]
fn it_waits_for_a_connection() {
    let mut pair = minding();
    let under_way = set(&mut pair, "bob@example.org", "1");
    published(&mut pair);
    pair.close_socket();
    let later = set(&mut pair, "eve@example.org", "2");
    let last = set(&mut pair, "bob@example.org", "3");
    anew(&mut pair);
    // Another session, perhaps another server.
    minds(&mut pair, true);
    let (asked, texts) = published(&mut pair);
    // In the place of what was under way.
    assert_eq!(texts, ["bob@example.org", OWN, "3"]);
    pair.answer(&asked, "");
    let (asked, texts) = published(&mut pair);
    assert_eq!(texts, ["eve@example.org", OWN, "2"]);
    pair.answer(&asked, "");
    for call in [under_way, later, last] {
        assert_eq!(pair.value(call), Value::Null);
    }
    // Where nothing has taken its place, it goes again, and so does the question before it.
    let call = set(&mut pair, "bob@example.org", "4");
    published(&mut pair);
    for _ in 0..2 {
        pair.close_socket();
        anew(&mut pair);
        assert!(pair.sent[0].contains(INFO), "{:?}", pair.sent);
    }
    minds(&mut pair, true);
    let (asked, texts) = published(&mut pair);
    assert_eq!(texts, ["bob@example.org", OWN, "4"]);
    pair.answer(&asked, "");
    assert_eq!(pair.value(call), Value::Null);
}

#[test]
fn xep0198_5_it_goes_on_with_the_session() {
    let mut pair = sm::online();
    pair.close_socket();
    let call = set(&mut pair, "bob@example.org", "1");
    sm::again(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST);
    pair.sent.retain(|frame| frame.contains(INFO));
    minds(&mut pair, true);
    pair.sent.retain(|frame| frame.contains(PUBSUB));
    let (asked, _) = published(&mut pair);
    sm::back(&mut pair);
    sm::resumed(&mut pair, sm::FIRST + 2);
    pair.answer(&asked, "");
    assert_eq!(pair.value(call), Value::Null);
}

#[test]
fn a_silent_server_keeps_nobody_waiting() {
    let mut config = config();
    config.session.silence = u64::MAX;
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
    let call = set(&mut pair, "bob@example.org", "7");
    let asked = pair.element();
    pair.advance(120_000);
    assert_eq!(pair.error(call).code(), Code::Timeout);
    assert!(xml::write(&asked).unwrap().contains(INFO));
}
