"""Makes the table of dependencies from what `cargo test` said in harness/dependencies, and checks or saves it: `dependencies.py OUTPUT [--save]`."""

import re
import sys
from pathlib import Path

FOLDER = Path("harness/dependencies") if Path("harness/dependencies").is_dir() else Path(".")
TABLE = FOLDER / "CRATES.md"
HEAD = """# Dependencies in models

What `ci/dependencies` ran last: models of code that uses a crate of the registry as it is, after `cargo refrain init --models`. Of each, wrong
uses are caught, with the class of failure that the test names, and right ones pass.

| crate | version | wrong, and right | wrong uses caught | right uses passed | of these, searched completely |
|---|---|---|---|---|---|
"""


def versions():
    lock = (FOLDER / "Cargo.lock").read_text()
    return dict(re.findall(r'^name = "(.*)"\nversion = "(.*)"$', lock, re.M))


def row(path, passed, known):
    """`//! `dashmap`: what is wrong; what is right.` and the models below it."""
    source = path.read_text()
    first = re.match(r"//! `([\w-]+)`: (.*?)\.?$", source, re.M)
    if not first:
        sys.exit(f"{path} does not say in its first line which crate it is of")
    models = re.findall(r"#\[refrain::model(?:\((.*?)\))?\]\nfn (\w+)", source)
    failed = [name for _, name in models if (path.stem, name) not in passed]
    if failed or not models:
        sys.exit(f"{path}: " + (", ".join(failed) + " did not pass" if failed else "no model"))
    wrong = [attributes for attributes, _ in models if "expect" in attributes]
    complete = [attributes for attributes, _ in models if "complete" in attributes]
    counts = f"{len(wrong)} | {len(models) - len(wrong)} | {len(complete)}"
    return f"| {first[1]} | {known[first[1]]} | {first[2]} | {counts} |\n"


def main():
    passed = set(re.findall(r"^test (\w+)::(\w+) \.\.\. ok", Path(sys.argv[1]).read_text(), re.M))
    paths = [path for path in sorted((FOLDER / "tests").glob("*.rs")) if path.stem not in ("main", "simulation")]
    known = versions()
    text = HEAD + "".join(row(path, passed, known) for path in paths)
    if "--save" in sys.argv:
        TABLE.write_text(text)
    elif not TABLE.exists() or TABLE.read_text() != text:
        sys.exit(f"{TABLE} is not what ran: look at the tests, and run `ci/dependencies --save`")
    print(text)


main()
