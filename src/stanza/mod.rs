//! Stanzas, RFC 6120 §8: what messages, presence and iqs have in common, and the error that each can carry.

mod conditions;
mod delay;
pub mod iq;

pub use conditions::StanzaError;
pub use delay::{Stamp, delay};

pub(crate) use delay::two_digits;
