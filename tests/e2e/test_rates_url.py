"""url: a table of one's own over HTTP, in the ECB's CSV form."""
import pytest

from amounts import euro
from rate_shop import FROM, RateShop
from standins import ONE_DAY, Csv, last_working_day, utc_today

LAST = FROM["frankfurter"]
TODAY = str(last_working_day(utc_today()))


@pytest.fixture
def shop():
    """It, then frankfurter; the file has two days, in `shop.csv`."""
    with Csv({"USD": "", "JPY": ""}) as csv:
        csv.tables = {TODAY: {"USD": "1.25"}, "2021-05-18": {"USD": "1.2220", "JPY": "133.09"}}
        with RateShop(RATE_PROVIDERS="url frankfurter", RATES_URL=csv.url) as one:
            one.csv = csv
            yield one


def test_one_call_for_all_days(shop):
    """A day without a row is served by the last one before it, and is no reason for a call."""
    shop.start()
    assert shop.convert(utc_today()) == euro("100", "1.25")
    assert shop.convert("2021-05-18") == shop.convert("2021-05-20") == euro("100", "1.2220")
    assert shop.convert("2021-05-18", code="JPY") == euro("100", "133.09")
    assert shop.convert("2020-01-06") == LAST
    assert set(shop.csv.targets()) == {"/rates.csv"} and len(shop.csv.calls) <= 2
    line = shop.service.command("convert", "100", "USD", "2021-05-18").stdout
    assert " / 1.2220 (2021-05-18, url," in line


def test_plain_http_is_warned_of(shop):
    shop.start()
    shop.service.wait_log("provider_not_encrypted provider=url setting=RATES_URL")


@pytest.mark.parametrize("body, status, result", [
    ("<html></html>", 200, "bad_table"), ("Date,USD\n", 200, "bad_table"),
    ("", 404, "bad_status"), ("", 403, "bad_status"),
    ("Date,USD\n" + "x" * (17 << 20), 200, "unreached"),
])
def test_failures(shop, body, status, result):
    """The next one serves."""
    shop.csv.fault = lambda call: call.answer(body, status)
    shop.start()
    assert shop.convert() == LAST
    shop.service.wait_log(f"provider_failed provider=url result={result}")


def test_what_is_left_out_is_told(shop):
    shop.csv.tables["2021-05-17"] = {"USD": "-1"}
    shop.start()
    assert shop.convert("2021-05-18") == euro("100", "1.2220")
    shop.service.wait_log("rates_left_out provider=url bad_rates=1")


def test_a_table_that_has_stopped(shop):
    """Its newest day is too old for today's stakes."""
    del shop.csv.tables[TODAY]
    shop.csv.tables[str(utc_today() - 30 * ONE_DAY)] = {"USD": "1.5"}
    shop.start()
    assert shop.convert(utc_today()) == LAST
