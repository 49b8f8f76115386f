//! The edge: everything that only a JavaScript platform has, and no decision of the protocol's.
//!
//! One [`Client`] owns one [`Engine`](crate::engine::Engine) and follows its drain rule (`drain.rs`): a fact or a call
//! enters, the engine's wishes are carried out until there are none, one timer is armed, and only then do the app's own
//! functions run. Whatever the platform calls back comes in through one function with a number for its kind
//! (`callback.rs`), so that the package's façade can guard every way in against a trap.
//!
//! Only `globalThis` is used, by name: it works in pages, workers, Node, Deno and Bun.

mod callback;
mod client;
mod convert;
mod credentials;
mod derive;
mod drain;
mod element;
mod entropy;
mod error;
mod fetch;
mod fields;
mod given;
mod listeners;
mod locks;
mod options;
mod page;
mod promises;
mod requests;
mod socket;
mod storage;
mod timer;

pub use client::Client;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

/// A third as large as the allocator that the standard library has for wasm.
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
