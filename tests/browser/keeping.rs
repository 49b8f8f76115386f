//! What a client keeps for the next page, what that page makes of it, and what becomes of the messages in it.

use crate::fakes::{altering, limited, page_event, store};
use crate::support::*;
use js_sys::{Array, Date, Function, JSON};
use stanzawire::web::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

const KEY: &str = "stanzawire:alice@localhost:";

fn with_store(store: &JsValue) -> JsValue {
    let options = options("alice", "{}");
    set(&options, "storage", store);
    options
}

/// A client that can be resumed.
async fn begin(store: &JsValue) -> Client {
    let alice = client_with(&with_store(store));
    done(alice.connect(&NONE)).await;
    done(alice.ping(&NONE, &NONE)).await;
    alice
}

/// The next page's client, and whether it goes on with the session.
async fn go_on(store: &JsValue) -> (Client, bool) {
    let alice = client_with(&with_store(store));
    let resumed = Events::of(&alice, "resumed");
    done(alice.connect(&NONE)).await;
    done(alice.ping(&NONE, &NONE)).await;
    let resumed = resumed.seen();
    assert!(resumed.iter().all(|event| get(event, "restored") == true));
    (alice, resumed.len() == 1)
}

fn keep(store: &JsValue, key: &str, value: &JsValue) {
    let set: Function = get(store, "setItem").unchecked_into();
    set.call2(store, &key.into(), value).unwrap();
}

fn kept(store: &JsValue) -> Vec<(String, String)> {
    let pairs: Array = JSON::parse(&text(store, "text")).unwrap().unchecked_into();
    let text = |pair: &Array, place| pair.get(place).as_string().unwrap();
    let pairs = pairs.iter().map(|pair| Array::from(&pair));
    pairs.map(|pair| (text(&pair, 0), text(&pair, 1))).collect()
}

/// Its id, its body, and what else is said in JSON.
fn to_bob(id: &str, more: &str) -> JsValue {
    let message = json(more);
    set(&message, "to", &"bob@localhost".into());
    set(&message, "id", &id.into());
    set(&message, "body", &format!("body of {id}").into());
    message
}

#[wasm_bindgen_test]
async fn a_message_under_way_is_told_of_by_the_next_page() {
    let bob = online("bob").await;
    let came = Events::of(&bob, "message");
    let store = store(&NONE);
    let alice = begin(&store).await;
    let lost = altering("<message", None);
    let promise = alice.send(&to_bob("kept", "{'subject': 's', 'thread': 't'}"), &NONE);
    page_event("pagehide");
    drop((alice, promise));
    lost.call0(&NONE).unwrap();

    let (alice, resumed) = go_on(&store).await;
    assert!(resumed);
    let message = came.find(|message| text(message, "id") == "kept").await;
    assert_eq!(text(&message, "body"), "body of kept");
    done(alice.ping(&NONE, &NONE)).await;
    // It was held until somebody listens.
    let (sent, others) = (Events::of(&alice, "sent"), Events::of(&alice, "not-sent"));
    let sent = sent.next().await;
    for (name, value) in [
        ("id", "kept"),
        ("originId", "kept"),
        ("to", "bob@localhost"),
        ("body", "body of kept"),
        ("type", "chat"),
        ("subject", "s"),
        ("thread", "t"),
    ] {
        assert_eq!(text(&sent, name), value);
    }
    assert!(get(&sent, "error").is_undefined());
    assert!(others.seen().is_empty());
    disconnect(&[&alice, &bob]).await;
    assert!(came.seen().iter().all(|message| text(message, "id") != "kept"), "once");
}

#[wasm_bindgen_test]
async fn a_message_that_nobody_can_tell_of_is_not_sent() {
    let store = store(&NONE);
    let alice = begin(&store).await;
    let jid = alice.jid();
    let lost = altering("<message", None);
    let promise = alice.send(&to_bob("doubt", "{'type': 'headline'}"), &NONE);
    page_event("pagehide");
    drop((alice, promise));
    lost.call0(&NONE).unwrap();
    // Who takes the resource ends the session, so that it cannot be resumed.
    let other = options("alice", "{'storage': null}");
    set(&other, "jid", &jid.into());
    let other = client_with(&other);
    done(other.connect(&NONE)).await;
    disconnect(&[&other]).await;

    let (alice, resumed) = go_on(&store).await;
    assert!(!resumed);
    let (sent, others) = (Events::of(&alice, "sent"), Events::of(&alice, "not-sent"));
    let event = others.next().await;
    assert_eq!(text(&event, "id"), "doubt");
    assert_eq!(text(&event, "type"), "headline");
    assert!(get(&event, "stanzaId").is_undefined());
    is_error(get(&event, "error"), "delivery-unknown", "stanza");
    assert!(sent.seen().is_empty());
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn a_hole_says_where_it_begins() {
    let bob = online("bob").await;
    let store = store(&NONE);
    let alice = begin(&store).await;
    let came = Events::of(&alice, "message");
    done(bob.send(&message(&alice.jid(), &"before the hole".into()), &NONE)).await;
    came.next().await;
    done(alice.ping(&NONE, &NONE)).await;
    page_event("pagehide");
    drop(alice);
    // The next page can't resume the session, and meets a server that has no archive any more.
    for (key, value) in kept(&store) {
        let mut fields: Vec<&str> = value.split('\u{1e}').collect();
        if let Some(id) = fields.get_mut(4) {
            *id = "gone";
            keep(&store, &key, &fields.join("\u{1e}").into());
        }
    }
    let altered = altering("urn:xmpp:mam:2", Some("urn:xmpp:mam:none"));
    let (alice, resumed) = go_on(&store).await;
    altered.call0(&NONE).unwrap();
    assert!(!resumed);
    // It was held until somebody listens.
    let gap = Events::of(&alice, "gap").next().await;
    assert!(text(&gap, "after").len() > 10);
    let since: Date = get(&gap, "since").dyn_into().expect("a date");
    assert!((Date::now() - since.get_time()).abs() < 60_000.0);
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn a_store_that_is_full_is_told_once() {
    for later in [false, true] {
        // Room for the line of the server and the list of tabs.
        let store = limited(200, later);
        let alice = client_with(&with_store(&store));
        let errors = Events::of(&alice, "error");
        done(alice.connect(&NONE)).await;
        for _ in 0..3 {
            done(alice.send(&to_bob("full", "{'type': 'headline'}"), &NONE)).await;
            page_event("pagehide");
        }
        is_error(errors.next().await, "storage-failed", "session");
        done(alice.ping(&NONE, &NONE)).await;
        assert!(errors.seen().is_empty());
        assert!(kept(&store).iter().all(|(_, value)| !value.contains("full")));
        disconnect(&[&alice]).await;
    }
}

#[wasm_bindgen_test]
async fn what_nobody_has_kept_is_not_believed() {
    let real = store(&NONE);
    let alice = begin(&real).await;
    page_event("pagehide");
    let state = kept(&real);
    let tag = &state.iter().find(|(key, _)| key.ends_with(":tabs")).unwrap().1;
    let header = &state.iter().find(|(key, _)| key.ends_with(tag.as_str())).unwrap().1;
    drop(alice);
    let half = js_sys::JsString::from_char_code1(0xD83E);
    let values: Vec<JsValue> = vec![
        "".into(),
        "garbage \0 <".into(),
        header.replacen('1', "0", 1).into(),
        header.replacen('1', "2", 1).into(),
        header.replace("ws://localhost", "ws://example.com").into(),
        header.replace("alice@localhost/", "bob@localhost/").into(),
        header.replace('\u{1e}', " ").into(),
        header[..header.len() / 2].into(),
        (header.clone() + header).into(),
        "\u{1e}".repeat(100_000).into(),
        half.into(),
    ];
    for value in values {
        let store = store(&NONE);
        for (key, value) in &state {
            keep(&store, key, &value.into());
        }
        keep(&store, &format!("{KEY}{tag}"), &value);
        let (alice, resumed) = go_on(&store).await;
        assert!(!resumed, "{value:?}");
        assert_eq!(alice.status(), "online");
        disconnect(&[&alice]).await;
    }
}
