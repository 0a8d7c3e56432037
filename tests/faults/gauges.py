"""What a service uses, looked at each second, and the rule by which that is flat."""
import datetime
import os
import re
import statistics
import threading
from pathlib import Path
from typing import NamedTuple

PERIOD_SECONDS = 1
MEMORY_KB = 1024  # what "flat" allows
# Too few looks prove nothing; the first half is for caches to fill.
LEAST_LOOKS = 16

RULE = f"""\
flat      the median of a phase's last quarter is not above that of its second
          quarter: by 1 MiB a process for memory (Pss_Anon and Pss_Shmem, for pages
          of programs are shared with whatever else runs), by none for descriptors,
          and for files in all folders but one log file for each new day"""


class Look(NamedTuple):
    """{process: ...} of one moment, and what is in the folders."""

    pids: dict
    memory: dict  # KiB
    descriptors: dict
    files: int
    bytes: int


def _memory(pid):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kb) for kb in re.findall(r"^Pss_(?:Anon|Shmem): *(\d+)", text, re.M))


def processes(service):
    """{"wsclient": pid}, by the titles that they have in `ps`."""
    named = {}
    for pid, title in service.titles().items():
        if found := re.match(r"fxwire: (\S+)", title):
            named[found[1]] = pid
    return named


def look(service, folders):
    pids = processes(service)
    memory, descriptors = {}, {}
    for name, pid in pids.items():
        try:
            memory[name] = _memory(pid)
            descriptors[name] = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue  # it has just ended
    sizes = []
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                sizes.append(path.stat().st_size)
            except OSError:
                continue
    return Look(pids, memory, descriptors, len(sizes), sum(sizes))


class Gauges:
    """Looks again and again while the block runs."""

    def __init__(self, service, folders):
        self.looks = []
        self._at = service, folders
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._over.wait(PERIOD_SECONDS):
            self.looks.append(look(*self._at))

    def __enter__(self):
        self.began = datetime.datetime.now(datetime.timezone.utc).date()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self.days = (datetime.datetime.now(datetime.timezone.utc).date() - self.began).days


def _growth(values):
    """By how much the last quarter is above the second one."""
    quarter = len(values) // 4
    return statistics.median(values[-quarter:]) - statistics.median(values[quarter:2 * quarter])


def growths(looks):
    """{(what, process): growth}; None: too few looks."""
    if len(looks) < LEAST_LOOKS:
        return None
    names = set.intersection(*(set(each.memory) for each in looks))
    grown = {("memory", name): _growth([each.memory[name] for each in looks])
             for name in names}
    grown |= {("descriptors", name): _growth([each.descriptors[name] for each in looks])
              for name in names}
    return grown | {("files", ""): _growth([each.files for each in looks])}


def faults_of(looks, days=0):
    """What is not flat in a phase without faults, as lines of text."""
    grown = growths(looks)
    if grown is None:
        return [f"only {len(looks)} looks at memory, descriptors and files"]
    most = {"memory": MEMORY_KB, "descriptors": 0, "files": days}
    bad = [f"{what} {name} grew by {growth:g}".replace("  ", " ")
           for (what, name), growth in sorted(grown.items()) if growth > most[what]]
    if any(each.pids != looks[0].pids for each in looks):
        bad.append("a process was replaced, or ended")
    return bad
