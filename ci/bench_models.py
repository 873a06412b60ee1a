"""Measures the search for interleavings next to plain loom and plain shuttle on the same models, and prints the ratios.

Nothing is asserted but that both make the same executions. Rates are per second of processor time, so that what else the
machine does counts for little, and between two lengths, so that what a start costs counts for nothing. Only what two
workers gain is by the clock: that needs two idle cores."""

import json
import os
import socket
import statistics
import subprocess
import sys
import time

RIGHT = ["refcount_2", "refcount_3", "refcount_4", "pool_2", "pool_3", "mutex_3x2"]
WRONG = ["refcount_2_wrong", "refcount_3_wrong", "refcount_4_wrong", "pool_2_wrong", "pool_3_wrong"]
SEEDS = range(1, 21)
ROUNDS = 3
SAMPLES = (32_000, 320_000)  # executions that the sampling engines are timed for
LONG = 20_000  # executions from which on two cores are worth it
SHORT = 1_000  # executions up to which a search says nothing about a rate
ALL = 1_000_000_000  # more executions than any of these models has
PACKAGE = ["--package", "refrain-bench", "--features", "measure", "--release"]


def executables():
    """The paths of the programs on plain engines and of the test executable, as cargo reports them."""
    found = {}
    for command in (["build", "--bins"], ["test", "--test", "models", "--no-run"]):
        built = subprocess.run(
            ["cargo", command[0], *PACKAGE, *command[1:], "--message-format", "json"], stdout=subprocess.PIPE, text=True
        )
        if built.returncode != 0:
            sys.exit(built.returncode)
        for message in map(json.loads, built.stdout.splitlines()):
            if message.get("executable"):
                found[message["target"]["name"]] = message["executable"]
    return found


BUILT = executables()


def timed(start):
    """The output of the process that `start` starts, and its seconds: wall time, and CPU time including its children."""
    started = time.perf_counter()
    process, output = start()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{process.args} failed: {output}")
    return output, time.perf_counter() - started, used.ru_utime + used.ru_stime


def plain(engine, *arguments):
    """The number of executions of a plain engine, and the seconds."""

    def start():
        command = [BUILT[engine], *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return process, process.stdout.read()

    output, clock, used = timed(start)
    return int(output.split()[0]), clock, used


def explore(test, seed, runs=None, jobs=1):
    """The output of `cargo refrain explore`, and the seconds; without cargo, whose own time would be added."""
    budget = {"runs": runs} if runs else "of_test"
    request = {"explore": {"seed": seed, "budget": budget, "jobs": jobs}}

    def start():
        ours, theirs = socket.socketpair()
        command = [BUILT["models"], "--exact", test, "--test-threads=1", "--nocapture"]
        role = {**os.environ, "REFRAIN_ROLE": "command"}
        process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=role)
        theirs.close()
        with ours, ours.makefile("rw") as lines:
            lines.write(json.dumps(request) + "\n")
            lines.flush()
            output = [message["done"] for message in map(json.loads, lines) if "done" in message]
        return process, output

    (outcome,), clock, used = timed(start)
    if "explored" not in outcome:
        sys.exit(f"{test}: {outcome}")
    explored = outcome["explored"]
    return explored, clock, used


def scheduler(how):
    """What the program on plain shuttle calls a scheduler."""
    sampler = how["sampled"]
    if sampler == "directed":
        return "random"  # plain shuttle has none that is directed at conflicts
    return sampler if isinstance(sampler, str) else f"pct-{sampler['pct']}"


def sampled(test, runs):
    """CPU seconds per number of executions: ours, and shuttle's with the same schedulers."""
    explored, _, ours = explore(f"shuttle::{test}", 1, runs)
    theirs = 0
    for engine in explored["engines"]:
        executions = engine["executions"]
        made, _, used = plain("bench-shuttle", test, executions, 1, scheduler(engine["how"]))
        if made != executions:
            sys.exit(f"{test}: refrain made {executions} executions, shuttle {made}")
        theirs += used
    return ours, theirs


def whole_tree(test, jobs):
    """Executions and seconds of the last search, which is the longest by far, and of the earlier ones."""
    explored, clock, used = explore(f"loom::{test}", 1, ALL, jobs)
    last = explored["engines"][-1]
    if last["end"] != "complete":
        sys.exit(f"{test}: {last}")
    return last["executions"], sum(engine["executions"] for engine in explored["engines"]), last["took_ms"] / 1000, used


def row(what, *values):
    print(f"{what:<30}" + "".join(f"{value:>16}" for value in values), flush=True)


def main():
    row("executions to the first find", "refrain", "loom", "shuttle", "to the better")  # the mean of the seeds'
    for test in WRONG:
        ours = statistics.mean(explore(test, seed)[0]["runs"] for seed in SEEDS)
        loom, _, _ = plain("bench-loom", test)
        shuttle = statistics.mean(plain("bench-shuttle", test, 100_000, seed)[0] for seed in SEEDS)
        row(f"  {test}", f"{ours:,.1f}", f"{loom:,}", f"{shuttle:,.1f}", f"{ours / min(loom, shuttle):.2f}")

    row("shuttle, executions a second", "refrain", "shuttle", "ratio")
    few, many = SAMPLES
    for test in RIGHT:
        rounds = []
        for _ in range(ROUNDS):
            short, long = sampled(test, few), sampled(test, many)
            rounds.append([(many - few) / (after - before) for before, after in zip(short, long)])
        ours, theirs = (statistics.median(one) for one in zip(*rounds))
        row(f"  {test}", f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.2f}")

    busy = os.getloadavg()[0] - 1  # without what was just measured
    row("loom, executions a second", "refrain", "loom", "ratio", "whole tree", "total", " two cores to one")
    for test in RIGHT:
        rounds = [(whole_tree(test, jobs=1), plain("bench-loom", test)) for _ in range(ROUNDS)]
        executions, all_of_ours = rounds[0][0][:2]
        if any(theirs[0] != executions for _, theirs in rounds):
            sys.exit(f"{test}: refrain made {executions} executions, loom {rounds[0][1][0]}")
        alone = statistics.median(ours[2] for ours, _ in rounds)
        if executions <= SHORT:
            row(f"  {test}", "", "", "", f"{executions:,}", f"{alone:.2f} s")
            continue
        ours = statistics.median(all_of_ours / ours[3] for ours, _ in rounds)
        theirs = statistics.median(executions / theirs[2] for _, theirs in rounds)
        two = ""
        if executions > LONG:
            measured = [whole_tree(test, jobs=2) for _ in range(ROUNDS)]
            if any(one[0] != executions for one in measured):
                sys.exit(f"{test}: refrain made {executions} executions on one core, and {measured} on two")
            two = f"{alone / statistics.median(one[2] for one in measured):.2f}"
        row(f"  {test}", f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.2f}", f"{executions:,}", f"{alone:.2f} s", two)
    if busy > 0.5:
        print(f"others kept {busy:.1f} processors busy: what two cores gain is more than this says")


main()
