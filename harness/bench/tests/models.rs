//! The same models on refrain: each engine alone, and seeded bugs on both. The budgets are small here, which only shows
//! that they work; `ci/bench` uses larger ones.

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
