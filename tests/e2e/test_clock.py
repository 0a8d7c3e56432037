"""A wall clock that is wrong at the start, and that is set while all runs."""
import datetime
import time

import pytest

from amounts import is_error
from rate_shop import SECOND, RateShop
from standins import ONE_DAY, frankfurter_body, utc_today
from test_names import find_library, preload
from waiting import wait_until


class Clock:
    """The wall clock of the helpers, so many seconds off; it can be set."""

    def __init__(self, path, seconds):
        self.path = path
        self.set(seconds)
        library = find_library("faketime/libfaketime.so.1", "faketime")
        line = (preload(library) + f"export FAKETIME_TIMESTAMP_FILE={path} "
                "FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 "
                'DONT_FAKE_MONOTONIC=1\nexec {real} "$@"')
        self.wrappers = {"wsclient": line, "ratefetcher": line}

    def set(self, seconds):
        new = self.path.with_suffix(".new")
        new.write_text(f"{seconds:+.3f}\n")
        new.rename(self.path)


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        settings = {"FREECURRENCYAPI_KEY": None, "RATE_PROVIDERS": "frankfurter"} | settings
        shops.append(RateShop(**settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def seconds_to(day, seconds):
    """What a clock is off that shows the beginning of a day, and so much more."""
    start = datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
    return start.timestamp() + seconds - time.time()


def say_latest(shop, day, rate="1.6"):
    """The day that frankfurter's latest table is of."""
    shop.frankfurter.fault = lambda call: call.answer(
        frankfurter_body(day, {"USD": rate}),
        more=(time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime()),))


def alerts(tmp_path):
    """A command that keeps what it is called with, and where."""
    told = tmp_path / "alerts"
    command = tmp_path / "alert"
    command.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {told}\necho >> {told}\n')
    command.chmod(0o755)
    return command, told


def test_three_days_behind_at_the_start(make_shop, tmp_path):
    """The latest table is refused, not remembered as none; set right, all is well."""
    command, told = alerts(tmp_path)
    shop = make_shop(ALERT_COMMAND=command)
    clock = Clock(tmp_path / "clock", -3 * 86400)
    say_latest(shop, utc_today())
    shop.prepare(wrappers=clock.wrappers).service.launch()
    shop.upstream.wait_link()
    line = shop.service.wait_log("provider_failed provider=frankfurter result=ahead")
    assert f"its latest table is of {utc_today()}" in line
    assert f"our today is {utc_today() - 3 * ONE_DAY}: our clock or theirs is wrong" in line
    shop.service.wait_log("clock_differs provider=frankfurter ahead_seconds=-259[12]")
    wait_until(lambda: told.exists() and "clock_wrong|" in told.read_text(), "the alert")
    row = shop.service.status()["providers"][0]
    assert row["state"] == "failing"
    assert row["failure"].startswith("ahead: ") and "our clock or theirs" in row["failure"]
    assert abs(row["clock_offset_seconds"] + 3 * 86400) <= 2
    text = shop.service.command("status").stdout
    assert f"clock_offset_seconds={row['clock_offset_seconds']}" in text
    assert "our clock or theirs is wrong" in text
    assert is_error(shop.ask(utc_today() - 3 * ONE_DAY), 456)
    assert is_error(shop.ask(utc_today()), 456)  # a future day by that clock
    clock.set(0)
    assert shop.convert(utc_today()) == SECOND
    shop.service.wait_log("clock_stepped by=259")
    shop.service.wait_ready()
    wait_until(lambda: abs(shop.service.status()["providers"][0]["clock_offset_seconds"]) <= 2,
               "a clock that is right in the status")
    assert "failure" not in shop.service.status()["providers"][0]


def test_an_hour_before_midnight(make_shop, tmp_path):
    """A table of tomorrow is used, and serves on when tomorrow has come."""
    shop = make_shop()
    today = utc_today()
    yesterday = today - ONE_DAY
    clock = Clock(tmp_path / "clock", seconds_to(today, -3600))
    say_latest(shop, today)
    shop.start(wrappers=clock.wrappers)
    assert shop.convert(yesterday) == SECOND
    assert shop.service.rates("latest")["as_of"] == str(today)
    assert "clock_wrong" not in shop.service.log()
    # The clock turns out to be more than an hour behind.
    calls = len(shop.frankfurter.calls)
    say_latest(shop, today, "2")
    clock.set(seconds_to(today, 3600))
    assert shop.convert(today) == "50"
    assert len(shop.frankfurter.calls) > calls
    # And back again, as if that one had been the wrong one.
    say_latest(shop, yesterday, "4")
    clock.set(seconds_to(today, -3600))
    assert shop.convert(yesterday) == "25"
    assert is_error(shop.ask(today + ONE_DAY), 456)


def test_a_step_within_the_day_changes_nothing(make_shop, tmp_path):
    """Not even while the provider fails."""
    shop = make_shop()
    clock = Clock(tmp_path / "clock", seconds_to(utc_today(), 3 * 3600))
    shop.start(wrappers=clock.wrappers)
    assert shop.convert(utc_today()) == SECOND
    calls = len(shop.frankfurter.calls)
    shop.frankfurter.fault = lambda call: call.answer("", 500)
    for hours in (20, 1, 3):
        clock.set(seconds_to(utc_today(), hours * 3600))
        assert shop.convert(utc_today()) == SECOND
    assert len(shop.frankfurter.calls) == calls


def test_failures_of_the_wrong_clock_are_forgotten(make_shop, tmp_path):
    """A provider that is skipped when the clock is set is asked at once."""
    shop = make_shop()
    clock = Clock(tmp_path / "clock", -3 * 86400)
    say_latest(shop, utc_today())
    shop.prepare(wrappers=clock.wrappers).service.launch()
    shop.upstream.wait_link()
    for _ in range(6):
        assert is_error(shop.ask(utc_today() - 3 * ONE_DAY), 456)
    shop.service.wait_log("provider_skipped provider=frankfurter for=30")
    clock.set(0)
    assert shop.convert(utc_today()) == SECOND


def test_three_days_ahead_at_the_start(make_shop, tmp_path):
    """What was taken for a past day's, or for today's, is fetched anew."""
    shop = make_shop()
    clock = Clock(tmp_path / "clock", 3 * 86400)
    say_latest(shop, utc_today(), "4")
    shop.start(wrappers=clock.wrappers)
    assert shop.convert(utc_today() + 3 * ONE_DAY) == "25"
    say_latest(shop, utc_today())
    clock.set(0)
    assert shop.convert(utc_today()) == SECOND
