"""Tables that no call of this process brought: out of Redis, and after those of a life before."""
import datetime
import json

import pytest

from amounts import euro
from rate_shop import FIRST, RateShop
from redis_server import RedisServer
from standins import ONE_DAY, Csv, utc_today
from waiting import wait_until

DAY, NEXT_DAY = "2015-01-06", "2015-01-07"
KEY = "fxwire:rates:freecurrencyapi:"


@pytest.fixture
def shared():
    """A service with freecurrencyapi alone, and Redis."""
    with RedisServer() as server:
        server.start()
        with RateShop(RATE_PROVIDERS="freecurrencyapi", REDIS_URL=server.url()) as shop:
            shop.redis = server.client()
            shop.start()
            wait_until(lambda: shop.service.status()["redis"] == "up", "redis up", 5)
            yield shop


def put(shop, day, usd):
    """What another machine has fetched just now; its clock is a second ahead."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
    shop.redis.set(KEY + day, json.dumps({
        "op": "rates", "date": day, "as_of": day, "base": "EUR",
        "provider": "freecurrencyapi", "layer": "provider",
        "fetched_at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "expires_at": "2099-01-01T00:00:00.000Z", "rates": {"USD": usd}}))


def test_a_jump_out_of_redis(shared):
    assert shared.convert(DAY) == FIRST
    put(shared, NEXT_DAY, "1250")
    assert shared.convert(NEXT_DAY) == euro("100", "1250")
    [row] = wait_until(lambda: shared.service.status()["rates_differ"], "the status")
    assert (row["why"], row["as_of"], row["other_as_of"]) == ("jump", NEXT_DAY, DAY)
    assert (row["rate"], row["other_rate"]) == ("1250", "1.25")


def test_another_machine_reaches_the_provider_again(shared):
    """Its table out of Redis ends `failing`, without a call of our own."""
    shared.fca.fault = lambda call: call.answer("{}", 503)
    assert '"error"' in shared.ask(DAY)
    state = lambda: shared.service.status()["providers"][0]["state"]
    wait_until(lambda: state() == "failing", "failing")
    calls = len(shared.fca.calls)
    put(shared, NEXT_DAY, "2")
    assert shared.convert(NEXT_DAY) == euro("100", "2")
    wait_until(lambda: state() == "ok", "ok")
    assert len(shared.fca.calls) == calls


def test_a_jump_over_a_restart():
    """Of a provider whose history is kept."""
    day, before = str(utc_today()), str(utc_today() - ONE_DAY)
    with Csv({"USD": ""}) as api:
        api.tables = {before: {"USD": "1.25"}}
        with RateShop(RATE_PROVIDERS="url", FREECURRENCYAPI_KEY=None, RATES_URL=api.url) as shop:
            shop.start()
            shop.service.wait_log("rates_copy_written")
            assert shop.service.status()["rates_differ"] == []
            shop.service.stop()
            api.tables = {day: {"USD": "1250"}} | api.tables
            shop.service.start()
            [row] = wait_until(lambda: shop.service.status().get("rates_differ"), "the status", 5)
            assert (row["why"], row["as_of"], row["other_as_of"]) == ("jump", day, before)
