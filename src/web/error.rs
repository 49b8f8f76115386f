//! Errors as JavaScript sees them: a real `Error` named `XmppError`, with the fields of [`Error`].

use super::fields::set;
use crate::error::Error;
use js_sys::Date;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = reportError)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(error: &JsValue);
}

/// The error, with what caused it where that is a value of the app's.
pub(super) fn to_js(error: &Error, cause: Option<&JsValue>) -> JsValue {
    let object = js_sys::Error::new(error.message());
    object.set_name("XmppError");
    let text = |name, value: Option<&str>| {
        if let Some(value) = value {
            set(&object, name, &value.into());
        }
    };
    text("code", Some(error.code().as_str()));
    text("phase", Some(error.phase().as_str()));
    text("condition", error.condition());
    text("text", error.text());
    text("url", error.url());
    text("hint", Some(error.hint()));
    set(&object, "retryable", &error.retryable().into());
    if let Some(size) = error.max_size() {
        set(&object, "maxSize", &(size as f64).into());
    }
    if let Some(stamp) = error.retry_at() {
        set(&object, "retryAt", &Date::new(&stamp.into()).into());
    }
    if let Some(cause) = cause {
        set(&object, "cause", cause);
    }
    object.into()
}

/// Tells the platform of what a function of the app's threw, as if nobody had caught it.
pub(super) fn report(error: &JsValue) {
    // Node has no reportError.
    if report_error(error).is_err() {
        console_error(error);
    }
}
