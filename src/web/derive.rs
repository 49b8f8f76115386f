//! The salted password: off the main thread by WebCrypto, or in slices that leave the page alive.
//!
//! WebCrypto's `subtle` is there in secure contexts only; a page served over plain http from another host has none.

use super::callback::{Callback, Kind};
use super::fields::{bytes, set};
use super::timer;
use crate::engine::Ticket;
use crate::sasl::{Derivation, KeyRequest, Secret};
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::*;

/// After how many milliseconds a slice ends, so that with the clock's own step and the last rounds it takes no more than 8:
/// half a frame.
const SLICE: u64 = 6;
/// Rounds between two looks at the clock; well under a millisecond.
const ROUNDS: u32 = 100;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = deriveBits)]
    fn derive_bits(algorithm: &JsValue, key: &JsValue, bits: u32) -> Result<JsValue, JsValue>;
}

/// A derivation under way. Dropped, it goes no further.
pub(super) struct Deriving {
    id: Ticket,
    request: KeyRequest,
    slices: Option<Derivation>,
}

impl Deriving {
    /// Begins.
    pub(super) fn start(id: Ticket, request: KeyRequest, callback: &Callback) -> Deriving {
        let mut deriving = Deriving {
            id,
            request,
            slices: None,
        };
        let password = Uint8Array::from(deriving.request.password.as_bytes());
        let usages = Array::of1(&"deriveBits".into());
        match import_key("raw", &password, "PBKDF2", false, &usages) {
            Ok(key) => callback.then(&key, Kind::Key, Kind::DeriveFailed, id.0 as f64),
            Err(_) => drop(deriving.in_slices(callback)),
        }
        // WebCrypto has its own copy.
        password.fill(0, 0, password.length());
        deriving
    }

    pub(super) fn id(&self) -> Ticket {
        self.id
    }

    // The steps return the key once they have it.

    /// The password is imported.
    pub(super) fn key(&mut self, key: &JsValue, callback: &Callback) -> Option<Secret> {
        let hash = self.request.hash;
        let algorithm: JsValue = Object::new().into();
        set(&algorithm, "name", &"PBKDF2".into());
        set(&algorithm, "hash", &hash.name().into());
        set(&algorithm, "salt", &Uint8Array::from(self.request.salt.as_slice()));
        set(&algorithm, "iterations", &self.request.iterations.into());
        match derive_bits(&algorithm, key, hash.output_len() as u32 * 8) {
            Ok(bits) => {
                callback.then(&bits, Kind::Bits, Kind::DeriveFailed, self.id.0 as f64);
                None
            }
            Err(_) => self.in_slices(callback),
        }
    }

    /// Does it here instead.
    pub(super) fn in_slices(&mut self, callback: &Callback) -> Option<Secret> {
        self.slices = Some(Derivation::new(&self.request));
        self.next_slice(callback);
        None
    }

    /// Does a slice.
    pub(super) fn slice(&mut self, callback: &Callback) -> Option<Secret> {
        let derivation = self.slices.as_mut()?;
        let begun = timer::now();
        loop {
            if let Some(key) = derivation.step(ROUNDS) {
                return Some(key);
            }
            if timer::now().since(begun) >= SLICE {
                self.next_slice(callback);
                return None;
            }
        }
    }

    fn next_slice(&self, callback: &Callback) {
        timer::later(&callback.bound(Kind::Slice, self.id.0 as f64), 0);
    }
}

/// The bytes that WebCrypto derived.
pub(super) fn bits(bits: &JsValue) -> Secret {
    Secret::new(bytes(&Uint8Array::new(bits)))
}
