//! The fields of objects that the app passes, each read once and checked.
//!
//! `null` and `undefined` are the same as a field that isn't there. Strings must be well-formed UTF-16: a lone surrogate
//! can't be sent, and to send something else in its place would be to lie.

use crate::error::Error;
use crate::given::invalid;
pub(super) use crate::given::wrong;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

/// An object that the app passed.
pub(super) struct Fields<'a> {
    object: &'a JsValue,
}

impl<'a> Fields<'a> {
    /// The object that errors call `what`.
    pub(super) fn of(object: &'a JsValue, what: &str) -> Result<Fields<'a>, Error> {
        if object.is_object() {
            Ok(Fields { object })
        } else {
            Err(wrong(what, "an object"))
        }
    }

    /// The same, where it may be left out.
    pub(super) fn optional(object: &'a JsValue, what: &str) -> Result<Option<Fields<'a>>, Error> {
        if is_absent(object) {
            Ok(None)
        } else {
            Fields::of(object, what).map(Some)
        }
    }

    /// Any value; `undefined` where there is none.
    pub(super) fn get(&self, name: &str) -> Result<JsValue, Error> {
        let value = self.get_or_null(name)?;
        Ok(if value.is_null() { JsValue::UNDEFINED } else { value })
    }

    /// The same, where `null` says something else than a field that isn't there.
    pub(super) fn get_or_null(&self, name: &str) -> Result<JsValue, Error> {
        Reflect::get(self.object, &name.into())
            .map_err(|_| invalid(["`", name, "` could not be read: its getter threw"].concat()))
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<String>, Error> {
        let value = self.get(name)?;
        if value.is_undefined() {
            Ok(None)
        } else {
            string(&value, name).map(Some)
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<String, Error> {
        string(&self.get(name)?, name)
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        let value = self.get(name)?;
        if value.is_undefined() {
            return Ok(None);
        }
        value.as_bool().map(Some).ok_or_else(|| wrong(name, "a boolean"))
    }

    /// A number that is not below zero. It may be infinite.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        let value = self.get(name)?;
        if value.is_undefined() {
            return Ok(None);
        }
        match value.as_f64() {
            Some(number) if number >= 0.0 => Ok(Some(number)),
            _ => Err(wrong(name, "a number, and not below 0")),
        }
    }

    /// A time in milliseconds.
    pub(super) fn millis(&self, name: &str) -> Result<Option<u64>, Error> {
        // The conversion saturates: without end is nearly so.
        Ok(self.number(name)?.map(|number| number as u64))
    }
}

/// Whether the app left it out.
pub(super) fn is_absent(value: &JsValue) -> bool {
    value.is_undefined() || value.is_null()
}

/// The text of a string that errors call `what`.
pub(super) fn string(value: &JsValue, what: &str) -> Result<String, Error> {
    let text = value.as_string().ok_or_else(|| wrong(what, "a string"))?;
    // The conversion puts U+FFFD in the place of a lone surrogate; then what comes out isn't what went in.
    if text.contains('\u{FFFD}') && JsValue::from_str(&text) != *value {
        return Err(invalid(
            ["`", what, "` has half of a surrogate pair, which no encoding can carry"].concat(),
        ));
    }
    Ok(text)
}

/// Sets a field of an object of our own.
pub(super) fn set(object: &JsValue, name: &str, value: &JsValue) {
    // It can't fail on a plain object that nobody has frozen.
    let _ = Reflect::set(object, &name.into(), value);
}

/// The bytes of an array, one by one. wasm-bindgen hands on a `&mut [u8]` as a shared reference, and the optimizer may take it that
/// nobody writes through that: with LLVM 22, at opt-level 1, what was to be filled stayed zero.
pub(super) fn bytes(array: &Uint8Array) -> Vec<u8> {
    (0..array.length()).map(|place| array.get_index(place)).collect()
}
