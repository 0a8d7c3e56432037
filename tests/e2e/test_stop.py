"""How the service is stopped, and what it does before it ends."""
import os
import pty
import signal
import time


import pytest

from amounts import message, read_rates, stake_of
from places import SCALE

from service import Service

from waiting import assert_no_spin, sleep_until

HELPERS = ["wsclient", "ratefetcher", "monitor"]
RATES = read_rates()


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


@pytest.mark.smoke
@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "stop", "supervisor"])
def test_a_graceful_stop(start, upstream, how):
    """Exit 0, close 1001, no sockets and no processes left."""
    service = start(upstream)
    link = upstream.link
    assert_works(link)
    if how == "stop":
        done = service.command("stop")
        assert done.returncode == 0, done.stderr
    elif how == "supervisor":
        service.kill("supervisor", signal.SIGTERM)
    else:
        service.process.send_signal(getattr(signal, how))
    assert service.wait_exit() == 0
    link.wait_end()
    assert link.close_code == 1001
    assert not list(service.runtime_dir.glob("*.sock"))
    service.assert_gone(0.1)


def test_what_is_in_hand_is_answered_before_the_stop(start, upstream):
    """And nothing new is taken."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30, SHUTDOWN_GRACE_SECONDS=20,
                    HEARTBEAT_TIMEOUT_SECONDS=30)
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(*(message(str(i)) for i in range(10)))
        service.wait_counter("fxwire_pending", 10)
        service.process.send_signal(signal.SIGTERM)
        service.wait_log("stopping")
        sleep_until(time.monotonic() + 0.2)
        link.send(message("11", "1", '"EUR"'))
        sleep_until(time.monotonic() + 0.2)
        assert not link.answers and not link.ended
    link.wait_end()
    assert link.close_code == 1001
    assert {stake_of(a) for a in link.answers} == {"207.55196"}
    assert len(link.answers) == 10
    assert service.wait_exit() == 0


def test_the_grace_of_a_stop_is_bounded(start, upstream):
    """SHUTDOWN_GRACE_SECONDS, though a request is not answered by then."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30, SHUTDOWN_GRACE_SECONDS="0.5",
                    HEARTBEAT_TIMEOUT_SECONDS=30)
    with service.pause("ratefetcher"):
        upstream.link.send(message())
        service.wait_counter("fxwire_pending", 1)
        began = time.monotonic()
        assert service.stop() == 0
        assert 0.4 < time.monotonic() - began < 2.5 * SCALE
        service.assert_gone(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_cuts_the_stop_short(start, upstream, number):
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=60, SHUTDOWN_GRACE_SECONDS=60,
                    HEARTBEAT_TIMEOUT_SECONDS=60)
    with service.pause("ratefetcher"):
        upstream.link.send(message())
        service.wait_counter("fxwire_pending", 1)
        service.process.send_signal(number)
        service.wait_log("stopping")
        began = time.monotonic()
        service.process.send_signal(number)
        service.wait_exit()
        assert time.monotonic() - began < 2 * SCALE
        service.assert_gone()


def test_a_stop_that_waits_for_a_receipt_is_idle(make_service, raw):
    """It hurries, but does not spin until the Pong comes."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "SHUTDOWN_GRACE_SECONDS": "60",
                            "HEARTBEAT_TIMEOUT_SECONDS": 60}).launch()
    link = raw.link()
    service.wait_ready()
    link.send_text(message())
    assert stake_of(link.read_answer()) == "207.55196"
    pid = service.pids()["wsclient"]
    service.process.send_signal(signal.SIGTERM)
    service.wait_log("stopping")
    assert_no_spin(pid, 2)
    link.pongs = True
    link.wait_end()
    assert link.close_code == 1001
    assert service.wait_exit() == 0


@pytest.mark.parametrize("reads", [True, False])
def test_an_upstream_that_does_not_answer_the_close(make_service, raw, reads):
    """The stop is not held up by it beyond the grace."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "SHUTDOWN_GRACE_SECONDS": "2"}).launch()
    link = raw.link()
    link.answers_close = False
    service.wait_ready()
    service.process.send_signal(signal.SIGTERM)
    if reads:
        link.wait_end()
        assert link.close_code == 1001
    assert service.wait_exit(4) == 0


def test_a_stop_without_a_connection(make_service, raw):
    """In the pause between two attempts."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "60"}).launch()
    for _ in range(4):
        raw.accept().close()
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 1 * SCALE


@pytest.mark.parametrize("args", [[], ["--no-watchdog"]])
def test_a_stop_at_any_moment_of_the_start(upstream, args):
    """Nothing is left behind, whenever the signal comes."""
    for delay_ms in (0, 1, 2, 4, 6, 8, 10, 15, 20, 30, 50):
        service = Service({"REQUESTS_WS_URL": upstream.url}, args=args).launch()
        sleep_until(time.monotonic() + delay_ms / 1000)
        code = service.stop()
        # Before its handlers stand, the signal's own effect is all there is.
        assert code in (0, -signal.SIGTERM), service.log()
        service.assert_gone()
        service.remove()


def test_sighup_does_not_stop_a_service_without_a_terminal(start, upstream):
    service = start(upstream)
    before = service.pids()
    service.process.send_signal(signal.SIGHUP)
    service.wait_log("reload")
    assert_works(upstream.link)
    assert service.pids() == before


def test_sighup_stops_when_standard_input_is_a_terminal(make_service, upstream):
    """The window was closed."""
    controller, terminal = pty.openpty()
    service = make_service({"REQUESTS_WS_URL": upstream.url}).start(stdin=terminal)
    os.close(terminal)
    service.process.send_signal(signal.SIGHUP)
    assert service.wait_exit() == 0
    os.close(controller)
    upstream.links[0].wait_end()
    assert upstream.links[0].close_code == 1001


# Helpers that cannot run
