//! JSON from the JavaScript engine.

use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// A value.
pub(crate) struct Json(JsValue);

impl Json {
    /// The value that the text is; `None` where it is no JSON.
    pub(crate) fn parse(text: &str) -> Option<Json> {
        JSON::parse(text).ok().map(Json)
    }

    /// Whether it has members.
    pub(crate) fn is_object(&self) -> bool {
        self.0.is_object() && !Array::is_array(&self.0)
    }

    /// An object's member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Json> {
        // What has just been parsed has no getters. Only objects are asked: a list has a `length`, and a string throws.
        let member = Reflect::get(&self.0, &name.into()).ok();
        member
            .filter(|value| self.is_object() && !value.is_undefined())
            .map(Json)
    }

    /// A list's items.
    pub(crate) fn items(&self) -> Option<impl Iterator<Item = Json>> {
        let list: &Array = Array::is_array(&self.0).then(|| self.0.unchecked_ref())?;
        Some((0..list.length()).map(|place| Json(list.get(place))))
    }

    /// A string's text; `None` also where it has half of a surrogate pair.
    pub(crate) fn text(&self) -> Option<String> {
        let text = self.0.as_string()?;
        // The conversion puts U+FFFD in its place; then what comes out isn't what went in.
        (!text.contains('\u{FFFD}') || JsValue::from_str(&text) == self.0).then_some(text)
    }
}
