"""A cable between two network namespaces: carries every packet from one end to the other, or loses it, as it is told.

Each line on standard input is a command, and is answered with `ok`, or why not, once it is in force:
    plug END NAMESPACE ADDRESS  plugs end 0 or 1 into a namespace, given as a file, which has the address from then on
    cut END                     loses what that end sends
    lose END PERCENT            loses so many of its packets by chance
    next END COUNT              loses so many of its next TCP packets with data
    acknowledgements END        loses its TCP packets that acknowledge and carry nothing
    double END PERCENT          carries so many of them twice
    delay END MS                carries them so much later
    shuffle END MS              carries each later by up to so much, by chance: they overtake each other
    heal                        carries everything at once again
A packet for an address that neither end has is answered with "host unreachable" after a while, as the last router would
that has asked for it in vain.
"""

import ctypes
import fcntl
import heapq
import os
import random
import selectors
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKET_BYTES_MAX = 1 << 16
QUEUE_PACKETS = "4096"
UNREACHABLE_MS = 800
SETTINGS = ("cut", "lose", "next", "acknowledgements", "double", "delay", "shuffle")
TCP, ACK = 6, 0x10

LIBC = ctypes.CDLL(None, use_errno=True)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def unreachable(packet):
    """The ICMP message that says so, from an address between the two ends."""
    quoted = packet[: (packet[0] & 15) * 4 + 8]
    icmp = struct.pack("!BBHI", 3, 1, 0, 0) + quoted
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    router = packet[16:19] + bytes([254])
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0, router, packet[12:16])
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + icmp


def tcp(packet):
    """The flags of a TCP packet and how many bytes of data it carries; nothing of another one."""
    header = (packet[0] & 15) * 4
    if packet[9] != TCP:
        return None
    return packet[header + 13], struct.unpack("!H", packet[2:4])[0] - header - (packet[header + 12] >> 4) * 4


def v6_of(address):
    """The address of IPv6 of the host that has this one of IPv4."""
    return f"fd00::{address}"


class End:
    """One end: a network device in a namespace, and what happens to what it sends."""

    def __init__(self):
        self.device = None
        self.addresses = []
        self.heal()

    def heal(self):
        self.fault = dict.fromkeys(SETTINGS, 0)

    def plug(self, namespace, address):
        if self.device is not None:
            os.close(self.device)
        there = os.open(namespace, os.O_RDONLY)
        if LIBC.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
        os.close(there)
        self.device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.device, TUNSETIFF, struct.pack("16sH22x", b"cable", IFF_TUN | IFF_NO_PI))
        for command in (
            f"address add {address}/24 dev cable",
            f"address add {v6_of(address)}/64 dev cable nodad",
            f"link set cable up txqueuelen {QUEUE_PACKETS}",
            "link set lo up",
        ):
            subprocess.run(["ip", *command.split()], check=True)
        self.addresses = [socket.inet_aton(address), socket.inet_pton(socket.AF_INET6, v6_of(address))]

    def write(self, packet):
        if self.device is not None:
            try:
                os.write(self.device, packet)
            except OSError:
                pass  # Its queue is full, or the machine is gone: the packet is lost.


class Cable:
    def __init__(self):
        self.ends = [End(), End()]
        self.under_way = []
        self.count = 0
        self.selector = selectors.DefaultSelector()
        self.selector.register(sys.stdin, selectors.EVENT_READ)

    def command(self, line):
        words = line.split()
        if words[0] == "heal":
            for end in self.ends:
                end.heal()
        elif words[0] == "plug":
            end = self.ends[int(words[1])]
            if end.device is not None:
                self.selector.unregister(end.device)
            end.plug(words[2], words[3])
            self.selector.register(end.device, selectors.EVENT_READ, end)
        else:
            self.ends[int(words[1])].fault[words[0]] = int(words[2]) if len(words) > 2 else 1

    def carry(self, sender, packet):
        fault = sender.fault
        if fault["cut"] or random.random() * 100 < fault["lose"]:
            return
        v6 = packet[0] >> 4 == 6
        if not v6 and self.loses(fault, tcp(packet)):
            return
        receiver = self.ends[1 - self.ends.index(sender)]
        to = packet[24:40] if v6 else packet[16:20]
        if to not in receiver.addresses:
            # What IPv6 says to all its neighbours needs no answer.
            if to not in sender.addresses and not v6:
                self.carry_later(UNREACHABLE_MS, sender, unreachable(packet))
            return
        for _ in range(2 if random.random() * 100 < fault["double"] else 1):
            late = fault["delay"] + random.random() * fault["shuffle"]
            if late == 0:
                receiver.write(packet)
            else:
                self.carry_later(late, receiver, packet)

    def loses(self, fault, segment):
        if segment is None:
            return False
        flags, data = segment
        if data > 0 and fault["next"] > 0:
            fault["next"] -= 1
            return True
        return bool(fault["acknowledgements"]) and flags == ACK and data == 0

    def carry_later(self, late_ms, receiver, packet):
        self.count += 1
        heapq.heappush(self.under_way, (time.monotonic() + late_ms / 1000, self.count, receiver, packet))

    def serve(self):
        while True:
            wait = self.under_way[0][0] - time.monotonic() if self.under_way else None
            for key, _ in self.selector.select(wait if wait is None else max(wait, 0)):
                if key.data is None:
                    # A whole line: whoever tells writes it in one piece, and waits for the answer.
                    line = os.read(0, 4096).decode()
                    if not line:
                        return
                    try:
                        self.command(line)
                        print("ok", flush=True)
                    except (OSError, subprocess.SubprocessError) as error:
                        print(error, flush=True)
                else:
                    try:
                        packet = os.read(key.fd, PACKET_BYTES_MAX)
                    except OSError:
                        continue  # The machine is gone.
                    self.carry(key.data, packet)
            while self.under_way and self.under_way[0][0] <= time.monotonic():
                _, _, receiver, packet = heapq.heappop(self.under_way)
                receiver.write(packet)


Cable().serve()
