#!/usr/bin/python3
"""
A soak: all faults at once under load, then full load without faults, then none.

    soak.py [--seconds N] [--load N] [--idle N] [--seed N] [--window N]

The faults strike on the long way: by TLS, through a proxy, and with an audit, all
of which is recomputed. Each takes --seconds; --load and --idle are for another length of the second and
the third. The exit code is 1 if an answer was lost, wrong or doubled without a
break, or if something grew. FXWIRE_BUILD names the folder of the programs. As
root, or where a user may have networks of its own, packets are swallowed and a
disk fills up, too.
"""
import argparse
import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import e2e  # finds the next
from amounts import write_fresh_rates
from certificates import Authority
from names import find_library, preload
from places import BUILD
from redis_server import RedisServer
from service import Service
from waiting import wait_until

import gauges
import netns
from audited import Audited
from chaos import Chaos
from report import keep
from way import Way

INSIDE = "FXWIRE_SOAK_INSIDE"
LOGS_BYTES = "8m"
PATIENCE = 60
# Beyond a phase's own seconds: the start, the last answers, the end.
MORE_SECONDS = 3 * PATIENCE
COUNTS = {"asked": r"^asked (\d+)", "right": r"answered right (\d+)",
          "error": r"answered by error (\d+)", "wrong": r"wrong (\d+)",
          "twice": r"twice (\d+)", "lost": r"unanswered (\d+)",
          "again": r"asked again (\d+)", "unexpected": r"unexpected (\d+)",
          "refused": r"refused (\d+)", "doubled": r"doubled (\d+)",
          "links": r"^connections (\d+)", "per_second": r"^(\d+) answers a second"}
BAD = ("wrong", "lost", "unexpected", "doubled")

SETTINGS = {
    "RATE_PROVIDERS": "frankfurter ecb",
    "RATES_CROSSCHECK": "url",
    "LATEST_MAX_AGE_DAYS": "7",
    "CACHE_TTL_SECONDS": "5",
    "STALE_MAX_SECONDS": "3600",
    "PROVIDER_CALLS_PER_MINUTE": "100000",
    "RECONNECT_MAX_SECONDS": "0.2",
    # Outages that overlap may be long; what is lost is not to be excused by age.
    "RETRY_MESSAGE_TTL": "600",
    "RATES_FILE": None,
    "LOG_LEVEL": "info",
}


class StandIn:
    """mock-upstream or mock-provider, which takes faults as lines."""

    def __init__(self, folder, name, host, *options, port=0, launcher=()):
        self.port_file = folder / f"{name}.port"
        self.port_file.unlink(missing_ok=True)
        self.out_path = folder / f"{name}.out"
        with open(self.out_path, "wb") as out, open(folder / f"{name}.err", "ab") as err:
            self.process = subprocess.Popen(
                [*launcher, BUILD / name, "--listen", f"{host}:{port}", "--script", "-",
                 "--quiet", "--port-file", self.port_file, *map(str, options)],
                stdin=subprocess.PIPE, stdout=out, stderr=err, text=True)
        wait_until(self.port_file.exists, f"{name} listens")
        self.port = int(wait_until(self.port_file.read_text, "its port"))

    def order(self, line):
        with contextlib.suppress(BrokenPipeError):  # at the end of a phase
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def counts(self):
        text = self.out_path.read_text()
        found = {name: re.search(form, text, re.M) for name, form in COUNTS.items()}
        return {name: int(each[1]) if each else 0 for name, each in found.items()}

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()


class Stand:
    """The service and all around it."""

    def __init__(self, stack, seed):
        self.rng = random.Random(seed)
        self.cable = netns.Cable() if os.environ.get(INSIDE) else None
        if self.cable:
            stack.callback(self.cable.close)
        self.host = netns.HOST if self.cable else "127.0.0.1"
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fxs-")))
        self.rates = write_fresh_rates(self.folder / "rates.csv")
        self.clock = self.folder / "clock"
        self.set_clock(0)
        self.provider = None
        self.start_provider()
        stack.callback(lambda: self.provider.close())
        self.redis = stack.enter_context(RedisServer()).start()
        self.upstream = None
        self.upstream_port = self._free_port()
        self.way = stack.enter_context(Way(self.host))
        authority = Authority(self.folder)
        self.certificate = authority.issue(self.host)
        self.service = Service(self._settings(), wrappers=self._wrappers(),
                               launcher=self.cable.launcher if self.cable else ())
        stack.callback(self.service.remove)
        self.logs = self.service.folder / "logs"
        self.logs.mkdir()
        if self.cable:
            self._mount_logs(stack)
        self.service.env["LOGS_DIR"] = str(self.logs / "daily")
        self.audit = self.service.folder / "audit"
        self.service.env |= self._long_way(authority)
        self.service.launch()

    def _free_port(self):
        probe = StandIn(self.folder, "mock-upstream", self.host)
        probe.close()
        return probe.port

    def _mount_logs(self, stack):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={LOGS_BYTES}", "logs", self.logs],
                       check=True)
        stack.callback(subprocess.run, ["umount", "-l", self.logs], check=False)

    def _settings(self):
        url = f"http://{self.host}:{self.provider.port}"
        return SETTINGS | {
            "REQUESTS_WS_URL": f"ws://{self.host}:{self.upstream_port}/soak",
            "FRANKFURTER_URL": f"{url}/frankfurter", "ECB_URL": f"{url}/ecb",
            "RATES_URL": f"{url}/url",
            "REDIS_URL": self.redis.unix_url(), "PROVIDER_PROXY": "none", "WS_PROXY": "none"}

    def _long_way(self, authority):
        """By TLS, through a proxy, with an audit: what full load is measured without."""
        return {"REQUESTS_WS_URL": f"wss://{self.host}:{self.upstream_port}/soak",
                "WS_CA_FILE": str(authority.ca_file), "WS_PROXY": self.way.url,
                "AUDIT_DIR": str(self.audit)}

    def take_short_way(self):
        """From the next start on."""
        settings = self._settings()
        self.service.env |= {name: settings[name] for name in ("REQUESTS_WS_URL", "WS_PROXY")}
        for name in ("WS_CA_FILE", "AUDIT_DIR"):
            del self.service.env[name]

    def _wrappers(self):
        """The helpers' wall clock can be set; the file is looked at each second."""
        library = find_library("faketime/libfaketime.so.1", "faketime")
        line = (preload(library) + f"export FAKETIME_TIMESTAMP_FILE={self.clock} "
                "FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 "
                'DONT_FAKE_MONOTONIC=1\nexec {real} "$@"')
        return {"wsclient": line, "ratefetcher": line}

    def set_clock(self, seconds):
        new = self.clock.with_suffix(".new")
        new.write_text(f"{seconds:+.3f}\n")
        new.rename(self.clock)

    def start_provider(self):
        port = self.provider.port if self.provider else 0
        self.provider = StandIn(self.folder, "mock-provider", self.host, "--rates", self.rates,
                                port=port)

    def folders(self):
        env = self.service.env
        return [Path(env[name]) for name in ("RUNTIME_DIR", "STATE_DIR", "LOGS_DIR")]

    def put_aside(self):
        folder = Path(self.service.env["STATE_DIR"]) / "quarantine"
        return len([path for path in folder.glob("**/*") if path.is_file()])


def play(name, stand, seconds, options, during=None):
    """One phase: another upstream at the same port; gives its counts and looks."""
    stand.upstream = StandIn(stand.folder, "mock-upstream", stand.host, *options, "--seconds",
                             seconds, "--patience", PATIENCE, "--rates", stand.rates,
                             port=stand.upstream_port)
    over = threading.Event()
    thread = threading.Thread(target=during, args=(over,), daemon=True) if during else None
    try:
        with gauges.Gauges(stand.service, stand.folders()) as seen:
            if thread:
                thread.start()
            code = _wait(stand.upstream, seconds, over)
    finally:
        over.set()
        if thread:
            thread.join()
        counts = stand.upstream.counts()
        stand.upstream.close()
    show_counts(name, counts | {"seconds": seconds})
    return counts | {"code": code, "seconds": seconds}, seen


def _wait(upstream, seconds, over):
    """Its exit code; what is done meanwhile ends before the last answers are due."""
    try:
        return upstream.process.wait(seconds)
    except subprocess.TimeoutExpired:
        over.set()
    try:
        return upstream.process.wait(MORE_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def judge(name, counts, bad):
    """Adds what is wrong with the counts of a phase."""
    found = [f"{counts[word]} {word}" for word in BAD if counts[word]]
    if not found and counts["code"] != 0:
        found.append(f"the upstream ended with {counts['code']}")
    bad += [f"{name}: {each}" for each in found]


WORDS = ("seconds", "asked", "again", "right", "error", "refused", "wrong", "twice",
         "doubled", "unexpected", "lost", "links")


def show_counts(name, counts):
    """A line of the table, as soon as a phase is over."""
    print(f"{name:8}" + "".join(f"{counts[word]:>11}" for word in WORDS), flush=True)


def show_use(name, seen):
    """Least and most of what was used, by process."""
    looks = seen.looks
    for process in sorted({each for look in looks for each in look.memory}):
        memory = [look.memory[process] for look in looks if process in look.memory]
        fds = [look.descriptors[process] for look in looks if process in look.descriptors]
        grown = gauges.growths(looks) or {}
        told = f", grew by {grown[('memory', process)]:g} KiB" \
            if ("memory", process) in grown and name != "chaos" else ""
        print(f"  {name:6} {process:12} memory {min(memory)}-{max(memory)} KiB{told}, "
              f"descriptors {min(fds)}-{max(fds)}")
    print(f"  {name:6} files {min(x.files for x in looks)}-{max(x.files for x in looks)}, "
          f"{max(x.bytes for x in looks) // 1024} KiB at most", flush=True)


def soak(lengths, seed, window):
    bad, rows, phases = [], {}, {}
    load = ["--random", "--rate", 0, "--window", window, "--seed", seed]
    with contextlib.ExitStack() as stack:
        stand = Stand(stack, seed)
        show_counts("phase", dict(zip(WORDS, WORDS)))
        chaos = Chaos(stand, seed)
        tls = ["--tls-cert", stand.certificate, "--tls-key", stand.certificate]
        with Audited(stand.audit) as audited:
            rows["chaos"], phases["chaos"] = play(
                "chaos", stand, lengths["chaos"],
                [*load, *tls, "--allow-errors", "--linger", 2], chaos.run)
        aside = stand.put_aside()
        bad += [f"chaos: {each}" for each in chaos.failures]
        stand.take_short_way()
        chaos.heal()
        bad += audited.finish()
        rows["load"], phases["load"] = play("load", stand, lengths["load"], load)
        rows["idle"], phases["idle"] = play("idle", stand, lengths["idle"], [])
        stand.service.stop()
        keep_logs(stand)
        logged = stand.service.log()
    for name, counts in rows.items():
        judge(name, counts, bad)
        if name != "chaos":
            bad += [f"{name}: {each}"
                    for each in gauges.faults_of(phases[name].looks, phases[name].days)]
    bad += [f"on standard error: {line}" for line in
            re.findall(r".*(?:Sanitizer|runtime error:|sandbox_refused).*", logged)[:3]]
    return tell(seed, chaos, rows, phases, aside, audited, bad)


def keep_logs(stand):
    """Leaves what was logged beside the programs."""
    folder = BUILD / "faults" / "soak"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*stand.logs.glob("daily/*"), *stand.folder.glob("*.err")):
        shutil.copy2(path, folder)


def tell(seed, chaos, rows, phases, aside, audited, bad):
    print("\nfaults struck")
    for name, times in sorted(chaos.struck.items()):
        print(f"  {name:32}{times:>6}")
    print(f"  {'all':32}{sum(chaos.struck.values()):>6}\n")
    print(f"answers at full load: {rows['load']['right'] / rows['load']['seconds']:.0f} "
          f"a second; put aside (quarantine) in chaos: {aside}\n"
          f"audit of chaos: {audited.lines} lines, {audited.recomputed} results recomputed\n")
    for name, seen in phases.items():
        show_use(name, seen)
    grown = gauges.growths(phases["load"].looks) or {}
    keep("soak", {"seed": seed, "struck": chaos.struck, "rows": rows, "bad": bad,
                  "audited": audited.recomputed,
                  "grown": {name: kb for (what, name), kb in grown.items() if what == "memory"}})
    print("\n" + "\n".join([f"! {each}" for each in bad] + ["NOT passed" if bad else "passed"]))
    return 1 if bad else 0


def go_inside():
    """Once more, in a network and with mounts of its own."""
    why = netns.why_not()
    if why:
        print(f"without swallowed packets and full disks: {why}")
        return
    os.environ[INSIDE] = "1"
    command = [*netns.prefix(), "--mount", sys.executable, *sys.argv]
    os.execvp(command[0], command)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="of faults")
    parser.add_argument("--load", type=float, help="seconds of load alone (as --seconds)")
    parser.add_argument("--idle", type=float, help="seconds of neither (as --seconds)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--window", type=int, default=1024, help="requests open at a time")
    args = parser.parse_args()
    if not os.environ.get(INSIDE):
        go_inside()
    lengths = {"chaos": args.seconds, "load": args.load or args.seconds,
               "idle": args.idle or args.seconds}
    told = ", ".join(f"{name} {seconds:g} s" for name, seconds in lengths.items())
    print(f"seed {args.seed}, {told}, at most {args.window} requests open\n"
          f"{gauges.RULE}\n", flush=True)
    began = time.monotonic()
    code = soak(lengths, args.seed, args.window)
    print(f"{time.monotonic() - began:.0f} s in all")
    return code


if __name__ == "__main__":
    sys.exit(main())
