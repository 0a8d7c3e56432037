"""Nothing is lost: what was received is answered, and what is not confirmed comes again."""
import json
import os
import signal
import time

import pytest

from amounts import message, stake_of
from load import Load
from waiting import sleep_until, wait_until

PATIENT = {"REQUEST_TIMEOUT_SECONDS": 30, "RECONNECT_MAX_SECONDS": "0.1",
           "HEARTBEAT_TIMEOUT_SECONDS": 30}
WHO = [pytest.param("wsclient", marks=pytest.mark.smoke), "supervisor", "watchdog", "all"]


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def ids_of(answers):
    return [json.loads(answer)["id"] for answer in answers]


@pytest.fixture
def begin(make_service, raw):
    """begin(NAME=value...) launches a service for the raw upstream."""

    def begin_one(**settings):
        return make_service({"REQUESTS_WS_URL": raw.url} | PATIENT | settings).launch()

    return begin_one


@pytest.mark.parametrize("who", WHO)
def test_unanswered_requests_survive_a_kill(start, upstream, who):
    """Each that was received is answered once, on the next link."""
    service = start(upstream, **PATIENT)
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(*(message(str(i)) for i in range(20)))
        link.wait_received()
        service.kill_and_go_on(who)
        second = upstream.wait_link(2)
    got = second.wait_answers(20)
    assert ids_of(got) == list(range(20))
    assert {stake_of(answer) for answer in got} == {"207.55196"}
    assert_works(second)
    assert len(second.answers) == 21 and not link.answers
    service.wait_log("messages_found count=20")
    service.wait_delivered(21)


@pytest.mark.parametrize("who", WHO)
def test_unconfirmed_answers_survive_a_kill(begin, meet, who):
    """They come again byte for byte, before newer ones; confirmed ones do not."""
    service = begin()
    first = meet(pongs=False)
    service.wait_ready()
    texts = [first.ask(message(str(i))) for i in range(5)]
    service.kill_and_go_on(who)
    second = meet()
    second.send(message('"new"'))
    got = second.wait_answers(6)
    assert got[:5] == texts
    assert stake_of(got[5]) == "207.55196" and ids_of(got)[5] == "new"
    second.wait_confirmed()
    service.wait_ready()
    service.kill_and_go_on(who)
    third = meet()
    assert_works(third)
    assert len(third.answers) == 1


def test_kills_under_load(start, upstream):
    """Each request that was received has its right answer."""
    service = start(upstream, **PATIENT)
    with Load(upstream, per_second=1000) as load:
        for who in ("wsclient", "supervisor", "all", "wsclient", "watchdog", "wsclient"):
            links, asked = len(upstream.links), load.asked
            service.kill_and_go_on(who)
            upstream.wait_link(links + 1)
            service.wait_ready()
            wait_until(lambda before=asked: load.asked > before + 100, "requests after it")
    assert load.wait_answered("207.55196") >= load.asked


def test_requests_and_answers_survive_together(begin, meet):
    """Some wait for a rate, some are unconfirmed: the latter come first."""
    service = begin()
    first = meet(pongs=False)
    service.wait_ready()
    assert_works(first)
    with service.pause("ratefetcher"):
        first.send(message('"waits"', date='"2021-05-19"'), message('"more"', date='"2021-05-20"'))
        texts = [first.answers[0], first.ask(message('"answered"'))]
        first.wait_received()
        os.kill(service.pids()["wsclient"], signal.SIGKILL)
        second = meet()
        second.send(message('"new"', "1", '"EUR"'))
        got = second.wait_answers(3)
    assert got[:2] == texts and ids_of(got)[2] == "new"
    assert set(ids_of(second.wait_answers(5)[3:])) == {"waits", "more"}


def test_a_kill_right_after_the_pong(begin, meet):
    """What a Pong says is received is received, whatever comes then."""
    service = begin()
    peer = meet()
    service.wait_ready()
    for i in range(4):
        with service.pause("ratefetcher"):
            pid = service.pids()["wsclient"]
            peer.send(message(str(i), date=f'"2021-05-1{i}"'))
            peer.wait_received()
            os.kill(pid, signal.SIGKILL)
            peer = meet()
        wait_until(lambda number=i: number in ids_of(peer.answers), "its answer")
        service.wait_respawn("wsclient", pid)


def test_a_pong_confirms_all_before_its_ping(begin, meet):
    """And nothing behind it: that comes again after a break."""
    service = begin()
    first = meet(pongs=False)
    service.wait_ready()
    first.ask(message("1"))
    first.ask(message("2"))
    for_two = first.wait_ping(1)
    third = first.ask(message("3"))
    assert first.wait_ping(len(first.pings) + 1) != for_two
    fourth = first.ask(message("4"))
    first.pong(for_two)
    first.wait_received()
    first.reset()
    second = meet(pongs=False)
    assert second.wait_answers(2) == [third, fourth]
    # Once more: nothing of it is confirmed yet.
    second.reset()
    third_link = meet()
    third_link.send(message("5"))
    got = third_link.wait_answers(3)
    assert got[:2] == [third, fourth] and ids_of(got)[2] == 5
    service.wait_counter("fxwire_retried_total", 4)
    third_link.wait_confirmed()
    third_link.reset()
    last = meet()
    assert_works(last)
    assert len(last.answers) == 1


def pass_time_without_a_link(raw, moment):
    """Nobody gets through until then."""
    while time.monotonic() < moment:
        if raw.is_tried(0.1):
            raw.accept().close()


@pytest.mark.parametrize("killed", [False, True])
def test_unconfirmed_answers_older_than_the_ttl_are_dropped(begin, raw, meet, killed):
    """Each is counted and logged; also if wsclient was killed meanwhile."""
    service = begin(RETRY_MESSAGE_TTL="1.5")
    first = meet(pongs=False)
    service.wait_ready()
    for i in range(3):
        first.ask(message(f'"old{i}"'))
    answered = time.monotonic()
    service.wait_counter("fxwire_responses_total", 3)  # else a kill takes that along
    pid = service.pids()["wsclient"]
    first.reset()
    if killed:
        os.kill(pid, signal.SIGKILL)
    pass_time_without_a_link(raw, answered + 1.6)
    second = meet()
    assert_works(second)
    assert len(second.answers) == 1
    service.wait_counter("fxwire_expired_total", 3)
    service.wait_delivered(4)
    for i in range(3):
        service.wait_log(rf"answer_expired id=\S*old{i}")
    assert service.log().count("alert=answers_dropped") == 1


def test_unconfirmed_answers_within_the_ttl_are_sent_again(begin, raw, meet):
    """After an outage that is not that long, at which wsclient was killed."""
    service = begin(RETRY_MESSAGE_TTL="30")
    first = meet(pongs=False)
    service.wait_ready()
    text = first.ask(message())
    first.reset()
    service.kill("wsclient")
    pass_time_without_a_link(raw, time.monotonic() + 0.5)
    assert meet().wait_answers(1) == [text]


def test_what_is_not_confirmed_in_the_grace_is_sent_by_the_next_start(begin, meet):
    service = begin(SHUTDOWN_GRACE_SECONDS="0.5")
    first = meet(pongs=False)
    service.wait_ready()
    text = first.ask(message())
    assert service.stop() == 0
    first.wait_end()
    assert first.link.close_code == 1001
    service.wait_log("stopped_with_messages_in_hand pending=1")
    service.launch()
    second = meet()
    assert second.wait_answers(1) == [text]
    service.wait_ready()
    assert_works(second)
    assert service.stop() == 0
    assert not list(service.runtime_dir.glob("ledger-*"))


def test_receipts_after_the_stop_end_it(begin, meet):
    """It asks for them at once, and does not wait for the end of the grace."""
    service = begin(SHUTDOWN_GRACE_SECONDS="20", HEARTBEAT_INTERVAL_SECONDS="25")
    peer = meet(pongs=False)
    service.wait_ready()
    assert_works(peer)
    service.process.send_signal(signal.SIGTERM)
    service.wait_log("stopping")
    sleep_until(time.monotonic() + 0.3)
    assert not peer.link.ended
    peer.pongs = True
    peer.wait_end(3)
    assert peer.link.close_code == 1001
    assert service.wait_exit() == 0
