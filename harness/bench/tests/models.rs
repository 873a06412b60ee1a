//! The same models on refrain: each engine alone, and seeded bugs on both. The budgets are small here, which only shows
//! that they work; `ci/bench` uses larger ones. And the thread kernels, each with its bug and repaired.

mod sync {
    pub use refrain::sync::*;
}
#[path = "../kernels/mod.rs"]
mod kernels;

refrain_bench::models!(models, use refrain::sync::{self, thread};);

fn run(name: &str) {
    models::by_name(name).expect("there is such a model")();
}

macro_rules! right {
    ($($name:ident)*) => {
        mod loom {
            $(
                #[refrain::model(engine = "loom", runs = 500)]
                fn $name() {
                    super::run(stringify!($name));
                }
            )*
        }

        mod shuttle {
            $(
                #[refrain::model(engine = "shuttle", runs = 500)]
                fn $name() {
                    super::run(stringify!($name));
                }
            )*
        }
    };
}

right!(refcount_2 refcount_3 refcount_4 pool_2 pool_3 mutex_3x2);

#[refrain::model(expect = "panic")]
fn refcount_2_wrong() {
    run("refcount_2_wrong");
}

#[refrain::model(expect = "panic")]
fn refcount_3_wrong() {
    run("refcount_3_wrong");
}

#[refrain::model(expect = "panic")]
fn refcount_4_wrong() {
    run("refcount_4_wrong");
}

#[refrain::model(expect = "panic")]
fn pool_2_wrong() {
    run("pool_2_wrong");
}

#[refrain::model(expect = "panic")]
fn pool_3_wrong() {
    run("pool_3_wrong");
}

macro_rules! kernels {
    ($($class:literal: $($name:ident)*;)*) => {
        mod wrong {
            $($(
                #[refrain::model(expect = $class)]
                fn $name() {
                    super::run_kernel(stringify!($name), false);
                }
            )*)*
        }

        mod repaired {
            $($(
                #[refrain::model(runs = 400)]
                fn $name() {
                    super::run_kernel(stringify!($name), true);
                }
            )*)*
        }

        #[test]
        fn every_kernel_is_a_test() {
            let mut tests: Vec<&str> = [$($(stringify!($name)),*),*].into();
            let mut kernels: Vec<&str> = kernels::KERNELS.iter().map(|(name, _)| *name).collect();
            tests.sort_unstable();
            kernels.sort_unstable();
            assert_eq!(tests, kernels);
        }
    };
}

kernels! {
    "panic":
        account apache_21287 bluetooth channel_discard circular_buffer cve_2009_3547 cve_2017_15265 deque_pop lazy01
        message ms_queue mysql_3596 pbzip2 peterson queue relay release_sequence reorder_3 reorder_4 reorder_10 reorder_20 seqlock
        skipped_update spin_once
        stack stringbuffer sync02 token_ring treiber twostage twostage_20 wronglock_3 wronglock;
    "deadlock": carter01 deadlock01 philosophers sync01 waker;
    "data-race":
        arc_drop arc_get_mut dekker double_checked oneshot_close spin_rwlock spsc_ring thread_local_iter;
}

fn run_kernel(name: &str, repaired: bool) {
    let (_, kernel) = kernels::KERNELS.iter().find(|(other, _)| *other == name).expect("there is such a kernel");
    kernel(repaired);
}
