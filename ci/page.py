"""Starts both daemons on the samples, opens their pages in headless Chromium, and checks the page that its script has made."""

import html.parser
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

BINARY = Path("target/debug/calcon").resolve()
DAY = "2026-08-03"
HOSTILE = "<img/src=x/onerror=document.title=1>@x"
PEOPLE = ["carol@notes.example", "alice@exchange.example", "nobody@example", HOSTILE]
# Half hours of that day in UTC, as the samples have it in Europe/Berlin.
CAROL = {"busy": {18, 19, 20, 21, 22}, "tentative": {23, 24, 25, 26, 27}}


class Rows(html.parser.HTMLParser):
    """The rows of the table: the text and the class of each cell. And the line of the state, and every element's name."""

    def __init__(self):
        super().__init__()
        self.rows, self.cells, self.inside, self.state, self.names = [], None, None, "", []

    def handle_starttag(self, name, attributes):
        attributes = dict(attributes)
        self.names.append(name)
        if name == "tr":
            self.rows.append([])
        elif name in ("th", "td"):
            self.rows[-1].append([attributes.get("class", ""), ""])
            self.inside = name
        elif attributes.get("id") == "state":
            self.inside = "state"
            self.state = attributes.get("class", "") + " "

    def handle_endtag(self, name):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "state":
            self.state += data
        elif self.inside:
            self.rows[-1][-1][1] += data


def check(holds, what):
    if not holds:
        sys.exit(f"ci/page: {what}")


def opened(browser, profile, url, *options):
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0",
        "--virtual-time-budget=8000", "--dump-dom", *options, url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    check(not console, "the console says:\n" + "\n".join(console))
    page = Rows()
    page.feed(done.stdout)
    return page


def check_page(page, side):
    check(page.state.startswith(f"up {side} side · link up: "), f"the state is {page.state!r}")
    rows = {row[0][1]: row[1:] for row in page.rows if row}
    check(set(PEOPLE) <= set(rows), f"these people are not there: {set(PEOPLE) - set(rows)}")
    carol = rows["carol@notes.example"]
    check(len(carol) == 48, f"carol has {len(carol)} half hours")
    for at, (kind, _) in enumerate(carol):
        expected = next((kind for kind, hours in CAROL.items() if at in hours), "free")
        check(kind == expected, f"half hour {at} of carol is {kind}, not {expected}")
    check(rows["nobody@example"] == [["error", "nobody has a calendar of nobody@example"]], "the unknown user is no error")
    # With one of unknown time, no time is free for all.
    check(all(kind == "busy" for kind, _ in rows["everybody"]), "everybody is free without an answer about nobody@example")
    check("img" not in page.names, "a name has become markup")


def main():
    browser = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        common = ["--time-zone", "Europe/Berlin", "--console"]
        daemons = [
            ["exchange", "--listen", "127.0.0.1:18310", "--http-listen", "127.0.0.1:18312", "--calendars", "samples/exchange", *common, work / "e"],
            ["notes", "--listen", "127.0.0.1:18311", "--http-listen", "127.0.0.1:18313", "--calendars", "samples/notes",
             "--exchange", "127.0.0.1:18310", *common, work / "n"],
        ]  # fmt: skip
        running = [subprocess.Popen([BINARY, "--log", "error", *args]) for args in daemons]
        try:
            for port in (18312, 18313):
                wait(port)
            for side, port in (("exchange", 18312), ("notes", 18313)):
                url = f"http://127.0.0.1:{port}/?users={','.join(map(urllib.request.quote, PEOPLE))}&day={DAY}"
                for scheme in ([], ["--blink-settings=preferredColorScheme=0"]):
                    check_page(opened(browser, work / f"profile-{port}-{len(scheme)}", url, *scheme), side)
            print(f"both pages show {len(PEOPLE)} people, and their consoles are empty")
        finally:
            for daemon in running:
                daemon.terminate()
                daemon.wait()


def wait(port):
    for _ in range(400):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as response:
                if json.load(response)["link"]["up"]:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"ci/page: the link of port {port} is down")


main()
