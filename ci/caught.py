"""Prints how often and how fast seeded bugs were caught, from the output of `cargo refrain explore --json`."""
import argparse
import json
import sys
from collections import defaultdict

parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, required=True, help="how often each was explored: it must be caught each time")
parser.add_argument("--bugs", type=int, default=1, help="how many seeded bugs there must be at least")
parser.add_argument("--seconds", type=float, help="what a catch must take less than")
parser.add_argument("--runs", action="append", default=[], metavar="TEST=RUNS", help="the most runs of a catch")
parser.add_argument("--shrunk", metavar="PREFIX", help="tests that must be shrunk to 2 faults and 1 query at most")
asked = parser.parse_args()


def size(plan):
    """The faults and the queries of a plan. What is not a seed, an argument or a hold is a fault."""
    queries = sum(len(json.loads(line.split(" = ", 1)[1])) for line in plan if line.startswith("queries = "))
    others = [line for line in plan if line.split(" ")[1:2] != ["="] and line.split(" ")[0] not in ("seed", "hold")]
    return len(others), queries


problems, caught = [], defaultdict(list)
for line in map(json.loads, sys.stdin):
    name, explored = line["test"], line.get("explored")
    if explored is None:
        problems.append(f"{name} did not run: {line['refused']}")
        continue
    expected, found = explored["expect"], explored["caught"]
    if expected:
        caught[name] += [explored] if found and found["failure"]["class"] == expected else []
    elif found:
        problems.append(f"{name} failed, and no failure is expected of it")

limits = dict(limit.rsplit("=", 1) for limit in asked.runs)
for name, catches in caught.items():
    runs = max((explored["runs"] for explored in catches), default=0)
    seconds = max((explored["took_ms"] / 1_000 for explored in catches), default=0)
    text = f"{name:<80} caught from {len(catches)} of {asked.seeds} seeds, within {runs} runs, in at most {seconds:.1f} s"
    if asked.shrunk and name.startswith(asked.shrunk):
        sizes = [size(explored["caught"]["plan"]) for explored in catches]
        faults, queries = (max((one[part] for one in sizes), default=0) for part in (0, 1))
        text += f"; at most {faults} faults and {queries} queries"
        if faults > 2 or queries > 1:
            problems.append(f"{name} is shrunk to {faults} faults and {queries} queries")
    print(text)
    if len(catches) != asked.seeds:
        problems.append(f"{name} is not caught from every seed")
    if asked.seconds and seconds >= asked.seconds:
        problems.append(f"{name} takes {seconds:.1f} s, expected less than {asked.seconds} s")
    if runs > int(limits.get(name, runs)):
        problems.append(f"{name} takes {runs} runs, expected at most {limits[name]}")
if len(caught) < asked.bugs:
    problems.append(f"{len(caught)} seeded bugs were explored, expected at least {asked.bugs}")
print("\n".join(problems))
sys.exit(len(problems) > 0)
