#!/usr/bin/python3
"""
fxwire beside other clients, under the load generator: `make bench`.

    bench.py BUILD_FOLDER [PART...]

Settings come from the environment: ROUNDS, SECONDS (of each run), BASE (a commit
to compare with). The parts are interleaved round by round; printed are medians
and, round by round, the ratios to the first program. JSON of all goes to
BUILD_FOLDER/bench/results.json.
"""
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

from contenders import all_contenders, base_build
from table import compare
from trial import Bench, run

RATES = (100, 1000, 10000)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Parts:
    """Each part prints its table and keeps its rounds."""

    def __init__(self, bench, contenders, rounds):
        self.bench = bench
        self.contenders = contenders
        self.rounds = rounds
        self.kept = {}

    def interleaved(self, title, contenders, **options):
        """{name: [result of each round]}"""
        results = {c.name: [] for c in contenders}
        for i in range(self.rounds):
            for c in contenders:
                say(f"{title}: round {i + 1}, {c.name}")
                results[c.name].append(run(self.bench, c, **options))
        self.kept[title] = results
        return results

    def table(self, title, contenders, measures, **options):
        results = self.interleaved(title, contenders, **options)
        print(f"\n### {title}\n\n{compare(results, measures, contenders[0].name)}", flush=True)

    def throughput(self):
        for window in (256, 2048):
            self.table(f"Throughput, {window} outstanding", self.contenders,
                       [("messages/s", "per_second"), ("CPU us/message", "cpu_us"),
                        ("PSS MB", "pss_mb")], window=window)

    def tls(self):
        able = [c for c in self.contenders if c.tls]
        self.table("Throughput over TLS, 256 outstanding", able,
                   [("messages/s", "per_second"), ("CPU us/message", "cpu_us")],
                   window=256, tls=True)

    def latency(self):
        for rate in RATES:
            self.table(f"Latency at {rate} requests a second, microseconds",
                       self.contenders,
                       [("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"),
                        ("largest", "max_us")], rate=rate, window=1 << 16)


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
        names = sys.argv[2:] or ["throughput", "tls", "latency"]
        print(f"{machine()}; medians of {rounds} rounds of {seconds:g} s, "
              f"ratios to the first line")
        for name in names:
            getattr(parts, name)()
    finally:
        if folder:
            shutil.rmtree(folder)
    (build / "bench" / "results.json").write_text(json.dumps(parts.kept))


if __name__ == "__main__":
    main()
