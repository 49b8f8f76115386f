//! Servers that no real one is like, and platforms with parts missing.

use crate::fakes::{Fake, response, scram_server, without_body};
use crate::support::*;
use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' id='1'/>";

/// A server that says the same, whatever it hears.
fn parrot(frames: &[JsValue]) -> js_sys::Function {
    let list: Array = frames.iter().collect();
    function(move |heard| {
        let heard = heard.as_string().unwrap_or_default();
        Ok(if heard.starts_with("<open") {
            list.clone().into()
        } else {
            JsValue::UNDEFINED
        })
    })
}

fn at_loopback() -> JsValue {
    // What the real server was found to be able to do doesn't count here.
    options("alice", "{'url': 'ws://localhost:1/', 'storage': null}")
}

#[wasm_bindgen_test]
async fn rfc5802_5_1_the_servers_signature_is_checked() {
    // v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=, nothing, an error, and a proof that is no base64.
    for success in [
        "dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9",
        "",
        "=",
        "ZT1vdGhlci1lcnJvcg==",
    ] {
        let fake = Fake::socket(&scram_server(success), "xmpp");
        let alice = client_with(&at_loopback());
        let result = wasm_bindgen_futures::JsFuture::from(alice.connect(&NONE)).await;
        let error = result.expect_err(success);
        let code = text(&error, "code");
        assert!(
            code == "server-signature" || (code == "not-authorized" && success.starts_with("ZT1")),
            "{code}"
        );
        assert_eq!(
            (text(&error, "phase").as_str(), alice.status().as_str()),
            ("auth", "offline")
        );
        // The real server is as good as ever for another.
        drop(fake);
        disconnect(&[&online("alice").await]).await;
    }
}

#[wasm_bindgen_test]
async fn rfc7395_3_1_the_subprotocol_is_checked() {
    for protocol in ["", "XMPP", "chat"] {
        let _fake = Fake::socket(&parrot(&[OPEN.into()]), protocol);
        let alice = client_with(&at_loopback());
        for _ in 0..2 {
            fails(alice.connect(&NONE), "subprotocol-missing", "socket").await;
        }
    }
}

#[wasm_bindgen_test]
async fn frames_that_are_no_frames() {
    let two = [OPEN, OPEN].concat();
    for frame in [
        "",
        " ",
        "garbage",
        "<open",
        "<!DOCTYPE a><a/>",
        "<!-- a --><a/>",
        "<?xml version='1.0'?><a>&b;</a>",
        two.as_str(),
    ] {
        let _fake = Fake::socket(&parrot(&[frame.into()]), "xmpp");
        let alice = client_with(&at_loopback());
        fails(alice.connect(&NONE), "protocol-violation", "stream").await;
        assert_eq!(alice.status(), "offline");
    }
    let binary = js_sys::ArrayBuffer::new(1);
    let _fake = Fake::socket(&parrot(&[OPEN.into(), binary.into()]), "xmpp");
    let error = fails(
        client_with(&at_loopback()).connect(&NONE),
        "protocol-violation",
        "stream",
    )
    .await;
    assert_eq!(text(&error, "condition"), "unsupported-encoding");
}

#[wasm_bindgen_test]
async fn a_success_out_of_order() {
    let success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
    for frames in [&[success][..], &[OPEN, success]] {
        let frames: Vec<JsValue> = frames.iter().map(|frame| (*frame).into()).collect();
        let _fake = Fake::socket(&parrot(&frames), "xmpp");
        fails(
            client_with(&at_loopback()).connect(&NONE),
            "protocol-violation",
            "stream",
        )
        .await;
    }
}

#[wasm_bindgen_test]
async fn sockets_that_end() {
    let at_once = Fake::socket(
        &function(|heard| {
            Ok(if heard == "open" {
                Array::of1(&JsValue::NULL).into()
            } else {
                NONE
            })
        }),
        "xmpp",
    );
    fails(client_with(&at_loopback()).connect(&NONE), "closed", "stream").await;
    drop(at_once);
    let refused = Fake::socket(&function(|heard| Ok((heard == "constructor").into())), "xmpp");
    let alice = client_with(&at_loopback());
    fails(alice.connect(&NONE), "socket-failed", "socket").await;
    drop(refused);
    let missing = Fake::of("WebSocket", &NONE);
    fails(alice.connect(&NONE), "socket-failed", "socket").await;
    drop(missing);
}

#[wasm_bindgen_test]
async fn host_meta_that_is_none() {
    // All well but for its size.
    let xrd = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>";
    let big = xrd.to_owned() + &" ".repeat(100_000) + "</XRD>";
    let cases: [(&str, &str); 7] = [
        ("", "discovery-parse"),
        ("[]", "discovery-parse"),
        ("{}", "discovery-no-link"),
        ("<!doctype html><title>404</title>", "discovery-parse"),
        (
            "<!DOCTYPE XRD [<!ENTITY a 'a'>]><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>&a;</XRD>",
            "discovery-parse",
        ),
        (
            "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>",
            "discovery-no-link",
        ),
        (&big, "discovery-parse"),
    ];
    for (body, code) in cases {
        for whole in [false, true] {
            let text = body.to_owned();
            let make = function(move |_| {
                Ok(if whole {
                    without_body(200, &text)
                } else {
                    response(200, &text, None)
                })
            });
            let _fake = Fake::fetch(&make);
            fails(client("alice").connect(&NONE), code, "discovery").await;
        }
    }
}

#[wasm_bindgen_test]
async fn host_meta_is_not_followed_from_https_to_http() {
    let xrd = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
               <Link rel='urn:xmpp:alt-connections:websocket' href='wss://192.0.2.1/'/></XRD>";
    let secure = options("alice", "{'jid': 'alice@example.org', 'hostMeta': null}");
    let _fake = Fake::fetch(&function(move |url| {
        let url = url.as_string().unwrap();
        assert!(url.starts_with("https://example.org/.well-known/host-meta"), "{url}");
        Ok(response(200, xrd, Some(&url.replace("https", "http"))))
    }));
    fails(client_with(&secure).connect(&NONE), "discovery-network", "discovery").await;
}

#[wasm_bindgen_test]
async fn a_server_with_trouble_of_its_own_may_recover() {
    for (status, retryable) in [(404, false), (503, true)] {
        let _fake = Fake::fetch(&function(move |_| Ok(response(status, "no", None))));
        let error = fails(client("alice").connect(&NONE), "discovery-http", "discovery").await;
        assert_eq!(get(&error, "retryable"), retryable);
    }
}

#[wasm_bindgen_test]
async fn without_webcrypto_the_key_is_derived_in_slices() {
    let missing = Fake::of("crypto.subtle", &NONE);
    let alice = online("alice").await;
    drop(missing);
    let failing = json("{}");
    set(
        &failing,
        "importKey",
        &function(|_| Ok(js_sys::Promise::reject(&"no".into()).into())),
    );
    let failing = Fake::of("crypto.subtle", &failing);
    let bob = online("bob").await;
    drop(failing);
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
fn without_randomness_there_is_no_client() {
    for value in [
        NONE,
        function(|_| Err("no".into())).into(),
        function(|_| Ok(NONE)).into(),
    ] {
        let _fake = Fake::of("crypto.getRandomValues", &value);
        let error = stanzawire::web::Client::new(&options("alice", "{}"), None).err();
        is_error(error.expect("no client"), "internal", "session");
    }
}
