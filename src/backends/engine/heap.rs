//! The heap: the system's, with an account for the threads that compute with a model.
//!
//! Nothing else bounds what a model takes while it is loaded or run: an engine asks for what the
//! shapes come to, and the system ends the program where that is not there. A thread that is charged
//! to an [`Account`] and asks for more than it may never gets an answer; who waits for it looks at
//! the account, and goes on without it.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe to write; this one hands every call on to the system's"
)]

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::cell::Cell;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// What the threads of one session hold, or those that load a model, and may hold.
#[derive(Debug, Default)]
pub(in crate::backends) struct Account {
    held: AtomicI64,
    most: AtomicI64,
    // What was asked for that is too much; 0 while nothing was.
    refused: AtomicI64,
}

impl Account {
    /// From now on `most` bytes may be taken.
    pub(in crate::backends) fn allow(&self, most: u64) {
        self.held.store(0, Ordering::Relaxed);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.most.store(most, Ordering::Relaxed);
    }

    /// What may be taken.
    pub(in crate::backends) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed).unsigned_abs()
    }

    /// What a thread would have held that asked for more than it may. Such a thread never comes back.
    pub(in crate::backends) fn refused(&self) -> Option<u64> {
        let refused = self.refused.load(Ordering::Acquire);
        u64::try_from(refused).ok().filter(|&refused| refused > 0)
    }

    fn take(&self, size: usize) {
        let size = i64::try_from(size).unwrap_or(i64::MAX / 2);
        let held = self.held.fetch_add(size, Ordering::Relaxed);
        let held = held.saturating_add(size);
        if held > self.most.load(Ordering::Relaxed) {
            self.refuse(held);
        }
    }

    fn give_back(&self, size: usize) {
        let size = i64::try_from(size).unwrap_or(i64::MAX / 2);
        self.held.fetch_sub(size, Ordering::Relaxed);
    }

    // Sleeping takes no memory, and no lock of this program.
    fn refuse(&self, held: i64) -> ! {
        self.refused.store(held.max(1), Ordering::Release);
        loop {
            thread::sleep(Duration::from_secs(3600));
        }
    }
}

thread_local! {
    static ACCOUNT: Cell<Option<&'static Account>> = const { Cell::new(None) };
}

/// Charges what this thread takes from now on to `account`.
pub(in crate::backends) fn charge(account: &'static Account) {
    ACCOUNT.with(|own| own.set(Some(account)));
}

fn account() -> Option<&'static Account> {
    // A thread that ends has none any more.
    ACCOUNT.try_with(Cell::get).ok().flatten()
}

struct Heap;

/// The allocator of a program is one for all of it.
#[global_allocator]
static HEAP: Heap = Heap;

impl Heap {
    // The system has no more: what would end the program ends the thread alone.
    fn given(place: *mut u8, size: usize) -> *mut u8 {
        if place.is_null()
            && let Some(account) = account()
        {
            account.refuse(i64::try_from(size).unwrap_or(i64::MAX));
        }
        place
    }
}

// SAFETY: every call is handed on to the system's allocator as it came, and its answer back; what
// happens besides does not allocate and does not unwind.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(account) = account() {
            account.take(layout.size());
        }
        // SAFETY: the caller keeps to the contract.
        Self::given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if let Some(account) = account() {
            account.take(layout.size());
        }
        // SAFETY: the caller keeps to the contract.
        Self::given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if let Some(account) = account() {
            account.give_back(layout.size());
        }
        // SAFETY: the caller keeps to the contract.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if let Some(account) = account() {
            account.take(size);
            account.give_back(layout.size());
        }
        // SAFETY: the caller keeps to the contract.
        Self::given(unsafe { System.realloc(place, layout, size) }, size)
    }
}

#[cfg(test)]
mod tests {
    use super::Account;
    use super::charge;
    use std::hint::black_box;
    use std::sync::mpsc::sync_channel;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_thread_that_asks_for_too_much_does_not_come_back() {
        let account: &Account = Box::leak(Box::default());
        account.allow(1 << 20);
        let (sender, receiver) = sync_channel(1);
        thread::spawn(move || {
            charge(account);
            for _ in 0..100 {
                drop(black_box(vec![1_u8; 1 << 19]));
            }
            sender
                .send("what is given back can be taken again")
                .unwrap();
            drop(black_box(vec![0_u8; 50 << 30]));
            sender.send("never").unwrap();
        });
        let long = Duration::from_secs(60);
        assert!(receiver.recv_timeout(long).is_ok());
        while account.refused().is_none() {
            thread::yield_now();
        }
        assert!(account.refused().unwrap() >= 50 << 30);
        assert!(receiver.try_recv().is_err());
    }
}
