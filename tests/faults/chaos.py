"""All kinds of faults at once: each of these groups strikes on its own, by a seed."""
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter

import e2e  # finds the next
import redis
from service import Paused, ask_socket, kill_all
from waiting import wait_until

import calls
from gauges import processes
from group import Group
from netns import DIRECTIONS
from way import Proxy

HELPERS = ("wsclient", "ratefetcher", "monitor")
START_SECONDS = 30
STOOD_SECONDS = 3
LIE_SECONDS = 60


class Chaos:
    """Threads that strike; what has struck is counted."""

    def __init__(self, stand, seed):
        self.stand = stand
        self.struck = Counter()
        self.failures = []
        self._seed = seed
        self._lock = threading.Lock()
        self._over = threading.Event()

    def run(self, over):
        """Until `over`; all is as it was then."""
        self._over = over
        threads = [threading.Thread(target=self._group, args=(each,), daemon=True)
                   for each in GROUPS if not each.network or self.stand.cable]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _group(self, group):
        rng = random.Random(f"{self._seed} {group.__name__}")
        each = group(self.stand, rng, self.sleep)
        while not self._over.wait(rng.uniform(*group.gap)):
            name, strike = rng.choice(each.kinds())
            try:
                struck = strike()
            except BaseException as why:
                # A strike that failed is told, and ends no other; pytest's failures,
                # which the harness raises, are no Exception.
                self.failures.append(f"{name}: {why!r}")
                continue
            if struck is not False:
                with self._lock:
                    self.struck[f"{group.__name__.lower()}: {name}"] += 1
        each.heal()

    def sleep(self, seconds):
        """Shorter at the end."""
        self._over.wait(seconds)

    def heal(self):
        """A new start, that remembers no provider's failures, for what is without faults."""
        Processes(self.stand, random.Random(0), time.sleep).restart()
        rates = self.stand.service.rates
        wait_until(lambda: rates("latest")["op"] == "rates", "rates", START_SECONDS)


class Processes(Group):
    """Kills, stops and orders; whoever ends the service starts it again."""

    def kinds(self):
        names = (*HELPERS, "supervisor")
        signals = [("SIGSEGV", "wsclient"), ("SIGABRT", "ratefetcher"), ("SIGBUS", "monitor")]
        return ([(f"kill {name}", lambda name=name: self._signal(name, signal.SIGKILL))
                 for name in (*names, "watchdog")]
                + [(f"stop {name}", lambda name=name: self._stop(name)) for name in names]
                + [(f"{word} to {name}",
                    lambda name=name, word=word: self._signal(name, getattr(signal, word)))
                   for word, name in signals]
                + [("kill all", self._kill_all), ("SIGTERM, new start", self.restart),
                   ("reload", self._reload), ("bad reload", self._bad_reload),
                   ("folder swept", self._sweep), ("no descriptors", self._starve)]
                + calls.kinds(self, self._pid))

    def _pid(self, name):
        if name == "watchdog":
            return self.stand.service.process.pid
        return processes(self.stand.service).get(name)

    def _signal(self, name, number):
        pid = self._pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if name == "watchdog":
            self.stand.service.process.wait(START_SECONDS)
            self.run_again()
        return True

    def _stop(self, name):
        pid = self._pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError), Paused(pid):
            self.sleep(self.rng.choice((1, 6)))
        return True

    def _kill_all(self):
        kill_all(sorted(self.stand.service.processes()))
        self.stand.service.process.wait(START_SECONDS)
        self.run_again()

    def restart(self):
        service = self.stand.service
        service.process.send_signal(signal.SIGTERM)
        code = service.wait_exit(20)
        self.run_again()
        # Slow is not wrong here, but for another code there is no reason.
        assert code == 0, f"exit code {code} at SIGTERM"

    def run_again(self):
        """A new start at once; one that finds the old still there is repeated."""
        service = self.stand.service
        end = time.monotonic() + START_SECONDS
        if service.process.poll() is None and service.status_or_none():
            return
        while time.monotonic() < end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                service.process.wait(0.5)
            if service.process.poll() is not None:
                service.launch()
            elif service.status_or_none():
                return
        raise AssertionError("it did not start again")

    def _env(self, text):
        path = self.stand.service.folder / ".env"
        new = path.with_suffix(".new")
        new.write_text(text)
        new.rename(path)

    def _reload(self):
        self._env(f"HEARTBEAT_INTERVAL_SECONDS={self.rng.choice(('0.5', '0.7', '1'))}\n"
                  f"LOGS_EXPIRATION_DAYS={self.rng.randrange(2, 9)}\n")
        self.stand.service.process.send_signal(signal.SIGHUP)

    def _bad_reload(self):
        self._env("HEARTBEAT_INTERVAL_SECONDS=none\n")
        self.stand.service.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        self._env("")

    def _sweep(self):
        """
        Of one that has stood for a while, and until all is there again: what is swept
        while nobody has it, or whose process is killed within that second, is lost.
        """
        folder = self.stand.service.runtime_dir
        if not self._stands():
            return False
        before = {path.name for path in folder.iterdir()
                  if path.suffix == ".sock" or path.name.startswith("ledger")}
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        wait_until(lambda: {path.name for path in folder.iterdir()} >= before,
                   "what was swept", START_SECONDS)
        return True

    def _stands(self):
        status = self.stand.service.status_or_none()
        helpers = status["helpers"] if status else []
        return len(helpers) == len(HELPERS) and all(
            each["state"] == "ready" and each["uptime_seconds"] > STOOD_SECONDS
            for each in helpers)

    def _starve(self):
        name = self.rng.choice(("ratefetcher", "monitor"))
        pid = self._pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, before[1]))
            self.sleep(2)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        return True

    def heal(self):
        self._env("")
        self.run_again()


class Upstream(Group):
    """It cuts, falls silent, closes, sends what it must not."""

    FRAMES = ("reserved-bit", "unknown-opcode", "bad-utf8", "binary", "long-ping",
              "fragmented-ping", "lone-continuation", "huge")
    LASTING = {"silence": 3, "unread": 2, "no-beats": 3, "no-pongs": 2, "cut": 0.5}
    CODES = (1000, 1001, 1008, 1011, 1012, 1013)

    def kinds(self):
        orders = {name: {"fault": name, "seconds": seconds}
                  for name, seconds in self.LASTING.items()}
        orders |= {f"frame {kind}": {"fault": "frame", "kind": kind} for kind in self.FRAMES}
        orders |= {f"close {code}": {"fault": "close", "code": code} for code in self.CODES}
        orders |= {f"refuse {status}": {"fault": "refuse", "seconds": 1, "status": status}
                   for status in (401, 429, 503)}
        orders |= {"slow": {"fault": "slow", "seconds": 2, "bytes": 20000},
                   "length 2^63": {"fault": "bytes", "hex": "817f8000000000000000"}}
        return [(name, lambda told=told: self._order(told)) for name, told in orders.items()] \
            + [("SIGSTOP", self._freeze)]

    def _order(self, told):
        self.stand.upstream.order(json.dumps(told))
        self.sleep(told.get("seconds", 0))

    def _freeze(self):
        with contextlib.suppress(ProcessLookupError), Paused(self.stand.upstream.process.pid):
            self.sleep(3)


class Network(Group):
    """Packets to the upstream, or from it, are swallowed."""

    gap = (10, 25)
    network = True

    def kinds(self):
        return [(f"blackhole {way}", lambda way=way: self._swallow(way))
                for way in DIRECTIONS]

    def _swallow(self, way):
        self.stand.cable.cut(way, self.stand.way.port)
        try:
            self.sleep(3)
        finally:
            self.stand.cable.mend(way)


class Provider(Group):
    """Rates come late, wrong or not at all."""

    KINDS = ({"fault": "silence"}, {"fault": "slow"}, {"fault": "cut"}, {"fault": "garbage"},
             {"fault": "wrong-base"}, {"fault": "status", "status": 500},
             {"fault": "status", "status": 503}, {"fault": "status", "status": 404},
             {"fault": "status", "status": 429, "retry_after": 1})

    def kinds(self):
        return [(" ".join(str(each[word]) for word in ("fault", "status") if word in each),
                 lambda each=each: self._order(each)) for each in self.KINDS] \
            + [("killed, started again", self._restart), ("wrong-rate", self._lie)]

    def _lie(self):
        """Of the one that others are compared with: it is told, and in no answer."""
        self.stand.provider.order(json.dumps(
            {"fault": "wrong-rate", "percent": 50, "provider": "url", "seconds": LIE_SECONDS}))
        end = time.monotonic() + LIE_SECONDS
        pid = processes(self.stand.service).get("ratefetcher")
        if pid:
            kill_all([pid])  # of a table that it knows already it tells no more
        while not (status := self.stand.service.status_or_none()) \
                or not status.get("rates_differ"):
            assert time.monotonic() < end, "a wrong rate was not told"
            time.sleep(0.2)

    def _order(self, told):
        where = self.rng.choice(({}, {"provider": "frankfurter"}, {"provider": "ecb"}))
        seconds = self.rng.uniform(1, 4)
        self.stand.provider.order(json.dumps(told | where | {"seconds": seconds}))
        self.sleep(seconds)

    def _restart(self):
        self.stand.provider.close()
        self.sleep(1)
        self.stand.start_provider()

    def heal(self):
        self.stand.provider.close()
        self.stand.start_provider()


class Redis(Group):
    """It is killed, stopped, refuses, or has strange values."""

    def kinds(self):
        return [("killed", self._kill), ("stopped", self._stop), ("its connections", self._drop),
                ("OOM", self._set("maxmemory", "1", "0")),
                ("NOAUTH", self._set("requirepass", "secret", "")),
                ("READONLY", self._follow), ("garbage", self._garbage),
                ("wrong type", self._lists), ("emptied", self._empty)]

    @contextlib.contextmanager
    def _client(self):
        with self.stand.redis.client(single_connection_client=True) as client:
            yield client

    def _kill(self):
        self.stand.redis.kill()
        self.sleep(1)
        self.stand.redis.start()

    def _stop(self):
        with self.stand.redis.paused():
            self.sleep(2)

    def _drop(self):
        with self._client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def _set(self, name, bad, good):
        def strike():
            with self._client() as client:
                client.config_set(name, bad)
                self.sleep(2)
                client.config_set(name, good)
        return strike

    def _follow(self):
        with self._client() as client:
            client.execute_command("REPLICAOF", "127.0.0.1", "1")
            self.sleep(2)
            client.execute_command("REPLICAOF", "NO", "ONE")

    def _garbage(self):
        with self._client() as client:
            for key in client.keys("fxwire:rates:*"):
                with contextlib.suppress(redis.exceptions.ResponseError):
                    client.set(key, self.rng.randbytes(self.rng.randrange(200)))

    def _lists(self):
        with self._client() as client:
            for key in client.keys("fxwire:rates:*"):
                client.delete(key)
                client.lpush(key, "1")

    def _empty(self):
        with self._client() as client:
            client.flushall()


class Clock(Group):
    """Steps of the helpers' wall clock."""

    gap = (8, 20)

    def kinds(self):
        return [(f"{hours:+d} h", lambda hours=hours: self._step(hours))
                for hours in (1, -1, 20, -20)]

    def _step(self, hours):
        self.stand.set_clock(3600 * hours)
        self.sleep(4)
        self.heal()

    def heal(self):
        self.stand.set_clock(0)


class Disk(Group):
    """That of the logs is full, or its folder gone."""

    gap = (8, 20)
    network = True  # has mounts of its own then

    def kinds(self):
        return [("full", self._fill), ("folder removed", self._remove)]

    def _fill(self):
        path = self.stand.logs / "filling"
        with contextlib.suppress(OSError), open(path, "wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        self.sleep(4)
        path.unlink()

    def _remove(self):
        shutil.rmtree(self.stand.logs / "daily", ignore_errors=True)


class Strangers(Group):
    """Questions and garbage on the local sockets."""

    def kinds(self):
        return [("status", lambda: self._say("control.sock", b'{"op":"status"}\n')),
                ("garbage", lambda: self._say("control.sock", self.rng.randbytes(500) + b"\n")),
                ("garbage for rates", lambda: self._say("rates.sock", b"\xff{\n")),
                ("rates", lambda: self._say("rates.sock", b'{"op":"rates","date":"latest"}\n'))]

    def _say(self, name, data):
        try:
            ask_socket(self.stand.service.runtime_dir / name, data, seconds=2)
        except OSError:
            return False  # nobody is there just now
        return True


GROUPS = (Processes, Upstream, Proxy, Network, Provider, Redis, Clock, Disk, Strangers)
