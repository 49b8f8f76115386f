#![doc = include_str!("manual.md")]

#[doc = include_str!("adding_a_xep.md")]
pub mod adding_a_xep {}

#[doc = include_str!("interop.md")]
pub mod interop {}

#[doc = include_str!("rfc7395.md")]
pub mod rfc7395 {}

#[doc = include_str!("login.md")]
pub mod login {}

#[doc = include_str!("delivery.md")]
#[doc = ""]
#[doc = include_str!("herd.svg")]
pub mod delivery {}
