//! Histories of objects, and whether one order of their operations explains all answers.

use refrain::{
    Client, Faults, World,
    history::{History, Object},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Register(u8);

#[derive(Debug, Clone, Copy)]
enum Call {
    Read,
    Write(u8),
}

impl Object for Register {
    type Call = Call;
    type Answer = u8;

    fn apply(&mut self, call: &Call) -> u8 {
        if let Call::Write(value) = call {
            self.0 = *value;
        }
        self.0
    }
}

/// Serves a register that is read from a copy, which gets what is written after `late`.
async fn serve(late: Duration) -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    let [register, copy] = [0, 0].map(|value| Arc::new(AtomicU8::new(value)));
    loop {
        let (mut stream, _) = listener.accept().await?;
        let (register, copy) = (register.clone(), copy.clone());
        tokio::spawn(async move {
            match stream.read_u8().await? {
                0 if late.is_zero() => stream.write_u8(register.load(Relaxed)).await,
                0 => stream.write_u8(copy.load(Relaxed)).await,
                value => {
                    register.store(value, Relaxed);
                    tokio::spawn(async move {
                        sleep(late).await;
                        copy.store(value, Relaxed);
                    });
                    stream.write_u8(value).await
                }
            }
        });
    }
}

async fn ask(call: Call) -> io::Result<u8> {
    let asked = async {
        let mut stream = TcpStream::connect("server:80").await?;
        let value = if let Call::Write(value) = call { value } else { 0 };
        stream.write_u8(value).await?;
        stream.read_u8().await
    };
    timeout(PATIENCE, asked).await?
}

/// Has a client make these calls, one after the other.
fn make(
    client: &Client,
    history: &History<Register>,
    name: &'static str,
    calls: Vec<Call>,
) -> impl Future<Output = ()> + use<> {
    let history = history.clone();
    client.run(async move {
        for call in calls {
            // What fails may have had an effect.
            let _ = history.record(name, call, ask(call)).await;
        }
    })
}

fn calls(
    world: &World,
    history: &History<Register>,
    name: &'static str,
    calls: Vec<Call>,
) -> impl Future<Output = ()> + use<> {
    make(&world.client(name), history, name, calls)
}

#[refrain::test(runs = 1, expect = "safety")]
async fn a_read_that_misses_a_write_has_no_order(world: World) {
    let history = History::new("register");
    world.host("server", || serve(Duration::from_secs(1)));
    sleep(Duration::from_secs(1)).await;
    calls(&world, &history, "early", vec![Call::Write(3)]).await;
    sleep(Duration::from_secs(5)).await;
    calls(&world, &history, "early", vec![Call::Read]).await;
    calls(&world, &history, "writer", vec![Call::Write(7)]).await;
    calls(&world, &history, "reader", vec![Call::Read]).await;
    world.linearizable(&history, Register::default());
}

#[refrain::test(runs = 100)]
async fn on_a_bad_network_one_order_explains_what_a_right_register_answers(world: World) {
    let history = History::new("register");
    world.host("server", || serve(Duration::ZERO));
    let client = world.client("one");
    world.faults(Faults::between("server", "one").cuts().resets().slowdowns());
    let one = make(&client, &history, "one", vec![Call::Write(1), Call::Read, Call::Write(2), Call::Read]);
    let other = calls(&world, &history, "other", vec![Call::Read, Call::Write(3), Call::Read]);
    one.await;
    other.await;
    world.linearizable(&history, Register::default());
}

#[refrain::test(runs = 1, expect = "safety")]
async fn each_key_has_an_order_of_its_own(world: World) {
    let history = History::new("register");
    world.host("server", || serve(Duration::from_secs(1)));
    sleep(Duration::from_secs(1)).await;
    calls(&world, &history, "writer", vec![Call::Write(7)]).await;
    calls(&world, &history, "reader", vec![Call::Read]).await;
    // Each kind of call alone has an order if all reads are of the first value.
    world.linearizable_by(&history, Register::default(), |call| matches!(call, Call::Read));
    sleep(Duration::from_secs(5)).await;
    calls(&world, &history, "reader", vec![Call::Read]).await;
    world.linearizable_by(&history, Register::default(), |call| matches!(call, Call::Read));
}
