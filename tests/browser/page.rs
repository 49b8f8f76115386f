//! What becomes of the page, and what the client makes of it.

use crate::fakes::{host, page_events};
use crate::support::*;
use stanzawire::web::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

fn entries(host: &JsValue) -> f64 {
    get(host, "entries").as_f64().unwrap()
}

/// How often the client is entered when everything happens to the page that can.
fn told(host: &JsValue) -> f64 {
    let before = entries(host);
    for event in page_events() {
        event.call0(&NONE).unwrap();
    }
    entries(host) - before
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
