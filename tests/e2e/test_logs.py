"""Log lines, and that logging never blocks the work."""
import json
import os
import pty
import re
import subprocess
import threading
import time

import pytest

from amounts import message, stake_of
from waiting import wait_until

TEXT_LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARN|ERROR) "
    r"(watchdog|supervisor|wsclient|ratefetcher|monitor)\[\d+\] \w+( \S.*)?")


def exercise(service, upstream):
    """Events of all kinds, and the end."""
    link = upstream.link
    link.send('{"type":"error","message":"said \\"so\\"\\u0007"}', '{"type":"odd"}')
    assert stake_of(link.ask(message())) == "207.55196"
    link.ask("x")
    pid = service.kill("ratefetcher")
    service.wait_respawn("ratefetcher", pid)
    link.reset()
    upstream.wait_link(2)
    service.stop()


@pytest.mark.smoke
def test_text_lines(start, upstream):
    """Time, level, process[pid], event, fields."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1", LOG_LEVEL="debug")
    exercise(service, upstream)
    lines = service.log().splitlines()
    assert len(lines) > 10
    assert not [line for line in lines if not TEXT_LINE.fullmatch(line)]
    events = {line.split()[3] for line in lines}
    assert {"started", "connected", "disconnected", "died", "stopping", "stopped"} <= events
    assert any(f"connected url=ws://127.0.0.1:{upstream.port}/ws" in line for line in lines)


def test_json_lines(start, upstream):
    """Each line is one object."""
    service = start(upstream, args=["--show-messages"], RECONNECT_MAX_SECONDS="0.1",
                    LOG_LEVEL="debug", LOG_FORMAT="json")
    exercise(service, upstream)
    lines = service.log().splitlines()
    told = [json.loads(line) for line in lines]
    assert len(told) > 10 and all(isinstance(one, dict) for one in told)
    names = set.intersection(*(set(one) for one in told))
    assert len(names) >= 4, "time, level, process, event in each"
    text = service.log()
    for word in ("connected", "disconnected", "died", "stopping"):
        assert f'"{word}"' in text


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_upstream_cannot_forge_lines(start, upstream, log_format):
    """Line ends and control characters of its texts are escaped."""
    service = start(upstream, args=["--show-messages"], LOG_FORMAT=log_format)
    link = upstream.link
    before = len(service.log().splitlines())
    link.send('{"type":"error",\n"message":"2026-01-01T00:00:00.000Z ERROR x[1] forged"}',
              '{"type":"error","m":"\x7f\u009b\u2028"}')
    link.ask('{"type":"message",\r\n"id":"\x7f\x1b[31m"}')
    link.ask('{"type":"message",\n"id":1,\n"payload":{\n}}')
    service.wait_log("response|payload must be", count=2)
    data = service.log_path.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data)
    new = data.decode().split("\n")[before:-1]
    if log_format == "text":
        assert not [line for line in new if not TEXT_LINE.fullmatch(line)]
    else:
        assert all(json.loads(line) for line in data.splitlines())


@pytest.mark.parametrize("level, seen", [
    ("error", {"ERROR"}), ("warn", {"WARN", "ERROR"}), ("info", {"INFO", "WARN", "ERROR"}),
])
def test_the_least_level_that_is_logged(start, upstream, level, seen):
    service = start(upstream, LOG_LEVEL=level, RECONNECT_MAX_SECONDS="0.1")
    exercise(service, upstream)
    assert {line.split()[1] for line in service.log().splitlines()} == seen


@pytest.mark.parametrize("level", ["error", "info"])
def test_messages_are_shown_whatever_the_level(start, upstream, level):
    """--show-messages adds each request and each response."""
    service = start(upstream, args=["--show-messages"], LOG_LEVEL=level)
    link = upstream.link
    answer = link.ask(message('"shown"'))
    refused = link.ask(message('"refused"', "null"))
    service.wait_log("refused", count=2)
    log = service.log()
    for text in (message('"shown"'), answer, message('"refused"', "null"), refused):
        assert text in log
    assert "heartbeat" not in log


def test_messages_are_not_shown_unasked(start, upstream):
    service = start(upstream)
    upstream.link.ask(message('"unseen"'))
    service.stop()
    assert "unseen" not in service.log() and "253.67" not in service.log()


def test_heartbeats_and_requests_cost_no_line(start, upstream):
    """At the level info a quiet service is quiet."""
    service = start(upstream)
    before = service.log()
    link = upstream.link
    for i in range(50):
        link.ask(message(str(i)))
    count = len(link.beats)
    wait_until(lambda: len(link.beats) > count, "a beat")
    assert service.log() == before


# Readers that do not read

PATIENT = {"HEARTBEAT_TIMEOUT_SECONDS": "30", "HEARTBEAT_INTERVAL_SECONDS": "0.2"}


def flood(upstream, rounds=8):
    """Some megabytes of lines; each answer has to come."""
    link = upstream.link
    filling = '"odds":"' + "x" * 3000 + '"'
    for i in range(rounds):
        before = len(link.answers)
        link.send(*(message(f'"{i}-{n}"').replace('"odds":2.2', filling) for n in range(100)))
        link.wait_answers(before + 100)
    beats = len(link.beats)
    wait_until(lambda: len(link.beats) >= beats + 2, "beats")
    assert len(upstream.links) == 1


@pytest.mark.smoke
def test_a_reader_that_is_stuck_does_not_hold_up_answers(make_service, upstream):
    """Lines beyond the queue are dropped and counted; later ones come again."""
    service = make_service({"REQUESTS_WS_URL": upstream.url} | PATIENT,
                           args=["--show-messages"])
    read_end, write_end = os.pipe()
    service.start(stderr=write_end)
    os.close(write_end)
    flood(upstream)
    wait_until(lambda: service.counter("fxwire_log_dropped_total") > 0, "counted lines")
    assert all(h["deaths"] == 0 for h in service.status()["helpers"])
    os.set_blocking(read_end, False)
    seen = b""
    upstream.link.send('{"type":"error","message":"after-the-flood"}')

    def arrives():
        nonlocal seen
        try:
            seen += os.read(read_end, 1 << 20)
        except BlockingIOError:
            pass
        if b"after-the-flood" not in seen:
            upstream.link.send('{"type":"error","message":"after-the-flood"}')
        return b"after-the-flood" in seen

    wait_until(arrives, "a line after the flood")
    assert all(TEXT_LINE.fullmatch(line) for line in seen.decode().splitlines()[:-1])
    assert service.stop() == 0
    os.close(read_end)


def test_a_stuck_reader_does_not_hold_up_the_stop(make_service, upstream):
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SHUTDOWN_GRACE_SECONDS": "1"}
                           | PATIENT, args=["--show-messages"])
    read_end, write_end = os.pipe()
    service.start(stderr=write_end)
    os.close(write_end)
    flood(upstream, 2)
    assert service.stop(4) == 0
    os.close(read_end)


def test_a_reader_that_is_gone(make_service, upstream):
    """EPIPE is no reason to end."""
    service = make_service({"REQUESTS_WS_URL": upstream.url} | PATIENT,
                           args=["--show-messages"])
    read_end, write_end = os.pipe()
    service.start(stderr=write_end)
    os.close(write_end)
    os.close(read_end)
    flood(upstream, 2)
    assert all(h["deaths"] == 0 for h in service.status()["helpers"])
    assert service.stop() == 0


def test_a_full_device(make_service, upstream):
    service = make_service({"REQUESTS_WS_URL": upstream.url} | PATIENT,
                           args=["--show-messages"])
    with open("/dev/full", "wb") as full:
        service.start(stderr=full)
    flood(upstream, 2)
    assert all(h["deaths"] == 0 for h in service.status()["helpers"])


@pytest.mark.parametrize("args, closed", [
    ("", "2>&-"), ("", "<&- >&- 2>&-"), ("", "<&-"), ("", ">&-"), ("--no-watchdog", "2>&-"),
])
def test_closed_standard_streams(make_service, upstream, closed, args):
    """No descriptor of ours gets their numbers and is written to by mistake."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SHUTDOWN_GRACE_SECONDS": "3"})
    service.process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {service.build}/supervisor {args} {closed}"],
        cwd=service.folder, env=service.env, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    service.wait_ready()
    for i in range(20):
        assert stake_of(upstream.link.ask(message(str(i)))) == "207.55196"
    assert service.rates("2021-05-18")["op"] == "rates"
    assert all(h["deaths"] == 0 for h in service.status()["helpers"])
    assert len(upstream.links) == 1
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 3, "the stop hung"


def test_a_log_in_a_file_is_written_by_the_monitor_alone(start, upstream):
    """No other process holds it, so none can be blocked by it."""
    service = start(upstream)
    for name, pid in service.pids().items():
        files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        if name in ("wsclient", "ratefetcher"):
            assert str(service.log_path) not in files, name


@pytest.mark.slow
def test_a_terminal_that_is_not_read(make_service, upstream):
    """As after Ctrl-S: the monitor does not hang on it, and answers go on."""
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    master, terminal = pty.openpty()
    service.process = subprocess.Popen(
        [f"{service.build}/supervisor", "--show-messages"], cwd=service.folder,
        env=service.env, start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    service.wait_ready()
    ends = time.monotonic() + 6
    while time.monotonic() < ends:  # longer than a hang may last
        assert stake_of(upstream.link.ask(message('"' + "x" * 500 + '"'))) == "207.55196"
    assert all(h["deaths"] == 0 for h in service.status()["helpers"])
    reader = threading.Thread(target=drain, args=(master,))
    reader.start()
    assert service.stop() == 0
    reader.join()


def drain(fd):
    """Reads until the other end is closed."""
    try:
        while os.read(fd, 65536):
            pass
    except OSError:  # how a terminal tells its end
        pass
    os.close(fd)
