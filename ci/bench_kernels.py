"""Prints the number of executions until the first failure in thread kernels with published bugs: refrain's, and each peer's.

A peer is a single engine at 10,000 executions. The numbers are medians over the seeds, and count every execution of the kernel.
Nothing is asserted; the last lines list the kernels in which refrain needs more executions than the best peer."""

import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys

SEEDS = range(1, int(os.environ.get("SEEDS", 10)) + 1)
EXECUTIONS = 10_000
PREEMPTIONS = 2
SCHEDULERS = {"random": "random", "PCT 3": "pct-3", "URW": "walk"}
NEVER = float("inf")
KERNELS = pathlib.Path("harness/bench/kernels/mod.rs")
PACKAGE = ["--package", "refrain-bench", "--features", "measure", "--release"]


def executables():
    """The paths of the programs on plain engines and of the test executable, as cargo reports them."""
    found = {}
    for command in (["build", "--bin", "bench-loom", "--bin", "bench-shuttle"], ["test", "--test", "models", "--no-run"]):
        built = subprocess.run(
            ["cargo", command[0], *PACKAGE, *command[1:], "--message-format", "json"], stdout=subprocess.PIPE, text=True
        )
        if built.returncode != 0:
            sys.exit(built.returncode)
        for message in map(json.loads, built.stdout.splitlines()):
            if message.get("executable"):
                found[message["target"]["name"]] = message["executable"]
    return found


def plain(executable, *arguments):
    """The number of executions of a peer up to the first that fails."""
    command = [executable, *map(str, arguments)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    words = ran.stdout.split()
    if ran.returncode != 0 or len(words) != 3:
        sys.exit(f"{command} failed: {ran}")
    return int(words[0]) if words[2] == "failed" else NEVER


def refrain(executable, kernel, seed):
    """The number of executions of refrain up to the first that fails, with the budget of a test."""
    ours, theirs = socket.socketpair()
    command = [executable, "--exact", f"wrong::{kernel}", "--test-threads=1", "--nocapture"]
    role = {**os.environ, "REFRAIN_ROLE": "command"}
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=role)
    theirs.close()
    with ours, ours.makefile("rw") as lines:
        lines.write(json.dumps({"explore": {"seed": seed, "budget": "of_test", "jobs": 1}}) + "\n")
        lines.flush()
        (outcome,) = [message["done"] for message in map(json.loads, lines) if "done" in message]
    process.wait()
    if "explored" not in outcome:
        sys.exit(f"{kernel}: {outcome}")
    explored = outcome["explored"]
    return explored["runs"] if explored["caught"] else NEVER


def shown(median):
    return "-" if median == NEVER else f"{median:g}"


def main():
    built = executables()
    kernels = re.findall(r'\("(\w+)", ', KERNELS.read_text())
    peers = [f"loom, {PREEMPTIONS} preemptions", *SCHEDULERS]
    print(f"{'executions to the first find, median':<38}" + "".join(f"{name:>22}" for name in ["refrain", *peers]))
    later = []
    for kernel in kernels:
        ours = statistics.median(refrain(built["models"], kernel, seed) for seed in SEEDS)
        theirs = [plain(built["bench-loom"], kernel, EXECUTIONS, PREEMPTIONS)]
        for scheduler in SCHEDULERS.values():
            finds = (plain(built["bench-shuttle"], kernel, EXECUTIONS, seed, scheduler) for seed in SEEDS)
            theirs.append(statistics.median(finds))
        if ours > min(theirs):
            later.append(f"{kernel} ({shown(ours)} to {shown(min(theirs))})")
        print(f"  {kernel:<36}" + "".join(f"{shown(median):>22}" for median in [ours, *theirs]), flush=True)
    print(f"refrain needs at most as many executions as the best peer in {len(kernels) - len(later)} of {len(kernels)} kernels")
    if later:
        print(f"it needs more in: {', '.join(later)}")


main()
