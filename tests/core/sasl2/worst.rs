//! What happens at the worst moment.

use super::*;
use crate::sm::kept::storing;
use stanzawire::engine::{Command, Event, Input, Observe};
use stanzawire::error::Code;
use stanzawire::im::Named;
use stanzawire::sasl::{Credentials, Secret};
use stanzawire::session::CredentialSource;

/// Comes back as soon as the client does.
fn soon(pair: &mut Pair) {
    pair.close_socket();
    pair.sent.clear();
    while pair.socket.is_none() {
        pair.advance(500);
    }
    pair.open_socket();
    header(pair);
}

fn refuse(pair: &mut Pair, condition: &str) {
    pair.receive(&format!(
        "<failure xmlns='{SASL2}'><{condition} xmlns='{SASL}'/></failure>"
    ));
}

fn keeping() -> Config {
    let mut config = storing();
    config.session.keep_token = true;
    config
}

/// The page after this one, with these options; the server is known.
fn next_page(old: Pair, config: Config, mute: Option<&'static str>) -> (Pair, Ticket) {
    let known = old.stored.last().and_then(|(_, value)| value.clone());
    let mut pair = Pair::seeded(config, 7);
    pair.kept = old.kept;
    pair.mute = mute;
    let call = pair.connect();
    let (id, _) = pair.load.take().expect("the store is asked");
    pair.handle(Input::Loaded {
        id,
        value: known.as_deref(),
    });
    (pair, call)
}

#[test]
fn a_person_who_is_asked_after_a_refused_token_is_left_alone() {
    let mut config = config();
    config.session.credentials = CredentialSource::Ask;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let give = |pair: &mut Pair| {
        let id = pair.asked.take().expect("the app is asked");
        let outcome = Ok(Credentials::Password(Secret::new(b"secret".to_vec())));
        pair.handle(Input::Credentials { id, outcome });
    };
    give(&mut pair);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let proof = scram(&mut pair, &asked);
    success(
        &mut pair,
        Some(&proof),
        FULL,
        &(bound(&enabled("session-1")) + &issued("token")),
    );
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    features(&mut pair, BEHIND);
    settle(&mut pair);
    soon(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    refuse(&mut pair, "not-authorized");
    let closed = pair.closed;
    pair.advance(20_000);
    pair.nothing_sent();
    assert_eq!(pair.closed, closed, "the server has answered all that it was sent");
    give(&mut pair);
    authenticate(&mut pair, "SCRAM-SHA-1");
}

#[test]
fn where_there_is_nothing_but_a_refused_token_nothing_is_tried_again() {
    let old = online_with(keeping(), "secret-token:1");
    let mut config = keeping();
    config.session.credentials = CredentialSource::None;
    let (mut pair, call) = next_page(old, config, None);
    pair.open_socket();
    header(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let along = bound(&enabled("session-2"));
    success(&mut pair, Some(&responder("secret-token:1")), FULL, &along);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    features(&mut pair, BEHIND);
    settle(&mut pair);

    // The server can't say at the moment: that passes.
    soon(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    refuse(&mut pair, "temporary-auth-failure");
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    while pair.socket.is_none() {
        pair.advance(500);
    }
    pair.sent.clear();
    pair.open_socket();
    header(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    refuse(&mut pair, "not-authorized");
    pair.advance(600_000);
    assert_eq!(pair.engine.status(), Status::Offline);
    let errors = pair.events.iter().filter_map(|event| match event {
        Event::Error(error) => Some(error.code()),
        _ => None,
    });
    assert_eq!(errors.collect::<Vec<_>>(), [Code::InvalidArgument]);
}

#[test]
fn a_store_that_says_nothing_of_the_token_costs_no_message() {
    let mut old = online_with(keeping(), "secret-token:1");
    old.send("bob@example.org", "one");
    old.handle(Input::PageHidden);
    let (mut pair, _) = next_page(old, keeping(), Some(":token"));
    pair.advance(2_000);
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(asked.child("resume", SM).is_some(), "{asked:?}");
    let proof = scram(&mut pair, &asked);
    let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='4'/>";
    success(&mut pair, Some(&proof), FULL, resumed);
    let told = |event: &&Event| matches!(event, Event::Im(event) if event.name() == "sent");
    assert_eq!(pair.events.iter().filter(told).count(), 1, "{:?}", pair.events);
}

#[test]
fn the_next_page_gives_no_token_to_a_host_that_was_redirected_to() {
    let mut config = keeping();
    config.session.url = None;
    let mut pair = Pair::new(config.clone());
    let call = pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(Input::Loaded { id, value: None });
    let links = "{\"links\":[{\"rel\":\"urn:xmpp:alt-connections:websocket\",\"href\":\"wss://example.org/ws\"}]}";
    pair.jrd(stanzawire::engine::Fetched::Response {
        status: 200,
        body: links,
    });
    if !pair.fetches.is_empty() {
        pair.xrd(stanzawire::engine::Fetched::Response { status: 404, body: "" });
    }
    first(&mut pair, call, "secret-token:1");
    settle(&mut pair);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://example.net/ws'/>");
    pair.sent.clear();
    while pair.socket.is_none() {
        pair.advance(500);
    }
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://example.net/ws");
    pair.open_socket();
    assert!(pair.element().attr("from").is_none());
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let auth = pair.element();
    assert!(auth.is("auth", SASL));
    let mut server = Scram::new("secret");
    pair.receive(&server.challenge(&auth.text(), &Fault::None));
    pair.derive_key();
    let response = pair.element();
    pair.receive(&server.success(&response.text(), &Fault::None));
    pair.sent.clear();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s2' version='1.0'/>");
    features(&mut pair, BEHIND);
    pair.receive("<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>");
    assert_eq!(pair.engine.status(), Status::Online);
    pair.handle(Input::PageHidden);

    let (mut pair, _) = next_page(pair, config, None);
    let at = pair.socket.as_ref().map(|(_, url)| url.clone());
    assert_eq!(at.as_deref(), Some("wss://example.net/ws"));
    pair.open_socket();
    assert!(pair.element().attr("from").is_none());
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    assert!(pair.element().is("auth", SASL));
}

#[test]
fn a_logout_takes_the_token_out_of_a_store_that_has_failed() {
    let mut pair = online_with(keeping(), "secret-token:1");
    pair.store_fails = true;
    pair.send("bob@example.org", "one");
    pair.handle(Input::PageHidden);
    pair.advance(2_000);
    assert!(pair.kept.keys().any(|key| key.ends_with(":token")));
    pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert!(!pair.kept.keys().any(|key| key.ends_with(":token")), "{:?}", pair.kept);
}

#[test]
fn credentials_are_not_in_the_frames_that_are_shown_however_they_are_written() {
    let whole = |name: &str, end: &str| {
        let token = "<token xmlns='urn:xmpp:fast:0' token='secret-token:1'/>";
        format!("<success xmlns='{name}'><additional-data>c2VjcmV0</additional-data>{token}</success>{end}")
    };
    for (frame, shown) in [
        (whole("urn:xmpp:sasl&#58;2", ""), true),
        (whole("&#x75;rn:xmpp:sasl:2", ""), true),
        (whole(SASL2, "<r/>"), false),
        (whole(SASL2, "")[..130].to_owned(), false),
    ] {
        let mut pair = Pair::new(config());
        pair.engine.observe(Observe {
            stanzas: false,
            frames: true,
        });
        pair.connect();
        pair.open_socket();
        header(&mut pair);
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        authenticate(&mut pair, "SCRAM-SHA-1");
        pair.receive(&frame);
        let frames = pair.events.iter().filter_map(|event| match event {
            Event::Frame { data, .. } => Some(data.as_str()),
            _ => None,
        });
        let all = frames.collect::<Vec<_>>().concat();
        assert!(
            !all.contains("secret-token") && !all.contains("c2VjcmV0"),
            "{frame}: {all}"
        );
        assert_eq!(all.contains("<additional-data>[redacted]"), shown, "{all}");
    }
}

#[test]
fn a_token_of_a_session_that_can_not_be_resumed_is_given_back_as_well() {
    let inline =
        "<bind xmlns='urn:xmpp:bind:0'/><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>";
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], inline);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let proof = scram(&mut pair, &asked);
    success(&mut pair, Some(&proof), FULL, &(bound("") + &issued("secret-token:1")));
    features(&mut pair, "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    pair.close_socket();
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    pair.sent.clear();
    let call = pair.call(Command::Disconnect);
    assert!(pair.is_open(call));
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], inline);
    let asked = authenticate(&mut pair, "HT-SHA-256-NONE");
    assert_eq!(asked.child("fast", FAST).unwrap().attr("invalidate"), Some("true"));
    success(&mut pair, Some(&responder("secret-token:1")), "alice@example.org", "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn xep0484_3_1_a_server_that_learns_another_mechanism_still_takes_the_token() {
    let more = INLINE.replace(
        "<mechanism>HT-SHA-256-NONE</mechanism>",
        "<mechanism>HT-SHA-512-NONE</mechanism><mechanism>HT-SHA-256-NONE</mechanism>",
    );
    let mut pair = online("secret-token:1");
    back(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], &more);
    success(
        &mut pair,
        Some(&responder("secret-token:1")),
        FULL,
        "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>",
    );
    assert_eq!(pair.engine.status(), Status::Online);
    // And as one that is known.
    back(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
}

#[test]
fn a_connection_that_is_cut_once_is_no_reason_to_wait_for_ever() {
    for announced in [false, true] {
        let mut pair = online("secret-token:1");
        back(&mut pair);
        authenticate(&mut pair, "HT-SHA-256-NONE");
        if announced {
            announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        }
        let cut = |pair: &mut Pair| {
            pair.close_socket();
            while pair.socket.is_none() {
                pair.advance(1_000);
            }
            pair.open_socket();
            header(pair);
        };
        cut(&mut pair);
        authenticate(&mut pair, "HT-SHA-256-NONE");
        if announced {
            continue;
        }
        // Twice may be the server's own wish.
        cut(&mut pair);
        pair.nothing_sent();
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        authenticate(&mut pair, "HT-SHA-256-NONE");
    }
}

#[test]
fn leave_that_is_taken_back_takes_the_token_along() {
    let mut config = storing();
    config.session.keep_token = true;
    let old = online_with(config, "secret-token:1");
    let mut pair = Pair::seeded(storing(), 7);
    pair.kept = old.kept;
    pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(Input::Loaded { id, value: None });
    assert!(pair.kept.keys().all(|key| !key.ends_with(":token")), "{:?}", pair.kept);
}

#[test]
fn xep0484_3_3_who_is_another_user_agent_uses_no_token_of_the_last_one() {
    let mut old = online_with(keeping(), "secret-token:1");
    old.advance(1_000);
    // The store says what the token is, and falls silent: the page begins as if there were nothing.
    let (mut pair, _) = next_page(old, keeping(), Some(":0"));
    assert!(pair.socket.is_none());
    pair.advance(2_000);
    pair.open_socket();
    header(&mut pair);
    if pair.sent.is_empty() {
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    }
    authenticate(&mut pair, "SCRAM-SHA-1");
}
