"""Checks that the documents match the tree. Prints each problem as file:line, and exits with 1 if there is any."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

# Files that git would commit: tracked, or new and not ignored.
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True, text=True
).stdout.splitlines()
FILES = sorted(name for name in set(LISTED) if Path(name).is_file())
DOCUMENTS = [name for name in FILES if name.endswith(".md")]
MAP = "ARCHITECTURE.md"
LOCK = "harness/crates/Cargo.lock"
PROBLEMS = []


def wrong(file, line, what):
    PROBLEMS.append(f"{file}:{line}: {what}")


def text(name):
    return Path(name).read_text(encoding="utf-8", errors="replace")


def blocks(name, kind, prefix=""):
    """The fenced blocks of one kind: (line of the first line, lines). `prefix` is the comment marker, such as `//!`."""
    found, lines, inside, start = [], [], None, 0
    for number, raw in enumerate(text(name).splitlines(), 1):
        if not raw.startswith(prefix):
            inside = None
            continue
        line = raw.removeprefix(prefix).removeprefix(" " if prefix else "")
        if not line.startswith("```"):
            lines.append(line)
        elif inside is None:
            inside, start, lines = line[3:].strip(), number + 1, []
        else:
            if inside.split(",")[0] == kind:
                found.append((start, lines))
            inside, lines = None, []
    return found


def mapped():
    """The directories of the map, each with its line."""
    paths = {}
    for start, lines in blocks(MAP, "map"):
        above = []
        for number, line in enumerate(lines, start):
            depth, folder = (len(line) - len(line.lstrip())) // 2, line.split()[0]
            above = above[:depth] + [folder]
            paths["".join(above)] = number
    return paths


def check_map():
    """The directories of the map exist, and every crate and every directory in a crate's `src/` is on it."""
    paths = mapped()
    for path, number in paths.items():
        if not any(file.startswith(path) for file in FILES):
            wrong(MAP, number, f"the map names {path}, which does not exist")
    for crate in (name.removesuffix("Cargo.toml") for name in FILES if name.endswith("Cargo.toml")):
        sources = [name for name in FILES if name.startswith(f"{crate}src/") and name.endswith(".rs")]
        folders = {crate + "/".join(name.removeprefix(crate).split("/")[:2]) + "/" for name in sources if name.count("/", len(crate)) > 1}
        for folder in sorted(folders | {f"{crate}src/"}):
            if folder not in paths:
                wrong(MAP, 1, f"the map does not have {folder}")


def check_first_sentences():
    """The first sentence of every source file states its purpose."""
    included = re.compile(r'include!\("([^"]+)"\)')
    pieces = {str(Path(name).parent / piece) for name in FILES if name.endswith(".rs") for piece in included.findall(text(name))}
    for name in FILES:
        if name.endswith(".rs") and name not in pieces and not re.match(r"//! \S", text(name)):
            wrong(name, 1, "does not say what it is for: it has to begin with `//! `")
        if name.startswith("ci/") and name.endswith(".py") and not text(name).startswith('"""'):
            wrong(name, 1, "does not say what it is for: it has to begin with a docstring")


def check_paths():
    """Every path in backticks or in a link exists, and so does every trace that is mentioned anywhere."""
    roots = {name.split("/")[0] for name in FILES if "/" in name}
    for name in DOCUMENTS:
        for number, line in enumerate(text(name).splitlines(), 1):
            quoted = [word for word in re.findall(r"`([^`\s]+)`", line) if word.split("/")[0] in roots and "/" in word]
            links = [link for link in re.findall(r"\]\(([^)#\s]+)", line) if ":" not in link]
            traces = re.findall(r"[\w./-]*traces/[\w.-]+\.jsonl", line)
            for path in quoted + links:
                exists = Path(path).exists() or (path in links and (Path(name).parent / path).exists())
                if not any(sign in path for sign in "*<>{}$") and not exists:
                    wrong(name, number, f"names {path}, which does not exist")
            for path in traces:
                if not any(file.endswith(path) for file in FILES):
                    wrong(name, number, f"names {path}, which does not exist")


def check_book():
    """The reference in the book has every kind of fault, as the code documents it, and every class of failure."""
    faults, verdicts = text("book/src/faults.md"), text("book/src/verdicts.md")
    for name in FILES:
        if re.match(r"harness/core/src/plan/fault/\w+\.rs", name):
            row = re.search(r'documented!\(\s*"([^"]+)",\s*"([^"]+)"', text(name))
            if row and f"| `{row[1]}` | {row[2]} |" not in faults:
                wrong("book/src/faults.md", 1, f"does not have the row of `{row[1]}`, as {name} documents it")
    classes = re.search(r"pub enum Class \{(.*?)\n\}", text("harness/core/src/verdict.rs"), re.S)[1]
    for variant in re.findall(r"^    (\w+),$", classes, re.M):
        word = re.sub(r"(?<!^)(?=[A-Z])", "-", variant).lower()
        if f"| `{word}` |" not in verdicts:
            wrong("book/src/verdicts.md", 1, f"does not have the class `{word}`")


def check_commands():
    """Every command of the README is run by a script of ci/."""
    scripts = "\n".join(text(name) for name in FILES if name.startswith("ci/"))
    for start, lines in blocks("README.md", "sh"):
        if "ci/readme" in FILES:
            break
        for number, line in enumerate(lines, start):
            if line.strip() and line.strip() not in scripts:
                wrong("README.md", number, f"no script of ci/ runs {line.strip()!r}")
    test = "cargo test --workspace"
    if test not in text("ci/test").splitlines():
        wrong("ci/test", 1, f"does not run {test!r}, as the README says")
    if not any(test in lines for _, lines in blocks("README.md", "sh")):
        wrong("README.md", 1, f"does not give the command {test!r}")
    for name in FILES:
        if re.fullmatch(r"ci/\w+", name):
            first = text(name).splitlines()[1:2]
            if not first or not first[0].startswith("# "):
                wrong(name, 2, "does not say its one job in its first comment")
            if not re.search(r"^set -eu", text(name), re.M):
                wrong(name, 1, "goes on after a failure: `set -eu` is missing")
            if "ci/all" != name and not re.search(rf"\b{name[3:]}\b", text("ci/all") + text("CONTRIBUTING.md")):
                wrong(name, 1, "neither ci/all runs it nor CONTRIBUTING.md tells of it")


def check_traces():
    """Every saved trace belongs to an existing test, and every captured failure is that of its trace."""
    for name in FILES:
        if re.search(r"(^|/)traces/[^/]+\.jsonl$", name) and not name.startswith("harness/core/tests/"):
            package = name[: name.rindex("traces/")]
            test = json.loads(text(name).splitlines()[0])["test"].split("::")[-1]
            # The book has its test in a chapter.
            kind = ".md" if package == "book/" else ".rs"
            sources = [file for file in FILES if file.endswith(kind) and file.startswith(package)]
            if not any(re.search(rf"\bfn {test}\(", text(file)) for file in sources):
                wrong(name, 1, f"belongs to the test {test}, which does not exist")
    for name in DOCUMENTS:
        check_captured(name, blocks(name, "console"))
    tutorial = "harness/refrain/src/lib.rs"
    check_captured(tutorial, blocks(tutorial, "console", "//!"))


def check_captured(name, consoles):
    for start, lines in consoles:
        lines = [line.strip() for line in lines]
        whole = "\n".join(lines)
        failed = re.search(r"^FAILED (\S+): (.*)$", whole, re.M)
        saved = re.search(r"(\S*traces/\S+\.jsonl)", whole)
        if not failed or not saved:
            continue
        trace = next((file for file in FILES if file.endswith(saved[1])), None)
        if trace is None:
            wrong(name, start, f"shows the failure of {saved[1]}, which does not exist")
            continue
        # The test `captured_failures_are_those_of_their_traces` checks that it is shown as the report formats it.
        if failed[1] != json.loads(text(trace).splitlines()[0])["failure"]["class"]:
            wrong(name, start, f"shows another failure than {trace} holds")


def check_tutorial():
    """The code shown in the tutorial is identical to the tested code."""
    echo = "harness/refrain/examples/echo/"
    tested = ["\n".join(text(name).splitlines()) for name in FILES if name.startswith(echo) and name.endswith(".rs")]
    page = "harness/refrain/src/lib.rs"
    shown = [(page, *block) for block in blocks(page, "no_run", "//!")]
    shown += [("README.md", *block) for block in blocks("README.md", "rust")]
    for name, start, lines in shown:
        code = "\n".join(line for line in lines if line != "#" and not line.startswith("# "))
        for piece in code.strip("\n").split("\n\n"):
            if not any(piece in whole for whole in tested):
                wrong(name, start, f"shows code that {echo} does not hold:\n{piece}")


def check_versions():
    version = re.search(r'^version = "(.*)"$', text("Cargo.toml"), re.M)[1]
    if not re.search(rf"^## {re.escape(version)}\b", text("CHANGELOG.md"), re.M):
        wrong("CHANGELOG.md", 1, f"does not tell of version {version}")


def check_locked():
    """The lock file of the exchanges with crates has what the harness depends on: otherwise `ci/crates` finds it changed."""
    locked = {package["name"]: package for package in tomllib.loads(text(LOCK))["package"]}
    for name in FILES:
        if not re.fullmatch(r"harness/\w+/Cargo.toml", name):
            continue
        manifest = tomllib.loads(text(name))
        package = locked.get(manifest.get("package", {}).get("name"))
        if package is None or "source" in package:
            continue
        has = {entry.split()[0] for entry in package.get("dependencies", [])}
        for key, what in manifest.get("dependencies", {}).items():
            what = what if isinstance(what, dict) else {}
            if what.get("optional"):
                continue
            # tokio itself has another name there.
            wanted = what.get("package", key)
            if wanted != "tokio" and wanted not in has:
                wrong(LOCK, 1, f"{package['name']} depends on {wanted}: run ci/crates, and commit the lock file that it leaves")


def check_forbidden():
    """No file contains a path of the machine on which it was written."""
    here = re.escape(str(Path.cwd()))
    home = r"/(?:home|Users|root)/[\w.-]+"
    # Program output and documents contain no absolute paths except those that exist on any system.
    absolute = r"(?<![\w.:/~*$}>-])/(?!dev/|proc/|etc/|usr/bin/)[a-z][\w.-]*/[\w.-]+"
    for name in FILES:
        written = name.endswith((".snap", ".jsonl", ".md", ".toml", ".yml"))
        pattern = re.compile("|".join([here, home] + ([absolute] if written else [])))
        if name == "ci/documents.py" or name.startswith("LICENSE"):
            continue
        for number, line in enumerate(text(name).splitlines(), 1):
            for path in pattern.findall(line):
                wrong(name, number, f"names {path}, which is a path of one machine")


def main():
    checks = (
        check_map, check_first_sentences, check_paths, check_book, check_commands, check_traces, check_tutorial, check_versions, check_locked,
        check_forbidden,
    )  # fmt: skip
    for check in checks:
        check()
    print("\n".join(PROBLEMS) or f"{len(DOCUMENTS)} documents match {len(FILES)} files")
    sys.exit(1 if PROBLEMS else 0)


main()
