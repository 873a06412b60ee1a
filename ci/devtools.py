"""A headless Chromium that is told what to do over a pipe, in the DevTools protocol, and remembers what its console says."""

import json
import os
import select
import subprocess
import time

ANSWER_S_MAX = 60


class Browser:
    def __init__(self, executable, profile):
        (from_here, to_browser), (from_browser, to_here) = os.pipe(), os.pipe()

        def as_3_and_4():
            # Neither may be closed by the other's move.
            reads, writes = os.dup(from_here), os.dup(to_here)
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        command = [
            executable, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}",
            "--remote-debugging-pipe", "--window-size=1400,900",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, preexec_fn=as_3_and_4, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(from_here)
        os.close(to_here)
        self.to, self.back, self.unread = to_browser, from_browser, b""
        self.number, self.console, self.loaded = 0, [], set()
        self.session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask("Page.setLifecycleEventsEnabled", enabled=True)

    def ask(self, method, **params):
        """Sends a command, and returns its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message(ANSWER_S_MAX)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.keep(answer)

    def message(self, seconds):
        until = time.monotonic() + seconds
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.back], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError(f"Chromium says nothing for {seconds} s")
            read = os.read(self.back, 1 << 20)
            if not read:
                raise EOFError("Chromium has ended")
            self.unread += read
        line, self.unread = self.unread.split(b"\0", 1)
        return json.loads(line)

    def keep(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(argument.get("value", argument)) for argument in params["args"]))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":
            self.console.append(params["entry"]["text"])
        elif method == "Page.lifecycleEvent" and params["name"] == "load":
            self.loaded.add(params["loaderId"])

    def open(self, url):
        """Opens a page, and waits until it is loaded."""
        # Another fragment of the same page would not load it again.
        for address in ("about:blank", url):
            loader = self.ask("Page.navigate", url=address)["loaderId"]
            while loader not in self.loaded:
                self.keep(self.message(ANSWER_S_MAX))

    def value(self, expression):
        """Returns the value of an expression of JavaScript in the page; of a promise, what it resolves to."""
        result = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key):
        text = key if len(key) == 1 else ""
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, text=text if kind == "keyDown" else "")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
