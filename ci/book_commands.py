"""Runs the commands of the book, and compares what they print with what it shows.

Of the fenced blocks, `sh` has commands, which exit with 0. `console` has commands after `$ `, each followed by what it prints: a line `...` stands
for any lines, durations may differ, and what is said of progress is left out. A block of code whose first line is a comment with a path is
of that file: the tutorial writes the file, and elsewhere it is a part of one. A `diff` is applied."""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from shutil import copyfile

INCLUDE = re.compile(r"\{\{#include ([^}\s]+)\}\}")
# A build of the tutorial's service, with other work beside it.
COMMAND_S_MAX = 3600
PROGRESS = re.compile(r" *(Adding|Blocking|Compiling|Doc-tests|Downloaded|Downloading|Finished|Locking|Running|Updating) |note: the slots of this machine ")
# A run prints less with its backtrace left out, and no failure is annotated.
UNSET = ("RUST_BACKTRACE", "GITHUB_ACTIONS", "CARGO_TARGET_DIR")


class Failed(Exception):
    """A command that does not do what the book shows."""


class Folder:
    """Where commands run, one after the other, as in one terminal."""

    def __init__(self, at, names):
        """`names` are parts of what is printed, each with what the book shows in its place."""
        self.at, self.names, self.commands = Path(at), names, 0
        kept = {name: value for name, value in os.environ.items() if name not in UNSET}
        self.environment = {**kept, "CARGO_TERM_COLOR": "never"}

    def run(self, commands):
        """Executes lines of a shell, keeps its folder, and returns the exit code and what was printed."""
        with tempfile.NamedTemporaryFile("r") as left:
            script = f"trap 'pwd >{left.name}' EXIT\n{commands}"
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script], cwd=self.at, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=COMMAND_S_MAX,
            )  # fmt: skip
            self.at = Path(left.read().strip() or self.at)
        self.commands += 1
        printed = done.stdout
        for name, shown in self.names.items():
            printed = printed.replace(name, shown)
        return done.returncode, printed

    def do(self, kind, lines):
        """Does what a block says."""
        if kind == "sh":
            code, printed = self.run("\n".join(lines))
            if code != 0:
                raise Failed(f"exits with {code}:\n{printed}")
        elif kind == "console":
            for command, shown in asked(lines):
                _, printed = self.run(command)
                if not matches(shown, printed.splitlines()):
                    raise Failed("\n".join([f"`{command}` does not print", *shown, "but", printed]))
        elif kind == "diff":
            patched = subprocess.run(["patch", "-p1", "--fuzz=0"], cwd=self.at, input="\n".join(lines) + "\n", capture_output=True, text=True)
            if patched.returncode != 0:
                raise Failed(f"cannot be applied:\n{patched.stdout}{patched.stderr}")
        elif name := named(lines):
            self.file(name, lines)

    def file(self, name, lines):
        """A block that is a part of a file."""
        code = "\n".join(lines[1:])
        whole = "\n".join(line.strip() for line in (self.at / name).read_text(encoding="utf-8").splitlines())
        if "\n".join(line.strip() for line in code.splitlines()) not in whole:
            raise Failed(f"{name} has no such lines:\n{code}")


class NewFolder(Folder):
    """An empty folder, in which a service is made with the command of this clone."""

    def __init__(self, at, names, clone):
        super().__init__(at, names)
        self.environment["PATH"] = f"{clone / 'target/debug'}:{os.environ['PATH']}"
        self.lock = clone / "book/tutorial.lock"

    def run(self, commands):
        code, printed = super().run(commands)
        # Other versions of the dependencies may have other runs.
        if (self.at / "Cargo.toml").exists() and not (self.at / "Cargo.lock").exists():
            copyfile(self.lock, self.at / "Cargo.lock")
        return code, printed

    def file(self, name, lines):
        (self.at / name).parent.mkdir(parents=True, exist_ok=True)
        (self.at / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def named(lines):
    """The path that a block of code begins with, as a comment."""
    found = re.fullmatch(r"(?://|#) ([\w./-]+\.\w+)", lines[0]) if lines else None
    return found and found[1]


def asked(lines):
    """The commands of a console, each with the lines that it prints."""
    sessions = []
    for line in lines:
        if line.startswith("$ "):
            sessions.append((line[2:], []))
        elif not sessions:
            raise Failed("begins with no command")
        else:
            sessions[-1][1].append(line)
    return sessions


def matches(shown, printed):
    """Whether the lines that are shown, some of them `...`, are those that were printed."""
    alike = [[figure(line.rstrip()) for line in lines if line.strip() and not PROGRESS.match(line)] for lines in (shown, printed)]
    text = "\n".join(alike[1]) + "\n"
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n" for line in alike[0])
    return re.fullmatch(pattern, text) is not None


def figure(line):
    """A line without what depends on the speed of the machine."""
    return re.sub(r"\bfinished in \d+\.\d+s\b", "finished in TIME", line)


def blocks(file):
    """The fenced blocks of a chapter and of what it includes: (where, kind, lines)."""
    text = INCLUDE.sub(lambda found: (file.parent / found[1]).read_text(encoding="utf-8"), file.read_text(encoding="utf-8"))
    inside, found = None, []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("```"):
            if inside:
                inside[2].append(line)
        elif inside:
            found.append(inside)
            inside = None
        else:
            inside = (f"{file}:{number}", line[3:].split(",")[0].strip(), [])
    return found


def follow(folder, found):
    """Does what blocks say, in order: the number of commands, and the first problem."""
    for where, kind, lines in found:
        try:
            folder.do(kind, lines)
        except Failed as failed:
            return folder.commands, f"{where}: {failed}"
    return folder.commands, None


def of_chapters(sources):
    """Runs what all chapters but the tutorial show, in this clone."""
    found = [block for file in sorted(sources.rglob("*.md")) if file.name != "tutorial.md" for block in blocks(file)]
    if not any(kind in ("sh", "console") for _, kind, _ in found):
        return 0, f"no chapter in {sources} has a command"
    return follow(Folder(".", {f"{Path.cwd()}/": ""}), found)


def of_tutorial(file):
    """Follows the tutorial from an empty folder that has nothing but a clone of this repository beside it."""
    found = blocks(file)
    if not any(kind == "console" for _, kind, _ in found):
        return 0, f"{file} has no console"
    with tempfile.TemporaryDirectory() as work:
        work, clone = Path(work).resolve(), Path.cwd()
        (work / "refrain").symlink_to(clone)
        names = {f"{work}/": "", os.path.relpath(clone, work / "shop"): "../refrain"}
        return follow(NewFolder(work, names, clone), found)
