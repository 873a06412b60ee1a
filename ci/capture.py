"""Makes captures of saved traces with `cargo refrain show`, and compares what tshark reads with the events of the traces."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HOSTILE = "\x1b[2J<script>hit()</script>\u202e\n\0"


def check(holds, what):
    if not holds:
        sys.exit(f"ci/capture: {what}")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    check(done.returncode == 0, f"{command[0]} failed: {done.stderr}")
    return done.stdout


def fields(capture, filter_, *names):
    """The fields of each packet that the filter lets through."""
    options = [option for name in names for option in ("-e", name)]
    output = run("tshark", "-r", capture, "-N", "n", "-Y", filter_, "-T", "fields", "-E", "separator=/t", *options)
    return [line.split("\t") for line in output.splitlines()]


def check_trace(refrain, trace, capture):
    """Every write, connect and fault of a trace is in its capture, at its time; returns the number of packets."""
    run(refrain, "show", trace, "--format", "pcapng", "--output", capture)
    lines = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    events = lines[1 : 1 + lines[0]["events"]]
    kinds = [(event["at"], event["kind"]) for event in events]
    tcp = [(at, kind["tcp"]) for at, kind in kinds if "tcp" in kind]
    written = [(at, what["what"]["write"]) for at, what in tcp if isinstance(what["what"], dict) and "write" in what["what"]]
    sent = [(ns(time), int(length)) for time, length in fields(capture, "tcp.len > 0", "frame.time_epoch", "tcp.len")]
    check(sent == written, f"{trace.name}: the segments are not the writes: {sent[:3]} and {written[:3]} of {len(sent)} and {len(written)}")
    connects = sum(what["what"] in ("connect", "connect-nowhere") for _, what in tcp)
    syns = len(fields(capture, "tcp.flags.syn == 1 && tcp.flags.ack == 0", "frame.number"))
    check(syns == connects, f"{trace.name}: {syns} SYNs, and {connects} connects")
    faults = [at for at, kind in kinds if "fault-begins" in kind]
    told = fields(capture, "frame.comment && !tcp && !udp", "frame.time_epoch", "frame.comment")
    check(all(any(ns(time) == at for time, _ in told) for at in faults), f"{trace.name}: a fault is missing in {told}")
    malformed = fields(capture, "_ws.malformed || _ws.expert.severity == error", "frame.number")
    check(not malformed, f"{trace.name}: tshark finds errors in packets {malformed[:5]}")
    # Bytes that were never sent cannot be acknowledged, and no byte is sent twice or left out.
    wrong = "tcp.analysis.ack_lost_segment || tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.analysis.out_of_order"
    wrong = fields(capture, wrong, "frame.number", "tcp.seq", "tcp.ack")
    check(not wrong, f"{trace.name}: the numbers of packets {wrong[:5]} do not follow")
    return len(fields(capture, "frame", "frame.number"))


def ns(time):
    seconds, _, rest = time.partition(".")
    return int(seconds) * 10**9 + int(rest.ljust(9, "0"))


def check_hostile(refrain, work):
    """Text of a trace cannot act on the terminal that shows its comments."""
    path = next(Path("traces").glob("historic.q201280_handshake_*.jsonl"))
    lines = path.read_text(encoding="utf-8").splitlines()
    header, start = json.loads(lines[0]), next(line for line in map(json.loads, lines[1:]) if line["kind"] == "start")
    write = lambda values: "".join(json.dumps(value, separators=(",", ":")) + "\n" for value in values)
    (work / "hostile.jsonl").write_text(write([header | {"test": HOSTILE, "events": 1, "sockets": 0}, start | {"host": HOSTILE}]), encoding="utf-8")
    run(refrain, "show", work / "hostile.jsonl", "--format", "pcapng", "--output", work / "hostile.pcapng")
    check(b"\x1b[2J" not in (work / "hostile.pcapng").read_bytes(), "an escape sequence is in the capture")
    [[comment]] = fields(work / "hostile.pcapng", "frame.comment", "frame.comment")
    check("<script>hit()</script>" in comment and "starts" in comment, f"the comment is {comment!r}")


def main():
    refrain = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        traces = [trace for trace in sorted(Path("traces").glob("*.jsonl")) if '"thread' not in trace.read_text(encoding="utf-8").splitlines()[-1]]
        packets = {trace.name: check_trace(refrain, trace, work / "run.pcapng") for trace in traces}
        check(max(packets.values()) > 100, f"hardly any packets: {packets}")
        check_hostile(refrain, work)
    print(f"tshark reads {sum(packets.values())} packets of {len(packets)} traces")


main()
