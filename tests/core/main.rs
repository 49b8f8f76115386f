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
mod avatar;
mod blocking;
mod calls;
mod caps;
mod carbons;
mod chat;
mod chat_states;
mod correction;
mod disco;
mod discovery;
mod displayed;
mod draft00;
mod entity_time;
mod fallback;
mod files;
mod forms;
mod haste;
mod hints;
mod history;
mod hostile;
mod house;
mod iq;
mod keys;
mod last_activity;
mod limits;
mod login;
mod markers;
mod nick;
mod oob;
mod pair;
mod ping;
mod pipelining;
mod presence;
mod private_xml;
mod pubsub;
mod reactions;
mod receipts;
mod reconnect;
mod redirect;
mod references;
mod replies;
mod requests;
mod retraction;
mod rfc7395;
mod rooms;
mod roster;
mod sasl;
mod sasl2;
mod server;
mod sm;
mod software_version;
mod storage;
mod stream;
mod styling;
mod vcard;
mod walk;
