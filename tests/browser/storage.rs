//! What outlives a client: where it is kept, and the stores that no app should have.

use crate::fakes::Fake;
use crate::support::*;
use js_sys::{Array, Function, JSON};
use stanzawire::web::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

#[wasm_bindgen(inline_js = r#"
// A store whose methods want their own object. Each step takes a turn of `later`, if it is a function.
export function store(later) {
  return new class {
    #kept = new Map();
    calls = [];
    atOnce = 0;
    most = 0;
    #do(name, step) {
      this.calls.push(name);
      if (!later) return step();
      this.most = Math.max(this.most, ++this.atOnce);
      return later(name).then(() => {
        this.atOnce -= 1;
        return step();
      });
    }
    getItem(key) {
      return this.#do(`get ${key}`, () => this.#kept.get(key) ?? null);
    }
    setItem(key, value) {
      return this.#do(`set ${key}`, () => void this.#kept.set(key, value));
    }
    removeItem(key) {
      return this.#do(`remove ${key}`, () => void this.#kept.delete(key));
    }
    get text() {
      return JSON.stringify([...this.#kept]);
    }
  };
}

export const turn = () => new Promise((resolve) => setTimeout(resolve));

// A store whose methods do what it says, and nothing else.
export function broken(kind) {
  const thrower = { get() { throw new Error("thrown"); } };
  const does = {
    throws() { throw new Error("thrown"); },
    rejects: () => Promise.reject(new Error("rejected")),
    number: () => 1,
    object: () => ({}),
    function: () => () => {},
    symbol: () => Symbol("a"),
    undefined: () => undefined,
    garbage: () => "garbage \0 <",
    empty: () => "",
    "half a pair": () => "\ud83e",
    "later, half a pair": async () => "a\udc00",
    long: () => "a".repeat(1 << 26),
    "a promise of an object": async () => ({}),
    "a then that throws": () => Object.defineProperty({}, "then", thrower),
    "a constructor that throws": () => Object.defineProperty(Promise.resolve("a"), "constructor", thrower),
    "a proxy": () => new Proxy({}, { get() { throw new Error("thrown"); } }),
    "twice": () => ({ then(resolve, reject) { resolve("a"); reject(1); resolve("b"); throw 2; } }),
  }[kind];
  return { getItem: does, setItem: does, removeItem: does };
}

// One that never answers, until it is told to.
export function silent() {
  const waiting = [];
  const does = () => new Promise((resolve) => waiting.push(resolve));
  return {
    getItem: does, setItem: does, removeItem: does,
    speak: () => {
      for (const resolve of waiting.splice(0)) resolve("late");
    },
  };
}

// Its methods, once they have been seen, are gone.
export function vanishing() {
  const seen = new Set();
  return new Proxy({}, {
    get(_, name) {
      if (seen.has(name)) throw new Error("gone");
      seen.add(name);
      return () => null;
    },
  });
}

export const throwing = (name) => Object.defineProperty({ getItem() {}, setItem() {}, removeItem() {} }, name, {
  get() { throw new Error("thrown"); },
});
"#)]
extern "C" {
    fn store(later: &JsValue) -> JsValue;
    fn turn() -> js_sys::Promise;
    fn broken(kind: &str) -> JsValue;
    fn silent() -> JsValue;
    fn vanishing() -> JsValue;
    fn throwing(name: &str) -> JsValue;

    #[wasm_bindgen(js_namespace = sessionStorage, js_name = getItem)]
    fn kept(key: &str) -> Option<String>;
    #[wasm_bindgen(js_namespace = sessionStorage, js_name = clear)]
    fn clear();
    #[wasm_bindgen(js_namespace = sessionStorage, getter, js_name = length)]
    fn how_many() -> u32;
}

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

#[wasm_bindgen_test]
async fn an_apps_store_is_asked_first_and_told_after() {
    for later in [NONE, function(|_| Ok(turn().into())).into()] {
        let store = store(&later);
        logs_in_and_out(&client_with(&with_store(&store))).await;
        let first = calls(&store);
        assert_eq!(first.first(), Some(&format!("get {KEY}")));
        assert!(first.contains(&format!("set {KEY}")), "{first:?}");
        let text_kept = text(&store, "text");
        logs_in_and_out(&client_with(&with_store(&store))).await;
        let second = calls(&store);
        assert_eq!(second[first.len()], format!("get {KEY}"));
        assert_eq!(text(&store, "text"), text_kept);
        assert_eq!(kept(KEY), None);
    }
}

#[wasm_bindgen_test]
async fn one_step_at_a_time() {
    let later = function(|_| Ok(turn().into()));
    let store = store(&later);
    let alice = client_with(&with_store(&store));
    for _ in 0..3 {
        done(alice.connect(&NONE)).await;
        disconnect(&[&alice]).await;
    }
    // What is still under way ends in its order.
    while get(&store, "atOnce").as_f64() != Some(0.0) {
        done(turn()).await;
    }
    assert_eq!(get(&store, "most"), 1);
    assert!(text(&store, "text").contains(KEY));
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
            logs_in_and_out(&alice).await;
        }
        assert!(errors.seen().is_empty(), "{kind}");
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
    let open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' id='1' from='localhost'/>";
    let answers = Array::of2(&open.into(), &features.into());
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
    let tries = [
        (store(&NONE), "closed"),
        (pinned, "downgrade"),
        (JsValue::NULL, "closed"),
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
