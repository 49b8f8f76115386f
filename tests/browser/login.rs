//! Logging in and out, and every way in which a real server or network refuses.

use crate::fakes::{Fake, response};
use crate::support::*;
use js_sys::{Array, Promise};
use stanzawire::web::Client;
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[wasm_bindgen_test]
async fn logs_in_through_discovery_and_has_the_roster() {
    // A server that isn't known is waited for at each step: there is nothing to stumble over.
    let alice = client_with(&options("alice", "{'storage': null}"));
    let statuses = Events::of(&alice, "status");
    assert_eq!(
        (alice.jid().as_str(), alice.status().as_str()),
        ("alice@localhost", "offline")
    );
    let connecting = alice.connect(&NONE);
    assert_eq!(alice.status(), "connecting");
    assert!(done(connecting).await.is_undefined());
    assert_eq!(alice.status(), "online");
    assert!(alice.jid().starts_with("alice@localhost/"), "{}", alice.jid());

    let roster: Array = done(alice.roster_get(&NONE)).await.unchecked_into();
    let bob = roster.iter().next().expect("bob");
    assert_eq!(roster.length(), 1);
    assert_eq!(
        (text(&bob, "jid"), text(&bob, "name")),
        ("bob@localhost".into(), "Bob".into())
    );
    assert_eq!(text(&bob, "subscription"), "both");
    let groups: Array = get(&bob, "groups").unchecked_into();
    assert_eq!(groups.get(0), "Friends");

    assert!(
        done(alice.ping(&NONE, &NONE))
            .await
            .as_f64()
            .is_some_and(|ms| ms >= 0.0)
    );
    assert!(done(alice.disconnect()).await.is_undefined());
    assert_eq!(
        (alice.jid().as_str(), alice.status().as_str()),
        ("alice@localhost", "offline")
    );
    let seen: Vec<String> = statuses.seen().iter().map(|event| text(event, "status")).collect();
    assert_eq!(seen, ["connecting", "online", "offline"]);
}

#[wasm_bindgen_test]
async fn comes_again_after_logging_out() {
    let alice = online("alice").await;
    let first = alice.jid();
    disconnect(&[&alice, &alice]).await;
    done(alice.connect(&NONE)).await;
    assert_ne!(alice.jid(), first);
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn an_endpoint_can_be_named() {
    let options = options("alice", "{'hostMeta': null}");
    set(&options, "url", &url().into());
    let alice = client_with(&options);
    done(alice.connect(&NONE)).await;
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn the_resource_asked_for_is_bound() {
    for more in [
        "{'jid': 'alice@localhost/web'}",
        "{'resource': 'web'}",
        "{'jid': 'alice@localhost/web', 'resource': 'web'}",
    ] {
        let alice = client_with(&options("alice", more));
        done(alice.connect(&NONE)).await;
        assert_eq!(alice.jid(), "alice@localhost/web");
        disconnect(&[&alice]).await;
    }
    let error = Client::new(&options("alice", "{'jid': 'alice@localhost/a', 'resource': 'b'}"), None).err();
    is_error(error.unwrap(), "invalid-argument", "session");
}

#[wasm_bindgen_test]
async fn a_wrong_password_is_told_each_time() {
    let alice = client_with(&options("alice", "{'password': 'wrong'}"));
    let statuses = Events::of(&alice, "status");
    for _ in 0..2 {
        let error = fails(alice.connect(&NONE), "not-authorized", "auth").await;
        assert_eq!(text(&error, "condition"), "not-authorized");
        assert_eq!(get(&error, "retryable"), false);
        assert!(!text(&error, "hint").is_empty());
        assert_eq!(alice.status(), "offline");
    }
    let seen = statuses.seen();
    let names: Vec<String> = seen.iter().map(|event| text(event, "status")).collect();
    assert_eq!(names, ["connecting", "offline", "connecting", "offline"]);
    is_error(get(&seen[1], "error"), "not-authorized", "auth");
}

#[wasm_bindgen_test]
async fn a_credentials_function_is_asked_at_each_login() {
    let options = options("alice", "{'password': null}");
    let calls = Cell::new(0);
    let ask = function(move |_| {
        calls.set(calls.get() + 1);
        Ok(match calls.get() {
            // At once, later, and not at all.
            1 => json("{'password': 'wrong'}"),
            2 => Promise::resolve(&json("{'password': 'secret'}")).into(),
            3 => return Err("thrown".into()),
            4 => Promise::reject(&"rejected".into()).into(),
            _ => json("{'token': ''}"),
        })
    });
    set(&options, "credentials", &ask);
    let alice = client_with(&options);
    fails(alice.connect(&NONE), "not-authorized", "auth").await;
    done(alice.connect(&NONE)).await;
    disconnect(&[&alice]).await;
    for cause in ["thrown", "rejected"] {
        let error = fails(alice.connect(&NONE), "invalid-argument", "auth").await;
        assert_eq!(get(&error, "cause"), cause);
    }
    let error = fails(alice.connect(&NONE), "invalid-argument", "auth").await;
    assert!(text(&error, "message").contains("`token`"));
    assert!(get(&error, "cause").is_undefined());
}

#[wasm_bindgen_test]
async fn one_login_at_a_time() {
    let alice = client("alice");
    let first = alice.connect(&NONE);
    fails(alice.connect(&NONE), "invalid-state", "session").await;
    done(first).await;
    fails(alice.connect(&NONE), "invalid-state", "session").await;
    assert_eq!(alice.status(), "online");
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn logging_out_ends_a_login() {
    let alice = client("alice");
    let login = alice.connect(&NONE);
    disconnect(&[&alice]).await;
    fails(login, "aborted", "session").await;
    done(alice.connect(&NONE)).await;
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn an_unknown_domain() {
    let alice = client_with(&options("alice", "{'jid': 'alice@nowhere.invalid', 'hostMeta': null}"));
    let error = fails(alice.connect(&NONE), "discovery-network", "discovery").await;
    assert_eq!(get(&error, "retryable"), true);
    assert_eq!(alice.status(), "offline");
}

#[wasm_bindgen_test]
async fn an_origin_without_host_meta() {
    let _fake = Fake::fetch(&function(|_| Ok(response(404, "Not found", None))));
    let alice = client("alice");
    for _ in 0..2 {
        let error = fails(alice.connect(&NONE), "discovery-http", "discovery").await;
        assert!(text(&error, "message").contains("404"));
    }
}

#[wasm_bindgen_test]
async fn an_endpoint_that_refuses() {
    for url in ["ws://127.0.0.1:65533/", &(url() + "/nothing-here")] {
        let options = options("alice", "{}");
        set(&options, "url", &url.into());
        let alice = client_with(&options);
        for _ in 0..2 {
            let error = fails(alice.connect(&NONE), "socket-failed", "socket").await;
            assert_eq!(get(&error, "retryable"), true);
        }
    }
}

#[wasm_bindgen_test]
async fn unencrypted_beyond_loopback_is_refused() {
    for (more, phase) in [
        ("{'url': 'ws://192.0.2.1/'}", "socket"),
        ("{'hostMeta': 'http://192.0.2.1'}", "discovery"),
    ] {
        let alice = client_with(&options("alice", more));
        fails(alice.connect(&NONE), "insecure", phase).await;
    }
}

#[wasm_bindgen_test]
async fn a_server_that_takes_no_strangers() {
    let options = json(&format!("{{'jid': 'localhost', 'hostMeta': '{HOST_META}'}}"));
    let nobody = client_with(&options);
    let error = fails(nobody.connect(&NONE), "no-mechanism", "auth").await;
    assert!(text(&error, "message").contains("SCRAM-SHA-1"));
}

#[wasm_bindgen_test]
async fn a_login_has_a_time() {
    let alice = client_with(&options("alice", "{'storage': null}"));
    fails(alice.connect(&json("{'timeout': 0}")), "timeout", "discovery").await;
    done(alice.connect(&NONE)).await;
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn another_session_of_the_same_name_takes_its_place() {
    let first = client_with(&options("alice", "{'resource': 'same', 'storage': null}"));
    done(first.connect(&NONE)).await;
    let (statuses, errors) = (Events::of(&first, "status"), Events::of(&first, "error"));
    let second = client_with(&options("alice", "{'resource': 'same', 'storage': null}"));
    done(second.connect(&NONE)).await;
    let status = statuses.next().await;
    // It is not fought over.
    assert_eq!(text(&status, "status"), "offline");
    is_error(get(&status, "error"), "conflict", "session");
    is_error(errors.next().await, "conflict", "session");
    fails(first.ping(&NONE, &NONE), "offline", "session").await;
    disconnect(&[&first, &second]).await;
}
