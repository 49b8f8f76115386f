//! Elements as JavaScript sees them: `{ name, attrs, children }`.
//!
//! `name` is the local name; the namespace stands in `attrs.xmlns`, on the root and wherever it changes, and children
//! inherit it.

use super::error::invalid;
use super::fields::{Fields, is_absent, set, string, wrong};
use crate::error::Error;
use crate::xml::{Element, MAX_DEPTH, Namespace, Node};
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

// Objects of the app's, whose getters and traps may throw, are copied into plain ones.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Object)]
    fn entries(object: &JsValue) -> Result<Array, JsValue>;
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(list: &JsValue) -> Result<Array, JsValue>;
}

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
pub(super) fn from_js(value: &JsValue, what: &str, default: Option<&'static str>) -> Result<Element, Error> {
    let inherited = default.map(Namespace::from);
    inner_from_js(value, what, inherited.as_ref(), MAX_DEPTH)
}

fn inner_from_js(value: &JsValue, what: &str, inherited: Option<&Namespace>, depth: usize) -> Result<Element, Error> {
    // Also the end of an object that contains itself.
    let Some(depth) = depth.checked_sub(1) else {
        return Err(invalid(["`", what, "` is nested too deeply"].concat()));
    };
    let fields = Fields::of(value, what)?;
    let name = fields.required("name")?;
    let attrs = fields.get("attrs")?;
    let mut namespace = inherited.cloned();
    let mut known = Vec::new();
    if !attrs.is_undefined() {
        Fields::of(&attrs, "attrs")?;
        for entry in entries(&attrs).map_err(|_| invalid("`attrs` cannot be read"))?.iter() {
            let entry: Array = entry.unchecked_into();
            let (name, value) = (string(&entry.get(0), "attrs")?, entry.get(1));
            if is_absent(&value) {
                continue;
            }
            let value = string(&value, &["attrs.", &name].concat())?;
            if name == "xmlns" {
                namespace = Some(Namespace::from(value));
            } else {
                known.push((name, value));
            }
        }
    }
    let Some(namespace) = namespace else {
        return Err(invalid(["`", what, "` needs a namespace, in `attrs.xmlns`"].concat()));
    };
    let mut element = Element::new(name, &namespace);
    for (name, value) in known {
        element.set_attr(name, value);
    }
    let children = fields.get("children")?;
    if children.is_undefined() {
        return Ok(element);
    }
    if !Array::is_array(&children) {
        return Err(wrong("children", "an array"));
    }
    let children = array_from(&children).map_err(|_| invalid("`children` cannot be read"))?;
    for child in children.iter() {
        element.push(if child.is_string() {
            Node::Text(string(&child, "children")?)
        } else {
            Node::Element(inner_from_js(&child, "children", Some(&namespace), depth)?)
        });
    }
    Ok(element)
}
