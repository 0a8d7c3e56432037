"""A headless Chromium, driven by its DevTools protocol over two pipes."""
import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import threading

from places import SCALE
from waiting import wait_until

PROGRAM = shutil.which("chromium")


def _away(fd):
    """The same descriptor at a number that nobody asks for."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(fd)
    return moved


class Browser:
    """
    One browser with one tab. What the tab asked for, what it said on its
    console and what its policy refused is collected from the beginning.
    """

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="fxb-", dir="/tmp")
        self.requests = []  # addresses
        self.complaints = []  # console errors, exceptions, refusals of the policy
        self._answers = {}
        self._wake = threading.Condition()
        self._count = 0
        self._session = None
        theirs_in, self._to = map(_away, os.pipe())
        self._from, theirs_out = map(_away, os.pipe())
        self.process = subprocess.Popen(
            # Chromium reads descriptor 3 and writes descriptor 4.
            ["/bin/bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", PROGRAM, "--headless=new", "--remote-debugging-pipe", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--hide-scrollbars", f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": self.profile},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        threading.Thread(target=self._read, daemon=True).start()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target,
                                  flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._to)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _read(self):
        with os.fdopen(self._from, "rb") as pipe:
            data = b""
            while more := pipe.read1(65536):
                *lines, data = (data + more).split(b"\0")
                for line in lines:
                    self._take(json.loads(line))

    def _take(self, message):
        about = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(about["exceptionDetails"])
            case "Runtime.consoleAPICalled":
                self.complaints.append(about)
            case "Log.entryAdded":
                self.complaints.append(about["entry"])
        with self._wake:
            if "id" in message:
                self._answers[message["id"]] = message
            self._wake.notify_all()

    def call(self, method, **params):
        """One command of the protocol; gives its result."""
        self._count += 1
        number = self._count
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        with self._wake:
            if not self._wake.wait_for(lambda: number in self._answers, 30 * SCALE):
                raise TimeoutError(f"{method} has no answer")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def run(self, script):
        """The value of an expression in the tab."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                         awaitPromise=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"])
        return done["result"].get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)
        wait_until(lambda: self.run("document.readyState") == "complete", f"{url} is open")

    def look(self, width, height, dark=False):
        """Gives the window that size, and the reader that taste."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def press(self, key, code=None, shift=False):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      modifiers=8 if shift else 0,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13}.get(key, 0))

    def picture(self, path, whole=True):
        """A screenshot, as PNG."""
        done = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(done["data"]))
