//! What must hold in a world, and what may happen in it.

use super::{World, answer::Answer};
use crate::{
    simulation::{self, Seen},
    verdict::Detail,
};
use std::{fmt::Debug, future::Future, panic::Location, rc::Rc, time::Duration};
use tokio::{
    control,
    time::{Instant, timeout_at},
};

/// How long `eventually` waits before it tries again; twice as long each time, up to the most. The last try is this long
/// before the end. A stall of a minute has 16 tries then, and a trace that a person can read.
const TRY_AGAIN: Duration = Duration::from_millis(250);
const TRY_AGAIN_MAX: Duration = Duration::from_secs(5);

impl World {
    /// Waits until a property holds, for at most `within` of virtual time.
    ///
    /// `holds` is called again until it returns `true`, `Some` or `Ok`. If it does not in time, or an attempt does not end, the
    /// run fails with the class `stall`, and the verdict says what every task waits for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn the_server_comes_up(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     world.eventually(Duration::from_secs(60), "it answers", || echo::ask("server:7", &[])).await;
    /// }
    /// # the_server_comes_up();
    /// ```
    pub async fn eventually<F, Fut>(&self, within: Duration, what: &str, mut holds: F)
    where
        F: FnMut() -> Fut,
        Fut: Future,
        Fut::Output: Answer,
    {
        let deadline = Instant::now() + within;
        let (mut attempts, mut last, mut pending) = (0, None, false);
        let mut wait = TRY_AGAIN;
        loop {
            let began = control::now();
            let held = timeout_at(deadline, holds()).await.map(Answer::missing);
            if let Ok(None) = held {
                return control::holds(what);
            }
            control::attempt_failed(began);
            match held {
                Ok(why) => (attempts, last) = (attempts + 1, why),
                Err(_) => {
                    pending = true;
                    break;
                }
            }
            let next = (Instant::now() + wait).min(deadline - TRY_AGAIN);
            if next <= Instant::now() {
                break;
            }
            tokio::time::sleep_until(next).await;
            wait = (2 * wait).min(TRY_AGAIN_MAX);
        }
        let healed = simulation::with(|state| state.healed_at).is_some();
        let within = u64::try_from(within.as_nanos()).unwrap_or(u64::MAX);
        let detail = Detail::NotReached { within, healed, attempts, last, pending };
        simulation::fail(simulation::not_reached(what, detail))
    }

    /// Requires a property to hold after every poll of every task. If it does not, the run fails with the class `safety`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn one_session_at_a_time(world: World) {
    ///     world.conserves("session");
    ///     world.always("one session at a time", |seen| seen.live("session") <= 1);
    ///     world.host("server", || async {
    ///         for id in 0..10 {
    ///             tracing::info!(kind = "session", id, "opened");
    ///             tokio::task::yield_now().await;
    ///             tracing::info!(kind = "session", id, "closed");
    ///         }
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # one_session_at_a_time();
    /// ```
    ///
    /// # Panics
    ///
    /// A panic of `holds` is a failure of the test.
    #[track_caller]
    pub fn always(&self, what: &str, holds: impl Fn(&Seen) -> bool + 'static) {
        let place = Location::caller();
        simulation::with(|state| state.properties.always(what, place, Rc::new(holds)));
        control::watch_polls(true);
    }

    /// Requires everything of a kind that is opened to be closed, once: at most 120 s after the test's body has ended.
    ///
    /// The service reports it with `tracing` events that have the fields `kind` and `id` and the message `opened` or `closed`.
    /// What a killed process had open is gone with it. The kinds `socket` and `task` are counted by Refrain itself.
    ///
    /// What stays open is a failure of the class `leak`, and what is closed but not open one of the class `double-close`. If the
    /// service never reports the kind in as many runs as the test asks for, the test fails.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn sessions_are_closed(world: World) {
    ///     world.conserves("session");
    ///     world.host("server", || async {
    ///         tracing::info!(kind = "session", id = 1, "opened");
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///         tracing::info!(kind = "session", id = 1, "closed");
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(10)).await;
    /// }
    /// # sessions_are_closed();
    /// ```
    ///
    /// # Errors
    ///
    /// The run is refused if the service hides its events: if it sets a `tracing` subscriber for the thread. It may set the global
    /// one.
    pub fn conserves(&self, kind: &str) {
        self.conserves_up_to(kind, 0);
    }

    /// Like [`conserves`](World::conserves), but `limit` of the kind may stay open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_link_stays_up(world: World) {
    ///     // Each end has one.
    ///     world.conserves_up_to("socket", 2);
    ///     world.host("server", || async {
    ///         let listener = tokio::net::TcpListener::bind("0.0.0.0:7").await.unwrap();
    ///         let _link = listener.accept().await.unwrap();
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    ///     world.host("dialer", || async {
    ///         let _link = tokio::net::TcpStream::connect("server:7").await.unwrap();
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # a_link_stays_up();
    /// ```
    pub fn conserves_up_to(&self, kind: &str, limit: usize) {
        simulation::with(|state| state.properties.conserve(kind, limit));
        simulation::listen();
    }

    /// Requires that some run reaches a point: that the service emits a `tracing` event whose target begins with `target` and whose
    /// message contains `message`.
    ///
    /// If none does in as many runs as the test asks for, the test fails. With fewer runs, as with `cargo refrain explore --runs
    /// 10`, it is only reported.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn the_link_is_lost_sometimes(world: World) {
    ///     world.sometimes("the link is lost", module_path!(), "link down");
    ///     world.host("server", || async {
    ///         tracing::info!("link down");
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # the_link_is_lost_sometimes();
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`conserves`](World::conserves).
    pub fn sometimes(&self, what: &str, target: &str, message: &str) {
        simulation::with(|state| state.properties.sometimes(what, target, message, true));
        simulation::listen();
    }

    /// Like [`sometimes`](World::sometimes), but only reports in how many runs it happened.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn retries_are_counted(world: World) {
    ///     world.counts("it tries again", module_path!(), "trying again");
    ///     world.host("server", || pending::<()>());
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    /// }
    /// # retries_are_counted();
    /// ```
    pub fn counts(&self, what: &str, target: &str, message: &str) {
        simulation::with(|state| state.properties.sometimes(what, target, message, false));
        simulation::listen();
    }

    /// Allows tasks to panic with a message that contains `message`.
    ///
    /// Whoever awaits the task sees a `JoinError`, as with tokio. A panic of a process's first task still fails the run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_bad_frame_ends_one_task(world: World) {
    ///     world.may_panic("bad frame");
    ///     world.host("server", || async {
    ///         let task = tokio::spawn(async { panic!("bad frame") });
    ///         assert!(task.await.unwrap_err().is_panic());
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # a_bad_frame_ends_one_task();
    /// ```
    pub fn may_panic(&self, message: &str) {
        simulation::with(|state| state.allow_panic(message));
    }

    /// Records what the test saw, such as an answer or a final state. It is an event of the trace, and part of the snapshot of the
    /// outcome.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn the_answer_is_recorded(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let answers = world.client("client").run(async { echo::ask("server:7", &[b"hello".to_vec()]).await }).await;
    ///     world.saw(answers);
    /// }
    /// # the_answer_is_recorded();
    /// ```
    pub fn saw(&self, what: impl Debug) {
        control::saw(format!("{what:?}"));
    }
}
