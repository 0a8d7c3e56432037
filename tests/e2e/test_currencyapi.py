"""currencyapi: what it is asked, and what is made of its answers, spec section 5."""
import pytest

from rate_shop import FROM, RateShop
from standins import CurrencyApi, currencyapi_body, utc_today

CURRENCYAPI, LAST = FROM["currencyapi"], FROM["frankfurter"]
BASE = "base_currency=EUR"


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**{"RATE_PROVIDERS": "currencyapi frankfurter",
                                 "CURRENCYAPI_KEY": CurrencyApi.key} | settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def test_what_it_is_asked(make_shop):
    """Its key is in a header; the base is asked for."""
    shop = make_shop().start()
    assert shop.convert("2021-05-18") == CURRENCYAPI
    assert shop.convert(utc_today()) == CURRENCYAPI
    assert shop.currencyapi.targets() == [f"/v3/latest?{BASE}",
                                          f"/v3/historical?date=2021-05-18&{BASE}"]
    line = shop.service.command("convert", "100", "USD", "2021-05-18").stdout
    assert line.startswith(f"{CURRENCYAPI} EUR = 100 USD / 3.125 (2021-05-18, currencyapi,")


@pytest.mark.parametrize("status, more, result", [
    (401, (), "key_refused"), (403, (), "key_refused"), (429, (), "limited"),
    (429, ("X-RateLimit-Remaining-Quota-Month: 0",), "limited"),
])
def test_refusals(make_shop, status, more, result):
    """The next one serves; this one is left alone."""
    shop = make_shop()
    shop.currencyapi.fault = lambda call: call.answer('{"message":"x"}', status, more=more)
    shop.start()
    for _ in range(4):
        assert shop.convert() == LAST
    shop.service.wait_log("provider_failed provider=currencyapi "
                          f'result={result} detail="status {status}"')
    assert shop.currencyapi.targets() == [f"/v3/latest?{BASE}"]


def test_a_day_that_it_has_not(make_shop):
    """That is no failure, be it said by the status or by an empty table."""
    shop = make_shop().start()
    shop.currencyapi.tables["2021-05-18"] = None
    assert shop.convert("2021-05-18") == LAST
    shop.currencyapi.fault = lambda call: call.answer('{"meta":{},"data":{}}')
    assert shop.convert("2021-05-19") == LAST
    assert "provider_failed" not in shop.service.log()


def test_a_table_of_another_day(make_shop):
    shop = make_shop().start()
    shop.currencyapi.fault = lambda call: call.answer(
        currencyapi_body("2021-05-17", {"USD": "2"}))
    assert shop.convert("2021-05-18") == LAST
    shop.currencyapi.fault = None
    assert shop.convert() == CURRENCYAPI
    shop.service.wait_log("provider_failed provider=currencyapi result=bad_table "
                          'detail="no table of the day that was asked for')


def test_digits_as_they_are_published(make_shop):
    shop = make_shop().start()
    shop.currencyapi.tables["2021-05-18"] = {"USD": "1.2220"}
    line = shop.service.command("convert", "1", "USD", "2021-05-18").stdout
    assert " / 1.2220 (2021-05-18, currencyapi," in line
