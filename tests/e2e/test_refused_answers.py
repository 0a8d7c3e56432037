"""An answer that the upstream refuses stops nobody but itself (spec 6)."""
import contextlib
import json
import re
import socket
import time

import pytest

from amounts import PREFIX, message, stake_of
from peer import Peer
from picky import Picky, close_with, cut, say
from places import SCALE
from raw_upstream import BINARY, CLOSE, PING, RawUpstream, TEXT, frame
from waiting import holds_for, wait_until

LIMIT = 32768  # nhooyr's
IDLE = {"REQUEST_TIMEOUT_SECONDS": 30, "HEARTBEAT_TIMEOUT_SECONDS": 30,
        "RECONNECT_MAX_SECONDS": "0.1"}
SMALL = [str(i) for i in range(1, 21)]
BIG = "100"


def long_message(ident, size=60000):
    text = message(ident)
    return text[:-1] + " " * (size - len(text)) + "}"


def work(number):
    """Twenty small requests and a long one, then a small one on each link."""
    if number == 1:
        return [*map(message, SMALL), long_message(BIG)]
    return [message(str(1000 + number))]


def too_long(text):
    return close_with(1009, "message too big") if len(text) > LIMIT else None


def is_big(text):
    return '"id":100,' in text and "Unable" not in text


def quarantined(service):
    return [p.read_text() for p in (service.folder / "state/quarantine").glob("*.message")]


def assert_small_ones_taken(picky, asked):
    """All within two seconds, at most three times, and right."""
    numbers = [i for i in asked if i != int(BIG)]
    picky.wait_taken(*numbers, seconds=2)
    for number in numbers:
        assert picky.shown[number] <= 3, number
        assert len(set(picky.taken[number])) == 1
        assert stake_of(picky.taken[number][0]) == "207.55196"


@pytest.fixture
def begin(make_service):
    """begin(upstream, ...) launches a service for it."""

    def begin_one(up, **settings):
        return make_service({"REQUESTS_WS_URL": up.url} | IDLE | settings).launch()

    return begin_one


@pytest.mark.smoke
def test_an_answer_that_is_too_long_for_the_upstream(begin):
    """The others arrive at once; it has a short error in its place."""
    with Picky(too_long, work) as up:
        service = begin(up)
        service.wait_log("answer_refused", 10)
        up.wait_taken(int(BIG), seconds=2)
        assert_small_ones_taken(up, [*map(int, SMALL), *range(1002, 1000 + up.count)])
        assert up.shown[int(BIG)] == 5  # four times whole, and its error
        error = json.loads(up.taken[int(BIG)][0])
        assert error["type"] == "error"
        assert error["message"].startswith(PREFIX + "the answer was refused as too long")
        line = service.wait_log(" ERROR wsclient.* answer_refused id=100 ")
        assert re.search(r'bytes=60\d\d\d .*sent=4 .*close code 1009: message too big', line)
        service.wait_log(r"alert alert=answer_refused .*id 100,.* 60\d\d\d bytes")
        assert [stake_of(text) for text in quarantined(service)] == ["207.55196"]
        service.wait_counter("fxwire_answers_refused_total", 1)
        service.wait_counter("fxwire_pending", 0)
        assert "expired" not in service.log()
        breaks = up.count
        holds_for(0.5, lambda: up.count == breaks, "the link stands now")


@pytest.mark.parametrize("refuse, wanted", [
    (close_with(1011, "boom"), "close code 1011: boom"),
    (cut, "cut off, without a close frame"),
    (say(frame(BINARY, b"boom")), "a binary frame"),
    (say(frame(TEXT, b"b\xf6se")), "a text is no UTF-8"),
], ids=["1011", "cut", "binary", "no UTF-8"])
def test_an_application_that_fails_at_one_answer(begin, refuse, wanted):
    """Whatever ends the link: that answer is given up, the rest goes on."""
    with Picky(lambda text: refuse if is_big(text) else None, work) as up:
        service = begin(up, HEARTBEAT_INTERVAL_SECONDS=20)
        line = service.wait_log(" answer_refused", 10)
        assert f'"{wanted}' in line
        up.wait_taken(1000 + up.count, seconds=2)
        assert_small_ones_taken(up, [*map(int, SMALL), *range(1002, 1000 + up.count)])
        assert up.shown[int(BIG)] == 4
        service.wait_counter("fxwire_pending", 0)
        assert len(quarantined(service)) == 1


def test_an_application_that_fails_at_everything(begin):
    """For some seconds: that says nothing against any answer, and all arrive."""
    fails = [close_with(1011, "boom")]
    with Picky(lambda text: fails[0] if fails else None,
               lambda number: map(message, SMALL) if number == 1 else ()) as up:
        service = begin(up)
        up.wait_links(20)
        fails.clear()
        up.wait_taken(*map(int, SMALL), seconds=3)
        service.wait_counter("fxwire_pending", 0)
        assert "answer_refused" not in service.log()


def test_an_answer_that_is_all_there_is(begin):
    """With nothing beside it that could pass, it has two seconds more."""
    with Picky(lambda text: close_with(1011, "boom"),
               lambda number: [message("1")] if number == 1 else ()) as up:
        service = begin(up)
        service.wait_log(" answer_refused id=1 ", 10)
        service.wait_counter("fxwire_pending", 0)


def test_one_that_ponged_once_and_no_more_gets_new_answers(begin):
    """What it does not confirm is in nobody's way for long."""
    with Picky(lambda text: None, lambda number: [message(str(number))]) as up:
        begin(up)
        up.wait_taken(1)
        wait_until(lambda: any(f[0] == PING for f in up.frames[1]), "a Ping")
        up.pongs = False
        for number in range(2, 6):
            up.links[-1].sock.shutdown(socket.SHUT_RDWR)
            up.wait_taken(number, seconds=3)


def test_an_upstream_that_never_ponged(begin):
    """Whether TCP's receipts are in use already, or nobody can know yet."""
    with Picky(too_long, work, pongs=False) as up:
        service = begin(up)
        service.wait_log("answer_refused|answer_expired", 20)
        assert "answer_expired" not in service.log()
        up.wait_taken(*map(int, SMALL), 1000 + up.count, seconds=3)
        wait_until(lambda: service.counter("fxwire_pending") == 0, "TCP's receipts", 15)


def test_receipts_by_tcp(begin):
    """Of one that is known never to pong."""
    ask = []
    with Picky(too_long, lambda number: work(number - 1) if ask else [message("999")],
               pongs=False) as up:
        service = begin(up)
        up.wait_taken(999)
        wait_until(lambda: service.status()["upstreams"][0]["receipts"] == "tcp", "tcp", 15)
        ask.append(True)
        up.links[-1].close()
        assert up.count == 1
        wait_until(lambda: up.count > 3, "some breaks")
        up.wait_taken(*map(int, SMALL), seconds=2)
        service.wait_counter("fxwire_pending", 0)
        assert_small_ones_taken(up, [*map(int, SMALL), *range(1002, 999 + up.count)])
        assert "answer_expired" not in service.log()


def read_window(link):
    """Answers up to the next Ping, and that Ping's payload."""
    answers = []
    while found := link.read_frame(5 * SCALE):
        if found.opcode == PING:
            return answers, found.payload
        if found.opcode == TEXT and b"heartbeat" not in found.payload:
            answers.append(found.payload.decode())
    raise AssertionError("no Ping")


def ids(answers):
    return [json.loads(answer)["id"] for answer in answers]


@pytest.fixture
def broken(begin, raw):
    """broken(texts) gives the link after the break of one that took these."""

    def break_one(*texts):
        begin(raw)
        link = raw.link()
        link.send(b"".join(frame(TEXT, text) for text in texts))
        for _ in texts:
            link.read_answer()
        link.reset()
        return raw.link()

    return break_one


def pong(link, payload):
    link.send(frame(10, payload))


def test_a_backlog_goes_out_in_windows(broken):
    """Of 32 answers, oldest first, each behind the Pong of the one before."""
    link = broken(*(message(str(i)) for i in range(70)))
    link.send_text(message("1000"))
    for window in (range(32), range(32, 64), range(64, 70)):
        answers, ping = read_window(link)
        assert ids(answers) == list(window)
        assert link.read_frame(0.1) is None or link.frames[-1].opcode != TEXT
        pong(link, ping)
    assert link.read_answer() and json.loads(link.frames[-1].payload)["id"] == 1000


def test_a_window_is_at_most_64_kib(broken):
    link = broken(*(long_message(str(i), 30000) for i in range(5)))
    for window in ([0, 1], [2, 3], [4]):
        answers, ping = read_window(link)
        assert ids(answers) == window
        pong(link, ping)


def test_after_two_breaks_one_at_a_time(broken, raw):
    """Behind a Pong that shows that the link works; progress widens it again."""
    link = broken(*(message(str(i)) for i in range(3)))
    answers, ping = read_window(link)
    pong(link, ping)  # so that it is known to pong
    link.send(b"".join(frame(TEXT, message(str(i))) for i in range(10, 13)))
    for _ in range(3):
        link.read_answer()
    link.reset()
    link = raw.link()
    assert ids(read_window(link)[0]) == [10, 11, 12]
    link.reset()
    link = raw.link()
    answers, ping = read_window(link)
    assert not answers, "the link has not shown that it works"
    pong(link, ping)
    for number in range(10, 13):
        answers, ping = read_window(link)
        assert ids(answers) == [number]
        pong(link, ping)
    assert ids([link.ask(message("20"))]) == [20]


@contextlib.contextmanager
def innocent(begin):
    """
    Gives an upstream that has ponged and left an answer unconfirmed. When the
    block is over it takes that one, which nobody has blamed.
    """
    with RawUpstream() as up:
        service = begin(up)
        peer = Peer(up.link())
        assert stake_of(peer.ask(message("1"))) == "207.55196"
        peer.wait_confirmed()
        peer.pongs = False
        peer.ask(message("2"))
        peer.reset()
        yield up
        peer = Peer(up.link())
        assert stake_of(peer.wait_answers(1)[0]) == "207.55196"
        service.wait_counter("fxwire_pending", 0)
        assert "answer_refused" not in service.log()
        peer.stop()


def break_without_a_pong(up, times):
    for _ in range(times):
        link = up.link()
        read_window(link)
        link.reset()


def test_a_link_that_never_works_blames_no_answer(begin):
    """Each ends before it has ponged: the answer waits for one that does."""
    with innocent(begin) as up:
        break_without_a_pong(up, 8)


@pytest.mark.slow
def test_a_link_that_pongs_no_more_blames_no_answer(begin):
    """It reads what is sent after a second in vain, and breaks then."""
    with innocent(begin) as up:
        break_without_a_pong(up, 3)
        for _ in range(2):
            peer = Peer(up.link(), pongs=False)
            peer.wait_answers(1)
            peer.reset()


@pytest.mark.parametrize("payload, wanted", [
    (b"", "a close frame without a code"),
    (b"\x03\xe9", "close code 1001"),
    (b"\x0f\xa0gone \x1b\xc3\xa4\\", r"close code 4000: gone \x1b\xc3\xa4\x5c"),
    (b"\x03\xf4restart", "1012.*: restart"),
    (b"\x0f\xa0" + b"x" * 123, "close code 4000: " + "x" * 123),
    (None, "without a close frame"),
    ("reset", "cut off, without a close frame: Connection reset by peer"),
])
def test_why_a_link_ended(begin, meet, raw, payload, wanted):
    """In the log and in the status; a code that the library hides is not claimed."""
    service = begin(raw)
    peer = meet()
    service.wait_ready()
    peer.stop()
    if payload == "reset":
        peer.link.reset()
    elif payload is None:
        peer.link.finish()
    else:
        peer.link.send(frame(CLOSE, payload))
        peer.link.wait_end()
    meet()
    line = service.wait_log("disconnected .*reason=closed").replace("\\\\", "\\")
    pattern = wanted if "*" in wanted else re.escape(wanted)
    assert re.search(rf'detail="{pattern}|{pattern}"', line), line
    wait_until(lambda: re.search(pattern, service.status()["upstreams"][0]["last_break"] or ""),
               "the reason in the status")
    assert "last_break=closed: " in service.command("status").stdout


def test_five_breaks_in_ten_seconds_are_alerted(begin, raw):
    service = begin(raw)
    for number in range(1, 8):
        assert service.log().count("alert=upstream_flapping") == 0 or number > 5
        raw.link().close()
    service.wait_log("alert alert=upstream_flapping .*without a close frame")
    service.wait_log("disconnected", count=7)
    assert service.log().count("alert=upstream_flapping") == 1


def test_what_was_done_with_an_answer_that_is_dropped(begin, raw):
    """Not that it was too old, but that it was sent and never confirmed."""
    service = begin(raw, RETRY_MESSAGE_TTL=1)
    link = raw.link()
    link.ask(message("5"))
    link.reset()
    link = raw.link()
    link.read_answer()
    time.sleep(1)  # its time is over
    link.reset()
    raw.link()
    line = service.wait_log("answer_expired id=5 ")
    assert 'detail="sent 2 times, never confirmed"' in line
    service.wait_log("alert alert=answers_dropped .*sent 2 times, never confirmed")


def test_the_code_is_kept_where_sending_failed_first(begin):
    """The peer's close frame waits behind what it sent, while answers are choked."""
    with RawUpstream(receive_buffer=4096) as up:
        service = begin(up)
        link = up.link()
        service.wait_ready()
        link.send(frame(TEXT, long_message("1")) * 100)  # it reads no answer
        wait_until(lambda: service.counter("fxwire_pending") == 100, "100 requests")
        with service.pause("wsclient"):
            link.send(frame(TEXT, long_message("2")) + frame(CLOSE, b"\x03\xf3late"))
            link.wait_taken()  # a reset throws away what is still here
            link.reset()
        line = service.wait_log("disconnected")
        assert 'detail="close code 1011: late"' in line
