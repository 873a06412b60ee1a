//! A run that reads each source twice: `ci/machine` compares what several processes say that they saw.

use machine::SOURCES;
use refrain::World;

#[refrain::test(runs = 1, without_holds)]
async fn reads_its_machine(world: World) {
    let read = || SOURCES.iter().map(|(name, read)| (name, read().unwrap(), read().unwrap())).collect::<Vec<_>>();
    for (name, first, second) in world.client("client").run(async move { read() }).await {
        world.saw(format_args!("{name}: {first} {second}"));
    }
}
