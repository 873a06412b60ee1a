//! The memory mappings of this process, as the kernel lists them.

use std::ops::Range;

/// How many mappings a process may have. One with more of them is not rewound.
const COUNT_MAX: usize = 1_024;

/// One mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mapping {
    pub start: usize,
    pub end: usize,
    pub is_readable: bool,
    pub is_writable: bool,
    pub is_executable: bool,
    pub is_shared: bool,
    /// Whether it is the kernel's own, such as the vDSO.
    pub is_kernels: bool,
    /// Whether it is of a file.
    pub is_of_file: bool,
}

impl Mapping {
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Whether a run can write to it, and nobody else sees that.
    pub fn is_private_memory(&self) -> bool {
        self.is_writable && !self.is_shared && !self.is_kernels
    }
}

/// The mappings of a process, by their addresses. It has a fixed size: a list on the heap would be rewound.
pub struct Mappings {
    all: [Mapping; COUNT_MAX],
    count: usize,
}

impl Mappings {
    pub const fn new() -> Mappings {
        let none = Mapping {
            start: 0,
            end: 0,
            is_readable: false,
            is_writable: false,
            is_executable: false,
            is_shared: false,
            is_kernels: false,
            is_of_file: false,
        };
        Mappings { all: [none; COUNT_MAX], count: 0 }
    }

    /// Reads the list from the text of `/proc/self/maps`. `None`: it is longer than it may be, or no such list.
    pub fn read(&mut self, text: &[u8]) -> Option<()> {
        self.count = 0;
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            *self.all.get_mut(self.count)? = mapping(line)?;
            self.count += 1;
        }
        Some(())
    }

    pub fn all(&self) -> &[Mapping] {
        &self.all[..self.count]
    }

    /// The parts of `range` that are in none of these mappings.
    pub fn gaps(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let first = self.all().partition_point(|mapping| mapping.end <= range.start);
        let within = self.all()[first..].iter().take_while(move |mapping| mapping.start < range.end);
        let ends = within.clone().map(|mapping| mapping.end);
        let begins = within.map(|mapping| mapping.start).chain([range.end]);
        [range.start].into_iter().chain(ends).zip(begins).map(|(from, to)| from..to).filter(|gap| gap.start < gap.end)
    }
}

/// One line: `START-END PERMISSIONS OFFSET DEVICE INODE PATH`.
fn mapping(line: &[u8]) -> Option<Mapping> {
    let (start, rest) = hexadecimal(line, b'-')?;
    let (end, rest) = hexadecimal(rest, b' ')?;
    let (permissions, rest) = rest.split_first_chunk::<4>()?;
    let mut fields = rest.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
    let inode = fields.nth(2)?;
    let name = fields.next().unwrap_or_default();
    let [readable, writable, executable, shared] = *permissions;
    Some(Mapping {
        start,
        end,
        is_readable: readable == b'r',
        is_writable: writable == b'w',
        is_executable: executable == b'x',
        is_shared: shared == b's',
        is_kernels: name.starts_with(b"[v"),
        is_of_file: inode != b"0",
    })
}

/// A number up to a byte, which follows it.
fn hexadecimal(text: &[u8], until: u8) -> Option<(usize, &[u8])> {
    let length = text.iter().position(|byte| *byte == until)?;
    let digits = text[..length].iter().map(|byte| (*byte as char).to_digit(16));
    let number = digits.into_iter().try_fold(0usize, |number, digit| Some(number << 4 | digit? as usize))?;
    Some((number, &text[length + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"\
555555554000-555555556000 r--p 00000000 fe:00 131092                     /usr/bin/a b\n\
555555560000-555555562000 rw-p 00000000 00:00 0                          [heap]\n\
7ffff7fc1000-7ffff7fc5000 r--p 00000000 00:00 0                          [vvar]\n\
7ffff7fff000-7ffff8000000 rw-s 00000000 00:01 1024                       /dev/zero (deleted)\n";

    fn read(text: &[u8]) -> Option<Mappings> {
        let mut mappings = Mappings::new();
        mappings.read(text).map(|()| mappings)
    }

    #[test]
    fn a_line_is_a_mapping() {
        let mappings = read(TEXT).unwrap();
        let [file, heap, kernels, shared] = mappings.all() else { panic!("{:?}", mappings.all()) };
        assert_eq!(file.range(), 0x5555_5555_4000..0x5555_5555_6000);
        assert!(file.is_readable && file.is_of_file && !file.is_private_memory());
        assert!(heap.is_private_memory() && !heap.is_of_file && !heap.is_executable);
        assert!(kernels.is_kernels && !shared.is_private_memory() && shared.is_of_file);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [&b"x"[..], b"1000-2000 rw", b"1000-200g rw-p 0 0:0 0", b"1000-2000 rw-p 0"] {
            assert!(read(text).is_none(), "{}", text.escape_ascii());
        }
        assert!(read(&TEXT.repeat(COUNT_MAX)).is_none());
    }

    #[test]
    fn gaps_are_what_no_mapping_has() {
        let mappings = read(b"1000-2000 rw-p 0 0:0 0\n3000-4000 rw-p 0 0:0 0\n4000-5000 r--p 0 0:0 0\n").unwrap();
        let gaps = |range| mappings.gaps(range).map(|gap| (gap.start, gap.end)).collect::<Vec<_>>();
        assert_eq!(gaps(0x0..0x6000), [(0x0, 0x1000), (0x2000, 0x3000), (0x5000, 0x6000)]);
        assert_eq!(gaps(0x1000..0x3000), [(0x2000, 0x3000)]);
        assert!(gaps(0x1800..0x1900).is_empty());
        assert_eq!(gaps(0x8000..0x9000), [(0x8000, 0x9000)]);
    }
}
