"""Makes pages of traces with `cargo refrain show`, opens them in headless Chromium, and checks what they show and how fast."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from devtools import Browser

LONG = Path("traces/historic.q181350_kept_waiting_by_a_full_backlog-5a199f26.jsonl")
EVENTS = 2_000
PAGE_BYTES_MAX = 2_000_000
DRAWN_MS_MAX = 1_000
CONTRAST_MIN = 4.5
INJECTIONS = [
    "<img src=x onerror=hit()>",
    "\"'><img src=x onerror=hit()>",
    "</script><script>hit()</script>",
    "</title><script>hit()</script>",
    "</style></textarea><script>hit()</script>",
    "<!--<script>hit()//",
    "--><svg onload=hit()>",
    "]]><script>hit()</script>",
    "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    "<a href=javascript:hit() id=run>x</a>",
    "&lt;img src=x onerror=hit()&gt;",
    "\u2028hit();//",
    "';hit();//",
    "${hit()}",
    "{{data}}{{script}}",
    "javascript:hit()",
    "__proto__",
]
# Everything at once, for the fields of which a trace has one.
ALL_AT_ONCE = " ".join(INJECTIONS)
# Counts what is executed, and says when the page is drawn: in the second frame, the first one is on the screen.
BEFORE = """
window.hits = 0;
window.hit = () => { window.hits += 1; };
addEventListener("load", () => requestAnimationFrame(() => requestAnimationFrame(() => { window.drawnAt = performance.now(); })));
"""


def check(holds, what):
    if not holds:
        sys.exit(f"ci/trace_page: {what}")


def main():
    browser, refrain = sys.argv[1], Path(sys.argv[2]).resolve()
    # Chromium's own processes may still write to its profile.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        work = Path(work)
        chromium = Browser(browser, work / "profile")
        try:
            chromium.ask("Page.addScriptToEvaluateOnNewDocument", source=BEFORE)
            long = page_of(refrain, long_trace(work / "long.jsonl"))
            drawn = check_long(chromium, long)
            check_curve(chromium, long)
            check_history(chromium, refrain, work)
            fields = check_hostile(chromium, refrain, work)
        finally:
            chromium.close()
    print(f"a page of {EVENTS} events is drawn in {drawn:.0f} ms; hostile text in {fields} fields is shown as text")


def page_of(refrain, trace):
    page = trace.with_suffix(".html")
    done = subprocess.run([refrain, "show", trace, "--format", "html", "--output", page], capture_output=True, text=True)
    check(done.returncode == 0, f"no page of {trace.name}: {done.stderr}")
    return page


def long_trace(path):
    """A trace of EVENTS events: a saved one again and again, each time later."""
    header, *lines = LONG.read_text(encoding="utf-8").splitlines()
    header = json.loads(header)
    events = [json.loads(line) for line in lines[: header["events"]]]
    # The verdict is the last event.
    verdict = events.pop()
    repeated = [events[n % len(events)] | {"at": events[n % len(events)]["at"] + n // len(events) * (verdict["at"] + 1)} for n in range(EVENTS - 1)]
    verdict["at"] = repeated[-1]["at"]
    header["events"] = EVENTS
    rest = lines[len(events) + 1 :]
    write(path, [header, *repeated, verdict, *map(json.loads, rest)])
    return path


def write(path, lines):
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), encoding="utf-8")


def opened(chromium, page, fragment=""):
    chromium.console.clear()
    chromium.open(page.as_uri() + fragment)
    drawn = chromium.value(
        "new Promise((drawn) => { const look = () => window.drawnAt === undefined ? setTimeout(look, 5) : drawn(window.drawnAt); look(); })"
    )
    check(not chromium.console, "the console says:\n" + "\n".join(chromium.console))
    return drawn


def check_long(chromium, page):
    size = page.stat().st_size
    check(size < PAGE_BYTES_MAX, f"the page of {EVENTS} events has {size} bytes")
    # The first one may wait for the browser itself.
    drawn = min(opened(chromium, page) for _ in range(3))
    check(drawn < DRAWN_MS_MAX, f"the page of {EVENTS} events is drawn after {drawn:.0f} ms")
    check(chromium.value("run.events.length") == EVENTS, "events are missing")
    check(0 < chromium.value("document.querySelectorAll('#rows > div').length") < 200, "all rows are in the document, or none")
    check(chromium.value("document.querySelectorAll('#diagram .dot').length") > 20, "the diagram is not drawn")

    opened(chromium, page, "#e42")
    check_chosen(chromium, 42, "the link #e42")
    for key, expected in (("ArrowDown", 43), ("j", 44), ("ArrowUp", 43), ("k", 42), ("PageDown", 62), ("Home", 0), ("End", EVENTS - 1)):
        chromium.press(key)
        check_chosen(chromium, expected, f"the key {key}")
        check(chromium.value("location.hash") == f"#e{expected}", f"the key {key} does not change the address")
    chromium.press("/")
    check(chromium.value("document.activeElement.id") == "filter", "the key / does not lead to the filter")
    chromium.value("by('filter').value = 'listen', by('filter').dispatchEvent(new Event('input')), 0")
    check(0 < chromium.value("shown.length") < EVENTS, "the filter lets through everything, or nothing")
    check_scrolling(chromium)
    check_colours(chromium, page)
    check(not chromium.console, "the console says:\n" + "\n".join(chromium.console))
    return drawn


def check_chosen(chromium, expected, by):
    chosen = chromium.value(
        "(() => { const row = document.querySelector('#rows > .chosen'); if (!row) return null;"
        " const [seen, box] = [view.getBoundingClientRect(), row.getBoundingClientRect()];"
        " return [row.querySelector('.n').textContent, box.top >= seen.top && box.bottom <= seen.bottom + 1, by('detail').textContent]; })()"
    )
    check(chosen is not None and chosen[0] == str(expected), f"{by} chooses {chosen and chosen[0]}, not event {expected}")
    check(chosen[1], f"{by} leaves event {expected} out of sight")
    check(chosen[2].startswith(f"{expected} "), f"{by} shows no details of event {expected}")


def check_scrolling(chromium):
    """Each of 60 frames in which the page is scrolled is drawn in a fraction of a second."""
    chromium.value("by('filter').value = '', by('filter').dispatchEvent(new Event('input')), 0")
    longest = chromium.value(
        "new Promise((done) => { let [n, last, longest] = [0, performance.now(), 0];"
        " const frame = () => { const now = performance.now(); longest = Math.max(longest, now - last); last = now;"
        " view.scrollTop = n * 400; n += 1; n < 60 ? requestAnimationFrame(frame) : done(longest); }; requestAnimationFrame(frame); })"
    )
    check(longest < 250, f"a frame takes {longest:.0f} ms while the page is scrolled")


def check_colours(chromium, page):
    grounds = set()
    for scheme in ("light", "dark"):
        chromium.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        opened(chromium, page)
        grounds.add(check_contrast(chromium, scheme))
        chromium.press("t")
        check(check_contrast(chromium, f"{scheme} after the key t") in grounds or scheme == "light", "the key t has a third ground")
    check(len(grounds) == 2, "light and dark have the same ground")
    chromium.ask("Emulation.setEmulatedMedia", features=[])


def check_contrast(chromium, name):
    """Text can be read on the ground, which is returned."""
    colours = chromium.value("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    ground, text = ([int(part) for part in re.findall(r"\d+", colour)[:3]] for colour in colours)
    one, other = sorted((luminance(ground), luminance(text)), reverse=True)
    contrast = (one + 0.05) / (other + 0.05)
    check(contrast >= CONTRAST_MIN, f"{name}: the contrast of text is {contrast:.1f}")
    return tuple(ground)


def luminance(colour):
    linear = [(part / 255 / 12.92) if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def check_curve(chromium, page):
    """A page with a curve has its points, each of which leads to its event, and the mark of the event that decided."""
    points = [{"after": None, "fails": 1, "of": 10}, {"after": 40, "fails": 5, "of": 10}, {"after": 57, "fails": 10, "of": 10}]
    curve = {"points": points, "inevitable_after": 57, "sentences": ["after this one none was saved, <img src=x onerror=hit()>"]}
    text = page.read_text(encoding="utf-8")
    before, after = text.split('id="run">{', 1)
    data = json.dumps(curve).replace("<", "\\u003c")
    with_curve = page.with_name("curve.html")
    with_curve.write_text(f'{before}id="run">{{"curve":{data},{after}', encoding="utf-8")
    opened(chromium, with_curve)
    check(chromium.value("document.querySelectorAll('#curve .point').length") == 3, "the curve does not have its points")
    check(chromium.value("document.querySelectorAll('#curve .inevitable').length") == 1, "the event that decided is not marked")
    check(chromium.value("by('curve').textContent.includes('<img src=x')"), "the sentence below the curve is missing")
    heights = chromium.value("[...document.querySelectorAll('#curve .point')].map((point) => Number(point.getAttribute('cy')))")
    check(heights == sorted(heights, reverse=True) and heights[0] > heights[2], f"the curve does not rise: {heights}")
    chromium.value("document.querySelectorAll('#curve .point')[2].dispatchEvent(new MouseEvent('click')), 0")
    check_chosen(chromium, 57, "a point of the curve")
    check(chromium.value("document.querySelector('#rows > .inevitable .n').textContent") == "57", "the row of that event is not marked")
    check(chromium.value("hits") == 0, "a sentence is markup")
    opened(chromium, page)
    check(chromium.value("by('curve').hidden"), "a page without a curve has an empty one")


def check_history(chromium, refrain, work):
    """A page of a history has a bar for each operation, in the row of its client; those that no order explains are marked. The longest order
    is a line through a point in each of its bars, from left to right, and the bars at which it is stuck are marked."""
    saved = next(Path("harness/selftest/traces").glob("verdicts.histories.a_read_that_misses_a_write_has_no_order-*.jsonl"))
    trace = work / "history.jsonl"
    trace.write_bytes(saved.read_bytes())
    header, *events = map(json.loads, saved.read_text(encoding="utf-8").splitlines())
    numbers = [n for n, event in enumerate(events) if "called" in event.get("kind", {})]
    opened(chromium, page_of(refrain, trace))
    bars = chromium.value("[...document.querySelectorAll('#histories .bar')].map((bar) => [Number(bar.getAttribute('y')), bar.classList.contains('fails')])")
    failing = len(header["failure"]["detail"]["not-linearizable"]["operations"])
    check(len(bars) == len(numbers), f"{len(numbers)} operations have {len(bars)} bars")
    check(sum(fails for _, fails in bars) == failing, f"{failing} operations fail, and the bars say {bars}")
    clients = {events[n]["kind"]["called"]["client"] for n in numbers}
    check(len({y for y, _ in bars}) == len(clients), f"{len(clients)} clients have other rows: {bars}")
    shown = chromium.value("[...document.querySelectorAll('#histories text')].map((text) => text.lastChild.textContent)")
    check(clients <= set(shown), f"a client is not named: {shown}")
    ordered = next(event["kind"]["ordered"] for event in events if "ordered" in event.get("kind", {}))
    check_order(chromium, [ordered])
    chromium.value("document.querySelectorAll('#histories .bar')[0].dispatchEvent(new MouseEvent('click')), 0")
    check_chosen(chromium, numbers[0], "a bar")
    chromium.value("document.querySelectorAll('#histories .effect')[1].dispatchEvent(new MouseEvent('click')), 0")
    check_chosen(chromium, numbers[ordered["order"][1]["number"]], "a point of the order")
    check_keys(chromium, refrain, work)


def check_keys(chromium, refrain, work):
    """Each key has a diagram of its own."""
    saved = next(Path("harness/selftest/traces").glob("verdicts.histories.each_key_has_an_order_of_its_own-*.jsonl"))
    trace = work / "keys.jsonl"
    trace.write_bytes(saved.read_bytes())
    events = map(json.loads, saved.read_text(encoding="utf-8").splitlines()[1:])
    ordered = {event["kind"]["ordered"]["key"]: event["kind"]["ordered"] for event in events if "ordered" in event.get("kind", {})}
    opened(chromium, page_of(refrain, trace))
    check(len(ordered) == 2, f"the trace has {len(ordered)} keys")
    check_order(chromium, [of for _, of in sorted(ordered.items())])


def check_order(chromium, expected):
    """The page has these orders, one in each diagram."""
    diagrams = chromium.value(
        "[...document.querySelectorAll('#histories .history')].map((diagram) => ({"
        " bars: [...diagram.querySelectorAll('.bar')].map((bar) => ['x', 'y', 'width', 'height'].map((name) => Number(bar.getAttribute(name)))),"
        " stuck: diagram.querySelectorAll('.bar.stuck').length, line: diagram.querySelector('.order').getAttribute('points'),"
        " effects: [...diagram.querySelectorAll('.effect')].map((one) => [Number(one.getAttribute('cx')), Number(one.getAttribute('cy')), one.textContent]),"
        " said: diagram.previousElementSibling.textContent }))"
    )
    check(len(diagrams) == len(expected), f"{len(expected)} orders have {len(diagrams)} diagrams")
    for diagram, ordered in zip(diagrams, expected):
        bars, effects = diagram["bars"], diagram["effects"]
        check(len(bars) == len(ordered["operations"]), f"{len(ordered['operations'])} operations have {len(bars)} bars")
        check(len(effects) == len(ordered["order"]), f"an order of {len(ordered['order'])} has {len(effects)} points")
        check([x for x, _, _ in effects] == sorted({x for x, _, _ in effects}), f"the points are not in their order: {effects}")
        check(len(diagram["line"].split()) == len(effects), f"the line is not through all points: {diagram['line']}")
        for (x, y, title), effect in zip(effects, ordered["order"]):
            left, top, width, height = bars[ordered["operations"].index(effect["number"])]
            check(left < x < left + width and top < y < top + height, f"{title} takes effect outside of its bar")
            check(title.endswith(f", then {effect['state']}"), f"{title} does not say the state {effect['state']}")
        stuck = ordered.get("stuck", [])
        check(diagram["stuck"] == len(stuck), f"{len(stuck)} operations are stuck, and {diagram['stuck']} are marked")
        said = [ordered["begin"], *(f"would be answered {one['would_answer']}" for one in stuck)]
        check(all(text in diagram["said"] for text in said), f"{diagram['said']} does not say {said}")


def check_hostile(chromium, refrain, work):
    """No text of a trace is executed or becomes markup, whichever field has it. Returns the number of fields."""
    events, sockets, headers = poisoned(refrain, work)
    trace = work / "hostile.jsonl"
    base = json.loads(LONG.read_text(encoding="utf-8").splitlines()[0])
    all_events = [event for kinds in events.values() for event in kinds]
    # The bands of faults have titles.
    all_events += [{"at": 0, "kind": {"fault-begins": f"rule bad {json.dumps(text)} on a -> b at 1 s"}} for text in INJECTIONS]
    all_sockets = [socket for kinds in sockets.values() for socket in kinds]
    write(trace, [base | {"events": len(all_events), "sockets": len(all_sockets)}, *all_events, *all_sockets])
    check_harmless(chromium, page_of(refrain, trace), "an event or a socket")
    for kind, header in headers.items():
        trace = work / "hostile-header.jsonl"
        write(trace, [header])
        check_harmless(chromium, page_of(refrain, trace), kind)
    return len(events) + len(sockets) + len(headers)


def check_harmless(chromium, page, what):
    opened(chromium, page)
    facts = chromium.value(
        "(() => { for (const event of run.events) { choose(event.n, true); } "
        " const made = document.querySelectorAll('img, iframe, object, embed, base, a:not([href^=\"#e\"]), [onerror], [onload], [srcdoc]');"
        " return { made: [...made].map((one) => one.outerHTML), scripts: document.scripts.length, styles: document.querySelectorAll('style').length,"
        " titles: document.querySelectorAll('head > title').length,"
        " test: by('test').textContent === run.test && document.title === run.test,"
        " headline: run.failure === null || by('headline').textContent === run.failure.headline,"
        " plan: by('plan').textContent === run.plan.join('\\n') }; })()"
    )
    texts = chromium.value(
        "run.events.filter((event) => { choose(event.n, true); const row = document.querySelector('#rows > .chosen .what');"
        " return row?.textContent !== event.text || !by('detail').textContent.includes(event.text); }).map((event) => event.n)"
    )
    # What is executed may be so only after a while.
    hits = chromium.value("new Promise((done) => setTimeout(() => done(window.hits), 50))")
    check(hits == 0, f"{what}: text was executed {hits} times")
    check(not facts["made"], f"{what}: text has become markup: {facts['made'][:3]}")
    check((facts["scripts"], facts["styles"], facts["titles"]) == (2, 1, 1), f"{what}: text has ended an element: {facts}")
    check(facts["test"] and facts["headline"] and facts["plan"], f"{what}: text is not shown as it is: {facts}")
    check(not texts, f"{what}: the texts of events {texts[:5]} are not shown as they are")
    check(not chromium.console, f"{what}: the console says:\n" + "\n".join(chromium.console))


def poisoned(refrain, work):
    """Events, sockets and headers of saved traces with a hostile text in one field, by field, if that is a valid trace."""
    events, sockets, headers, refused = {}, {}, {}, {}
    for path in [*sorted(Path("traces").glob("*.jsonl")), *sorted(Path("harness/selftest/traces").glob("*.jsonl"))]:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for n, line in enumerate(lines):
            is_event = 0 < n <= lines[0]["events"]
            into, name = (headers, "header") if n == 0 else (events, "event") if is_event else (sockets, "socket")
            for at in strings(line):
                kind = name + "".join(f"/{'*' if isinstance(step, int) else step}" for step in at)
                # Where only some words are valid, no text makes a valid trace.
                if kind in into or refused.get(kind, 0) > 1:
                    continue
                trace = [lines[0] | {"events": int(is_event), "sockets": int(n > 0 and not is_event)}, *([line] if n > 0 else [])]
                one = with_text(line, at, ALL_AT_ONCE)
                trace[-1] = one if n > 0 else one | {"events": 0, "sockets": 0}
                write(work / "tried.jsonl", trace)
                done = subprocess.run([refrain, "show", work / "tried.jsonl", "--format", "json"], capture_output=True)
                if done.returncode != 0:
                    refused[kind] = refused.get(kind, 0) + 1
                elif n == 0:
                    into[kind] = trace[0]
                else:
                    into[kind] = [with_text(line, at, text) for text in INJECTIONS]
    check(len(events) > 15 and len(sockets) > 3 and len(headers) > 20, f"few fields take text: {len(events)}, {len(sockets)}, {len(headers)}")
    return events, sockets, headers


def strings(value, at=()):
    if isinstance(value, str):
        yield at
    elif isinstance(value, (list, dict)):
        for step, part in enumerate(value) if isinstance(value, list) else value.items():
            yield from strings(part, (*at, step))


def with_text(value, at, text):
    """A copy of a value with another text at one position."""
    if not at:
        return text
    copy = value.copy()
    copy[at[0]] = with_text(copy[at[0]], at[1:], text)
    return copy


main()
