"""Measures Refrain's rates on this machine and prints them with their ratios. Nothing is asserted."""

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 3
ISOLATED_RUNS = 4_000
LONG_RUNS = 10
ROUND_TRIPS = 100_000  # in one run; as harness/bench says


def explore(package, test, runs, jobs):
    """The seconds that an exploration takes, with the start of the command."""
    command = ["cargo", "refrain", "explore", test, "--package", package, "--release", "--seed", "1"]
    started = time.perf_counter()
    output([*command, "--runs", str(runs), "--jobs", str(jobs)])
    return time.perf_counter() - started


def output(command):
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def rate(package, test, runs, jobs):
    """Runs a second. What an exploration of one run takes, too, is the start of it and counts for nothing."""
    start = explore(package, test, 1, jobs)
    return (runs - 1) / (explore(package, test, runs, jobs) - start)


def isolated_rate(jobs):
    return rate("echo", "twenty_round_trips", ISOLATED_RUNS * jobs, jobs)


def raw():
    return float(output(["cargo", "run", "--quiet", "--release", "--package", "refrain-bench"]))


def row(what, value, wanted=""):
    print(f"{what:<58}{value:>12}  {wanted}".rstrip(), flush=True)


def main():
    row(f"median of {ROUNDS}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", "", "wanted")
    explore("echo", "twenty_round_trips", 1, 1)  # builds
    explore("refrain-bench", "many_round_trips", 1, 1)
    raw()
    # The two sides of each ratio take turns, so that whatever else the machine does meets both.
    isolated = [[isolated_rate(1), isolated_rate(2)] for _ in range(ROUNDS)]
    one, two = (statistics.median(side) for side in zip(*isolated))
    row("isolated runs a second, 20 round trips each, 1 job", f"{one:,.0f}", "1,500")
    row("isolated runs a second, 20 round trips each, 2 jobs", f"{two:,.0f}")
    row("  2 jobs to 1", f"{two / one:.2f}", "1.8")
    trips = [[rate("refrain-bench", "many_round_trips", 1 + LONG_RUNS, 1) * ROUND_TRIPS, raw()] for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side) for side in zip(*trips))
    row("round trips a second in one run, refrain", f"{ours:,.0f}")
    row("round trips a second in one run, madsim's own network", f"{theirs:,.0f}")
    row("  refrain to madsim", f"{ours / theirs:.2f}")


main()
