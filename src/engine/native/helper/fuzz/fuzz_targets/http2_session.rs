//! HTTP/2: whatever a client sends and takes, and whatever JavaScript does, the
//! session ends, every request ends once, and it all takes but so much memory.

#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use jstime_serve::io::Http2Trial;
use libfuzzer_sys::fuzz_target;

/// What a session may take besides what its client has sent: the content and
/// the heads of 128 requests are limited, as are the answers that wait.
const MOST: usize = 16 << 20;

/// Counts what is in use.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: as the system's, to which everything is handed on.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(used, Relaxed);
        // SAFETY: the caller's promises are those that it asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static TRIAL: RefCell<Http2Trial> = RefCell::default();
}

fuzz_target!(|input: &[u8]| {
    TRIAL.with_borrow_mut(|trial| {
        let before = USED.load(Relaxed);
        PEAK.store(before, Relaxed);
        let sent = trial.run(input);
        let most = PEAK.load(Relaxed).saturating_sub(before);
        assert!(most <= MOST + 3 * sent, "{most} bytes for {sent}");
    });
});
