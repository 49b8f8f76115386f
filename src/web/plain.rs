//! Replies and events of the features as plain JavaScript objects. Nothing in this can fail, and so no code is made for that.

use js_sys::{Array, Object, Uint8Array};
use serde::ser::{Error, Impossible, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use std::cell::{Cell, RefCell};
use std::fmt::{self, Display};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Plain;
    #[wasm_bindgen(method, indexing_setter)]
    fn set(this: &Plain, key: &JsValue, value: &JsValue);
}

thread_local! {
    /// Names of fields, by where they are in the program's data.
    static NAMES: RefCell<Vec<(*const u8, usize, JsValue)>> = const { RefCell::new(Vec::new()) };
    /// What [`as_it_is`] hands over.
    static HANDED: Cell<Option<JsValue>> = const { Cell::new(None) };
}

/// By which [`as_it_is`] is known.
const AS_IT_IS: &str = "\0";

/// The value as JavaScript's.
pub(super) fn plain(value: &impl Serialize) -> JsValue {
    match value.serialize(Values) {
        Ok(value) => value,
    }
}

/// Serializes what is JavaScript's already. It has to be for [`plain`].
pub(super) fn as_it_is<S: Serializer>(serializer: S, value: JsValue) -> Result<S::Ok, S::Error> {
    HANDED.set(Some(value));
    serializer.serialize_newtype_struct(AS_IT_IS, &())
}

#[inline(never)]
fn handed() -> JsValue {
    HANDED.take().unwrap_or_default()
}

/// There is no such thing.
#[derive(Debug)]
enum Never {}

impl Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl core::error::Error for Never {}

impl Error for Never {
    fn custom<T: Display>(_: T) -> Never {
        std::process::abort()
    }
}

struct Values;

struct List(Array);

struct Fields(Plain);

impl Fields {
    #[inline(never)]
    fn put(&mut self, name: &'static str, value: JsValue) {
        NAMES.with_borrow_mut(|names| {
            let place = (name.as_ptr(), name.len());
            let known = names.iter().position(|(start, length, _)| (*start, *length) == place);
            let known = known.unwrap_or_else(|| {
                names.push((place.0, place.1, name.into()));
                names.len() - 1
            });
            if let Some((_, _, name)) = names.get(known) {
                self.0.set(name, &value);
            }
        });
    }
}

impl SerializeSeq for List {
    type Ok = JsValue;
    type Error = Never;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        self.0.push(&value.serialize(Values)?);
        Ok(())
    }

    fn end(self) -> Result<JsValue, Never> {
        Ok(self.0.into())
    }
}

impl SerializeStruct for Fields {
    type Ok = JsValue;
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        self.put(name, value.serialize(Values)?);
        Ok(())
    }

    fn end(self) -> Result<JsValue, Never> {
        Ok(self.0.into())
    }
}

type No<T> = Impossible<JsValue, T>;

impl Serializer for Values {
    type Ok = JsValue;
    type Error = Never;
    type SerializeSeq = List;
    type SerializeStruct = Fields;
    type SerializeTuple = No<Never>;
    type SerializeTupleStruct = No<Never>;
    type SerializeTupleVariant = No<Never>;
    type SerializeMap = No<Never>;
    type SerializeStructVariant = No<Never>;

    fn serialize_bool(self, value: bool) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<JsValue, Never> {
        Ok((value as f64).into())
    }

    fn serialize_u8(self, value: u8) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<JsValue, Never> {
        Ok((value as f64).into())
    }

    fn serialize_f32(self, value: f32) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_char(self, value: char) -> Result<JsValue, Never> {
        Ok(String::from(value).into())
    }

    fn serialize_str(self, value: &str) -> Result<JsValue, Never> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<JsValue, Never> {
        Ok(Uint8Array::from(value).into())
    }

    fn serialize_none(self) -> Result<JsValue, Never> {
        Ok(JsValue::UNDEFINED)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<JsValue, Never> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<JsValue, Never> {
        Ok(JsValue::UNDEFINED)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<JsValue, Never> {
        Ok(JsValue::UNDEFINED)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<JsValue, Never> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<JsValue, Never> {
        if name == AS_IT_IS {
            return Ok(handed());
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<JsValue, Never> {
        let mut object = self.serialize_struct("", 1)?;
        object.serialize_field(variant, value)?;
        object.end()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Never> {
        Ok(List(Array::new()))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields, Never> {
        Ok(Fields(Object::new().unchecked_into()))
    }

    fn serialize_tuple(self, _: usize) -> Result<No<Never>, Never> {
        std::process::abort()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<No<Never>, Never> {
        std::process::abort()
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<No<Never>, Never> {
        std::process::abort()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<No<Never>, Never> {
        std::process::abort()
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<No<Never>, Never> {
        std::process::abort()
    }
}
