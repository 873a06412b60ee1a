//! What only `AtomicPtr` has: arithmetic on addresses. In a model each is a load and a compare-exchange.

use super::{AtomicPtr, Ordering};

impl<T> AtomicPtr<T> {
    #[track_caller]
    fn change(&self, order: Ordering, to: impl Fn(*mut T) -> *mut T) -> *mut T {
        let mut was = self.load(Ordering::Relaxed);
        loop {
            match self.compare_exchange_weak(was, to(was), order, Ordering::Relaxed) {
                Ok(was) => return was,
                Err(is) => was = is,
            }
        }
    }

    /// See `std`.
    #[track_caller]
    pub fn fetch_ptr_add(&self, count: usize, order: Ordering) -> *mut T {
        self.change(order, |was| was.wrapping_add(count))
    }

    /// See `std`.
    #[track_caller]
    pub fn fetch_ptr_sub(&self, count: usize, order: Ordering) -> *mut T {
        self.change(order, |was| was.wrapping_sub(count))
    }

    /// See `std`.
    #[track_caller]
    pub fn fetch_byte_add(&self, count: usize, order: Ordering) -> *mut T {
        self.change(order, |was| was.wrapping_byte_add(count))
    }

    /// See `std`.
    #[track_caller]
    pub fn fetch_byte_sub(&self, count: usize, order: Ordering) -> *mut T {
        self.change(order, |was| was.wrapping_byte_sub(count))
    }

    /// See `std`.
    #[track_caller]
    pub fn fetch_or(&self, bits: usize, order: Ordering) -> *mut T {
        self.change(order, |was| was.map_addr(|address| address | bits))
    }

    /// See `std`.
    #[track_caller]
    pub fn fetch_and(&self, bits: usize, order: Ordering) -> *mut T {
        self.change(order, |was| was.map_addr(|address| address & bits))
    }

    /// See `std`.
    #[track_caller]
    pub fn fetch_xor(&self, bits: usize, order: Ordering) -> *mut T {
        self.change(order, |was| was.map_addr(|address| address ^ bits))
    }
}
