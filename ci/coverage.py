"""Checks that the lines of the echo service are counted in every run, from what llvm-cov has exported: of all runs, of those without faults, and
of those with two kinds of fault."""

import re
import sys
from pathlib import Path

# The test `twenty_round_trips` makes 500 runs, each of which echoes 20 messages.
ECHOED_MIN = 10_000

# The end of a loop without an end is never reached.
ENDS = {"}", "});"}

work, source = (Path(path) for path in sys.argv[1:])
lines = dict(enumerate(source.read_text().splitlines(), 1))


def counted(exported):
    return {int(line): int(count) for line, count in re.findall(r"^DA:(\d+),(\d+)", (work / exported).read_text(), re.M)}


def line_of(text):
    return next(number for number, line in lines.items() if text in line)


counts = counted("lines")
never = [f"{source}:{number}: {lines[number].strip()}" for number, count in counts.items() if count == 0 and lines[number].strip() not in ENDS]
if never:
    sys.exit("ci/coverage: no run is counted here:\n" + "\n".join(never))
echo = line_of("stream.write_all(&buffer")
if counts.get(echo, 0) < ECHOED_MIN:
    sys.exit(f"ci/coverage: {source}:{echo} is counted {counts.get(echo)} times, and runs execute it {ECHOED_MIN} times: counters are lost")

# A listener binds again after a crash, and pauses only where accepts fail. Runs without faults do neither.
none, crash, fail_accepts = (counted(f"lines-{kind}") for kind in ("none", "crash", "fail-accepts"))
bind, pause, asked = line_of("TcpListener::bind"), line_of("sleep(ACCEPT_PAUSE)"), line_of("timeout(ANSWERS_WITHIN")
if none[pause] != 0 or fail_accepts[pause] == 0:
    sys.exit(f"ci/coverage: {source}:{pause} is counted {none[pause]} times without faults, and {fail_accepts[pause]} times where accepts fail")
# Each run starts the server once, and again after a crash.
if none[bind] == 0 or none[bind] * 2 < none[asked] or crash[bind] == 0 or crash[bind] * none[asked] <= none[bind] * crash[asked]:
    sys.exit(f"ci/coverage: {source}:{bind} is counted {none[bind]} times without faults, and {crash[bind]} times with crashes")
print(f"{len(counts)} lines of the echo service are counted, its echo {counts[echo]} times; its pause {fail_accepts[pause]} times where accepts fail")
