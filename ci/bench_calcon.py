"""Measures Calcon under load from this machine, and prints each figure beside its bound."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

BINARY = Path("target/release/calcon").resolve()
USERS = 10
HOURS = 24


def event(uid, rest):
    return f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{rest}\r\nEND:VEVENT\r\n"


def calendar(folder, user, events):
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    (folder / f"{user}.ics").write_text(text)


def day(offset=0):
    return time.strftime("%Y-%m-%dT00:00:00", time.gmtime(time.time() + offset * 86400))


def request(users, days):
    moment = lambda offset: {"dateTime": day(offset), "timeZone": "UTC"}
    return json.dumps({"schedules": users, "startTime": moment(0), "endTime": moment(days), "availabilityViewInterval": 30})


class Daemon:
    """A daemon of the release build. Its log says only what is wrong."""

    def __init__(self, work, side, number, *args):
        self.http = f"127.0.0.1:{18100 + number}"
        self.listen = f"127.0.0.1:{18200 + number}"
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [BINARY, "--log", "warn", side, "--listen", self.listen, "--http-listen", self.http, "--console", work / f"{number}.sock", *args],
            stderr=subprocess.DEVNULL,
        )

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=10) as response:
            return response.read()

    def post(self, body):
        kind = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"http://{self.http}/getSchedule", body.encode(), kind), timeout=20) as response:
            return json.load(response)["value"]

    def wait(self, path):
        for _ in range(2000):
            try:
                self.get(path)
                return time.monotonic() - self.began
            except OSError:
                time.sleep(0.005)
        sys.exit(f"{path} of {self.http} is not there")

    def wait_for_link(self):
        for _ in range(2000):
            if json.loads(self.get("/status"))["link"]["up"]:
                return
            time.sleep(0.005)
        sys.exit(f"the link of {self.http} is down")

    def memory_mb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wrk(work, daemon, body, seconds, connections):
    """Requests per second, and the 99th percentile in milliseconds."""
    script = work / "post.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [[{body}]]\n"
        "done = function(summary, latency)\n"
        '  io.write(string.format("RESULT %f %f %d\\n", summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000,\n'
        "    summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout))\nend\n"
    )
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://{daemon.http}/getSchedule"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate, p99, errors = output.split("RESULT ")[1].split()[:3]
    if int(errors):
        sys.exit(f"{errors} requests failed:\n{output}")
    return float(rate), float(p99)


def line(what, measured, bound):
    print(f"{what:<64} {measured:>16} {bound:>18}", flush=True)


def answered(value):
    wrong = [one for one in value if "error" in one]
    if wrong:
        sys.exit(f"not answered: {wrong[:2]}")


def load(work, seconds):
    folders = {side: work / side for side in ("exchange", "notes")}
    names = {side: [f"user{n}@{side}.example" for n in range(USERS)] for side in folders}
    for side, folder in folders.items():
        folder.mkdir()
        for user in names[side]:
            start = day().replace("-", "").replace(":", "")
            calendar(folder, user, [event(n, f"DTSTART:{start[:9]}{8 + n:02}0000Z\r\nDURATION:PT30M\r\nRRULE:FREQ=DAILY") for n in range(4)])
    exchange = Daemon(work, "exchange", 1, "--calendars", folders["exchange"])
    exchange.wait("/healthz")
    notes = Daemon(work, "notes", 2, "--calendars", folders["notes"], "--exchange", exchange.listen)
    try:
        notes.wait("/readyz")
        notes.wait_for_link()
        exchange.wait_for_link()
        of_notes, of_exchange = request(names["notes"], 1), request(names["exchange"], 1)
        answered(exchange.post(of_notes))
        answered(notes.post(of_exchange))
        wrk(work, exchange, of_notes, 2, 32)
        before = exchange.memory_mb()
        rate, p99 = wrk(work, exchange, of_notes, seconds, 32)
        line(f"getSchedule of {USERS} users from the cache, 32 connections", f"{rate:,.0f} /s", ">= 20,000 /s")
        line("  99th percentile", f"{p99:.2f} ms", "< 5 ms")
        line(f"  memory at the begin and after {seconds} s", f"{before:.1f}, {exchange.memory_mb():.1f} MB", "flat")
        rate, p99 = wrk(work, notes, of_exchange, 10, 32)
        line(f"queries over the link, {USERS} in each getSchedule", f"{rate * USERS:,.0f} /s", ">= 10,000 /s")
        line("  99th percentile of a getSchedule", f"{p99:.2f} ms", "")
    finally:
        notes.stop()
        exchange.stop()


def long_calendar(work):
    folder = work / "long"
    folder.mkdir()
    start = day(-400).replace("-", "").replace(":", "")[:9]
    rules = ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "FREQ=MONTHLY;BYDAY=2TU", "FREQ=WEEKLY;INTERVAL=2"]
    of = lambda n: event(n, f"DTSTART:{start}{n % 24:02}{n // 24 % 60:02}00Z\r\nDURATION:PT15M\r\nRRULE:{rules[n % 4]}")
    calendar(folder, "long@exchange.example", map(of, range(1000)))
    daemon = Daemon(work, "exchange", 3, "--calendars", folder)
    try:
        daemon.wait("/healthz")
        took = []
        for days in [60] * 21:
            began = time.monotonic()
            answered(daemon.post(request(["long@exchange.example"], days)))
            took.append((time.monotonic() - began) * 1000)
        line("1,000 recurring events over 60 days, the first time", f"{took[0]:.1f} ms", "")
        line("  and then, median", f"{statistics.median(took[1:]):.1f} ms", "< 50 ms")
    finally:
        daemon.stop()


def start(work):
    folder = work / "many"
    folder.mkdir()
    for n in range(10_000):
        calendar(folder, f"user{n}@exchange.example", [event(n, "DTSTART:20260803T080000Z\r\nDURATION:PT30M\r\nRRULE:FREQ=DAILY")])
    daemon = Daemon(work, "exchange", 4, "--calendars", folder)
    try:
        took = daemon.wait("/healthz")
        answered(daemon.post(request(["user9999@exchange.example"], 1)))
        line("start to ready with 10,000 calendars", f"{took * 1000:.0f} ms", "< 1,000 ms")
        line("  and to the first answer", f"{(time.monotonic() - daemon.began) * 1000:.0f} ms", "")
    finally:
        daemon.stop()


def main():
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        line("", "measured", "bound")
        load(work, 600 if "--long" in sys.argv[1:] else 10)
        long_calendar(work)
        start(work)


main()
