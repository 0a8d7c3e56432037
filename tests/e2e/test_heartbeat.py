"""Heartbeats and the silence of the peer."""
import json
import threading
import time

import pytest

from amounts import BEAT, message, stake_of
from places import SCALE
from raw_upstream import CONTINUATION, PING, TEXT, frame
from waiting import Stalls, at_most, sleep_until, wait_until

FAST = {"HEARTBEAT_INTERVAL_SECONDS": "0.2", "HEARTBEAT_TIMEOUT_SECONDS": "0.5",
        "RECONNECT_MAX_SECONDS": "0.1"}
TIMEOUT = 0.5
LATE = 0.1  # detection is at most so late


@pytest.fixture
def fast(make_service, raw):
    """A service with short times; the test accepts its connections."""
    return make_service({"REQUESTS_WS_URL": raw.url} | FAST).launch()


@pytest.mark.smoke
def test_the_first_heartbeat_goes_out_at_once(fast, raw):
    """Exactly this text, as the first frame, before any other."""

    def measure():
        link = raw.link()
        first = link.read_frame()
        assert first.opcode == TEXT and first.payload == BEAT.encode()
        link.reset()
        return first.at - link.opened

    at_most(0.05, measure)


def test_the_defaults_are_one_and_two_seconds(make_service, raw):
    """A beat each second, and silence is found after 2.0 to 2.1 s."""
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "0.1"}).launch()

    def measure():
        link = raw.link()
        ended = link.wait_end()
        assert ended - link.opened > 2.0 - 0.005
        assert len(link.beats()) in (2, 3)
        assert link.beats()[1] - link.beats()[0] > 0.9
        return ended - link.opened

    at_most(2.0 + LATE, measure)


def beats_in_time(make_traffic, fast, raw):
    """Lateness of the worst of some 10 beats against the steady clock."""
    link = raw.link()
    over = threading.Event()
    traffic = threading.Thread(target=make_traffic, args=(link, over))
    beater = threading.Thread(target=beat_until, args=(link, over))
    beater.start()
    traffic.start()
    link.read_until(time.monotonic() + 2)
    over.set()
    traffic.join()
    beater.join()
    beats = link.beats()
    assert not link.ended
    assert 8 <= len(beats) <= 12, beats
    link.reset()
    first = min(at - i * 0.2 for i, at in enumerate(beats))
    return max(abs(at - first - i * 0.2) for i, at in enumerate(beats))


def beat_until(link, over):
    while not over.wait(0.1):
        link.beat()


def no_traffic(_link, _over):
    """Nothing but beats."""


def steady_traffic(link, over):
    """Some thousand requests a second, of two known days and of none."""
    texts = [message("1"), message("2", date='"2021-05-19"'), message("3", "null")]
    data = b"".join(frame(TEXT, text) for text in texts * 10)
    while not over.wait(0.02):
        link.send(data)


@pytest.mark.parametrize("traffic", [no_traffic, steady_traffic],
                         ids=["idle", "under load"])
def test_a_heartbeat_each_interval(fast, raw, traffic):
    """None is missed, none is doubled, and they do not drift."""
    at_most(0.05, lambda: beats_in_time(traffic, fast, raw))


SILENCES = {
    "nothing at all": lambda link, i: None,
    "Pings": lambda link, i: link.send(frame(PING, b"x")),
    "Pongs": lambda link, i: link.send(frame(10, b"x")),
    "requests": lambda link, i: link.send_text(message(str(i))),
    "other types": lambda link, i: link.send_text('{"type":"Heartbeat"}'),
    "errors": lambda link, i: link.send_text('{"type":"error","message":"heartbeat"}'),
    "half a heartbeat": lambda link, i: link.send(
        frame(CONTINUATION if i else TEXT, b" ", False)),
}


@pytest.mark.parametrize("send", SILENCES.values(), ids=SILENCES.keys())
@pytest.mark.parametrize("beats", [0, 3], ids=["from the start", "after beats"])
def test_silence_is_found_in_time(fast, raw, send, beats):
    """Nothing but a heartbeat counts; the link is dropped hard."""

    def measure():
        link = raw.link()
        last = link.opened
        for _ in range(beats):
            link.read_until(time.monotonic() + 0.1)
            last = link.beat()
        i = 0
        while not link.ended and time.monotonic() < last + 5 * SCALE:
            try:
                send(link, i)
            except OSError:
                pass
            link.read_until(time.monotonic() + 0.02)
            i += 1
        assert link.ended, "the silence was not found"
        assert link.close_code is None, "a dead link is dropped without a handshake"
        assert link.how == "reset"
        assert link.ended - last > TIMEOUT - 0.005
        return link.ended - last

    at_most(TIMEOUT + LATE, measure)


def test_the_reconnect_follows_at_once_or_after_a_short_backoff(fast, raw):
    """Each silent link is followed by another."""
    for _ in range(3):
        link = raw.link()
        link.wait_end()
        raw.is_tried(0.3)
    fast.wait_log("reason=silent", count=3)
    fast.wait_counter('fxwire_reconnects_total{reason="silent"}', 3)


def test_beats_just_inside_the_limit(make_service, raw):
    """Beats at 0.9 of the limit: no reconnect."""
    make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "1",
                  "HEARTBEAT_INTERVAL_SECONDS": "0.5"}).launch()
    for _ in range(5):
        link = raw.link()
        sent = [link.opened]
        for i in range(1, 5):
            sleep_until(link.opened + 0.9 * i)
            link.beat()
            sent.append(time.monotonic())
        link.read_until(time.monotonic() + 0.05)
        if max(b - a for a, b in zip(sent, sent[1:])) > 0.96:
            link.reset()  # this machine is too busy to be so exact: once more
            continue
        assert not link.ended
        return
    pytest.skip("the machine is too busy to beat in time")


@pytest.mark.smoke
@pytest.mark.parametrize("beat", [
    [frame(TEXT, '{"type":"heartbeat","n":1,"x":{}}')],
    [frame(TEXT, ' { "n" : 0, "type" : "heart\\u0062eat" } ')],
    [frame(TEXT, BEAT[:5], False), frame(PING), frame(CONTINUATION, BEAT[5:])],
    [frame(TEXT, '{"type":"heartbeat","id":1,"payload":{"stake":"x"}}')],
], ids=["further fields", "white space and escapes", "fragments", "other names"])
def test_what_is_a_heartbeat(fast, raw, beat):
    """It keeps the link up and is not answered."""
    link = raw.link()
    for _ in range(6):
        for part in beat:
            link.send(part)
        link.read_until(time.monotonic() + 0.15)
    assert not link.ended
    assert stake_of(link.ask(message())) == "207.55196"


def test_a_stall_of_our_own_with_beats_in_the_kernel(make_service, raw):
    """What the kernel holds is read before the peer is judged."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "1",
                            "HEARTBEAT_INTERVAL_SECONDS": "0.2"}).launch()
    link = raw.link()
    service.wait_ready()
    for _ in range(2):
        link.beat()
        with service.pause("wsclient"):
            for i in range(15):
                link.beat()
                time.sleep(0.1)
        for _ in range(5):
            link.beat()
            link.read_until(time.monotonic() + 0.05)
        assert not link.ended, "a false refresh"
    assert not raw.is_tried(0)
    assert stake_of(link.ask(message())) == "207.55196"


def test_a_stall_of_our_own_with_other_messages_in_the_kernel(make_service, raw):
    """Beats behind many requests are found too."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "1",
                            "HEARTBEAT_INTERVAL_SECONDS": "0.2"}).launch()
    link = raw.link()
    service.wait_ready()
    link.ask(message())
    link.beat()
    with service.pause("wsclient"):
        link.send(b"".join(frame(TEXT, message(str(i))) for i in range(500)))
        sleep_until(time.monotonic() + 1.4)
        link.beat()
    got = {json.loads(link.read_answer())["id"] for _ in range(500)}
    assert got == set(range(500))
    assert not link.ended


def test_a_stall_of_our_own_with_nothing_in_the_kernel(fast, raw):
    """The peer was silent indeed."""
    link = raw.link()
    fast.wait_ready()
    link.beat()
    with fast.pause("wsclient"):
        sleep_until(time.monotonic() + 0.8)
    link.wait_end()
    assert link.how == "reset"


def test_beats_missed_in_a_stall_are_not_made_up_for(make_service, raw):
    """One beat after the stall, then one each interval again."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "30",
                            "HEARTBEAT_INTERVAL_SECONDS": "0.2"}).launch()
    link = raw.link()
    service.wait_ready()
    link.read_until(time.monotonic() + 0.5)
    with service.pause("wsclient"):
        sleep_until(time.monotonic() + 1.5)
    before = len(link.beats())
    now = time.monotonic()
    with Stalls() as stalls:
        link.read_until(now + 0.5)
    assert 1 <= len(link.beats()) - before <= 4 + int(stalls.worst / 0.1)


def test_status_tells_the_age_of_the_last_heartbeat(upstream, start):
    """It grows while the upstream is silent."""
    service = start(upstream, HEARTBEAT_TIMEOUT_SECONDS="30")
    link = upstream.link
    assert service.status()["upstreams"][0]["connected"] is True
    link.beating = False
    wait_until(lambda: service.status()["upstreams"][0]["heartbeat_age_seconds"] > 1.2,
               "an age of more than a second")
    link.beating = True
    wait_until(lambda: service.status()["upstreams"][0]["heartbeat_age_seconds"] < 0.5,
               "a young age")
