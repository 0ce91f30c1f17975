use std::{
    alloc::{GlobalAlloc, Layout},
    cell::{Cell, UnsafeCell},
};

/// The bytes that a plan usually does with. They are part of the module's memory, since growing it costs the host
/// two system calls. With the stack and a usual plugin's data they are three pages of WebAssembly, which the host writes anew
/// after each call.
const RESERVED: usize = 96 << 10;
const PAGE: usize = 64 << 10;
/// The least to grow by: one megabyte.
const PAGES: usize = 16;

/// An allocator that only moves forward. An instance of a plugin lives for one call, so nothing is worth freeing but
/// what was allocated last.
pub struct Arena {
    next: Cell<usize>,
    end: Cell<usize>,
    reserved: UnsafeCell<Reserved>,
}

#[repr(align(16))]
struct Reserved(#[expect(dead_code, reason = "only its address is used")] [u8; RESERVED]);

// SAFETY: the world's components have one thread.
unsafe impl Sync for Arena {}

impl Arena {
    /// Empty.
    #[expect(clippy::new_without_default, reason = "a static needs a const function")]
    pub const fn new() -> Self {
        Self { next: Cell::new(0), end: Cell::new(0), reserved: UnsafeCell::new(Reserved([0; RESERVED])) }
    }

    fn allocate(&self, layout: Layout) -> Option<usize> {
        if self.end.get() == 0 {
            let start = self.reserved.get() as usize;
            self.next.set(start);
            self.end.set(start + RESERVED);
        }
        self.within(layout).or_else(|| {
            self.grow(layout)?;
            self.within(layout)
        })
    }

    fn within(&self, layout: Layout) -> Option<usize> {
        let start = self.next.get().checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        if end > self.end.get() {
            return None;
        }
        self.next.set(end);
        Some(start)
    }

    fn grow(&self, layout: Layout) -> Option<()> {
        let pages = layout.size().checked_add(layout.align())?.div_ceil(PAGE).max(PAGES);
        let before = core::arch::wasm32::memory_grow(0, pages);
        if before == usize::MAX {
            return None;
        }
        // Memory that grew twice is one piece.
        let start = before * PAGE;
        if start != self.end.get() {
            self.next.set(start);
        }
        // The last page may end at 2^32, which is no address.
        self.end.set(start.saturating_add(pages.saturating_mul(PAGE)));
        Some(())
    }
}

// SAFETY: every block lies within `reserved` or memory that was grown for this allocator alone, is aligned as
// asked for, and overlaps no other: `next` moves past it, and only moves back to the start of the last block when
// that is given back.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocate(layout).map_or(std::ptr::null_mut(), |start| start as *mut u8)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize;
        let last = start + layout.size() == self.next.get();
        if last && start.checked_add(size).is_some_and(|end| end <= self.end.get()) {
            self.next.set(start + size);
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises that `size`, rounded up to the alignment, does not overflow.
        let layout_after = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the caller promises that `size` is not zero.
        let moved = unsafe { self.alloc(layout_after) };
        if !moved.is_null() {
            // SAFETY: the block has `layout.size()` bytes, the new one more, and they don't overlap.
            unsafe { std::ptr::copy_nonoverlapping(block, moved, layout.size()) };
        }
        moved
    }
}
