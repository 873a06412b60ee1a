"""Makes the table of crates from what `cargo test` said in harness/crates, and checks or saves it: `crates.py OUTPUT [--save]`."""

import json
import re
import sys
from pathlib import Path

CRATES = Path("harness/crates") if Path("harness/crates").is_dir() else Path(".")
TABLE = CRATES / "CRATES.md"
FAULTS_MAX = 2
HEAD = """# Crates in a simulation

What `ci/crates` ran last: an exchange between a client and a server, with faults, by the crate of the registry as it is.

| crate | version | exchange | outcome |
|---|---|---|---|
"""

WRONG = """
## Wrong uses

Services that use such a crate in a way which fails on a bad network: each is caught, and the plan is what its shrunk trace has. Repaired, none
fails.

| crate | what is wrong | caught as | with |
|---|---|---|---|
"""


def versions():
    """The highest version of each package that Cargo.lock has."""
    found = {}
    for name, version in re.findall(r'^name = "(.*)"\nversion = "(.*)"$', (CRATES / "Cargo.lock").read_text(), re.M):
        key = [int(part) if part.isdigit() else 0 for part in re.split(r"[.+-]", version)]
        found[name] = max(found.get(name, ([], "")), (key, version))
    return {name: version for name, (_, version) in found.items()}


def outcomes(output):
    """Of each module of the tests: whether all of them passed."""
    found = {}
    for module, test, outcome in re.findall(r"^test (\w+)::(\w+) \.\.\. (\w+)", output, re.M):
        found.setdefault(module, []).append((test, outcome))
    return found


def row(source, tests, known):
    """`//! `hyper`: what.` and, of a crate that is refused, `//! Refused: why.`"""
    first = re.match(r"//! `([\w-]+)`[:,] (.*)", source)
    if not first:
        sys.exit("a module of harness/crates/tests does not say in its first line which crate it is of")
    name, what = first[1], re.sub(r"[.:]$", "", first[2])
    refused = re.search(r"^//! Refused: (.*?)\.?$", source, re.M)
    failed = [test for test, outcome in tests if outcome != "ok"]
    if not tests or failed:
        outcome = "fails: " + (", ".join(failed) or "no test ran")
    else:
        outcome = f"refused: {refused[1]}" if refused else "runs"
    return outcome, f"| {name} | {known.get(name, '')} | {what} | {outcome} |\n"


def wrong_uses():
    """A row for each test of tests/defects that catches one: its crate, its documentation, its class, and the faults of its trace."""
    rows = ""
    for path in sorted((CRATES / "tests/defects").glob("*.rs")):
        if path.stem == "mod":
            continue
        source = path.read_text()
        crate = re.match(r"//! `([\w-]+)`: ", source)[1]
        for what, kind, test in re.findall(r'((?:^/// .*\n)+)^#\[.*expect = "(.*)"\)\]\nasync fn (\w+)', source, re.M):
            traces = list((CRATES / "traces").glob(f"defects.{path.stem}.{test}-*.jsonl"))
            if len(traces) != 1:
                sys.exit(f"{path}: {len(traces)} traces of {test} are saved, not 1")
            plan = json.loads(traces[0].read_text().splitlines()[0])["plan"]
            faults = [line for line in plan if not re.match(r"seed |\w+ = ", line)]
            if len(faults) > FAULTS_MAX:
                sys.exit(f"{traces[0]}: {len(faults)} faults and holds: shrink it")
            what = " ".join(line.removeprefix("/// ") for line in what.splitlines()).removesuffix(".")
            rows += f"| {crate} | {what} | {kind} | {'; '.join(faults) or 'no fault'} |\n"
    return rows


def main():
    output = Path(sys.argv[1]).read_text()
    by_module, known, text, count = outcomes(output), versions(), HEAD, {}
    for path in sorted((CRATES / "tests").glob("*.rs")):
        if path.stem != "main":
            outcome, line = row(path.read_text(), by_module.get(path.stem, []), known)
            text += line
            kind = outcome.split(":")[0]
            count[kind] = count.get(kind, 0) + 1
    text += "\n" + ", ".join(f"{n} {kind}" for kind, n in sorted(count.items(), reverse=True)) + ".\n"
    text += WRONG + wrong_uses()
    if "--save" in sys.argv:
        TABLE.write_text(text)
    elif not TABLE.exists() or TABLE.read_text() != text:
        sys.exit(f"{TABLE} is not what ran: look at the tests, and run `ci/crates --save`")
    print(text)
    failed = re.findall(r"^test (\S+) \.\.\. FAILED", output, re.M)
    if failed:
        sys.exit("these tests failed: " + ", ".join(failed))
    if "test defects::" not in output:
        sys.exit("no test of a wrong use ran")


main()
