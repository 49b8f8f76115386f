//! What an app can pass wrongly: each is one typed error, and nothing is sent.

use crate::support::*;
use js_sys::JsString;
use stanzawire::web::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

/// A string that no encoding can carry.
fn half_a_pair() -> JsValue {
    JsString::from_char_code1(0xD83E).into()
}

#[wasm_bindgen_test]
fn options_are_checked_by_name() {
    for (more, code, named) in [
        ("{'jid': null}", "invalid-argument", "`jid`"),
        ("{'jid': 1}", "invalid-argument", "`jid`"),
        ("{'jid': ''}", "invalid-jid", "`jid`"),
        ("{'jid': '@localhost'}", "invalid-jid", "`jid`"),
        ("{'jid': 'a@b@c'}", "invalid-jid", "`jid`"),
        ("{'jid': 'localhost'}", "invalid-argument", "password"),
        ("{'password': null}", "invalid-argument", "`password`"),
        ("{'password': 1}", "invalid-argument", "`password`"),
        ("{'password': ''}", "invalid-argument", "`password`"),
        (
            "{'credentials': {'password': 'a'}}",
            "invalid-argument",
            "`credentials`",
        ),
        (
            "{'password': null, 'credentials': 'secret'}",
            "invalid-argument",
            "`credentials`",
        ),
        (
            "{'password': null, 'credentials': {}}",
            "invalid-argument",
            "`credentials`",
        ),
        (
            "{'password': null, 'credentials': {'token': ''}}",
            "invalid-argument",
            "`token`",
        ),
        (
            "{'password': null, 'credentials': {'token': 't', 'password': 'a'}}",
            "invalid-argument",
            "`credentials`",
        ),
        (
            "{'password': null, 'jid': 'localhost', 'credentials': {'token': 't'}}",
            "invalid-argument",
            "a token",
        ),
        (
            "{'password': null, 'credentials': {'scramKeys': 'keys'}}",
            "invalid-argument",
            "`scramKeys`",
        ),
        (
            "{'password': null, 'credentials': {'anonymous': true, 'external': true}}",
            "invalid-argument",
            "`credentials`",
        ),
        (
            "{'password': null, 'credentials': {'external': true, 'authzid': '@'}}",
            "invalid-jid",
            "`authzid`",
        ),
        ("{'url': 1}", "invalid-argument", "`url`"),
        ("{'hostMeta': {}}", "invalid-argument", "`hostMeta`"),
        ("{'resource': true}", "invalid-argument", "`resource`"),
        ("{'resource': ''}", "invalid-jid", "`resource`"),
        ("{'timeout': '1'}", "invalid-argument", "`timeout`"),
        ("{'timeout': -1}", "invalid-argument", "`timeout`"),
        ("{'queue': 'all'}", "invalid-argument", "`queue`"),
        ("{'queue': 0}", "invalid-argument", "`queue`"),
        ("{'queue': 0.5}", "invalid-argument", "`queue`"),
        ("{'keepalive': true}", "invalid-argument", "`keepalive`"),
        ("{'keepalive': 999}", "invalid-argument", "`keepalive`"),
        ("{'reconnect': 'no'}", "invalid-argument", "`reconnect`"),
        ("{'reconnect': {'minDelay': 'a'}}", "invalid-argument", "`minDelay`"),
        (
            "{'reconnect': {'maxAttempts': -1}}",
            "invalid-argument",
            "`maxAttempts`",
        ),
        ("{'carbons': 'some'}", "invalid-argument", "`carbons`"),
        ("{'presence': 'away'}", "invalid-argument", "`presence`"),
        ("{'presence': {'show': 'busy'}}", "invalid-argument", "`show`"),
        ("{'presence': {'priority': 128}}", "invalid-argument", "`priority`"),
        ("{'presence': {'priority': 0.5}}", "invalid-argument", "`priority`"),
        ("{'presence': {'status': '\\u0000'}}", "invalid-argument", "`status`"),
        ("{'allowInsecure': 1}", "invalid-argument", "`allowInsecure`"),
        ("{'allowPlain': 'yes'}", "invalid-argument", "`allowPlain`"),
        ("{'storage': 'localStorage'}", "invalid-argument", "`storage`"),
        ("{'storage': {}}", "invalid-argument", "`getItem`"),
        ("{'framing': 'other'}", "invalid-argument", "`framing`"),
        ("{'lang': 1}", "invalid-argument", "`lang`"),
    ] {
        let error = Client::new(&options("alice", more), None)
            .err()
            .unwrap_or_else(|| panic!("{more}"));
        let error = is_error(error, code, "session");
        let message = text(&error, "message");
        assert!(message.contains(named), "{more}: {message}");
    }
    for value in [JsValue::UNDEFINED, JsValue::NULL, "alice".into(), 1.into()] {
        is_error(Client::new(&value, None).err().unwrap(), "invalid-argument", "session");
    }
    let options = options("alice", "{}");
    set(&options, "password", &half_a_pair());
    let error = is_error(
        Client::new(&options, None).err().unwrap(),
        "invalid-argument",
        "session",
    );
    assert!(text(&error, "message").contains("`password`"));
}

#[wasm_bindgen_test]
fn options_that_are_fine() {
    for more in [
        "{'reconnect': {'minDelay': 1, 'maxDelay': 2, 'maxAttempts': 3}, 'presence': true, 'storage': null, 'framing': 'rfc7395'}",
        "{'reconnect': false, 'presence': false, 'allowPlain': true, 'allowInsecure': true, 'lang': 'de', 'timeout': 1.5, 'queue': 1, 'keepalive': 1000, 'carbons': false}",
        "{'password': null, 'credentials': {'password': 'a'}}",
        "{'password': null, 'jid': 'localhost'}",
        "{'password': null, 'credentials': {'token': 't'}, 'framing': 'draft-00'}",
        "{'password': null, 'jid': 'localhost', 'credentials': {'external': true, 'authzid': 'a@localhost'}}",
        "{'password': null, 'jid': 'ALICE@LOCALHOST', 'credentials': {'anonymous': true}}",
        "{'url': null, 'hostMeta': null, 'resource': null, 'timeout': null, 'queue': null, 'keepalive': null, 'reconnect': null, 'presence': null, 'carbons': null}",
    ] {
        client_with(&options("alice", more));
    }
}

#[wasm_bindgen_test]
async fn messages_are_checked() {
    let (alice, bob) = (online("alice").await, online("bob").await);
    let messages = Events::of(&bob, "message");
    let invalid = |body: JsValue| message(&bob.jid(), &body);
    for body in [
        half_a_pair(),
        "\0".into(),
        "a\u{FFFE}".into(),
        "\u{1B}".into(),
        1.into(),
        json("{}"),
    ] {
        fails(alice.send(&invalid(body), &NONE), "invalid-argument", "stanza").await;
    }
    let mixed = JsString::from_char_code2(0x61, 0xDC00);
    for name in ["subject", "thread", "id", "to"] {
        let message = message(&bob.jid(), &"hi".into());
        set(&message, name, &mixed);
        let error = fails(alice.send(&message, &NONE), "invalid-argument", "stanza").await;
        assert!(text(&error, "message").contains(&format!("`{name}`")));
    }
    for kind in ["error", "Chat", ""] {
        let message = message(&bob.jid(), &"hi".into());
        set(&message, "type", &kind.into());
        fails(alice.send(&message, &NONE), "invalid-argument", "stanza").await;
    }
    fails(alice.send(&message("@", &"hi".into()), &NONE), "invalid-jid", "stanza").await;
    fails(alice.send(&json("{}"), &NONE), "invalid-argument", "stanza").await;
    fails(alice.send(&NONE, &NONE), "invalid-argument", "stanza").await;
    let fine = message(&bob.jid(), &"fine \u{FFFD}".into());
    fails(
        alice.send(&fine, &json("{'signal': {}}")),
        "invalid-argument",
        "session",
    )
    .await;
    fails(
        alice.send(&fine, &json("{'timeout': 'soon'}")),
        "invalid-argument",
        "session",
    )
    .await;
    fails(alice.send(&fine, &1.into()), "invalid-argument", "session").await;
    // Nothing of it went out, and nothing is broken. U+FFFD itself is a character like any other.
    done(alice.send(&fine, &NONE)).await;
    assert_eq!(text(&messages.next().await, "body"), "fine \u{FFFD}");
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn elements_are_checked() {
    let alice = online("alice").await;
    let endless = xml("a", "{'xmlns': 'urn:x'}", &[]);
    get(&endless, "children")
        .unchecked_into::<js_sys::Array>()
        .push(&endless);
    let number = xml("a", "{'xmlns': 'urn:x'}", &[1.into()]);
    let half = xml("a", "{'xmlns': 'urn:x'}", &[half_a_pair()]);
    let value = xml("a", "{'xmlns': 'urn:x', 'b': 1}", &[]);
    let declared = xml("a", "{'xmlns': 'urn:x', 'xmlns:b': 'urn:y'}", &[]);
    let prefixed = xml("a:b", "{'xmlns': 'urn:x'}", &[]);
    let markup = xml("a><b", "{'xmlns': 'urn:x'}", &[]);
    let nul = xml("a", "{'xmlns': 'urn:x', 'b': '\\u0000'}", &[]);
    let homeless = xml("a", "{}", &[]);
    let listless = json("{'name': 'a', 'attrs': {'xmlns': 'urn:x'}, 'children': 'text'}");
    let payloads = [
        endless,
        number,
        half,
        value,
        declared,
        prefixed,
        markup,
        nul,
        homeless,
        listless,
        NONE,
        JsValue::NULL,
    ];
    for payload in payloads {
        let question = request("get", "localhost", &payload);
        fails(alice.iq(&question, &NONE), "invalid-argument", "stanza").await;
    }
    let fine = xml("ping", "{'xmlns': 'urn:xmpp:ping'}", &[]);
    fails(
        alice.iq(&request("result", "localhost", &fine), &NONE),
        "invalid-argument",
        "stanza",
    )
    .await;
    fails(alice.iq(&request("get", "@", &fine), &NONE), "invalid-jid", "stanza").await;
    fails(alice.ping(&"@".into(), &NONE), "invalid-jid", "stanza").await;
    for ns in [
        "urn:ietf:params:xml:ns:xmpp-sasl",
        "urn:ietf:params:xml:ns:xmpp-framing",
    ] {
        let stolen = xml("close", &format!("{{'xmlns': '{ns}'}}"), &[]);
        fails(alice.send_element(&stolen), "invalid-argument", "stanza").await;
    }
    assert_eq!(alice.status(), "online");
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
fn listeners_and_handlers_are_checked() {
    let alice = client("alice");
    for (kind, listener) in [(1.into(), function(Ok).into()), ("message".into(), JsValue::UNDEFINED)] {
        is_error(alice.on(&kind, &listener).err().unwrap(), "invalid-argument", "session");
    }
    let answer = function(Ok);
    for wanted in ["{}", "{'xmlns': 1}", "{'xmlns': 'a', 'type': 'result'}", "1"] {
        is_error(
            alice.handle(&json(wanted), &answer).err().unwrap(),
            "invalid-argument",
            "session",
        );
    }
    is_error(
        alice.handle(&json("{'xmlns': 'a'}"), &NONE).err().unwrap(),
        "invalid-argument",
        "session",
    );
}
