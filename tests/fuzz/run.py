#!/usr/bin/python3
"""
Runs fuzz targets, as many at a time as there are cores: run.py SECONDS NAME...
With SEED in the environment each makes the same inputs in the same order, for as
long as it runs.
What they find new is kept in build-fuzz/corpus/NAME and is where the next run
begins. Exit code 1: a target failed, and where its input is.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

BUILD = pathlib.Path("build-fuzz")
HERE = pathlib.Path("tests/fuzz")
# Beyond what libFuzzer is to end by itself.
GRACE_SECONDS = 60


def options(name, seconds):
    dictionary = HERE / f"{name}.dict"
    yield from (f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=1024")
    if os.environ.get("SEED"):
        yield f"-seed={os.environ['SEED']}"
    yield f"-artifact_prefix={BUILD}/failed/{name}-"
    if dictionary.exists():
        yield f"-dict={dictionary}"


def fuzz(name, seconds):
    corpus = BUILD / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    command = [BUILD / "fuzz" / name, *options(name, seconds), corpus, HERE / "seeds" / name]
    log = BUILD / "failed" / f"{name}.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out, stdin=subprocess.DEVNULL)
        try:
            code = process.wait(seconds + GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    return code, log.read_text(errors="replace")


def figure(text, name):
    found = re.search(rf"stat::{name}:\s*(\d+)", text)
    return int(found[1]) if found else 0


def verdict(code, text):
    failed = re.search(r"Test unit written to (\S+)", text)
    if code == 0:
        return "ok"
    return f"FAILED: {failed[1]}" if failed else f"FAILED with {code}"


def main():
    seconds, names = int(sys.argv[1]), sys.argv[2:]
    (BUILD / "failed").mkdir(parents=True, exist_ok=True)
    print(f"{'target':16} {'executions':>12} {'each second':>12} {'new units':>10}  result")
    failures = []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        runs = {name: pool.submit(fuzz, name, seconds) for name in names}
        for name, run in runs.items():
            code, text = run.result()
            stats = [figure(text, stat) for stat in
                     ("number_of_executed_units", "average_exec_per_sec", "new_units_added")]
            print(f"{name:16} {stats[0]:12,} {stats[1]:12,} {stats[2]:10,}  {verdict(code, text)}", flush=True)
            if code != 0:
                failures.append(text)
    for text in failures:
        told = [line for line in text.split("Shadow bytes around")[0].splitlines() if not re.match(r"#\d+\t|(INFO|stat::)", line)]
        print("", *told[-60:], sep="\n  ")
    return 1 if failures else 0


sys.exit(main())
