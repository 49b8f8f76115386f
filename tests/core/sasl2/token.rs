//! Tokens: one round trip (XEP-0484).

use super::*;
use stanzawire::engine::Command;

#[test]
fn xep0484_3_4_a_login_with_a_token_takes_one_round_trip() {
    let mut pair = online("secret-token:1");
    back(&mut pair);
    let asked = authenticate(&mut pair, "HT-SHA-256-NONE");
    assert!(asked.child("fast", FAST).is_some());
    assert!(asked.child("request-token", FAST).is_none());
    let message = STANDARD.decode(initial(&asked)).unwrap();
    assert_eq!(
        message,
        [b"alice\0".as_slice(), &hashed("secret-token:1", "Initiator")].concat()
    );
    pair.nothing_sent();
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    pair.nothing_sent();
    success(
        &mut pair,
        Some(&responder("secret-token:1")),
        FULL,
        "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>",
    );
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn xep0484_3_5_the_next_token_takes_its_place() {
    let mut pair = online("one");
    for (token, next) in [("one", "two"), ("two", "two"), ("two", "two")] {
        back(&mut pair);
        let asked = authenticate(&mut pair, "HT-SHA-256-NONE");
        let message = STANDARD.decode(initial(&asked)).unwrap();
        assert!(message.ends_with(&hashed(token, "Initiator")));
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        let along = bound(&enabled("session")) + &issued(next);
        let failed = format!("<failed xmlns='{SM}'/>");
        success(&mut pair, Some(&responder(token)), FULL, &(failed + &along));
        features(&mut pair, BEHIND);
        settle(&mut pair);
    }
}

#[test]
fn xep0484_4_1_a_token_that_is_refused_is_dropped() {
    let mut pair = online("old");
    back(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    pair.receive(&format!(
        "<failure xmlns='{SASL2}'><credentials-expired xmlns='{SASL}'/></failure>"
    ));
    // In the same stream, with the password.
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(asked.child("request-token", FAST).is_some());
    assert!(asked.child("resume", SM).is_some(), "the session isn't lost by that");
    let proof = scram(&mut pair, &asked);
    success(
        &mut pair,
        Some(&proof),
        FULL,
        "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>",
    );
    assert_eq!(pair.engine.status(), Status::Online);
    back(&mut pair);
    authenticate(&mut pair, "SCRAM-SHA-1");
}

#[test]
fn xep0484_3_6_a_logout_makes_the_token_worthless() {
    let mut pair = online("secret-token:1");
    let call = pair.call(Command::Disconnect);
    pair.sent.retain(|frame| frame.starts_with("<close "));
    assert!(pair.element().is("close", "urn:ietf:params:xml:ns:xmpp-framing"));
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert_eq!(pair.engine.status(), Status::Offline);
    assert!(pair.is_open(call));
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let asked = authenticate(&mut pair, "HT-SHA-256-NONE");
    assert_eq!(asked.child("fast", FAST).unwrap().attr("invalidate"), Some("true"));
    assert!(asked.child("bind", BIND2).is_none() && asked.child("resume", SM).is_none());
    success(&mut pair, Some(&responder("secret-token:1")), "alice@example.org", "");
    assert!(pair.element().is("close", "urn:ietf:params:xml:ns:xmpp-framing"));
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert!(pair.socket.is_none());
    // And it isn't used any more.
    let call = pair.connect();
    pair.open_socket();
    header(&mut pair);
    authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(pair.is_open(call));
}

#[test]
fn xep0484_3_5_where_the_next_token_is_worth_nothing_a_logout_gives_back_the_one_before() {
    // A login that was given up has come through late, and has brought a token that nobody got.
    let mut pair = online("one");
    back(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>".to_owned();
    success(&mut pair, Some(&responder("one")), FULL, &(resumed + &issued("two")));
    features(&mut pair, BEHIND);
    let call = pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    pair.sent.clear();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    for token in ["two", "one"] {
        assert!(pair.is_open(call));
        let asked = authenticate(&mut pair, "HT-SHA-256-NONE");
        assert!(
            STANDARD
                .decode(initial(&asked))
                .unwrap()
                .ends_with(&hashed(token, "Initiator"))
        );
        assert_eq!(asked.child("fast", FAST).unwrap().attr("invalidate"), Some("true"));
        pair.receive(&format!(
            "<failure xmlns='{SASL2}'><credentials-expired xmlns='{SASL}'/></failure>"
        ));
    }
    assert!(pair.element().is("close", "urn:ietf:params:xml:ns:xmpp-framing"));
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

/// A client that has logged out, as far as the socket for the end of its token.
fn leaving() -> (Pair, Ticket) {
    let mut pair = online("secret-token:1");
    let call = pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    pair.sent.clear();
    assert!(pair.is_open(call));
    (pair, call)
}

#[test]
fn a_logout_waits_for_nobody() {
    // A server that can't be reached, one that says nothing, one that has lost its tokens, one that is none.
    type Act = fn(&mut Pair);
    let acts: [Act; 5] = [
        |pair| pair.close_socket(),
        |pair| pair.advance(3_000),
        |pair| {
            pair.open_socket();
            pair.advance(3_000);
        },
        |pair| {
            pair.open_socket();
            announce(pair, &["SCRAM-SHA-1"], "");
        },
        |pair| {
            pair.open_socket();
            pair.receive("<html/>");
        },
    ];
    for act in acts {
        let (mut pair, call) = leaving();
        act(&mut pair);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        assert!(pair.socket.is_none());
        assert_eq!(pair.engine.next_deadline(), None);
    }
}

#[test]
fn a_login_does_not_wait_for_the_logout_before_it() {
    let (mut pair, call) = leaving();
    let joined = pair.call(Command::Disconnect);
    let again = pair.connect();
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(pair.reply(joined), Ok(Reply::Done));
    pair.open_socket();
    header(&mut pair);
    authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(pair.is_open(again));
}

#[test]
fn a_logout_takes_the_token_out_of_the_store() {
    let mut config = crate::sm::kept::storing();
    config.session.keep_token = true;
    let mut pair = online_with(config, "secret-token:1");
    let kept = |pair: &Pair| pair.kept.keys().any(|key| key.ends_with(":token"));
    assert!(kept(&pair));
    pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert!(!kept(&pair));
}

#[test]
fn without_leave_a_token_ends_with_the_page() {
    let mut pair = online_with(crate::sm::kept::storing(), "secret-token:1");
    pair.handle(stanzawire::engine::Input::PageHidden);
    let all = format!("{:?}{:?}", pair.kept, pair.stored);
    assert!(pair.kept.len() > 1 && !all.contains("secret-token"), "{all}");
}

#[test]
fn xep0388_2_3_an_agent_for_each_tab() {
    let agent = |pair: &mut Pair| {
        let asked = authenticate(pair, "SCRAM-SHA-1");
        asked.child("user-agent", SASL2).unwrap().attr("id").unwrap().to_owned()
    };
    let met = |pair: &mut Pair| {
        pair.connect();
        if let Some((id, _)) = pair.load.take() {
            pair.handle(stanzawire::engine::Input::Loaded { id, value: None });
        }
        pair.open_socket();
        header(pair);
        announce(pair, &["SCRAM-SHA-1"], INLINE);
    };
    let mut one = Pair::new(crate::sm::kept::storing());
    met(&mut one);
    let first = agent(&mut one);
    // The same store, whose lock the first one holds, and then doesn't any more.
    let mut two = Pair::seeded(crate::sm::kept::storing(), 7);
    (two.kept, two.locked) = (one.kept.clone(), one.locked.clone());
    met(&mut two);
    assert_ne!(agent(&mut two), first);
    let mut three = Pair::seeded(crate::sm::kept::storing(), 8);
    three.kept = one.kept;
    met(&mut three);
    assert_eq!(agent(&mut three), first);
}

#[test]
fn xep0484_3_6_so_does_a_logout_while_it_comes_back() {
    for dials in [false, true] {
        let mut pair = online("secret-token:1");
        pair.close_socket();
        if dials {
            pair.advance(60_000);
            pair.open_socket();
            header(&mut pair);
            authenticate(&mut pair, "HT-SHA-256-NONE");
        }
        pair.sent.clear();
        let call = pair.call(Command::Disconnect);
        assert_eq!(pair.engine.status(), Status::Offline);
        assert!(pair.is_open(call));
        pair.sent.clear();
        pair.open_socket();
        header(&mut pair);
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        let asked = authenticate(&mut pair, "HT-SHA-256-NONE");
        assert_eq!(asked.child("fast", FAST).unwrap().attr("invalidate"), Some("true"));
        assert!(asked.child("resume", SM).is_none());
        success(&mut pair, Some(&responder("secret-token:1")), "alice@example.org", "");
        assert_eq!(pair.reply(call), Ok(Reply::Done));
    }
}
