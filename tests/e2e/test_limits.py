"""No descriptors or no processes left: told, survived, without a spin."""
import os
import re
import resource
import signal
import socket
import time
from pathlib import Path

import pytest

from amounts import message, stake_of
from places import SANITIZED, SCALE, VALGRIND
from service import is_running
from waiting import assert_no_spin, wait_until

CLEAR = r"Too many open files|Resource temporarily unavailable"


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def files_of(pid):
    """Its open descriptors."""
    return {int(entry) for entry in os.listdir(f"/proc/{pid}/fd")}


class NoMoreFiles:
    """A process that can open nothing more while the block runs."""

    def __init__(self, pid):
        self.pid = pid
        self._limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)

    def __enter__(self):
        # What it holds only now and then counts as free.
        lasting = set.intersection(*(files_of(self.pid) for _ in range(50)))
        lowest_free = min(set(range(1024)) - lasting)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (lowest_free, self._limits[1]))
        return self

    def __exit__(self, *_):
        if is_running(self.pid):
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self._limits)


class NoMoreProcesses:
    """A process that can fork no more while the block runs, by a cgroup."""

    def __init__(self, pid):
        self.pid = pid
        for top in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
            self.folder = Path(top) / f"fxe-{pid}"
            try:
                self.folder.mkdir()
            except OSError:
                continue
            if (self.folder / "pids.max").exists():
                return
            self.folder.rmdir()
        pytest.skip("no pids controller that may be used")

    def __enter__(self):
        (self.folder / "pids.max").write_text("1")
        (self.folder / "cgroup.procs").write_text(str(self.pid))
        return self

    def __exit__(self, *_):
        (self.folder / "pids.max").write_text("max")

    def remove(self):
        """Once the processes in it are gone."""
        wait_until(lambda: not (self.folder / "cgroup.procs").read_text(), "an empty cgroup")
        self.folder.rmdir()


def fail_to_start(service, upstream, supervisor):
    """Kills a helper that cannot be replaced now; all else goes on."""
    os.kill(service.helper_pid, signal.SIGKILL)
    line = service.wait_log("start_failed.*ratefetcher")
    assert re.search(CLEAR, line) and "retry_in" in line
    assert_no_spin(supervisor)
    lines = len(re.findall("start_failed", service.log()))
    assert 2 <= lines <= 9, "once an attempt, and they get rarer"
    assert_works(upstream.link)


def is_ready(service):
    return (service.status_or_none() or {}).get("ready")


def test_no_descriptors_for_a_start(start, upstream):
    """It is tried again, ever more rarely, until it works."""
    service = start(upstream)
    assert_works(upstream.link)
    pids = service.pids()
    service.helper_pid = pids["ratefetcher"]
    with NoMoreFiles(pids["supervisor"]):
        fail_to_start(service, upstream, pids["supervisor"])
    service.wait_respawn("ratefetcher", pids["ratefetcher"])
    service.wait_ready()
    assert service.pids()["supervisor"] == pids["supervisor"]
    assert len(upstream.links) == 1


def test_no_processes_for_a_start(start, upstream):
    service = start(upstream)
    assert_works(upstream.link)
    pids = service.pids()
    service.helper_pid = pids["ratefetcher"]
    limit = NoMoreProcesses(pids["supervisor"])
    try:
        with limit:
            fail_to_start(service, upstream, pids["supervisor"])
        service.wait_respawn("ratefetcher", pids["ratefetcher"])
        service.wait_ready()
        assert_works(upstream.link)
        assert service.stop() == 0
    finally:
        service.remove()
        limit.remove()


@pytest.mark.parametrize("who", ["supervisor", "ratefetcher"])
def test_no_descriptors_for_a_question(start, upstream, who):
    """Somebody waits to be let in; that does not keep the process busy."""
    service = start(upstream)
    assert_works(upstream.link)
    pids = service.pids()
    name = {"supervisor": "control.sock", "ratefetcher": "rates.sock"}[who]
    question = {"supervisor": b'{"op":"status"}\n',
                "ratefetcher": b'{"op":"rates","date":"2021-05-18"}\n'}[who]
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(10 * SCALE)
        with NoMoreFiles(pids[who]):
            asker.connect(str(service.runtime_dir / name))
            asker.sendall(question)
            assert_no_spin(pids[who])
            assert_works(upstream.link)
            told = len(re.findall("Too many open files", service.log()))
        assert asker.recv(65536)
    assert 1 <= told <= 10, f"{told} lines tell of it"
    assert service.pids() == pids
    assert "died" not in service.log()


def test_no_descriptors_for_a_reload(start, upstream):
    """It is refused, and the old values stay."""
    service = start(upstream)
    (service.folder / ".env").write_text("CACHE_TTL_SECONDS=100\n")
    pids = service.pids()
    with NoMoreFiles(pids["supervisor"]):
        service.process.send_signal(signal.SIGHUP)
        service.wait_log("reload_refused.*Too many open files")
        assert_works(upstream.link)
    assert service.pids() == pids


@pytest.mark.skipif(VALGRIND or SANITIZED, reason="those need more descriptors themselves")
def test_a_watchdog_that_could_not_hear_does_not_start(make_service, upstream):
    """Four descriptors are not enough for the pipe of its log."""
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    service.launcher = ["prlimit", "--nofile=4:4"]
    service.launch()
    assert service.wait_exit(5) == 70 and re.search(CLEAR, service.log())


@pytest.mark.skipif(VALGRIND or SANITIZED, reason="those need more descriptors themselves")
@pytest.mark.parametrize("limit", [4, 8, 12, 16, 20, 24, 32])
def test_a_low_limit_from_the_start_on(make_service, upstream, limit):
    """It works, or says why not; it neither spins nor stays silent."""
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    plain, service.build = service.build, service.folder
    (service.folder / "supervisor").write_text(
        f'#!/bin/sh\nexec prlimit --nofile={limit}:1024 {plain}/supervisor "$@"\n')
    (service.folder / "supervisor").chmod(0o755)
    service.launch()
    service.build = plain

    def ended():
        return service.process.poll() is not None

    def flooded():
        if service.log_path.stat().st_size < 100_000:
            return False
        service.process.kill()  # before it fills the disk
        pytest.fail("a flood of lines: " + service.log_path.open().read(300))

    wait_until(lambda: flooded() or ended() or is_ready(service)
               or re.search(CLEAR, service.log()), "a word", 5)
    if ended():
        assert service.process.returncode > 0 and re.search(CLEAR, service.log())
        return
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        flooded()
        time.sleep(0.01)
    for pid in service.processes():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (256, 1024))
    wait_until(lambda: is_ready(service), "a ready service", 12)
    assert_works(upstream.link)
