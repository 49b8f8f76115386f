//! A host-meta in its JSON form (JRD): read or refused, and never an endpoint that the policy forbids. The JSON itself is
//! parsed by a crate here, by the engine in a browser.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stanzawire::session::discovery::read_json;
use stanzawire_fuzz::{bounded, check_endpoints};

fuzz_target!(|document: &str| {
    for allow_insecure in [false, true] {
        if let Ok(endpoints) = bounded(|| read_json(document, allow_insecure)) {
            check_endpoints(&endpoints, allow_insecure);
        }
    }
});
