#!/usr/bin/python3
"""
How long a healthy child is missed once it was killed: from SIGKILL until its
successor has been executed, under fxwire's supervisor, runsv and s6-supervise.

    respawn.py [BUILD_FOLDER] [ROUNDS]

Needs the packages runit and s6. Prints a table; it is no test.
"""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# The three wait so long before they call a child healthy (runsv and s6: 1 s).
HEALTHY_SECONDS = 1.3
PATIENCE_SECONDS = 10


def children(pid):
    """Pids of a process's children; cheap, for it is asked all the time."""
    try:
        return [int(p) for p in
                Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def find(parent, name, but=None):
    """The child of that name, once it is executed."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        for pid in children(parent):
            if pid != but and name_of(pid) == name:
                return pid
    raise SystemExit(f"no {name} below process {parent}")


class Fxwire:
    """The whole service; the child is its ratefetcher."""

    label, child = "fxwire", "ratefetcher"

    def __init__(self, folder, build):
        env = {"PATH": os.environ["PATH"], "HOME": str(folder),
               "RUNTIME_DIR": str(folder / "run"), "STATE_DIR": str(folder / "state"),
               "REQUESTS_WS_URL": "ws://127.0.0.1:1/", "RATE_PROVIDERS": "file",
               "RATES_FILE": str(TOP / "etc" / "demo-rates.csv"),
               "LATEST_MAX_AGE_DAYS": "36500", "LOG_LEVEL": "error"}
        self.process = subprocess.Popen([build / "supervisor", "--no-watchdog"], env=env,
                                        cwd=folder, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Supervised:
    """A folder with a `run`, as both of the others want it."""

    child = "sleep"

    def __init__(self, folder, _):
        service = folder / "service"
        service.mkdir()
        # s6 calls only those healthy that say so; runsv does not ask.
        (service / "run").write_text(
            "#!/bin/sh\n{ echo >&3; } 2>/dev/null\nexec sleep 100000\n")
        (service / "notification-fd").write_text("3\n")
        (service / "run").chmod(0o755)
        self.folder = service
        self.process = subprocess.Popen([self.program, service], stderr=subprocess.DEVNULL)

    def stop(self):
        subprocess.run([*self.ending, self.folder], check=True,
                       stdout=subprocess.DEVNULL)
        self.process.wait(PATIENCE_SECONDS)


class Runsv(Supervised):
    """runit; told to exit, it ends its child."""

    label, program, ending = "runsv", "runsv", ("sv", "force-shutdown")


class S6(Supervised):
    """s6; the same."""

    label, program, ending = "s6-supervise", "s6-supervise", ("s6-svc", "-xd")


def measure(kind, build, rounds):
    """Seconds of each round."""
    folder = Path(tempfile.mkdtemp(prefix="fxb-", dir="/tmp"))
    one = kind(folder, build)
    took = []
    try:
        pid = find(one.process.pid, kind.child)
        for _ in range(rounds):
            time.sleep(HEALTHY_SECONDS)
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            pid = find(one.process.pid, kind.child, but=pid)
            took.append(time.monotonic() - began)
    finally:
        one.stop()
        shutil.rmtree(folder)
    return took


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "build").resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    print(f"From SIGKILL to the successor's exec, {rounds} rounds, milliseconds")
    print(f"{'':14} {'median':>8} {'worst':>8}")
    for kind in (Fxwire, Runsv, S6):
        if kind is not Fxwire and shutil.which(kind.program) is None:
            print(f"{kind.label:14} is not installed")
            continue
        took = [1000 * seconds for seconds in measure(kind, build, rounds)]
        print(f"{kind.label:14} {statistics.median(took):8.2f} {max(took):8.2f}", flush=True)


if __name__ == "__main__":
    main()
