//! The models with which the interleaving engines are measured, on each engine's primitives.

/// Defines a module of the models; the last arguments are its `sync` and `thread`.
#[macro_export]
macro_rules! models {
    ($name:ident, $($primitives:tt)*) => {
        /// The models.
        pub mod $name {
            $($primitives)*
            use std::sync::Arc;
            use sync::{
                Mutex,
                atomic::{AtomicUsize, Ordering::*},
            };

            /// How a reference is released.
            #[derive(Debug, Clone, Copy)]
            pub enum Giving {
                /// In one atomic step.
                Right,
                /// Decrement, then test, in two steps.
                LowerThenTest,
            }

            struct Counted {
                count: AtomicUsize,
                freed: std::sync::atomic::AtomicUsize,
            }

            fn is_last(count: &AtomicUsize, release: Giving) -> bool {
                match release {
                    Giving::Right => count.fetch_sub(1, AcqRel) == 1,
                    Giving::LowerThenTest => {
                        count.fetch_sub(1, AcqRel);
                        count.load(Acquire) == 0
                    }
                }
            }

            /// `threads` owners release their references concurrently; the last one frees.
            pub fn refcount(threads: usize, release: Giving) {
                let counted = Counted { count: AtomicUsize::new(threads), freed: Default::default() };
                let counted = Arc::new(counted);
                let spawn = |_| {
                    let counted = counted.clone();
                    thread::spawn(move || {
                        if is_last(&counted.count, release) {
                            counted.freed.fetch_add(1, SeqCst);
                        }
                    })
                };
                let threads: Vec<_> = (0..threads).map(spawn).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
                assert_eq!(counted.freed.load(SeqCst), 1, "freed once");
            }

            struct Pool {
                idle: Mutex<Vec<usize>>,
                count: AtomicUsize,
            }

            impl Pool {
                fn take(&self) -> Option<usize> {
                    let session = self.idle.lock().unwrap().pop();
                    if session.is_some() {
                        self.count.store(1, Release);
                    }
                    session
                }

                fn give_back(&self, session: usize, release: Giving) {
                    if is_last(&self.count, release) {
                        let mut idle = self.idle.lock().unwrap();
                        assert!(!idle.contains(&session), "given back twice");
                        idle.push(session);
                    }
                }
            }

            /// `threads` threads share a session: each releases it, acquires it again if possible, and releases it.
            pub fn pool(threads: usize, release: Giving) {
                let pool = Arc::new(Pool { idle: Mutex::new(vec![7]), count: AtomicUsize::new(0) });
                let session = pool.take().unwrap();
                pool.count.fetch_add(threads - 1, Relaxed);
                let spawn = |_| {
                    let pool = pool.clone();
                    thread::spawn(move || {
                        pool.give_back(session, release);
                        if let Some(session) = pool.take() {
                            pool.give_back(session, release);
                        }
                    })
                };
                let threads: Vec<_> = (0..threads).map(spawn).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
                assert_eq!(*pool.idle.lock().unwrap(), [7], "the session is back");
            }

            /// `threads` threads increment a counter `times` times under one lock.
            pub fn mutex(threads: usize, times: usize) {
                let count = Arc::new(Mutex::new(0));
                let spawn = |_| {
                    let count = count.clone();
                    thread::spawn(move || (0..times).for_each(|_| *count.lock().unwrap() += 1))
                };
                let spawned: Vec<_> = (0..threads).map(spawn).collect();
                spawned.into_iter().for_each(|thread| thread.join().unwrap());
                assert_eq!(*count.lock().unwrap(), threads * times);
            }

            /// Returns a model by name.
            pub fn by_name(name: &str) -> Option<fn()> {
                use Giving::{LowerThenTest, Right};
                Some(match name {
                    "refcount_2" => || refcount(2, Right),
                    "refcount_3" => || refcount(3, Right),
                    "refcount_4" => || refcount(4, Right),
                    "pool_2" => || pool(2, Right),
                    "pool_3" => || pool(3, Right),
                    "mutex_3x2" => || mutex(3, 2),
                    "refcount_2_wrong" => || refcount(2, LowerThenTest),
                    "refcount_3_wrong" => || refcount(3, LowerThenTest),
                    "refcount_4_wrong" => || refcount(4, LowerThenTest),
                    "pool_2_wrong" => || pool(2, LowerThenTest),
                    "pool_3_wrong" => || pool(3, LowerThenTest),
                    _ => return None,
                })
            }
        }
    };
}
