//! Packets as bytes: IP, TCP and UDP headers without the payload.

use super::addresses::Addresses;
use refrain_core::event::Endpoint;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest payload of a packet, so that its length fits in an IPv4 header.
pub(super) const PAYLOAD_MAX: u64 = 65_535 - (IPV4_BYTES + TCP_BYTES) as u64;
const IPV4_BYTES: usize = 20;
const TCP_BYTES: usize = 20;
const UDP_BYTES: usize = 8;
const TCP: u8 = 6;
const UDP: u8 = 17;
const HOPS: u8 = 64;
/// No event tells how much a receiver has room for.
const WINDOW: u16 = u16::MAX;
/// The tag of the name of a dissector before a packet of LINKTYPE_WIRESHARK_UPPER_PDU, and the dissector of lines of text.
const DISSECTOR: u16 = 12;
const TEXT: &[u8; 16] = b"data-text-lines\0";

/// A packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    from: Endpoint,
    to: Endpoint,
    header: Header,
    /// The number of bytes after the headers, which are not known.
    payload: u16,
    pub(super) comment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Tcp { flags: u8, sequence: u32, acknowledged: u32 },
    Udp,
}

impl Packet {
    /// A segment of TCP. `payload` is at most [`PAYLOAD_MAX`].
    pub(super) fn segment(
        (from, to): (&Endpoint, &Endpoint),
        flags: u8,
        [sequence, acknowledged]: [u32; 2],
        payload: u64,
    ) -> Packet {
        let header = Header::Tcp { flags, sequence, acknowledged };
        Packet { from: from.clone(), to: to.clone(), header, payload: payload.min(PAYLOAD_MAX) as u16, comment: None }
    }

    /// A datagram of UDP.
    pub(super) fn datagram(from: &Endpoint, to: &Endpoint, payload: u64) -> Packet {
        let payload = payload.min(PAYLOAD_MAX) as u16;
        Packet { from: from.clone(), to: to.clone(), header: Header::Udp, payload, comment: None }
    }

    /// Returns its headers, and the length that it has with its payload.
    pub(super) fn bytes(&self, addresses: &Addresses) -> (Vec<u8>, u32) {
        let (from, to) = (addresses.get(&self.from.host), addresses.get(&self.to.host));
        let mut upper = Vec::new();
        upper.extend(self.from.port.to_be_bytes());
        upper.extend(self.to.port.to_be_bytes());
        let protocol = match self.header {
            Header::Tcp { flags, sequence, acknowledged } => {
                upper.extend(sequence.to_be_bytes());
                upper.extend(acknowledged.to_be_bytes());
                upper.extend([(TCP_BYTES as u8 / 4) << 4, flags]);
                upper.extend(WINDOW.to_be_bytes());
                // A checksum over bytes that are not known, and no urgent data.
                upper.extend([0; 4]);
                TCP
            }
            Header::Udp => {
                upper.extend((UDP_BYTES as u16 + self.payload).to_be_bytes());
                // No checksum.
                upper.extend([0; 2]);
                UDP
            }
        };
        let length = upper.len() as u16 + self.payload;
        let mut bytes = match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(from, to, protocol, length),
            _ => ipv6(in_ipv6(from), in_ipv6(to), protocol, length),
        };
        bytes.extend(upper);
        let length = bytes.len() as u32 + u32::from(self.payload);
        (bytes, length)
    }
}

/// Returns a packet of LINKTYPE_WIRESHARK_UPPER_PDU that is shown as this text.
pub(super) fn text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(DISSECTOR.to_be_bytes());
    bytes.extend((TEXT.len() as u16).to_be_bytes());
    bytes.extend(TEXT);
    // The end of the tags.
    bytes.extend([0; 4]);
    bytes.extend(text.bytes());
    bytes
}

fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, length: u16) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend((IPV4_BYTES as u16 + length).to_be_bytes());
    // Not a fragment, and none is to be made of it.
    header.extend([0, 0, 0x40, 0, HOPS, protocol, 0, 0]);
    header.extend(from.octets());
    header.extend(to.octets());
    let sum: u32 = header.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    header
}

fn ipv6(from: Ipv6Addr, to: Ipv6Addr, protocol: u8, length: u16) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(length.to_be_bytes());
    header.extend([protocol, HOPS]);
    header.extend(from.octets());
    header.extend(to.octets());
    header
}

fn in_ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}
