"""Builds the book, checks the links of its pages, and runs its commands. `--pages` leaves the commands out, `--tutorial` and `--chapters` run only those."""

import re
import subprocess
import sys
from pathlib import Path

import book_commands
from book_links import broken_links

SOURCES = Path("book/src")
PAGES = Path("target/book")
PARTS = {"--pages": [], "--tutorial": ["tutorial"], "--chapters": ["chapters"]}


def main():
    mdbook, *options = sys.argv[1:]
    parts = PARTS[options[0]] if options else ["tutorial", "chapters"]
    stop(built(mdbook) + unlisted() + broken_links(PAGES))
    ran = 0
    if "chapters" in parts:
        ran += stop_at(book_commands.of_chapters(SOURCES))
    if "tutorial" in parts:
        ran += stop_at(book_commands.of_tutorial(SOURCES / "tutorial.md"))
    pages = len(list(PAGES.rglob("*.html")))
    print(f"the book has {pages} pages without a broken link" + (f"; {ran} commands print what it shows" if parts else ""))


def built(mdbook):
    """What mdBook warns of. It exits with 0 for a file that is included and missing."""
    done = subprocess.run([mdbook, "build", "book"], capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.lstrip().startswith("INFO")]
    return said or ([] if done.returncode == 0 else [f"mdbook exits with {done.returncode}"])


def unlisted():
    """Chapters that the summary does not have: mdBook ignores them."""
    listed = set(re.findall(r"\]\(([^)]+\.md)\)", (SOURCES / "SUMMARY.md").read_text(encoding="utf-8"))) | {"SUMMARY.md"}
    files = (file.relative_to(SOURCES).as_posix() for file in sorted(SOURCES.rglob("*.md")))
    return [f"{SOURCES / file}: SUMMARY.md does not list it" for file in files if file not in listed]


def stop(problems):
    if problems:
        sys.exit("\n".join(f"ci/book: {problem}" for problem in problems))


def stop_at(ran):
    commands, problem = ran
    stop([problem] if problem else [])
    return commands


main()
