//! The stream below the stanzas: framing (RFC 7395), features and errors (RFC 6120 §4).

mod draft00;
pub mod features;
pub mod framing;
pub mod ns;
pub mod stream_error;
