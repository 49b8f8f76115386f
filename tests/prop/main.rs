//! Properties that hold for any input.

#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs)]

mod jid;
mod xml;
