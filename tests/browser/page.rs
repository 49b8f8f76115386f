//! What becomes of the page, and what the client makes of it.

use crate::fakes::{Fake, host, page_event, page_events, store};
use crate::support::*;
use js_sys::Date;
use stanzawire::web::Client;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

/// How often the client is entered when everything happens to the page that can.
fn told(host: &JsValue) -> f64 {
    let entries = || get(host, "entries").as_f64().unwrap();
    let before = entries();
    for event in page_events() {
        page_event(&event);
    }
    entries() - before
}

#[wasm_bindgen_test]
async fn the_page_is_listened_to_while_there_is_something_to_hear() {
    let host = host(&function(|_| Ok(true.into())));
    let alice = Client::new(&options("alice", "{}"), Some(host.clone().unchecked_into())).unwrap();
    assert_eq!(told(&host), 0.0, "before the first connection");
    for _ in 0..3 {
        done(alice.connect(&NONE)).await;
        assert_eq!(told(&host), 7.0, "each once");
        disconnect(&[&alice]).await;
        assert_eq!(told(&host), 0.0, "none is left");
    }
}

/// A client that has nothing more to say by itself, what it says from now on, and how it is.
async fn quiet() -> (Client, Events, Events) {
    let alice = client("alice");
    let (frames, statuses) = (Events::of(&alice, "frame"), Events::of(&alice, "status"));
    done(alice.connect(&NONE)).await;
    done(alice.ping(&NONE, &NONE)).await;
    frames.find(|frame| text(frame, "data").starts_with("<a ")).await;
    frames.seen();
    statuses.seen();
    (alice, frames, statuses)
}

/// What goes out next.
async fn says(frames: &Events) -> String {
    let out = frames.find(|frame| text(frame, "direction") == "out").await;
    text(&out, "data")
}

/// The server is asked whether it is there, and answers.
async fn asks(frames: &Events, statuses: &Events) {
    assert!(says(frames).await.starts_with("<r "), "it asks");
    assert_eq!(text(&statuses.next().await, "status"), "verifying");
    assert_eq!(text(&statuses.next().await, "status"), "online");
    frames.seen();
}

#[wasm_bindgen_test]
async fn what_wakes_the_page_is_a_reason_to_ask_the_server() {
    let (alice, frames, statuses) = quiet().await;
    for event in ["online", "pageshow", "resume"] {
        page_event(event);
        asks(&frames, &statuses).await;
    }
    // The first `pageshow` of a page wakes nothing.
    page_event("pageshow, new");
    assert!(statuses.seen().is_empty());
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn a_jump_of_the_clock_is_a_reason_to_ask_the_server() {
    let (alice, frames, statuses) = quiet().await;
    let clock = Rc::new(Cell::new(0.0));
    let shown = clock.clone();
    let real: js_sys::Function = get(&get(&js_sys::global(), "Date"), "now").unchecked_into();
    let fake = Fake::of(
        "Date.now",
        &function(move |_| Ok((real.call0(&NONE)?.as_f64().unwrap() + shown.get()).into())),
    );
    // Any entry notices; a listener that is added is one.
    let enter = || alice.off(alice.on(&"roster".into(), &function(Ok)).unwrap());
    for ahead in [1_900.0, -3_600_000.0, -7_200_000.0] {
        clock.set(ahead);
        enter();
        assert!(statuses.seen().is_empty(), "set to {ahead}");
    }
    clock.set(0.0);
    enter();
    asks(&frames, &statuses).await;
    drop(fake);
    disconnect(&[&alice]).await;
    assert!(Date::now() > 0.0);
}

#[wasm_bindgen_test]
async fn xep0352_4_2_the_server_knows_whether_anybody_looks() {
    let (alice, frames, _) = quiet().await;
    let hidden = Fake::of("document.visibilityState", &"hidden".into());
    page_event("visibilitychange");
    assert!(says(&frames).await.starts_with("<inactive "));
    drop(hidden);
    page_event("visibilitychange");
    assert!(says(&frames).await.starts_with("<active "));
    disconnect(&[&alice]).await;

    // A page that nobody has seen yet says so by itself.
    let hidden = Fake::of("document.visibilityState", &"hidden".into());
    done(alice.connect(&NONE)).await;
    frames.find(|frame| text(frame, "data").starts_with("<inactive ")).await;
    drop(hidden);
    // And one that was shown while nobody listened.
    disconnect(&[&alice]).await;
    frames.seen();
    done(alice.connect(&NONE)).await;
    done(alice.ping(&NONE, &NONE)).await;
    let inactive = |frame: &JsValue| text(frame, "data").starts_with("<inactive ");
    assert!(!frames.seen().iter().any(inactive));
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn what_is_to_be_kept_is_kept_before_the_page_is_gone() {
    for event in ["pagehide", "freeze", "visibilitychange"] {
        let store = store(&NONE);
        let options = options("alice", "{}");
        set(&options, "storage", &store);
        let alice = Rc::new(client_with(&options));
        done(alice.connect(&NONE)).await;
        // A listener is running: what it has sent is in the store when the page's own event is over.
        let (kept, caller) = (store.clone(), alice.clone());
        let found = Rc::new(Cell::new(None));
        let seen = found.clone();
        let listener = function(move |_| {
            if seen.get().is_none() {
                let sent = caller.send(&message(&caller.jid(), &"kept".into()), &NONE);
                let before = text(&kept, "text").contains("kept");
                let _hidden = Fake::of("document.visibilityState", &"hidden".into());
                page_event(event);
                seen.set(Some((before, text(&kept, "text").contains("kept"))));
                return Ok(sent.into());
            }
            Ok(NONE)
        });
        let number = alice.on(&"stanza".into(), &listener).unwrap();
        done(alice.ping(&NONE, &NONE)).await;
        assert_eq!(found.get(), Some((false, true)), "{event}");
        alice.off(number);
        page_event("visibilitychange");
        disconnect(&[&alice]).await;
    }
}
