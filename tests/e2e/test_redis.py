"""Redis as it should be: what is shared, and that it is fetched once."""
import datetime
import json
import re
import threading
import time

import pytest

from amounts import message, stake_of
from places import SCALE
from rate_shop import FIRST, FROM, SECOND, USD, RateShop
from redis_server import RedisServer
from service import Service
from standins import ExchangeRateHost, utc_today
from upstream import Upstream
from waiting import wait_until

KEY = "fxwire:rates:freecurrencyapi:"
SECRET = "redis-Secret%21pass"  # as it stands in the address
PLAIN = "redis-Secret!pass"


@pytest.fixture(scope="module")
def server():
    with RedisServer() as one:
        yield one.start()


@pytest.fixture
def clean(server):
    server.client().flushall()
    return server


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**settings))
        return shops[-1]

    yield make
    for one in reversed(shops):
        one.__exit__(None)


class Machine:
    """Another service with the same providers and Redis, and its own upstream."""

    def __init__(self, shop, **settings):
        self.upstream = Upstream()
        self.service = Service(shop.settings | {"REQUESTS_WS_URL": self.upstream.url} | settings)

    def __enter__(self):
        self.upstream.__enter__()
        self.service.start()
        self.upstream.wait_link()
        return self

    def __exit__(self, *_):
        self.service.finish()
        self.upstream.__exit__()

    def convert(self, day):
        return stake_of(self.upstream.link.ask(message("1", "100", date=f'"{day}"')))


def wait_redis(service, state="up", seconds=5):
    wait_until(lambda: service.status()["redis"] == state, f"redis {state}", seconds)


def counter(service, result):
    return service.counter(f'fxwire_rate_lookups_total{{layer="redis",result="{result}"}}')


NOW = datetime.datetime.now(datetime.timezone.utc)


def value(day, **more):
    """What another machine would have put there, but for its rate."""
    return json.dumps({
        "op": "rates", "date": day, "as_of": day, "base": "EUR",
        "provider": "freecurrencyapi", "layer": "provider",
        "fetched_at": NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "expires_at": "2099-01-01T00:00:00.000Z", "rates": {"USD": "50"}} | more)


def test_without_an_address_it_is_off(make_shop):
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi").start()
    assert shop.service.status()["redis"] == "off"
    assert re.search("^redis +off$", shop.service.command("status").stdout, re.MULTILINE)


@pytest.mark.smoke
@pytest.mark.parametrize("kind, database", [("url", 0), ("name_url", 3), ("unix_url", 7)])
def test_what_is_kept_there(make_shop, clean, kind, database):
    """The JSON line of a table, with what is left of its time, in that database."""
    shop = make_shop(REDIS_URL=getattr(clean, kind)(database)).start()
    wait_redis(shop.service)
    day = shop.new_day()
    assert shop.convert(day) == FIRST
    client = clean.client(database)
    wait_until(lambda: client.exists(KEY + day), "the key")
    told = json.loads(client.get(KEY + day))
    assert told["op"] == "rates" and told["date"] == told["as_of"] == day
    assert told["provider"] == "freecurrencyapi" and told["base"] == "EUR"
    assert told["rates"]["USD"] == USD["freecurrencyapi"]
    fetched, expires = (datetime.datetime.fromisoformat(told[n].replace("Z", "+00:00"))
                        for n in ("fetched_at", "expires_at"))
    assert abs((expires - fetched).total_seconds() - 7200) < 2
    assert 7190 - 10 * SCALE < client.ttl(KEY + day) <= 7200
    wait_until(lambda: not client.keys("fxwire:lock:*"), "no lock")
    assert not any(clean.client(n).dbsize() for n in range(16) if n != database)
    assert shop.service.counter("fxwire_redis_up") == 1
    assert shop.service.log().count("redis_up") == 1


def test_another_machine_needs_no_call(make_shop, clean):
    """Neither at its start nor later; it tells where a rate came from."""
    shop = make_shop(REDIS_URL=clean.url()).start()
    wait_redis(shop.service)
    day = shop.new_day()
    assert shop.convert(day) == FIRST
    clean.client().set(KEY + "latest", value(str(utc_today()), date="latest"))
    calls = len(shop.fca.calls)
    with Machine(shop) as other:
        latest = wait_until(lambda: other.service.status().get("latest"), "a report", 3)
        assert latest["layer"] == "redis" and latest["provider"] == "freecurrencyapi"
        told = other.service.rates(day)
        assert told["layer"] == "redis" and told["provider"] == "freecurrencyapi"
        assert told["as_of"] == day and told["fetched_at"] < told["expires_at"]
        assert other.convert(day) == FIRST
        assert other.convert(utc_today()) == "2"
        assert other.service.rates(day)["layer"] == "memory"
        line = other.service.command("convert", "100", "USD", day).stdout
        assert line.startswith(f"80 EUR = 100 USD / 1.25 ({day}, freecurrencyapi, memory, ")
        wait_until(lambda: counter(other.service, "hit") == 2, "two hits", 3)
        row = other.service.status()["providers"][0]
        assert (row["state"], row["calls_month"]) == ("unused", 0)
    assert len(shop.fca.calls) == calls


def test_a_table_with_another_base(make_shop, clean):
    """Its two rates reach the other machine, and give the same digits there."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="exchangeratehost",
                     EXCHANGE_ACCESS_KEY=ExchangeRateHost.key).start()
    wait_redis(shop.service)
    day = shop.new_day()
    assert shop.convert(day) == FROM["exchangeratehost"]
    calls = len(shop.host.calls)
    with Machine(shop) as other:
        assert other.service.rates(day)["layer"] == "redis"
        assert other.convert(day) == FROM["exchangeratehost"]
    assert len(shop.host.calls) == calls


def test_one_call_over_two_machines(make_shop, clean):
    """2000 requests for one new day, while the call takes half a second."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="freecurrencyapi").start()
    with Machine(shop) as other:
        for service in (shop.service, other.service):
            wait_redis(service)
        calls = len(shop.fca.calls)

        def slow(call):
            call.api.over.wait(0.5)
            call.api.reply(call)

        shop.fca.fault = slow
        day = shop.new_day()
        links = shop.upstream.link, other.upstream.link
        texts = [message(str(i), "100", date=f'"{day}"') for i in range(1000)]
        askers = [threading.Thread(target=link.send, args=texts) for link in links]
        for asker in askers:
            asker.start()
        for asker, link in zip(askers, links):
            asker.join()
            assert {stake_of(a) for a in link.wait_answers(1000)} == {FIRST}
        assert len(shop.fca.calls) == calls + 1


def test_a_currency_that_the_first_table_lacks(make_shop, clean):
    """Both tables are shared."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="freecurrencyapi frankfurter")
    shop.frankfurter.rates = {"USD": "1.6", "XAF": "655.957"}
    shop.start()
    day = shop.new_day()
    assert shop.convert(day, "655957", "XAF") == "1000"
    wait_until(lambda: clean.client().exists(f"fxwire:rates:frankfurter:{day}"), "the key")
    calls = len(shop.fca.calls), len(shop.frankfurter.calls)
    with Machine(shop) as other:
        told = other.service.rates(day, currency="XAF")
        assert (told["provider"], told["layer"]) == ("frankfurter", "redis")
        assert other.convert(day) == FIRST
    assert (len(shop.fca.calls), len(shop.frankfurter.calls)) == calls


def test_todays_table_is_refreshed_by_one_machine(make_shop, clean):
    """Ahead of its end, by whoever is first; the other takes it from there."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="frankfurter",
                     CACHE_TTL_SECONDS="3").start()
    with Machine(shop) as other:
        end = time.monotonic() + 3.6
        while time.monotonic() < end:
            assert shop.convert(utc_today()) == SECOND
            assert other.convert(utc_today()) == SECOND
            time.sleep(0.02)
    assert 2 <= len(shop.frankfurter.calls) <= 3


def test_a_lock_whose_holder_died_is_not_waited_for_long(make_shop, clean):
    """No longer than a call may take; it is not taken away from its holder."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="freecurrencyapi").start()
    wait_redis(shop.service)
    day = shop.new_day()
    lock = f"fxwire:lock:{day}"
    clean.client().set(lock, "somebody")
    began = time.monotonic()
    assert shop.convert(day) == FIRST
    assert 1.9 < time.monotonic() - began < 2.5 * SCALE
    assert clean.client().get(lock) == b"somebody"


def test_a_lock_that_is_given_back_is_waited_for(make_shop, clean):
    """Then it is our turn at once."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="freecurrencyapi").start()
    wait_redis(shop.service)
    day = shop.new_day()
    clean.client().set(f"fxwire:lock:{day}", "somebody", px=300)
    began = time.monotonic()
    assert shop.convert(day) == FIRST
    assert 0.25 < time.monotonic() - began < 1.5 * SCALE


def test_a_lock_is_renewed_while_its_holder_fetches(make_shop, clean):
    """Two slow providers take longer than a lock lasts: it is held until the table is there."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="freecurrencyapi frankfurter").start()
    wait_redis(shop.service)
    day = shop.new_day()

    def slow(call):
        call.api.over.wait(1)
        call.api.reply(call)

    shop.fca.fault = lambda call: call.hold()  # given up after 2 s
    shop.frankfurter.fault = slow
    shop.upstream.link.send(message("1", "100", date=f'"{day}"'))
    client = clean.client()
    lock, table = f"fxwire:lock:{day}", f"fxwire:rates:frankfurter:{day}"

    def is_shared():  # one step, in which nobody else does anything
        held, there = client.eval("return {redis.call('exists', KEYS[1]),"
                                  "redis.call('exists', KEYS[2])}", 2, lock, table)
        assert held or there, "anyone may call the second provider, too"
        return there

    wait_until(lambda: client.exists(lock), "the lock")
    began = time.monotonic()
    wait_until(is_shared, "the table")
    assert time.monotonic() - began > 2.6, "not longer than it lasts"
    assert stake_of(shop.upstream.link.wait_answers(1)[0]) == SECOND
    wait_until(lambda: not client.keys("fxwire:lock:*"), "no lock")


def test_a_respawned_process_does_not_wait_for_its_own_lock(make_shop, clean):
    """Killed in the middle of a call: the next one comes at once."""
    shop = make_shop(REDIS_URL=clean.url(), RATE_PROVIDERS="freecurrencyapi").start()
    wait_redis(shop.service)
    day = shop.new_day()
    shop.fca.fault = lambda call: call.hold()
    link = shop.upstream.link
    link.send(message("1", "100", date=f'"{day}"'))
    wait_until(lambda: clean.client().exists(f"fxwire:lock:{day}")
               and day in shop.fca.targets()[-1], "the call")
    shop.fca.fault = None
    shop.service.kill("ratefetcher")
    killed = time.monotonic()
    assert stake_of(link.wait_answers(1)[0]) == FIRST
    assert time.monotonic() - killed < 1 * SCALE
    wait_until(lambda: not clean.client().keys("fxwire:lock:*"), "no lock")


BAD = {
    "garbage": lambda day: b"\x80\x04\x95\x00\xff",
    "empty": lambda day: "",
    "an array": lambda day: "[1,2]",
    "another form": lambda day: json.dumps({"version": 2, "rates": {"USD": 50}}),
    "fetched in the future": lambda day: value(day, fetched_at="2098-01-01T00:00:00.000Z"),
    "of another day": lambda day: value(day, date="2001-01-01"),
    "published later": lambda day: value(day, as_of=str(utc_today())),
    "published long before": lambda day: value(day, as_of="2001-01-01"),
    "of another provider": lambda day: value(day, provider="ecb"),
    "of another base": lambda day: value(day, base="USD"),
    "a rate out of bounds": lambda day: value(day, rates={"USD": "1e12"}),
    "too long": lambda day: value(day, more="x" * 300_000),
    "a list": None,
}


@pytest.fixture(scope="module")
def one_shop(server):
    with RateShop(REDIS_URL=server.url(), RATE_PROVIDERS="freecurrencyapi") as shop:
        yield shop.start()


def test_a_good_value_is_used(one_shop, server):
    """So that those below are ignored for what is wrong with them."""
    day = one_shop.new_day()
    server.client().set(KEY + day, value(day))
    assert one_shop.convert(day) == "2"


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_value_is_ignored_and_overwritten(one_shop, server, bad):
    shop, client = one_shop, server.client()
    start, day = len(shop.service.log()), shop.new_day()
    if bad:
        client.set(KEY + day, bad(day))
    else:
        client.rpush(KEY + day, "1", "2")
    assert shop.convert(day) == FIRST
    shop.wait_new_log(start, f"redis_value_ignored key={KEY}{day}")
    wait_until(lambda: client.type(KEY + day) == b"string"
               and b'"1.25"' in client.get(KEY + day), "a good value")


def test_bad_values_are_counted(one_shop, server):
    day = one_shop.new_day()
    before = counter(one_shop.service, "bad")
    server.client().set(KEY + day, "x")
    assert one_shop.convert(day) == FIRST
    wait_until(lambda: counter(one_shop.service, "bad") > before, "the count", 3)


def test_a_bad_rate_is_left_out(one_shop, server):
    """The rest of its table serves."""
    day, start = one_shop.new_day(), len(one_shop.service.log())
    server.client().set(KEY + day, value(day, rates={"USD": "50", "JPY": "-1"}))
    assert one_shop.convert(day) == "2"
    one_shop.wait_new_log(start, "rates_left_out .*layer=redis bad_rates=1")


def test_an_expired_value_is_no_fault(one_shop, server):
    day, start = one_shop.new_day(), len(one_shop.service.log())
    server.client().set(KEY + day, value(day, fetched_at="2020-01-01T00:00:00.000Z"))
    assert one_shop.convert(day) == FIRST
    assert "redis_value_ignored" not in one_shop.service.log()[start:]


# Names and passwords

@pytest.fixture(scope="module")
def guarded():
    with RedisServer("--requirepass", PLAIN) as one:
        one.start().client(password=PLAIN).acl_setuser(
            "fx", enabled=True, passwords=[f"+{PLAIN}"], keys=["fxwire:*"],
            categories=["+@all"])
        yield one


@pytest.mark.parametrize("user_info", [f":{SECRET}@", f"fx:{SECRET}@"], ids=["password", "user"])
def test_passwords(make_shop, guarded, user_info):
    """With and without a user; they are in no log."""
    shop = make_shop(REDIS_URL=guarded.url(1, user_info),
                     RATE_PROVIDERS="freecurrencyapi").start()
    day = shop.new_day()
    assert shop.convert(day) == FIRST
    client = guarded.client(1, password=PLAIN)
    wait_until(lambda: client.exists(KEY + day), "the key")
    for secret in (SECRET, PLAIN):
        shop.assert_secret(secret)


@pytest.mark.parametrize("user_info", ["", f":x{SECRET}@", f"nobody:{SECRET}@"],
                         ids=["none", "wrong password", "wrong user"])
def test_who_is_refused_works_on(make_shop, guarded, user_info):
    """One line and one alert, however often it is tried."""
    shop = make_shop(REDIS_URL=guarded.url(1, user_info), ALERT_COMMAND="/bin/true",
                     RATE_PROVIDERS="freecurrencyapi").start()
    assert shop.convert() == FIRST
    shop.service.wait_log(" alert alert=redis_refused subject=ratefetcher")
    wait_redis(shop.service, "refused")
    client = guarded.client(password=PLAIN)
    tries = lambda: client.info("stats")["total_connections_received"]
    before = tries()
    wait_until(lambda: tries() >= before + 2, "two more attempts")
    assert shop.convert() == FIRST
    log = shop.service.log()
    assert log.count("redis_down") == log.count(" alert alert=redis_refused") == 1
    for secret in (SECRET, PLAIN):
        shop.assert_secret(secret)
