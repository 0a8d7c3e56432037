"""What counts the answers of tests/faults can count: each fault of a peer shows."""
import asyncio
import contextlib
import datetime
import json
import random
import sys

import pytest

from amounts import BEAT, PREFIX, euro, message, rate_on, read_rates
from places import TOP
from sockets import ConnectionClosed, connect

sys.path.insert(1, str(TOP / "tests" / "faults"))

import report
from tally import Tally
from traffic import Question, Traffic, fresh_rates
from world import UpstreamProcess

GOOD = Question("253.67", "USD", "2021-05-18", "207.55196")
BAD = Question("1", "XXQ", "2021-05-18", None)
FIGURES = ("asked", "again", "received", "right", "error", "wrong", "twice", "never")


def response(ident, stake="207.55196", millis="123"):
    return message(f'"{ident}"', stake, '"EUR"', f'"2026-11-21T18:00:00.{millis}Z"')


def refusal(ident):
    return f'{{"type":"error","id":"{ident}","message":"{PREFIX}why"}}'


class Play:
    """A tally and a clock by hand; one question is asked on the first link."""

    def __init__(self, ttl=60, question=GOOD):
        self.tally = Tally(ttl)
        self.now = 100.0
        self.link = None
        self.connect()
        self.ask(question)

    def connect(self):
        """A new link takes the place of the one there was."""
        if self.link:
            self.tally.end_link(self.link, self.now)
        self.link, again = self.tally.open_link(self.now)
        for copy in again:
            self.tally.ask_again(self.link, copy, self.now)
        return self

    def late_pong(self):
        """The old link still stands for us; its Pong comes when the new one is at work."""
        old = self.link
        self.link, again = self.tally.open_link(self.now)
        self.tally.ask_again(self.link, again[0], self.now)
        self.receive().answer(response("q1.1"))
        self.tally.pong(old, b"p", self.now)
        return self

    def wait(self, seconds):
        self.now += seconds
        return self

    def ask(self, question=GOOD):
        self.tally.ask(self.link, question, self.now)
        return self

    def ping(self, payload=b"p"):
        self.tally.ping(self.link, payload)
        return self

    def pong(self, payload=b"p"):
        self.tally.pong(self.link, payload, self.now)
        return self

    def receive(self):
        """What was asked is received."""
        return self.ping().pong()

    def peer_ping(self):
        self.tally.peer_ping(self.link)
        return self

    def answer(self, text):
        self.tally.answer(self.link, text)
        return self


# {what is shown: (the play, figures that are not 0, kinds of offences)}
PLAYS = {
    "a right answer": (
        lambda: Play().receive().answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1}, set()),
    "an error that is right": (
        lambda: Play(question=BAD).receive().answer(refusal("q1")),
        {"asked": 1, "received": 1, "error": 1}, set()),
    "no answer": (
        lambda: Play().receive(),
        {"asked": 1, "received": 1, "never": 1}, {"never answered"}),
    "no answer, on no later link either": (
        lambda: Play().receive().connect().ask().receive().answer(response("q2")),
        {"asked": 2, "received": 2, "right": 1, "never": 1}, {"never answered"}),
    "not received": (
        lambda: Play().ping(),
        {"asked": 1}, {"not received to the end"}),
    "a Pong to another Ping": (
        lambda: Play().ping().pong(b"x"),
        {"asked": 1}, {"not received to the end", "Pong to no Ping"}),
    "a Pong to a Ping that went out before": (
        lambda: Play().ping().ask().pong().answer(response("q1")),
        {"asked": 2, "received": 1, "right": 1}, {"not received to the end"}),
    "a Pong on another link than its Ping's": (
        lambda: Play().ping().connect().pong(),
        {"asked": 2, "again": 1}, {"not received to the end", "Pong to no Ping"}),
    "asked again, and only then received": (
        lambda: Play().connect().receive().answer(response("q1.1")),
        {"asked": 2, "again": 1, "received": 1, "right": 1}, set()),
    "asked again, and both answered": (
        lambda: Play().connect().receive().answer(response("q1")).answer(response("q1.1")),
        {"asked": 2, "again": 1, "received": 1, "right": 2}, set()),
    "asked again, and the first answered wrongly": (
        lambda: Play().connect().receive().answer(response("q1", "1"))
        .answer(response("q1.1")),
        {"asked": 2, "again": 1, "received": 1, "right": 1, "wrong": 1}, {"wrong answer"}),
    "another amount": (
        lambda: Play().receive().answer(response("q1", "207.55197")),
        {"asked": 1, "received": 1, "wrong": 1}, {"wrong answer"}),
    "other bytes": (
        lambda: Play().receive().answer(response("q1").replace("2.2,", "2.20,")),
        {"asked": 1, "received": 1, "wrong": 1}, {"wrong answer"}),
    "an error where a response is due": (
        lambda: Play().receive().answer(refusal("q1")),
        {"asked": 1, "received": 1, "wrong": 1}, {"wrong answer"}),
    "a response where an error is due": (
        lambda: Play(question=BAD).receive().answer(response("q1")),
        {"asked": 1, "received": 1, "wrong": 1}, {"wrong answer"}),
    "an answer to nothing": (
        lambda: Play().receive().answer(response("q1")).answer(response("q2")),
        {"asked": 1, "received": 1, "right": 1}, {"answer to nothing"}),
    "no JSON": (
        lambda: Play().receive().answer(response("q1")).answer("{"),
        {"asked": 1, "received": 1, "right": 1}, {"answer to nothing"}),
    "twice on one link": (
        lambda: Play().receive().answer(response("q1")).answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1, "twice": 1}, {"twice on one link"}),
    "twice, across a break": (
        lambda: Play().receive().answer(response("q1")).connect().answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1, "twice": 1}, set()),
    "three times, twice of them on one link": (
        lambda: Play().receive().answer(response("q1")).connect().answer(response("q1"))
        .answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1, "twice": 2}, {"twice on one link"}),
    "twice, and not the same bytes": (
        lambda: Play().receive().answer(response("q1")).connect()
        .answer(response("q1", millis="124")),
        {"asked": 1, "received": 1, "right": 1, "twice": 1}, {"repeat that differs"}),
    "twice, though the first was confirmed": (
        lambda: Play().answer(response("q1")).peer_ping().receive().connect()
        .answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1, "twice": 1}, {"repeated though confirmed"}),
    "twice, after a confirmation that may not have come": (
        lambda: Play().receive().answer(response("q1")).peer_ping().ping().connect()
        .answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1, "twice": 1}, set()),
    "twice, with an answer that came after the peer's Ping": (
        lambda: Play().peer_ping().answer(response("q1")).receive().connect()
        .answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1, "twice": 1}, set()),
    "twice, after a newer answer": (
        lambda: Play().receive().answer(response("q1")).connect().ask().receive()
        .answer(response("q2")).answer(response("q1")),
        {"asked": 2, "received": 2, "right": 2, "twice": 1}, {"repeat after a newer answer"}),
    "a late Pong counts, though it is asked again": (
        lambda: Play().ping().late_pong(),
        {"asked": 2, "again": 1, "received": 2, "right": 1, "never": 1}, {"never answered"}),
    "an outage longer than the TTL": (
        lambda: Play(ttl=2).receive().wait(3).connect().ask().receive()
        .answer(response("q2")),
        {"asked": 2, "received": 2, "right": 1}, set()),
    "an outage shorter than the TTL": (
        lambda: Play(ttl=2).receive().wait(1).connect().ask().receive()
        .answer(response("q2")),
        {"asked": 2, "received": 2, "right": 1, "never": 1}, {"never answered"}),
    "sent though too old": (
        lambda: Play(ttl=2).receive().wait(3).connect().answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1}, {"sent though too old"}),
    "however old, on the link of its request": (
        lambda: Play(ttl=2).receive().wait(3).answer(response("q1")),
        {"asked": 1, "received": 1, "right": 1}, set()),
}



@pytest.mark.parametrize("play, figures, offences", PLAYS.values(), ids=PLAYS.keys())
def test_what_is_counted(play, figures, offences):
    counted = play().tally.summary()
    assert {name: counted[name] for name in FIGURES if counted[name]} == figures
    assert set(counted["offences"]) == offences


def test_what_was_too_old_is_told():
    assert PLAYS["an outage longer than the TTL"][0]().tally.summary()["too_old"] == ["q1"]


def test_an_error_for_what_was_quarantined_is_right():
    counted = Play().receive().answer(refusal("q1")).tally.summary({"q1"})
    assert (counted["error"], counted["wrong"], counted["offences"]) == (1, 0, {})


def test_what_is_asked_still():
    play = Play()
    assert [copy.ident for copy in play.tally.owed()] == ["q1"]
    assert not play.receive().answer(response("q1")).tally.owed()
    assert not PLAYS["an outage longer than the TTL"][0]().tally.owed()


def test_the_report_tells_good_from_bad():
    row = Play().receive().answer(response("q1")).tally.summary() | {
        "times": 1, "in_hand": 1, "back": 0.5, "failures": []}
    assert report.is_good(row)
    assert not report.is_good(row | {"failures": ["never"]})
    assert not report.is_good({"broken": "why"})
    assert report.is_good({"skipped": "why"})
    assert "SKIPPED: why" in report.line("x", {"skipped": "why"})
    assert "! never" in report.line("x", row | {"failures": ["never"]})
    assert len(report.line("x", row)) == len(report.head())


def test_what_is_asked_is_mixed():
    """Its answers by another way of reading the rates: one day, one currency."""
    traffic = Traffic(random.Random(1))
    questions = [traffic.next() for _ in range(2000)]
    assert len({q.currency for q in questions}) > 10
    assert len({q.date[:10] for q in questions}) > 100
    assert 100 < sum(q.stake_in_euro is None for q in questions) < 400
    for question in questions:
        right = Converter.stake(question.stake, question.currency, question.date)
        assert right == question.stake_in_euro, question.text("x")


class Converter:
    """Answers as the product should."""

    rates = read_rates()

    @classmethod
    def stake(cls, stake, code, date):
        """In euro; None: an error is right."""
        if code == "EUR":
            return euro(stake)
        try:
            moment = datetime.datetime.fromisoformat(date.replace("Z", "+00:00"))
        except ValueError:
            return None
        zone = datetime.timezone.utc
        day = str((moment if moment.tzinfo is None else moment.astimezone(zone)).date())
        fresh = "2003-01-01" < day < "2020"
        rate = fresh_rates(day).get(code) if fresh else rate_on(cls.rates, day, code)
        return None if rate is None or stake.startswith("-") else euro(stake, rate)

    @classmethod
    def answer(cls, text):
        payload, ident = json.loads(text)["payload"], json.loads(text)["id"]
        digits = text.split('"stake":')[1].split(",")[0]
        stake = cls.stake(digits, payload["currency"], payload["date"])
        return refusal(ident) if stake is None else response(ident, stake)


class Peer:
    """Connects and answers, but for what `deed` does to every 20th answer."""

    def __init__(self, url, deed):
        self._url = url
        self._deed = deed
        self._answers = []
        self.count = 0

    async def talk(self, most):
        """
        A link: sends what the last one may have kept back, answers so many and
        breaks. Its library has ponged what it still holds: that is received.
        """
        async with connect(self._url, compression=None, max_queue=None) as ws:
            for answer in self._answers:
                await ws.send(answer)
            try:
                async for text in ws:
                    await self._take(ws, text)
                    if self.count == most:
                        ws.transport.abort()
            except ConnectionClosed:
                pass

    async def _take(self, ws, text):
        if text == BEAT:
            return
        self.count += 1
        answers = [Converter.answer(text)]
        if self.count % 20 == 0:
            answers = self._deed(answers[0])
        self._answers += answers
        for answer in answers:
            with contextlib.suppress(ConnectionClosed):
                await ws.send(answer)


def far_off(answer):
    return [answer.replace('"odds":2.2', '"odds":2.3').replace("why", "")]


DEEDS = {
    "honest": (lambda answer: [answer], set()),
    "lossy": (lambda answer: [], {"never answered"}),
    "wrong": (far_off, {"wrong answer"}),
    "doubling": (lambda answer: [answer, answer], {"twice on one link"}),
    "inventive": (lambda answer: [answer, refusal("x")], {"answer to nothing"}),
}


@pytest.mark.parametrize("deed, offences", DEEDS.values(), ids=DEEDS.keys())
def test_a_peer_that_fails(deed, offences):
    """Over a real connection that breaks in between."""

    async def play(up):
        peer = Peer(f"ws://127.0.0.1:{up.port}/", deed)
        await peer.talk(150)
        last = asyncio.ensure_future(peer.talk(None))
        while peer.count < 300:
            assert not last.done(), last
            await asyncio.sleep(0.01)
        drained = await asyncio.to_thread(up.tell, "drain", seconds=1)
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        return drained["drained"]

    up = UpstreamProcess(rate=1000, seed=1)
    try:
        drained = asyncio.run(play(up))
        counted = up.tell("summary")
    finally:
        up.close()
    assert set(counted["offences"]) == offences, counted
    assert counted["received"] >= 250 and counted["links"] == 2
    assert drained == ("never answered" not in offences)
    assert counted["twice"] > 0
    if not offences:
        assert counted["right"] + counted["error"] >= counted["received"]
        assert counted["right"] > 5 * counted["error"] > 0
