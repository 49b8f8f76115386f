//! Stand-ins for platform objects, for what no real server and no whole platform does. Dropped, they give back the real
//! ones.
//!
//! All of their JavaScript is one piece: the test runner's server may hang where a page asks for five at once.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = r#"
export function replace(path, value) {
  return redefine(path, { value, writable: true });
}

export function unreadable(path) {
  return redefine(path, { get() { throw new DOMException("no", "SecurityError"); } });
}

function redefine(path, property) {
  const names = path.split(".");
  const name = names.pop();
  const object = names.reduce((object, name) => object[name], globalThis);
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { ...property, configurable: true });
  return () => before ? Object.defineProperty(object, name, before) : delete object[name];
}

// A server by a function from a frame (or "open", "error" for the socket's own doings) to a list of what it says:
// strings, objects for binary messages, and null for closing.
export function socketClass(answer, protocol) {
  return class {
    protocol = protocol;
    constructor(url, asked) {
      if (answer("constructor", asked)) throw new DOMException("no", "SyntaxError");
      setTimeout(() => {
        this.onopen?.({ type: "open" });
        this.say(answer("open") ?? []);
      });
    }
    send(frame) {
      setTimeout(() => this.say(answer(frame) ?? []));
    }
    say(frames) {
      for (const data of frames) {
        if (data === null) this.onclose?.({ type: "close", code: 1006, wasClean: false });
        else if (data === undefined) this.onerror?.({ type: "error" });
        else this.onmessage?.({ type: "message", data });
      }
    }
    close() {}
  };
}

// The server's part of SCRAM as far as it can be played without knowing the key.
export function scramServer(success) {
  const sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
  return (frame) => {
    if (frame.startsWith("<open")) {
      return ["<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' id='1'/>",
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms " + sasl +
        "><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>"];
    }
    if (frame.startsWith("<auth")) {
      const nonce = atob(frame.match(/>([^<]*)</)[1]).match(/r=([^,]*)/)[1];
      return [`<challenge ${sasl}>${btoa(`r=${nonce}server,s=c2FsdA==,i=4096`)}</challenge>`];
    }
    if (frame.startsWith("<response")) return [`<success ${sasl}>${success}</success>`];
  };
}

export function fetchOf(make) {
  return async (url, init) => make(url, init);
}

export function response(status, body, url) {
  const response = new Response(body, { status });
  if (url) Object.defineProperty(response, "url", { value: url });
  return response;
}

export function without_body(status, text) {
  return { status, url: "", body: null, text: async () => text };
}

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
      return later(name).finally(() => {
        this.atOnce -= 1;
      }).then(step);
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

// One with room for so many characters, which says so at once or later.
export function limited(room, later) {
  const kept = new Map();
  const set = (key, value) => {
    const others = [...kept].filter(([other]) => other !== key).flat();
    if ([...others, key, value].join("").length > room) throw new DOMException("full", "QuotaExceededError");
    kept.set(key, value);
  };
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: later ? async (...args) => set(...args) : set,
    removeItem: (key) => void kept.delete(key),
    get text() { return JSON.stringify([...kept]); },
  };
}

// From now on frames with this in them get lost, or go out with something else in its place. What ends it.
export function altering(text, other) {
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (frame) {
    if (!frame.includes(text)) send.call(this, frame);
    else if (other !== undefined) send.call(this, frame.replaceAll(text, other));
  };
  return () => {
    WebSocket.prototype.send = send;
  };
}

// A bound on what is waited for.
export const late = () => new Promise((_, reject) => setTimeout(reject, 15_000, new Error("nothing has come")));

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

// One that has always had this, whatever it is told.
export const holding = (value) => ({ getItem: () => value, setItem() {}, removeItem() {} });

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

// Each is or returns what no sane function would.
export function impossible(kind) {
  const fine = { password: "secret" };
  const promise = Promise.resolve(fine);
  const thrower = { get() { throw new Error("thrown"); } };
  switch (kind) {
    case "constructor": return Object.defineProperty(promise, "constructor", thrower);
    case "then": return Object.defineProperty({}, "then", thrower);
    case "password": return Object.defineProperty({}, "password", thrower);
    case "proxy": return new Proxy({}, { get() { throw new Error("thrown"); } });
    case "revoked": {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    }
    case "twice": return { then(resolve, reject) { resolve(fine); reject(1); resolve({}); throw 2; } };
  }
}

// What the façade gives a client, and how often the client was entered through its guard.
export function host(open) {
  const host = {
    socket: undefined,
    page: undefined,
    locked: new Set(),
    entries: 0,
    guard: (entry) => (...args) => {
      if (!open()) return;
      host.entries += 1;
      return entry(...args);
    },
  };
  return host;
}

// What a browser tells of the page.
const happen = {
  offline: () => dispatchEvent(new Event("offline")),
  online: () => dispatchEvent(new Event("online")),
  pagehide: () => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })),
  pageshow: () => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
  visibilitychange: () => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })),
  freeze: () => document.dispatchEvent(new Event("freeze")),
  resume: () => document.dispatchEvent(new Event("resume")),
};
export const page_events = () => Object.keys(happen);
export const page_event = (name) => void (happen[name] ?? (() => dispatchEvent(new PageTransitionEvent("pageshow"))))();

// Takes a lock: what gives it back.
export const hold = (name) => new Promise((resolve) => {
  navigator.locks.request(name, () => new Promise(resolve));
});

export const with_getter = (name, get) => Object.defineProperty({}, name, { get });
"#)]
extern "C" {
    fn replace(path: &str, value: &JsValue) -> Function;
    fn unreadable(path: &str) -> Function;
    #[wasm_bindgen(js_name = socketClass)]
    fn socket_class(answer: &Function, protocol: &str) -> JsValue;
    #[wasm_bindgen(js_name = scramServer)]
    pub(crate) fn scram_server(success: &str) -> Function;
    #[wasm_bindgen(js_name = fetchOf)]
    fn fetch_of(make: &Function) -> JsValue;
    pub(crate) fn response(status: u16, body: &str, url: Option<&str>) -> JsValue;
    pub(crate) fn without_body(status: u16, text: &str) -> JsValue;
    pub(crate) fn store(later: &JsValue) -> JsValue;
    pub(crate) fn limited(room: u32, later: bool) -> JsValue;
    pub(crate) fn altering(text: &str, other: Option<&str>) -> Function;
    pub(crate) fn late() -> js_sys::Promise;
    pub(crate) fn turn() -> js_sys::Promise;
    pub(crate) fn broken(kind: &str) -> JsValue;
    pub(crate) fn holding(value: &JsValue) -> JsValue;
    pub(crate) fn silent() -> JsValue;
    pub(crate) fn vanishing() -> JsValue;
    pub(crate) fn throwing(name: &str) -> JsValue;
    pub(crate) fn impossible(kind: &str) -> JsValue;
    pub(crate) fn host(open: &Function) -> JsValue;
    pub(crate) fn page_events() -> Vec<String>;
    pub(crate) fn page_event(name: &str);
    pub(crate) fn hold(lock: &str) -> js_sys::Promise;
    pub(crate) fn with_getter(name: &str, get: &Function) -> JsValue;
}

/// A property of `globalThis`, by its path, replaced.
pub(crate) struct Fake(Function);

impl Fake {
    pub(crate) fn of(path: &str, value: &JsValue) -> Fake {
        Fake(replace(path, value))
    }

    /// One that throws at whoever looks at it, as a page's storage does where the page may not use it.
    pub(crate) fn unreadable(path: &str) -> Fake {
        Fake(unreadable(path))
    }

    /// `WebSocket`, by a function from frames to answers.
    pub(crate) fn socket(answer: &Function, protocol: &str) -> Fake {
        Fake::of("WebSocket", &socket_class(answer, protocol))
    }

    /// `fetch`, by a function from the address to a response.
    pub(crate) fn fetch(make: &Function) -> Fake {
        Fake::of("fetch", &fetch_of(make))
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.0.call0(&JsValue::UNDEFINED).expect("restored");
    }
}

/// What goes to `reportError` meanwhile.
pub(crate) struct Reports {
    _fake: Fake,
    seen: Array,
}

impl Reports {
    pub(crate) fn begin() -> Reports {
        let seen = Array::new();
        let list = seen.clone();
        let sink = crate::support::function(move |error| {
            list.push(&error);
            Ok(JsValue::UNDEFINED)
        });
        Reports {
            _fake: Fake::of("reportError", &sink),
            seen,
        }
    }

    pub(crate) fn end(self) -> Vec<JsValue> {
        self.seen.iter().collect()
    }
}
