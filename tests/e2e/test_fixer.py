"""fixer: what it is asked, and what is made of its answers, spec section 5."""
import datetime
from urllib.parse import quote

import pytest

from rate_shop import FROM, RateShop
from standins import ONE_DAY, Fixer, fixer_body, utc_today

FIXER, LAST = FROM["fixer"], FROM["frankfurter"]
QUERY = "?access_key=" + quote(Fixer.key, safe="")


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**{"RATE_PROVIDERS": "fixer frankfurter", "FIXER_KEY": Fixer.key}
                              | settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def test_what_it_is_asked(make_shop):
    """At its own place the key is in the query."""
    shop = make_shop().start()
    assert shop.convert("2021-05-18") == FIXER
    assert shop.convert(utc_today()) == FIXER
    assert shop.fixer.targets() == ["/api/latest" + QUERY, "/api/2021-05-18" + QUERY]
    assert all("apikey" not in call.headers for call in shop.fixer.calls)
    line = shop.service.command("convert", "100", "USD", "2021-05-18").stdout
    assert line.startswith(f"{FIXER} EUR = 100 USD / 2.5 (2021-05-18, fixer,")


@pytest.mark.parametrize("slashes", ["", "/"])
def test_what_it_is_asked_at_apilayer(make_shop, slashes):
    """There the key is in a header alone."""
    shop = make_shop()
    shop.settings["FIXER_URL"] = shop.fixer.marketplace + slashes
    shop.start()
    assert shop.convert("2021-05-18") == FIXER
    assert shop.fixer.targets() == ["/fixer/latest", "/fixer/2021-05-18"]
    assert all(call.headers["apikey"] == Fixer.key for call in shop.fixer.calls)


@pytest.mark.parametrize("code, word, result, told", [
    (101, "invalid_access_key", "key_refused", True),
    (102, "inactive_user", "key_refused", True),
    (104, "usage_limit_reached", "limited", False),
    (105, "base_currency_access_restricted", "key_refused", True),
    (105, "https_access_restricted", "key_refused", True),
])
def test_refusals(make_shop, code, word, result, told):
    """The next one serves; this one is left alone, as its code says, whatever the status."""
    shop = make_shop()
    shop.fixer.fault = lambda call: shop.fixer.refuse(call, code, word)
    shop.start()
    for _ in range(4):
        assert shop.convert() == LAST
    shop.service.wait_log("provider_failed provider=fixer "
                          f'result={result} detail="error {code}: ')
    assert shop.fixer.targets() == ["/api/latest" + QUERY]
    if told:
        shop.service.wait_log(" alert alert=key_refused")
    assert shop.service.log().count(" alert alert=key_refused") == told


def test_a_plan_without_past_days(make_shop):
    """It is asked for one of them once, and goes on to serve today's table."""
    shop = make_shop().start()
    shop.fixer.fault = lambda call: shop.fixer.refuse(call, 105, "function_access_restricted")
    for _ in range(3):
        assert shop.convert() == LAST
    assert len([t for t in shop.fixer.targets() if "latest" not in t]) == 1
    assert shop.convert(utc_today()) == FIXER
    assert "provider_failed" not in shop.service.log()


def test_a_day_that_it_has_not(make_shop):
    """That is no failure."""
    shop = make_shop().start()
    shop.fixer.tables["2021-05-18"] = None
    assert shop.convert("2021-05-18") == LAST
    assert "provider_failed" not in shop.service.log()


@pytest.mark.parametrize("days, base, why", [
    (1, "EUR", "no table of the day that was asked for"),
    (-1, "EUR", "no table of the day that was asked for"),
    (0, "USD", "the base is not EUR"),
])
def test_another_table_than_was_asked_for(make_shop, days, base, why):
    """Of another day, or of another base."""
    shop = make_shop().start()
    told = datetime.date.fromisoformat("2021-05-18") + days * ONE_DAY
    shop.fixer.fault = lambda call: call.answer(
        fixer_body(f'"date":"{told}"', {"GBP": "0.5"}, base))
    assert shop.convert("2021-05-18") == LAST
    shop.fixer.fault = None
    assert shop.convert() == FIXER
    shop.service.wait_log(f'provider_failed provider=fixer result=bad_table detail="{why}')
