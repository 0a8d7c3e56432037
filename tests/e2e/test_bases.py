"""Tables with another base than the euro: spec sections 3, 5 and 8."""
import re

import pytest

from amounts import euro, is_error
from rate_shop import FROM, KEYS, RateShop
from standins import host_body, utc_today

DAY = "2021-05-18"
DOLLARS = {  # what exchangeratehost has on that day, for one dollar
    "EUR": "0.818073", "JPY": "108.904", "GBP": "0.704682", "BTC": "2.3041e-5",
    "VND": "23049.7", "KWD": "0.30080", "XAF": "536.6219", "BHD": "0.377",
    "ZZA": "9999999999.99999999", "ZZB": "0.000000001", "ZZC": "1.23456789012345678",
}
STAKES = ("253.67", "0.000005", "1", "999999999999999.999", "123456789.012345678",
          "0.000000000000000001", "2.5e3", "0")


@pytest.fixture(scope="module")
def shop():
    """exchangeratehost alone, with a day of many currencies."""
    with RateShop(RATE_PROVIDERS="exchangeratehost", **KEYS) as one:
        one.host.tables[DAY] = DOLLARS
        one.start()
        one.convert(DAY)  # from here on it is in memory
        yield one


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**KEYS, **settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def rate_of(code):
    return "1" if code == "USD" else DOLLARS[code]


@pytest.mark.smoke
@pytest.mark.parametrize("code", ["USD", *(c for c in DOLLARS if c != "EUR")])
def test_two_rates_of_one_table(shop, code):
    """stake * rate[EUR] / rate[currency], exactly, rounded once at the end."""
    for stake in STAKES:
        wanted = euro(stake, rate_of(code), DOLLARS["EUR"])
        assert shop.convert(DAY, stake, code) == wanted, stake


@pytest.mark.parametrize("code, rate", [("USD", "1"), ("JPY", "108.904"),
                                        ("KWD", "0.30080"), ("BTC", "0.000023041")])
def test_the_command_shows_both_rates(shop, code, rate):
    """The amount first, with the same digits as over the WebSocket."""
    for stake in ("253.67", "123456789.012345678"):
        line = shop.service.command("convert", stake, code, DAY).stdout
        wanted = euro(stake, rate, DOLLARS["EUR"])
        assert re.fullmatch(
            rf"{re.escape(wanted)} EUR = {re.escape(stake)} {code} \* 0\.818073 / "
            rf"{re.escape(rate)} \({DAY}, exchangeratehost, memory, \d+ s old\)\n", line), line
        assert shop.convert(DAY, stake, code) == wanted


def test_ties_go_away_from_zero(shop):
    """Exactly half a unit, and next to nothing less."""
    day = shop.new_day()
    shop.host.tables[day] = {"EUR": "1.5", "JPY": "3", "CHF": "3.00000000000000001"}
    assert shop.convert(day, "0.00001", "JPY") == "0.00001"
    assert shop.convert(day, "0.00003", "JPY") == "0.00002"
    assert shop.convert(day, "0.00001", "CHF") == "0"


def test_no_inverse_and_no_cross_rate(shop):
    """Where a rounded rate on the way would give other digits."""
    day = shop.new_day()
    shop.host.tables[day] = {"EUR": "0.333333", "JPY": "0.7"}
    wanted = euro("999999999.99", "0.7", "0.333333")
    assert shop.convert(day, "999999999.99", "JPY") == wanted
    crossed = euro("999999999.99", euro("0.7", "0.333333"))
    inverted = euro("999999999.99", euro("1", "0.333333"))
    assert wanted not in (crossed, inverted)


def test_the_base_on_the_socket(shop):
    """It is told, and it is not among its own rates."""
    told = shop.service.rates(DAY)
    assert told["base"] == "USD" and told["provider"] == "exchangeratehost"
    assert told["rates"]["EUR"] == "0.818073" and told["rates"]["BTC"] == "0.000023041"
    assert set(told["rates"]) == set(DOLLARS)
    for code in ("USD", "JPY"):
        assert shop.service.rates(DAY, currency=code)["rates"] == told["rates"]
    assert shop.service.rates(DAY, currency="XPF")["code"] == "unknown_currency"


def test_today_s_table(shop):
    """The latest one, converted in the same way."""
    assert shop.convert(utc_today()) == FROM["exchangeratehost"]
    line = shop.service.command("convert", "100", "USD").stdout
    assert line.startswith("70 EUR = 100 USD * 0.7 / 1 (")


def test_a_currency_that_no_table_has(shop):
    assert is_error(shop.ask(DAY, "1", "XPF"), 456)


BAD = {
    "no euro": '"date":"{}"|{{"JPY":"109"}}|USD|no rate of the euro',
    "a bad euro": '"date":"{}"|{{"EUR":"0","JPY":"109"}}|USD|no rate of the euro',
    "another base": '"date":"{}"|{{"USD":"1.2","JPY":"130"}}|EUR|the base is not USD',
    "a dollar that is not one": '"date":"{}"|{{"EUR":"0.8","USD":"1.1"}}|USD|'
                                "the base is not USD",
    "another day": '"date":"2001-02-03"|{{"EUR":"0.8"}}|USD|no table of the day',
}


@pytest.fixture(scope="module")
def second():
    """exchangeratehost and then frankfurter."""
    with RateShop(RATE_PROVIDERS="exchangeratehost frankfurter", **KEYS) as one:
        yield one.start()


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_table_is_refused(second, case):
    """And the next provider's serves."""
    when, rates, source, why = case.split("|")
    day = second.new_day()
    body = host_body(when.format(day), dict(re.findall(r'"(\w+)":"([^"]+)"', rates)), source)
    start = len(second.service.log())
    second.host.fault = lambda call: call.answer(body)
    assert second.convert(day) == FROM["frankfurter"]
    second.host.fault = None
    second.wait_new_log(start, "provider_failed provider=exchangeratehost result=bad_table "
                               f'detail="{why}')
    assert second.convert() == FROM["exchangeratehost"]


def test_a_second_table_with_another_base(make_shop):
    """What the first table lacks comes from the next, each with its own base."""
    shop = make_shop(RATE_PROVIDERS="frankfurter exchangeratehost")
    shop.frankfurter.tables[DAY] = {"USD": "1.2222", "JPY": "133.16"}
    shop.host.tables[DAY] = DOLLARS
    shop.start()
    for _ in range(2):
        assert shop.convert(DAY, "253.67", "XAF") == euro("253.67", "536.6219", "0.818073")
        assert shop.convert(DAY, "253.67", "USD") == "207.55196"
        assert shop.convert(DAY, "253.67", "JPY") == euro("253.67", "133.16")
    assert len(shop.host.calls) == 1
    line = shop.service.command("convert", "1", "XAF", DAY).stdout
    assert "1 XAF * 0.818073 / 536.6219 (2021-05-18, exchangeratehost," in line
    line = shop.service.command("convert", "253.67", "USD", DAY).stdout
    assert line.startswith("207.55196 EUR = 253.67 USD / 1.2222 (2021-05-18, frankfurter,")


def test_a_second_table_to_the_euro(make_shop):
    """The other way round; the dollar is in a table with the base dollar."""
    shop = make_shop(RATE_PROVIDERS="exchangeratehost frankfurter")
    shop.host.tables[DAY] = {"EUR": "0.8", "JPY": "109"}
    shop.frankfurter.tables[DAY] = {"USD": "1.2222", "GBP": "0.86"}
    shop.start()
    for _ in range(2):
        assert shop.convert(DAY, "253.67", "USD") == "202.936"
        assert shop.convert(DAY, "253.67", "JPY") == euro("253.67", "109", "0.8")
        assert shop.convert(DAY, "253.67", "GBP") == euro("253.67", "0.86")
    assert len(shop.frankfurter.calls) == 1
    assert is_error(shop.ask(DAY, "1", "XAF"), 456)
