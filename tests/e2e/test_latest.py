"""Today's table, weekends, and the turn of a day: spec sections 3 and 5."""
import datetime
import time

import pytest

from amounts import is_error
from places import SCALE
from rate_shop import FIRST, SECOND, THIRD, RateShop, beats_in_time, tell_worst_beats
from standins import ONE_DAY, frankfurter_body, utc_today
from test_names import find_library, preload
from waiting import sleep_until, wait_until


@pytest.fixture(scope="module", autouse=True)
def worst():
    yield
    tell_worst_beats()


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def test_fetched_at_the_start(make_shop):
    """Before anybody asks: the first request of today costs no call."""
    shop = make_shop().start()
    assert shop.fca.targets() == ["/v1/latest?base_currency=EUR"]
    for _ in range(3):
        assert shop.convert(utc_today()) == FIRST
    assert len(shop.fca.calls) == 1
    assert not shop.frankfurter.connections and not shop.ecb.connections


def test_not_ready_without_it(make_shop):
    """The status says so, and tells when it came."""
    shop = make_shop(FREECURRENCYAPI_KEY=None)
    for api in shop.apis():
        api.fault = lambda call: call.answer("", 503)
    shop.prepare().service.launch()
    shop.upstream.wait_link()
    shop.service.wait_log("provider_failed provider=ecb")
    done = shop.service.command("status", "--wait", "0.3", "--ready")
    assert done.returncode == 69
    assert shop.service.status()["ready"] is False
    for api in shop.apis():
        api.fault = None
    shop.service.wait_ready()


def test_refreshed_before_it_expires(make_shop):
    """While it is in use: no request waits for a call, none has an old rate long."""
    shop = make_shop(CACHE_TTL_SECONDS="1.5", FREECURRENCYAPI_KEY=None).start()
    end = time.monotonic() + 3.5
    link = shop.upstream.link
    while time.monotonic() < end:
        assert shop.convert(utc_today()) == SECOND
        time.sleep(0.02)
    times = [call.time for call in shop.frankfurter.calls]
    assert shop.frankfurter.targets() == ["/v1/latest"] * len(times)
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert 2 <= len(gaps) <= 4 and min(gaps) > 1.2 and max(gaps) < 1.5 + 0.2, gaps
    assert link.ended is None


def test_a_new_rate_is_taken(make_shop):
    """An answer after the time to live has the rate of the new table."""
    shop = make_shop(CACHE_TTL_SECONDS="1", FREECURRENCYAPI_KEY=None).start()
    assert shop.convert(utc_today()) == SECOND
    shop.frankfurter.rates = {"USD": "2"}
    wait_until(lambda: shop.convert(utc_today()) == "50", "the new rate", 2.5)


def test_the_old_one_serves_while_the_refresh_hangs(make_shop, request):
    """No request of that time waits for the call."""
    shop = make_shop(CACHE_TTL_SECONDS="5", FREECURRENCYAPI_KEY=None,
                     RATE_PROVIDERS="frankfurter").start()
    began = time.monotonic()
    assert shop.convert(utc_today()) == SECOND
    shop.frankfurter.fault = lambda call: call.hold()
    # The refresh begins at nine tenths of the time to live.
    wait_until(lambda: len(shop.frankfurter.calls) == 2, "the refresh", 6)
    assert time.monotonic() - began < 5

    def ask_on():
        slowest = 0
        while time.monotonic() < began + 4.85:
            before = time.monotonic()
            assert shop.convert(utc_today()) == SECOND
            slowest = max(slowest, time.monotonic() - before)
        return slowest

    assert beats_in_time(shop, request.node.name, ask_on) < 0.3 * SCALE


def test_too_old_it_is_an_error(make_shop):
    """With STALE_MAX_SECONDS=0, as soon as it is past its age."""
    shop = make_shop(CACHE_TTL_SECONDS="1", RATE_PROVIDERS="frankfurter").start()
    assert shop.convert(utc_today()) == SECOND
    shop.frankfurter.fault = lambda call: call.answer("", 500)
    wait_until(lambda: is_error(shop.ask(utc_today()), 456), "an error", 3)
    shop.frankfurter.fault = None
    wait_until(lambda: not is_error(shop.ask(utc_today()), 456), "an answer", 12)


def test_a_latest_table_of_long_ago_is_refused(make_shop):
    """More than 7 days old: the provider stands still; the next one serves."""
    shop = make_shop(FREECURRENCYAPI_KEY=None)
    old = utc_today() - 8 * ONE_DAY
    shop.frankfurter.fault = lambda call: call.answer(frankfurter_body(old, {"USD": "3"}))
    shop.start()
    assert shop.convert(utc_today()) == THIRD
    shop.service.wait_log("provider_failed provider=frankfurter result=bad_table .*more than 7 days")


def test_a_latest_table_of_a_week_ago_serves(make_shop):
    shop = make_shop(RATE_PROVIDERS="frankfurter")
    week = utc_today() - 7 * ONE_DAY
    shop.frankfurter.fault = lambda call: call.answer(frankfurter_body(week, {"USD": "3"}))
    shop.start()
    assert shop.convert(utc_today(), "300") == "100"
    assert shop.service.rates("latest")["as_of"] == str(week)


# Days without rates

@pytest.mark.parametrize("name, stake", [("frankfurter", SECOND), ("ecb", THIRD)])
def test_a_weekend_takes_friday_s(make_shop, name, stake):
    """frankfurter answers with another date, the ECB's files have a gap."""
    shop = make_shop(RATE_PROVIDERS=name)
    api = getattr(shop, name)
    api.tables["2021-05-14"] = {"USD": "4"}
    api.tables["2021-05-17"] = {"USD": "5"}
    shop.start()
    for day in ("2021-05-15", "2021-05-16", "2021-05-14"):
        assert shop.convert(day) == "25"
        assert shop.service.rates(day)["as_of"] == "2021-05-14"
    assert shop.convert("2021-05-17") == "20"
    assert shop.convert("2021-05-18") == stake


def test_a_weekend_in_the_ninety_days(make_shop):
    """The other one of the ECB's files."""
    shop = make_shop(RATE_PROVIDERS="ecb")
    sunday = utc_today() - 30 * ONE_DAY
    sunday -= (sunday.weekday() + 1) % 7 * ONE_DAY
    shop.ecb.tables[str(sunday - 2 * ONE_DAY)] = {"USD": "4"}
    shop.start()
    assert shop.convert(sunday) == "25"
    assert shop.ecb.targets()[-1] == "/stats/eurofxref-hist-90d.xml"


def test_each_provider_decides_what_a_weekend_is(make_shop):
    """freecurrencyapi has rates of Saturdays."""
    shop = make_shop()
    shop.fca.tables["2021-05-15"] = {"USD": "8"}
    shop.start()
    assert shop.convert("2021-05-15") == "12.5"
    assert shop.service.rates("2021-05-15")["as_of"] == "2021-05-15"


@pytest.mark.parametrize("back, serves", [(0, True), (1, True), (7, True), (8, False),
                                          (400, False), (-1, False)])
def test_how_old_another_date_may_be(make_shop, back, serves):
    """At most 7 days before the one that was asked for, and none after it."""
    shop = make_shop(RATE_PROVIDERS="frankfurter").start()
    asked = datetime.date(2021, 5, 18)
    told = asked - back * ONE_DAY
    shop.frankfurter.fault = lambda call: call.answer(frankfurter_body(told, {"USD": "4"}))
    if serves:
        assert shop.convert(asked) == "25"
        assert shop.service.rates(str(asked))["as_of"] == str(told)
    else:
        assert is_error(shop.ask(asked), 456)
        assert shop.service.rates(str(asked))["op"] == "error"


def test_a_gap_of_the_ecb_beyond_seven_days(make_shop):
    """Eight days after the last published one there is no rate."""
    shop = make_shop(RATE_PROVIDERS="ecb")
    for n in range(1, 12):
        shop.ecb.tables[str(datetime.date(2021, 5, 18) + n * ONE_DAY)] = None
    shop.start()
    assert shop.convert("2021-05-25") == THIRD
    assert is_error(shop.ask("2021-05-26"), 456)


def test_the_first_day_and_those_before(make_shop):
    """1999-01-04 is the first; nobody is asked for one before."""
    shop = make_shop(FREECURRENCYAPI_KEY=None).start()
    assert shop.convert("1999-01-04") == SECOND
    calls = len(shop.frankfurter.calls)
    assert is_error(shop.ask("1999-01-03"), 456)
    assert len(shop.frankfurter.calls) == calls


def test_a_provider_without_that_day_is_no_failure(make_shop):
    """404 and 422 about a date: the next one serves, without a warning."""
    shop = make_shop()
    shop.fca.tables["2021-05-18"] = shop.frankfurter.tables["2021-05-18"] = None
    shop.start()
    assert shop.convert("2021-05-18") == THIRD
    assert "provider_failed" not in shop.service.log()


# The turn of a day

def clocks_before_midnight(seconds, day=None):
    """Wrappers with which all programs live so long before the end of a day."""
    library = find_library("faketime/libfaketime.so.1", "faketime")
    now = datetime.datetime.now(datetime.timezone.utc)
    day = day or now.date()
    midnight = datetime.datetime.combine(day + ONE_DAY, datetime.time(),
                                         datetime.timezone.utc)
    offset = (midnight - now).total_seconds() - seconds
    line = (preload(library) + f"export FAKETIME={offset:+.3f} FAKETIME_NO_CACHE=1 "
            "FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1\n"
            'exec {real} "$@"')
    ends = time.monotonic() + seconds
    return {"wsclient": line, "ratefetcher": line}, ends


@pytest.mark.parametrize("missing", ["422", "an empty table"])
def test_the_day_that_is_just_over(make_shop, missing):
    """
    Until the provider has its table, the latest one fetched on that day
    serves; the new day has a table of its own.
    """
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi", CACHE_TTL_SECONDS="2")
    shop.fca.tables["latest"] = {"USD": "4"}
    day = utc_today()
    shop.fca.tables[str(day)] = None if missing == "422" else {}
    wrappers, midnight = clocks_before_midnight(2, day)
    shop.start(wrappers=wrappers)
    assert shop.convert(day) == "25"
    assert is_error(shop.ask(day + ONE_DAY + ONE_DAY), 456)
    sleep_until(midnight - 0.3)
    assert shop.convert(day) == "25"
    sleep_until(midnight + 0.1)
    shop.fca.tables["latest"] = {"USD": "5"}
    for _ in range(5):
        assert shop.convert(day) == "25"
        assert shop.convert(day + ONE_DAY) in ("25", "20")
    wait_until(lambda: shop.convert(day + ONE_DAY) == "20", "the new day's table", 4)
    # Now the provider has published it.
    shop.fca.tables[str(day)] = {"USD": "8"}
    wait_until(lambda: shop.convert(day) == "12.5", "the day's own table", 5)


def test_a_request_that_waits_over_midnight(make_shop):
    """It was of today and is of yesterday: the rates that it waited for serve."""
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi", CACHE_TTL_SECONDS="1")
    day = utc_today()
    wrappers, midnight = clocks_before_midnight(2, day)
    shop.start(wrappers=wrappers)
    sleep_until(midnight - 1)

    def slow(call):
        call.api.over.wait(1.5)
        call.api.reply(call)

    shop.fca.fault = slow
    sleep_until(midnight - 0.3)
    assert shop.convert(day) == FIRST
    assert not is_error(shop.ask(day), 456)
