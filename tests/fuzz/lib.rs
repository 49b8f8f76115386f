//! What the fuzz targets share: a bound on memory, a browser's view of endpoints, and a server to log in at.
//!
//! Each target feeds one part of the core with what a hostile server could send, and panics where that part does what it
//! must not. `cargo xtask fuzz` builds and runs them; the inputs in `corpus/` are where they begin.

use stanzawire::session::discovery::{Endpoint, MAX_ENDPOINTS};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub mod script;
#[path = "../scripted.rs"]
pub mod scripted;

/// What no frame may cost, in bytes.
pub const MEMORY: usize = 32 << 20;

/// The bytes allocated now, and the most that there were since [`bounded`] began.
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

/// The system's allocator with a count of what is out.
struct Counting;

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above; `at` came from the system's allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Does it, and panics if it took more than [`MEMORY`] at any time.
pub fn bounded<T>(what: impl FnOnce() -> T) -> T {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = what();
    let most = PEAK.load(Relaxed).saturating_sub(before);
    assert!(most <= MEMORY, "{most} bytes at once");
    result
}

/// Whether a browser that opens a WebSocket there either refuses or stays safe: it encrypts, or doesn't leave the machine.
/// By the WHATWG's parser, so that it isn't our own reading of the URL that is asked.
pub fn is_private(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return true };
    match (url.scheme(), url.host()) {
        ("wss", _) => true,
        ("ws", Some(url::Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
        ("ws", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("ws", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

/// What has been read out of a host-meta is a bounded list of endpoints, each once, that the app could have named.
pub fn check_endpoints(endpoints: &[Endpoint], allow_insecure: bool) {
    assert!(!endpoints.is_empty(), "no endpoint is an error");
    assert!(endpoints.len() <= MAX_ENDPOINTS);
    for (place, endpoint) in endpoints.iter().enumerate() {
        let url = endpoint.url.as_str();
        assert!(url.starts_with(['w', 'W']), "{url}");
        assert_eq!(endpoint.private, endpoint.private && is_private(url), "{url}");
        assert!(allow_insecure || endpoint.private, "{url}");
        let again = Endpoint::explicit(url, allow_insecure).expect("good enough for the app too");
        assert_eq!((&again.url, again.private), (&endpoint.url, endpoint.private));
        let twice = endpoints.iter().skip(place + 1).any(|other| other.url == url);
        assert!(!twice, "{url}");
    }
}
