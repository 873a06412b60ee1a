//! Where a difference between two runs of one plan came from, as the logs of both runs tell it.
//!
//! A log has every call of the service through which its machine can be read, with the answer.

use super::Backtrace;
use crate::place::Place;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// What the logs of two runs that differ say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Origin {
    /// Calls that had another answer in each run, before the runs differed: the first ones that differ in what most services look at come
    /// first.
    Answers(Vec<OtherAnswer>),
    /// No call had another answer before the runs differed.
    SameAnswers {
        /// Number of calls that were compared.
        calls: u64,
        /// What no log shows, and may differ between these runs.
        unseen: Vec<Unseen>,
        /// The first call that is another one in each run, if the logs differ before the runs do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<Box<OtherCall>>,
    },
    /// There are no logs.
    NotLogged(NotLogged),
}

/// A call that had another answer in each of two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherAnswer {
    /// The system call or the instruction.
    pub call: String,
    /// What it asks about, such as a path; empty if there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The answer in each run.
    pub answers: [Answer; 2],
    /// The frames of the service and its dependencies. Empty if a further run did not make the same call.
    #[serde(default, skip_serializing_if = "Backtrace::is_empty")]
    pub backtrace: Backtrace,
}

/// Where the logs of two runs have another call for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherCall {
    /// Its number in both logs, from 0.
    pub nth: u64,
    /// The call in each run; `None` if it made no more.
    pub calls: [Option<MadeCall>; 2],
}

/// A call that one of two runs made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeCall {
    /// The system call or the instruction.
    pub call: String,
    /// What it asks about, such as a path; empty if there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The frames of the service and its dependencies. Empty if no further run made the same call.
    #[serde(default, skip_serializing_if = "Backtrace::is_empty")]
    pub backtrace: Backtrace,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// It failed with this number of an error.
    Failed(i32),
    /// It returned a number.
    Number(i64),
    /// It returned bytes.
    Bytes {
        /// How many.
        length: u64,
        /// A hash of the first MiB.
        hash: u64,
        /// The first ones, as text.
        begins: String,
    },
    /// What is known of a file.
    File(Box<Metadata>),
    /// The entries of a folder, in their order.
    Entries {
        /// How many.
        count: u64,
        /// A hash of all of them.
        hash: u64,
        /// The first ones.
        begins: Vec<String>,
    },
    /// Processor time that was used, in nanoseconds.
    ProcessorTime(u64),
}

/// What is known of a file. Times are in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Its size in bytes.
    pub size: u64,
    /// Its kind and its permissions.
    pub mode: u32,
    /// Its number in the file system.
    pub inode: u64,
    /// The number of its names.
    pub links: u64,
    /// The number of its owner.
    pub owner: u32,
    /// When it was written last.
    pub modified: i64,
    /// When anything of this changed last.
    pub changed: i64,
    /// When it was read last.
    pub accessed: i64,
    /// When it was created; 0 if that was not asked for.
    #[serde(default)]
    pub created: i64,
}

/// What no log shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unseen {
    /// Addresses, which are random on this machine.
    Addresses,
    /// The order in which threads run, which the test allows.
    Threads,
    /// The calls after the last one that a log may have.
    LaterCalls,
    /// The instruction `rdtsc`, which this machine does not let a process trap.
    TimeStamps,
    /// The instruction `rdrand`.
    ProcessorsChance,
    /// Memory that another process writes.
    Memory,
}

impl Unseen {
    /// Every kind of it.
    pub const ALL: &[Unseen] = Unseen::VARIANTS;
}

/// Why there are no logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotLogged {
    /// The kernel has no seccomp filters.
    NoFilters,
    /// The test allows other processes, which would inherit the filter.
    ProcessesAllowed,
}

impl NotLogged {
    /// Every reason.
    pub const ALL: &[NotLogged] = NotLogged::VARIANTS;
}

impl Origin {
    /// Returns the innermost place of the first call, in the service or in one of its dependencies.
    pub fn place(&self) -> Option<&Place> {
        let Origin::Answers(answers) = self else { return None };
        answers.first()?.backtrace.frames.iter().find_map(|frame| frame.place.as_ref())
    }
}

/// How two answers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Difference {
    /// Not merely in one of the other ways.
    Content,
    /// In the times of a file, or in which file it is, as where each run makes the file anew. Most services do not look at these.
    Times,
    /// In when a file was read last: to read it changes that.
    Access,
}

impl Answer {
    /// Returns how this answer differs from another one.
    pub fn difference(&self, other: &Answer) -> Option<Difference> {
        if self == other {
            return None;
        }
        let (Answer::File(one), Answer::File(two)) = (self, other) else { return Some(Difference::Content) };
        let content = |file: &Metadata| (file.size, file.mode, file.owner);
        let times = |file: &Metadata| Metadata { accessed: 0, ..*file };
        Some(match () {
            () if content(one) != content(two) => Difference::Content,
            () if times(one) != times(two) => Difference::Times,
            () => Difference::Access,
        })
    }
}
