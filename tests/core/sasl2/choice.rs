//! Which profile, which mechanism, and who is asked for credentials.

use super::*;
use crate::pair::password;
use sha1::Digest;
use stanzawire::engine::{Event, Input, Observe};
use stanzawire::error::Code;
use stanzawire::sasl::{Credentials, Secret};
use stanzawire::session::CredentialSource;

/// A first meeting, with these credentials, up to the server's features.
fn met(credentials: CredentialSource, plain: bool, mechanisms: &[&str], inline: &str) -> (Pair, Ticket) {
    let mut config = config();
    config.session.credentials = credentials;
    config.session.allow_plain = plain;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, mechanisms, inline);
    (pair, call)
}

fn token() -> CredentialSource {
    CredentialSource::Fixed(Credentials::Token(Secret::new(b"oauth".to_vec())))
}

fn external() -> CredentialSource {
    CredentialSource::Fixed(Credentials::External { authzid: None })
}

/// A server that has neither tokens nor stream management, and nothing else that would change the count.
const BIND: &str =
    "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/>";

#[test]
fn xep0388_one_message_takes_two_round_trips_and_then_one() {
    for (name, credentials) in [
        ("PLAIN", password("secret")),
        ("OAUTHBEARER", token()),
        ("EXTERNAL", external()),
    ] {
        let (mut pair, call) = met(credentials, true, &[name], BIND);
        authenticate(&mut pair, name);
        success(&mut pair, None, FULL, &bound(&enabled("session-1")));
        assert_eq!(pair.reply(call), Ok(Reply::Done), "{name}");
        features(&mut pair, BEHIND);
        settle(&mut pair);
        for resumed in [true, false] {
            back(&mut pair);
            let asked = authenticate(&mut pair, name);
            assert!(asked.child("resume", SM).is_some());
            pair.nothing_sent();
            announce(&mut pair, &[name], BIND);
            pair.nothing_sent();
            let along = if resumed {
                "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='4'/>".to_owned()
            } else {
                format!("<failed xmlns='{SM}'/>") + &bound(&enabled("session-2"))
            };
            success(&mut pair, None, FULL, &along);
            assert_eq!(pair.engine.status(), Status::Online, "{name}");
            features(&mut pair, BEHIND);
        }
    }
}

#[test]
fn xep0388_where_the_list_has_nothing_for_these_credentials_the_other_profile_has() {
    let (mut pair, _) = {
        let mut pair = Pair::new(config());
        let call = pair.connect();
        pair.open_socket();
        header(&mut pair);
        pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
        features(
            &mut pair,
            &format!(
                "<mechanisms xmlns='{SASL}'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>\
                 <authentication xmlns='{SASL2}'><mechanism>OAUTHBEARER</mechanism></authentication>"
            ),
        );
        (pair, call)
    };
    assert!(pair.element().is("auth", SASL));
    // And where neither has: the reason of the one that there is.
    let (pair, call) = met(token(), false, &["SCRAM-SHA-1"], BIND);
    assert_eq!(pair.error(call).code(), Code::NoMechanism);
}

/// XEP-0474 §6.1: the list of the profile in use, with the types of channel binding; here there are none.
fn signed(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    let hash = sha1::Sha1::digest(names.join("\x1e"));
    format!(",h={}", STANDARD.encode(hash))
}

#[test]
fn xep0474_6_1_each_profile_has_a_list_of_its_own() {
    for (names, good) in [
        (["SCRAM-SHA-1", "EXTERNAL"].as_slice(), true),
        (&["SCRAM-SHA-1", "SCRAM-SHA-256"], false),
    ] {
        let mut pair = Pair::new(config());
        let call = pair.connect();
        pair.open_socket();
        header(&mut pair);
        pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
        features(
            &mut pair,
            &format!(
                "<mechanisms xmlns='{SASL}'><mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-256</mechanism></mechanisms>\
                 <authentication xmlns='{SASL2}'><mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-1</mechanism></authentication>"
            ),
        );
        let asked = authenticate(&mut pair, "SCRAM-SHA-1");
        let mut scram = Scram::new("secret");
        scram.extensions = signed(names);
        let challenge = scram.challenge(&initial(&asked), &Fault::None);
        pair.receive(&challenge.replace(SASL, SASL2));
        pair.derive_key();
        match good {
            true => assert!(pair.element().is("response", SASL2)),
            false => assert_eq!(pair.error(call).code(), Code::Downgrade),
        }
    }
}

#[test]
fn stream_management_behind_the_resource_is_waited_for() {
    let bind = "<bind xmlns='urn:xmpp:bind:0'/>";
    let (mut pair, call) = met(password("secret"), false, &["SCRAM-SHA-1"], bind);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(asked.child("bind", BIND2).unwrap().child("enable", SM).is_none());
    let proof = scram(&mut pair, &asked);
    success(&mut pair, Some(&proof), FULL, &bound(""));
    assert!(pair.is_open(call), "else what is sent now would not be counted");
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>early</body></message>");
    pair.nothing_sent();
    features(&mut pair, BEHIND);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert!(pair.element().is("enable", SM));
    assert_eq!(pair.messages().len(), 1);
}

#[test]
fn xep0388_2_6_1_without_a_resource_the_rfc_has_the_way_on() {
    let (mut pair, call) = met(
        password("secret"),
        false,
        &["SCRAM-SHA-1"],
        "<unknown xmlns='urn:example'/>",
    );
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(asked.child("bind", BIND2).is_none());
    let proof = scram(&mut pair, &asked);
    success(&mut pair, Some(&proof), "alice@example.org", "");
    features(&mut pair, BEHIND);
    pair.bind(FULL);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn nobody_is_asked_for_credentials_while_there_is_a_token() {
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
    back(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    assert_eq!(pair.asked, None);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    pair.receive(&format!(
        "<failure xmlns='{SASL2}'><not-authorized xmlns='{SASL}'/></failure>"
    ));
    pair.nothing_sent();
    give(&mut pair);
    authenticate(&mut pair, "SCRAM-SHA-1");
}

#[test]
fn without_credentials_and_without_a_token_there_is_no_login() {
    let (pair, call) = met(CredentialSource::None, false, &["SCRAM-SHA-1"], INLINE);
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
}

#[test]
fn the_option_for_a_resource_becomes_the_tag() {
    let mut config = config();
    config.session.resource = Some("desk".into());
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let tag = asked.child("bind", BIND2).unwrap().child_text("tag", BIND2);
    assert_eq!(tag.as_deref(), Some("desk"));
}

#[test]
fn credentials_are_not_in_the_frames_that_are_shown() {
    let mut pair = Pair::new(config());
    pair.engine.observe(Observe {
        stanzas: false,
        frames: true,
    });
    let call = pair.connect();
    first(&mut pair, call, "secret-token:1");
    settle(&mut pair);
    back(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    success(&mut pair, Some(&responder("secret-token:1")), FULL, "");
    let frames = pair.events.iter().filter_map(|event| match event {
        Event::Frame { data, .. } => Some(data.as_str()),
        _ => None,
    });
    let frames: Vec<&str> = frames.collect();
    let all = frames.concat();
    assert!(!all.contains("secret-token"), "{all}");
    let secrets = [
        responder("secret-token:1"),
        STANDARD.encode([b"alice\0".as_slice(), &hashed("secret-token:1", "Initiator")].concat()),
    ];
    assert!(secrets.iter().all(|secret| !all.contains(secret.as_str())), "{all}");
    for (shown, count) in [
        ("<initial-response>[redacted]</initial-response>", 2),
        (">[redacted]</challenge>", 1),
        (">[redacted]</response>", 1),
        ("<additional-data>[redacted]</additional-data>", 2),
        (" token=\"[redacted]\"", 1),
        (
            "<authorization-identifier>alice@example.org/stanzawire.1</authorization-identifier>",
            2,
        ),
        ("<mechanism>SCRAM-SHA-1</mechanism>", 4),
    ] {
        assert_eq!(all.matches(shown).count(), count, "{shown}: {all}");
    }
}

/// So that whatever the server still has of the session before ends there (RFC 6120 §7.7.2.2).
#[test]
fn a_resource_that_was_bound_by_a_tag_is_asked_for_the_old_way() {
    for (asked, again) in [("stanzawire", "stanzawire.1"), ("desk", "desk")] {
        let mut config = config();
        config.session.resource = Some(asked.into());
        let mut pair = online_with(config, "");
        pair.close_socket();
        pair.advance(60_000);
        pair.open_socket();
        pair.sent.clear();
        announce(&mut pair, &["SCRAM-SHA-1"], "");
        pair.sent.clear();
        // It has lost what it offered along with the authentication, and the session.
        pair.open_socket();
        header(&mut pair);
        announce(&mut pair, &["SCRAM-SHA-1"], "");
        let authenticate = authenticate(&mut pair, "SCRAM-SHA-1");
        let proof = scram(&mut pair, &authenticate);
        success(&mut pair, Some(&proof), "alice@example.org", "");
        features(&mut pair, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        let bind = pair.element();
        let bind = bind.children().next().unwrap();
        assert_eq!(bind.child_text("resource", bind.ns()).as_deref(), Some(again));
    }
}
