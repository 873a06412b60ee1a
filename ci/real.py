"""Runs both daemons with two CalDAV servers, asks them in both directions, and does to each part what happens to parts. See ci/real."""

import base64
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import caldav
import icalendar

CALCON = sys.argv[1]
# How soon service has to return, and how long anything may take to start.
BOUND = 30
# How long a part is stopped, at least.
STOPPED = 3
ALICE = "alice@exchange.example"
CAROL = "carol@notes.example"
USERNAME, PASSWORD = "calcon", "open sesame 1234"
FROM = datetime(2026, 8, 3, tzinfo=timezone.utc)
DAYS = 7

# What both servers understand.
EVENTS = {
    "plain": ["DTSTART:20260803T080000Z", "DTEND:20260803T090000Z"],
    "overlapping": ["DTSTART:20260803T083000Z", "DTEND:20260803T093000Z"],
    "cancelled": ["STATUS:CANCELLED", "DTSTART:20260803T100000Z", "DTEND:20260803T110000Z"],
    "tentative": ["STATUS:TENTATIVE", "DTSTART:20260803T120000Z", "DTEND:20260803T130000Z"],
    "transparent": ["TRANSP:TRANSPARENT", "DTSTART:20260803T140000Z", "DTEND:20260803T150000Z"],
    "date": ["DTSTART;VALUE=DATE:20260804"],
    "floating": ["DTSTART:20260805T080000", "DTEND:20260805T090000"],
    "weekly": ["DTSTART;TZID=Europe/Berlin:20260706T080000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"],
}
# What they do not: see `protocol` in OPERATORS.md.
MORE = {
    "windows": ["DTSTART;TZID=W. Europe Standard Time:20260807T080000", "DTEND;TZID=W. Europe Standard Time:20260807T090000"],
    "away": ["X-MICROSOFT-CDO-BUSYSTATUS:OOF", "DTSTART:20260806T080000Z", "DTEND:20260806T090000Z"],
}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until(what, holds):
    """Waits until `holds` returns something true; returns that, and how long it took."""
    began = time.monotonic()
    while True:
        if held := holds():
            return held, time.monotonic() - began
        if time.monotonic() - began > BOUND:
            sys.exit(f"ci/real: not within {BOUND} s: {what}")
        time.sleep(0.2)


class Part:
    """A process that can be started again, on its port."""

    def __init__(self, name, folder, port, command):
        self.name, self.port, self.command = name, port, command
        self.log = open(folder / f"{name}.log", "ab")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(f"{self.name} listens", self.listens)

    def listens(self):
        if self.process.poll() is not None:
            sys.exit(f"ci/real: {self.name} has ended: {Path(self.log.name).read_text()[-2000:]}")
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, number):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(number)
            self.process.wait(timeout=BOUND)

    def handles(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def calendar_of(client, url, events):
    calendar = caldav.Calendar(client=client, url=url)
    for uid, lines in events.items():
        event = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260801T000000Z", f"SUMMARY:{uid} & <x>", *lines, "END:VEVENT"]
        text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calcon//ci/real//EN", *event, "END:VCALENDAR", ""]
        calendar.add_event("\r\n".join(text))
    return calendar


def said_by_server(calendar):
    """What a server says itself: the busy and the tentative time of each minute in which anything changes."""
    reply = calendar.freebusy_request(start=FROM, end=FROM + timedelta(days=DAYS))
    taken = []
    for component in icalendar.Calendar.from_ical(reply.data).walk("VFREEBUSY"):
        properties = component.get("FREEBUSY", [])
        for entry in properties if isinstance(properties, list) else [properties]:
            kind = {"FREE": None, "BUSY-TENTATIVE": "tentative"}.get(entry.params.get("FBTYPE", "BUSY"), "busy")
            start, end = entry.start, entry.end
            if start == end and start.time() == datetime.min.time():
                end = start + timedelta(days=1)
            if kind:
                taken.append((start.astimezone(timezone.utc), end.astimezone(timezone.utc), kind))
    return merged(taken)


def merged(taken):
    """Sorted, disjoint spans; busy counts more than tentative."""
    edges = sorted({edge for start, end, _ in taken for edge in (start, end)})
    spans = []
    for start, end in zip(edges, edges[1:]):
        kinds = {kind for first, last, kind in taken if first <= start and end <= last}
        kind = next((kind for kind in ("out_of_office", "busy", "tentative") if kind in kinds), None)
        if kind and spans and spans[-1][1] == start and spans[-1][2] == kind:
            spans[-1] = (spans[-1][0], end, kind)
        elif kind:
            spans.append((start, end, kind))
    return spans


def ask(port, user):
    """The answer of a daemon: its source and what is not free; or why there is none."""
    command = [CALCON, "query", "--at", f"127.0.0.1:{port}", user, "--from", FROM.isoformat(), "--days", str(DAYS), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND)
    answer = json.loads(done.stdout)
    if "error" in answer:
        return None, answer["error"]["text"]
    time_of = lambda text: datetime.fromisoformat(text.replace("Z", "+00:00"))
    taken = [(time_of(slot["from"]), time_of(slot["to"]), slot["state"]) for slot in answer["slots"] if slot["state"] != "free"]
    return answer["source"], merged(taken)


def settings(folder, name, text):
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def check(folder, name, expected):
    """Tries settings of the Exchange side with `calcon check`, which has to pass, or to fail with this text."""
    command = [CALCON, "check", "exchange", "--settings", str(folder / f"{name}.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND)
    if done.returncode != (6 if expected else 0) or (expected or "") not in done.stdout:
        sys.exit(f"ci/real: the check of {name} ends with {done.returncode}: {done.stdout}{done.stderr}")


def main():
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="calcon-") as temporary:
        parts = {}
        try:
            run(Path(temporary), parts)
        finally:
            for part in parts.values():
                part.end(signal.SIGKILL)


def run(folder, parts):
    radicale, xandikos, exchange, notes, events, copy = (free_port() for _ in range(6))
    keys, console = folder / "keys", folder / "notes.sock"
    subprocess.run([CALCON, "keys", str(keys), "--name", "localhost"], check=True, stdout=subprocess.DEVNULL)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(f"{PASSWORD}\n")
    (folder / "users").write_text(f"{USERNAME}:{PASSWORD}\n")

    def part(name, port, *command):
        parts[name] = Part(name, folder, port, [str(word) for word in command])
        return parts[name]

    python = sys.executable
    part(
        "radicale", radicale, python, "-m", "radicale", "--config", "", "--server-hosts", f"localhost:{radicale}",
        "--server-ssl", "--server-certificate", keys / "localhost.pem", "--server-key", keys / "localhost.key",
        "--auth-type", "htpasswd", "--auth-htpasswd-filename", folder / "users", "--auth-htpasswd-encryption", "plain",
        "--rights-type", "authenticated", "--storage-filesystem-folder", folder / "radicale",
    )  # fmt: skip
    part(
        "xandikos", xandikos, Path(python).with_name("xandikos"), "serve", "--directory", folder / "xandikos",
        "--state-dir", folder / "state", "--listen-address", "127.0.0.1", "--port", xandikos, "--defaults",
        "--current-user-principal", f"/{CAROL}",
    )  # fmt: skip
    of_alice = f"https://localhost:{radicale}/{ALICE}/calendar/"
    of_carol = f"http://127.0.0.1:{xandikos}/{CAROL}/calendars/calendar/"
    server = f'url = "{of_alice}"\ndomains = ["exchange.example"]\nusername = "{USERNAME}"\npassword_file = "password"\nca_file = "keys/ca.pem"\n'
    server = server.replace(ALICE, "{user}")
    protocols = {"exchange": "free-busy-query", "events": "calendar-query", "copy": "sync-collection"}
    for (name, protocol), port in zip(protocols.items(), (exchange, events, copy)):
        more = f'protocol = "{protocol}"\n'
        text = f'listen = "127.0.0.1:{port}"\nconsole = "{name}.sock"\nage_max_secs = 0\n[server]\n{server}{more}'
        part(name, port, CALCON, "exchange", "--settings", settings(folder, name, text))
    text = (
        f'listen = "127.0.0.1:{notes}"\nconsole = "notes.sock"\nexchange = "127.0.0.1:{exchange}"\n'
        f'[server]\nurl = "{of_carol.replace(CAROL, "{user}")}"\ndomains = ["notes.example"]\n'
    )
    part("notes", notes, CALCON, "notes", "--settings", settings(folder, "notes", text))
    for started in parts.values():
        started.start()
    check(folder, "exchange", None)
    settings(folder, "wrong", (folder / "exchange.toml").read_text().replace('"password"', '"wrong-password"'))
    wrong = folder / "wrong-password"
    wrong.touch(mode=0o600)
    wrong.write_text("close sesame 1234")
    check(folder, "wrong", "401")

    login = dict(username=USERNAME, password=PASSWORD, ssl_verify_cert=str(keys / "ca.pem"))
    client = caldav.DAVClient(url=f"https://localhost:{radicale}/", **login)
    client.request(of_alice.removesuffix("calendar/"), "MKCOL")
    client.mkcalendar(of_alice)
    alice = calendar_of(client, of_alice, EVENTS)
    carol = calendar_of(caldav.DAVClient(url=f"http://127.0.0.1:{xandikos}/"), of_carol, EVENTS)
    truth = said_by_server(alice)
    kinds = [kind for _, _, kind in truth]
    if said_by_server(carol) != truth or kinds != ["busy", "busy", "tentative", "busy", "busy"]:
        sys.exit(f"ci/real: the servers do not say the same: {truth} {said_by_server(carol)}")

    directions = [("exchange", exchange, CAROL), ("notes", notes, ALICE)]

    def is_right(port, user):
        """Whether there is an answer, and it is live. What is answered must be right whenever it is."""
        source, said = ask(port, user)
        if source and said != truth:
            sys.exit(f"ci/real: {user} is said to be {said}, and the server says {truth}")
        return source == "live"

    def returns(what):
        took = [until(f"{what}: {name} answers about {user}", lambda: is_right(port, user))[1] for name, port, user in directions]
        print(f"{what}: answers after {max(took):.1f} s")

    returns("started")
    handles = {name: parts[name].handles() for name in ("exchange", "notes")}

    # Events that the servers do not interpret as their authors meant them, this side does.
    if ask(copy, ALICE) != ("live", truth):
        sys.exit(f"ci/real: the copy of {ALICE} is {ask(copy, ALICE)}")
    calendar_of(client, of_alice, MORE)
    source, said = ask(events, ALICE)
    day = lambda day, hour: FROM.replace(day=day, hour=hour)
    expected = merged([*truth, (day(7, 6), day(7, 7), "busy"), (day(6, 8), day(6, 9), "out_of_office")])
    if (source, said) != ("live", expected):
        sys.exit(f"ci/real: the events of {ALICE} are {expected}, and the answer is {source}: {said}")
    if ask(copy, ALICE) != (source, said):
        sys.exit(f"ci/real: the copy of {ALICE} does not have the new events: {ask(copy, ALICE)}")
    for uid in MORE:
        alice.event_by_uid(uid).delete()
    if ask(copy, ALICE) != ("live", truth):
        sys.exit(f"ci/real: the copy of {ALICE} has events that are gone: {ask(copy, ALICE)}")
    for name in ("events", "copy"):
        parts.pop(name).end(signal.SIGTERM)
    print("events are interpreted as they were meant, and a copy follows them")

    for name in ("radicale", "xandikos", "exchange", "notes"):
        broken = parts[name]
        broken.end(signal.SIGKILL)
        for _, port, user in directions:
            if name not in ("exchange", "notes"):
                is_right(port, user)
        broken.start()
        returns(f"{name} was killed")
        broken.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        for asked, port, user in directions:
            if asked != name:
                is_right(port, user)
        time.sleep(max(0, stopped + STOPPED - time.monotonic()))
        broken.signal(signal.SIGCONT)
        returns(f"{name} was stopped for {time.monotonic() - stopped:.1f} s")
        broken.end(signal.SIGTERM)
        broken.start()
        returns(f"{name} was restarted")

    for _ in range(10):
        for _, port, user in directions:
            is_right(port, user)
    for name, before in handles.items():
        until(f"{name} has no more than {before} file handles", lambda: parts[name].handles() <= before)
    listed = [CALCON, "show", "users", "--at", str(console), "--json"]
    users = json.loads(subprocess.run(listed, check=True, capture_output=True, text=True).stdout)
    # The Exchange side has one, and each client of the Notes side has one while it is connected.
    if len(users) > 1:
        sys.exit(f"ci/real: sessions are left over: {users}")
    print("no file handle and no session is left over")
    secrets = [PASSWORD, base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()]
    for name in (*protocols, "notes"):
        log = (folder / f"{name}.log").read_text()
        if any(secret in log for secret in secrets) or "query" not in log:
            sys.exit(f"ci/real: the log of {name} has the password, or is none")


main()
