//! The same models as refrain runs them: each engine by itself, and what is wrong by both together. Each has a small
//! budget here, which shows that it works; `ci/bench` gives larger ones.

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

macro_rules! wrong {
    ($($name:ident)*) => {$(
        #[refrain::model(expect = "panic")]
        fn $name() {
            run(stringify!($name));
        }
    )*};
}

right!(refcount_2 refcount_3 refcount_4 pool_2 pool_3 mutex_3x2);
wrong!(refcount_2_wrong refcount_3_wrong refcount_4_wrong pool_2_wrong pool_3_wrong);
