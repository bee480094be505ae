//! The single-threaded flavor and weak methods without `std`, over the C library's memory.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, RefCell};
use core::ffi::{c_int, c_void};
use sigwire::local::{Signal, WeakMethod};

#[link(name = "c")]
unsafe extern "C" {
    fn aligned_alloc(align: usize, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
    fn abort() -> !;
}

struct CLibrary;

// SAFETY: blocks come from `aligned_alloc`, which takes a size that is a multiple of the alignment,
// and go to `free`.
unsafe impl GlobalAlloc for CLibrary {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let layout = layout.align_to(16).unwrap_or(layout).pad_to_align();
        // SAFETY: the alignment is a power of two, and the size a multiple of it.
        unsafe { aligned_alloc(layout.align(), layout.size()).cast() }
    }
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller's promise.
        unsafe { free(block.cast()) }
    }
}

#[global_allocator]
static HEAP: CLibrary = CLibrary;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: it can always be called.
    unsafe { abort() }
}

/// The precompiled `alloc` names it in its unwinding tables. Nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

struct Panel {
    width: Cell<u32>,
}

impl Panel {
    fn resize(&self, width: &u32) {
        self.width.set(*width);
    }
}

/// Ends with 0 when all is as it should be, and is aborted by the first thing that is not.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const u8) -> c_int {
    let resized: Signal<u32> = Signal::new();
    let panel = Rc::new(Panel { width: Cell::new(0) });
    let log = Rc::new(RefCell::new(Vec::new()));
    resized.connect(&panel, Panel::resize);
    resized.slot().priority(1).times(2).connect_mut(&log, |log, width| log.push(*width));
    let guard = resized.connect_fn(|width| assert!(*width > 0));
    assert_eq!([3, 4, 5].map(|width| resized.emit(&width)), [3, 3, 2]);
    assert_eq!((panel.width.get(), log.borrow().as_slice()), (5, [3, 4].as_slice()));
    drop(guard);
    let method: WeakMethod<u32> = WeakMethod::new(&panel, Panel::resize);
    assert!(method.call(&9).is_some() && panel.width.get() == 9);
    drop(panel);
    assert!(!method.is_alive());
    assert_eq!(resized.emit(&6), 0);
    0
}
