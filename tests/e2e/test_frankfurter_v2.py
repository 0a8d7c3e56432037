"""Version 2 of frankfurter's API: a list of records, each with a date of its own."""
import datetime

import pytest

from amounts import euro, today
from rate_shop import RateShop
from standins import ONE_DAY, Frankfurter, utc_today


class FrankfurterV2(Frankfurter):
    """It publishes on each day; what it carried forward has an older date."""

    prefix = "/v2"
    base = "EUR"
    forward = {"SEK": (3, "11.0"), "ISK": (8, "140")}  # days, rate

    def reply(self, call):
        if call.path != "/v2/rates" or call.query.get("base") != "EUR":
            call.answer('{"status":422,"message":"invalid"}', 422)
            return
        day = datetime.date.fromisoformat(call.query.get("date", str(utc_today())))
        rows = [(day, code, rate) for code, rate in self.rates.items()]
        rows += [(day - days * ONE_DAY, code, rate)
                 for code, (days, rate) in self.forward.items()]
        call.answer("[" + ",".join(
            f'{{"date":"{date}","base":"{self.base}","quote":"{code}","rate":{rate}}}'
            for date, code, rate in rows) + "]")


@pytest.fixture
def shop():
    with FrankfurterV2({"USD": "1.2500", "JPY": "180.0"}) as api:
        with RateShop(RATE_PROVIDERS="frankfurter ecb", FREECURRENCYAPI_KEY=None,
                      FRANKFURTER_URL=api.url) as shop:
            shop.api = api
            yield shop


def test_today_and_a_past_day(shop):
    shop.start()
    assert shop.convert(today()) == "80"
    assert shop.convert("2021-05-16") == "80"  # a Sunday
    assert shop.api.targets() == [
        "/v2/rates?base=EUR", "/v2/rates?base=EUR&date=2021-05-16"]
    line = shop.service.command("convert", "100", "USD", "2021-05-16").stdout
    assert line.startswith("80 EUR = 100 USD / 1.2500 (2021-05-16, frankfurter, ")
    assert shop.service.rates("2021-05-16")["rates"]["JPY"] == "180.0"


def test_rates_carried_forward(shop):
    """For three days: it serves. For eight: there is none."""
    shop.start()
    assert shop.convert("2021-05-18", code="SEK") == euro("100", "11.0")
    assert '"error"' in shop.ask("2021-05-18", code="ISK")


def test_with_another_base_the_next_one_serves(shop):
    shop.api.base = "USD"
    shop.start()
    assert shop.convert("2021-05-18") == euro("100", "1.28")
    shop.service.wait_log("provider_failed provider=frankfurter .*the base is not EUR")
