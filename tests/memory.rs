//! What the costliest frames cost in memory, counted; and in time, shown by `cargo test --release --test memory --
//! --nocapture`. Alone in its process, so that nothing else is counted.

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

#[allow(dead_code, reason = "of another test crate")]
#[path = "core/pair.rs"]
mod pair;
#[allow(dead_code, reason = "of another test crate")]
#[path = "core/server.rs"]
mod server;
mod worst_frames;

use pair::Pair;
use stanzawire::xml::Limits;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// What one frame may cost, its own text included, in bytes.
const MOST: usize = 32 << 20;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn count(more: usize, less: usize) {
    let held = HELD.fetch_add(more, Relaxed) + more;
    PEAK.fetch_max(held, Relaxed);
    HELD.fetch_sub(less, Relaxed);
}

// SAFETY: all is the system's doing; it is only counted here.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may be held at once.
        count(size, layout.size());
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn no_frame_costs_more_than_32_megabytes() {
    let limits = Limits::default();
    let mut pair = Pair::online();
    let mut worst = 0;
    for (name, frame) in worst_frames::all(limits.bytes, limits.nodes) {
        let length = frame.len();
        let before = HELD.load(Relaxed) - length;
        PEAK.store(0, Relaxed);
        let began = Instant::now();
        pair.receive(&frame);
        let took = began.elapsed();
        let peak = PEAK.load(Relaxed).max(HELD.load(Relaxed)) - before;
        assert!(peak <= MOST, "{name}: {} kB", peak >> 10);
        if pair.socket.is_none() {
            // Not even XML: the session is over. What is left is a new one's.
            pair = Pair::online();
            continue;
        }
        // Somebody watches the stanzas: what is kept for them counts, and goes when they have seen it.
        pair.events.clear();
        let (kilobytes, long) = (peak >> 10, length >> 10);
        println!(
            "{kilobytes:>7} kB {:>9.2} ms  {name} ({long} kB)",
            took.as_secs_f64() * 1e3
        );
        drop(frame);
        let left = HELD.load(Relaxed).saturating_sub(before);
        assert!(left < 1 << 16, "{name}: {left} bytes stay");
        worst = worst.max(peak);
    }
    println!("{:>7} kB at most", worst >> 10);
}
