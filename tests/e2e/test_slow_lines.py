"""A provider's long file over a slow line: spec section 5, who waits for a call."""
import datetime
import threading
import zipfile

import pytest

from rate_shop import FROM, USD, RateShop
from standins import Ecb, ecb_zip, utc_today
from waiting import wait_until

BYTES_A_TENTH = 5000  # 50 kB/s
FIRST = datetime.date(2015, 1, 1)
OTHERS = "AUD", "CAD", "CHF", "GBP", "JPY", "NOK", "SEK", "TRY", "ZAR", "PLN"
HISTORY = "/stats/eurofxref-hist.zip"


class SlowLine:
    """The ECB's whole history, some 170 kB of it, at 50 kB/s; `cut`: it stops in the middle."""

    def __init__(self, ecb, cut=False):
        self.ecb = ecb
        self.cut = cut
        self.ended = threading.Event()
        self.begun = 0

    def __call__(self, call):
        if call.path != HISTORY:
            Ecb.reply(self.ecb, call)
            return
        self.begun += 1
        rates = (("USD", USD["ecb"]), *((code, "1.5") for code in OTHERS))
        body = ecb_zip(FIRST, utc_today(), rates, (), zipfile.ZIP_STORED)
        call.head(kind="application/zip", more=(f"Content-Length: {len(body)}",))
        if self.cut:
            call.raw(body[:len(body) // 2])
            call.hold()
        else:
            for at in range(0, len(body), BYTES_A_TENTH):
                call.raw(body[at:at + BYTES_A_TENTH])
                self.ecb.over.wait(0.1)
        self.ended.set()


@pytest.fixture
def shop():
    with RateShop(RATE_PROVIDERS="ecb frankfurter", FREECURRENCYAPI_KEY=None) as shop:
        yield shop


def test_a_body_that_keeps_coming_is_read_on(shop):
    """Who asks first has the next provider's table, who asks later this one's: by one call."""
    line = shop.ecb.fault = SlowLine(shop.ecb)
    shop.start()
    assert shop.convert("2015-01-05", seconds=5) == FROM["frankfurter"]
    assert not line.ended.is_set(), "it was answered in time, and not by the end of the body"
    shop.service.wait_log('provider_failed provider=ecb result=unreached '
                          'detail="its answer still comes, and is read on"')
    assert line.ended.wait(10)
    wait_until(lambda: shop.convert(shop.new_day()) == FROM["ecb"], "the ECB's table")
    assert line.begun == 1


def test_a_body_that_stops_is_given_up(shop):
    line = shop.ecb.fault = SlowLine(shop.ecb, cut=True)
    shop.start()
    assert shop.convert("2015-01-05", seconds=5) == FROM["frankfurter"]
    assert line.ended.wait(10), "the call is ended"
    line.cut = False
    line.ended.clear()
    shop.convert("2015-01-06", seconds=5)
    assert line.ended.wait(10)
    wait_until(lambda: shop.convert(shop.new_day()) == FROM["ecb"], "the ECB's table")
    assert line.begun == 2


def test_a_single_table_too(shop):
    """One that came too late for who asked serves the next; its provider fails no longer."""
    shop.settings |= {"RATE_PROVIDERS": "freecurrencyapi frankfurter",
                      "FREECURRENCYAPI_KEY": shop.fca.key}
    shop.start()
    body = '{"data":{"2015-01-05":{"EUR":1,"USD":1.25}}}'

    def drip(call):
        call.head(more=(f"Content-Length: {len(body)}",))
        for at in range(0, len(body), 10):
            call.raw(body[at:at + 10].encode())
            call.api.over.wait(0.9)

    shop.fca.fault = drip
    calls = len(shop.fca.calls)
    assert shop.convert("2015-01-05", seconds=5) == FROM["frankfurter"]
    shop.service.wait_log("provider_failed provider=freecurrencyapi .*still comes")
    shop.service.wait_log("provider_works provider=freecurrencyapi")
    line = shop.service.command("convert", "100", "USD", "2015-01-05").stdout
    assert " / 1.25 (2015-01-05, freecurrencyapi, memory" in line
    wait_until(lambda: shop.service.status()["providers"][0]["state"] == "ok", "it works")
    assert len(shop.fca.calls) == calls + 1
