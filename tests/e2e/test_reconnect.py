"""Connections that fail, break, and are made again."""
import datetime
import re
import socket
import time

import pytest

from amounts import message, read_rates, stake_of
from places import SCALE
from raw_upstream import CLOSE, TEXT, RawUpstream, frame
from service import Service
from upstream import start_refused
from waiting import at_most, sleep_until, wait_until

RATES = read_rates()
PATIENT = {"HEARTBEAT_TIMEOUT_SECONDS": "60"}


@pytest.fixture
def service(make_service, raw):
    """A service that bears silence and tries again quickly."""
    return make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "0.2"}
                        | PATIENT).launch()


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


# The handshake

def test_the_request_of_the_handshake(make_service):
    """RFC 6455, 4.1, with path, query and Authorization as configured."""
    with RawUpstream("/feed/a%20b?x=1&y=%2F") as up:
        make_service({"REQUESTS_WS_URL": up.url, "WS_AUTHORIZATION": "Bearer abc.DEF-1"}).launch()
        link = up.accept()
        assert link.read_head()[0] == "GET /feed/a%20b?x=1&y=%2F HTTP/1.1"
        assert link.header("Host") == f"127.0.0.1:{up.port}"
        assert link.header("Upgrade").lower() == "websocket"
        assert "upgrade" in link.header("Connection").lower()
        assert link.header("Sec-WebSocket-Version") == "13"
        assert len(link.header("Sec-WebSocket-Key")) == 24
        assert link.header("Authorization") == "Bearer abc.DEF-1"
        assert link.header("Sec-WebSocket-Extensions") is None


def test_user_info_of_the_address_is_no_part_of_the_host(make_service):
    """Without WS_AUTHORIZATION there is no other Authorization either than its own."""
    with RawUpstream() as up:
        make_service({"REQUESTS_WS_URL": up.url.replace("//", "//user:word@")}).launch()
        link = up.accept()
        link.read_head()
        assert link.header("Host") == f"127.0.0.1:{up.port}"


def test_the_key_of_the_handshake_is_new_each_time(service, raw):
    keys = set()
    for _ in range(4):
        link = raw.accept()
        link.read_head()
        keys.add(link.header("Sec-WebSocket-Key"))
        link.close()
    assert len(keys) == 4


REFUSALS = {
    "400": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "401": b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno",
    "403": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "404": b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "426": b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n",
    "429": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    "500": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
    "503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy",
    "200": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "rubbish": b"\x00\xff\x16\x03\x01 rubbish\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/0.9": b"hello\r\n\r\n",
    "a status without end": b"HTTP/1.1 1",
    "no status": b"HTTP/1.1\r\n\r\n",
    "half a head": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refused_handshake_is_tried_again(service, raw, answer):
    """It says so in the log, and works once the upstream accepts."""
    for _ in range(2):
        link = raw.accept()
        link.read_head()
        link.send(answer)
        link.close()
    service.wait_log("connect_failed")
    assert_works(raw.link())
    assert service.helper("wsclient")["deaths"] == 0


@pytest.mark.parametrize("status", ["401", "503", "200", "404"])
def test_the_log_tells_the_status_of_a_refusal(service, raw, status):
    link = raw.accept()
    link.read_head()
    link.send(REFUSALS[status])
    link.close()
    assert status in service.wait_log("connect_failed")


@pytest.mark.parametrize("key", ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "", "x" * 1000])
def test_a_wrong_accept_key_is_refused(service, raw, key):
    link = raw.accept()
    link.read_head()
    link.send(link.answer_head(key=key or " "))
    link.wait_end()
    assert_works(raw.link())


@pytest.mark.parametrize("old, new", [
    (b"Upgrade: websocket", b"Upgrade: h2c"), (b"Upgrade: websocket\r\n", b""),
    (b"Connection: Upgrade\r\n", b""),
], ids=["another protocol", "no Upgrade", "no Connection"])
def test_a_101_that_is_no_websocket_is_refused(service, raw, old, new):
    """RFC 6455, 4.1."""
    link = raw.accept()
    link.read_head()
    link.send(link.answer_head().replace(old, new))
    link.wait_end()
    assert_works(raw.link())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(service, raw, status):
    with RawUpstream() as other:
        for _ in range(2):
            link = raw.accept()
            assert link.read_head()[0].startswith("GET /ws ")
            link.send(f"HTTP/1.1 {status} Elsewhere\r\nLocation: http://127.0.0.1:"
                      f"{other.port}/x\r\nContent-Length: 0\r\n\r\n".encode())
            link.wait_end()
        assert_works(raw.link())
        assert not other.is_tried(0)


def test_endless_heads_are_given_up(service, raw):
    """A server that never ends its head is left within the attempt's 5 s."""
    link = raw.accept()
    link.read_head()
    began = time.monotonic()
    try:
        link.send(b"HTTP/1.1 101 Switching Protocols\r\n")
        while time.monotonic() - began < 10 * SCALE:
            link.send(b"X-Filling: " + b"x" * 1000 + b"\r\n")
            link.read_frame(0.01)
            if link.ended:
                break
    except OSError:
        pass
    assert time.monotonic() - began < 5.5 * SCALE
    assert_works(raw.link())


@pytest.mark.slow
def test_one_attempt_takes_at_most_5_seconds(service, raw):
    """A server that is silent amid its answer is left, and tried again."""

    def measure():
        link = raw.accept()
        began = link.accepted
        link.read_head()
        link.send(b"HTTP/1.1 101 Switch")
        return link.wait_end() - began

    at_most(5.1, measure)
    assert_works(raw.link())


def test_a_server_that_does_not_accept_does_not_hinder_the_stop(service, raw):
    """SIGTERM in an attempt ends it at once."""
    raw.accept().read_head()
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 1 * SCALE


@pytest.mark.parametrize("status", [401, 403])
def test_401_and_403_are_tried_again_at_the_ceiling(make_service, raw, status):
    """Not sooner, and not later."""
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "1"}).launch()
    times = attempts(raw, REFUSALS[str(status)], 3)
    for before, after in zip(times, times[1:]):
        assert 0.9 < after - before < 1.5 * SCALE


def test_retry_after_is_respected(make_service, raw):
    """Up to the ceiling."""
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "3"}).launch()
    answer = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    times = attempts(raw, answer, 3)
    for before, after in zip(times, times[1:]):
        assert 0.95 < after - before


def test_retry_after_is_respected_up_to_the_ceiling_only(make_service, raw):
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "0.5"}).launch()
    answer = b"HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"
    times = attempts(raw, answer, 3)
    assert times[-1] - times[0] < 3 * SCALE


def attempts(raw, answer, count):
    """Refuses so many attempts; gives their times."""
    times = []
    for _ in range(count):
        link = raw.accept()
        times.append(time.monotonic())
        link.read_head()
        link.send(answer)
        link.close()
    return times


# Names

def test_a_name_that_cannot_be_looked_up(make_service, upstream):
    """The other upstream is served; status and stop work."""
    service = make_service({
        "REQUESTS_WS_URL": f"ws://no-such-host.invalid:1234/a {upstream.url}"}).launch()
    assert_works(upstream.wait_link())
    wait_until(lambda: any("no-such-host.invalid" in reason
                           for reason in service.status()["reasons"]), "the reason")
    status = service.status()
    rows = {row["upstream"]: row["connected"] for row in status["upstreams"]}
    assert rows == {"no-such-host.invalid:1234/a": False,
                    f"127.0.0.1:{upstream.port}/ws": True}
    assert status["ready"] is False
    service.wait_log("connect_failed.*no-such-host")
    done = service.command("status", "--wait", "0.2", "--ready")
    assert done.returncode == 69


def test_a_port_where_nobody_listens(make_service):
    """It goes on trying, and connects when somebody does."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    service = make_service({"REQUESTS_WS_URL": f"ws://127.0.0.1:{port}/",
                            "RECONNECT_MAX_SECONDS": "0.2"}).launch()
    service.wait_log("connect_failed", count=5)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
        sock.settimeout(5 * SCALE)
        sock.accept()[0].close()


def test_localhost_by_name_and_by_ipv6(make_service, upstream):
    """A name with several addresses reaches the one that listens."""
    make_service({"REQUESTS_WS_URL": f"ws://localhost:{upstream.port}/ws"}).launch()
    assert_works(upstream.wait_link())


# Breaks

CLOSE_CODES = [None, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
               3000, 4000, 4999]


@pytest.fixture
def broken_link(breaking):
    """The next one. It pongs, so that what it has read does not come again."""
    link = breaking[0].link()
    link.pongs = True
    # With an id of its own, for the last link's answers come before it.
    assert stake_of(link.ask(message(f'"{link.opened}"'))) == "207.55196"
    return link


@pytest.fixture(scope="module")
def breaking():
    """A service whose links are broken again and again."""
    with RawUpstream() as up:
        service = Service({"REQUESTS_WS_URL": up.url, "RECONNECT_MAX_SECONDS": "0.1"}
                          | PATIENT).launch()
        try:
            yield up, service
        except BaseException:
            service.remove()
            raise
        service.finish()


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_a_close_of_any_code_is_followed_by_another_link(breaking, broken_link, code):
    """It is answered by a close frame, logged, and the next link works."""
    service, link = breaking[1], broken_link
    body = b"" if code is None else code.to_bytes(2, "big") + b"bye"
    link.send(frame(CLOSE, body))
    link.wait_end()
    closes = [f for f in link.frames if f.opcode == CLOSE]
    assert closes, "no close frame came back"
    if code not in (None, 1002):  # nobody has broken the protocol
        assert int.from_bytes(closes[0].payload[:2], "big") in (code, 1000)
    if code not in (None, 1012, 1013):  # these two the library does not know
        service.wait_log(rf"disconnected .*{code}")


@pytest.mark.parametrize("code", [1001, 1012])
def test_an_upstream_that_restarts_is_tried_at_once(make_service, raw, code):
    service = make_service({"REQUESTS_WS_URL": raw.url} | PATIENT).launch()
    link = raw.link()
    time.sleep(1.1 * SCALE)  # one that ended sooner is not tried at once
    link.send(frame(CLOSE, code.to_bytes(2, "big")))
    raw.link()
    service.wait_log(r"disconnected .*reason=closed .*retry_in=0\.000")


@pytest.mark.parametrize("how", ["reset", "close"] * 2)
def test_a_link_that_is_cut_is_followed_by_another(broken_link, how):
    getattr(broken_link, how)()


def test_a_close_with_requests_in_front_of_it(breaking):
    """They are answered on this link or on the next."""
    up, _ = breaking
    link = up.link()
    requests = b"".join(frame(TEXT, message(f'"c{i}"')) for i in range(5))
    link.send(requests + frame(CLOSE, b"\x03\xe8"))
    link.wait_end()
    answered = {f.payload.decode() for f in link.frames if f.opcode == TEXT}
    other = up.link()
    other.pongs = True
    # What an earlier break left unconfirmed comes again, and is none of them.
    while sum('"id":"c' in answer for answer in answered) < 5:
        answered.add(other.read_answer())
    assert_works(other)
    other.close()


@pytest.mark.smoke
def test_reconnects_are_counted_by_reason(start, upstream):
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    upstream.link.close(1012)
    upstream.wait_link(2).reset()
    upstream.wait_link(3)
    service.wait_counter('fxwire_reconnects_total{reason="closed"}', 2)


# The backoff

def test_the_first_attempt_of_a_start_is_made_at_once(make_service, raw):
    def measure():
        service = make_service({"REQUESTS_WS_URL": raw.url})
        began = time.monotonic()
        service.launch()
        raw.accept()
        took = time.monotonic() - began
        service.stop()
        return took

    at_most(0.3, measure)


@pytest.mark.parametrize("ceiling", [0.1, 0.4])
def test_the_backoff_is_bounded(make_service, raw, ceiling):
    """RECONNECT_MAX_SECONDS is the longest pause between two attempts."""
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": ceiling}).launch()
    raw.accept().close()

    def measure():
        before = time.monotonic()
        raw.accept().close()
        return time.monotonic() - before

    for _ in range(10):
        at_most(ceiling + 0.05, measure)


def test_the_backoff_grows(make_service, raw):
    """With full jitter: each pause is below twice the bound of the one before."""
    for _ in range(3):
        service = make_service({"REQUESTS_WS_URL": raw.url})
        times = []
        service.launch()
        for _ in range(7):
            times.append(raw.accept().accepted)
            raw.links[-1].close()
        pauses = [b - a for a, b in zip(times, times[1:])]
        service.stop()
        assert all(p < 0.1 * 2**i + 0.3 * SCALE for i, p in enumerate(pauses)), pauses
        if max(pauses) > 0.15:
            return
    pytest.fail("the pauses did not grow")


@pytest.mark.slow
def test_at_once_after_a_connection_that_stood_for_10_seconds(start, upstream):
    """Failures before it are forgotten."""
    upstream.refuse = (503, [], b"")
    service = start_refused(start, upstream)
    upstream.refuse = None
    link = upstream.wait_link()
    assert_works(link)
    sleep_until(link.opened + 10.2)
    link.close(1001)
    ended = time.monotonic()
    again = upstream.wait_link(2)
    assert again.opened - ended < 0.3 * SCALE
    assert "retry_in=0.000" in service.wait_log("disconnected")


def when(line):
    """The time of a line of the log."""
    return datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()


def test_no_pause_is_longer_than_the_outage_so_far(make_service):
    """But for its first four seconds, in which none is longer than 0.4 s."""
    with RawUpstream() as up:
        service = make_service({"REQUESTS_WS_URL": up.url} | PATIENT).launch()
        up.link()
        service.wait_log(" connected ")
    # The link was of no use: the outage began before it, with the start.
    began = when(service.wait_log(" started "))
    service.wait_log(" disconnected ")
    wait_until(lambda: when(service.wait_log("connect_failed")) - began > 6, "six seconds", 30)
    lines = [line for line in service.log().splitlines() if "connect_failed" in line]
    for line in lines:
        outage = when(line) - began
        pause = float(re.search(r"retry_in=([\d.]+)", line)[1])
        assert pause <= (0.4 if outage < 3.99 else outage) + 0.01, line
    assert len(lines) < 100, "it does not pause"
