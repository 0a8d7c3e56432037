"""A process that a developer holds is not in anybody's way, nor killed."""
import os
import re
import signal
import time
from pathlib import Path

import pytest

from amounts import message, stake_of
from places import SCALE, VALGRIND
from service import is_running
from tracing import Traced
from upstream import Upstream
from waiting import holds_for, wait_until

pytestmark = pytest.mark.skipif(VALGRIND, reason="valgrind is a debugger itself")


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def is_stopped(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] == "T"


def no_death(service):
    return not re.search("hangs|died", service.log())


@pytest.mark.slow
def test_a_debugged_helper_is_left_alone(start, upstream):
    """The status tells it; let go, it has some seconds to answer again."""
    service = start(upstream)
    assert_works(upstream.link)
    before = service.pids()
    with Traced(before["ratefetcher"]), Traced(before["monitor"]) as other:
        wait_until(lambda: service.helper("ratefetcher").get("debugged"), "debugged", 4)
        assert service.helper("wsclient").get("debugged") is None
        holds_for(4, lambda: no_death(service), "patience")
        assert_works(upstream.link)
        # This one hangs from now on: what it hung in the debugger does not count.
        other.let_go(signal.SIGSTOP)
        began = time.monotonic()
        service.wait_respawn("monitor", before["monitor"])
        assert 1.9 < time.monotonic() - began < 4.5 * SCALE
    wait_until(lambda: not service.helper("ratefetcher").get("debugged"), "no debugger", 4)
    assert service.pids()["ratefetcher"] == before["ratefetcher"]
    assert service.helper("ratefetcher")["deaths"] == 0
    assert stake_of(upstream.link.ask(message(date='"2021-05-19"')))


@pytest.mark.slow
def test_a_debugged_supervisor_is_left_alone(start, upstream):
    """The watchdog waits, the helpers serve."""
    service = start(upstream)
    before = service.pids()
    with Traced(before["supervisor"]):
        end = time.monotonic() + 5.5
        while time.monotonic() < end:
            assert_works(upstream.link)
            assert no_death(service)
            time.sleep(0.1)
    holds_for(3, lambda: no_death(service), "patience")
    assert service.pids() == before
    assert len(upstream.links) == 1


def test_a_helper_killed_in_a_debugger_is_replaced_at_once(start, upstream):
    """Though the debugger has not taken note of the death."""
    service = start(upstream)
    wait_until(lambda: service.helper("ratefetcher")["uptime_seconds"] > 1.5, "some age")
    pid = service.pids()["ratefetcher"]
    with Traced(pid) as traced:
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        service.wait_respawn("ratefetcher", pid)
        took = time.monotonic() - began
        assert took < 0.5 * SCALE
        assert_works(upstream.link)
        traced.bury()
    assert "SIGKILL" in service.helper("ratefetcher")["last_death"]
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "no zombie", 5)


@pytest.mark.slow
def test_debug_wait(make_service):
    """It stops itself at its start, is not killed, and goes on when told to."""
    names = ["wsclient", "ratefetcher", "monitor"]
    ups, services = [Upstream() for _ in names], []
    try:
        services = [make_service({"REQUESTS_WS_URL": up.url, "DEBUG_WAIT": name}).launch()
                    for name, up in zip(names, ups)]
        pids = []
        for name, service in zip(names, services):
            wait_until(lambda s=service: s.status_or_none(), "a status")
            pid = wait_until(lambda s=service, n=name: s.helper(n)["pid"], "a helper")
            wait_until(lambda p=pid: is_stopped(p), f"a stopped {name}")
            pids.append(pid)
        holds_for(12, lambda: all(map(is_stopped, pids)), "patience")
        for name, service, pid in zip(names, services, pids):
            assert service.helper(name)["state"] == "starting"
            assert service.helper(name)["debugged"] is True
            assert service.status()["ready"] is False
            os.kill(pid, signal.SIGCONT)
            service.wait_ready()
            assert service.helper(name)["pid"] == pid
            assert is_running(pid) and no_death(service)
        for up in ups:
            assert_works(up.wait_link())
    finally:
        for service in services:
            service.stop()
        for up in ups:
            up.stop()
