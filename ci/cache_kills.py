"""Kills a daemon again and again while it writes its cache, and checks what the next one makes of the file."""

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BINARY = Path("target/debug/calcon").resolve()
USERS = 40
SEED = 1


def calendar(folder, number):
    event = f"BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:20260101T{number % 24:02}0000Z\r\nDURATION:PT{number + 1}M\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT"
    (folder / f"user{number}@notes.example.ics").write_text(f"BEGIN:VCALENDAR\r\n{event}\r\nEND:VCALENDAR\r\n")


def ask(port, number):
    now = time.gmtime()
    command = [BINARY, "query", "--at", f"127.0.0.1:{port}", f"user{number}@notes.example", "--json"]
    done = subprocess.run([*command, "--from", time.strftime("%Y-%m-%dT00:00:00Z", now), "--days", "3"], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


class Exchange:
    """The daemon that has the cache, with what it says."""

    def __init__(self, work, port, age_max):
        self.lines = []
        args = ["--calendars", work / "exchange", "--cache-file", work / "cache", "--console", work / "e.sock", "--age-max-secs", str(age_max)]
        self.process = subprocess.Popen([BINARY, "exchange", "--listen", f"127.0.0.1:{port}", *args], stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.reader.start()

    def says(self, text):
        for _ in range(2000):
            if any(text in line for line in self.lines):
                return
            time.sleep(0.005)
        sys.exit(f"it does not say {text!r}: {self.lines}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()


def check(daemon, work, kills):
    wrong = [line for line in daemon.lines if "number=5014" in line or "panicked" in line]
    if wrong or list(work.glob("cache.damaged*")):
        sys.exit(f"after {kills} kills: {wrong or 'a file was set aside'}")


def main():
    kills, random_moments = int(sys.argv[1]), random.Random(SEED)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        for folder in ("exchange", "notes"):
            (work / folder).mkdir()
        for number in range(USERS):
            calendar(work / "notes", number)
        notes_args = ["--calendars", work / "notes", "--exchange", "127.0.0.1:18320", "--console", work / "n.sock"]
        notes = subprocess.Popen([BINARY, "--log", "error", "notes", "--listen", "127.0.0.1:18321", *notes_args])
        try:
            for kill in range(kills):
                # Every record is too old at once, so that each query changes the file.
                daemon = Exchange(work, 18320, 0)
                daemon.says("cache read")
                daemon.says("link up")
                # What is learnt is written a second later.
                until = time.monotonic() + random_moments.uniform(0, 2.2)
                while time.monotonic() < until:
                    ask(18320, random_moments.randrange(USERS))
                daemon.kill()
                check(daemon, work, kill)
                if kill % 20 == 19:
                    print(f"{kill + 1} kills", file=sys.stderr, flush=True)
            expected = {number: ask(18321, number) for number in range(USERS)}
        finally:
            notes.terminate()
            notes.wait()
        daemon = Exchange(work, 18320, 3600)
        try:
            daemon.says("cache read")
            answers = {number: ask(18320, number) for number in range(USERS)}
        finally:
            daemon.kill()
        check(daemon, work, kills)
        known = {number: answer for number, answer in answers.items() if answer}
        for number, answer in known.items():
            if answer["slots"] != expected[number]["slots"]:
                sys.exit(f"user {number}: {answer} instead of {expected[number]}")
        if not known:
            sys.exit("nothing was kept")
        print(f"{kills} kills: no damage, {len(known)} of {USERS} records kept, and each is right")


main()
