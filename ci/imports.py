"""Checks that no crate has an import cycle among modules. Prints each as file:line, and exits with 1 if there is one.

The modules under one parent must form no cycle, at every level: if anything under `a` names anything under `b`, nothing
under `b` names anything under `a`. A module may name items of the modules that contain it, and those may name what is in
it: a parent that declares a type, and children that implement it, are Rust's usual way to divide a file. A name that is
re-exported counts as the module that defines it. What is compiled for unit tests only does not count.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ITEM = re.compile(r"\b(?:fn|struct|enum|union|trait|type|const|static|macro_rules!)\s+(\w+)")
MODULE = re.compile(r"((?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))?\s+)?\bmod\s+(\w+)\s*([;{])")
USE = re.compile(r"\buse\s+([^;]+);")
PATH = re.compile(r"(?<![\w:])(?:\$?crate|super|self)(?:\s*::\s*\w+)+")
VISIBLE_IN = re.compile(r"pub\(in [^)]*\)")
# Comments, string literals and character literals, in the order in which they must be matched.
TEXTS = re.compile(
    r"//[^\n]*|/\*.*?\*/|b?r(#*)\".*?\"\1|b?\"(?:\\.|[^\"\\])*\"|b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\])'", re.S
)
BLANK = re.compile(r"[^\n]")


class Module:
    """A module: its location, its contents, and the names that it uses."""

    def __init__(self, name, parent):
        self.name, self.parent = name, parent
        self.children, self.items, self.imports = {}, set(), {}
        self.globs, self.named = [], []
        if parent:
            parent.children[name] = self

    def chain(self):
        return (self.parent.chain() if self.parent else []) + [self]

    def __str__(self):
        return "::".join(module.name for module in self.chain())


def targets():
    """The root file of every target of the workspace."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    roots = {(target["src_path"], target["name"]) for package in metadata["packages"] for target in package["targets"]}
    return sorted((Path(path).relative_to(Path.cwd()), name.replace("-", "_")) for path, name in roots)


def without_texts(source):
    """The source with blanks in place of comments and literals, so that line numbers are kept."""
    blank = lambda match: BLANK.sub(" ", match[0])
    return VISIBLE_IN.sub(blank, TEXTS.sub(blank, source))


def read(module, file, folder):
    """Parses a file into a module; `folder` contains the files of its children."""
    source = file.read_text(encoding="utf-8")
    # `#[path = "..."]` is read from the original source, because its text is a literal.
    read_block(module, file, folder, source, without_texts(source), 0, len(source))


def read_block(module, file, folder, source, code, start, end):
    """Parses the source between two positions into a module, and nested modules into their own."""
    own, at = [], start
    while match := MODULE.search(code, at, end):
        own.append((at, match.start()))
        attributes = source[match.start(1) : match.end(1)]
        at = match.end() if match[3] == ";" else closing_brace(code, match.end())
        if "cfg(test)" in attributes:
            continue
        child = Module(match[2], module)
        if match[3] == "{":
            read_block(child, file, folder / match[2], source, code, match.end(), at - 1)
        else:
            read_child(child, file, folder, attributes)
    own.append((at, end))
    for first, last in own:
        read_names(module, file, code, first, last)


def closing_brace(code, at):
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        at += 1
    return at


def read_child(child, file, folder, attributes):
    if path := re.search(r'path\s*=\s*"([^"]+)"', attributes):
        found = (file.parent / path[1]).resolve().relative_to(Path.cwd())
        read(child, found, found.parent)
        return
    for found, inside in ((folder / f"{child.name}.rs", folder / child.name), (folder / child.name / "mod.rs",) * 2):
        if found.is_file():
            read(child, found, inside if inside.suffix == "" else inside.parent)
            return
    sys.exit(f"{file}: mod {child.name} has no file")


def read_names(module, file, code, start, end):
    text = code[start:end]
    module.items.update(ITEM.findall(text))
    line = lambda at: code.count("\n", 0, start + at) + 1
    for match in USE.finditer(text):
        for path, name in use_tree(match[1]):
            module.named.append((path, file, line(match.start())))
            if name == "*":
                module.globs.append(path)
            elif name:
                module.imports[name] = path
    for match in PATH.finditer(USE.sub(lambda use: BLANK.sub(" ", use[0]), text)):
        path = [segment.strip() for segment in match[0].replace("$", "").split("::")]
        module.named.append((path, file, line(match.start())))


def use_tree(text, prefix=()):
    """The paths of a use declaration, each with the name that it imports: `a::{b, c as d}` has `a::b` and `a::c`."""
    depth, part, parts = 0, "", []
    for sign in text + ",":
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts, part = parts + [part.strip()], ""
        else:
            part += sign
    for part in filter(None, parts):
        head, brace, rest = part.partition("{")
        path, _, alias = (word.strip() for word in head.partition(" as "))
        segments = [*prefix, *(segment.strip() for segment in path.split("::") if segment.strip())]
        if brace:
            yield from use_tree(rest[: rest.rindex("}")], segments)
        elif segments[-1] == "self" and len(segments) > 1:
            yield segments[:-1], alias or segments[-2]
        elif segments[-1] == "*":
            yield segments[:-1], "*"
        else:
            yield segments, alias or segments[-1]


def resolve(module, path, seen=frozenset()):
    """The module that defines what a path in a module refers to; `None` if that is in another crate."""
    if (module, tuple(path)) in seen:
        return None
    seen = seen | {(module, tuple(path))}
    here, rest = module, list(path)
    if rest[0] == "crate":
        here, rest = module.chain()[0], rest[1:]
    elif rest[0] in ("self", "super"):
        while rest and rest[0] in ("self", "super"):
            here, rest = (here.parent if rest[0] == "super" else here), rest[1:]
            if here is None:
                return None
    elif rest[0] not in here.children and rest[0] not in here.imports:
        return None
    while rest:
        name, rest = rest[0], rest[1:]
        if name in here.children:
            here = here.children[name]
        elif name in here.imports and here.imports[name] != [name]:
            found = resolve(here, here.imports[name], seen)
            return found if not rest or not found else resolve(found, ["self", *rest], seen)
        elif name in here.items:
            return here
        else:
            through = (resolve(here, path, seen) for path in here.globs)
            found = next((glob for glob in through if glob and defines(glob, name)), None)
            return (resolve(found, ["self", name, *rest], seen) if found else None) or here
    return here


def defines(module, name):
    return name in module.items or name in module.imports or name in module.children


def edges(root):
    """For each parent: which child uses which other, and where."""
    found = {}
    pending = [root]
    while pending:
        module = pending.pop()
        pending.extend(module.children.values())
        for path, file, line in module.named:
            target = resolve(module, path)
            if target is None:
                continue
            ours, theirs = module.chain(), target.chain()
            common = sum(1 for one, other in zip(ours, theirs) if one is other)
            if common and common < min(len(ours), len(theirs)):
                parent, one, other = ours[common - 1], ours[common], theirs[common]
                what = f"{file}:{line}: {module} names {'::'.join(path)}, which is in {target}"
                found.setdefault(parent, {}).setdefault(one, {}).setdefault(other, what)
    return found


def shortest_cycle(graph, start):
    """The shortest path from a module back to itself, as a list of modules."""
    ways, reached = [[start]], set()
    for way in ways:
        for following in graph.get(way[-1], {}):
            if following is start:
                return way
            if following not in reached:
                reached.add(following)
                ways.append(way + [following])
    return None


def cycles(root):
    """Every cycle of the crate, by its shortest path; each module is reported once."""
    for parent, graph in edges(root).items():
        told = set()
        for start in sorted(graph, key=str):
            cycle = None if start in told else shortest_cycle(graph, start)
            if cycle:
                told.update(cycle)
                names = " -> ".join(module.name for module in cycle + [start])
                steps = [graph[one][other] for one, other in zip(cycle, cycle[1:] + [start])]
                yield f"in {parent}: {names}\n  " + "\n  ".join(steps)


def main():
    found, count = [], 0
    for file, name in targets():
        root = Module(name, None)
        read(root, file, file.parent)
        count += 1
        found += [cycle for cycle in cycles(root) if cycle not in found]
    print("\n".join(found) or f"{count} targets have no import cycle")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
