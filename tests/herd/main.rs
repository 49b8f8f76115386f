//! The herd: a hundred thousand engines, and a server that is gone for half a minute. They must not come back all at once.
//!
//! `cargo xtask herd` runs it and draws the manual's picture. Without arguments, as part of `cargo test`, a thousand
//! clients are run, two reconnection policies that are too eager have to be found, and the picture in the tree has to be
//! what is drawn of its own figures.

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
