"""Receipts both ways: Pongs to our Pings, and ours to the upstream's."""
import json
import re
import signal
import time

import pytest

from amounts import message, stake_of
from peer import Peer
from places import SCALE
from raw_upstream import BINARY, CLOSE, PING, PONG, TEXT, RawUpstream, frame
from waiting import at_most, holds_for, sleep_until, wait_until

PATIENT = {"REQUEST_TIMEOUT_SECONDS": 30, "RECONNECT_MAX_SECONDS": "0.1",
           "HEARTBEAT_TIMEOUT_SECONDS": 30, "SHUTDOWN_GRACE_SECONDS": 20}


def assert_works(peer):
    assert stake_of(peer.ask(message())) == "207.55196"


def upstream_status(service):
    return service.status()["upstreams"][0]


@pytest.fixture
def begin(make_service, raw):
    """begin(NAME=value...) launches a service for the raw upstream."""

    def begin_one(**settings):
        return make_service({"REQUESTS_WS_URL": raw.url} | PATIENT | settings).launch()

    return begin_one


def test_a_ping_follows_an_answer(begin, meet):
    """Within 0.25 s; the Pong to it takes the answer out of what is pending."""
    service = begin()
    peer = meet()
    service.wait_ready()
    assert not peer.pings

    def measure():
        count = len(peer.pings)
        assert_works(peer)
        peer.wait_ping(count + 1)
        return peer.ping_times[count] - peer.answer_times[-1]

    at_most(0.25, measure)
    service.wait_delivered(len(peer.answers))
    assert upstream_status(service)["receipts"] == "pong"
    count = len(peer.pings)
    assert len(set(peer.pings)) == count, "each stands for other answers"
    holds_for(0.6, lambda: len(peer.pings) == count, "no Pings without answers")


def test_what_is_unconfirmed_is_pending(begin, meet):
    """And is pinged for again, until a Pong comes; others count for nothing."""
    service = begin()
    peer = meet(pongs=False)
    service.wait_ready()
    peer.send(*(message(str(i)) for i in range(30)))
    peer.wait_answers(30)
    payload = peer.wait_ping(3)
    assert set(peer.pings) == {payload}
    for stranger in (b"", b"x", payload + b"0", b"9" + payload, bytes(125)):
        peer.pong(stranger)
    service.wait_counter("fxwire_pending", 30)
    peer.pong(payload)
    service.wait_counter("fxwire_pending", 0)


def test_at_full_speed_pings_come_sooner(begin, meet):
    """While the ledger fills, a quarter of a second would be too long."""
    service = begin(PENDING_MAX_BYTES=65536)
    peer = meet()
    service.wait_ready()
    assert_works(peer)
    count = 2000
    for i in range(0, count, 20):
        peer.send(*(message(str(i)) for i in range(20)))
        peer.wait_answers(i + 1)
    answers = peer.wait_answers(count + 1)
    assert {stake_of(answer) for answer in answers} == {"207.55196"}
    service.wait_delivered(count + 1)




@pytest.mark.slow
def test_upstreams_without_pongs(make_service):
    """
    One that never ponged is confirmed by TCP after 10 s, until it pongs. One
    that did, and then leaves answers unconfirmed for 10 s, is left: stalled.
    """
    with RawUpstream() as never, RawUpstream(receive_buffer=4096) as stops:
        services = [make_service({"REQUESTS_WS_URL": up.url} | PATIENT).launch()
                    for up in (never, stops)]
        talks, silent = Peer(never.link(), pongs=False), Peer(stops.link())
        for service in services:
            service.wait_ready()
        assert_works(silent)
        silent.wait_confirmed()
        silent.pongs = silent.reads = False
        began = time.monotonic()
        talks.send(message("1"), message("2"))
        silent.send(message("1"), message("2"))
        talks.wait_ping(3)
        assert upstream_status(services[0])["receipts"] == "pong"
        line = services[1].wait_log("disconnected.*reason=stalled", 13)
        assert re.search(" WARN ", line)
        assert time.monotonic() - began > 9.5
        wait_until(lambda: upstream_status(services[0])["receipts"] == "tcp", "TCP", 3)
        assert time.monotonic() - began > 9.5
        services[0].wait_delivered(2)
        services[1].wait_counter('fxwire_reconnects_total{reason="stalled"}', 1)
        silent.stop()
        # What was not confirmed comes again, and goes on by Pongs.
        silent = Peer(stops.link())
        assert [stake_of(a) for a in silent.wait_answers(2)] == ["207.55196"] * 2
        services[1].wait_delivered(5)
        # By TCP there is no waiting for anything.
        count = len(talks.pings)
        assert_works(talks)
        services[0].wait_delivered(3)
        assert len(talks.answers) == 3 and not talks.link.ended
        # Pings still go out, so that one who pongs after all is seen to.
        talks.pong(talks.wait_ping(count + 1))
        wait_until(lambda: upstream_status(services[0])["receipts"] == "pong", "Pongs", 3)
        talks.pongs = True
        assert_works(talks)
        services[0].wait_delivered(4)
        assert "disconnected" not in services[0].log()
        talks.stop()
        silent.stop()


@pytest.mark.parametrize("untaken", [message('"untaken"', "1", '"EUR"'), "x" * 1000],
                         ids=["a request", "too long"])
def test_our_pongs_end_with_the_first_untaken_request(begin, meet, untaken):
    """After SIGTERM: a Ping before it is answered, one behind it is not."""
    service = begin(HEARTBEAT_INTERVAL_SECONDS="0.2", MAX_MESSAGE_BYTES=500)
    peer = meet()
    service.wait_ready()
    assert_works(peer)
    with service.pause("ratefetcher"):
        peer.send(message('"taken"', date='"2021-05-19"'))
        peer.wait_received(b"taken")
        service.process.send_signal(signal.SIGTERM)
        service.wait_log("stopping")
        sleep_until(time.monotonic() + 0.3)
        peer.wait_received(b"while it stops")
        peer.send(untaken)
        peer.ping(b"claims it")
        before = len(peer.beats)
        wait_until(lambda: len(peer.beats) >= before + 4, "heartbeats")
        peer.ping(b"once more")
        wait_until(lambda: len(peer.beats) >= before + 7, "heartbeats")
        assert len(peer.answers) == 1 and not peer.link.ended
    peer.wait_end()
    assert '"taken"' in peer.answers[1] and len(peer.answers) == 2
    assert peer.ponged == [b"taken", b"while it stops"]
    assert peer.link.close_code == 1001
    assert service.wait_exit() == 0
    gaps = [b - a for a, b in zip(peer.beats, peer.beats[1:])]
    assert max(gaps) < 0.5 * SCALE


def test_a_refusal_is_there_before_the_pong_that_follows_it(begin, meet):
    """It is not kept, so the Pong must not claim a request whose refusal may be lost."""
    service = begin(PENDING_MAX_BYTES=4096)
    peer = meet()
    service.wait_ready()
    with service.pause("ratefetcher"):
        for i in range(50):
            peer.link.send(frame(TEXT, message(str(i), date='"2021-05-19"'))
                           + frame(PING, b"behind %d" % i))
            peer.wait_ponged(b"behind %d" % i)
        told = [(f.opcode, f.payload) for f in peer.link.frames]
    refused = [i for i, (_, text) in enumerate(told) if b"too many messages" in text]
    assert len(refused) > 30
    for at in refused:
        ident = json.loads(told[at][1])["id"]
        assert at < told.index((PONG, b"behind %d" % ident))


@pytest.mark.parametrize("refused, code", [(frame(BINARY, b"1"), 1003),
                                           (frame(TEXT, b"\xff"), 1007)],
                         ids=["binary", "invalid UTF-8"])
def test_no_pong_behind_a_frame_that_ends_the_connection(begin, meet, refused, code):
    """What follows it is not read: a Pong would claim it."""
    service = begin()
    peer = meet()
    service.wait_ready()
    assert_works(peer)
    peer.link.send(refused + frame(TEXT, message()) + frame(PING, b"claims it"))
    peer.wait_end()
    assert peer.link.close_code == code
    assert b"claims it" not in peer.ponged


@pytest.mark.parametrize("confirmed", [True, False], ids=["before it", "behind it"])
def test_a_pong_and_a_close(begin, meet, confirmed):
    """
    What is ponged before the Close was read. Behind its own Close an upstream
    may pong what it has dropped (faye-websocket does): that is sent again.
    """
    begin()
    peer = meet(pongs=False)
    peer.send(message("1"))
    peer.wait_answers(1)
    pong, close = frame(PONG, peer.wait_ping(1)), frame(CLOSE, b"\x03\xe8")
    peer.link.send(pong + close if confirmed else close + pong)
    peer.wait_end()
    following = meet()
    following.send(message("2"))
    ids = [json.loads(answer)["id"]
           for answer in following.wait_answers(1 if confirmed else 2)]
    assert ids == ([2] if confirmed else [1, 2])
