//! Finding endpoints: against the server's own host-meta in both forms, and against every way in which one can be wrong.

use crate::fakes::{Fake, response};
use crate::support::*;
use js_sys::{Array, Promise};
use stanzawire::web::Client;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[path = "../json_cases.rs"]
mod json_cases;

const XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
    <Link rel='urn:xmpp:alt-connections:websocket' href='wss://xrd.example/'/></XRD>";
const JRD: &str = r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://json.example/"}]}"#;

#[wasm_bindgen(inline_js = r#"
export function fetchLog(seen) {
  const real = globalThis.fetch;
  return (url, init) => {
    seen.push(url);
    return real(url, init);
  };
}
export const later = (value) => new Promise((resolve) => setTimeout(resolve, 0, value));
export const controller = () => new AbortController();
export function pendingFetch(seen) {
  return (url, { signal }) => new Promise((_, reject) => {
    seen.push(signal);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
export function fetchWithout(end) {
  const real = globalThis.fetch;
  return (url, init) => real(url.endsWith(end) ? url + "/nothing-here" : url, init);
}
"#)]
extern "C" {
    #[wasm_bindgen(js_name = fetchWithout)]
    fn fetch_without(end: &str) -> JsValue;
    #[wasm_bindgen(js_name = fetchLog)]
    fn fetch_log(seen: &Array) -> JsValue;
    fn later(value: &JsValue) -> Promise;
    fn controller() -> JsValue;
    #[wasm_bindgen(js_name = pendingFetch)]
    fn pending_fetch(seen: &Array) -> JsValue;
}

/// What the package's `discover()` calls.
fn discover(domain: &str, options: &JsValue) -> (Client, Promise) {
    let client = Client::of_domain(&domain.into(), options, None).unwrap_or_else(|error| panic!("{error:?}"));
    let promise = client.discover(options);
    (client, promise)
}

async fn endpoints(domain: &str, options: &JsValue) -> Vec<(String, String)> {
    let (_client, promise) = discover(domain, options);
    let list: Array = done(promise).await.unchecked_into();
    let pair = |endpoint: JsValue| (text(&endpoint, "url"), text(&endpoint, "source"));
    list.iter().map(pair).collect()
}

fn at_server() -> JsValue {
    json(&format!("{{'hostMeta': '{HOST_META}'}}"))
}

fn is_json(url: &JsValue) -> bool {
    url.as_string().unwrap().ends_with("/.well-known/host-meta.json")
}

#[wasm_bindgen_test]
fn rfc6415_a_the_table_of_json_documents_holds() {
    let failures = json_cases::failures();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[wasm_bindgen_test]
async fn rfc6415_3_the_server_answers_in_both_forms() {
    let found = endpoints("localhost", &at_server()).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, url());

    // Each alone: the other doesn't come.
    for (missing, source) in [(".json", "xrd"), ("/host-meta", "json")] {
        let _fake = Fake::of("fetch", &without(missing));
        let found = endpoints("localhost", &at_server()).await;
        assert_eq!(found, [(url(), source.to_owned())]);
        // A login finds it as well.
        disconnect(&[&online("alice").await]).await;
    }
}

/// The real `fetch`, with one of the documents missing.
fn without(end: &'static str) -> JsValue {
    fetch_without(end)
}

#[wasm_bindgen_test]
async fn the_first_usable_answer_wins() {
    for xrd_first in [true, false] {
        let make = function(move |url| {
            let document = response(200, if is_json(&url) { JRD } else { XRD }, None);
            Ok(if is_json(&url) == xrd_first {
                later(&document).into()
            } else {
                document
            })
        });
        let _fake = Fake::fetch(&make);
        let found = endpoints("example.org", &NONE).await;
        let expected = if xrd_first { "xrd" } else { "json" };
        assert_eq!(found, [(format!("wss://{expected}.example/"), expected.to_owned())]);
    }
    // Not the first answer of all.
    for bad in ["", "<a/>", "[]", "{}"] {
        let make = function(move |url| {
            Ok(if is_json(&url) {
                later(&response(200, JRD, None)).into()
            } else {
                response(200, bad, None)
            })
        });
        let _fake = Fake::fetch(&make);
        assert_eq!(endpoints("example.org", &NONE).await[0].1, "json");
    }
}

#[wasm_bindgen_test]
async fn a_failed_lookup_says_what_each_document_was() {
    for (xrd, jrd, code, words) in [
        (0, 0, "discovery-network", ["could not be fetched", "the same goes"]),
        (404, 0, "discovery-http", ["HTTP status 404", "could not be fetched"]),
        (500, 404, "discovery-http", ["HTTP status 500", "HTTP status 404"]),
        (404, 200, "discovery-parse", ["HTTP status 404", "is no JSON"]),
        (
            200,
            0,
            "discovery-no-link",
            ["names no WebSocket", "could not be fetched"],
        ),
    ] {
        let make = function(move |url| {
            let (status, body) = match is_json(&url) {
                true => (jrd, "<a/>"),
                false => (xrd, "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>"),
            };
            match status {
                0 => Err("no network".into()),
                status => Ok(response(status, body, None)),
            }
        });
        let _fake = Fake::fetch(&make);
        let (_client, promise) = discover("example.org", &NONE);
        let error = fails(promise, code, "discovery").await;
        let message = text(&error, "message");
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    let insecure = JRD.replace("wss:", "ws:");
    let _fake = Fake::fetch(&function(move |_| Ok(response(200, &insecure, None))));
    fails(discover("example.org", &NONE).1, "insecure", "discovery").await;
}

#[wasm_bindgen_test]
async fn real_ways_to_fail() {
    let (_client, promise) = discover("nowhere.invalid", &NONE);
    let error = fails(promise, "discovery-network", "discovery").await;
    assert_eq!(get(&error, "retryable"), true);
    let (_client, promise) = discover("localhost", &json("{'hostMeta': 'http://127.0.0.1:65533'}"));
    fails(promise, "discovery-network", "discovery").await;
    let (_client, promise) = discover("localhost", &json("{'hostMeta': 'http://192.0.2.1'}"));
    fails(promise, "insecure", "discovery").await;
}

#[wasm_bindgen_test]
fn what_is_no_domain() {
    for (domain, code) in [
        ("'alice@localhost'", "invalid-jid"),
        ("'localhost/web'", "invalid-jid"),
        ("''", "invalid-jid"),
        ("'a b'", "invalid-jid"),
        ("'https://localhost'", "invalid-jid"),
        ("null", "invalid-argument"),
        ("1", "invalid-argument"),
        ("{}", "invalid-argument"),
    ] {
        let error = Client::of_domain(&json(domain), &NONE, None).err();
        is_error(error.unwrap_or_else(|| panic!("{domain}")), code, "session");
    }
    for options in ["1", "{'hostMeta': 1}"] {
        let error = Client::of_domain(&"localhost".into(), &json(options), None).err();
        is_error(error.expect(options), "invalid-argument", "session");
    }
}

#[wasm_bindgen_test]
async fn it_can_be_aborted_and_has_a_time() {
    let signals = Array::new();
    let _fake = Fake::of("fetch", &pending_fetch(&signals));
    let controller = controller();
    let options = json("{}");
    set(&options, "signal", &get(&controller, "signal"));
    let (_client, promise) = discover("example.org", &options);
    let abort: js_sys::Function = get(&controller, "abort").unchecked_into();
    abort.call1(&controller, &"my reason".into()).unwrap();
    let error = fails(promise, "aborted", "discovery").await;
    assert_eq!(get(&error, "cause"), "my reason");

    let (_client, promise) = discover("example.org", &json("{'timeout': 0}"));
    fails(promise, "timeout", "discovery").await;
    // Nothing is left under way.
    let aborted: Vec<JsValue> = signals.iter().map(|signal| get(&signal, "aborted")).collect();
    assert_eq!(aborted, [true, true, true, true]);
}

#[wasm_bindgen_test]
async fn a_login_drops_the_other_document_and_remembers_what_it_found() {
    let seen = Array::new();
    let _fake = Fake::of("fetch", &fetch_log(&seen));
    let alice = online("alice").await;
    let asked: Vec<JsValue> = seen.iter().collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked.iter().filter(|url| is_json(url)).count(), 1);
    disconnect(&[&alice]).await;
    done(alice.connect(&NONE)).await;
    assert_eq!(seen.length(), 2, "the endpoint is remembered");
    disconnect(&[&alice]).await;

    // One that fails isn't: it is looked up again in the same login.
    let sockets = Rc::new(RefCell::new(0));
    let count = sockets.clone();
    let refuse = function(move |heard| {
        if heard == "constructor" {
            *count.borrow_mut() += 1;
        }
        Ok((heard == "constructor").into())
    });
    let fake = Fake::socket(&refuse, "xmpp");
    fails(alice.connect(&NONE), "socket-failed", "socket").await;
    assert_eq!((seen.length(), *sockets.borrow()), (4, 2));
    drop(fake);
    done(alice.connect(&NONE)).await;
    assert_eq!(seen.length(), 6);
    disconnect(&[&alice]).await;
}
