"""The service, its upstream and its slow provider, as long as a trial lasts."""
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import e2e  # finds the next
from places import SCALE
from service import Service, children_of, is_running, kill_all
from standins import Frankfurter
from waiting import sleep_until, wait_until

import netns

from traffic import fresh_rates

HERE = Path(__file__).resolve().parent
BACK_SECONDS = 25
DRAIN_SECONDS = 20
LONG_SECONDS = 20
ID = re.compile(r"\bq\d+(?:\.\d+)?\b")  # as the tally gives them

SETTINGS = {
    "RATE_PROVIDERS": "file frankfurter",
    "PROVIDER_CALLS_PER_MINUTE": "100000",
    "RECONNECT_MAX_SECONDS": "0.2",
    # The provider always answers soon, so that no wait for a rate is as long.
    "REQUEST_TIMEOUT_SECONDS": "10",
    "RETRY_MESSAGE_TTL": "60",
}


class SlowRates(Frankfurter):
    """Has the days that the file lacks, each call after a while."""

    usual = (0.05, 0.2)
    slower = (0.8, 1.5)

    def __init__(self, host, rng):
        self._rng = rng
        self.delay = self.usual
        super().__init__({}, host=host)

    def table(self, day):
        return fresh_rates(day)

    def reply(self, call):
        time.sleep(self._rng.uniform(*self.delay))
        super().reply(call)


class UpstreamProcess:
    """The counting upstream, and what it is told."""

    def __init__(self, **settings):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "counting_upstream.py", json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._read()["port"]

    def _read(self):
        line = self.process.stdout.readline()
        assert line, "the counting upstream has died"
        return json.loads(line)

    def tell(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do} | more) + "\n")
        self.process.stdin.flush()
        return self._read()

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class World:
    """Everything that a fault needs to strike, and to see what came of it."""

    def __init__(self, stack, fault, seconds, rate, seed):
        self.rng = random.Random(seed)
        self.seconds = seconds
        self.failures = []
        self.cable = netns.Cable() if fault.network else None
        if self.cable:
            stack.callback(self.cable.close)
        host = netns.HOST if self.cable else "127.0.0.1"
        settings = SETTINGS | fault.settings
        self.provider = stack.enter_context(SlowRates(host, self.rng))
        self.upstream = UpstreamProcess(host=host, rate=rate, seed=f"{seed} traffic",
                                        ttl=float(settings["RETRY_MESSAGE_TTL"]),
                                        **fault.upstream)
        stack.callback(self.upstream.close)
        settings |= {"REQUESTS_WS_URL": f"ws://{host}:{self.upstream.port}/faults",
                     "FRANKFURTER_URL": self.provider.url}
        self.service = Service(settings, launcher=self.cable.launcher if self.cable else ())
        stack.callback(self.service.remove)
        self.service.start()
        self.tell = self.upstream.tell
        self.wait_back(time.monotonic())

    # Waiting

    def sleep(self, seconds):
        sleep_until(time.monotonic() + seconds)
        return time.monotonic()

    def is_long(self):
        return self.seconds >= LONG_SECONDS

    def lasting(self, least, most):
        """A random time for a fault to last; a short trial takes the least."""
        return self.rng.uniform(least, most) if self.is_long() else least

    def wait_back(self, since):
        """Seconds from `since` until something is received that was asked after it."""
        at = self.tell("wait_receipt", since=since, seconds=BACK_SECONDS * SCALE)["at"]
        assert at is not None, f"not back within {BACK_SECONDS * SCALE} s"
        return at - since

    # Processes

    def pid(self, name):
        """A process of the service, once it is known."""

        def find():
            try:
                return self.service.pids().get(name)
            except (OSError, IndexError, KeyError):
                return None

        return wait_until(find, f"the pid of {name}")

    def kill(self, name):
        """SIGKILL; gives the moment."""
        pid, now = self.pid(name), time.monotonic()
        kill_all([pid])
        return now

    def kill_supervisor(self):
        """
        SIGKILL, and the end of its helpers, which go on for a moment and receive
        what is asked meanwhile; gives the moment after that.
        """
        pid = self.pid("supervisor")
        ends = [pid, *children_of(pid)]
        kill_all([pid])
        wait_until(lambda: not any(map(is_running, ends)), "the end of the helpers")
        return time.monotonic()

    def kill_everything(self):
        """SIGKILL to all processes, those that would start others first; gives the moment after."""
        kill_all(sorted(self.service.processes()))
        self.service.process.wait()
        return time.monotonic()

    def start_again(self):
        """A new start at once; one that finds the old still there is repeated."""
        end = time.monotonic() + 5 * SCALE
        while True:
            self.service.launch()
            wait_until(lambda: self.service.process.poll() is not None
                       or self.service.status_or_none(), "a start")
            code = self.service.process.poll()
            if code is None:
                return
            assert code == 75 and time.monotonic() < end, f"the new start ended with {code}"

    # The end

    def drain(self):
        """Asks no more and waits for the last answers."""
        if not self.tell("drain", seconds=DRAIN_SECONDS * SCALE)["drained"]:
            self.failures.append(f"not all was answered {DRAIN_SECONDS * SCALE} s after the end")

    def finish(self):
        """Stops the service and gives what was counted."""
        self.service.stop()
        self.service.assert_gone()
        self.service.assert_clean()
        code = self.service.process.returncode
        if code != 0:
            self.failures.append(f"the stop at the end gave exit code {code}")
        quarantined = self.quarantined()
        return self.tell("summary", quarantined=sorted(quarantined)) | {
            "quarantined": len(quarantined)}

    def quarantined(self):
        """Ids of the messages that were put aside."""
        folder = Path(self.service.env["STATE_DIR"]) / "quarantine"
        files = [path for path in folder.glob("**/*") if path.is_file()]
        return {ident for path in files
                for ident in ID.findall(path.read_text(errors="replace"))}

    def env_file(self, **settings):
        """Writes the service's .env."""
        path = self.service.folder / ".env"
        new = path.with_suffix(".new")
        new.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        os.rename(new, path)
