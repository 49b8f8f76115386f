//! Elements as JavaScript sees them: `{ name, attrs, children }`.
//!
//! `name` is the local name; the namespace stands in `attrs.xmlns`, on the root and wherever it changes, and children
//! inherit it.

use super::fields::set;
use super::given::JsGiven;
use crate::error::Error;
use crate::given::Arg;
use crate::xml::{Element, Node};
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

/// The element as an object.
pub(super) fn to_js(element: &Element) -> JsValue {
    inner_to_js(element, None)
}

fn inner_to_js(element: &Element, inherited: Option<&str>) -> JsValue {
    let attrs: JsValue = Object::new().into();
    if inherited != Some(element.ns()) {
        set(&attrs, "xmlns", &element.ns().into());
    }
    for (name, value) in element.attrs() {
        set(&attrs, name, &value.into());
    }
    let children = Array::new();
    for node in element.nodes() {
        children.push(&match node {
            Node::Element(child) => inner_to_js(child, Some(element.ns())),
            Node::Text(text) => text.as_str().into(),
        });
    }
    let object: JsValue = Object::new().into();
    set(&object, "name", &element.name().into());
    set(&object, "attrs", &attrs);
    set(&object, "children", &children);
    object
}

/// The element that an object describes; errors call it `what`. Without a namespace of its own it is in `default`, or
/// refused where there is none. Names and characters are checked when it is written.
pub(super) fn from_js(value: &JsValue, what: &'static str, default: Option<&'static str>) -> Result<Element, Error> {
    Arg::new(Box::new(JsGiven(value.clone())), what).element(default)
}
