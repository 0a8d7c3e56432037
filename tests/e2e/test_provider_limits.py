"""Providers left alone: breaker, probes, calls a minute, 429; and what is counted."""
import time

import pytest

from amounts import is_error, message
from places import SANITIZED, SCALE, VALGRIND
from rate_shop import FIRST, SECOND, THIRD, RateShop, working_days
from service import kill_all
from standins import utc_today
from waiting import wait_until


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


def row(shop, name):
    """Its row of the status, from ratefetcher's first report on."""
    rows = wait_until(lambda: shop.service.status()["providers"], "a report", 3)
    return next(r for r in rows if r["name"] == name)


def wait_state(shop, name, state):
    wait_until(lambda: row(shop, name)["state"] == state, f"{name} {state}", 3)


def fails(call):
    call.answer("", 500)


# The breaker

def test_after_five_failures_a_provider_is_skipped(make_shop):
    """The next one serves; the first is not called any more, and the log says so once."""
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter").start()
    shop.fca.fault = fails
    shop.fca.clear()
    for _ in range(12):
        assert shop.convert() == SECOND
    assert len(shop.fca.calls) == 5
    shop.service.wait_log("provider_skipped provider=freecurrencyapi for=30")
    assert shop.service.log().count("provider_skipped provider=freecurrencyapi for=30") == 1
    assert shop.service.log().count("provider_failed provider=freecurrencyapi") == 1
    wait_state(shop, "freecurrencyapi", "skipped")
    # The other one is left, so that there is nothing to be probed.
    shop.fca.fault = None
    assert shop.convert() == SECOND
    assert len(shop.fca.calls) == 5


def test_a_success_between_failures_begins_the_count_anew(make_shop):
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter").start()
    for _ in range(3):
        shop.fca.fault = fails
        for _ in range(4):
            assert shop.convert() == SECOND
        shop.fca.fault = None
        assert shop.convert() == FIRST
    assert "provider_skipped" not in shop.service.log()


def test_while_none_is_left_one_is_probed(make_shop):
    """
    Each 5 s one call in all, whatever is asked for; errors come at once; all is
    well within 5 s after the provider works again. Who said to wait (429, or a
    refused key) is not probed.
    """
    shop = make_shop(RATE_PROVIDERS="frankfurter freecurrencyapi").start()
    known = shop.new_day()
    assert shop.convert(known) == SECOND
    apis = (shop.frankfurter, shop.fca)
    waiting = make_waiting(make_shop)
    for api in apis:
        api.fault = fails
    while shop.service.log().count("provider_skipped") < 2:
        assert is_error(shop.ask(), 456)
    for api in apis:
        api.clear()
    began = time.monotonic()
    slowest = 0
    while time.monotonic() < began + 5.5:
        before = time.monotonic()
        assert is_error(shop.ask(), 456)
        slowest = max(slowest, time.monotonic() - before)
        assert shop.convert(known) == SECOND
        assert is_error(waiting.ask(), 456)
        time.sleep(0.01)
    calls = sorted(call.time for api in apis for call in api.calls)
    assert 1 <= len(calls) <= 2
    assert all(b - a > 4.9 for a, b in zip(calls, calls[1:]))
    assert slowest < 0.5 * SCALE
    told = shop.service.rates(shop.new_day())
    assert told["code"] == "unavailable" and 1 <= told["retry_after"] <= 5
    assert not waiting.fca.calls and not waiting.frankfurter.calls
    assert row(waiting, "freecurrencyapi")["state"] == "key_refused"
    assert row(waiting, "frankfurter")["state"] == "waiting"
    assert 50 < waiting.service.rates(waiting.new_day())["retry_after"] <= 60
    for api in apis:
        api.fault = None
    mended = time.monotonic()
    wait_until(lambda: not is_error(shop.ask(), 456), "an answer", 7)
    assert time.monotonic() - mended < 5.2 * SCALE


def make_waiting(make_shop):
    """A shop whose providers have both said to wait."""
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter").start()
    shop.fca.fault = lambda call: call.answer("", 401)
    shop.frankfurter.fault = lambda call: call.answer("", 429)
    assert is_error(shop.ask(), 456)
    for api in (shop.fca, shop.frankfurter):
        api.clear()
    return shop


def test_one_alert_for_429(make_shop):
    """However often it is told."""
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter", ALERT_COMMAND="/bin/true")
    shop.fca.fault = lambda call: call.answer("", 429, more=("Retry-After: 1",))
    shop.start()
    for _ in range(2):
        before = len(shop.fca.calls)
        wait_until(lambda: shop.convert() == SECOND and len(shop.fca.calls) > before,
                   "another call", 3)
    shop.service.wait_log("alert=provider_limited .*freecurrencyapi")
    assert shop.service.log().count(" alert alert=provider_limited") == 1


@pytest.mark.parametrize("header", ["Minute", "Month"])
def test_a_quota_that_is_used_up_by_its_header(make_shop, header):
    """The answer that says so serves; the next provider does from then on."""
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter").start()

    def last_one(call):
        day = call.query["date"]
        call.answer(f'{{"data":{{"{day}":{{"USD":1.25}}}}}}',
                    more=(f"x-ratelimit-remaining-quota-{header.lower()}: 0",))

    shop.fca.fault = last_one
    assert shop.convert() == FIRST
    shop.fca.clear()
    assert shop.convert() == SECOND
    assert not shop.fca.calls
    wait_state(shop, "freecurrencyapi", "waiting")


# Calls a minute

@pytest.mark.parametrize("setting, with_key, without", [(None, 10, 60), ("3", 3, 3)])
def test_calls_a_minute(make_shop, setting, with_key, without):
    """200 new days at once: so many calls to each, and the ECB's history for the rest."""
    shop = make_shop(PROVIDER_CALLS_PER_MINUTE=setting).start()
    days = [shop.new_day() for _ in range(200)]
    stakes = shop.ask_all(days)
    assert len(shop.fca.calls) == with_key  # one of them at the start
    assert len(shop.frankfurter.calls) == without
    assert shop.ecb.targets() == ["/stats/eurofxref-hist.zip"]
    assert [stakes.count(s) for s in (FIRST, SECOND, THIRD)] == \
        [with_key - 1, without, 200 - with_key + 1 - without]
    wait_state(shop, "freecurrencyapi", "limited")
    wait_state(shop, "ecb", "ok")


def test_without_a_call_left_it_is_an_error_at_once(make_shop):
    """That says when to ask again; days that are known are answered."""
    shop = make_shop(RATE_PROVIDERS="frankfurter", PROVIDER_CALLS_PER_MINUTE="2").start()
    known = shop.new_day()
    assert shop.convert(known) == SECOND
    began = time.monotonic()
    assert is_error(shop.ask(), 456)
    assert time.monotonic() - began < 1 * SCALE
    assert 50 < shop.service.rates(shop.new_day())["retry_after"] <= 61
    assert shop.convert(known) == SECOND
    assert len(shop.frankfurter.calls) == 2


def test_calls_a_minute_hold_over_a_kill(make_shop):
    """So a crash loop does not use up what a provider gives."""
    shop = make_shop(RATE_PROVIDERS="frankfurter", PROVIDER_CALLS_PER_MINUTE="2",
                     CACHE_TTL_SECONDS="3600").start()
    for calls in (1, 2):
        # One that is killed between the count and its call has made none.
        wait_until(lambda: len(shop.frankfurter.calls) == calls, f"call {calls}")
        shop.service.wait_respawn("ratefetcher", shop.service.kill("ratefetcher"))
    assert is_error(shop.ask(), 456)
    wait_until(lambda: row(shop, "frankfurter")["calls_month"] == 2, "two calls", 3)
    assert len(shop.frankfurter.calls) == 2


def test_thousands_of_days_at_once(make_shop):
    """
    Each is answered out of the ECB's history, in one call; ratefetcher grows
    by what it keeps and no more.
    """
    shop = make_shop(RATE_PROVIDERS="ecb", REQUEST_TIMEOUT_SECONDS="10").start()
    days = [str(day) for day, _ in zip(working_days("1999-01-04"), range(5000))]
    pid = shop.service.pids()["ratefetcher"]
    before = resident(pid)
    assert shop.ask_all(days) == [THIRD] * len(days)
    assert shop.ecb.targets().count("/stats/eurofxref-hist.zip") == 1
    if not SANITIZED and not VALGRIND:
        assert resident(pid) - before < 64 << 20
    assert shop.ask_all(days) == [THIRD] * len(days)
    assert len(shop.ecb.calls) == 2
    assert shop.service.pids()["ratefetcher"] == pid


def resident(pid):
    """Bytes of memory in use."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


# What is remembered

def test_a_day_that_no_provider_has_is_asked_for_once(make_shop):
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter").start()
    day = shop.new_day()
    shop.fca.tables[day] = shop.frankfurter.tables[day] = None
    for _ in range(4):
        assert is_error(shop.ask(day), 456)
    assert [t for t in shop.fca.targets() if day in t] == \
        [f"/v1/historical?date={day}&base_currency=EUR"]
    assert shop.frankfurter.targets() == [f"/v1/{day}"]
    assert row(shop, "freecurrencyapi")["state"] == "ok"


def test_that_a_day_has_none_is_forgotten_in_time(make_shop):
    shop = make_shop(RATE_PROVIDERS="frankfurter", CACHE_TTL_SECONDS="1").start()
    day = shop.new_day()
    shop.frankfurter.tables[day] = None
    assert is_error(shop.ask(day), 456)
    del shop.frankfurter.tables[day]
    wait_until(lambda: not is_error(shop.ask(day), 456), "the table", 3)


def test_past_days_serve_while_all_is_skipped(make_shop):
    """Past their age and without limit; today's does not."""
    shop = make_shop(RATE_PROVIDERS="frankfurter", CACHE_TTL_SECONDS="0.5").start()
    day = shop.new_day()
    assert shop.convert(day) == SECOND
    shop.frankfurter.fault = fails
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        assert shop.convert(day) == SECOND
        time.sleep(0.02)
    assert is_error(shop.ask(utc_today()), 456)


# What is counted

def test_calls_of_the_month_outlive_all_kills(make_shop):
    """Of ratefetcher, and of all processes at once; a restart adds its own call."""
    shop = make_shop(RATE_PROVIDERS="frankfurter").start()
    for _ in range(5):
        assert shop.convert() == SECOND
    count = lambda: row(shop, "frankfurter")["calls_month"]
    wait_until(lambda: count() == 6, "6 calls", 3)
    shop.service.wait_respawn("ratefetcher", shop.service.kill("ratefetcher"))
    wait_until(lambda: count() == len(shop.frankfurter.calls) == 7, "7 calls", 3)
    for _ in range(3):
        assert shop.convert() == SECOND
    kill_all(shop.service.processes())
    shop.service.process.wait()
    shop.service.assert_gone()
    shop.service.start()
    wait_until(lambda: count() == len(shop.frankfurter.calls) == 11, "11 calls", 3)
    assert shop.service.stop() == 0
    shop.service.start()
    wait_until(lambda: count() == len(shop.frankfurter.calls) == 12, "12 calls", 3)


def test_calls_that_are_not_made_are_not_counted(make_shop):
    """Of twenty at once eight run, and the time of the others is over before their turn."""
    shop = make_shop(RATE_PROVIDERS="frankfurter", REQUEST_TIMEOUT_SECONDS="1.5").start()
    shop.frankfurter.fault = lambda call: call.hold()
    link = shop.upstream.link
    link.send(*(message(str(i), date=f'"{shop.new_day()}"') for i in range(20)))
    assert all('"type":"error"' in answer for answer in link.wait_answers(20))
    made = len(shop.frankfurter.calls)
    assert made == 9  # one of them at the start
    wait_until(lambda: row(shop, "frankfurter")["calls_month"] == made, f"{made} calls", 3)


def test_what_is_kept_is_private(make_shop):
    """The folder is made, with its file for us alone."""
    shop = make_shop(RATE_PROVIDERS="frankfurter").start()
    path = shop.service.folder / "state"
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "calls").stat().st_mode & 0o777 == 0o600


def test_without_a_file_for_it_all_works(make_shop, tmp_path):
    """One warning; the counts are then of the process."""
    (tmp_path / "calls").mkdir()
    shop = make_shop(RATE_PROVIDERS="frankfurter", STATE_DIR=tmp_path).start()
    assert shop.convert() == SECOND
    wait_until(lambda: row(shop, "frankfurter")["calls_month"] == 2, "2 calls", 3)
    assert shop.service.log().count("calls_not_kept") == 1


def test_status_tells_where_todays_table_came_from(make_shop):
    shop = make_shop(RATE_PROVIDERS="frankfurter").start()
    told = wait_until(lambda: shop.service.status().get("latest"), "a report", 3)
    assert told["provider"] == "frankfurter" and told["layer"] == "provider"
    assert told["as_of"] == shop.service.rates("latest")["as_of"]
    assert 0 <= told["age_seconds"] < 10 * SCALE
    assert "provider=frankfurter as_of=" in shop.service.command("status").stdout
