//! Servers that no real one is like, and platforms with parts missing.

use crate::fakes::{Fake, response, scram_server, without_body};
use crate::support::*;
use js_sys::{Array, Function, JsString};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' id='1'/>";

/// A server that says the same, whatever it hears.
fn parrot(frames: &[JsValue]) -> Function {
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

/// A server that lets everybody in, and greets the first presence with these frames.
fn open_house(frames: &[JsValue]) -> (Function, Rc<RefCell<Vec<String>>>) {
    let greeting: Array = frames.iter().collect();
    let heard = Rc::<RefCell<Vec<String>>>::default();
    let (list, opened) = (heard.clone(), Cell::new(false));
    let features = |inner: &str| format!("<features xmlns='http://etherx.jabber.org/streams'>{inner}</features>");
    let answer = function(move |frame| {
        let frame = frame.as_string().unwrap_or_default();
        list.borrow_mut().push(frame.clone());
        let say = |frames: &[&str]| {
            frames
                .iter()
                .map(|frame| JsValue::from(*frame))
                .collect::<Array>()
                .into()
        };
        Ok(if frame.starts_with("<open ") {
            let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
            let sasl =
                "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>";
            say(&[OPEN, &features(if opened.replace(true) { bind } else { sasl })])
        } else if frame.starts_with("<auth ") {
            say(&["<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"])
        } else if frame.contains("xmpp-bind") {
            let id = frame
                .split("id=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .unwrap();
            say(&[&format!(
                "<iq xmlns='jabber:client' type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <jid>x@localhost/y</jid></bind></iq>"
            )])
        } else if frame.starts_with("<presence") && !frame.contains("unavailable") {
            greeting.clone().into()
        } else if frame.starts_with("<close ") {
            say(&["<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"])
        } else {
            NONE
        })
    });
    (answer, heard)
}

fn anybody() -> JsValue {
    json("{'jid': 'localhost', 'credentials': {'anonymous': true}, 'url': 'ws://localhost:1/', 'reconnect': false}")
}

/// The worst of what `tests/core/hostile` has, and how the stream ends for it.
fn worst() -> Vec<(String, &'static str)> {
    let mut lol = String::from("<!DOCTYPE a [<!ENTITY l0 'lol'>");
    for n in 1..10 {
        lol += &format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10));
    }
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
    vec![
        (lol + "]><a>&l9;</a>", "restricted-xml"),
        ("<a>".repeat(10_000) + &"</a>".repeat(10_000), "policy-violation"),
        (format!("<a{attributes}/>"), "policy-violation"),
        (format!("<a>{}</a>", "x".repeat(5 << 20)), "policy-violation"),
        ("<a>\0</a>".into(), "not-well-formed"),
        ("<a>&#xD800;</a>".into(), "not-well-formed"),
        ("<a/><b/>".into(), "not-well-formed"),
        ("<close/>".into(), "invalid-namespace"),
    ]
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
    // As some releases of Node do it.
    let error_alone = Fake::socket(
        &function(|heard| {
            Ok(if heard == "open" {
                Array::of1(&JsValue::UNDEFINED).into()
            } else {
                NONE
            })
        }),
        "xmpp",
    );
    fails(client_with(&at_loopback()).connect(&NONE), "closed", "stream").await;
    drop(error_alone);
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

#[wasm_bindgen_test]
async fn rfc7395_3_1_the_subprotocol_is_asked_for() {
    let class = Function::new_with_args(
        "url, protocol",
        "new.target.asked = [url, protocol]; throw new DOMException('no', 'SyntaxError');",
    );
    let _fake = Fake::of("WebSocket", &class);
    fails(client_with(&anybody()).connect(&NONE), "socket-failed", "socket").await;
    let asked: Array = get(&class, "asked").unchecked_into();
    assert_eq!(
        (asked.get(0), asked.get(1)),
        ("ws://localhost:1/".into(), "xmpp".into())
    );
}

#[wasm_bindgen_test]
async fn rfc7395_3_6_the_stream_ends_before_the_socket() {
    let (server, heard) = open_house(&[]);
    let _fake = Fake::socket(&server, "xmpp");
    let prototype = get(&get(&js_sys::global(), "WebSocket"), "prototype");
    let list = heard.clone();
    let closed = function(move |code| {
        list.borrow_mut().push(format!("closed: {:?}", code.as_f64()));
        Ok(NONE)
    });
    set(&prototype, "close", &closed);
    let anybody = client_with(&anybody());
    done(anybody.connect(&NONE)).await;
    disconnect(&[&anybody]).await;
    let heard = heard.borrow();
    let end = heard
        .iter()
        .position(|frame| frame.starts_with("<close "))
        .expect("the end of the stream");
    // RFC 6455 §7.4.1: 1000 is the normal closure.
    assert_eq!(heard[end + 1..], ["closed: Some(1000.0)"]);
}

#[wasm_bindgen_test]
async fn the_worst_frames_end_a_login_typed() {
    let uncaught = Uncaught::begin();
    for (frame, condition) in worst() {
        let _fake = Fake::socket(&parrot(&[OPEN.into(), frame.as_str().into()]), "xmpp");
        let alice = client_with(&at_loopback());
        let error = fails(alice.connect(&NONE), "protocol-violation", "stream").await;
        assert_eq!(text(&error, "condition"), condition);
        assert_eq!(alice.status(), "offline");
    }
    uncaught.none();
    disconnect(&[&online("alice").await]).await;
}

#[wasm_bindgen_test]
async fn the_worst_frames_end_a_session_typed() {
    let uncaught = Uncaught::begin();
    for (frame, condition) in worst() {
        let (server, heard) = open_house(&[frame.as_str().into()]);
        let _fake = Fake::socket(&server, "xmpp");
        let anybody = client_with(&anybody());
        let errors = Events::of(&anybody, "error");
        done(anybody.connect(&NONE)).await;
        let error = errors.next().await;
        assert_eq!(text(&error, "code"), "protocol-violation");
        assert_eq!(
            (text(&error, "condition").as_str(), anybody.status().as_str()),
            (condition, "offline")
        );
        // The reason is on its way before the end is.
        let told = || {
            heard
                .borrow()
                .iter()
                .any(|frame| frame.starts_with("<error ") && frame.contains(condition))
        };
        while !told() {
            tick().await;
        }
        // And it may come back.
        let (server, _) = open_house(&[]);
        let _fake = Fake::socket(&server, "xmpp");
        done(anybody.connect(&NONE)).await;
        disconnect(&[&anybody]).await;
    }
    uncaught.none();
}

#[wasm_bindgen_test]
async fn a_strangers_worst_stanzas_end_nothing() {
    let uncaught = Uncaught::begin();
    let message = |inner: &str| format!("<message xmlns='jabber:client' from='e@x/y'><body>{inner}</body></message>");
    let mut frames: Vec<JsValue> = ["<a>".repeat(10_000), "x".repeat(5 << 20), "<a/>".repeat(100_000)]
        .iter()
        .map(|inner| message(inner).into())
        .collect();
    // The first half of a pair alone: no text that Rust could hold.
    let half = JsString::from_char_code1(0xD83E);
    let (start, end) = (
        "<message xmlns='jabber:client' from='e@x/y'><body>",
        "</body></message>",
    );
    frames.push(JsString::from(start).concat(&half).concat(&end.into()).into());
    let (server, _) = open_house(&frames);
    let _fake = Fake::socket(&server, "xmpp");
    let anybody = client_with(&anybody());
    let (errors, messages) = (Events::of(&anybody, "error"), Events::of(&anybody, "message"));
    done(anybody.connect(&NONE)).await;
    assert_eq!(text(&messages.next().await, "body"), "\u{FFFD}");
    let seen = errors.seen();
    assert_eq!(seen.len(), 3);
    for error in seen {
        is_error(error.clone(), "protocol-violation", "stanza");
        assert_eq!(text(&error, "condition"), "policy-violation");
    }
    assert_eq!(anybody.status(), "online");
    disconnect(&[&anybody]).await;
    uncaught.none();
}

/// What nobody caught meanwhile.
struct Uncaught {
    seen: Array,
    listener: Function,
}

impl Uncaught {
    fn begin() -> Uncaught {
        let seen = Array::new();
        let list = seen.clone();
        let listener = function(move |event| {
            list.push(&event);
            Ok(NONE)
        });
        Uncaught::each("addEventListener", &listener);
        Uncaught { seen, listener }
    }

    fn none(self) {
        Uncaught::each("removeEventListener", &self.listener);
        assert_eq!(self.seen.length(), 0, "{:?}", self.seen);
    }

    fn each(method: &str, listener: &Function) {
        let method: Function = get(&js_sys::global(), method).unchecked_into();
        for kind in ["error", "unhandledrejection"] {
            method.call2(&js_sys::global(), &kind.into(), listener).unwrap();
        }
    }
}

/// Until what is due has been done.
async fn tick() {
    let turn = js_sys::Promise::new(&mut |resolve, _| {
        let later: Function = get(&js_sys::global(), "setTimeout").unchecked_into();
        later.call1(&NONE, &resolve).unwrap();
    });
    done(turn).await;
}
