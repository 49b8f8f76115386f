//! The promises that the app waits for: each is settled once, by the engine's reply to its ticket.

use super::error::to_js;
use crate::engine::Ticket;
use crate::error::{Code, Error};
use js_sys::{Function, Promise};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    pub(super) type AbortSignal;
    #[wasm_bindgen(method, getter)]
    fn aborted(this: &AbortSignal) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn reason(this: &AbortSignal) -> JsValue;
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn add_event_listener(this: &AbortSignal, kind: &str, listener: &Function) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    fn remove_event_listener(this: &AbortSignal, kind: &str, listener: &Function) -> Result<(), JsValue>;
}

impl AbortSignal {
    pub(super) fn is_aborted(&self) -> bool {
        self.aborted().is_truthy()
    }
}

/// The promises that aren't settled.
#[derive(Default)]
pub(super) struct Promises {
    /// In the order of their tickets, which ascend.
    open: RefCell<Vec<Open>>,
}

struct Open {
    ticket: Ticket,
    resolve: Function,
    reject: Function,
    signal: Option<(AbortSignal, Function)>,
}

impl Promises {
    /// A new promise. Once `signal` is aborted, `abort` is called.
    pub(super) fn begin(&self, ticket: Ticket, signal: Option<(AbortSignal, Function)>) -> Promise {
        if let Some((signal, abort)) = &signal {
            // One that can't be listened to never aborts.
            let _ = signal.add_event_listener("abort", abort);
        }
        let mut functions = None;
        let promise = Promise::new(&mut |resolve, reject| functions = Some((resolve, reject)));
        if let Some((resolve, reject)) = functions {
            self.open.borrow_mut().push(Open {
                ticket,
                resolve,
                reject,
                signal,
            });
        }
        promise
    }

    /// Settles it, unless it is settled already. `cause` is what is known beside the error.
    pub(super) fn settle(&self, ticket: Ticket, result: Result<JsValue, Error>, cause: Option<&JsValue>) {
        let open = {
            let mut open = self.open.borrow_mut();
            match open.binary_search_by_key(&ticket, |open| open.ticket) {
                Ok(place) => open.remove(place),
                Err(_) => return,
            }
        };
        let (function, value) = match result {
            Ok(value) => (&open.resolve, value),
            Err(error) => {
                let reason = open.signal.as_ref().map(|(signal, _)| signal);
                let reason = reason.filter(|signal| error.code() == Code::Aborted && signal.is_aborted());
                let reason = reason.map(AbortSignal::reason);
                (&open.reject, to_js(&error, reason.as_ref().or(cause)))
            }
        };
        if let Some((signal, abort)) = &open.signal {
            let _ = signal.remove_event_listener("abort", abort);
        }
        // The functions of a promise don't throw, and run nothing at once.
        let _ = function.call1(&JsValue::UNDEFINED, &value);
    }
}
