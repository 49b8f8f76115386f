//! The core against a scripted server, on a virtual clock. One file a topic; tests are named by the clause that they
//! hold.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

mod app;
mod archive;
mod blocking;
mod avatar;
mod calls;
mod caps;
mod carbons;
mod chat;
mod disco;
mod discovery;
mod draft00;
mod forms;
mod entity_time;
mod haste;
mod history;
mod hostile;
mod house;
mod iq;
mod keys;
mod last_activity;
mod limits;
mod login;
mod nick;
mod pair;
mod ping;
mod pipelining;
mod presence;
mod private_xml;
mod pubsub;
mod reconnect;
mod redirect;
mod requests;
mod rfc7395;
mod roster;
mod sasl;
mod sasl2;
mod server;
mod sm;
mod software_version;
mod storage;
mod stream;
mod vcard;
mod walk;
