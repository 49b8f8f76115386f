//! Randomness, from the platform's generator: 32 bytes once, which feed the engine's own.

use super::fields::bytes;
use crate::error::{Code, Error, Phase};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &Uint8Array) -> Result<(), JsValue>;
}

/// A fresh seed.
pub(super) fn seed() -> Result<[u8; 32], Error> {
    let drawn = Uint8Array::new_with_length(32);
    let mut seed = [0; 32];
    if get_random_values(&drawn).is_ok() {
        seed.iter_mut().zip(bytes(&drawn)).for_each(|(to, from)| *to = from);
    }
    if seed != [0; 32] {
        Ok(seed)
    } else {
        let message = "this platform has no crypto.getRandomValues, without which no login is safe";
        Err(Error::new(Code::Internal, Phase::Session, message))
    }
}
