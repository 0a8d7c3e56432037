"""Answers that a broken link kept back are sent on the next one."""
import json
import os
import re
import socket
import time


from amounts import error, euro, message, read_rates, stake_of

from raw_upstream import RawUpstream

from waiting import sleep_until, wait_until

RATES = read_rates()
PATIENT = {"HEARTBEAT_TIMEOUT_SECONDS": "60"}


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def test_answers_that_were_not_sent_are_sent_on_the_next_link(start, upstream):
    """In the order of their requests, before newer ones, with their amounts."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30, RECONNECT_MAX_SECONDS="0.1",
                    HEARTBEAT_TIMEOUT_SECONDS=30)
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(*(message(str(i)) for i in range(20)))
        service.wait_counter("fxwire_pending", 20)
        link.reset()
        upstream.wait_link(2)
    got = upstream.wait_link(2).wait_answers(20)
    assert [json.loads(a)["id"] for a in got] == list(range(20))
    assert {stake_of(a) for a in got} == {"207.55196"}
    assert_works(upstream.link)
    assert len(upstream.link.answers) == 21
    service.wait_counter("fxwire_retried_total", 20)


def test_answers_that_were_made_while_there_was_no_link(start, upstream):
    """They wait for the next one."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30, RECONNECT_MAX_SECONDS="0.3",
                    HEARTBEAT_TIMEOUT_SECONDS=30)
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(message("1"), message("2", "1", '"JPY"', '"2021-05-19"'))
        service.wait_counter("fxwire_pending", 2)
        upstream.refuse = (503, [], b"")
        link.reset()
        wait_until(lambda: len(upstream.attempts) > 2, "attempts")
    service.rates("2021-05-18")  # both were asked before this
    service.rates("2021-05-19")
    upstream.refuse = None
    got = {json.loads(a)["id"]: stake_of(a) for a in upstream.wait_link(2).wait_answers(2)}
    assert got == {1: "207.55196", 2: euro("1", RATES["2021-05-19"]["JPY"])}


def test_an_error_by_timeout_is_sent_on_the_next_link_too(start, upstream):
    service = start(upstream, REQUEST_TIMEOUT_SECONDS="1.5", RECONNECT_MAX_SECONDS="0.1",
                    HEARTBEAT_TIMEOUT_SECONDS=30)
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(message("1"))
        service.wait_counter("fxwire_pending", 1)
        link.reset()
        got = upstream.wait_link(2).wait_answers(1)
    assert got == [error("no rate came in time", "1")]


def test_answers_older_than_the_ttl_are_dropped(start, upstream):
    """RETRY_MESSAGE_TTL: each is counted and logged; younger ones are sent."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30, RECONNECT_MAX_SECONDS="0.1",
                    RETRY_MESSAGE_TTL="1.5", HEARTBEAT_TIMEOUT_SECONDS=30)
    link = upstream.link
    with service.pause("ratefetcher"):
        asked = time.monotonic()
        link.send(*(message(f'"old{i}"') for i in range(3)))
        service.wait_counter("fxwire_pending", 3)
        sleep_until(asked + 1.6)
        link.send(message('"young"'))
        service.wait_counter("fxwire_pending", 4)
        link.reset()
        second = upstream.wait_link(2)
    assert '"id":"young"' in second.wait_answers(1)[0]
    assert_works(second)
    assert len(second.answers) == 2
    service.wait_counter("fxwire_expired_total", 3)
    for i in range(3):
        service.wait_log(rf"expired.*old{i}")


def test_no_ttl_for_the_link_of_the_request(start, upstream):
    """A late answer on the same link is sent, however old it is."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30, RETRY_MESSAGE_TTL="0",
                    HEARTBEAT_TIMEOUT_SECONDS=30)
    with service.pause("ratefetcher"):
        upstream.link.send(message("1"))
        sleep_until(time.monotonic() + 0.3)
    assert stake_of(upstream.link.wait_answers(1)[0]) == "207.55196"


def test_an_upstream_that_stops_reading(make_service):
    """What does not fit the connection waits, and goes out on the next."""
    with RawUpstream(receive_buffer=4096) as up:
        service = make_service({"REQUESTS_WS_URL": up.url, "RECONNECT_MAX_SECONDS": "0.1"}
                               | PATIENT).launch()
        link = up.link()
        service.wait_ready()
        filling = '"odds":"' + "x" * 4000 + '"'
        count = 1500
        for i in range(count):
            link.send_text(message(str(i)).replace('"odds":2.2', filling))
        service.wait_counter('fxwire_requests_total{result="converted"}', count)
        # With so little room Linux drops segments, and backs off for over 10 s at times.
        up.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        link.reset()
        second = up.link()
        second.send_text(message('"new"'))
        got = []
        while "new" not in got:
            got.append(json.loads(second.read_answer())["id"])
        assert len(got) > 100, "nothing had to wait"
        assert got[:-1] == list(range(count - len(got) + 1, count))


def test_an_upstream_that_reads_slowly(make_service):
    """On one link nothing is lost and nothing doubled; beats go on."""
    with RawUpstream(receive_buffer=4096) as up:
        service = make_service({"REQUESTS_WS_URL": up.url} | PATIENT).launch()
        link = up.link()
        service.wait_ready()
        filling = '"odds":"' + "x" * 4000 + '"'
        for i in range(1500):
            link.send_text(message(str(i)).replace('"odds":2.2', filling))
        wait_until(lambda: service.status()["upstreams"][0]["pending"] > 50, "answers that wait")
        got = [json.loads(link.read_answer())["id"] for _ in range(1500)]
        assert got == list(range(1500))
        assert_works(link)


def test_a_server_that_restarts_often(start, upstream):
    """Twenty breaks: nothing that waited is lost, no descriptors pile up."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1", HEARTBEAT_TIMEOUT_SECONDS=30)
    pid = service.pids()["wsclient"]
    assert_works(upstream.link)
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for i in range(2, 22):
        link = upstream.links[-1]
        link.reset() if i % 2 else link.close(1012)
        assert_works(upstream.wait_link(i))
    assert len(os.listdir(f"/proc/{pid}/fd")) <= before
    assert service.pids()["wsclient"] == pid
    assert not re.search("died", service.log())
