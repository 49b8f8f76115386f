//! stanzawire: XMPP over WebSocket (RFC 7395) for the web. A sans-IO core, compiled to WebAssembly and published on
//! npm.
//!
//! # The map of the house
//!
//! Lowest first; a module imports from its own line or from above it, never from below.
//!
//! | layer | modules |
//! |---|---|
//! | ground | [`error`], [`jid`], [`xml`], [`given`]: what an app passes to a call |
//! | protocol | [`stanza`], [`stream`], [`sasl`] |
//! | connection | [`session`]: one connection's life, and the next one's |
//! | features | [`im`]: one file each, one line each in one list |
//! | whole | [`engine`]: a session and the features, without I/O |
//! | edge | `web`: sockets, timers, promises; only on wasm32 |
//!
//! # The drain rule
//!
//! The core has no socket, clock, randomness or promise. The edge hands facts and calls to [`engine::Engine`], and after
//! each of them carries out what [`engine::Engine::poll_output`] returns until it returns nothing, then arms one timer
//! for [`engine::Engine::next_deadline`].
//!
//! The [`manual`] says more.

mod decimal;
#[forbid(unsafe_code)]
pub mod engine;
#[forbid(unsafe_code)]
pub mod error;
#[forbid(unsafe_code)]
pub mod given;
#[forbid(unsafe_code)]
pub mod im;
#[forbid(unsafe_code)]
pub mod jid;
#[forbid(unsafe_code)]
mod json;
pub mod manual;
#[forbid(unsafe_code)]
pub mod sasl;
#[forbid(unsafe_code)]
pub mod session;
#[forbid(unsafe_code)]
pub mod stanza;
#[forbid(unsafe_code)]
pub mod stream;
mod unicode;
#[cfg(target_arch = "wasm32")]
pub mod web;
#[forbid(unsafe_code)]
pub mod xml;
