#!/usr/bin/python3
"""
Line coverage of each parser by the seeds of its fuzz target and by all that it
found: coverage.py NAME:FILE,FILE... for each target. Lines that were not run
are shown. Exit code 1: of a file too few of them were run.
"""
import json
import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path("build-fuzz-coverage")
LEAST_PERCENT = 95


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **more).stdout


def measure(name, files):
    program, raw, profile = (BUILD / "fuzz" / (name + suffix) for suffix in ("", ".raw", ".profile"))
    folders = [pathlib.Path("tests/fuzz/seeds") / name, pathlib.Path("build-fuzz/corpus") / name]
    run(program, *(folder for folder in folders if folder.exists()),
        env={**os.environ, "LLVM_PROFILE_FILE": str(raw)})
    run("llvm-profdata", "merge", "-sparse", "-o", profile, raw)
    out = run("llvm-cov", "export", program, f"-instr-profile={profile}", *files)
    return {os.path.relpath(file["filename"]): file for file in json.loads(out)["data"][0]["files"]}


def lines_not_run(name, file):
    out = run("llvm-cov", "show", BUILD / "fuzz" / name, f"-instr-profile={BUILD}/fuzz/{name}.profile", file)
    for line in out.decode(errors="replace").splitlines():
        number, count, text = (line.split("|", 2) + ["", ""])[:3]
        if number.strip().isdigit() and count.strip() == "0":
            yield f"{number.strip():>10}: {text}"


def main():
    print(f"{'target':16} {'file':44} {'lines':>6} {'run':>8}")
    too_few = []
    for argument in sys.argv[1:]:
        name, files = argument.split(":")
        measured = measure(name, files.split(","))
        for file in files.split(","):
            lines = measured[file]["summary"]["lines"]
            print(f"{name:16} {file:44} {lines['count']:6} {lines['percent']:7.1f}%")
            print(*lines_not_run(name, file), sep="\n", end="" if lines["percent"] == 100 else "\n")
            if lines["percent"] < LEAST_PERCENT:
                too_few.append(file)
    for file in too_few:
        print(f"less than {LEAST_PERCENT} % of its lines were run: {file}")
    return 1 if too_few else 0


sys.exit(main())
