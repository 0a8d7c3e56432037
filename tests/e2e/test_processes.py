"""Processes: started, watched, respawned, stopped."""
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from amounts import euro, message, read_rates, stake_of
from places import SCALE, VALGRIND
from raw_upstream import RawUpstream
from service import is_running, kill_all
from upstream import Upstream
from waiting import at_most, sleep_until, wait_until

HELPERS = ["wsclient", "ratefetcher", "monitor"]
RATES = read_rates()


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def let_be_ready_for_a_second(service):
    """One that was ready for 1 s is started again at once."""
    wait_until(lambda: all(h["uptime_seconds"] > 1.2 and h["state"] == "ready"
                           for h in service.status()["helpers"]), "helpers of some age")


@pytest.mark.skipif(VALGRIND, reason="valgrind is what shows there")
def test_titles_and_parents(start, upstream):
    """Each process can be found by its title."""
    service = start(upstream)
    pids, titles = service.pids(), service.titles()
    assert titles[pids["watchdog"]] == "fxwire: watchdog"
    assert titles[pids["supervisor"]] == "fxwire: supervisor"
    assert titles[pids["ratefetcher"]] == "fxwire: ratefetcher"
    assert titles[pids["monitor"]] == "fxwire: monitor"
    assert titles[pids["wsclient"]] == f"fxwire: wsclient 127.0.0.1:{upstream.port}/ws"
    assert len(titles) == 5


def test_the_limit_of_core_files_is_the_callers(start, upstream):
    """The caller's limit is kept, whatever it is."""
    mine = resource.getrlimit(resource.RLIMIT_CORE)[0]
    wanted = {-1: "unlimited"}.get(mine, str(mine))
    for pid in start(upstream).pids().values():
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(rf"Max core file size +{wanted} ", limits)


@pytest.mark.smoke
@pytest.mark.parametrize("name", HELPERS)
def test_a_killed_helper_is_started_again(start, upstream, name):
    """A new pid, counted by cause; the others stay; answers go on."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    assert_works(upstream.link)
    before = service.pids()
    service.kill(name)
    service.wait_respawn(name, before[name])
    service.wait_ready()
    after = service.pids()
    assert {n for n in before if before[n] != after[n]} == {name}
    helper = service.helper(name)
    assert helper["deaths"] == 1 and "SIGKILL" in helper["last_death"]
    line = service.wait_log(r"died.*SIGKILL")
    assert name in line and str(before[name]) in line and "uptime" in line
    if name == "wsclient":
        upstream.wait_link(2)
    else:
        assert len(upstream.links) == 1
    assert_works(upstream.link)


@pytest.mark.parametrize("number, cause", [
    (signal.SIGSEGV, "SIGSEGV"), (signal.SIGABRT, "SIGABRT"), (signal.SIGBUS, "SIGBUS"),
    (signal.SIGTERM, "exit 0"),
])
@pytest.mark.parametrize("name", ["wsclient", "ratefetcher"])
def test_the_cause_of_a_death_is_told(start, upstream, name, number, cause):
    """In the status and in the log."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    pid = service.kill(name, number)
    service.wait_respawn(name, pid)
    wait_until(lambda: service.helper(name)["deaths"] == 1, "a death")
    if not (name == "ratefetcher" and number == signal.SIGTERM):
        assert cause in service.helper(name)["last_death"]
    service.wait_log(rf"died.*{name}")


def test_a_wsclient_that_was_healthy_is_back_at_once(start, upstream):
    """Connected again within 0.1 s."""
    service = start(upstream)

    def measure():
        let_be_ready_for_a_second(service)
        count = len(upstream.attempts)
        pid = service.pids()["wsclient"]
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(upstream.attempts) > count, "an attempt")
        service.wait_respawn("wsclient", pid)
        return upstream.attempts[count] - began

    at_most(0.1, measure)


def test_a_ratefetcher_that_was_healthy_is_back_at_once(start, upstream):
    """A new day's rates are there within 0.1 s, without a break of the link."""
    service = start(upstream)
    days = iter(["2021-05-19", "2021-05-20", "2021-05-21"])

    def measure():
        let_be_ready_for_a_second(service)
        day = next(days)
        pid = service.pids()["ratefetcher"]
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        answer = upstream.link.ask(message(date=f'"{day}"'))
        took = time.monotonic() - began
        assert stake_of(answer) == euro("253.67", RATES[day]["USD"])
        service.wait_respawn("ratefetcher", pid)
        return took

    at_most(0.1, measure)
    assert len(upstream.links) == 1


@pytest.mark.smoke
def test_requests_that_wait_while_ratefetcher_restarts(start, upstream):
    """They are asked again inside, and answered once."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30)
    link = upstream.link
    with service.pause("ratefetcher") as paused:
        link.send(*(message(str(i), date='"2021-05-19"') for i in range(10)))
        service.wait_counter("fxwire_pending", 10)
        os.kill(paused.pid, signal.SIGKILL)
        got = link.wait_answers(10)
    assert {stake_of(a) for a in got} == {euro("253.67", RATES["2021-05-19"]["USD"])}
    assert_works(link)
    assert len(link.answers) == 11 and len(upstream.links) == 1


def test_a_question_asked_while_ratefetcher_restarts_waits(start, upstream):
    """The listening socket is held by the supervisor."""
    service = start(upstream)
    service.kill("ratefetcher")
    assert service.rates("2021-05-18")["rates"]["USD"] == "1.2222"


def test_counters_go_on_across_a_respawn(start, upstream):
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    for _ in range(5):
        assert_works(upstream.link)
    service.wait_counter('fxwire_requests_total{result="converted"}', 5)
    pid = service.kill("wsclient")
    service.wait_respawn("wsclient", pid)
    assert_works(upstream.wait_link(2))
    service.wait_counter('fxwire_requests_total{result="converted"}', 6)


def test_answers_and_logs_go_on_without_the_monitor(start, upstream):
    """What was logged meanwhile is written by the next one."""
    service = start(upstream)
    link = upstream.link
    for i in range(3):
        pid = service.kill("monitor")
        link.send(f'{{"type":"error","message":"line {i}"}}')
        assert_works(link)
        service.wait_respawn("monitor", pid)
        service.wait_log(f"line {i}")
    assert len(upstream.links) == 1


def test_a_storm_of_kills(start, upstream):
    """After ten kills of each helper all is well."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    for i in range(10):
        for name in HELPERS:
            pid = service.helper(name)["pid"]
            if pid:  # it may have died since that was said
                kill_all([pid])
        sleep_until(time.monotonic() + 0.05 * i)
    service.wait_ready(20)
    assert_works(upstream.link)
    assert len(service.processes()) == 5


@pytest.mark.smoke
def test_a_killed_supervisor_is_replaced_by_its_watchdog(start, upstream):
    """The helpers of the old one are gone within a second; a new set works."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    assert_works(upstream.link)
    before = service.pids()
    os.kill(before.pop("supervisor"), signal.SIGKILL)
    watchdog = before.pop("watchdog")
    wait_until(lambda: not any(map(is_running, before.values())), "the end of the helpers", 1)
    wait_until(lambda: (service.status_or_none() or {}).get("ready"), "another service")
    after = service.pids()
    assert after.pop("watchdog") == watchdog
    assert not set(before.values()) & set(after.values())
    assert_works(upstream.wait_link(2))
    assert len(service.processes()) == 5
    service.wait_log("died.*supervisor.*SIGKILL")


def test_a_stopped_helper_does_not_outlive_its_supervisor(start, upstream):
    """SIGSTOP does not save it."""
    service = start(upstream)
    before = service.pids()
    for name in HELPERS:
        os.kill(before[name], signal.SIGSTOP)
    os.kill(before["supervisor"], signal.SIGKILL)
    wait_until(lambda: not any(is_running(before[n]) for n in HELPERS), "their end", 1)
    wait_until(lambda: (service.status_or_none() or {}).get("ready"), "another service")


def test_a_killed_watchdog_ends_the_service(start, upstream):
    """All is gone within a second, and a new start works at once."""
    service = start(upstream)
    service.kill("watchdog")
    service.wait_exit()
    service.assert_gone()
    service.start()
    assert_works(upstream.wait_link(2))


def test_a_killed_supervisor_without_watchdog_ends_the_service(start, upstream):
    """--no-watchdog leaves the restart to the service manager."""
    service = start(upstream, args=["--no-watchdog"])
    assert sorted(service.titles().values())[1] == "fxwire: ratefetcher"
    assert len(service.processes()) == 4
    os.kill(service.process.pid, signal.SIGKILL)
    service.wait_exit()
    service.assert_gone()
    assert (service.runtime_dir / "rates.sock").is_socket(), "a stale socket is wanted here"
    service.start()
    assert_works(upstream.wait_link(2))


def test_all_killed_at_once(start, upstream):
    """Nothing is left, and a new start works at once."""
    service = start(upstream)
    kill_all(service.pids().values())
    service.wait_exit()
    service.assert_gone()
    service.start()
    assert_works(upstream.wait_link(2))


def test_a_second_supervisor_on_one_runtime_dir(start, upstream):
    """It exits with 75 and touches nothing."""
    service = start(upstream)
    before = service.pids()
    files = sorted((p.name, p.stat().st_ino) for p in service.runtime_dir.iterdir())
    for args in ([], ["--no-watchdog"], ["run"]):
        done = service.command(*args)
        assert done.returncode == 75
        assert len(done.stderr.splitlines()) == 1 and "RUNTIME_DIR" in done.stderr
    assert sorted((p.name, p.stat().st_ino) for p in service.runtime_dir.iterdir()) == files
    assert service.pids() == before
    assert service.rates("2021-05-18")["op"] == "rates"
    assert_works(upstream.link)
    assert len(upstream.links) == 1


def test_several_upstreams_have_a_wsclient_each(make_service):
    """The death of one does not touch the other."""
    with Upstream(path="/a") as one, Upstream(path="/b") as two:
        service = make_service({"REQUESTS_WS_URL": f"{one.url}  {two.url}",
                                "RECONNECT_MAX_SECONDS": "0.1"}).start()
        assert_works(one.link)
        assert_works(two.link)
        rows = [h for h in service.status()["helpers"] if h["name"] == "wsclient"]
        assert [r["upstream"] for r in rows] == [
            f"127.0.0.1:{one.port}/a", f"127.0.0.1:{two.port}/b"]
        os.kill(rows[0]["pid"], signal.SIGKILL)
        assert_works(one.wait_link(2))
        assert_works(two.link)
        assert len(two.links) == 1
        assert service.helper("wsclient", 1)["pid"] == rows[1]["pid"]


# Stopping

def test_a_helper_that_dies_at_start_is_tried_ever_more_rarely(make_service, upstream):
    """The other helpers work; it never gives up; once it can, it runs."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}, wrappers={
        "ratefetcher": 'date +%s.%N >>starts; [ -e good ] && exec {real} "$@"; exit 1'}).launch()
    starts = service.folder / "starts"
    link = upstream.wait_link()
    assert stake_of(link.ask(message("1", "2", '"EUR"'))) == "2"
    wait_until(lambda: starts.exists() and len(starts.read_text().split()) >= 5, "5 starts", 20)
    times = [float(t) for t in starts.read_text().split()]
    pauses = [b - a for a, b in zip(times, times[1:])]
    assert sum(pauses[:4]) > 0.3, pauses
    for i, pause in enumerate(pauses):
        assert pause < min(0.1 * 2**i, 5) * 1.5 + 0.2 * SCALE, pauses
    status = service.status()
    assert status["ready"] is False and any("ratefetcher" in r for r in status["reasons"])
    assert service.helper("ratefetcher")["last_death"] == "exit 1"
    (service.folder / "good").touch()
    service.wait_ready()
    assert_works(link)


def test_a_helper_that_exits_with_78_is_not_started_again(make_service, upstream):
    """A configuration that it refuses does not get better by trying."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}, wrappers={
        "ratefetcher": "echo x >>starts; exit 78"}).launch()
    link = upstream.wait_link()
    service.wait_log("died.*ratefetcher.*78")
    sleep_until(time.monotonic() + 1)
    assert (service.folder / "starts").read_text() == "x\n"
    assert service.helper("ratefetcher")["pid"] is None
    assert service.status()["ready"] is False
    assert stake_of(link.ask(message("1", "2", '"EUR"'))) == "2"


def test_a_missing_program_is_logged_and_tried_again(make_service, upstream):
    service = make_service({"REQUESTS_WS_URL": upstream.url}, wrappers={
        "ratefetcher": 'exec {real} "$@"'})
    (service.build / "ratefetcher").rename(service.build / "away")
    service.launch()
    service.wait_log("ratefetcher: No such file")
    (service.build / "away").rename(service.build / "ratefetcher")
    service.wait_ready()
    assert_works(upstream.link)


def test_helpers_are_killed_with_what_they_wait_for(make_service, upstream):
    """A helper that ignores the stop is killed after the grace."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SHUTDOWN_GRACE_SECONDS": "0.3"})
    service.start()
    pid = service.pids()["monitor"]
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    service.stop()
    assert time.monotonic() - began < 3 * SCALE
    assert not is_running(pid)


def test_a_helper_started_by_hand(start, upstream):
    """wsclient runs with the same environment, without a supervisor."""
    service = start(upstream)
    with Upstream() as other:
        env = service.env | {"REQUESTS_WS_URL": other.url}
        with subprocess.Popen([service.build / "wsclient"], env=env, cwd=service.folder,
                              stderr=subprocess.DEVNULL) as process:
            link = other.wait_link(1)
            assert_works(link)
            process.terminate()
            assert process.wait(5 * SCALE) == 0
        link.wait_end()
        assert link.close_code == 1001


def test_a_second_wsclient_of_one_upstream(start, upstream):
    """It leaves the first one's messages in hand alone and ends with 75."""
    service = start(upstream)
    done = subprocess.run([service.build / "wsclient"], env=service.env, cwd=service.folder,
                          capture_output=True, text=True, timeout=10 * SCALE)
    assert done.returncode == 75
    assert "another wsclient" in done.stderr and len(done.stderr.splitlines()) == 1
    assert_works(upstream.link)
    assert len(upstream.links) == 1


def test_the_attempt_of_a_dead_supervisor_is_not_in_the_way(make_service):
    """A start right after a kill in the middle of a handshake."""
    with RawUpstream() as up:
        service = make_service({"REQUESTS_WS_URL": up.url}).launch()
        up.accept().read_head()
        killed = service.processes()
        kill_all(killed)
        service.wait_exit()
        wait_until(lambda: not any(is_running(pid) for pid in killed), "the end of all")
        service.launch()
        link = up.link()
        service.wait_ready()
        assert_works(link)
