//! The locks that keep two clients from going on with one session.

use crate::fakes::{Fake, hold, host, page_event, store, turn};
use crate::support::*;
use js_sys::{Array, Function, Promise, Set};
use stanzawire::web::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = query)]
    fn query() -> Promise;
}

const KEY: &str = "stanzawire:alice@localhost:";

fn with_store(store: &JsValue) -> JsValue {
    let options = options("alice", "{}");
    set(&options, "storage", store);
    options
}

/// The tags in the store.
fn tags(store: &JsValue) -> Vec<String> {
    let kept: Array = js_sys::JSON::parse(&text(store, "text")).unwrap().unchecked_into();
    let key = format!("{KEY}tabs");
    let list = kept
        .iter()
        .map(|pair| Array::from(&pair))
        .find(|pair| pair.get(0) == key.as_str());
    let list = list.map(|pair| pair.get(1).as_string().unwrap()).unwrap_or_default();
    list.split(' ')
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

fn calls(store: &JsValue) -> Vec<String> {
    let calls: Array = get(store, "calls").unchecked_into();
    calls.iter().map(|call| call.as_string().unwrap()).collect()
}

/// Whether that lock is held (`held`) or waited for (`pending`).
async fn is(which: &str, name: &str) -> bool {
    let found: Array = get(&done(query()).await, which).unchecked_into();
    found.iter().any(|lock| text(&lock, "name") == name)
}

/// A release takes the platform a moment.
async fn is_free(name: &str) {
    for _ in 0..500 {
        if !is("held", name).await {
            return;
        }
        done(turn()).await;
    }
    panic!("{name} is still held");
}

#[wasm_bindgen_test]
async fn no_two_clients_go_on_with_one_session() {
    let store = store(&NONE);
    let first = client_with(&with_store(&store));
    done(first.connect(&NONE)).await;
    page_event("pagehide");
    let [tag] = &tags(&store)[..] else { panic!("one tag") };
    let lock = format!("{KEY}{tag}");
    assert!(is("held", &lock).await);
    assert!(text(&store, "text").contains(&lock), "there is something to go on with");

    // As a duplicated tab, which begins with a copy of everything.
    let before = calls(&store).len();
    let second = client_with(&with_store(&store));
    let resumed = Events::of(&second, "resumed");
    done(second.connect(&NONE)).await;
    assert!(resumed.seen().is_empty());
    assert_ne!(second.jid(), first.jid());
    let [newest, oldest] = &tags(&store)[..] else {
        panic!("two tags")
    };
    assert_eq!(oldest, tag);
    assert!(is("held", &format!("{KEY}{newest}")).await && is("held", &lock).await);
    assert!(!is("pending", &lock).await, "it isn't waited for");
    assert!(
        !calls(&store)[before..].contains(&format!("get {lock}")),
        "nor looked at"
    );
    assert_eq!((first.status(), second.status()), ("online".into(), "online".into()));

    // What is logged out of is given back, and nothing else.
    disconnect(&[&first]).await;
    is_free(&lock).await;
    assert!(is("held", &format!("{KEY}{newest}")).await);
    disconnect(&[&second]).await;
    is_free(&format!("{KEY}{newest}")).await;
}

/// A client that is gone without a word, as with its page.
async fn gone(store: &JsValue) -> (String, String) {
    let alice = client_with(&with_store(store));
    done(alice.connect(&NONE)).await;
    // By then the server has said that the session can be resumed.
    done(alice.ping(&NONE, &NONE)).await;
    page_event("pagehide");
    (alice.jid(), format!("{KEY}{}", tags(store)[0]))
}

#[wasm_bindgen_test]
async fn the_next_client_goes_on_where_the_last_one_has_gone() {
    let store = store(&NONE);
    let (jid, lock) = gone(&store).await;
    is_free(&lock).await;
    let alice = client_with(&with_store(&store));
    let resumed = Events::of(&alice, "resumed");
    done(alice.connect(&NONE)).await;
    assert_eq!(alice.jid(), jid);
    assert_eq!(get(&resumed.next().await, "restored"), true);
    assert!(is("held", &lock).await);
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn a_lock_is_waited_for_while_a_page_is_being_left() {
    for patient in [true, false] {
        let store = store(&NONE);
        let (jid, lock) = gone(&store).await;
        is_free(&lock).await;
        // Somebody else is quicker.
        let release: Function = done(hold(&lock)).await.unchecked_into();
        let alice = client_with(&with_store(&store));
        let resumed = Events::of(&alice, "resumed");
        let login = alice.connect(&NONE);
        while !is("pending", &lock).await {
            done(turn()).await;
        }
        if patient {
            release.call0(&NONE).unwrap();
        }
        done(login).await;
        assert_eq!(alice.jid() == jid, patient);
        assert_eq!(resumed.seen().len(), usize::from(patient));
        assert!(!is("pending", &lock).await);
        release.call0(&NONE).unwrap();
        disconnect(&[&alice]).await;
        is_free(&lock).await;
    }
}

#[wasm_bindgen_test]
async fn without_locks_the_clients_of_one_page_still_know_of_each_other() {
    let refuses = function(|_| Ok(Promise::reject(&"no".into()).into()));
    let throws = function(|_| Err("no".into()));
    let (refusing, throwing) = (json("{}"), json("{}"));
    set(&refusing, "request", &refuses);
    set(&throwing, "request", &throws);
    for locks in [NONE, json("{}"), refusing, throwing] {
        let _fake = Fake::of("navigator.locks", &locks);
        let (store, host) = (store(&NONE), host(&function(|_| Ok(true.into()))));
        let locked: Set = get(&host, "locked").unchecked_into();
        let client = || Client::new(&with_store(&store), Some(host.clone().unchecked_into())).unwrap();
        let first = client();
        done(first.connect(&NONE)).await;
        page_event("pagehide");
        // The platform may have taken a while to refuse.
        done(first.ping(&NONE, &NONE)).await;
        assert_eq!(locked.size(), 1);
        let second = client();
        let resumed = Events::of(&second, "resumed");
        done(second.connect(&NONE)).await;
        assert!(resumed.seen().is_empty());
        done(second.ping(&NONE, &NONE)).await;
        assert_eq!(locked.size(), 2);
        disconnect(&[&second]).await;
        assert_eq!(locked.size(), 1);
        // One that is gone for good keeps nothing.
        page_event("pagehide");
        let jid = first.jid();
        drop(first);
        assert_eq!(locked.size(), 0);
        let third = client();
        let resumed = Events::of(&third, "resumed");
        done(third.connect(&NONE)).await;
        assert_eq!(third.jid(), jid);
        resumed.next().await;
        disconnect(&[&third]).await;
        assert_eq!(locked.size(), 0);
    }
}
