#!/usr/bin/python3
"""
fxwire beside other clients, under the load generator: `make bench`.

    bench.py BUILD_FOLDER [PART...]

Settings come from the environment: ROUNDS, SECONDS (of each run), BASE (a commit
to compare with). Within a part the programs take turns, round by round; printed are medians, and
medians of the ratios, round by round, to the first program. JSON of all goes to
BUILD_FOLDER/bench/results.json.
"""
import json
import os
import platform
import shutil
import signal
import sys
import time
from pathlib import Path

from contenders import (AUDITED, ECHO, LOGGED, STALLED, Fxwire, Logging, all_contenders,
                        base_build, pss_mb, pss_mb_beside, title_of)
import bars
from chart import draw
from growth import GROWTH
from table import compare, median, worst
from trial import Bench, run

IDLE_SECONDS = 10
MILLION = 1_000_000
PARTS = ("throughput", "tls", "audit", "stalls", "latency", "growth", "idle", "memory", "heartbeats",
         "sandbox")


def say(text):
    print(text, file=sys.stderr, flush=True)


class Parts:
    """Each part prints its tables and keeps its rounds."""

    def __init__(self, bench, contenders, rounds):
        self.bench = bench
        self.contenders = contenders
        self.services = [c for c in contenders if isinstance(c, Fxwire)]
        self.rounds = rounds
        self.kept = {}

    def interleaved(self, title, cases):
        """`cases` is {name: (contender, options of run())}; the same of results."""
        results = {name: [] for name in cases}
        for i in range(self.rounds):
            for name, (contender, options) in cases.items():
                say(f"{title}: round {i + 1}, {name}")
                results[name].append(run(self.bench, contender, **options))
        self.kept[title] = results
        return results

    def table(self, title, cases, measures, plain=()):
        results = self.interleaved(title, cases)
        print(f"\n### {title}\n\n{compare(results, measures, plain)}")
        others = max(r["others_percent"] for rounds in results.values() for r in rounds)
        print(f"\nOther programs used up to {others:.0f} % of a core meanwhile.", flush=True)

    def each(self, title, contenders, measures, plain=(), **options):
        self.table(title, {c.name: (c, options) for c in contenders}, measures, plain)

    def throughput(self):
        for window, title in bars.THROUGHPUT.items():
            self.each(title, self.contenders,
                      [("messages/s", "per_second"), ("CPU us/message", "cpu_us")],
                      [("PSS MB", "pss_mb", median), ("heartbeat late ms", "beat_late_ms", worst),
                       ("generator busy %", "load_percent", worst)],
                      window=window)

    def tls(self):
        self.each(bars.TLS, [c for c in self.contenders if c.tls],
                  [("messages/s", "per_second"), ("CPU us/message", "cpu_us")],
                  [("generator busy %", "load_percent", worst)], window=256, tls=True)

    def audit(self):
        """A line a message, which the monitor writes to /tmp."""
        ours = self.services[0]
        audited = Fxwire(AUDITED, ours.build, {"AUDIT_DIR": "{folder}/audit"})
        self.each(bars.AUDIT, [ours, audited],
                  [("messages/s", "per_second"), ("CPU us/message", "cpu_us")],
                  [("PSS MB", "pss_mb", median), ("heartbeat late ms", "beat_late_ms", worst)],
                  window=256)

    def sandbox(self):
        """With one message outstanding each of them costs system calls of its own."""
        build = self.services[0].build
        for window in (1, 256):
            self.each(f"Sandbox, {window} outstanding",
                      [Fxwire(f"fxwire, SANDBOX={word}", build, {"SANDBOX": word})
                       for word in ("off", "on")],
                      [("messages/s", "per_second"), ("CPU us/message", "cpu_us")],
                      window=window)

    def stalls(self):
        """The disk of LOGS_DIR: of each write it takes a page, and rests for a second."""
        build = self.services[0].build
        self.each(bars.STALLS, [Logging(LOGGED, build, False), Logging(STALLED, build, True)],
                  [("p50", "p50_us"), ("p99", "p99_us")], [("largest", "max_us", worst)],
                  rate=1000, window=1 << 16)

    def latency(self):
        for rate, title in bars.LATENCY.items():
            self.each(title, self.contenders, [("p50", "p50_us"), ("p99", "p99_us"),
                                        ("p99.9", "p999_us"), ("largest", "max_us")],
                      rate=rate, window=1 << 16)

    def growth(self):
        """How the cost grows with what is asked; for long ones also the echo's."""
        build = self.services[0].build
        cases = {name: (Fxwire(name, build, settings), options)
                 for name, options, settings in GROWTH}
        cases |= {f"{ECHO}: {name}": (self.contenders[0], options)
                  for name, options, _ in GROWTH if "size" in options}
        self.table("How cost grows", cases,
                   [("messages/s", "per_second"), ("CPU us/message", "cpu_us")],
                   [("CPU ns/byte", "cpu_ns_byte", median),
                    ("refused %", "refused_percent", median), ("PSS MB", "pss_mb", median)])

    def idle(self):
        """Connected and beating, but asked for nothing."""
        self.each(bars.IDLE, self.services, [],
                  [("CPU %", "cpu_percent", median), ("PSS MB", "pss_mb", median)],
                  rate=0.001, seconds=IDLE_SECONDS)

    def memory(self):
        """Once so many are answered and confirmed."""
        ours = self.services[0]
        self.table(bars.MEMORY, {
            f"after {count:,} messages".replace(",", " "): (
                ours, {"count": count, "seconds": 600, "steps": {"answered": settled}})
            for count in (1000, MILLION, 3 * MILLION)
        }, [], [("PSS MB beside the ledger", "beside_mb", median),
                ("PSS MB", "settled_mb", median)])

    def heartbeats(self):
        """No rate comes until a million is asked: then all are answered at once."""
        self.table(bars.HEARTBEATS, {
            c.name: (Fxwire(c.name, c.build, {"PENDING_MAX_BYTES": 1 << 31,
                                              "REQUEST_TIMEOUT_SECONDS": 60}),
                     {"count": MILLION, "window": 1 << 20, "seconds": 60,
                      "steps": {"ready": hold_rates, "measured": let_rates_go}})
            for c in self.services
        }, [], [("latest, ms late", "beat_late_ms", worst),
                ("PSS MB of it all", "pss_mb", median)])


def settled(contender, pids):
    """Memory once the last answers are confirmed, which takes 0.25 s."""
    time.sleep(1)
    return {"settled_mb": pss_mb(pids),
            "beside_mb": pss_mb_beside(pids, contender.folder / "run")}


def hold_rates(contender, pids):
    contender.held = next(p for p in pids if title_of(p).startswith("fxwire: ratefetcher"))
    os.kill(contender.held, signal.SIGSTOP)


def let_rates_go(contender, pids):
    """The supervisor may have put another in its place by now."""
    if contender.held in pids:
        os.kill(contender.held, signal.SIGCONT)


def machine():
    """What the figures were seen on, in general words."""
    model = next((line.split(":", 1)[1].strip() for line in
                  Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
                  if line.startswith("model name")), platform.machine())
    debian = Path("/etc/debian_version").read_text(encoding="ascii").strip()
    return (f"{len(os.sched_getaffinity(0))} cores, {model}, Debian {debian}, "
            f"{time.strftime('%Y-%m-%d', time.gmtime())}")


def main():
    build = Path(sys.argv[1]).resolve()
    rounds = int(os.environ.get("ROUNDS") or 5)
    seconds = float(os.environ.get("SECONDS") or 2)
    base = os.environ.get("BASE")
    folder = base_build(base, say) if base else None
    try:
        bench = Bench(build, seconds)
        parts = Parts(bench, all_contenders(build, folder, say), rounds)
        names = sys.argv[2:] or PARTS
        print(f"{machine()}; medians of {rounds} rounds of {seconds:g} s, "
              f"ratios to the first line")
        for name in names:
            getattr(parts, name)()
    finally:
        if folder:
            shutil.rmtree(folder)
    (build / "bench" / "results.json").write_text(json.dumps(parts.kept))
    print(f"\n### Bars\n\n{bars.table(parts.kept)}")
    if "throughput" in names:
        print(f"\nThe picture of it: {draw(parts.kept, build / 'bench')}")


if __name__ == "__main__":
    main()
