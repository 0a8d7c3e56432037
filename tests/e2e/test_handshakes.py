"""Handshakes that are not answered by an upgrade: spec section 4."""
import threading
import time

import pytest

from amounts import message, stake_of
from places import SCALE
from rate_shop import worst_gap
from raw_upstream import RawUpstream
from waiting import Stalls, at_most, wait_until

CEILING = 0.6  # of the backoff; its first delay is at most 0.1 s
HEAD_END = b"\r\n\r\n"
ENDED = "the peer ended the connection before it answered the handshake"


@pytest.fixture
def tried(make_service, raw):
    """A service that tries to connect; the test answers."""
    return make_service({"REQUESTS_WS_URL": raw.url,
                         "RECONNECT_MAX_SECONDS": CEILING}).launch()


def answer(link, head, body=b""):
    link.read_head()
    link.send(head.encode() + HEAD_END + body)
    return time.monotonic()


def status(code, *more, body=b""):
    lines = [f"HTTP/1.1 {code} Whatever", f"Content-Length: {len(body)}", *more]
    return lambda link: answer(link, "\r\n".join(lines), body)


def upgrade(**changes):
    """An upgrade with other header lines; None leaves one out."""

    def send(link):
        link.read_head()
        headers = {"Upgrade": "websocket", "Connection": "Upgrade",
                   "Sec-WebSocket-Accept": link.accept_key()}
        headers |= {n.replace("_", "-"): v for n, v in changes.items()}
        lines = ["HTTP/1.1 101 Switching Protocols",
                 *(f"{n}: {v}" for n, v in headers.items() if v is not None)]
        link.send("\r\n".join(lines).encode() + HEAD_END)

    return send


def endless_headers(link):
    link.read_head()
    link.send(b"HTTP/1.1 101 Switching Protocols\r\n")
    try:
        for i in range(100000):
            link.send(b"X-%d: %s\r\n" % (i, b"x" * 1000))
    except OSError:
        pass  # it hung up


def hang_up(link):
    link.read_head()
    link.close()


def reset(link):
    link.read_head()
    link.reset()


def cut_in_the_head(link):
    link.read_head()
    link.send(b"HTTP/1.1 101 Swit")
    link.close()


ANSWERS = {
    "404": (status(404), "status 404"),
    "400": (status(400, body=b"Bad Request"), "status 400"),
    "426": (status(426, "Upgrade: h2c"), "status 426"),
    "redirect": (status(302, "Location: https://u:Secr3t@other.example/ws?k=Secr3t#x"),
                 '"status 302: it redirects to other.example:443/ws, which is not followed: '
                 'see REQUESTS_WS_URL"'),
    "redirect within the host": (status(308, "Location: /there?k=Secr3t"),
                                 "redirects to /there, which"),
    "redirect to nowhere": (status(301, "Location: ht tp:/Secr3t"), '"status 301"'),
    "429": (status(429), "status 429"),
    "500": (status(500, body=b"<html>x</html>"), "status 500"),
    "502": (status(502, "Connection: close"), "status 502"),
    "503": (status(503), "status 503"),
    "200": (status(200, body=b"<html>welcome</html>"), "status 200"),
    "204": (status(204), "status 204"),
    "200 of HTTP/1.0": (lambda link: answer(link, "HTTP/1.0 200 OK"), "status 200"),
    "wrong accept key": (upgrade(Sec_WebSocket_Accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                         "the Sec-WebSocket-Accept of another one"),
    "no accept key": (upgrade(Sec_WebSocket_Accept=None), "no Sec-WebSocket-Accept"),
    "no upgrade": (upgrade(Upgrade=None), "no Upgrade header"),
    "another upgrade": (upgrade(Upgrade="h2c"), "something other than WebSocket"),
    "no connection": (upgrade(Connection=None), "no header Connection: Upgrade"),
    "a protocol that nobody asked for": (upgrade(Sec_WebSocket_Protocol="chat"),
                                         "chose a subprotocol that was not offered"),
    "an extension that nobody asked for": (
        upgrade(Sec_WebSocket_Extensions="permessage-deflate"),
        "chose an extension that was not offered"),
    "endless headers": (endless_headers, "are longer than 32768 bytes"),
    "hidden by another": (upgrade(Connection="Upgrade\r\nAccept-CH: UA"), "behind one such as Accept-CH"),
    "many headers": (lambda link: link.read_head() and link.send(link.answer_head(
        more=["Set-Cookie: a=b"] * 200)), "more headers than libwebsockets takes"),
    "early hints": (lambda link: answer(link, "HTTP/1.1 103 Early Hints"),
                    "interim answer (status 103)"),
    "a blank behind the upgrade": (upgrade(Upgrade="websocket "),
                                   "a blank or a tab around the value of Upgrade,"),
    "a tab before the upgrade": (upgrade(Upgrade="\twebsocket"),
                                 "a blank or a tab around the value of Upgrade,"),
    "a tab behind the key": (upgrade(Sec_WebSocket_Accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t"),
                             "a blank or a tab around the value of Sec-WebSocket-Accept,"),
    "hangs up": (hang_up, ENDED + '"'),
    "cut in the head": (cut_in_the_head, ENDED + '"'),
    "hangs up at once": (lambda link: link.close(), "ended"),
    "reset": (reset, ENDED + ": Connection reset by peer"),
}


@pytest.mark.parametrize("many", [["Set-Cookie: a=" + "x" * 1000] * 31,
                                  ["X-Policy: " + "x" * 31000]], ids=["cookies", "one"])
def test_headers_of_31_kb(start, raw, many):
    """Cookies, policies: what others need is read past."""
    threading.Thread(target=lambda: (link := raw.accept()).read_head() and link.send(
        link.answer_head(more=many)), daemon=True).start()
    start(raw).wait_log(" connected ")


@pytest.mark.parametrize("send, told", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_handshake_that_fails(tried, raw, send, told):
    """The log says why, another attempt follows soon, and it is given up never."""
    for _ in range(3):
        send(raw.accept(CEILING + 5))
    line = tried.wait_log(r"connect_failed .*reason=failed detail=.* retry_in=", count=2)
    assert told in line and "Secr3t" not in tried.log()
    assert f"upstream=127.0.0.1:{raw.port}/ws" in line, line
    link = raw.link()
    assert stake_of(link.ask(message())) == "207.55196"
    tried.wait_log("connected url=")


def test_nobody_listens(make_service):
    """With the system's reason."""
    with RawUpstream() as gone:
        url = gone.url
    service = make_service({"REQUESTS_WS_URL": url}).launch()
    told = "no connection could be made: Connection refused"
    service.wait_log(f'connect_failed .*reason=failed detail="{told}"')


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(tried, raw, code):
    """The target sees nothing, and the same address is tried again."""
    with RawUpstream() as target:
        for _ in range(2):
            status(code, f"Location: {target.url}")(raw.accept())
        assert f"status {code}" in tried.wait_log("connect_failed .*reason=failed")
        link = raw.link()
        assert stake_of(link.ask(message())) == "207.55196"
        assert not target.is_tried(0)


def gaps(raw, send, count):
    """Seconds between an answer and the attempt after it."""
    found = []
    for _ in range(count):
        link = raw.accept()
        send(link)
        before = time.monotonic()
        raw.is_tried(10 * SCALE)
        found.append(time.monotonic() - before)
    return found


def assert_gap(raw, send, seconds, count=2):
    """Not sooner than that, and not much later."""
    with Stalls() as stalls:
        found = gaps(raw, send, count)
    late = 0.15 * SCALE + 2 * stalls.worst
    assert all(seconds - 0.02 <= gap <= seconds + late for gap in found), found


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_client_goes_on_at_the_ceiling(tried, raw, code):
    """An error in the log for each; it lets up when the server does."""
    assert_gap(raw, status(code, 'WWW-Authenticate: Basic realm="x"'), CEILING, 3)
    tried.wait_log(f"ERROR wsclient.* handshake_refused upstream=127.0.0.1:{raw.port}/ws "
                   f"status={code}", count=2)
    link = raw.link()
    assert stake_of(link.ask(message())) == "207.55196"


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_respected_up_to_the_ceiling(make_service, raw, code):
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "1.3"}).launch()
    assert_gap(raw, status(code, "Retry-After: 1"), 1.0, 1)
    assert_gap(raw, status(code, "Retry-After: 3600"), 1.3, 1)


@pytest.mark.parametrize("digits", [10, 13, 15, 20])
def test_a_retry_after_of_many_digits(tried, raw, digits):
    """It is the ceiling, however long it is."""
    assert_gap(raw, status(503, "Retry-After: " + "9" * digits), CEILING, 1)


@pytest.mark.parametrize("value", [
    "0", "-5", "soon", "", "1.5", "1 2", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_retry_after_that_is_none(tried, raw, value):
    """
    Then the backoff counts: its first delays are short. The form of a date is
    not read, as it would compare two clocks.
    """
    found = gaps(raw, status(503, f"Retry-After: {value}"), 1)
    assert found[0] < CEILING


def test_retry_after_counts_once(make_service, raw):
    """It is of one answer: after the next failure the backoff counts again."""
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "5"}).launch()
    assert_gap(raw, status(503, "Retry-After: 1"), 1.0, 1)
    assert gaps(raw, hang_up, 1)[0] < 1


def drip(link, data):
    """A byte each 0.1 s, until it is cut off."""

    def run():
        try:
            for byte in data:
                link.sock.sendall(bytes([byte]))
                time.sleep(0.1)
        except OSError:
            pass

    threading.Thread(target=run, daemon=True).start()


SILENCES = {
    "garbage": lambda link: link.send(b"\x00\xff\x16\x03" * 500),
    "another protocol": lambda link: link.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "nothing": lambda link: None,
    "half a head": lambda link: link.send(b"HTTP/1.1 101 Switching Protocols\r\nUp"),
    "a byte at a time": lambda link: drip(link, b"HTTP/1.1 101 " + b"x" * 500),
    "headers that go on": lambda link: drip(
        link, b"HTTP/1.1 101 Switching\r\n" + b"X: y\r\n" * 100),
}


@pytest.mark.slow
def test_an_attempt_ends_after_five_seconds(make_service, upstream):
    """All kinds of silence at a time; a link of a sister stands meanwhile."""
    ups = {kind: RawUpstream(path="/" + kind.replace(" ", "-")) for kind in SILENCES}
    service = make_service({
        "REQUESTS_WS_URL": " ".join(up.url for up in (upstream, *ups.values())),
        "HEARTBEAT_INTERVAL_SECONDS": "0.2",
        "RECONNECT_MAX_SECONDS": CEILING}).launch()
    link = upstream.wait_link()

    def measure():
        for kind, up in ups.items():
            SILENCES[kind](up.accept())
        before = len(link.beats)
        with Stalls() as stalls:
            took = [up.links[-1].wait_end() - up.links[-1].accepted
                    for up in ups.values()]
        worst_gap(link.beats[before:], stalls)
        assert min(took) > 4.9, took
        return max(took)

    try:
        at_most(5.1, measure)
        service.wait_log("connect_failed .*reason=timeout .*too long", count=len(SILENCES))
        assert link.ended is None
    finally:
        for up in ups.values():
            up.__exit__()


def test_a_server_that_is_not_there(make_service):
    """Refused: tried again and again, and the link is made when it comes."""
    with RawUpstream() as gone:
        port = gone.port
    service = make_service({"REQUESTS_WS_URL": f"ws://127.0.0.1:{port}/ws",
                            "RECONNECT_MAX_SECONDS": "0.2"}).launch()
    service.wait_log("connect_failed .*reason=failed detail=", count=5)
    pids = service.pids()
    wait_until(lambda: service.log().count("connect_failed") >= 10, "ten attempts")
    assert service.pids() == pids
