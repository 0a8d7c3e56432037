#!/usr/bin/python3
"""
One fault, again and again, under load; a JSON object on standard output tells
what came of it.

    trial.py FAULT SECONDS RATE SEED
"""
import contextlib
import json
import re
import signal
import sys
import time

from world import World

from faults import FAULTS
from places import BUILD


def strike_often(world, fault):
    """For as long as the trial lasts; gives what was seen of each time."""
    end = time.monotonic() + world.seconds
    seen = []
    while time.monotonic() < end or not seen:
        world.sleep(world.seconds / fault.times * world.rng.uniform(0.4, 1))
        in_hand = world.tell("in_hand")["in_hand"]
        seen.append((in_hand, world.wait_back(fault.strike(world))))
    return seen


def look_at_log(world, fault):
    """Processes die only of what kills them, and never of a crash of their own."""
    log = world.service.log()
    crashes = re.findall(r".* crashed .*", log)
    if crashes:
        world.failures.append(f"crashed: {crashes[0]}")
    died = re.findall(r".* died process=.*", log)
    if died and not fault.may_die:
        world.failures.append(f"died: {died[0]}")


def keep_log(world, name):
    """Leaves the service's log beside the programs."""
    folder = BUILD / "faults"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.log").write_text(world.service.log())


def run(name, seconds, rate, seed):
    fault = FAULTS[name]
    with contextlib.ExitStack() as stack:
        world = World(stack, fault, seconds, rate, f"{seed} {name}")
        stack.callback(keep_log, world, name)
        seen = strike_often(world, fault)
        world.drain()
        if fault.check:
            fault.check(world, world.tell("summary"))
        counted = world.finish()
        if fault.links and not fault.links(len(seen), counted["links"]):
            world.failures.append(f"{counted['links']} links in {len(seen)} times")
        look_at_log(world, fault)
        world.failures += [f"{count} times: {kind}, such as {examples[0]}"
                           for kind, (count, examples) in counted["offences"].items()]
    return counted | {
        "times": len(seen),
        "in_hand": sum(in_hand for in_hand, _ in seen),
        "back": max(back for _, back in seen),
        "failures": world.failures,
    }


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    name, seconds, rate, seed = sys.argv[1:]
    print(json.dumps(run(name, float(seconds), float(rate), seed)))


if __name__ == "__main__":
    main()
