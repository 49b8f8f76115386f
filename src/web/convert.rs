//! Replies and events as plain JavaScript objects: dates as `Date`, absent fields absent.

use super::fields::set;
use super::{credentials, element, error};
use crate::engine::{Event, Reply};
use crate::im::{Bytes, Named, OrNull};
use crate::stanza::Stamp;
use crate::xml::Element;
use js_sys::{Array, Date, Object, Uint8Array};
use serde::{Serialize, Serializer};
use serde_wasm_bindgen::preserve;
use wasm_bindgen::JsValue;

/// What a call resolves to.
pub(super) fn reply(reply: &Reply) -> JsValue {
    match reply {
        Reply::Done => JsValue::UNDEFINED,
        Reply::Endpoints(endpoints) => {
            let list = Array::new();
            for endpoint in endpoints {
                let object: JsValue = Object::new().into();
                set(&object, "url", &endpoint.url.as_str().into());
                set(&object, "source", &endpoint.source.as_str().into());
                list.push(&object);
            }
            list.into()
        }
        Reply::Payload(None) => JsValue::NULL,
        Reply::Payload(Some(payload)) => element::to_js(payload),
        Reply::Im(reply) => plain(reply),
    }
}

/// The name by which listeners know an event; none for a request, which has one handler.
pub(super) fn name(event: &Event) -> &'static str {
    match event {
        Event::Status(..) => "status",
        Event::Error(_) => "error",
        Event::Credentials(_) => "credentials",
        Event::Resumed { .. } => "resumed",
        Event::Stanza(_) => "stanza",
        Event::Frame { .. } => "frame",
        Event::Request { .. } => "",
        Event::Im(event) => event.name(),
    }
}

/// Whether an event that nobody listens to may wait for somebody.
pub(super) fn waits(event: &Event) -> bool {
    match event {
        Event::Im(event) => event.waits(),
        _ => true,
    }
}

/// What listeners are handed.
pub(super) fn event(event: &Event, cause: Option<&JsValue>) -> JsValue {
    match event {
        Event::Status(status, reason) => {
            let object: JsValue = Object::new().into();
            set(&object, "status", &status.as_str().into());
            if let Some(reason) = reason {
                set(&object, "error", &error::to_js(reason, cause));
            }
            object
        }
        Event::Credentials(keys) => {
            let object: JsValue = Object::new().into();
            set(&object, "scramKeys", &credentials::to_js(keys));
            object
        }
        Event::Resumed { restored } => {
            let object: JsValue = Object::new().into();
            set(&object, "restored", &(*restored).into());
            object
        }
        Event::Error(reason) => error::to_js(reason, cause),
        Event::Stanza(stanza) | Event::Request { iq: stanza, .. } => element::to_js(stanza),
        Event::Frame { inbound, data } => {
            let object: JsValue = Object::new().into();
            set(&object, "direction", &if *inbound { "in" } else { "out" }.into());
            set(&object, "data", &data.as_str().into());
            object
        }
        Event::Im(event) => {
            let object = plain(event);
            if let Some(reason) = event.error() {
                set(&object, "error", &error::to_js(reason, None));
            }
            object
        }
    }
}

fn plain(value: &impl Serialize) -> JsValue {
    // What we serialize are structs of strings and numbers, which can't fail.
    value
        .serialize(&serde_wasm_bindgen::Serializer::new())
        .unwrap_or_default()
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        preserve::serialize::<_, JsValue>(&Date::new(&self.0.as_str().into()).into(), serializer)
    }
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        preserve::serialize(&element::to_js(self), serializer)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        preserve::serialize::<_, JsValue>(&Uint8Array::from(self.0.as_slice()).into(), serializer)
    }
}

impl<T: Serialize> Serialize for OrNull<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => preserve::serialize(&JsValue::NULL, serializer),
        }
    }
}
