"""Lists the public functions of tokio that a service may call in a simulation, from the sources that cargo built with."""

import json
import re
import subprocess
import sys
from pathlib import Path

LIST = Path("harness/selftest/tests/api/surface/tokio_functions.txt")
SOURCES = """
    net/lookup_host.rs net/tcp/listener.rs net/tcp/socket.rs net/tcp/split.rs net/tcp/split_owned.rs net/tcp/stream.rs net/udp.rs
    net/unix/datagram/socket.rs net/unix/listener.rs net/unix/socket.rs net/unix/socketaddr.rs net/unix/split.rs net/unix/split_owned.rs net/unix/stream.rs
    net/unix/ucred.rs
    runtime/handle.rs runtime/runtime.rs runtime/task/abort.rs runtime/task/error.rs runtime/task/id.rs runtime/task/join.rs
    signal/ctrl_c.rs signal/unix.rs
    sync/barrier.rs sync/broadcast.rs sync/mpsc/bounded.rs sync/mpsc/unbounded.rs sync/mutex.rs sync/notify.rs sync/once_cell.rs
    sync/oneshot.rs sync/rwlock.rs sync/rwlock/owned_read_guard.rs sync/rwlock/owned_write_guard.rs
    sync/rwlock/owned_write_guard_mapped.rs sync/rwlock/read_guard.rs sync/rwlock/write_guard.rs
    sync/rwlock/write_guard_mapped.rs sync/semaphore.rs sync/set_once.rs sync/watch.rs
    task/blocking.rs task/join_set.rs task/local.rs task/spawn.rs task/yield_now.rs
    time/instant.rs time/interval.rs time/sleep.rs time/timeout.rs
""".split()
# Modules of which types have the same names.
CHANNELS = re.compile(r"sync/(broadcast|mpsc|oneshot|watch)\b")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def tokio():
    """The package in Cargo.lock. Packages of other platforms may not be cached, and cargo would need the network for them."""
    host = re.search(r"^host: (.*)$", output("rustc", "-vV"), re.M)[1]
    metadata = json.loads(output("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host))
    return next(package for package in metadata["packages"] if package["name"] == "tokio")


def implemented(code):
    """The type of an `impl` line: `impl<'a, T> Type<T> {` implements `Type`."""
    rest = code.removeprefix("impl")
    if rest.startswith("<"):
        depth = 0
        for at, sign in enumerate(rest):
            depth += (sign == "<") - (sign == ">")
            if depth == 0:
                rest = rest[at + 1 :]
                break
    return re.match(r"\s*(\w+)", rest)[1]


def public_functions(source, text):
    """Their names, `Type::name` or `name`, from a source formatted by rustfmt. Types of Unix sockets that share their name with a
    type of TCP are called `unix::Type`."""
    of = ""
    module = "unix::" if source.startswith("net/unix/") else ""
    for line in text.splitlines():
        code = line.strip()
        # One within a function is of its own.
        if code.startswith("impl") and not line.startswith(" " * 8):
            of = "" if " for " in code else implemented(code)
            if of and not of.startswith("Unix"):
                of = module + of
        elif line.startswith("}"):
            of = ""
        elif function := re.match(r"pub (?:async |const )?fn (\w+)", code):
            yield f"{of}::{function[1]}" if of else function[1]


def main():
    package = tokio()
    sources = Path(package["manifest_path"]).with_name("src")
    names = [
        f"{channel[1]}::{name}" if (channel := CHANNELS.match(source)) else name
        for source in SOURCES
        for name in public_functions(source, (sources / source).read_text())
    ]
    listed = "\n".join([f"tokio {package['version']}", *names, ""])
    if sys.argv[1:] == ["--save"]:
        LIST.write_text(listed)
    elif not LIST.exists() or LIST.read_text() != listed:
        sys.exit(f"{LIST} is not of tokio {package['version']}: run `ci/tokio_functions --save`")
    print(f"{LIST} has the {len(names)} functions of tokio {package['version']}")


main()
