//! Reading JSON (RFC 8259), as far as a document of strings in lists in objects asks.
//!
//! Every platform that runs wasm has a parser already: on wasm32 `platform` asks `JSON.parse`, natively, where tests and
//! fuzzing run, a crate is asked (`src/manual/adr/0004`). The same table of cases (`tests/json_cases.rs`) is run on both.
//! Neither goes deeper into a document than it is asked to, so that none is too deep. Of a name that an object has twice the
//! last one counts.
//!
//! Left out: numbers, booleans, and writing.

#[cfg_attr(target_arch = "wasm32", path = "json/platform.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "json/native.rs")]
mod platform;

pub(crate) use platform::Json;
