#!/usr/bin/python3
"""
The instructions that a request costs, part by part, counted by callgrind: they
repeat from run to run, where times do not.

    instructions.py [BUILD_FOLDER] [--check | --write]

Prints a table. --check compares it with instructions.txt beside this file:
exit code 1 when a part costs over a tenth more, 75 when this build can not be
compared. --write renews that file.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "instructions.txt"
CANNOT = os.EX_TEMPFAIL
MARGIN = 1.1
# Below it a single instruction more would be a tenth.
LEAST = 20


def count(program):
    """The build, and {(part, shape): (instructions, bytes, clock readings)} of a message."""
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "dump"
        text = subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--combine-dumps=yes",
             f"--callgrind-out-file={dump}", program],
            check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
        totals = read_totals(dump.read_text())
    build, *runs = text.splitlines()
    figures = {}
    for run in runs:
        part, shape, messages, size, clocks = run.split()
        figures[part, shape] = (totals[f"{part} {shape}"] / int(messages), int(size),
                                int(clocks) / int(messages))
    return build, figures


def read_totals(dump):
    """{name: instructions} of the parts of a callgrind file."""
    totals, name = {}, None
    for line in dump.splitlines():
        if line.startswith("desc: Trigger: "):
            name = line.rpartition(": ")[2]
        elif line.startswith("totals: "):
            totals[name] = int(line.split()[1])
    return totals


def show(build, figures):
    print(f"{build}: instructions of a message")
    print(f"{'part':10} {'shape':10} {'bytes':>6} {'a message':>10} {'a byte':>7} {'clock read':>10}")
    for (part, shape), (instructions, size, clocks) in figures.items():
        print(f"{part:10} {shape:10} {size:6} {instructions:10.0f} {instructions / size:7.2f} "
              f"{clocks:10.2f}")


def write(build, figures):
    lines = [build, *(f"{part} {shape} {instructions:.0f} {clocks:.0f}"
                      for (part, shape), (instructions, _, clocks) in figures.items())]
    FIGURES.write_text("\n".join(lines) + "\n")


def faults(build, figures):
    """What is dearer than it was, a line each; None: there is nothing to compare with."""
    old_build, *lines = FIGURES.read_text().splitlines()
    if build != old_build:
        print(f"the figures are of {old_build}, this is {build}")
        return None
    found = []
    rows = [line.split() for line in lines]
    if {(part, shape) for part, shape, *_ in rows} != set(figures):
        found.append(f"{FIGURES.name} has other parts or shapes: renew it")
    for part, shape, instructions, clocks in rows:
        now, _, clocks_now = figures.get((part, shape), (0, 0, 0))
        if now > max(int(instructions) * MARGIN, LEAST):
            found.append(f"{part} of a {shape} request: {now:.0f} instructions, not {instructions}")
        if clocks_now > int(clocks) + 0.5:
            found.append(f"{part} of a {shape} request: {clocks_now:.0f} clock readings, "
                         f"not {clocks}")
    return found


def main():
    words = sys.argv[1:]
    folders = [word for word in words if not word.startswith("--")]
    build, figures = count(Path(folders[0] if folders else "build").resolve() / "bench/instructions")
    show(build, figures)
    if "--write" in words:
        write(build, figures)
    if "--check" in words:
        found = faults(build, figures)
        if found is None:
            return CANNOT
        for line in found:
            print(line)
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
