#!/usr/bin/python3
"""
Writes docs/faults.md to standard output: each row of rows.py with the figure
reached, out of what `make faults`, `make soak` and the tests named there left.

    table.py [--run]

With --run these tests are run first.
"""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as xml

import e2e  # finds the next
from places import TOP

import report
from rows import ROWS, SECTIONS

SECONDS_FOR_TESTS = 3600


# The tests

def test_ids():
    return sorted({one for row in ROWS for one in row.by if "::" in one})


def run_tests():
    """Runs them; keeps how many cases of each passed, and what was measured."""
    report.KEPT.mkdir(parents=True, exist_ok=True)
    figures, results = report.KEPT / "figures.jsonl", report.KEPT / "tests.xml"
    figures.unlink(missing_ok=True)
    ids = [f"tests/e2e/{one.replace('::', '::test_')}" for one in test_ids()]
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2",
                    "--dist", "loadfile", f"--junitxml={results}", *ids], cwd=TOP,
                   env=os.environ | {"FXWIRE_FIGURES": str(figures)}, stdout=sys.stderr,
                   timeout=SECONDS_FOR_TESTS, check=False)
    lines = figures.read_text().splitlines() if figures.exists() else []
    report.keep("tests", {"tests": counted(results), "figures": [json.loads(x) for x in lines]})


def counted(path):
    """{test: {passed, failed, skipped}} of a file in JUnit's form."""
    found = {}
    for case in xml.parse(path).getroot().iter("testcase"):
        module = case.get("classname").split(".")[-1]
        name = f"{module}.py::{case.get('name').split('[')[0].removeprefix('test_')}"
        how = "failed" if case.find("failure") is not None or case.find("error") is not None \
            else "skipped" if case.find("skipped") is not None else "passed"
        found.setdefault(name, {"passed": 0, "failed": 0, "skipped": 0})[how] += 1
    return found


# The cells

class Kept:
    """What the runs left; a run that was not made is empty."""

    def __init__(self):
        self.trials, self.soak, self.tests = map(report.kept, ("trials", "soak", "tests"))

    def cell(self, one):
        if one.startswith("trial "):
            return self._trial(one.split()[1])
        if one == "soak flat":
            return self._flat()
        return self._struck(one.removeprefix("soak ")) if one.startswith("soak ") \
            else self._test(one)

    def _trial(self, name):
        row = self.trials.get("rows", {}).get(name)
        if row is None or "skipped" in row:
            return "not run"
        if "broken" in row:
            return "FAILED"
        old = f", {len(row['too_old'])} too old (counted, logged)" if row["too_old"] else ""
        bad = "; ".join(["", *row["failures"]])
        return (f"{row['times']} times, {row['received']} received{old}, {row['never']} lost, "
                f"{row['wrong']} wrong, {row['twice']} twice; asked and received again "
                f"{row['back']:.2f} s after its end at the latest{bad}")

    def _struck(self, start):
        struck = self.soak.get("struck", {})
        times = sum(n for name, n in struck.items() if name.startswith(start))
        return f"{times} times, see above" if struck else "not run"

    def _flat(self):
        grown = self.soak.get("grown", {})
        most = max(grown, key=grown.get, default=None)
        if most is None:
            return "not run"
        seconds = self.soak["rows"]["load"]["seconds"]
        return f"{most} grew most, by {grown[most]:g} KiB in half of {seconds:g} s"

    def _test(self, one):
        row = self.tests.get("tests", {}).get(one)
        if row is None:
            return "not run"
        told = ", ".join(f"{n} {how}" for how, n in row.items() if n)
        seen = [f for f in self.tests["figures"] if f["test"] == one]
        if seen:
            worst = max(seen, key=lambda f: f["took"] - f["limit"])
            told += f"; at most {worst['took']:.3f} s, bound {worst['limit']:.3g} s"
        return told

    def days(self):
        return sorted({kept["day"] for kept in (self.trials, self.soak, self.tests) if kept})


def command(one):
    if one.startswith("trial "):
        return f'`make faults ARGS={one.split()[1]}`'
    if one == "soak flat":
        return "`make soak`, load"
    return f"`make soak`, {one.removeprefix('soak ')}" if one.startswith("soak ") \
        else f"`{one.replace('::', '::test_')}`"


# The page

HEAD = """\
# Faults, and what they cost

For each fault what must hold, and what was reached when it was tried. Made by
`make faults`, `make soak` and `make faults-table`, which runs the tests that are named
here and writes this page out of what all three have left; the rows are those of
`tests/faults/rows.py`. A T is a second. *Nothing lost*: every request that was received
(README, [Nothing is lost](../README.md#nothing-is-lost)) has the right answer, once, or
again across a break by the same bytes.

A test asserts what its name says, as an exact figure where a bound stands behind it, and
may do so by shorter settings than the defaults (a `HEARTBEAT_TIMEOUT_SECONDS` of 0.5, say).
Seconds are of the machine that it ran on, with whatever else that had to do.
"""


def soak_lines(soak):
    if not soak:
        return ["There was no soak.", ""]
    rows = soak["rows"]
    words = ("asked", "again", "right", "error", "refused", "wrong", "twice", "doubled", "lost")
    lines = [f"The soak (`make soak`, seed {soak['seed']}): {sum(soak['struck'].values())} faults "
             f"of {len(soak['struck'])} kinds, several at a time.", "",
             "| phase | seconds | " + " | ".join(words) + " |",
             "| --- |" + " ---: |" * (len(words) + 1)]
    for name, row in rows.items():
        cells = [f"{row['seconds']:g}", *(f"{row[word]:,}" for word in words)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines + ["", "`error` was right (one request in twelve is bad on purpose), `refused` is "
                    "an error for want of a rate, `doubled` is twice without a break. "
                    + (f"{soak['audited']:,} results of the chaos were recomputed from the audit."
                       if "audited" in soak else ""), ""]


def page(kept):
    lines = [HEAD, f"Run on {', '.join(kept.days())}"
             + (f"; trials of {kept.trials['seconds']:g} s at {kept.trials['rate']:g} requests a "
                "second." if kept.trials else "."), "", *soak_lines(kept.soak)]
    for title, rows in SECTIONS.items():
        lines += [f"## {title}", "", "| | fault | must hold | reached, and by what |",
                  "| --- | --- | --- | --- |"]
        for row in rows:
            shown = "<br>".join(f"{command(one)}: {kept.cell(one)}" for one in row.by)
            lines.append(f"| {row.number} | {row.fault} | {row.bound} | {shown} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def main():
    if sys.argv[1:] == ["--run"]:
        run_tests()
    print(page(Kept()))


if __name__ == "__main__":
    main()
