"""supervisor logs: the log of a running service, as it comes."""
import contextlib
import json
import os
import re
import signal
import subprocess

import pytest

from amounts import message, stake_of
from places import SCALE
from waiting import wait_until


class Follower:
    """`supervisor logs` with what it prints."""

    def __init__(self, service, *args, **streams):
        self.process = subprocess.Popen(
            [service.build / "supervisor", "logs", *args], cwd=service.folder, env=service.env,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams)
        self.text = ""
        if self.process.stdout:
            os.set_blocking(self.process.stdout.fileno(), False)

    def read(self):
        self.text += (self.process.stdout.read() or b"").decode()
        return self.text

    def wait_line(self, pattern, seconds=10):
        return wait_until(lambda: re.search(pattern, self.read()), f"{pattern} in {self.text}",
                          seconds)

    def wait_end(self, seconds=5):
        code = self.process.wait(seconds * SCALE)
        self.read()
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def follow():
    """follow(service, ...) starts to follow its log."""
    with contextlib.ExitStack() as stack:
        yield lambda service, *args, **streams: stack.enter_context(
            contextlib.closing(Follower(service, *args, **streams)))


def odd(upstream, text):
    upstream.link.send(json.dumps({"type": "error", "message": text}))


@pytest.mark.parametrize("where", ["standard error", "LOGS_DIR"])
def test_the_last_lines_and_all_that_come(make_service, upstream, follow, where):
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    if where == "LOGS_DIR":
        service.env["LOGS_DIR"] = str(service.folder / "logs")
    service.start()
    for i in range(20):
        odd(upstream, f"said-{i}")
    seen = lambda: "".join(p.read_text() for p in service.folder.glob("log*/*.log")) \
        if where == "LOGS_DIR" else service.log()
    wait_until(lambda: "said-19" in seen(), "all of them")
    one, other = follow(service), follow(service)
    for follower in (one, other):
        follower.wait_line("said-19")
    odd(upstream, "afterwards")
    for follower in (one, other):
        follower.wait_line("afterwards")
        assert re.findall(r"said-(\d+)", follower.text) == [str(n) for n in range(10, 20)]
    assert service.stop() == 0
    assert one.wait_end() == 0 and other.wait_end() == 0
    assert one.text.splitlines()[-1].split()[3] == "stopped"
    assert set(one.text.splitlines()) <= set(seen().splitlines())


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_as_json(start, upstream, follow, log_format):
    """Each line is an object, whatever LOG_FORMAT; the same one."""
    service = start(upstream, args=["--show-messages"], LOG_FORMAT=log_format)
    follower = follow(service, "--json")
    odd(upstream, 'say "hi" =\\ \n')
    assert stake_of(upstream.link.ask(message("1", "2", '"EUR"'))) == "2"
    follower.wait_line('"event":"response"')
    told = [json.loads(line) for line in follower.text.splitlines()]
    assert all({"time", "level", "process", "pid", "event"} <= set(one) for one in told)
    by_event = {one["event"]: one for one in told}
    assert by_event["started"]["process"] == "supervisor"
    assert by_event["started"]["level"] == "info"
    assert by_event["connected"]["url"] == upstream.url
    assert by_event["helper_ready"]["helper_pid"] in service.pids().values()
    assert by_event["upstream_error"]["text"] == json.dumps(
        {"type": "error", "message": 'say "hi" =\\ \n'})
    assert by_event["request"]["text"] == message("1", "2", '"EUR"')


def test_it_goes_on_with_another_monitor_and_another_supervisor(start, upstream, follow):
    service = start(upstream)
    follower = follow(service)
    follower.wait_line("connected")
    service.wait_respawn("monitor", service.kill("monitor"))
    odd(upstream, "another monitor")
    follower.wait_line("another monitor")
    old = service.kill("supervisor")
    wait_until(lambda: service.status_or_none() and service.pids()["supervisor"] != old,
               "another supervisor")
    upstream.wait_link(2)
    odd(upstream, "another supervisor")
    follower.wait_line("another supervisor")
    assert follower.process.poll() is None


def test_one_who_does_not_read_holds_up_nobody(start, upstream, follow):
    """He is told how many lines he missed."""
    service = start(upstream, args=["--show-messages"])
    reader, writer = os.pipe()
    follower = follow(service, stdout=writer)
    os.close(writer)
    wait_until(lambda: os.read(reader, 1), "a line")
    long = message("1", "2", '"EUR"').replace('"odds":2.2', f'"odds":"{"x" * 3000}"')
    for i in range(10):
        upstream.link.send(*[long] * 100)
        assert stake_of(upstream.link.ask(message(str(i), "2", '"EUR"'))) == "2"
    assert all(h["deaths"] == 0 for h in service.status()["helpers"])
    assert service.counter("fxwire_log_dropped_total") == 0
    os.set_blocking(reader, False)
    seen = b""

    def is_told():
        nonlocal seen
        odd(upstream, "at last")  # it is told with the next line
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(reader, 1 << 20):
                seen += piece
        return b"at last" in seen

    wait_until(is_told, "the end of the flood")
    os.close(reader)
    assert follower.process.wait(5 * SCALE) == 0
    assert re.fullmatch(rb"(\d+ lines were not shown: they came faster than they were read\n)+",
                        follower.process.stderr.read())


def test_it_ends_with_who_reads_it(start, upstream, follow):
    """As in `supervisor logs | head`: at once, not at the next line."""
    service = start(upstream)
    follower = follow(service)
    follower.wait_line("connected")
    follower.process.stdout.close()
    assert follower.process.wait(5 * SCALE) == 0


def test_it_ends_by_ctrl_c(start, upstream, follow):
    service = start(upstream)
    follower = follow(service)
    follower.wait_line("connected")
    follower.process.send_signal(signal.SIGINT)
    assert follower.process.wait(5 * SCALE) == -signal.SIGINT
    odd(upstream, "still there")
    service.wait_log("still there")
