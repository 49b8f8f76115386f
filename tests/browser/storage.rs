//! What outlives a client: where it is kept, and the stores that no app should have.

use crate::fakes::{Fake, broken, holding, silent, store, throwing, turn, vanishing};
use crate::support::*;
use js_sys::{Array, Function, JSON, JsString, Promise};
use stanzawire::web::Client;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = sessionStorage, js_name = getItem)]
    fn kept(key: &str) -> Option<String>;
    #[wasm_bindgen(js_namespace = sessionStorage, js_name = clear)]
    fn clear();
}

fn how_many() -> u32 {
    let session = get(&js_sys::global(), "sessionStorage");
    get(&session, "length").as_f64().expect("a number") as u32
}

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' id='1' from='localhost'/>";
const KEY: &str = "stanzawire:alice@localhost";

fn with_store(store: &JsValue) -> JsValue {
    let options = options("alice", "{}");
    set(&options, "storage", store);
    options
}

fn calls(store: &JsValue) -> Vec<String> {
    let calls: Array = get(store, "calls").unchecked_into();
    calls.iter().map(|call| call.as_string().unwrap()).collect()
}

async fn logs_in_and_out(client: &Client) {
    done(client.connect(&NONE)).await;
    // What the login sets off is over with.
    done(client.ping(&NONE, &NONE)).await;
    disconnect(&[client]).await;
}

#[wasm_bindgen_test]
async fn a_page_keeps_it_in_its_session_storage() {
    clear();
    let alice = client("alice");
    logs_in_and_out(&alice).await;
    let line = kept(KEY).expect("kept");
    assert_eq!(how_many(), 1);
    assert!(!line.is_empty() && !line.contains('\n'));
    // What has been kept is good for the next client.
    logs_in_and_out(&client("alice")).await;
    assert_eq!(kept(KEY).expect("kept still"), line);
    clear();
}

#[wasm_bindgen_test]
async fn no_credentials_are_kept() {
    let store = store(&NONE);
    let alice = client_with(&with_store(&store));
    let keys = Events::of(&alice, "credentials");
    logs_in_and_out(&alice).await;
    let text_kept = text(&store, "text");
    assert!(text_kept.contains(KEY), "{text_kept}");
    let keys = get(&keys.next().await, "scramKeys");
    for secret in ["clientKey", "serverKey", "salt"] {
        assert!(!text_kept.contains(&text(&keys, secret)), "{secret}: {text_kept}");
    }
    assert!(!text_kept.contains("secret"), "{text_kept}");
}

#[wasm_bindgen_test]
async fn null_keeps_nothing() {
    clear();
    let alice = client_with(&with_store(&JsValue::NULL));
    for _ in 0..2 {
        logs_in_and_out(&alice).await;
    }
    assert_eq!(how_many(), 0);
}

#[wasm_bindgen_test]
async fn a_page_that_may_not_touch_its_storage_keeps_nothing() {
    let fakes: [&dyn Fn() -> Fake; 4] = [
        &|| Fake::unreadable("sessionStorage"),
        &|| Fake::of("sessionStorage", &JsValue::NULL),
        &|| Fake::of("sessionStorage", &NONE),
        &|| Fake::of("sessionStorage", &json("{'getItem': 1}")),
    ];
    for fake in fakes {
        let _fake = fake();
        logs_in_and_out(&client("alice")).await;
    }
}

/// Once a client has logged out, nothing else is left, however long that takes the store.
async fn line_alone(store: &JsValue) {
    for _ in 0..500 {
        if !text(store, "text").contains(&format!("{KEY}:")) {
            return;
        }
        done(turn()).await;
    }
    panic!("left: {}, by {:?}", text(store, "text"), calls(store));
}

#[wasm_bindgen_test]
async fn an_apps_store_is_asked_first_and_told_after() {
    for later in [NONE, function(|_| Ok(turn().into())).into()] {
        let store = store(&later);
        let alice = client_with(&with_store(&store));
        logs_in_and_out(&alice).await;
        let first = calls(&store);
        assert_eq!(first.first(), Some(&format!("get {KEY}")));
        assert!(first.contains(&format!("set {KEY}")), "{first:?}");
        line_alone(&store).await;
        let text_kept = text(&store, "text");
        assert_eq!(text_kept.matches("stanzawire:").count(), 1, "{text_kept}");
        let alice = client_with(&with_store(&store));
        logs_in_and_out(&alice).await;
        line_alone(&store).await;
        let second: Vec<String> = calls(&store).split_off(first.len());
        let of_line: Vec<&String> = second.iter().filter(|call| call.ends_with(KEY)).collect();
        // There was nothing new to keep.
        assert_eq!(of_line, [&format!("get {KEY}")]);
        assert_eq!(text(&store, "text"), text_kept);
        assert_eq!(kept(KEY), None);
    }
}

/// A server that takes what it is given, and binds a resource.
fn obliging() -> Function {
    let authenticated = Cell::new(false);
    function(move |frame| {
        let frame = frame.as_string().unwrap_or_default();
        let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>";
        let answers: &[String] = match frame.split([' ', '/', '>']).next().unwrap_or_default() {
            "open" => {
                authenticated.set(false);
                return Ok(NONE);
            }
            "<open" => {
                let features = match authenticated.get() {
                    true => "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
                    false => {
                        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>\
                         <mechanism>EXTERNAL</mechanism></mechanisms>"
                    }
                };
                let stream = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>";
                &[OPEN.into(), format!("{stream}{features}</stream:features>")]
            }
            "<auth" => {
                authenticated.set(true);
                &["<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".into()]
            }
            "<iq" => {
                let id = frame.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
                let jid = "<jid>alice@localhost/a</jid></bind>";
                let payload = if frame.contains("<bind") {
                    [bind, jid].concat()
                } else {
                    String::new()
                };
                &[format!(
                    "<iq xmlns='jabber:client' type='result' id='{id}'>{payload}</iq>"
                )]
            }
            "<close" => &["<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>".into()],
            _ => return Ok(NONE),
        };
        Ok(answers.iter().map(JsValue::from).collect::<Array>().into())
    })
}

#[wasm_bindgen_test]
async fn one_step_at_a_time_and_the_last_word_stays() {
    let _fake = Fake::socket(&obliging(), "xmpp");
    // The store takes its time for the first line that it is to keep, until it is let go: then it fails.
    let slow = Rc::new(RefCell::new(None::<Function>));
    let go = slow.clone();
    let first = Cell::new(true);
    let later = function(move |step| {
        let slow = step.as_string().unwrap() == format!("set {KEY}") && first.replace(false);
        Ok(match slow {
            true => Promise::new(&mut |_, reject| *go.borrow_mut() = Some(reject)).into(),
            false => turn().into(),
        })
    });
    let store = store(&later);
    let options = with_store(&store);
    for (name, value) in [
        ("password", JsValue::NULL),
        ("allowPlain", true.into()),
        ("url", "ws://localhost:1/".into()),
    ] {
        set(&options, name, &value);
    }
    let logins = Cell::new(0);
    let ask = function(move |_| {
        logins.set(logins.get() + 1);
        let first = logins.get() == 1;
        Ok(json(if first {
            "{'password': 'secret'}"
        } else {
            "{'external': true}"
        }))
    });
    set(&options, "credentials", &ask);
    let alice = client_with(&options);
    for _ in 0..2 {
        done(alice.connect(&NONE)).await;
        disconnect(&[&alice]).await;
    }
    let (asked, told) = (format!("get {KEY}"), format!("set {KEY}"));
    let of_line = || -> Vec<String> { calls(&store).into_iter().filter(|call| call.ends_with(KEY)).collect() };
    assert_eq!(of_line(), [asked.clone(), told.clone()], "the first is not over yet");
    assert!(!text(&store, "text").contains("PLAIN"));
    slow.take().unwrap().call0(&NONE).unwrap();
    while of_line().len() < 3 || get(&store, "atOnce") != 0 {
        done(turn()).await;
    }
    assert_eq!(of_line(), [asked, told.clone(), told]);
    assert_eq!(get(&store, "most"), 1);
    let kept = text(&store, "text");
    assert!(kept.contains("EXTERNAL") && !kept.contains("PLAIN"), "{kept}");
}

#[wasm_bindgen_test]
async fn stores_that_fail_cost_no_login() {
    for kind in [
        "throws",
        "rejects",
        "number",
        "object",
        "function",
        "symbol",
        "undefined",
        "garbage",
        "empty",
        "half a pair",
        "later, half a pair",
        "long",
        "a promise of an object",
        "a then that throws",
        "a constructor that throws",
        "a proxy",
        "twice",
    ] {
        let alice = client_with(&with_store(&broken(kind)));
        let errors = Events::of(&alice, "error");
        for _ in 0..2 {
            // Less than a store may take that never answers.
            done(alice.connect(&json("{'timeout': 1900}"))).await;
            disconnect(&[&alice]).await;
        }
        // What is to outlive the page is written with the second login. A store that fails by then is told of, once.
        let told: Vec<String> = errors.seen().iter().map(|error| text(error, "code")).collect();
        assert!(told.is_empty() || told == ["storage-failed"], "{kind}: {told:?}");
    }
    logs_in_and_out(&client_with(&with_store(&vanishing()))).await;
}

#[wasm_bindgen_test]
async fn a_store_that_answers_late_does_no_harm() {
    let store = silent();
    let alice = client_with(&with_store(&store));
    let speak: Function = get(&store, "speak").unchecked_into();
    done(alice.connect(&NONE)).await;
    speak.call0(&NONE).unwrap();
    done(alice.ping(&NONE, &NONE)).await;
    speak.call0(&NONE).unwrap();
    disconnect(&[&alice]).await;
    speak.call0(&NONE).unwrap();
    logs_in_and_out(&client("alice")).await;
}

#[wasm_bindgen_test]
fn a_store_must_have_its_methods() {
    for missing in ["getItem", "setItem", "removeItem"] {
        let lacking = store(&NONE);
        set(&lacking, missing, &json("{}"));
        for store in [lacking, throwing(missing)] {
            let error = Client::new(&with_store(&store), None).err().unwrap();
            let error = is_error(error, "invalid-argument", "session");
            assert!(text(&error, "message").contains(&format!("`{missing}`")));
        }
    }
}

#[wasm_bindgen_test]
async fn plain_is_refused_once_scram_has_been_used() {
    let pinned = store(&NONE);
    logs_in_and_out(&client_with(&with_store(&pinned))).await;

    // A server that offers nothing else now. Whether the password goes out is what counts.
    let features = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms \
                    xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
    let answers = Array::of2(&OPEN.into(), &features.into());
    let heard = Array::new();
    let list = heard.clone();
    let server = function(move |frame| {
        let frame = frame.as_string().unwrap_or_default();
        list.push(&frame.as_str().into());
        Ok(match frame.split([' ', '/', '>']).next() {
            Some("<open") => answers.clone().into(),
            Some("<auth") => Array::of1(&JsValue::NULL).into(),
            _ => NONE,
        })
    });
    let _fake = Fake::socket(&server, "xmpp");
    let plain = "AGFsaWNlAHNlY3JldA==";
    let (half, long) = (JsString::from_char_code1(0xD83E), JsString::from(" ").repeat(1 << 23));
    let pin = |end: &JsString| holding(&JsString::from("1 pinned ").concat(end));
    let tries = [
        (store(&NONE), "closed"),
        (pinned, "downgrade"),
        (JsValue::NULL, "closed"),
        (pin(&"".into()), "downgrade"),
        (pin(&JsString::from(" ").repeat(1 << 20)), "downgrade"),
        // None of these was kept by us.
        (pin(&half), "closed"),
        (pin(&long), "closed"),
    ];
    for (store, code) in tries {
        heard.set_length(0);
        let options = with_store(&store);
        set(&options, "allowPlain", &true.into());
        set(&options, "url", &"ws://localhost:1/".into());
        let alice = client_with(&options);
        fails(alice.connect(&NONE), code, "auth").await;
        let sent = JSON::stringify(&heard).unwrap().as_string().unwrap();
        assert_eq!(sent.contains(plain), code == "closed", "{sent}");
    }
}
