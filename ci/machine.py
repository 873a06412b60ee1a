"""Compares what runs of one plan read of their machine, and checks or saves the table of it: `machine.py [--debug] [--save]`, in harness/crates."""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

TABLE = Path("MACHINE.md")
TEST = "reads_its_machine"
SEEDS = range(6)
ADDR_NO_RANDOMIZE = 0x0040000
NOBODY = 65534
WITHOUT_PROCESSORS_CHANCE = "~0x4000000000000000:~0x40000"  # as harness/refrain/src/worker/pool.rs
HEAD = """# What crates read of their machine

What `ci/machine` ran last: a run reads each of these, and other processes execute its plan. The builds were: {builds}. *Another
machine* is another user with another environment, host name, path, home and temporary directory, in a namespace
of processes of its own.

| source | version | two processes | with random addresses | another machine | other seeds |
|---|---|---|---|---|---|
"""


def without_random_addresses():
    if ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE) < 0:
        raise OSError("this system lets nobody disable address space randomisation")


class Worker:
    """A process that executes runs, started as the test's own process starts it."""

    def __init__(self, command, environment, prepare=None, cwd=None):
        ours, theirs = socket.socketpair()
        role = {"REFRAIN_ROLE": "worker", "RUST_BACKTRACE": "0", "OPENSSL_ia32cap": WITHOUT_PROCESSORS_CHANCE}
        command = [*command, "--exact", TEST, "--test-threads=1", "--nocapture"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, stdin=theirs, env=environment | role, preexec_fn=prepare, cwd=cwd, **quiet)
        theirs.close()
        self.socket, self.lines = ours, ours.makefile("r")

    def saw(self, seed):
        """What the run of a seed has read: each source's name and value."""
        job = {"record": {"source": {"seed": seed}, "until": None}}
        self.socket.sendall((json.dumps(job) + "\n").encode())
        line = self.lines.readline()
        if not line:
            sys.exit(f"a worker ended: {self.process.stderr.read().decode()}")
        ran = json.loads(line)["ran"]
        if ran["verdict"] != "passed":
            sys.exit(f"a run did not pass: {json.dumps(ran['verdict'])}")
        values = (event["kind"]["saw"]["value"] for event in ran["events"] if "saw" in event["kind"])
        return dict(value.split(": ", 1) for value in values)

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.process.wait()


def executable(options):
    command = ["cargo", "test", "--no-run", "--package", "machine", "--message-format", "json-render-diagnostics", *options]
    built = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    messages = map(json.loads, built.stdout.splitlines())
    return next(message["executable"] for message in messages if message.get("executable"))


def on_another_machine(program, folder):
    """The command, environment and directory of a worker that finds nothing of this machine but its kernel."""
    copy = shutil.copy(program, folder)
    home = folder / "a hôme"
    home.mkdir(exist_ok=True)
    os.chmod(folder, 0o755)
    os.chmod(home, 0o777)
    namespaces = ["unshare", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.getuid() != 0:
        namespaces.insert(1, "--map-root-user")
    user = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups" if os.getuid() == 0 else ""
    script = f'echo another-machine >/proc/sys/kernel/hostname && exec {user} "$@"'
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "CARGO_HOME": str(home), "LANG": "C", "USER": "nobody"}
    return [*namespaces, "sh", "-c", script, "sh", copy], environment, home


def compare(options, folder):
    """Of each source: whether each kind of process reads the same, and how many values the seeds have."""
    program = executable(options)
    usual = dict(os.environ)
    other, environment, home = on_another_machine(program, folder)
    one, two = (Worker([program], usual, without_random_addresses) for _ in range(2))
    others = [
        two,
        Worker([program], usual),
        Worker(other, environment, without_random_addresses, home),
    ]
    rows, values = {}, {}
    for seed in SEEDS:
        # The others have executed other runs before.
        for worker in others:
            worker.saw(1000 + seed)
        read = one.saw(seed)
        theirs = [worker.saw(seed) for worker in others]
        for name, value in read.items():
            same = [other[name] == value for other in theirs]
            rows[name] = [a and b for a, b in zip(rows.get(name, [True] * len(same)), same)]
            values.setdefault(name, set()).add(value)
    for worker in [one, *others]:
        worker.end()
    return {name: (same, len(values[name])) for name, same in rows.items()}


def versions():
    """The versions of each package that the machine's tests depend on: `rand 0.8` has its own."""
    listed = subprocess.run(
        ["cargo", "tree", "--package", "machine", "--depth", "1", "--edges", "normal", "--prefix", "none", "--format", "{p}"],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    return [line.split()[:2] for line in listed.splitlines()[1:]]


def version_of(name, packages):
    package, _, wanted = name.replace(",", "").partition(" ")
    wanted = wanted if wanted[:1].isdigit() else ""
    return next((v[1:] for p, v in packages if p == package and v[1:].startswith(wanted)), "")


def line(name, builds, packages):
    def cell(holds):
        if len(set(holds)) > 1:
            return "; ".join(f"{build}: {'the same' if held else 'differs'}" for build, held in zip(("debug", "release"), holds))
        return "the same" if holds[0] else "differs"

    cells = [cell([build[name][0][nth] for build in builds]) for nth in range(3)]
    counts = {build[name][1] for build in builds}
    seeds = {frozenset({1}): "the same", frozenset({len(SEEDS)}): "another for each"}.get(frozenset(counts), "another for some")
    if not all(build[name][0][0] for build in builds):
        seeds = "differs"
    return f"| {name} | {version_of(name, packages)} | {' | '.join(cells)} | {seeds} |\n"


def main():
    builds = {"debug": [], "release": ["--release"]}
    if "--debug" in sys.argv[1:]:
        del builds["release"]
    text = HEAD.format(builds=" and ".join(builds))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        builds = [compare(options, folder) for options in builds.values()]
    packages = versions()
    text += "".join(line(name, builds, packages) for name in builds[0])
    if "--save" in sys.argv[1:]:
        TABLE.write_text(text)
    print(text)
    if not TABLE.exists() or TABLE.read_text() != text:
        sys.exit(f"harness/crates/{TABLE} is not what ran: look at the rows, and run `ci/machine --save`")


main()
