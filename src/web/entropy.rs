//! Randomness, from the platform's generator: 32 bytes once, which feed the engine's own.

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
    // Not a slice of our own: wasm-bindgen hands on a `&mut [u8]` as a shared reference, and the optimizer may take it that nobody
    // writes through that (LLVM 22, at opt-level 1: the seed stayed zero behind this very check).
    let bytes = Uint8Array::new_with_length(32);
    let mut seed = [0; 32];
    if get_random_values(&bytes).is_ok() {
        for (place, byte) in (0..).zip(&mut seed) {
            *byte = bytes.get_index(place);
        }
    }
    if seed != [0; 32] {
        Ok(seed)
    } else {
        let message = "this platform has no crypto.getRandomValues, without which no login is safe";
        Err(Error::new(Code::Internal, Phase::Session, message))
    }
}
