//! The one timer: when the engine wants to be called.

use super::callback::{Callback, Kind};
use crate::engine::Millis;
use js_sys::Function;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// `setTimeout` takes a signed 32-bit number of milliseconds; a longer one would fire at once.
const LONGEST: u64 = 0x7FFF_FFFF;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(function: &Function, millis: f64) -> JsValue;
    /// What was to be called later won't be.
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn cancel(handle: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// The time: milliseconds since the platform began.
pub(super) fn now() -> Millis {
    Millis(performance_now() as u64)
}

/// Calls a function once, after that many milliseconds.
pub(super) fn later(function: &Function, millis: u64) -> JsValue {
    set_timeout(function, millis.min(LONGEST) as f64)
}

/// The timer, armed or not.
#[derive(Default)]
pub(super) struct Timer(RefCell<Option<(Millis, JsValue)>>);

impl Timer {
    /// Arms it for that point; disarms it where there is none, so that nothing keeps Node from ending.
    pub(super) fn arm(&self, deadline: Option<Millis>, callback: &Callback) {
        let mut armed = self.0.borrow_mut();
        if armed.as_ref().map(|(at, _)| *at) == deadline {
            return;
        }
        if let Some((_, handle)) = armed.take() {
            cancel(&handle);
        }
        if let Some(at) = deadline {
            let handle = later(&callback.bound(Kind::Timer, 0.0), at.since(now()));
            *armed = Some((at, handle));
        }
    }

    /// It has fired.
    pub(super) fn fired(&self) {
        self.0.borrow_mut().take();
    }
}
