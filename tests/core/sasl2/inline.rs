//! What goes along with an authentication.

use super::*;
use stanzawire::engine::Input;

#[test]
fn xep0388_2_a_first_login_takes_three_round_trips() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    header(&mut pair);
    pair.nothing_sent();
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let bind = asked.child("bind", BIND2).expect("XEP-0386 §2.2");
    assert_eq!(bind.child_text("tag", BIND2).as_deref(), Some("stanzawire"));
    assert_eq!(
        bind.child("enable", SM).and_then(|enable| enable.attr("resume")),
        Some("true")
    );
    assert!(bind.child("inactive", "urn:xmpp:csi:0").is_none(), "somebody looks");
    let request = asked.child("request-token", FAST).expect("XEP-0484 §3.2");
    assert_eq!(request.attr("mechanism"), Some("HT-SHA-256-NONE"));
    pair.nothing_sent();
    let proof = scram(&mut pair, &asked);
    assert!(pair.is_open(call));
    success(&mut pair, Some(&proof), FULL, &bound(&enabled("session-1")));
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(pair.engine.jid().as_str(), FULL);
    let roster = pair.element();
    assert!(roster.child("query", "jabber:iq:roster").is_some(), "{roster:?}");
    pair.sent.retain(|frame| !frame.starts_with("<r "));
    assert!(pair.element().is("presence", "jabber:client"));
}

#[test]
fn xep0388_2_a_server_that_is_known_needs_two() {
    let mut pair = online("");
    pair.close_socket();
    pair.advance(60_000);
    pair.open_socket();
    header(&mut pair);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    pair.nothing_sent();
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    pair.nothing_sent();
    let proof = scram(&mut pair, &asked);
    success(
        &mut pair,
        Some(&proof),
        "alice@example.org",
        "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>",
    );
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn xep0198_a_session_goes_on_along_with_the_authentication() {
    let mut pair = online("");
    let call = pair.send("bob@example.org", "one");
    pair.sent.clear();
    back(&mut pair);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let resume = asked.child("resume", SM).expect("the session");
    assert_eq!(
        (resume.attr("previd"), resume.attr("h")),
        (Some("session-1"), Some("1"))
    );
    assert!(asked.child("bind", BIND2).is_some(), "in case that it is gone");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let proof = scram(&mut pair, &asked);
    success(
        &mut pair,
        Some(&proof),
        FULL,
        "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>",
    );
    let again = pair.element();
    assert_eq!(again.child_text("body", "jabber:client").as_deref(), Some("one"));
    // XEP-0388 §2.6.1: the features may come behind what waited.
    features(&mut pair, BEHIND);
    pair.receive(&format!("<a xmlns='{SM}' h='4'/>"));
    assert!(pair.reply(call).is_ok());
}

#[test]
fn xep0386_2_2_a_session_that_is_gone_is_followed_by_a_new_one() {
    let mut pair = online("");
    let call = pair.send("bob@example.org", "one");
    pair.sent.clear();
    back(&mut pair);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let proof = scram(&mut pair, &asked);
    let failed =
        format!("<failed xmlns='{SM}' h='4'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
    success(&mut pair, Some(&proof), FULL, &(failed + &bound(&enabled("session-2"))));
    assert!(pair.reply(call).is_ok(), "the server had taken it");
    features(&mut pair, BEHIND);
    settle(&mut pair);
    assert_eq!(pair.engine.status(), Status::Online);
    // What is sent now counts in the new session.
    let call = pair.send("bob@example.org", "two");
    pair.sent.clear();
    back(&mut pair);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let resume = asked.child("resume", SM).unwrap();
    assert_eq!(
        (resume.attr("previd"), resume.attr("h")),
        (Some("session-2"), Some("1"))
    );
    assert!(pair.is_open(call));
}

#[test]
fn xep0352_nobody_looks_from_the_beginning() {
    let mut pair = Pair::new(config());
    pair.handle(Input::Visible(false));
    pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let bind = asked.child("bind", BIND2).unwrap();
    assert!(bind.child("inactive", "urn:xmpp:csi:0").is_some());
    let proof = scram(&mut pair, &asked);
    success(&mut pair, Some(&proof), FULL, &bound(&enabled("session-1")));
    features(&mut pair, BEHIND);
    settle(&mut pair);
    pair.handle(Input::Visible(true));
    assert!(pair.sent.iter().any(|frame| frame.starts_with("<active ")));
}

/// The server has stopped offering to resume along with the authentication; what it offers behind it is what counts then.
#[test]
fn xep0198_a_session_that_cannot_go_on_along_with_the_authentication_does_so_behind_it() {
    let offer = INLINE.replace("<sm xmlns='urn:xmpp:sm:3'/>", "");
    for gone in [false, true] {
        let mut pair = Pair::new(config());
        let login = pair.connect();
        pair.open_socket();
        header(&mut pair);
        announce(&mut pair, &["SCRAM-SHA-1"], &offer);
        let asked = authenticate(&mut pair, "SCRAM-SHA-1");
        assert!(asked.child("bind", BIND2).is_some());
        let proof = scram(&mut pair, &asked);
        success(&mut pair, Some(&proof), FULL, &bound(&enabled("session-1")));
        assert_eq!(pair.reply(login), Ok(Reply::Done));
        features(&mut pair, BEHIND);
        settle(&mut pair);
        let call = pair.send("bob@example.org", "one");
        pair.sent.clear();
        back(&mut pair);
        let asked = authenticate(&mut pair, "SCRAM-SHA-1");
        assert!(asked.child("resume", SM).is_none(), "it isn't offered");
        assert!(asked.child("bind", BIND2).is_none(), "there is a session yet");
        announce(&mut pair, &["SCRAM-SHA-1"], &offer);
        let proof = scram(&mut pair, &asked);
        success(&mut pair, Some(&proof), "alice@example.org", "");
        pair.nothing_sent();
        if gone {
            // There is no stream management any more.
            features(&mut pair, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
            let bind = pair.element();
            let question = bind.child("bind", "urn:ietf:params:xml:ns:xmpp-bind");
            let resource = question.and_then(|bind| bind.child_text("resource", bind.ns()));
            assert_eq!(resource.as_deref(), Some("stanzawire.1"), "which ends the one before");
            assert!(pair.is_open(call), "the archive knows");
            continue;
        }
        features(&mut pair, BEHIND);
        let resume = pair.element();
        assert!(resume.is("resume", SM), "{resume:?}");
        pair.receive("<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>");
        assert_eq!(pair.engine.status(), Status::Online);
        let again = pair.element();
        assert_eq!(again.child_text("body", "jabber:client").as_deref(), Some("one"));
    }
}
