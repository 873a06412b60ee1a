"""Measures Refrain's rates on this machine, next to other simulators', and prints their ratios. Asserts nothing.

`bench.py guard` only measures what the seccomp filter costs."""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROUNDS = 3
RUNS = {
    "isolated": 4_000,
    "many_round_trips": 10,
    "bulk": 4,
}
ROUND_TRIPS = 100_000  # in one run; this and the next as harness/bench says
BULK_BYTES = 256 << 20
# A tenth of the runs suffices for turmoil, whose round trips are slow. The second time with the latencies of Refrain's network.
OTHERS = {"madsim": ["madsim"], "turmoil": ["turmoil"], "turmoil, near": ["turmoil", "near"]}
# The same programs in tests without a seccomp filter. No name may contain another test's, for a command takes all that match.
UNGUARDED = {"isolated": "unguarded_runs", "many_round_trips": "unguarded_round_trips"}
# A cost of few percent is to be told from nothing. So the round trips have more runs here: what an exploration costs that makes one run, which
# is recorded twice, is several times that of a run, and differs.
GUARD_ROUNDS = 7
GUARD_RUNS = {"isolated": 4_000, "many_round_trips": 60}


def timed(command):
    """The seconds that a command takes: wall time and CPU time."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{ended.stdout}{ended.stderr}")
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def explore(test, runs, jobs=1, *options):
    command = ["cargo", "refrain", "explore", test, "--package", "refrain-bench", "--features", "measure", "--release", "--seed", "1"]
    return timed([*command, "--runs", str(runs), "--jobs", str(jobs), *options])


def refrain(test, runs=None, *options):
    """Runs per second of CPU time, without the start-up cost that an exploration of one run takes."""
    runs = runs or RUNS[test]
    return runs / (explore(test, 1 + runs, 1, *options)[1] - explore(test, 1, 1, *options)[1])


def refrain_by_the_clock(jobs):
    runs = RUNS["isolated"] * jobs
    return runs / (explore("isolated", 1 + runs, jobs)[0] - explore("isolated", 1, jobs)[0])


def out(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def hosts(lines):
    """Seconds that all round trips took, by the number of pairs and of active pairs."""
    measured = {}
    for pairs, talking, seconds in map(str.split, lines.splitlines()):
        measured.setdefault((int(pairs), int(talking)), []).append(float(seconds))
    return {which: statistics.median(seconds) for which, seconds in measured.items()}


def hosts_of_refrain():
    explore("hosts", 1)
    target = json.loads(out(["cargo", "metadata", "--format-version", "1", "--no-deps"]))["target_directory"]
    return hosts(pathlib.Path(target, "tmp", "hosts").read_text())


def hosts_of_madsim():
    bench = ["--package", "refrain-bench", "--features", "measure", "--bin", "bench-madsim", "hosts"]
    return hosts(out(["cargo", "run", "--quiet", "--release", *bench]))


def build(name):
    command = ["cargo", "build", "--release", "--package", "refrain-bench", "--features", "measure", "--bin", f"bench-{name}"]
    timed(command)


def other(name, program):
    bench, *options = OTHERS[name]
    command = ["cargo", "run", "--quiet", "--release", "--package", "refrain-bench", "--features", "measure", "--bin", f"bench-{bench}", program]
    runs = max(1, RUNS[program] // (10 if bench == "turmoil" else 1))
    return runs / (timed([*command, str(runs), *options])[1] - timed([*command, "0"])[1])


def row(what, *values):
    print(f"{what:<46}" + "".join(f"{value:>18}" for value in values), flush=True)


def guard():
    """What the seccomp filter costs: rates with it and without, in turns, and the median of the rounds' ratios. Without it each run has a
    process of its own; with it, too, where that is asked for."""
    row(f"median of {GUARD_ROUNDS}, load {os.getloadavg()[0]:.1f}", "guarded", "guarded, forked", "unguarded")
    for test, what in [("isolated", "isolated runs"), ("many_round_trips", "round trips")]:
        each, runs = ROUND_TRIPS if test == "many_round_trips" else 1, GUARD_RUNS[test]
        ways = [(test,), (test, "--isolation", "fork"), (UNGUARDED[test],)]
        rounds = [[each * refrain(name, runs, *options) for name, *options in ways] for _ in range(GUARD_ROUNDS)]
        row(f"  {what}", *(f"{statistics.median(rates):,.0f}" for rates in zip(*rounds)))
        row("    to those without the guard", *(f"{statistics.median(rates[nth] / rates[2] for rates in rounds):.2f}" for nth in (0, 1)))


def main():
    for test in [*RUNS, *UNGUARDED.values()]:
        explore(test, 1)  # builds
    if sys.argv[1:] == ["guard"]:
        return guard()
    for bench, *_ in OTHERS.values():
        build(bench)

    row(f"median of {ROUNDS}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", "refrain", *OTHERS)
    row("a second of processor time:")
    for test, each, what in [
        ("isolated", 1, "isolated runs, 20 round trips each"),
        ("many_round_trips", ROUND_TRIPS, "round trips in one run"),
        ("bulk", BULK_BYTES, "bytes, 256 MiB one way"),
    ]:
        # They take turns, so that other load on the machine affects all of them.
        rounds = [[refrain(test), *(other(name, test) for name in OTHERS)] for _ in range(ROUNDS)]
        ours, *theirs = (each * statistics.median(one) for one in zip(*rounds))
        row(f"  {what}", f"{ours:,.0f}", *(f"{one:,.0f}" for one in theirs))
        row("    refrain to it", "", *(f"{ours / one:.2f}" for one in theirs))
    guard()
    ours, madsim = hosts_of_refrain(), hosts_of_madsim()
    for pairs, talking in ours:
        each = [(one[pairs, talking], one[pairs, talking] / one[5, 5] - 1) for one in (ours, madsim)]
        row(f"  round trips of {talking} pairs among {2 * pairs:,} hosts", *(f"{ROUND_TRIPS / s:,.0f}" for s, _ in each))
        row("    cost of one, against 5 pairs among 10 hosts", *(f"{growth:+.1%}" for _, growth in each))

    row("a second by the clock:")
    rounds = [[refrain_by_the_clock(1), refrain_by_the_clock(2)] for _ in range(ROUNDS)]
    one, two = (statistics.median(jobs) for jobs in zip(*rounds))
    row("  isolated runs, 1 job", f"{one:,.0f}")
    row("  isolated runs, 2 jobs", f"{two:,.0f}")
    row("    2 jobs to 1", f"{two / one:.2f}")


main()
