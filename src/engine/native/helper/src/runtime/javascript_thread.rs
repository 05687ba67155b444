//! JavaScript threads, and what goes with them.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Runtime, abandon};
use crate::files::{self, Owner};
use crate::sys;

static LAST_OWNER: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static JAVASCRIPT: JavaScriptThread = {
        // Its destructor is in this library. `open` looks whether that worked.
        sys::pin_library();
        JavaScriptThread {
            owner: LAST_OWNER.fetch_add(1, Ordering::Relaxed) + 1,
            handles: RefCell::default(),
        }
    };
}

/// What belongs to the JavaScript of a thread, and goes with it.
pub struct JavaScriptThread {
    owner: Owner,
    handles: RefCell<Vec<(u32, Arc<Runtime>)>>,
}

/// The number of the calling thread as an owner of files.
pub fn owner() -> Owner {
    // While the thread ends nothing can be owned by it: 0 is nobody.
    JAVASCRIPT.try_with(|thread| thread.owner).unwrap_or(0)
}

impl JavaScriptThread {
    /// Runs `use_it` with what a handle of this thread stands for.
    #[inline]
    pub fn with_own<Result>(handle: u32, use_it: impl Fn(&Runtime) -> Result) -> Option<Result> {
        let own = JAVASCRIPT.try_with(|thread| {
            let handles = thread.handles.borrow();
            let (_, runtime) = handles.iter().find(|(number, _)| *number == handle)?;
            Some(use_it(runtime))
        });
        own.ok().flatten()
    }

    /// A handle goes with this thread.
    pub fn adopt(handle: u32, runtime: Arc<Runtime>) {
        // It fails while the thread ends; then nothing is its own.
        let _ = JAVASCRIPT.try_with(|thread| {
            thread.handles.borrow_mut().push((handle, runtime));
        });
    }

    /// It does not any more.
    pub fn disown(handle: u32) -> Option<Arc<Runtime>> {
        let own = JAVASCRIPT.try_with(|thread| {
            let mut handles = thread.handles.borrow_mut();
            let index = handles.iter().position(|(number, _)| *number == handle)?;
            Some(handles.swap_remove(index).1)
        });
        own.ok().flatten()
    }
}

impl Drop for JavaScriptThread {
    fn drop(&mut self) {
        for (handle, _) in self.handles.take() {
            abandon(handle);
        }
        files::forget(self.owner);
    }
}
