//! An abort in each phase: the call ends once, with the signal's reason, and the client is as good as new.

use crate::support::*;
use js_sys::Promise;
use stanzawire::web::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    #[wasm_bindgen(js_name = AbortController)]
    type Controller;
    #[wasm_bindgen(constructor, js_class = "AbortController")]
    fn new() -> Controller;
    #[wasm_bindgen(method, js_name = abort)]
    fn abort_because(this: &Controller, reason: &str);
}

fn with_signal(controller: &Controller) -> JsValue {
    let options = json("{}");
    set(&options, "signal", &get(controller, "signal"));
    options
}

async fn aborted(promise: Promise, phase: &str) {
    let error = fails(promise, "aborted", phase).await;
    assert_eq!(get(&error, "cause"), "my reason");
    assert_eq!(get(&error, "retryable"), false);
}

async fn as_good_as_new(client: &Client) {
    assert_eq!(client.status(), "offline");
    done(client.connect(&NONE)).await;
    disconnect(&[client]).await;
}

#[wasm_bindgen_test]
async fn before_it_began() {
    let (alice, controller) = (client("alice"), Controller::new());
    let statuses = Events::of(&alice, "status");
    controller.abort_because("my reason");
    aborted(alice.connect(&with_signal(&controller)), "session").await;
    assert!(statuses.seen().is_empty());
    as_good_as_new(&alice).await;
}

#[wasm_bindgen_test]
async fn while_host_meta_is_asked() {
    // Without a store that is the first thing.
    let alice = client_with(&options("alice", "{'storage': null}"));
    let controller = Controller::new();
    let login = alice.connect(&with_signal(&controller));
    controller.abort_because("my reason");
    controller.abort_because("another");
    aborted(login, "discovery").await;
    as_good_as_new(&alice).await;
}

#[wasm_bindgen_test]
async fn while_the_socket_opens() {
    let options = options("alice", "{'storage': null}");
    set(&options, "url", &url().into());
    let (alice, controller) = (client_with(&options), Controller::new());
    let login = alice.connect(&with_signal(&controller));
    controller.abort_because("my reason");
    aborted(login, "socket").await;
    as_good_as_new(&alice).await;
}

#[wasm_bindgen_test]
async fn while_the_credentials_are_asked_for() {
    // Where the server is known the app is asked before there is a socket.
    let options = options("alice", "{'password': null, 'storage': null}");
    let controller = Controller::new();
    let abort = controller.clone();
    let first = std::cell::Cell::new(true);
    let ask = function(move |_| {
        if !first.replace(false) {
            return Ok(json("{'password': 'secret'}"));
        }
        abort.abort_because("my reason");
        // Too late, and of no consequence.
        Ok(Promise::resolve(&json("{'password': 'wrong'}")).into())
    });
    set(&options, "credentials", &ask);
    let alice = client_with(&options);
    aborted(alice.connect(&with_signal(&controller)), "auth").await;
    as_good_as_new(&alice).await;
}

#[wasm_bindgen_test]
async fn at_each_frame_of_a_login() {
    // At the n-th frame, whatever it is: no point of a login may hang or tell twice.
    for nth in 0..8 {
        let (alice, controller) = (client("alice"), Controller::new());
        let (abort, left) = (controller.clone(), std::cell::Cell::new(nth));
        let listener = function(move |_| {
            if left.replace(left.get() - 1) == 0 {
                abort.abort_because("my reason");
            }
            Ok(NONE)
        });
        let number = alice.on(&"frame".into(), &listener).unwrap();
        let error = wasm_bindgen_futures::JsFuture::from(alice.connect(&with_signal(&controller)))
            .await
            .expect_err("aborted");
        assert_eq!(
            (text(&error, "code"), get(&error, "cause")),
            ("aborted".into(), "my reason".into()),
            "{nth}"
        );
        alice.off(number);
        as_good_as_new(&alice).await;
    }
}

#[wasm_bindgen_test]
async fn a_question_and_a_message() {
    let alice = online("alice").await;
    let controller = Controller::new();
    let ping = alice.ping(&NONE, &with_signal(&controller));
    let send = alice.send(&message("nobody@localhost", &"hi".into()), &with_signal(&controller));
    controller.abort_because("my reason");
    aborted(ping, "session").await;
    aborted(send, "session").await;
    // An abort after the end changes nothing.
    let late = Controller::new();
    done(alice.ping(&NONE, &with_signal(&late))).await;
    late.abort_because("my reason");
    fails(alice.ping(&NONE, &json("{'timeout': 0}")), "timeout", "stanza").await;
    assert_eq!(alice.status(), "online");
    disconnect(&[&alice]).await;
}
