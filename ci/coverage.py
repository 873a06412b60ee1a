"""Checks that the lines of the echo service are counted in every run, from what llvm-cov has exported."""

import re
import sys
from pathlib import Path

# The test `twenty_round_trips` makes 500 runs, each of which echoes 20 messages.
ECHOED_MIN = 10_000

# The end of a loop without an end is never reached.
ENDS = {"}", "});"}

exported, source = (Path(path) for path in sys.argv[1:])
counts = {int(line): int(count) for line, count in re.findall(r"^DA:(\d+),(\d+)", exported.read_text(), re.M)}
lines = dict(enumerate(source.read_text().splitlines(), 1))
never = [f"{source}:{number}: {lines[number].strip()}" for number, count in counts.items() if count == 0 and lines[number].strip() not in ENDS]
if never:
    sys.exit("ci/coverage: no run is counted here:\n" + "\n".join(never))
echo = next(number for number, line in lines.items() if "stream.write_all(&buffer" in line)
if counts.get(echo, 0) < ECHOED_MIN:
    sys.exit(f"ci/coverage: {source}:{echo} is counted {counts.get(echo)} times, and runs execute it {ECHOED_MIN} times: counters are lost")
print(f"{len(counts)} lines of the echo service are counted, its echo {counts[echo]} times")
