//! Servers that are at fault, and stores that say what nobody wrote.

use super::*;
use crate::sm::kept::storing;
use stanzawire::engine::Input;
use stanzawire::error::{Code, Error};

const RESUMED: &str = "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>";

/// A first login up to what the server says at its end, which `end` makes of its proof.
fn ended(inline: &str, end: impl FnOnce(&str) -> String) -> (Pair, Ticket) {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], inline);
    let asked = authenticate(&mut pair, "SCRAM-SHA-1");
    let proof = scram(&mut pair, &asked);
    pair.receive(&end(&proof));
    (pair, call)
}

fn whole(data: &str, rest: &str) -> String {
    format!("<success xmlns='{SASL2}'><additional-data>{data}</additional-data>{rest}</success>")
}

fn address(jid: &str) -> String {
    format!("<authorization-identifier>{jid}</authorization-identifier>")
}

/// The error of the call, after which nothing is left of the connection.
fn failed((mut pair, call): (Pair, Ticket)) -> Error {
    assert!(pair.socket.is_none(), "{:?}", pair.sent);
    pair.advance(120_000);
    assert!(pair.socket.is_none(), "and it isn't tried again");
    assert_eq!(pair.engine.status(), Status::Offline);
    pair.error(call)
}

#[test]
fn xep0388_2_6_1_what_comes_without_a_proof_is_not_believed() {
    let rest = address(FULL) + &bound(&enabled("1")) + &issued("stolen");
    for success in [
        format!("<success xmlns='{SASL2}'>{rest}</success>"),
        whole("", &rest),
        whole("dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1E9", &rest),
    ] {
        let (mut pair, call) = ended(INLINE, |_| success.clone());
        assert_eq!(pair.error(call).code(), Code::ServerSignature, "{success}");
        // Nor is the token.
        pair.sent.clear();
        pair.connect();
        pair.open_socket();
        header(&mut pair);
        pair.nothing_sent();
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        authenticate(&mut pair, "SCRAM-SHA-1");
    }
}

#[test]
fn xep0484_the_responder_has_to_prove_itself_too() {
    let wrong = STANDARD.encode(hashed("secret-token:1", "Initiator"));
    let short = STANDARD.encode(&hashed("secret-token:1", "Responder")[..31]);
    for data in [None, Some(""), Some(wrong.as_str()), Some(short.as_str())] {
        let mut pair = online("secret-token:1");
        back(&mut pair);
        authenticate(&mut pair, "HT-SHA-256-NONE");
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        success(&mut pair, data, FULL, RESUMED);
        assert_eq!(pair.engine.status(), Status::Offline, "{data:?}");
        let errors = pair.events.iter().filter_map(|event| match event {
            stanzawire::engine::Event::Error(error) => Some(error.code()),
            _ => None,
        });
        assert_eq!(errors.collect::<Vec<_>>(), [Code::ServerSignature], "{data:?}");
    }
}

#[test]
fn xep0388_2_2_data_that_is_no_base64() {
    for data in ["%", "YQ", "YQ==YQ=="] {
        let error = failed(ended(INLINE, |_| whole(data, &address(FULL))));
        assert_eq!(error.code(), Code::ProtocolViolation, "{data}");
    }
}

#[test]
fn what_is_said_twice_is_not_believed_once() {
    let all = |proof: &str| format!("<additional-data>{proof}</additional-data>{}", address(FULL));
    let twice = |what: &str, proof: &str| {
        let bound = bound(&enabled("1"));
        let rest = match what {
            "additional-data" => format!("<additional-data>{proof}</additional-data>{bound}"),
            "authorization-identifier" => address("alice@example.org/other") + &bound,
            "bound" => bound.clone() + &bound,
            "token" => bound + &issued("1") + &issued("2"),
            "failed" => format!("<failed xmlns='{SM}'/><failed xmlns='{SM}'/>{bound}"),
            _ => RESUMED.to_owned() + RESUMED,
        };
        format!("<success xmlns='{SASL2}'>{}{rest}</success>", all(proof))
    };
    for what in [
        "additional-data",
        "authorization-identifier",
        "bound",
        "token",
        "failed",
        "resumed",
    ] {
        let error = failed(ended(INLINE, |proof| twice(what, proof)));
        assert_eq!(error.code(), Code::ProtocolViolation, "{what}");
    }
}

#[test]
fn what_nobody_asked_for_is_not_taken() {
    // A session where there was none; a resource where none was asked for.
    let end = |along: &str| {
        let along = along.to_owned();
        move |proof: &str| whole(proof, &(address(FULL) + &along))
    };
    for along in [RESUMED.to_owned(), RESUMED.to_owned() + &bound(&enabled("1"))] {
        let error = failed(ended(INLINE, end(&along)));
        assert_eq!(error.code(), Code::ProtocolViolation, "{along}");
    }
    let error = failed(ended("", end(&bound(&enabled("1")))));
    assert_eq!(error.code(), Code::ProtocolViolation);
}

#[test]
fn xep0388_2_6_1_the_address_is_ours_and_there() {
    for (jid, code) in [
        ("mallory@example.org/stanzawire.1", Code::BindFailed),
        ("alice@example.com/stanzawire.1", Code::BindFailed),
        ("example.org", Code::BindFailed),
        ("a@b@c", Code::BindFailed),
        ("", Code::BindFailed),
        // Bound, but to what?
        ("alice@example.org", Code::BindFailed),
    ] {
        let end = |proof: &str| whole(proof, &(address(jid) + &bound(&enabled("1"))));
        assert_eq!(failed(ended(INLINE, end)).code(), code, "{jid}");
    }
    let error = failed(ended(INLINE, |proof| whole(proof, &bound(&enabled("1")))));
    assert_eq!(error.code(), Code::ProtocolViolation);
}

#[test]
fn xep0198_5_another_session_than_the_one_asked_for() {
    for (jid, resumed) in [
        ("alice@example.org/other", RESUMED.to_owned()),
        (FULL, RESUMED.replace("session-1", "session-2")),
        (FULL, RESUMED.replace("'3'", "'4000'")),
        (FULL, RESUMED.replace("h='3'", "")),
    ] {
        let mut pair = online("");
        let call = pair.send("bob@example.org", "one");
        pair.sent.clear();
        back(&mut pair);
        let asked = authenticate(&mut pair, "SCRAM-SHA-1");
        announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
        let proof = scram(&mut pair, &asked);
        success(&mut pair, Some(&proof), jid, &resumed);
        // Nothing of it is believed, and the message isn't lost by that.
        assert_ne!(pair.engine.status(), Status::Online, "{resumed}");
        assert!(pair.is_open(call), "{resumed}");
    }
}

#[test]
fn xep0386_2_2_a_resource_that_is_promised_and_refused() {
    // As a server says it that has no room, and as one that forgets to say anything.
    for along in ["<failed xmlns='urn:xmpp:bind:0'/>", ""] {
        let (mut pair, call) = ended(INLINE, |proof| whole(proof, &(address("alice@example.org") + along)));
        assert!(pair.is_open(call));
        features(&mut pair, BEHIND);
        pair.bind(FULL);
        assert_eq!(pair.reply(call), Ok(Reply::Done), "{along}");
        assert!(pair.element().is("enable", SM), "{along}");
    }
}

#[test]
fn xep0198_3_stream_management_that_is_promised_and_refused() {
    for inner in [format!("<failed xmlns='{SM}'/>"), String::new()] {
        let (mut pair, call) = ended(INLINE, |proof| whole(proof, &(address(FULL) + &bound(&inner))));
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        features(&mut pair, BEHIND);
        let message = pair.send("bob@example.org", "one");
        assert!(
            pair.sent.iter().all(|frame| !frame.contains(SM)),
            "{inner}: {:?}",
            pair.sent
        );
        let ping = pair.sent.iter().find(|frame| frame.contains("urn:xmpp:ping")).cloned();
        let ping = xml::read(&ping.expect("a ping instead"), &Default::default()).unwrap();
        pair.answer(&ping, "");
        assert!(pair.is_open(message) || pair.reply(message).is_ok());
    }
}

#[test]
fn xep0388_2_6_3_tasks_are_declined() {
    let more = |proof: &str| {
        format!(
            "<continue xmlns='{SASL2}'><additional-data>{proof}</additional-data>\
             <tasks><task>HOTP-EXAMPLE</task><task>TOTP-EXAMPLE</task></tasks><text>Second factor</text></continue>"
        )
    };
    let (mut pair, call) = ended(INLINE, more);
    let abort = pair.element();
    assert!(abort.is("abort", SASL2), "{abort:?}");
    assert!(abort.child("text", SASL2).is_some());
    let error = pair.error(call);
    assert_eq!(error.code(), Code::NoMechanism);
    assert!(
        error.message().contains("HOTP-EXAMPLE, TOTP-EXAMPLE"),
        "{}",
        error.message()
    );
    assert_eq!(error.text(), Some("Second factor"));
    // Not even the tasks are believed of a server that hasn't proved itself.
    let (pair, call) = ended(INLINE, |_| more(""));
    assert_eq!(pair.error(call).code(), Code::ServerSignature);
}

#[test]
fn xep0388_2_4_nothing_else_during_an_authentication() {
    for other in [
        "<message xmlns='jabber:client' from='bob@example.org'><body>x</body></message>".to_owned(),
        format!("<challenge xmlns='{SASL}'>YQ==</challenge>"),
        format!("<task-data xmlns='{SASL2}'/>"),
        RESUMED.to_owned(),
        bound(&enabled("1")),
    ] {
        let error = failed(ended(INLINE, |_| other.clone()));
        assert_eq!(error.code(), Code::ProtocolViolation, "{other}");
    }
}

/// A store in which an earlier page has kept a token, as `change` has left it.
fn kept(change: impl Fn(&str) -> Option<String>) -> Pair {
    let mut config = storing();
    config.session.keep_token = true;
    let old = online_with(config.clone(), "secret-token:1");
    let mut pair = Pair::seeded(config, 7);
    pair.kept = old.kept;
    let key = pair.kept.keys().find(|key| key.ends_with(":token")).unwrap().clone();
    match change(&pair.kept[&key]) {
        Some(value) => drop(pair.kept.insert(key, value)),
        None => drop(pair.kept.remove(&key)),
    }
    pair.connect();
    let (id, _) = pair.load.take().unwrap();
    let known = old.stored.last().and_then(|(_, value)| value.clone());
    pair.handle(Input::Loaded {
        id,
        value: known.as_deref(),
    });
    pair.open_socket();
    header(&mut pair);
    pair
}

#[test]
fn xep0484_a_token_that_a_page_of_this_version_has_left_for_this_account() {
    let mut pair = kept(|good| Some(good.to_owned()));
    authenticate(&mut pair, "HT-SHA-256-NONE");
    type Change<'a> = &'a dyn Fn(&str) -> Option<String>;
    let changes: [(&str, Change<'_>); 6] = [
        ("none", &|_| None),
        ("of another version", &|good| Some(good.replacen('1', "2", 1))),
        ("of another account", &|good| Some(good.replace("alice@", "bob@"))),
        ("of another mechanism", &|good| {
            Some(good.replace("HT-SHA-256-NONE", "HT-SHA-256-ENDP"))
        }),
        ("garbage", &|_| Some("\u{1e}\u{1e}\u{1e}".into())),
        ("too long", &|good| Some(good.to_owned() + &"x".repeat(5_000))),
    ];
    for (what, change) in changes {
        let mut pair = kept(change);
        let asked = authenticate(&mut pair, "SCRAM-SHA-1");
        assert!(asked.child("request-token", FAST).is_some(), "{what}");
    }
}

#[test]
fn xep0388_5_nothing_of_it_where_others_can_listen() {
    let mut config = config();
    config.session.url = Some("ws://example.org/ws".into());
    config.session.allow_insecure = true;
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    assert_eq!(pair.element().attr("from"), None);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    assert!(pair.element().is("auth", SASL));
}

#[test]
fn a_server_that_has_lost_the_profile_is_asked_the_old_way() {
    let mut pair = online("secret-token:1");
    back(&mut pair);
    authenticate(&mut pair, "HT-SHA-256-NONE");
    // Its features come first, and don't offer what was made use of.
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    features(
        &mut pair,
        &format!("<mechanisms xmlns='{SASL}'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>"),
    );
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
}
