"""Runs the README's two commands in a fresh clone, and prints their time and disk space, next to the limits."""

import os
import resource
import subprocess
import sys
import tempfile
import time

EXPLORE = ["cargo", "refrain", "explore", "--seed", "1"]
TEST = ["cargo", "test", "--workspace"]
TAIL = 40  # lines of a command that fails


def processor_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command):
    """Seconds until the first result and until the end, and CPU seconds. Result lines are indented; executables' names are not."""
    started, used, first = time.monotonic(), processor_s(), None
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if first is None and line.startswith("  "):
                first = time.monotonic() - started
        if process.wait() != 0:
            complaints.seek(0)
            last = complaints.readlines()[-TAIL:] + lines[-TAIL:]
            sys.exit("".join(last) + f"\n{' '.join(command)} failed with exit code {process.returncode}")
    return first, time.monotonic() - started, processor_s() - used


def megabytes(folder):
    return int(subprocess.run(["du", "-sm", folder], stdout=subprocess.PIPE, check=True, text=True).stdout.split()[0])


def main():
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    print(f"{'':<44}{'measured':>12}{'bound':>12}{'processor':>12}", flush=True)
    missed = []

    def row(what, value, bound, unit, used=None):
        print(f"{what:<44}{value:>9,.0f} {unit:<2}{bound:>9,} {unit:<2}" + (f"{used:>9,.0f} s" if used is not None else ""), flush=True)
        if value >= bound:
            missed.append(what)

    first, end, used = run(EXPLORE)
    row("first result of `cargo refrain explore`", first, 240, "s")
    row("end of `cargo refrain explore`", end, 420, "s", used)
    _, tested, used = run(TEST)
    row("`cargo test --workspace` after it", tested, 180, "s", used)
    row("target/ after both", megabytes("target"), 2_000, "MB")
    if missed:
        sys.exit("beyond its bound: " + ", ".join(missed))


main()
