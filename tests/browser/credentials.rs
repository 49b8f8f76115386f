//! What an app may log in with beside a password, and what a login leaves behind for the next.

use crate::fakes::{Fake, impossible, with_getter};
use crate::support::*;
use js_sys::{Array, JSON};
use stanzawire::web::Client;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

fn with_credentials(credentials: &JsValue) -> JsValue {
    let options = options("alice", "{'password': null, 'storage': null}");
    set(&options, "credentials", credentials);
    options
}

/// The keys that a login with the password leaves behind, read from text as an app would that had kept them.
async fn keys() -> JsValue {
    let alice = online("alice").await;
    // The login is over: what it left behind has waited.
    let event = Events::of(&alice, "credentials").next().await;
    let kept = JSON::stringify(&event).unwrap();
    disconnect(&[&alice]).await;
    JSON::parse(&kept.as_string().unwrap()).unwrap()
}

#[wasm_bindgen_test]
async fn the_keys_of_one_login_are_good_for_the_next() {
    let credentials = keys().await;
    let keys = get(&credentials, "scramKeys");
    let names: Vec<JsValue> = js_sys::Object::keys(keys.unchecked_ref::<js_sys::Object>())
        .iter()
        .collect();
    assert_eq!(
        names,
        ["mechanism", "salt", "iterations", "clientKey", "serverKey"].map(JsValue::from)
    );
    assert!(text(&keys, "mechanism").starts_with("SCRAM-SHA-"));
    assert!(get(&keys, "iterations").as_f64().unwrap() >= 4096.0);

    let alice = client_with(&with_credentials(&credentials));
    let left = Events::of(&alice, "credentials");
    for _ in 0..2 {
        done(alice.connect(&NONE)).await;
        assert_eq!(alice.status(), "online");
        disconnect(&[&alice]).await;
    }
    // It was not the password's login: they are the same as before.
    assert!(left.seen().is_empty());
}

#[wasm_bindgen_test]
async fn the_event_comes_to_who_listens_and_is_held_for_who_does_not() {
    let alice = client("alice");
    let early = Events::of(&alice, "credentials");
    done(alice.connect(&NONE)).await;
    let heard = early.seen();
    assert_eq!(heard.len(), 1);
    // It was heard: there is nothing to hold.
    let late = Events::of(&alice, "credentials");
    disconnect(&[&alice]).await;
    assert!(late.seen().is_empty());

    let alice = online("alice").await;
    disconnect(&[&alice]).await;
    done(alice.connect(&NONE)).await;
    disconnect(&[&alice]).await;
    let late = Events::of(&alice, "credentials");
    let held = late.next().await;
    assert_eq!(
        text(&get(&held, "scramKeys"), "salt"),
        text(&get(&heard[0], "scramKeys"), "salt")
    );
    // The newest alone.
    assert!(late.seen().is_empty());
}

#[wasm_bindgen_test]
async fn keys_of_another_salt_or_count_are_outdated() {
    for (field, other) in [("salt", JsValue::from("b3RoZXI=")), ("iterations", 123_456.into())] {
        let credentials = keys().await;
        set(&get(&credentials, "scramKeys"), field, &other);
        let alice = client_with(&with_credentials(&credentials));
        let error = fails(alice.connect(&NONE), "keys-outdated", "auth").await;
        assert_eq!(get(&error, "retryable"), false);
        assert!(text(&error, "hint").contains("password"));
        assert_eq!(alice.status(), "offline");
    }
}

#[wasm_bindgen_test]
async fn a_function_is_told_that_its_keys_are_outdated_and_asked_again() {
    let outdated = keys().await;
    set(&get(&outdated, "scramKeys"), "salt", &"b3RoZXI=".into());
    let asked = Rc::new(RefCell::new(Vec::new()));
    let requests = asked.clone();
    let ask = function(move |request| {
        requests.borrow_mut().push(request.clone());
        Ok(match get(&request, "error").is_undefined() {
            true => outdated.clone(),
            false => json("{'password': 'secret'}"),
        })
    });
    let alice = client_with(&with_credentials(&ask));
    done(alice.connect(&NONE)).await;
    let asked = asked.take();
    assert_eq!(asked.len(), 2);
    is_error(get(&asked[1], "error"), "keys-outdated", "auth");
    let fresh = Events::of(&alice, "credentials").next().await;
    assert_ne!(text(&get(&fresh, "scramKeys"), "salt"), "b3RoZXI=");
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn a_function_is_told_nothing_at_first() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let requests = seen.clone();
    let ask = function(move |request| {
        requests.borrow_mut().push(request);
        Ok(json("{'password': 'secret'}"))
    });
    let alice = client_with(&with_credentials(&ask));
    for _ in 0..2 {
        done(alice.connect(&NONE)).await;
        disconnect(&[&alice]).await;
    }
    let seen: Vec<_> = seen
        .take()
        .iter()
        .map(|request| JSON::stringify(request).unwrap())
        .collect();
    assert_eq!(seen, ["{}", "{}"]);
}

#[wasm_bindgen_test]
async fn a_function_that_returns_impossible_things() {
    for (kind, fine) in [
        ("constructor", false),
        ("then", false),
        ("password", false),
        ("proxy", false),
        ("revoked", false),
        ("twice", true),
    ] {
        let ask = function(move |_| Ok(impossible(kind)));
        let alice = client_with(&with_credentials(&ask));
        if fine {
            done(alice.connect(&NONE)).await;
            disconnect(&[&alice]).await;
        } else {
            fails(alice.connect(&NONE), "invalid-argument", "auth").await;
        }
        assert_eq!(alice.status(), "offline", "{kind}");
    }
}

#[wasm_bindgen_test]
async fn a_getter_may_call_the_client() {
    // As the engine is at the login that asks.
    let options = with_credentials(&NONE);
    let again = Rc::new(RefCell::new(None::<Client>));
    let (inside, calls) = (again.clone(), Rc::new(Cell::new(0)));
    let count = calls.clone();
    let ask = function(move |_| {
        let inside = inside.clone();
        let count = count.clone();
        let read = function(move |_| {
            let alice = inside.borrow();
            let alice = alice.as_ref().unwrap();
            assert_eq!(alice.status(), "connecting");
            assert_eq!(alice.jid(), "alice@localhost");
            let _ = alice.connect(&NONE).catch(&Closure::new(drop::<JsValue>));
            count.set(count.get() + 1);
            Ok("secret".into())
        });
        Ok(with_getter("password", &read))
    });
    set(&options, "credentials", &ask);
    *again.borrow_mut() = Some(client_with(&options));
    let login = again.borrow().as_ref().unwrap().connect(&NONE);
    done(login).await;
    assert_eq!(calls.get(), 1);
    let alice = again.take().unwrap();
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn an_account_is_needed_whoever_gives_the_credentials() {
    let keys = "{'scramKeys': {'mechanism': 'SCRAM-SHA-1', 'salt': 'c2FsdA==', 'iterations': 4096, \
                'clientKey': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'serverKey': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='}}";
    for credentials in ["{'password': 'secret'}", "{'token': 't'}", keys] {
        let options = with_credentials(&json(credentials));
        client_with(&options);
        set(&options, "jid", &"localhost".into());
        let error = is_error(
            Client::new(&options, None).err().unwrap(),
            "invalid-argument",
            "session",
        );
        assert!(text(&error, "message").contains("`jid`"));
        let credentials = json(credentials);
        set(&options, "credentials", &function(move |_| Ok(credentials.clone())));
        let error = fails(client_with(&options).connect(&NONE), "invalid-argument", "auth").await;
        assert!(text(&error, "message").contains("`jid`"));
    }
}

#[wasm_bindgen_test]
fn the_fields_of_keys_are_checked_by_name() {
    let fine = "{'scramKeys': {'mechanism': 'SCRAM-SHA-256', 'salt': 'c2FsdA==', 'iterations': 4096, \
                'clientKey': 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', \
                'serverKey': 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='}}";
    client_with(&with_credentials(&json(fine)));
    let short = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (field, values) in [
        (
            "mechanism",
            [
                "null",
                "256",
                "'SCRAM-SHA-256-PLUS'",
                "'scram-sha-256'",
                "'PLAIN'",
                "''",
            ],
        ),
        ("salt", ["null", "[1]", "''", "'c2FsdA'", "'c2FsdA==\\n'", "'\\ud83e'"]),
        ("iterations", ["null", "'4096'", "0", "-4096", "4096.5", "4294967296"]),
        (
            "clientKey",
            ["null", "{}", "''", "'AAAA'", "'!'", &format!("'{short}'")],
        ),
        (
            "serverKey",
            ["null", "{}", "''", "'AAAA'", "'!'", &format!("'{short}'")],
        ),
    ] {
        for value in values {
            let credentials = json(fine);
            set(&get(&credentials, "scramKeys"), field, &json(value));
            let error = Client::new(&with_credentials(&credentials), None).err();
            let error = is_error(
                error.unwrap_or_else(|| panic!("{field}: {value}")),
                "invalid-argument",
                "session",
            );
            let message = text(&error, "message");
            assert!(message.contains(&format!("`{field}`")), "{field}: {value}: {message}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_token_that_the_server_does_not_take() {
    let alice = client_with(&with_credentials(&json("{'token': 't'}")));
    let error = fails(alice.connect(&NONE), "not-authorized", "auth").await;
    assert!(text(&error, "message").contains("token"));
    // Nor does any other: it can't be sent.
    let alice = client_with(&with_credentials(&json("{'token': 'a b'}")));
    fails(alice.connect(&NONE), "invalid-argument", "auth").await;
}

#[wasm_bindgen_test]
async fn the_older_framing_may_be_asked_for() {
    let first = Rc::new(RefCell::new(String::new()));
    let heard = first.clone();
    let server = function(move |frame| {
        let frame = frame.as_string().unwrap_or_default();
        Ok(if frame.starts_with('<') {
            *heard.borrow_mut() = frame;
            Array::of1(&JsValue::NULL).into()
        } else {
            NONE
        })
    });
    let _fake = Fake::socket(&server, "xmpp");
    for (framing, tag) in [("rfc7395", "<open"), ("draft-00", "<stream:stream")] {
        let more = format!("{{'url': 'ws://localhost:1/', 'storage': null, 'framing': '{framing}'}}");
        let alice = client_with(&options("alice", &more));
        fails(alice.connect(&NONE), "closed", "stream").await;
        assert!(first.take().trim_start().contains(tag), "{framing}");
    }
}
