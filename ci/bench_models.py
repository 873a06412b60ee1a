"""Measures the search for interleavings beside plain loom and plain shuttle on the same models, and prints the ratios.

Nothing is asserted. Every rate is on one core; the search on two cores is timed where it is long."""

import re
import statistics
import subprocess
import sys

RIGHT = ["refcount_2", "refcount_3", "refcount_4", "pool_2", "pool_3", "mutex_3x2"]
WRONG = ["refcount_2_wrong", "refcount_3_wrong", "refcount_4_wrong", "pool_2_wrong", "pool_3_wrong"]
SEEDS = range(1, 21)
ROUNDS = 3
SAMPLES = 40_000  # executions that a sampling engine is timed for
LONG = 20_000  # executions from which on two cores are worth it
ALL = 1_000_000_000  # more executions than any of these models has
PACKAGE = ["--package", "refrain-bench", "--release"]


def out(command):
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def plain(bench, *arguments):
    """Executions and seconds."""
    command = ["cargo", "run", "--quiet", *PACKAGE, "--bin", bench, "--", *map(str, arguments)]
    executions, seconds = out(command).split()
    return int(executions), float(seconds)


def explore(test, seed, runs=None, jobs=1):
    command = ["cargo", "refrain", "explore", test, *PACKAGE, "--verbose", "--seed", str(seed), "--jobs", str(jobs)]
    return out([*command, "--runs", str(runs)] if runs else command)


def rows(text):
    """Executions and seconds of each engine in a report."""
    found = re.findall(r"^ *((?:loom|shuttle), .*?)  +([\d,]+) +([\d.]+) s", text, re.M)
    return {engine: (int(executions.replace(",", "")), float(seconds)) for engine, executions, seconds in found}


def to_first_find(test, seed):
    """Executions that all engines together made up to the one that failed, as the line of the test says."""
    return int(re.search(rf"{test} .*?([\d,]+) runs?  ", explore(test, seed)).group(1).replace(",", ""))


def whole_tree(test, jobs):
    return rows(explore(f"loom::{test}", 1, ALL, jobs))["loom, any preemptions"]


def rate(measured):
    executions, seconds = measured
    return executions / max(seconds, 0.001)


def row(what, *values):
    print(f"{what:<30}" + "".join(f"{value:>16}" for value in values), flush=True)


def main():
    row("executions to the first find", "refrain", "loom", "shuttle", "to the better")  # the mean of the seeds'
    for test in WRONG:
        ours = statistics.mean(to_first_find(test, seed) for seed in SEEDS)
        loom, _ = plain("bench-loom", test)
        shuttle = statistics.mean(plain("bench-shuttle", test, 100_000, seed)[0] for seed in SEEDS)
        row(f"  {test}", f"{ours:,.1f}", f"{loom:,}", f"{shuttle:,.1f}", f"{ours / min(loom, shuttle):.2f}")

    row("shuttle, executions a second", "refrain", "shuttle", "ratio")
    for test in RIGHT:
        rounds = [
            (rate(rows(explore(f"shuttle::{test}", 1, SAMPLES))["shuttle, random"]), rate(plain("bench-shuttle", test, SAMPLES, 1)))
            for _ in range(ROUNDS)
        ]
        ours, theirs = (statistics.median(one) for one in zip(*rounds))
        row(f"  {test}", f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.2f}")

    row("loom, the whole tree", "executions", "refrain", "loom", "ratio", "total", "two cores to one")
    for test in RIGHT:
        rounds = [(whole_tree(test, jobs=1), plain("bench-loom", test)) for _ in range(ROUNDS)]
        ours, theirs = (statistics.median(rate(one) for one in each) for each in zip(*rounds))
        executions, of_loom = rounds[0][0][0], rounds[0][1][0]
        if executions != of_loom:
            sys.exit(f"{test}: refrain made {executions} executions, loom {of_loom}")
        two = ""
        if executions > LONG:
            measured = [whole_tree(test, jobs=2) for _ in range(ROUNDS)]
            if any(one[0] != executions for one in measured):
                sys.exit(f"{test}: refrain made {executions} executions on one core, and {measured} on two")
            two = f"{statistics.median(rate(one) for one in measured) / ours:.2f}"
        total = f"{executions / ours:.2f} s"
        row(f"  {test}", f"{executions:,}", f"{ours:,.0f}/s", f"{theirs:,.0f}/s", f"{ours / theirs:.2f}", total, two)


main()
