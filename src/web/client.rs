//! The class that the package's façade wraps. Its types are written in the package's `index.d.ts`.
//!
//! Methods take `&self`, hand back the promise of a ticket, and hold no borrow across an `await`. What the app passed
//! wrongly rejects the promise; only what returns none throws.

use super::callback::{Host, Kind};
use super::drain::Inner;
use super::element;
use super::error::to_js;
use super::fields::{Fields, string, wrong};
use super::given::JsGiven;
use super::options::{self, CallOptions, Options, jid};
use super::requests;
use crate::decimal::decimal;
use crate::engine::{Command, IqRequest};
use crate::error::{Code, Error, Phase};
use crate::given::{Arg, Args, Given};
use crate::im;
use crate::im::register::Values;
use crate::stream::ns;
use js_sys::{Function, Promise};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// One account's client.
#[wasm_bindgen(skip_typescript)]
pub struct Client {
    inner: Rc<Inner>,
}

#[wasm_bindgen]
impl Client {
    /// Makes a client that isn't connected from `ConnectOptions`.
    #[wasm_bindgen(constructor, skip_typescript)]
    pub fn new(options: &JsValue, host: Option<Host>) -> Result<Client, JsValue> {
        let inner = Options::read(options).and_then(|options| Inner::new(options, host));
        inner.map(|inner| Client { inner }).map_err(throw)
    }

    /// Makes what `discover` can be called on, and nothing else makes sense on.
    #[wasm_bindgen(js_name = ofDomain, skip_typescript)]
    pub fn of_domain(domain: &JsValue, options: &JsValue, host: Option<Host>) -> Result<Client, JsValue> {
        let inner = Options::of_domain(domain, options).and_then(|options| Inner::new(options, host));
        inner.map(|inner| Client { inner }).map_err(throw)
    }

    /// Makes what can make an account by `register`, and nothing else makes sense on, from `RegisterOptions`.
    #[wasm_bindgen(js_name = ofAccount, skip_typescript)]
    pub fn of_account(options: &JsValue, host: Option<Host>) -> Result<Client, JsValue> {
        let inner = Options::of_account(options).and_then(|options| Inner::new(options, host));
        inner.map(|inner| Client { inner }).map_err(throw)
    }

    /// The bound address, while online; the account before.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn jid(&self) -> String {
        self.inner.with(|engine| engine.jid().as_str().to_owned())
    }

    /// Where the server would like the session to be resumed.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn location(&self) -> Option<String> {
        self.inner.with(|engine| engine.location().map(str::to_owned))
    }

    /// The connection's state.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn status(&self) -> String {
        self.inner.with(|engine| engine.status().as_str().to_owned())
    }

    /// Logs in.
    #[wasm_bindgen(skip_typescript)]
    pub fn connect(&self, options: &JsValue) -> Promise {
        self.call(options, |timeout| Ok(Command::Connect { timeout }))
    }

    /// Looks up the domain's endpoints.
    #[wasm_bindgen(skip_typescript)]
    pub fn discover(&self, options: &JsValue) -> Promise {
        self.call(options, |timeout| Ok(Command::Discover { timeout }))
    }

    /// Makes the account, or resolves to the form that the app is to fill in.
    #[wasm_bindgen(skip_typescript)]
    pub fn register(&self, options: &JsValue) -> Promise {
        self.call(options, |timeout| {
            let account = Box::new(self.inner.with(|engine| options::account(options, engine.jid()))?);
            Ok(Command::Register { account, timeout })
        })
    }

    /// Makes the account, with what the app has filled in.
    #[wasm_bindgen(skip_typescript)]
    pub fn fill(&self, values: &JsValue, options: &JsValue) -> Promise {
        self.call(options, |timeout| {
            let values = Values::given(&Arg::new(Box::new(JsGiven(values.clone())), "values"))?;
            Ok(Command::Fill { values, timeout })
        })
    }

    /// Logs out.
    #[wasm_bindgen(skip_typescript)]
    pub fn disconnect(&self) -> Promise {
        self.call(&JsValue::UNDEFINED, |_| Ok(Command::Disconnect))
    }

    /// What [`Client::im`] can be called with, in a row: names, each with the number of arguments behind it, and a `*` where it is
    /// answered by pages.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn calls(&self) -> String {
        let mut calls = Vec::new();
        for call in im::CALLS.iter().flat_map(|calls| calls.iter()) {
            let paged = if call.paged { "*" } else { "" };
            calls.push([call.name, "/", &decimal(call.args as i64), paged].concat());
        }
        calls.join(" ")
    }

    /// Calls a feature, by the name of what it can be called.
    #[wasm_bindgen(skip_typescript)]
    pub fn im(&self, name: &str, args: Vec<JsValue>, options: &JsValue) -> Promise {
        self.call(options, |timeout| {
            let args = args.into_iter().map(|arg| Box::new(JsGiven(arg)) as Box<dyn Given>);
            let command = im::read(name, &mut Args(args.collect()))?;
            Ok(Command::Im { command, timeout })
        })
    }

    /// Asks by an iq.
    #[wasm_bindgen(skip_typescript)]
    pub fn iq(&self, request: &JsValue, options: &JsValue) -> Promise {
        self.call(options, |timeout| {
            let fields = Fields::of(request, "request")?;
            let request = IqRequest {
                set: match fields.required("type")?.as_str() {
                    "get" => false,
                    "set" => true,
                    _ => return Err(wrong("type", "\"get\" or \"set\"")),
                },
                to: match fields.string("to")? {
                    Some(to) => Some(jid(&to, "to")?),
                    None => None,
                },
                payload: element::from_js(&fields.get("payload")?, "payload", None)?,
            };
            Ok(Command::Iq { request, timeout })
        })
    }

    /// Sends a stanza as it is.
    #[wasm_bindgen(js_name = sendElement, skip_typescript)]
    pub fn send_element(&self, element: &JsValue) -> Promise {
        self.call(&JsValue::UNDEFINED, |_| {
            let element = element::from_js(element, "element", Some(ns::CLIENT))?;
            Ok(Command::SendElement(element))
        })
    }

    /// Adds a listener; `off` with the number takes it away.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, kind: &JsValue, listener: &JsValue) -> Result<u32, JsValue> {
        let kind = string(kind, "type").map_err(throw)?;
        Ok(self.inner.listen(kind, function(listener, "listener")?))
    }

    /// Takes a listener away.
    #[wasm_bindgen(skip_typescript)]
    pub fn off(&self, number: u32) {
        self.inner.unlisten(number);
    }

    /// From now on the function answers these requests; `unhandle` with the number ends it.
    #[wasm_bindgen(skip_typescript)]
    pub fn handle(&self, wanted: &JsValue, answer: &JsValue) -> Result<u32, JsValue> {
        let wanted = requests::wanted(wanted).map_err(throw)?;
        let answer = function(answer, "answer")?;
        let number = self.inner.ticket().0 as u32;
        self.inner.handlers.borrow_mut().push((number, answer));
        self.inner
            .enter(Box::new(move |engine, _| engine.answer(number, wanted)));
        Ok(number)
    }

    /// The function no longer answers.
    #[wasm_bindgen(skip_typescript)]
    pub fn unhandle(&self, number: u32) {
        self.inner.handlers.borrow_mut().retain(|(other, _)| *other != number);
        self.inner.enter(Box::new(move |engine, _| engine.unanswer(number)));
    }
}

impl Client {
    fn call(&self, options: &JsValue, command: impl FnOnce(Option<u64>) -> Result<Command, Error>) -> Promise {
        let options = CallOptions::read(options);
        let command = options.and_then(|options| {
            Ok((
                command(options.timeout).map_err(|error| error.in_phase(Phase::Stanza))?,
                options,
            ))
        });
        self.begin(command)
    }

    // Not generic, for the sake of its size.
    fn begin(&self, command: Result<(Command, CallOptions), Error>) -> Promise {
        let (command, options) = match command {
            Ok(both) => both,
            Err(error) => return Promise::reject(&throw(error)),
        };
        let ticket = self.inner.ticket();
        if let Some(signal) = options.signal.as_ref().filter(|signal| signal.is_aborted()) {
            let error = Error::new(Code::Aborted, Phase::Session, "the call was aborted before it began");
            return Promise::reject(&to_js(&error, Some(&signal.reason())));
        }
        let abort = |signal| (signal, self.inner.callback.bound(Kind::Abort, ticket.0 as f64));
        let promise = self.inner.promises.begin(ticket, options.signal.map(abort));
        self.inner
            .enter(Box::new(move |engine, now| engine.command(now, ticket, command)));
        promise
    }
}

fn function(value: &JsValue, what: &str) -> Result<Function, JsValue> {
    match value.dyn_ref::<Function>() {
        Some(function) => Ok(function.clone()),
        None => Err(throw(wrong(what, "a function"))),
    }
}

fn throw(error: Error) -> JsValue {
    to_js(&error, None)
}
