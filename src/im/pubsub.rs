//! Publish-Subscribe, XEP-0060 1.30.0 (11 November 2025), and the Personal Eventing Protocol, XEP-0163 1.2.2 (16 February 2022): what
//! accounts and services publish in nodes, and are asked to.
//!
//! What other features of the client use of it is in `pubsub/wire.rs`.

mod wire;

pub use wire::PubsubItem;
#[allow(unused_imports)]
pub(super) use wire::{
    EVENT, Item, Notification, OWNER, PUBSUB, RSM, event, is_missing, items, items_of, options, publish, published,
    retract, violation,
};
