"""How old today's table may be by its own date: spec section 3, LATEST_MAX_AGE_DAYS."""
import datetime
import json
import time

import pytest

from amounts import error, euro, message, stake_of, today, write_rates
from rate_shop import FROM, RateShop
from standins import ONE_DAY, frankfurter_body, utc_today
from waiting import holds_for, wait_until

NONE = "no rates can be had for this date"


@pytest.fixture
def make_shop(tmp_path):
    """make_shop(days, NAME=value...): a file whose newest row is so old; not started yet."""
    shops = []

    def make(days, **settings):
        path = tmp_path / "rates.csv"
        write_rates(path, {today(-days): {"USD": "1.1576"}, "2021-05-18": {"USD": "1.2222"}})
        shop = RateShop(RATE_PROVIDERS="file", RATES_FILE=path, FREECURRENCYAPI_KEY=None)
        shop.settings |= settings
        shops.append(shop)
        return shop

    yield make
    for one in shops:
        one.__exit__(None)


def ask_today(shop):
    return shop.ask(today(), "100")


@pytest.mark.smoke
@pytest.mark.parametrize("days, settings", [
    (0, {}), (7, {}), (90, {"LATEST_MAX_AGE_DAYS": "90"}), (1, {"LATEST_MAX_AGE_DAYS": "1"}),
])
def test_young_enough(make_shop, days, settings):
    shop = make_shop(days, **settings).start()
    assert stake_of(ask_today(shop)) == euro("100", "1.1576")


@pytest.mark.parametrize("days, settings", [
    (8, {}), (90, {}), (91, {"LATEST_MAX_AGE_DAYS": "90"}), (2, {"LATEST_MAX_AGE_DAYS": "1"}),
])
def test_too_old(make_shop, days, settings):
    """An error, whose date everybody is told who asks; past days serve on."""
    shop = make_shop(days, **settings).prepare()
    shop.service.launch()
    shop.upstream.wait_link()
    limit = settings.get("LATEST_MAX_AGE_DAYS", "7")
    why = (f"its latest table is of {today(-days)}, more than {limit} days old "
           "(LATEST_MAX_AGE_DAYS)")
    assert json.loads(ask_today(shop)) == json.loads(error(NONE, "456"))
    assert stake_of(shop.ask("2021-05-18", "253.67")) == euro("253.67", "1.2222")
    for args in (("convert", "1", "USD"), ("rates",)):
        done = shop.service.command(*args)
        assert done.returncode == 69 and done.stderr == why + "\n"
    shop.service.wait_log(rf'provider_failed provider=file result=bad_table detail="{why[:30]}')
    status = shop.service.status()
    assert status["ready"] is False and status["latest"] is None
    assert status["providers"][0]["failure"] == "bad_table: " + why
    assert f"failure=bad_table: {why}" in shop.service.command("status").stdout
    live = shop.service.command("check", "--live").stdout
    assert "result=bad_table" in live and today(-days) in live


def test_it_is_told_once_while_other_days_are_asked(make_shop):
    """The provider works, its latest table does not: no line for each change between both."""
    shop = make_shop(8, CACHE_TTL_SECONDS="0.2").prepare()
    shop.service.launch()
    shop.upstream.wait_link()
    for _ in range(4):
        assert json.loads(ask_today(shop))["type"] == "error"
        assert stake_of(shop.ask("2021-05-18", "253.67")) == euro("253.67", "1.2222")
        time.sleep(0.25)
    told = shop.service.log()
    assert told.count(" provider_failed ") == 1 and " provider_works " not in told
    row = shop.service.status()["providers"][0]
    assert row["state"] == "failing" and today(-8) in row["failure"]
    write_rates(shop.settings["RATES_FILE"], {today(): {"USD": "1.25"}})
    shop.service.wait_log(" provider_works provider=file")
    shop.service.wait_ready()
    assert shop.service.status()["providers"][0]["state"] == "ok"


def test_the_next_provider_serves(make_shop):
    shop = make_shop(8, RATE_PROVIDERS="file frankfurter").start()
    assert stake_of(ask_today(shop)) == FROM["frankfurter"]


def test_a_new_row_ends_it(make_shop):
    shop = make_shop(30).prepare()
    shop.service.launch()
    shop.upstream.wait_link()
    assert json.loads(ask_today(shop))["type"] == "error"
    write_rates(shop.settings["RATES_FILE"], {today(): {"USD": "1.25"}})
    wait_until(lambda: '"type":"message"' in ask_today(shop), "a rate")
    assert stake_of(ask_today(shop)) == "80"
    shop.service.wait_ready()


def working_days_back(count):
    """Any day since which there were so many weekdays is as good, or better."""
    day = utc_today()
    while count > 0:
        count -= day.weekday() < 5
        day -= ONE_DAY
    return day


def test_a_table_without_a_successor_is_told_once(make_shop):
    """In the log, in the status, and to a person."""
    shop = make_shop(0, LATEST_MAX_AGE_DAYS="30", CACHE_TTL_SECONDS="1",
                     RATE_PROVIDERS="frankfurter", ALERT_COMMAND="/bin/true")
    old = working_days_back(7)  # at most four of these are closing days
    shop.frankfurter.fault = lambda call: call.answer(frankfurter_body(old, {"USD": "4"}))
    shop.start()
    told = shop.service.wait_log(r"WARN ratefetcher\[\d+\] rates_old provider=frankfurter "
                                 rf"as_of={old} working_days=(\d+)")
    shop.service.wait_log(r"alert alert=rates_old subject=ratefetcher "
                          rf'detail="frankfurter: no new table since {old}"')
    days = wait_until(lambda: (shop.service.status().get("latest") or {}).get(
        "working_days_without_new"), "the status")
    assert 3 <= days <= 7 and told.endswith(f"working_days={days}")
    assert f"working_days_without_new={days}" in shop.service.command("status").stdout
    wait_until(lambda: stake_of(ask_today(shop)) == "25" and len(shop.frankfurter.calls) > 3,
               "more of the same")
    assert shop.service.log().count(" rates_old ") == 1


def test_a_young_table_is_not_told(make_shop):
    shop = make_shop(0).start()
    holds_for(1.5, lambda: "rates_old" not in shop.service.log(), "nothing told")
    assert "working_days_without_new" not in shop.service.status()["latest"]


def test_the_bound_is_of_dates_not_of_hours(make_shop):
    """A table of seven days ago serves to the end of the day."""
    shop = make_shop(7).start()
    now = datetime.datetime.now(datetime.timezone.utc)
    left = 86400 - now.hour * 3600 - now.minute * 60 - now.second
    told = shop.service.rates("latest")
    assert told["expires_in"] <= left + 1
