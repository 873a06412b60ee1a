"""Makes the pictures of the book and of the README: pages of saved traces, at an event that each is about."""

import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from devtools import Browser

PICTURES = Path("book/src/pictures")
# Name, trace, event that is chosen, size of the window. The README has one of them in dark, too.
PAGES = [
    ("shop", "book/traces/a_price_comes_once_the_network_heals-2c446817.jsonl", 6, (1100, 640)),
    ("stall", "traces/historic.q201280_handshake_without_deadline-c02b6762.jsonl", 58, (1200, 640)),
    ("threads", "traces/historic.q289795.a_decrement_then_a_test-f4ed253e.jsonl", 8, (1100, 640)),
    ("history", "harness/selftest/traces/verdicts.histories.a_read_that_misses_a_write_has_no_order-93b0224b.jsonl", 0, (1100, 640)),
]
DARK = "stall"
BYTES_MAX = 200_000


def main():
    browser, refrain = sys.argv[1], Path(sys.argv[2]).resolve()
    # Chromium's own processes may still write to its profile.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        chromium = Browser(browser, Path(work) / "profile")
        try:
            for name, trace, event, size in PAGES:
                page = Path(work) / f"{name}.html"
                subprocess.run([refrain, "refrain", "show", trace, "--format", "html", "--output", page], check=True, stdout=subprocess.DEVNULL)
                take(chromium, f"{page.as_uri()}#e{event}", "light", size, PICTURES / f"{name}.png")
                if name == DARK:
                    take(chromium, f"{page.as_uri()}#e{event}", "dark", size, PICTURES / f"{name}-dark.png")
        finally:
            chromium.close()


def take(chromium, address, scheme, size, picture):
    chromium.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    chromium.ask("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
    chromium.open(address)
    chromium.value("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(0))))")
    data = base64.b64decode(chromium.ask("Page.captureScreenshot", format="png")["data"])
    if len(data) > BYTES_MAX or chromium.console:
        sys.exit(f"ci/pictures: {picture} has {len(data)} bytes, and the console says: {chromium.console}")
    picture.write_bytes(data)
    print(f"{picture}: {len(data)} bytes")


main()
