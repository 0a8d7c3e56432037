"""Where things are, and how patient the tests have to be."""
import contextlib
import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("FXWIRE_BUILD", "build")
DEMO_RATES = TOP / "etc" / "demo-rates.csv"

VALGRIND = os.environ.get("FXWIRE_VALGRIND") == "1"
SANITIZED = "address" in BUILD.name or "undefined" in BUILD.name
# A step at Redis has 40 ms, which a busy machine may take for itself. Where that is
# allowed, Redis and who asks it go before all else, so that it answers in time.
_FIRST = ["chrt", "--rr", "1"]
FIRST_SERVED = _FIRST if subprocess.run([*_FIRST, "true"], check=False,
                                        stderr=subprocess.DEVNULL).returncode == 0 else []


def go_first(first):
    """The same, or no more, for all threads here: each may have to wait for the others."""
    how = (os.SCHED_RR, os.sched_param(1)) if first else (os.SCHED_OTHER, os.sched_param(0))
    for thread in os.listdir("/proc/self/task") if FIRST_SERVED else ():
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setscheduler(int(thread), *how)


# Deadlines are multiplied by this; bounds of the contract never are.
SCALE = 8 if VALGRIND else 2 if SANITIZED else 1
