//! Listeners run after the engine has finished, in order, and harm nobody.

use crate::fakes::Reports;
use crate::support::*;
use js_sys::Promise;
use stanzawire::web::Client;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[wasm_bindgen_test]
async fn a_listener_can_call_anything() {
    let (alice, bob) = (Rc::new(online("alice").await), online("bob").await);
    let to = bob.jid();
    let caller = alice.clone();
    let listener = function(move |event| {
        let _ = caller.jid() + &caller.status();
        let number = caller.on(&"status".into(), &function(Ok))?;
        caller.off(number);
        let sent = caller.send(&message(&to, &get(&event, "body")), &NONE);
        let _ = caller.ping(&NONE, &NONE);
        let refused = caller.connect(&NONE);
        Ok(Promise::all_settled(&js_sys::Array::of2(&sent, &refused)).into())
    });
    alice.on(&"message".into(), &listener).unwrap();
    let back = Events::of(&bob, "message");
    for body in ["one", "two", "three"] {
        done(bob.send(&message(&alice.jid(), &body.into()), &NONE)).await;
        assert_eq!(text(&back.next().await, "body"), body);
    }
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn a_listener_can_log_out() {
    let alice = Rc::new(client("alice"));
    let caller = alice.clone();
    let statuses = Rc::new(RefCell::new(Vec::new()));
    let seen = statuses.clone();
    let listener = function(move |event| {
        seen.borrow_mut().push((text(&event, "status"), caller.status()));
        if text(&event, "status") == "online" {
            return Ok(caller.disconnect().into());
        }
        Ok(NONE)
    });
    alice.on(&"status".into(), &listener).unwrap();
    let all = Events::of(&alice, "status");
    done(alice.connect(&NONE)).await;
    all.find(|event| text(event, "status") == "offline").await;
    let names: Vec<String> = statuses.borrow().iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["connecting", "online", "offline"]);
    done(alice.connect(&NONE)).await;
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn one_that_throws_harms_no_other() {
    let alice = client("alice");
    let reports = Reports::begin();
    alice.on(&"status".into(), &function(|_| Err("mine".into()))).unwrap();
    let second = Events::of(&alice, "status");
    done(alice.connect(&NONE)).await;
    disconnect(&[&alice]).await;
    assert_eq!(second.seen().len(), 3);
    assert_eq!(reports.end(), ["mine", "mine", "mine"].map(JsValue::from));
}

#[wasm_bindgen_test]
async fn one_taken_away_is_called_no_more() {
    let alice = Rc::new(client("alice"));
    let (caller, number) = (alice.clone(), Rc::new(Cell::new(0)));
    let of_second = number.clone();
    let first = function(move |_| {
        caller.off(of_second.get());
        Ok(NONE)
    });
    alice.on(&"status".into(), &first).unwrap();
    let second = Events::of(&alice, "status");
    number.set(second.number);
    done(alice.connect(&NONE)).await;
    assert!(second.seen().is_empty());
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn messages_wait_for_the_first_listener_in_order() {
    let (alice, bob) = (online("alice").await, online("bob").await);
    let bodies: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    for body in &bodies {
        done(alice.send(&message(&bob.jid(), &body.into()), &NONE)).await;
    }
    // Bob has them when he has answered.
    done(alice.ping(&bob.jid().into(), &NONE)).await;
    let first = Events::of(&bob, "message");
    assert!(first.seen().is_empty(), "not before `on` has returned");
    let newer = alice.send(&message(&bob.jid(), &"newer".into()), &NONE);
    for body in &bodies {
        assert_eq!(text(&first.next().await, "body"), *body);
    }
    assert_eq!(text(&first.next().await, "body"), "newer");
    done(newer).await;

    // And so it is when none is left.
    bob.off(first.number);
    done(alice.send(&message(&bob.jid(), &"held".into()), &NONE)).await;
    done(alice.ping(&bob.jid().into(), &NONE)).await;
    let second = Events::of(&bob, "message");
    assert_eq!(text(&second.next().await, "body"), "held");
    assert!(first.seen().is_empty());
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn what_one_listener_leaves_the_next_one_gets() {
    let (alice, bob) = (online("alice").await, Rc::new(online("bob").await));
    for body in ["one", "two", "three"] {
        done(alice.send(&message(&bob.jid(), &body.into()), &NONE)).await;
    }
    done(alice.ping(&bob.jid().into(), &NONE)).await;
    for body in ["one", "two", "three"] {
        assert_eq!(text(&once(&bob, "message").await, "body"), body);
    }
    disconnect(&[&alice, &bob]).await;
}

/// A listener for one event alone, as the package's `once` adds it.
async fn once(client: &Rc<Client>, kind: &str) -> JsValue {
    let promise = Promise::new(&mut |resolve, _| {
        let (caller, number) = (client.clone(), Rc::new(Cell::new(0)));
        let own = number.clone();
        let listener = function(move |event| {
            caller.off(own.get());
            resolve.call1(&NONE, &event)
        });
        number.set(client.on(&kind.into(), &listener).unwrap());
    });
    done(promise).await
}
