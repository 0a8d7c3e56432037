#!/usr/bin/python3
"""
Shows that no answer is lost: one trial for each fault, and a table of them.

    run.py [--seconds N] [--rate N] [--seed N] [FAULT...]

The exit code is 1 if anything received was never answered, if an answer was
wrong, or if one came twice without a break between. FXWIRE_BUILD names the
folder of the programs.
"""
import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import netns
import report

from faults import FAULTS

HERE = Path(__file__).resolve().parent
# Beyond its own seconds: the start, the last cycle, the drain and the stop.
MORE_SECONDS = 180


def trial(name, seconds, rate, seed):
    """Runs one trial in a process of its own; gives its row."""
    command = [sys.executable, HERE / "trial.py", name, str(seconds), str(rate), str(seed)]
    if FAULTS[name].network:
        why = netns.why_not()
        if why:
            return {"skipped": why}
        command = netns.prefix() + command
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            row, trace = process.communicate(timeout=seconds + MORE_SECONDS)
        except BaseException:
            process.terminate()  # it ends the service, which a kill would leave behind
            raise
    if process.returncode == 0:
        return json.loads(row)
    told = [text for text in trace.splitlines() if text.strip()]
    return {"broken": told[-1] if told else f"exit code {process.returncode}", "trace": trace}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for each fault")
    parser.add_argument("--rate", type=float, default=500, help="requests a second")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("faults", nargs="*", metavar="FAULT",
                        help="one or more of: " + " ".join(FAULTS))
    args = parser.parse_args()
    unknown = [name for name in args.faults if name not in FAULTS]
    if unknown:
        parser.error(f"no such fault: {' '.join(unknown)}")

    print(report.LEGEND)
    print(f"seed {args.seed}, {args.rate:g} requests a second, {args.seconds:g} s each\n")
    print(report.head(), flush=True)
    rows = {}
    for name in args.faults or FAULTS:
        rows[name] = trial(name, args.seconds, args.rate, args.seed)
        print(report.line(name, rows[name]), flush=True)
        if "trace" in rows[name]:
            print(rows[name]["trace"], file=sys.stderr)
    how = {"seconds": args.seconds, "rate": args.rate}
    before = report.kept("trials")
    if {name: before.get(name) for name in how} != how:
        before = {"rows": {}}
    report.keep("trials", how | {"rows": before["rows"] | rows})
    skipped = [name for name, row in rows.items() if "skipped" in row]
    bad = [name for name, row in rows.items() if not report.is_good(row)]
    print(f"\n{len(rows) - len(skipped) - len(bad)} good, {len(bad)} bad, "
          f"{len(skipped)} skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
