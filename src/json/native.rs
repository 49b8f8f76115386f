//! JSON from a crate, for tests and fuzzing on the developer's machine. Not in the wasm.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// A value: its text, of which each question reads one level. A number that is too large for one, and a half of a surrogate
/// pair, harm nobody who doesn't ask for them.
pub(crate) struct Json(Box<RawValue>);

impl Json {
    /// The value that the text is; `None` where it is no JSON.
    pub(crate) fn parse(text: &str) -> Option<Json> {
        serde_json::from_str(text).ok().map(Json)
    }

    /// Whether it has members.
    pub(crate) fn is_object(&self) -> bool {
        self.0.get().starts_with('{')
    }

    /// An object's member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Json> {
        let mut members: BTreeMap<Name, Box<RawValue>> = serde_json::from_str(self.0.get()).ok()?;
        members.remove(&Name(name.into())).map(Json)
    }

    /// A list's items.
    pub(crate) fn items(&self) -> Option<impl Iterator<Item = Json>> {
        let items: Vec<Box<RawValue>> = serde_json::from_str(self.0.get()).ok()?;
        Some(items.into_iter().map(Json))
    }

    /// A string's text; `None` also where it has half of a surrogate pair.
    pub(crate) fn text(&self) -> Option<String> {
        serde_json::from_str(self.0.get()).ok()
    }
}

/// A member's name, which need not be well-formed Unicode.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name(Vec<u8>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Name;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                Ok(Name(name.into()))
            }

            fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Name, E> {
                Ok(Name(name.into()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
