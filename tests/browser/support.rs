//! What the tests share: clients by options in JSON, promises that must fail in one way, events one by one.

use crate::fakes::late;
use js_sys::{Array, Error, Function, JSON, Promise, Reflect};
use stanzawire::web::Client;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The origin of the server's host-meta.
pub(crate) const HOST_META: &str = match option_env!("STANZAWIRE_HOST_META") {
    Some(origin) => origin,
    None => "http://localhost:5280",
};

/// A value from JSON, where `'` stands for `"`.
pub(crate) fn json(text: &str) -> JsValue {
    JSON::parse(&text.replace('\'', "\"")).expect("JSON")
}

pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).expect("an object")
}

pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).expect("an object");
}

/// The string in that field.
pub(crate) fn text(object: &JsValue, name: &str) -> String {
    get(object, name)
        .as_string()
        .unwrap_or_else(|| panic!("no string {name} in {object:?}"))
}

/// The options of alice or bob, and what else is said in JSON.
pub(crate) fn options(user: &str, more: &str) -> JsValue {
    let text = format!("{{'jid': '{user}@localhost', 'password': 'secret', 'hostMeta': '{HOST_META}'}}");
    let options = json(&text);
    let more = json(more);
    for key in js_sys::Object::keys(more.unchecked_ref::<js_sys::Object>()).iter() {
        Reflect::set(&options, &key, &Reflect::get(&more, &key).unwrap()).unwrap();
    }
    options
}

pub(crate) fn client_with(options: &JsValue) -> Client {
    Client::new(options, None).unwrap_or_else(|error| panic!("{error:?}"))
}

pub(crate) fn client(user: &str) -> Client {
    client_with(&options(user, "{}"))
}

pub(crate) async fn online(user: &str) -> Client {
    let client = client(user);
    done(client.connect(&JsValue::UNDEFINED)).await;
    client
}

/// The endpoint itself.
pub(crate) fn url() -> String {
    HOST_META.replace("http", "ws") + "/xmpp-websocket"
}

/// What a promise resolves to.
pub(crate) async fn done(promise: Promise) -> JsValue {
    JsFuture::from(promise)
        .await
        .unwrap_or_else(|error| panic!("{error:?}: {:?} {:?}", get(&error, "code"), get(&error, "message")))
}

/// The error that a promise rejects with, which must be a whole one of that code and phase.
pub(crate) async fn fails(promise: Promise, code: &str, phase: &str) -> JsValue {
    match JsFuture::from(promise).await {
        Ok(value) => panic!("resolved to {value:?}, not {code}"),
        Err(error) => is_error(error, code, phase),
    }
}

pub(crate) fn is_error(error: JsValue, code: &str, phase: &str) -> JsValue {
    assert!(error.is_instance_of::<Error>(), "{error:?}");
    assert_eq!(text(&error, "name"), "XmppError");
    let message = text(&error, "message");
    assert_eq!(
        (text(&error, "code").as_str(), text(&error, "phase").as_str()),
        (code, phase),
        "{message}"
    );
    assert!(!message.is_empty());
    assert!(get(&error, "retryable").as_bool().is_some());
    error
}

pub(crate) async fn disconnect(clients: &[&Client]) {
    for client in clients {
        done(client.disconnect()).await;
        assert_eq!(client.status(), "offline");
    }
}

/// A function of one argument for JavaScript.
pub(crate) fn function(body: impl Fn(JsValue) -> Result<JsValue, JsValue> + 'static) -> Function {
    Closure::<dyn Fn(JsValue) -> Result<JsValue, JsValue>>::new(body)
        .into_js_value()
        .unchecked_into()
}

/// The events of one kind, in order.
#[derive(Clone)]
pub(crate) struct Events {
    queue: Rc<RefCell<(VecDeque<JsValue>, Option<Function>)>>,
    pub(crate) number: u32,
}

impl Events {
    pub(crate) fn of(client: &Client, kind: &str) -> Events {
        let queue = Rc::<RefCell<(VecDeque<JsValue>, Option<Function>)>>::default();
        let sink = queue.clone();
        let listener = function(move |event| {
            let waiting = {
                let mut queue = sink.borrow_mut();
                queue.0.push_back(event);
                queue.1.take()
            };
            if let Some(resolve) = waiting {
                resolve.call0(&JsValue::UNDEFINED)?;
            }
            Ok(JsValue::UNDEFINED)
        });
        let number = client.on(&kind.into(), &listener).expect("a listener");
        Events { queue, number }
    }

    pub(crate) async fn next(&self) -> JsValue {
        self.before(&late()).await
    }

    async fn before(&self, late: &Promise) -> JsValue {
        loop {
            if let Some(event) = self.queue.borrow_mut().0.pop_front() {
                return event;
            }
            let promise = Promise::new(&mut |resolve, _| self.queue.borrow_mut().1 = Some(resolve));
            let promise = Promise::race(&Array::of2(&promise, late));
            JsFuture::from(promise).await.expect("an event");
        }
    }

    /// The next one for which this holds.
    pub(crate) async fn find(&self, wanted: impl Fn(&JsValue) -> bool) -> JsValue {
        let late = late();
        loop {
            let event = self.before(&late).await;
            if wanted(&event) {
                return event;
            }
        }
    }

    pub(crate) fn seen(&self) -> Vec<JsValue> {
        self.queue.borrow_mut().0.drain(..).collect()
    }
}

/// A message to somebody, with any JavaScript value as its body.
pub(crate) fn message(to: &str, body: &JsValue) -> JsValue {
    let message = json("{}");
    set(&message, "to", &to.into());
    set(&message, "body", body);
    message
}

/// An element by the contract of the package.
pub(crate) fn xml(name: &str, attrs: &str, children: &[JsValue]) -> JsValue {
    let element = json("{}");
    set(&element, "name", &name.into());
    set(&element, "attrs", &json(attrs));
    let list = Array::new();
    for child in children {
        list.push(child);
    }
    set(&element, "children", &list);
    element
}

/// An iq to ask.
pub(crate) fn request(kind: &str, to: &str, payload: &JsValue) -> JsValue {
    let request = json("{}");
    set(&request, "type", &kind.into());
    set(&request, "to", &to.into());
    set(&request, "payload", payload);
    request
}

pub(crate) const NONE: JsValue = JsValue::UNDEFINED;

/// The calls of features, as the façade makes them.
pub(crate) trait Calls {
    fn call_im(&self, name: &str, args: &[&JsValue], options: &JsValue) -> Promise;

    fn send(&self, message: &JsValue, options: &JsValue) -> Promise {
        self.call_im("send", &[message], options)
    }

    fn ping(&self, to: &JsValue, options: &JsValue) -> Promise {
        self.call_im("ping", &[to], options)
    }

    fn roster_get(&self, options: &JsValue) -> Promise {
        self.call_im("roster.get", &[], options)
    }

    fn set_presence(&self, presence: &JsValue, options: &JsValue) -> Promise {
        self.call_im("setPresence", &[presence], options)
    }
}

impl Calls for Client {
    fn call_im(&self, name: &str, args: &[&JsValue], options: &JsValue) -> Promise {
        self.im(name, args.iter().map(|arg| (*arg).clone()).collect(), options)
    }
}
