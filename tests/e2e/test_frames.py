"""WebSocket frames of every shape, and what breaks the protocol."""
import re
import time
from pathlib import Path

import pytest

from amounts import BEAT, error, message, stake_of
from places import SANITIZED, VALGRIND
from raw_upstream import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawUpstream,
                          frame)
from service import Service
from waiting import wait_until

EURO = "207.55196"
SLOW_BEATS = {"HEARTBEAT_TIMEOUT_SECONDS": "120", "RECONNECT_MAX_SECONDS": "0.1"}


@pytest.fixture(scope="module")
def quiet():
    """A service that bears silence, its raw upstream, and a way to a link."""
    with RawUpstream() as up:
        service = Service({"REQUESTS_WS_URL": up.url} | SLOW_BEATS).launch()
        try:
            yield Quiet(up, service)
        except BaseException:
            service.remove()
            raise
        service.finish()


class Quiet:
    """Hands out the present link, or the next one if it has ended."""

    def __init__(self, up, service):
        self.up = up
        self.service = service

    def link(self):
        if not self.up.links or self.up.links[-1].ended:
            self.up.link()
            self.service.wait_ready()
        return self.up.links[-1]


def assert_answers(link):
    """An answer can be had, behind those of earlier links that are repeated."""
    link.send_text(message('"probe"'))
    while '"id":"probe"' not in (answer := link.read_answer()):
        pass
    assert stake_of(answer) == EURO


@pytest.fixture
def link(quiet):
    """A link on which an answer can be had, before and after the test."""
    one = quiet.link()
    assert_answers(one)
    pids = quiet.service.pids()
    yield one
    assert_answers(quiet.link())
    assert quiet.service.pids() == pids, "a process has died"


def wait_pong(link, payload):
    """Waits for the Pong that answers a Ping sent after the last frame seen."""
    mark = len(link.frames)
    wait_until(lambda: link.read_frame(0.1) and False or any(
        f.opcode == PONG and f.payload == payload for f in link.frames[mark:]),
        f"the Pong {payload}", 3)


def test_our_frames_are_those_of_a_client(link):
    """Whole, masked, text, without reserved bits (RFC 6455, 5.1)."""
    assert link.frames
    for one in link.frames:
        assert (one.fin, one.rsv, one.opcode, one.masked) == (True, 0, TEXT, True)


@pytest.mark.smoke
def test_a_byte_at_a_time(link):
    """A frame whose bytes trickle in is a message."""
    for byte in frame(TEXT, message("1", currency='"EUR"', stake="1")):
        link.send(bytes([byte]))
    assert stake_of(link.read_answer()) == "1"


@pytest.mark.smoke
def test_fragments_of_a_byte_with_control_frames_between(link):
    """Each Ping is answered by its Pong meanwhile, the request at its end."""
    text = message().encode()
    for i, byte in enumerate(text):
        link.send(frame(CONTINUATION if i else TEXT, bytes([byte]), i == len(text) - 1))
        if i % 20 == 5:
            link.send(frame(PING, b"p%d" % i))
        if i % 20 == 15:
            link.send(frame(PONG, b"unasked"))
    assert stake_of(link.read_answer()) == EURO
    assert [f for f in link.frames if f.opcode == PONG and f.payload.startswith(b"p")]
    assert all(f.masked for f in link.frames)


@pytest.mark.parametrize("parts", [
    ["", message()], [message(), ""], ["", "", message(), "", ""],
    [message()[:1], message()[1:]], [message()[:100], "", message()[100:]],
])
def test_empty_fragments(link, parts):
    for i, part in enumerate(parts):
        link.send(frame(CONTINUATION if i else TEXT, part, i == len(parts) - 1))
    assert stake_of(link.read_answer()) == EURO


def test_many_frames_in_one_segment(link):
    """Requests, beats and Pings that arrive together are all handled."""
    data = b"".join(
        frame(TEXT, message(str(i), str(i), '"EUR"')) + frame(TEXT, BEAT)
        + frame(PING, str(i)) for i in range(100))
    link.send(data)
    got = sorted(int(stake_of(link.read_answer())) for _ in range(100))
    assert got == list(range(100))


@pytest.mark.parametrize("size", [0, 1, 125])
def test_a_ping_is_answered_by_its_pong(link, size):
    payload = bytes(range(125))[:size]
    link.send(frame(PING, payload))
    wait_pong(link, payload)


def test_multibyte_characters_across_fragments(link):
    """Each byte of a character in a frame of its own."""
    text = message('"ž€𝄞"').encode()
    start, end = text.index("ž".encode()), text.index("𝄞".encode()) + 4
    link.send(frame(TEXT, text[:start], False))
    for at in range(start, end):
        link.send(frame(CONTINUATION, text[at:at + 1], False))
    link.send(frame(CONTINUATION, text[end:]))
    assert '"id":"ž€𝄞"' in link.read_answer()


@pytest.mark.parametrize("parts", [1, 2, 100, 70000])
def test_too_long_in_fragments_is_read_past(link, parts):
    """However the bytes are divided: one error, and the link stays."""
    time.sleep(0.15)  # not more than ten errors without id a second
    text = b"x" * 70000
    size = len(text) // parts
    link.send(b"".join(frame(CONTINUATION if i else TEXT, text[i * size:][:size],
                             i == parts - 1) for i in range(parts)))
    assert link.read_answer() == error("the message is too long")
    assert stake_of(link.ask(message())) == EURO


@pytest.mark.parametrize("size", [65000, 100])
def test_never_ending_fragments_are_closed_with_1009(link, size):
    """Past 16 MiB, and not before."""
    link.send(frame(TEXT, b"[", False))
    filling = frame(CONTINUATION, b"x" * size, False) * (65000 // size)
    for _ in range(2**24 // 65000):
        link.send(filling)
    link.send(frame(PING, b"still there"))
    wait_pong(link, b"still there")
    link.send(filling)
    link.wait_end()
    assert link.close_code == 1009


@pytest.mark.parametrize("length", [2**24 + 1, 2**31, 2**32 + 5, 2**63 - 1])
def test_a_frame_that_announces_too_much(quiet, link, length):
    """Closed with 1009; memory does not grow by it."""
    before = peak_memory(quiet)
    link.send(frame(TEXT, b"x" * 100, length=length))
    try:
        while not link.ended:
            link.send(b"x" * 65536)
            link.read_frame(0)
    except OSError:
        pass
    link.wait_end()
    assert link.close_code in (1009, None)
    if not (VALGRIND or SANITIZED):
        assert peak_memory(quiet) - before < 1024


@pytest.mark.parametrize("length", [2**63, 2**64 - 1])
def test_an_announced_length_that_is_none(quiet, link, length):
    """
    The highest bit must be 0 (RFC 6455, 5.2): closed with 1009, as any length that is
    too much. The library leaves by itself and says nothing; so we do, and the log.
    """
    before = peak_memory(quiet)
    mark = len(quiet.service.log())
    link.send(frame(TEXT, b"x" * 100, length=length))
    link.wait_end()
    assert link.close_code == 1009
    wait_until(lambda: re.search(r'disconnected .*reason=protocol detail=".*length',
                                 quiet.service.log()[mark:]), "the reason")
    if not (VALGRIND or SANITIZED):
        assert peak_memory(quiet) - before < 1024


def peak_memory(quiet):
    """KiB that wsclient has ever held."""
    text = Path(f"/proc/{quiet.service.pids()['wsclient']}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1])


NOT_UTF8 = {
    "a lone continuation": b"\x80", "a byte that is none": b"\xff", "another": b"\xfe",
    "overlong /": b"\xc0\xaf", "overlong NUL": b"\xc0\x80", "overlong 3": b"\xe0\x80\xaf",
    "overlong 4": b"\xf0\x80\x80\xaf", "a surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80", "5 bytes": b"\xf8\x88\x80\x80\x80",
    "cut": b"\xe2\x82", "cut of 4": b"\xf0\x9d\x84",
}


@pytest.mark.parametrize("data", NOT_UTF8.values(), ids=NOT_UTF8.keys())
def test_invalid_utf8_is_closed_with_1007(link, data):
    link.send(frame(TEXT, b'{"type":"message","id":"' + data + b'"}'))
    link.wait_end()
    assert link.close_code == 1007


@pytest.mark.parametrize("parts", [
    [b"\xe2", b"\x82"], [b"\xe2\x82", b'"'], [b'"\xed', b"\xa0\x80"], [b"", b"\xff"],
    [b"\xf0\x9d", b""], [b"x" * 100000, b"\xff"],
], ids=["cut", "no continuation", "a surrogate", "the last", "an empty end", "too long"])
def test_invalid_utf8_in_fragments_is_closed_with_1007(link, parts):
    for i, part in enumerate(parts):
        link.send(frame(CONTINUATION if i else TEXT, part, i == len(parts) - 1))
    link.wait_end()
    assert link.close_code == 1007


def test_invalid_utf8_in_what_is_read_past_is_closed_with_1007(link):
    """A message that is too long is looked at all the same."""
    link.send(frame(TEXT, b"x" * 200000 + b"\xff" + b"x" * 200000))
    link.wait_end()
    assert link.close_code == 1007


@pytest.mark.parametrize("data", [
    frame(BINARY), frame(BINARY, b"\x00\xff"), frame(BINARY, message()),
    frame(BINARY, b"x" * 200000), frame(BINARY, b"x", False),
], ids=["empty", "2 bytes", "a request", "200,000 bytes", "a fragment"])
def test_binary_is_closed_with_1003(link, data):
    link.send(data)
    link.wait_end()
    assert link.close_code == 1003


@pytest.mark.parametrize("data", [
    frame(TEXT, "x", rsv=4), frame(TEXT, "x", rsv=2), frame(TEXT, "x", rsv=1),
    frame(3, "x"), frame(7, "x"), frame(11, "x"), frame(15, "x"),
    frame(CONTINUATION, "x"), frame(TEXT, "x", False) + frame(TEXT, "y"),
    frame(PING, "x", False), frame(PING, b"x" * 126), frame(CLOSE, b"\x03"),
    frame(CLOSE, b"\x03\xe8\xff"), frame(CLOSE, b"\x00\x00"), frame(CLOSE, b"\x03\xed"),
], ids=["rsv 1", "rsv 2", "rsv 3", "opcode 3", "opcode 7", "opcode 11", "opcode 15",
        "a continuation of nothing", "a text within a text", "a Ping in fragments",
        "a Ping of 126 bytes", "a close of one byte", "a close without UTF-8",
        "close code 0", "close code 1005"])
def test_breaches_of_the_protocol_end_the_connection(quiet, link, data):
    """The connection is left, which the log tells, and the next one works."""
    mark = len(quiet.service.log())
    link.send(data)
    link.wait_end()
    if data[0] & 0x0F != CLOSE:
        assert link.close_code == 1002
    wait_until(lambda: re.search(r"disconnected .*reason=(protocol detail=|closed detail=.a? ?close (code|frame))",
                                 quiet.service.log()[mark:]), "the reason")
    assert not re.search(r'detail="\[\d', quiet.service.log()[mark:]), "a time within the line"


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_an_end_without_a_close_frame_is_told_as_that(quiet, link, how):
    mark = len(quiet.service.log())
    told = "without a close frame"
    if how == "reset":
        told = f"cut off, {told}: Connection reset by peer"
    if how == "fin":
        link.finish()
        link.wait_end()
    else:
        link.reset()
        link.ended = time.monotonic()
    wait_until(lambda: re.search(rf'disconnected .*reason=closed detail="{told}"',
                                 quiet.service.log()[mark:]), "the reason")


def test_a_masked_frame_is_left_or_tolerated(link):
    """An answer (libwebsockets 4.1) or an end (4.3): no other outcome."""
    mark = len(link.frames)
    link.send(frame(TEXT, message(), mask=b"abcd"))
    wait_until(lambda: link.read_frame(0.1) and False or link.ended or any(
        b"stake" in f.payload for f in link.frames[mark:]), "an answer or an end")


@pytest.mark.parametrize("data", [
    frame(TEXT, message())[:1], frame(TEXT, message())[:3], frame(TEXT, message())[:-1],
    frame(TEXT, message(), False), frame(PING, b"abc")[:2], b"",
    frame(TEXT, b"x" * 70000)[:5],
], ids=["1 byte", "half a head", "all but a byte", "a fragment", "half a Ping", "nothing",
        "half a long head"])
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_connection_cut_in_a_message(link, data, how):
    """No trace of it is left on the next connection."""
    link.send(data)
    if how == "reset":
        link.reset()
    else:
        link.close()
    link.ended = time.monotonic()


@pytest.mark.parametrize("data", [b"\x00", b"GET / HTTP/1.1\r\n\r\n", b"\r\n" * 100,
                                  bytes(range(256)) * 20],
                         ids=["NUL", "HTTP", "line ends", "all bytes"])
def test_rubbish_instead_of_frames(link, data):
    """It ends, at the latest when the upstream ends it."""
    link.send(data)
    link.read_until(time.monotonic() + 0.3)
    if not link.ended:
        link.reset()
        link.ended = time.monotonic()
