//! Queues and stacks.

use super::{
    join,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::*},
        hint, thread,
    },
    threads,
};
use std::{collections::VecDeque, sync::Arc};

/// Number of attempts of each side of the buffers with a lock.
const TIMES: usize = 3;

/// One value at a time: the sender's turn, or the receiver's.
#[derive(Default)]
struct InTurn {
    values: VecDeque<usize>,
    is_sent: bool,
    sent: usize,
    received: usize,
}

/// Both sides count their attempts instead of the values that they sent and received.
fn in_turn(first: Option<usize>, repaired: bool) {
    let buffer = InTurn { values: first.into_iter().collect(), sent: first.iter().count(), ..InTurn::default() };
    let buffer = Arc::new(Mutex::new(buffer));
    threads(2, move |nth| {
        for attempt in 0..TIMES {
            let mut buffer = buffer.lock().unwrap();
            if nth == 0 && !buffer.is_sent {
                let value = if repaired || first.is_some() { buffer.sent } else { attempt };
                buffer.values.push_back(value);
                buffer.sent += 1;
                buffer.is_sent = true;
            } else if nth == 1 && buffer.is_sent {
                let expected = if repaired { buffer.received } else { attempt };
                assert_eq!(buffer.values.pop_front(), Some(expected), "in order");
                buffer.received += 1;
                buffer.is_sent = false;
            }
        }
    });
}

/// SCTBench, `circular_buffer_bad`.
pub fn circular_buffer(repaired: bool) {
    in_turn(None, repaired);
}

/// SCTBench, `queue_bad`: the queue is not empty at the beginning.
pub fn queue(repaired: bool) {
    in_turn(Some(0), repaired);
}

/// SCTBench, `stack_bad`: a flag says that something was pushed, not that the stack still has an element.
pub fn stack(repaired: bool) {
    let stack = Arc::new(Mutex::new((0, false)));
    threads(2, move |nth| {
        for _ in 0..TIMES {
            let mut stack = stack.lock().unwrap();
            if nth == 0 {
                *stack = (stack.0 + 1, true);
            } else if stack.1 && !(repaired && stack.0 == 0) {
                assert!(stack.0 > 0, "the stack is empty");
                stack.0 -= 1;
            }
        }
    });
}

/// RUSTSEC-2021-0093, `crossbeam-deque`: the owner pops the last task without checking that it was not stolen meanwhile.
pub fn deque_pop(repaired: bool) {
    struct Deque {
        front: AtomicUsize,
        back: AtomicUsize,
        done: [AtomicUsize; 2],
    }

    impl Deque {
        fn takes(&self, task: usize) {
            assert_eq!(self.done[task].fetch_add(1, AcqRel), 0, "task {task} is done once");
        }

        fn pop(&self, repaired: bool) {
            let back = self.back.load(SeqCst) - 1;
            self.back.store(back, SeqCst);
            let front = self.front.load(SeqCst);
            if front < back {
                return self.takes(back);
            }
            if front == back {
                let is_ours = !repaired || self.front.compare_exchange(front, front + 1, SeqCst, SeqCst).is_ok();
                if is_ours {
                    self.front.store(front + 1, SeqCst);
                    self.takes(back);
                }
            }
            self.back.store(back + 1, SeqCst);
        }

        fn steal(&self) {
            let front = self.front.load(SeqCst);
            if front < self.back.load(SeqCst) && self.front.compare_exchange(front, front + 1, SeqCst, SeqCst).is_ok() {
                self.takes(front);
            }
        }
    }

    let done = [0; 2].map(AtomicUsize::new);
    let deque = Arc::new(Deque { front: AtomicUsize::new(0), back: AtomicUsize::new(2), done });
    let steals = deque.clone();
    let thief = thread::spawn(move || {
        steals.steal();
        steals.steal();
    });
    deque.pop(repaired);
    deque.pop(repaired);
    join([thief]);
}

/// Michael and Scott's queue, with a store instead of a compare-exchange to link a node: one of two nodes is lost.
pub fn ms_queue(repaired: bool) {
    struct Queue {
        tail: AtomicUsize,
        next: [AtomicUsize; 3],
    }

    impl Queue {
        fn push(&self, node: usize, repaired: bool) {
            loop {
                let tail = self.tail.load(Acquire);
                let next = self.next[tail].load(Acquire);
                if next != 0 {
                    let _ = self.tail.compare_exchange(tail, next, AcqRel, Acquire);
                    continue;
                }
                if !repaired {
                    self.next[tail].store(node, Release);
                } else if self.next[tail].compare_exchange(0, node, AcqRel, Acquire).is_err() {
                    continue;
                }
                let _ = self.tail.compare_exchange(tail, node, AcqRel, Acquire);
                return;
            }
        }
    }

    let queue = Arc::new(Queue { tail: AtomicUsize::new(0), next: [0; 3].map(AtomicUsize::new) });
    let own = queue.clone();
    threads(2, move |nth| queue.push(nth + 1, repaired));
    let follow = |node: &usize| Some(own.next[*node].load(Acquire)).filter(|next| *next != 0);
    assert_eq!(std::iter::successors(Some(0), follow).skip(1).count(), 2, "both nodes are linked");
}

/// Treiber's stack with reused nodes, the ABA problem: `pop` finds the expected head, with another node below it.
pub fn treiber(repaired: bool) {
    const INDEX: usize = 0xff;
    const TAG: usize = 0x100;

    struct Stack {
        head: AtomicUsize,
        next: [AtomicUsize; 4],
        owned: [AtomicUsize; 4],
        repaired: bool,
    }

    impl Stack {
        fn tagged(&self, was: usize, index: usize) -> usize {
            if self.repaired { (was & !INDEX) + TAG + index } else { index }
        }

        fn pop(&self) -> Option<usize> {
            loop {
                let head = self.head.load(Acquire);
                let index = head & INDEX;
                if index == 0 {
                    return None;
                }
                let next = self.tagged(head, self.next[index].load(Acquire));
                if self.head.compare_exchange(head, next, AcqRel, Acquire).is_ok() {
                    assert_eq!(self.owned[index].swap(1, AcqRel), 0, "node {index} is popped twice");
                    return Some(index);
                }
            }
        }

        fn push(&self, index: usize) {
            self.owned[index].store(0, Release);
            loop {
                let head = self.head.load(Acquire);
                self.next[index].store(head & INDEX, Release);
                if self.head.compare_exchange(head, self.tagged(head, index), AcqRel, Acquire).is_ok() {
                    return;
                }
            }
        }
    }

    let next = [0, 2, 3, 0].map(AtomicUsize::new);
    let owned = [0; 4].map(AtomicUsize::new);
    let stack = Arc::new(Stack { head: AtomicUsize::new(1), next, owned, repaired });
    let other = stack.clone();
    let reuses = thread::spawn(move || {
        let first = other.pop();
        other.pop();
        if let Some(first) = first {
            other.push(first);
        }
    });
    stack.pop();
    stack.pop();
    join([reuses]);
}

/// RUSTSEC-2025-0024, `crossbeam-channel`: the last receiver frees the first block and leaves its pointer, so that it is freed again.
pub fn channel_discard(repaired: bool) {
    struct Channel {
        /// 0: there is no block.
        head_block: AtomicUsize,
        tail_block: AtomicUsize,
        tail: AtomicUsize,
        freed: AtomicUsize,
    }

    impl Channel {
        fn send(&self) {
            if self.tail_block.compare_exchange(0, 1, AcqRel, Acquire).is_ok() {
                self.head_block.store(1, Release);
            }
            self.tail.fetch_add(1, AcqRel);
        }

        fn free(&self, block: usize) {
            self.freed.fetch_add(block, AcqRel);
        }

        fn discard_all(&self, repaired: bool) {
            let is_empty = self.tail.load(Acquire) == 0;
            let mut block = self.head_block.swap(0, AcqRel);
            while block == 0 && !is_empty {
                hint::spin_loop();
                block = if repaired { self.head_block.swap(0, AcqRel) } else { self.head_block.load(Acquire) };
            }
            self.free(block);
        }
    }

    let [head_block, tail_block, tail, freed] = [0; 4].map(AtomicUsize::new);
    let channel = Arc::new(Channel { head_block, tail_block, tail, freed });
    let own = channel.clone();
    threads(3, move |nth| match nth {
        0 | 1 => channel.send(),
        _ => channel.discard_all(repaired),
    });
    own.free(own.head_block.swap(0, AcqRel));
    assert_eq!(own.freed.load(Acquire), 1, "the block is freed once");
}
