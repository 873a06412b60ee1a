"""Finds the links of built pages that lead to no file, or to no part of one. Links to other sites are not followed."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page can be linked at, and what it links to, with its lines."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        for key in ("href", "src"):
            if attributes.get(key):
                self.links.append((attributes[key], self.getpos()[0]))


def broken_links(folder):
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).rglob("*.html"))}
    if not any(page.links for page in pages.values()):
        return [f"no page in {folder} has a link"]
    problems = []
    for path, page in pages.items():
        # The page for addresses that do not exist has a base of its own.
        if path.name == "404.html":
            continue
        for link, line in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                problems.append(f"{path.relative_to(Path.cwd())}:{line}: links to {link}, which does not exist")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                problems.append(f"{path.relative_to(Path.cwd())}:{line}: links to {link}, and {target.name} has no such part")
    # An address that a page has twice in one tag is one problem.
    return list(dict.fromkeys(problems))
