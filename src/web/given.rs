//! What an app passes to a call, where it is JavaScript.

use super::fields::{Fields, is_absent, string};
use crate::error::Error;
use crate::given::{Entries, Given, Look, invalid};
use js_sys::{Array, Date, Uint8Array};
use wasm_bindgen::prelude::*;

// Objects of the app's, whose getters and traps may throw, are copied into plain ones.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Object)]
    fn entries(object: &JsValue) -> Result<Array, JsValue>;
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(list: &JsValue) -> Result<Array, JsValue>;
}

/// A value of JavaScript's.
pub(super) struct JsGiven(pub(super) JsValue);

impl Given for JsGiven {
    fn look(&self, what: &str) -> Result<Look, Error> {
        let value = &self.0;
        if is_absent(value) {
            return Ok(Look::Absent);
        }
        if let Some(flag) = value.as_bool() {
            return Ok(Look::Flag(flag));
        }
        if let Some(number) = value.as_f64() {
            return Ok(Look::Number(number));
        }
        if value.is_string() {
            return string(value, what).map(Look::Text);
        }
        if Array::is_array(value) {
            let list = array_from(value).map_err(|_| unreadable(what))?;
            return Ok(Look::List(list.iter().map(boxed).collect()));
        }
        if let Some(date) = value.dyn_ref::<Date>() {
            if date.get_time().is_nan() {
                return Err(invalid(["`", what, "` is no date"].concat()));
            }
            return Ok(Look::Date(date.to_iso_string().into()));
        }
        if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
            return Ok(Look::Bytes(super::fields::bytes(bytes)));
        }
        Ok(Look::Object)
    }

    fn field(&self, name: &str) -> Result<Box<dyn Given>, Error> {
        Fields::of(&self.0, name)?.get(name).map(boxed)
    }

    fn entries(&self, what: &str) -> Result<Entries, Error> {
        let mut all = Vec::new();
        for entry in entries(&self.0).map_err(|_| unreadable(what))?.iter() {
            let entry: Array = entry.unchecked_into();
            all.push((string(&entry.get(0), what)?, boxed(entry.get(1))));
        }
        Ok(all)
    }
}

fn boxed(value: JsValue) -> Box<dyn Given> {
    Box::new(JsGiven(value))
}

fn unreadable(what: &str) -> Error {
    invalid(["`", what, "` cannot be read"].concat())
}
