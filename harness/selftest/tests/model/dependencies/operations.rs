//! The operations of a dependency's atomics in a model, compared with those of `std`.

use refrain::__private::prepare_dependencies;
use refrain_std::sync::atomic::{self, Ordering::*};

/// Calls methods on an atomic of a dependency and on one of `std`, which must return and leave the same.
macro_rules! as_std {
    ($atomic:ident($value:expr): $($method:ident($($argument:expr),*)),*) => {{
        let (own, std) = (atomic::$atomic::new($value), std::sync::atomic::$atomic::new($value));
        $(
            assert_eq!(own.$method($($argument),*), std.$method($($argument),*), stringify!($atomic::$method));
            assert_eq!(own.load(SeqCst), std.load(SeqCst), stringify!($atomic::$method));
        )*
    }};
}

#[refrain::model(runs = 20)]
fn operations_compute_what_those_of_std_do() {
    prepare_dependencies();
    as_std! { AtomicUsize(5): swap(9, AcqRel), fetch_add(usize::MAX, Relaxed), fetch_sub(9, Release), fetch_and(12, SeqCst),
    fetch_nand(6, Acquire), fetch_or(1, Relaxed), fetch_xor(7, Relaxed), fetch_max(3, Relaxed), fetch_min(2, Relaxed),
    compare_exchange(2, 8, AcqRel, Acquire), compare_exchange(2, 1, SeqCst, Relaxed),
    fetch_update(SeqCst, SeqCst, |was| was.checked_add(1)), fetch_update(SeqCst, SeqCst, |_| None) }
    as_std! { AtomicI8(-5): swap(-128, AcqRel), fetch_sub(1, Relaxed), fetch_max(-1, Relaxed), fetch_min(-3, Relaxed),
    compare_exchange(-3, -4, AcqRel, Acquire), fetch_nand(3, Relaxed) }
    as_std! { AtomicU64(1 << 63): fetch_add(1 << 63, Relaxed), fetch_sub(1, Relaxed), fetch_xor(1 << 40, Relaxed) }
    as_std! { AtomicBool(true): fetch_not(Relaxed), fetch_or(true, Relaxed), fetch_nand(true, Relaxed), swap(true, Relaxed),
    compare_exchange(true, false, SeqCst, SeqCst), fetch_xor(true, Relaxed), fetch_and(false, Relaxed) }
    let array = [0u32; 4];
    let first = array.as_ptr().cast_mut();
    as_std! { AtomicPtr(first): fetch_ptr_add(2, AcqRel), fetch_byte_sub(4, Relaxed), fetch_or(1, Relaxed),
    fetch_and(!1, Relaxed), fetch_xor(4, Relaxed), fetch_ptr_sub(1, Release), fetch_byte_add(8, Relaxed), swap(first, SeqCst) }
}
