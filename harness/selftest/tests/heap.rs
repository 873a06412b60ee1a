//! The heap of a run is one of its own, and keeps what libc's promises.

use refrain::World;
use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc},
    hint::black_box,
    time::Duration,
};

/// A block, and the byte that fills it.
struct Block {
    at: *mut u8,
    layout: Layout,
    byte: u8,
}

impl Block {
    fn new(layout: Layout, byte: u8) -> Block {
        // SAFETY: the layout has a size.
        let at = unsafe { if byte.is_multiple_of(2) { alloc(layout) } else { alloc_zeroed(layout) } };
        assert!(!at.is_null() && at.addr().is_multiple_of(layout.align()), "{layout:?} is at {at:p}");
        let block = Block { at, layout, byte };
        if !byte.is_multiple_of(2) {
            assert!(block.bytes().iter().all(|byte| *byte == 0), "{layout:?} is not zero");
        }
        block.fill();
        block
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: it has so many bytes, and they are initialised by `new`.
        unsafe { std::slice::from_raw_parts(self.at, self.layout.size()) }
    }

    fn fill(&self) {
        // SAFETY: it has so many bytes.
        unsafe { self.at.write_bytes(self.byte, self.layout.size()) };
    }

    fn check(&self, len: usize) {
        assert!(self.bytes()[..len].iter().all(|byte| *byte == self.byte), "{:?} was overwritten", self.layout);
    }

    fn resize(&mut self, size: usize) {
        let kept = size.min(self.layout.size());
        // SAFETY: it was allocated with this layout, and the size is not zero.
        self.at = unsafe { realloc(self.at, self.layout, size) };
        self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        assert!(!self.at.is_null() && self.at.addr().is_multiple_of(self.layout.align()));
        self.check(kept);
        self.fill();
    }

    fn free(self) {
        self.check(self.layout.size());
        // SAFETY: it was allocated with this layout, and is not used again.
        unsafe { dealloc(self.at, self.layout) };
    }
}

/// Small, medium and large sizes, the borders of powers of two more often than others.
fn size() -> usize {
    let power = 1usize << fastrand::u32(0..22);
    match fastrand::u8(0..4) {
        0 => power,
        1 => power + 1,
        2 => (power - 1).max(1),
        _ => fastrand::usize(1..=power),
    }
}

#[refrain::test(runs = 3)]
async fn blocks_keep_their_bytes_and_do_not_overlap(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let mut blocks: Vec<Block> = vec![];
            for step in 0..1_500u32 {
                match fastrand::u8(0..4) {
                    0 | 1 if blocks.len() < 60 => {
                        let layout = Layout::from_size_align(size(), 1 << fastrand::u32(0..14)).unwrap();
                        blocks.push(Block::new(layout, step as u8));
                    }
                    2 if !blocks.is_empty() => {
                        let which = fastrand::usize(..blocks.len());
                        blocks[which].resize(size());
                    }
                    _ if !blocks.is_empty() => blocks.swap_remove(fastrand::usize(..blocks.len())).free(),
                    _ => {}
                }
            }
            blocks.into_iter().for_each(Block::free);
        })
        .await;
}

/// What a run frees, it can allocate again: its limit is on what it has, not on what it has had.
#[refrain::test(runs = 1, memory = "256 MiB")]
async fn freed_memory_is_used_again(world: World) {
    world
        .client("client")
        .run(async {
            for _ in 0..4 {
                black_box(vec![0u8; 100 << 20]);
                let mut grows = vec![];
                (0..1u32 << 22).step_by(1 << 10).for_each(|len| grows.resize(len as usize, 0u32));
            }
        })
        .await;
}

async fn frees_twice() {
    let layout = Layout::new::<[u8; 100]>();
    // SAFETY: none: the block is freed twice, which is what the test is about.
    unsafe {
        let (at, other) = (alloc(layout), alloc(layout));
        dealloc(other, layout);
        dealloc(at, layout);
        dealloc(black_box(at), layout);
    }
}

#[refrain::test(runs = 1, expect = "double-free")]
async fn a_double_free_is_caught(world: World) {
    world.host("server", frees_twice);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn frees_what_was_never_allocated() {
    let layout = Layout::new::<[u8; 100]>();
    // SAFETY: none: a block is freed in its middle, which is what the test is about.
    unsafe {
        let at = alloc_zeroed(layout);
        dealloc(black_box(at.add(32)), layout);
    }
}

#[refrain::test(runs = 1, expect = "double-free")]
async fn a_free_of_no_block_is_caught(world: World) {
    world.host("server", frees_what_was_never_allocated);
    tokio::time::sleep(Duration::from_secs(1)).await;
}
