"""Helpers and supervisors that do not answer: found, ended, replaced."""
import contextlib
import datetime
import os
import re
import signal
import time

import pytest

from amounts import message, stake_of
from places import SCALE, VALGRIND
from service import is_running
from upstream import Upstream
from waiting import at_most, holds_for, wait_until

HELPERS = ["wsclient", "ratefetcher", "monitor"]
READY = """echo '{"op":"ready"}' >&3"""


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def alerts(service, event, subject=""):
    """How often it was alerted."""
    return len(re.findall(rf" alert alert={event} subject=\S*{subject}", service.log()))


def moment_of(line):
    """When a log line was written."""
    return datetime.datetime.fromisoformat(line.split()[0].rstrip("Z"))


def signal_all(pids, number):
    for pid in pids:
        os.kill(pid, number)


def is_ready(service):
    return (service.status_or_none() or {}).get("ready")


def test_a_stop_of_a_second_changes_nothing(start, upstream):
    """Of all helpers together; none of them is killed."""
    service = start(upstream)
    before = service.pids()
    with contextlib.ExitStack() as stack:
        for name in HELPERS:
            stack.enter_context(service.pause(name))
        holds_for(1, lambda: "hangs" not in service.log(), "patience")
    holds_for(3, lambda: "hangs" not in service.log(), "patience")
    assert service.pids() == before
    assert_works(upstream.link)
    assert len(upstream.links) == 1
    assert not alerts(service, "hang")


@pytest.mark.parametrize("name", HELPERS)
def test_a_stopped_helper_is_replaced(start, upstream, name):
    """Within 4.5 s of the stop, with one alert; the others are not touched."""
    service = start(upstream)
    assert_works(upstream.link)
    before = service.pids()
    count = len(upstream.links)

    def measure():
        pid = service.pids()[name]
        began = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        while not any(h["name"] == name and h["pid"] not in (None, pid)
                      and h["state"] == "ready" for h in service.status()["helpers"]):
            if name != "wsclient":
                assert_works(upstream.link)
            assert time.monotonic() < began + 10 * SCALE, "it was not replaced"
            time.sleep(0.02)
        took = time.monotonic() - began
        assert not is_running(pid)
        return took

    at_most(4.5, measure)
    assert alerts(service, "hang", name) == 1
    if name != "monitor":  # what is logged meanwhile may be late there
        assert re.search(rf" hangs process={name} helper_pid={before[name]}\b", service.log())
    after = service.pids()
    assert {n for n in before if before[n] != after[n]} == {name}
    assert "SIGKILL" in service.helper(name)["last_death"]
    if name == "wsclient":
        upstream.wait_link(count + 1)
    assert_works(upstream.link)


def test_a_late_continue_does_no_harm(start, upstream):
    """It comes when the end of the stopped one is decided on already."""
    service = start(upstream)
    pid = service.kill("ratefetcher", signal.SIGSTOP)
    service.wait_log("hangs")
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass
    service.wait_respawn("ratefetcher", pid)
    assert_works(upstream.link)
    assert service.helper("ratefetcher")["deaths"] == 1
    assert alerts(service, "hang") == 1


ENDLESS_LOOP = f"{READY}; while :; do :; done"
IGNORES_ABORT = f"{READY}; trap '' ABRT; exec sleep 1000"
NEVER_READY = "exec sleep 1000"


def replaced(make_service, up, program):
    """A service whose ratefetcher is that program, but only the first time."""
    service = make_service({"REQUESTS_WS_URL": up.url}, wrappers={
        "ratefetcher": f'[ -e begun ] && exec {{real}} "$@"\ntouch begun\n{program}'})
    return service.launch()


@pytest.mark.slow
def test_helpers_that_never_answer(make_service):
    """SIGABRT, for its stack frames; SIGKILL a second later; then a new one."""
    programs = (ENDLESS_LOOP, IGNORES_ABORT, NEVER_READY)
    with Upstream() as loop, Upstream() as ignores, Upstream() as never:
        ups = (loop, ignores, never)
        services = [replaced(make_service, up, program) for up, program in zip(ups, programs)]
        for up, service, patience in zip(ups, services, (5.5, 5.5, 13)):
            link = up.wait_link()
            hangs = service.wait_log(" hangs process=ratefetcher", patience)
            died = service.wait_log("died.*ratefetcher")
            waited = (moment_of(died) - moment_of(hangs)).total_seconds()
            if up is ignores:
                assert "SIGKILL" in died and 0.9 < waited < 1.5 * SCALE
            else:
                assert "SIGABRT" in died and waited < 0.5 * SCALE
            service.wait_ready()
            assert_works(link)
            assert len(up.links) == 1
            assert alerts(service, "hang", "ratefetcher") == 1
        for service in services:
            assert service.stop() == 0


@pytest.mark.slow
def test_those_who_were_held_up_kill_nobody(make_service):
    """Silence is counted in looks, not in one's own absence."""
    with Upstream() as one, Upstream() as two, Upstream() as three:
        ups = (one, two, three)
        services = [make_service({"REQUESTS_WS_URL": up.url, "HEARTBEAT_TIMEOUT_SECONDS": "30"},
                                 args=args).start()
                    for up, args in zip(ups, (["--no-watchdog"], [], []))]
        before = [{h["name"]: h["pid"] for h in s.status()["helpers"]} for s in services]
        held = [services[0].process.pid,  # a supervisor alone,
                services[1].process.pid,  # a watchdog alone,
                *services[2].pids().values()]  # all, as by a machine that sleeps
        signal_all(held, signal.SIGSTOP)
        end = time.monotonic() + 6
        while time.monotonic() < end:
            assert_works(one.link)
            assert_works(two.link)
            time.sleep(0.1)
        signal_all(held, signal.SIGCONT)
        holds_for(3, lambda: not any(re.search("hangs|died", s.log()) for s in services),
                  "patience")
        for up, service, pids in zip(ups, services, before):
            assert {h["name"]: h["pid"] for h in service.status()["helpers"]} == pids
            assert_works(up.link)
            assert len(up.links) == 1
            assert service.stop() == 0


@pytest.mark.skipif(VALGRIND, reason="a start takes too long there")
def test_a_stopped_supervisor_is_replaced(start, upstream):
    """Within 5.5 s; its helpers serve until then."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    watchdog = service.process.pid

    def measure():
        old = service.pids()["supervisor"]
        began = time.monotonic()
        os.kill(old, signal.SIGSTOP)
        while time.monotonic() < began + 2.5:
            assert_works(upstream.link)
            time.sleep(0.05)
        wait_until(lambda: not is_running(old), "its end", 6)
        wait_until(lambda: is_ready(service), "another service")
        return time.monotonic() - began

    at_most(5.5, measure)
    assert service.process.pid == watchdog
    assert len(service.processes()) == 5
    assert " hangs process=supervisor" in service.log()
    wait_until(lambda: upstream.links[-1].ended is None, "a link")
    assert_works(upstream.link)
