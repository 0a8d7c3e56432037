"""Answers of one day do not go back in time, whatever caches say: spec section 5."""
import datetime
import json
import time

import pytest

from rate_shop import RateShop
from redis_server import RedisServer
from standins import ONE_DAY, frankfurter_body, utc_today
from waiting import wait_until

NEW, OLD = "80", "90.09009"  # of 100 dollars at 1.25 and 1.11
YESTERDAY = utc_today() - ONE_DAY


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        settings = {"FREECURRENCYAPI_KEY": None, "RATE_PROVIDERS": "frankfurter",
                    "CACHE_TTL_SECONDS": "1"} | settings
        shops.append(RateShop(**settings))
        say(shops[-1], utc_today(), "1.25")
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def say(shop, day, rate):
    """What frankfurter's latest table is."""
    shop.frankfurter.fault = lambda call: call.answer(frankfurter_body(day, {"USD": rate}))


def ecb_is_of(shop, day):
    """The ECB's daily file has that day's table alone."""
    cube = f'<Cube time="{day}"><Cube currency="USD" rate="1.11"/></Cube>'
    shop.ecb.fault = lambda call: call.answer(
        f"<gesmes:Envelope xmlns:gesmes='x'><Cube>{cube}</Cube></gesmes:Envelope>",
        kind="text/xml")


def answers(shop, seconds, day=None):
    """All that today's requests are answered with in that time."""
    end = time.monotonic() + seconds
    found = set()
    while time.monotonic() < end:
        found.add(shop.convert(day or utc_today()))
        time.sleep(0.02)
    return found


def test_from_the_same_provider(make_shop):
    """It is ignored, told once, and better is taken soon."""
    shop = make_shop().start()
    assert shop.convert(utc_today()) == NEW
    say(shop, YESTERDAY, "1.11")
    calls = len(shop.frankfurter.calls)
    assert answers(shop, 3.5) == {NEW}
    line = shop.service.wait_log("older_table_ignored")
    assert (f"provider=frankfurter layer=provider as_of={YESTERDAY} in_hand={utc_today()} "
            "in_hand_provider=frankfurter") in line
    assert shop.service.log().count("older_table_ignored") == 1
    # Not with each request.
    assert calls + 2 <= len(shop.frankfurter.calls) <= calls + 6
    assert shop.service.status()["ready"] is True
    # One of the same day is a correction.
    say(shop, utc_today(), "1.6")
    wait_until(lambda: shop.convert(utc_today()) == "62.5", "the new rate", 3)


def test_from_the_next_provider(make_shop):
    """While the first one fails; a currency that it alone has it serves."""
    shop = make_shop(RATE_PROVIDERS="frankfurter ecb")
    ecb_is_of(shop, YESTERDAY)
    shop.start()
    assert shop.convert(utc_today()) == NEW
    shop.frankfurter.fault = lambda call: call.answer("", 503)
    assert answers(shop, 3) == {NEW}
    shop.service.wait_log(f"older_table_ignored provider=ecb layer=provider "
                          f"as_of={YESTERDAY} in_hand={utc_today()} "
                          "in_hand_provider=frankfurter")
    # Once it has the same day's, it serves.
    ecb_is_of(shop, utc_today())
    wait_until(lambda: shop.convert(utc_today()) == OLD, "the ECB's", 5)


def test_from_redis(make_shop):
    """What another machine has put there may be older than what we have."""
    with RedisServer().start() as redis:
        shop = make_shop(REDIS_URL=redis.url(), CACHE_TTL_SECONDS="2").start()
        assert shop.convert(utc_today()) == NEW
        key = "fxwire:rates:frankfurter:latest"
        wait_until(lambda: redis.client().get(key), "the table in Redis")
        now = datetime.datetime.now(datetime.timezone.utc)

        def moment(more):
            at = now + datetime.timedelta(seconds=more)
            return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")

        redis.client().set(key, json.dumps({
            "op": "rates", "date": "latest", "as_of": str(YESTERDAY), "base": "EUR",
            "provider": "frankfurter", "layer": "provider",
            "fetched_at": moment(1), "expires_at": moment(60), "rates": {"USD": "1.11"}}))
        assert answers(shop, 3) == {NEW}
        shop.service.wait_log(f"older_table_ignored provider=frankfurter layer=redis "
                              f"as_of={YESTERDAY} in_hand={utc_today()}")


def test_after_a_death_of_ratefetcher(make_shop):
    """The table that wsclient has is not replaced by an older one."""
    shop = make_shop().start()
    assert shop.convert(utc_today()) == NEW
    say(shop, YESTERDAY, "1.11")
    pid = shop.service.kill("ratefetcher")
    shop.service.wait_respawn("ratefetcher", pid)
    assert answers(shop, 3) == {NEW}
    shop.service.wait_log(f"older_table_ignored provider=frankfurter layer=ratefetcher "
                          f"as_of={YESTERDAY} in_hand={utc_today()}")
