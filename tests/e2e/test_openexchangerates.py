"""openexchangerates: what it is asked, and what is made of its answers, spec section 5."""
import datetime

import pytest

from rate_shop import FROM, KEYS, RateShop
from standins import OpenExchangeRates, last_second, open_body, utc_today

KEY = {"OPENEXCHANGERATES_KEY": OpenExchangeRates.key}
OPEN, LAST = FROM["openexchangerates"], FROM["frankfurter"]


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**KEY | settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


@pytest.fixture(scope="module")
def shop():
    """It, and then frankfurter."""
    with RateShop(RATE_PROVIDERS="openexchangerates frankfurter", **KEY) as one:
        yield one.start()


def test_what_it_is_asked(make_shop):
    """Its key is in a header."""
    shop = make_shop(RATE_PROVIDERS="openexchangerates").start()
    assert shop.convert("2021-05-18") == OPEN
    assert shop.convert(utc_today()) == OPEN
    assert shop.open.targets() == ["/api/latest.json", "/api/historical/2021-05-18.json"]
    line = shop.service.command("convert", "100", "USD", "2021-05-18").stdout
    assert line.startswith(f"{OPEN} EUR = 100 USD * 0.9 / 1 (2021-05-18, openexchangerates,")


def test_its_place_in_the_order(make_shop):
    """Behind the others with a key, before those without one."""
    shop = make_shop(**KEYS).start()
    names = [row["name"] for row in shop.service.status()["providers"]]
    assert names == ["freecurrencyapi", "exchangeratehost", "exchangerateapi",
                     "openexchangerates", "frankfurter", "ecb"]
    for api in (shop.fca, shop.host, shop.era):
        api.fault = lambda call: call.answer("<html>", 502)
    assert shop.convert() == OPEN


def test_without_its_key_it_is_not_asked(make_shop):
    shop = make_shop(OPENEXCHANGERATES_KEY=None, FREECURRENCYAPI_KEY=None).start()
    names = [row["name"] for row in shop.service.status()["providers"]]
    assert names == ["frankfurter", "ecb"]
    assert shop.convert() == LAST and not shop.open.connections


@pytest.mark.parametrize("status, word, result, told", [
    (401, "missing_app_id", "key_refused", True), (401, "invalid_app_id", "key_refused", True),
    (401, "app_id_inactive", "key_refused", True), (403, "not_allowed", "key_refused", True),
    (429, "not_allowed", "key_refused", True), (429, "access_restricted", "limited", False),
    (403, "access_restricted", "limited", False),
])
def test_refusals(make_shop, status, word, result, told):
    """The next one serves; this one is left alone, as its word says, whatever the status."""
    shop = make_shop(RATE_PROVIDERS="openexchangerates frankfurter")
    shop.open.fault = lambda call: shop.open.refuse(call, status, word)
    shop.start()
    for _ in range(4):
        assert shop.convert() == LAST
    shop.service.wait_log("provider_failed provider=openexchangerates "
                          f'result={result} detail="{word}: ')
    assert shop.open.targets() == ["/api/latest.json"]
    if told:
        shop.service.wait_log(" alert alert=key_refused")
    assert shop.service.log().count(" alert alert=key_refused") == told


def test_a_plan_without_past_days(make_shop):
    """It is asked for one of them once, and goes on to serve today's table."""
    shop = make_shop(RATE_PROVIDERS="openexchangerates frankfurter").start()
    shop.open.fault = lambda call: shop.open.refuse(call, 403, "not_allowed")
    for _ in range(3):
        assert shop.convert() == LAST
    assert len([t for t in shop.open.targets() if "/historical/" in t]) == 1
    assert shop.convert(utc_today()) == OPEN
    assert "provider_failed" not in shop.service.log()


@pytest.mark.parametrize("status, word, detail", [
    (400, "invalid_base", "invalid_base: "), (404, "not_found", "not_found: "),
    (500, "of_its_own", ""),
])
def test_failures(shop, status, word, detail):
    """The next one serves, and this one again with its next good answer."""
    start = len(shop.service.log())
    shop.open.fault = lambda call: shop.open.refuse(call, status, word)
    assert shop.convert() == LAST
    shop.open.fault = None
    assert shop.convert() == OPEN
    shop.wait_new_log(start, "provider_failed provider=openexchangerates "
                             f'result=bad_\\w+ detail="{detail}')


def test_a_day_that_it_has_not(shop):
    """That is no failure."""
    start = len(shop.service.log())
    day = shop.new_day()
    shop.open.tables[day] = None
    assert shop.convert(day) == LAST
    assert "provider_failed" not in shop.service.log()[start:]


@pytest.mark.parametrize("days, base, why", [
    (1, "USD", "no table of the day that was asked for"),
    (-1, "USD", "no table of the day that was asked for"),
    (0, "EUR", "the base is not USD"),
])
def test_another_table_than_was_asked_for(shop, days, base, why):
    """Of another day, or of another base."""
    start = len(shop.service.log())
    day = shop.new_day()
    told = datetime.date.fromisoformat(day) + datetime.timedelta(days=days)
    shop.open.fault = lambda call: call.answer(open_body(last_second(told), {"EUR": "0.5"}, base))
    assert shop.convert(day) == LAST
    shop.open.fault = None
    assert shop.convert() == OPEN
    shop.wait_new_log(start, "provider_failed provider=openexchangerates result=bad_table "
                             f'detail="{why}')
