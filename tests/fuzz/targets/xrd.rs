//! A host-meta in its XML form (XRD): read or refused, and never an endpoint that the policy forbids.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stanzawire::session::discovery::read_xrd;
use stanzawire_fuzz::{bounded, check_endpoints};

fuzz_target!(|document: &str| {
    for allow_insecure in [false, true] {
        if let Ok(endpoints) = bounded(|| read_xrd(document, allow_insecure)) {
            check_endpoints(&endpoints, allow_insecure);
        }
    }
});
