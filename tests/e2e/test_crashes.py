"""The line that a crashing process leaves."""
import json
import os
import re
import signal

import pytest

from amounts import message, stake_of
from places import SANITIZED, VALGRIND
from waiting import wait_until

pytestmark = pytest.mark.skipif(SANITIZED or VALGRIND, reason="those catch such signals")

SIGNALS = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"]
PROCESSES = ["wsclient", "ratefetcher", "monitor", "supervisor"]
FRAME = re.compile(r"[\w.@-]+\+(\d+|0x[0-9a-f]+)")


def crash(service, name, number):
    """Sends the signal; waits until all is well again; gives the dead pid."""
    pid = service.pids()[name]
    os.kill(pid, number)
    if name == "supervisor":
        wait_until(lambda: service.status_or_none() is not None
                   and service.pids()["supervisor"] != pid, "another supervisor")
    else:
        service.wait_respawn(name, pid)
    service.wait_ready()
    return pid


def frames_of(service, name, pid, signal_name):
    """The frames of the one line about this crash, in the text form."""
    service.wait_log(rf" ERROR {name}\[{pid}\] crashed ")
    lines = [line for line in service.log().splitlines()
             if f"{name}[{pid}]" in line and " crashed " in line]
    assert len(lines) == 1
    found = re.fullmatch(r'\S+ ERROR \S+ crashed signal=(\w+) frames="(.*)"', lines[0])
    assert found and found[1] == signal_name, lines[0]
    frames = found[2].split(" < ") if found[2] else []
    assert all(FRAME.fullmatch(frame) for frame in frames), frames
    return frames


def assert_names_functions(frames, name):
    """Those of ours have names; the monitor is main's last call."""
    outermost = "monitor_run" if name == "monitor" else "main"
    assert any(re.fullmatch(outermost + r"\+\d+", frame) for frame in frames), frames


@pytest.mark.parametrize("name", PROCESSES)
def test_a_line_of_frames(start, upstream, name):
    """In each process, with names of functions, down to main."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1", LOGS_EXCEPTION_FRAMES_LIMIT="20")
    pid = crash(service, name, signal.SIGSEGV)
    frames = frames_of(service, name, pid, "SIGSEGV")
    assert 3 < len(frames) <= 20
    assert_names_functions(frames, name)
    assert "SIGSEGV" in service.wait_log(rf"died process={name} pid={pid}\b")
    assert stake_of(upstream.link.ask(message())) == "207.55196"


def test_each_signal_of_a_crash(start, upstream):
    """SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL: a line each."""
    service = start(upstream, LOGS_EXCEPTION_FRAMES_LIMIT="20")
    for signal_name in SIGNALS:
        pid = crash(service, "ratefetcher", getattr(signal, signal_name))
        assert_names_functions(frames_of(service, "ratefetcher", pid, signal_name), "ratefetcher")
        assert signal_name in service.wait_log(rf"died process=ratefetcher pid={pid}\b")


@pytest.mark.parametrize("limit", [0, 1, 3, None, 64])
def test_no_more_frames_than_wanted(start, upstream, limit):
    """LOGS_EXCEPTION_FRAMES_LIMIT; three if it is not set."""
    service = start(upstream, LOGS_EXCEPTION_FRAMES_LIMIT=limit)
    pid = crash(service, "ratefetcher", signal.SIGSEGV)
    frames = frames_of(service, "ratefetcher", pid, "SIGSEGV")
    if limit == 64:
        assert 3 < len(frames) < 64
    else:
        assert len(frames) == (3 if limit is None else limit)


def test_as_json(start, upstream):
    """One object a crash, of the same form as the other lines."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1", LOG_FORMAT="json",
                    LOGS_EXCEPTION_FRAMES_LIMIT="20")
    pids = {name: crash(service, name, signal.SIGABRT) for name in PROCESSES}
    wait_until(lambda: service.log().count('"crashed"') == len(pids), "the lines")
    told = [json.loads(line) for line in service.log().splitlines()]
    crashes = {one["process"]: one for one in told if one["event"] == "crashed"}
    assert {name: one["pid"] for name, one in crashes.items()} == pids
    common = set.intersection(*(set(one) for one in told))
    for name, one in crashes.items():
        assert common <= set(one)
        assert one["level"] == "error" and one["signal"] == "SIGABRT"
        assert_names_functions(one["frames"].split(" < "), name)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_the_form_after_a_reload(make_service, upstream, number):
    """A supervisor that dies, and its watchdog, know of the new LOG_FORMAT."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}).start()
    (service.folder / ".env").write_text("LOG_FORMAT=json\n")
    assert service.command("reload").returncode == 0
    service.wait_log('"reloaded"')
    service.wait_log('"helper_stopped"', count=3)  # the last lines of the old form
    service.wait_ready()
    before = len(service.log().splitlines())
    crash(service, "supervisor", number)
    service.wait_log("died.*supervisor")
    for line in service.log().splitlines()[before:]:
        assert line.startswith("{"), line
        json.loads(line)
