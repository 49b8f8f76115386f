//! Randomness, from the platform's generator: 32 bytes once, which feed the engine's own.

use crate::error::{Code, Error, Phase};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]) -> Result<(), JsValue>;
}

/// A fresh seed.
pub(super) fn seed() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    if get_random_values(&mut seed).is_ok() && seed != [0; 32] {
        Ok(seed)
    } else {
        let message = "this platform has no crypto.getRandomValues, without which no login is safe";
        Err(Error::new(Code::Internal, Phase::Session, message))
    }
}
