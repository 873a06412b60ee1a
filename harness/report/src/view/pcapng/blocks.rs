//! Writes the blocks of a pcapng file, as draft-ietf-opsawg-pcapng describes them, in little-endian order.

use std::net::IpAddr;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const PACKET: u32 = 6;

const OPTION_COMMENT: u16 = 1;
const OPTION_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
const RECORD_IPV4: u16 = 1;
const RECORD_IPV6: u16 = 2;

/// The longest text in a block. The format allows 65,535 bytes.
const TEXT_BYTES_MAX: usize = 4_096;

/// The blocks so far.
#[derive(Debug, Default)]
pub(super) struct Blocks(Vec<u8>);

impl Blocks {
    /// Begins the file.
    pub(super) fn section(&mut self, comment: &str) {
        let mut body = Vec::new();
        body.extend(0x1a2b_3c4d_u32.to_le_bytes());
        // Version 1.0, and a section of unknown length.
        body.extend([1, 0, 0, 0]);
        body.extend(u64::MAX.to_le_bytes());
        options(&mut body, &[(OPTION_COMMENT, cut(comment).as_bytes())]);
        self.block(SECTION, &body);
    }

    /// Declares the next interface. Its times are in nanoseconds.
    pub(super) fn interface(&mut self, link: u16, name: &str) {
        let mut body = Vec::new();
        body.extend(link.to_le_bytes());
        body.extend([0; 6]);
        options(&mut body, &[(OPTION_NAME, cut(name).as_bytes()), (OPTION_RESOLUTION, &[9])]);
        self.block(INTERFACE, &body);
    }

    /// Adds the names of addresses.
    pub(super) fn names(&mut self, names: impl Iterator<Item = (IpAddr, String)>) {
        let mut body = Vec::new();
        for (address, name) in names {
            let (record, mut value) = match address {
                IpAddr::V4(address) => (RECORD_IPV4, address.octets().to_vec()),
                IpAddr::V6(address) => (RECORD_IPV6, address.octets().to_vec()),
            };
            value.extend(cut(&name).bytes().chain([0]));
            option(&mut body, record, &value);
        }
        option(&mut body, 0, &[]);
        self.block(NAMES, &body);
    }

    /// Adds a packet of which these bytes were captured; it had `length` bytes.
    pub(super) fn packet(&mut self, interface: u32, at: u64, captured: &[u8], length: u32, comment: &str) {
        let mut body = Vec::new();
        let [high, low] = [(at >> 32) as u32, at as u32];
        for word in [interface, high, low, captured.len() as u32, length] {
            body.extend(word.to_le_bytes());
        }
        body.extend(captured);
        pad(&mut body);
        if !comment.is_empty() {
            options(&mut body, &[(OPTION_COMMENT, cut(comment).as_bytes())]);
        }
        self.block(PACKET, &body);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = (body.len() as u32 + 12).to_le_bytes();
        self.0.extend(kind.to_le_bytes());
        self.0.extend(length);
        self.0.extend(body);
        self.0.extend(length);
    }
}

fn options(body: &mut Vec<u8>, all: &[(u16, &[u8])]) {
    all.iter().for_each(|(code, value)| option(body, *code, value));
    option(body, 0, &[]);
}

/// Adds an option, or a record, which has the same form.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

/// Each part begins at a multiple of four.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}
