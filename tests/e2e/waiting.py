"""Waiting for events with deadlines, and fair measurements of time."""
import json
import os
import re
import threading
import time
from pathlib import Path

import pytest

from places import SCALE, SANITIZED, VALGRIND


def wait_until(condition, what, seconds=10):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + seconds * SCALE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds * SCALE} s in vain: {what}")
        time.sleep(0.01)


def holds_for(seconds, condition, what):
    """Fails if condition() becomes false within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), what
        time.sleep(0.01)


def sleep_until(moment):
    """Sleeps until a moment of the monotonic clock."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(left)


def cpu_seconds(pid):
    """User and system time that a process has used."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, stat[11:13])) / os.sysconf("SC_CLK_TCK")


def assert_no_spin(pid, seconds=3):
    before = cpu_seconds(pid)
    sleep_until(time.monotonic() + seconds)
    used = cpu_seconds(pid) - before
    assert used < 0.2 * SCALE, f"{used} s of CPU time in {seconds} s"


class Stalls:
    """How late this machine wakes sleepers up while the block runs."""

    def __enter__(self):
        self.worst = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self):
        while not self._over.is_set():
            before = time.monotonic()
            time.sleep(0.004)
            self.worst = max(self.worst, time.monotonic() - before - 0.004)

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def _keep_figure(took, limit):
    """For docs/faults.md: tests/faults/table.py names the file."""
    path, test = os.environ.get("FXWIRE_FIGURES"), os.environ.get("PYTEST_CURRENT_TEST", "")
    found = re.search(r"(\w+\.py)::test_(\w+)", test)
    if path and found:
        with open(path, "a", encoding="utf-8") as file:
            line = {"test": "::".join(found.groups()), "took": took, "limit": limit}
            file.write(json.dumps(line) + "\n")


def at_most(limit, measure, attempts=3):
    """
    Measures some seconds that the contract bounds: what the machine itself
    was late is allowed for, and a busy machine gets further attempts.
    """
    seen = []
    for _ in range(attempts):
        with Stalls() as stalls:
            took = measure()
        if took <= limit + 2 * stalls.worst or VALGRIND or SANITIZED:
            _keep_figure(took, limit)
            return
        seen.append(f"{took:.3f} s (stalls {stalls.worst:.3f} s)")
    pytest.fail(f"bound {limit} s, measured " + ", ".join(seen))
