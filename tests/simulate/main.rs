//! The simulation: the real engine against a model of a server, over a network that fails, in pages that die; on a virtual
//! clock, and decided by a seed alone.
//!
//! `cargo xtask simulate --seeds N` runs N seeds; `--seed S` runs one again, `--transcript` says what happens in it, and
//! `--fault NAME` makes the client do something wrong (`mutation.rs` has the list). Without arguments, as part of `cargo
//! test`, a few hundred seeds are run, and each of those faults has to be found.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

#[cfg(not(target_arch = "wasm32"))]
include!("run.rs");

/// The tests for the browser are built together with this one.
#[cfg(target_arch = "wasm32")]
fn main() {}
