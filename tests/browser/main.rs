//! The client in a real browser, logging in to a real server through discovery. Scripted fakes stand in only for what
//! a real server won't do (`fakes.rs`).
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

mod aborts;
mod arguments;
mod calls;
mod credentials;
mod discover;
mod fakes;
mod guard;
mod hostile;
mod keeping;
mod listeners;
mod locks;
mod login;
mod page;
mod storage;
mod support;
mod unicode;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
