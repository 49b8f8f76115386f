//! What the package's façade relies on: every way in, other than a method, goes through its guard.

use crate::fakes::host;
use crate::support::*;
use js_sys::{Function, Promise};
use stanzawire::web::Client;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[wasm_bindgen_test]
async fn every_way_in_is_guarded() {
    let open = Rc::new(Cell::new(true));
    let state = open.clone();
    let host = host(&function(move |_| Ok(state.get().into())));
    let alice = Client::new(&options("alice", "{}"), Some(host.clone().unchecked_into())).unwrap();
    done(alice.connect(&NONE)).await;
    // Response, pieces of it, open, frames, key, bits.
    assert!(get(&host, "entries").as_f64().unwrap() > 10.0);
    let socket = get(&host, "socket");
    assert_eq!(get(&socket, "readyState"), 1);

    // What the login set off is over with.
    done(alice.ping(&NONE, &NONE)).await;

    // With the guard shut, as after a trap, nothing comes in any more: the answer is on the socket, and is not heard.
    open.set(false);
    let before = get(&host, "entries");
    let arrived = Promise::new(&mut |resolve, _| {
        let answered = function(move |event| match text(&event, "data").contains("result") {
            true => resolve.call0(&NONE),
            false => Ok(NONE),
        });
        let add: Function = get(&socket, "addEventListener").unchecked_into();
        add.call2(&socket, &"message".into(), &answered).unwrap();
    });
    let ping = alice.ping(&NONE, &json("{'timeout': 50}"));
    done(arrived).await;
    assert_eq!(get(&host, "entries"), before);
    open.set(true);
    // The guard ate the timer too: any other entry finds it overdue.
    disconnect(&[&alice]).await;
    let error = wasm_bindgen_futures::JsFuture::from(ping)
        .await
        .expect_err("unanswered");
    assert!(["timeout", "closed"].contains(&text(&error, "code").as_str()));
}
