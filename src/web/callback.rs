//! The one function through which the platform calls back.
//!
//! Each use binds a kind and a number to it. The façade can wrap it once (`host.guard`) and then sees every entry into
//! wasm that isn't a method call.

use super::drain::Inner;
use crate::engine::Ticket;
use js_sys::{Function, Promise, Set};
use std::rc::Weak;
use wasm_bindgen::prelude::*;

/// What a call back is about; the number that comes with it is said beside each.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Kind {
    /// A socket's `open`: generation.
    Open,
    /// A socket's `message`: generation.
    Message,
    /// A socket's `close`: generation.
    Close,
    /// The timer.
    Timer,
    /// `fetch()` has a response: the fetch.
    Response,
    /// A piece of its body: the fetch.
    Piece,
    /// All of its body: the fetch.
    Text,
    /// The fetch failed: the fetch.
    FetchFailed,
    /// WebCrypto imported the password: the derivation.
    Key,
    /// WebCrypto derived the key: the derivation.
    Bits,
    /// WebCrypto can't: the derivation.
    DeriveFailed,
    /// Time for a slice of a derivation of our own: the derivation.
    Slice,
    /// The app's credentials: the wish.
    Credentials,
    /// The app's credentials function failed: the wish.
    CredentialsFailed,
    /// The store has answered: the wish.
    Stored,
    /// The store failed: the wish.
    StoreFailed,
    /// A handler's answer: the request.
    Answer,
    /// A handler failed: the request.
    AnswerFailed,
    /// A signal was aborted: the call.
    Abort,
    /// Something happened to the page, or to the network: which of the events.
    Page,
    /// Time to run listeners.
    Deliver,
    /// A socket that lingers has heard something, or has lingered for long enough: generation.
    Lingered,
    /// A lock is ours, or can't be had at once: the wish. The one whose return value counts.
    LockGranted,
    /// A lock has been waited for long enough: the wish.
    LockLate,
    /// A lock was given back, or can't be had: the wish.
    LockEnded,
}

impl Kind {
    const ALL: [Kind; 25] = [
        Kind::Open,
        Kind::Message,
        Kind::Close,
        Kind::Timer,
        Kind::Response,
        Kind::Piece,
        Kind::Text,
        Kind::FetchFailed,
        Kind::Key,
        Kind::Bits,
        Kind::DeriveFailed,
        Kind::Slice,
        Kind::Credentials,
        Kind::CredentialsFailed,
        Kind::Stored,
        Kind::StoreFailed,
        Kind::Answer,
        Kind::AnswerFailed,
        Kind::Abort,
        Kind::Page,
        Kind::Deliver,
        Kind::Lingered,
        Kind::LockGranted,
        Kind::LockLate,
        Kind::LockEnded,
    ];
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Function)]
    type Bindable;
    #[wasm_bindgen(method)]
    fn bind(this: &Bindable, receiver: &JsValue, kind: u32, number: f64) -> Function;

    /// What the façade gives a client: `guard(f)` returns a function in place of `f`; `socket` is set to the
    /// WebSocket that is open, and `page` to what takes all listeners from the page, for when the instance can't do it any
    /// more. `locked` has the names of the locks that the page's clients hold where the platform has none.
    pub type Host;
    #[wasm_bindgen(method)]
    fn guard(this: &Host, function: &JsValue) -> JsValue;
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_socket(this: &Host, socket: &JsValue);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_page(this: &Host, listeners: &JsValue);
    #[wasm_bindgen(method, getter)]
    pub(super) fn locked(this: &Host) -> Set;

    type Thenable;
    #[wasm_bindgen(method, catch)]
    fn then(this: &Thenable, resolved: &Function, rejected: &Function) -> Result<JsValue, JsValue>;
}

/// The function.
pub(super) struct Callback(Bindable);

impl Callback {
    /// Calls `inner` as long as it is there.
    pub(super) fn new(inner: &Weak<Inner>, host: Option<&Host>) -> Callback {
        let inner = inner.clone();
        let called = move |kind: u32, number: f64, value: JsValue| match (inner.upgrade(), Kind::ALL.get(kind as usize))
        {
            (Some(inner), Some(Kind::LockGranted)) => inner.lock_granted(Ticket(number as u64), &value),
            (Some(inner), Some(kind)) => {
                inner.called(*kind, number, &value);
                JsValue::UNDEFINED
            }
            _ => JsValue::UNDEFINED,
        };
        let closure = Closure::<dyn Fn(u32, f64, JsValue) -> JsValue>::new(called);
        // Freed by the garbage collector, once no platform object holds it any more.
        let function = closure.into_js_value();
        let function = match host {
            Some(host) => host.guard(&function),
            None => function,
        };
        Callback(function.unchecked_into())
    }

    /// A JavaScript function that calls back with this kind and number, and with its own first argument.
    pub(super) fn bound(&self, kind: Kind, number: f64) -> Function {
        self.0.bind(&JsValue::UNDEFINED, kind as u32, number)
    }

    /// Calls back with what becomes of a value of the app's: of a promise as of a promise, of any other at once.
    pub(super) fn settled(&self, value: &JsValue, resolved: Kind, rejected: Kind, number: f64) {
        // A promise of our own takes it in: whatever a `then` of the app's throws or does goes no further than that.
        let promise = Promise::new(&mut |resolve, _| drop(resolve.call1(&JsValue::UNDEFINED, value)));
        self.then(&promise, resolved, rejected, number);
    }

    /// Calls back with what becomes of a promise.
    pub(super) fn then(&self, promise: &JsValue, resolved: Kind, rejected: Kind, number: f64) {
        let promise: &Thenable = promise.unchecked_ref();
        let rejected = self.bound(rejected, number);
        if let Err(error) = promise.then(&self.bound(resolved, number), &rejected) {
            // No promise, then.
            let _ = rejected.call1(&JsValue::UNDEFINED, &error);
        }
    }
}
