"""Keys, plans and errors in bodies: exchangeratehost and exchangerateapi, spec section 5."""
import pytest

from amounts import is_error
from rate_shop import FROM, KEYS, RateShop
from standins import ExchangeRateApi, ExchangeRateHost, utc_today
from waiting import wait_until

CALLS = 'fxwire_provider_calls_total{provider="exchangerateapi",'
HOST, ERA, LAST = (FROM[n] for n in ("exchangeratehost", "exchangerateapi", "frankfurter"))


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**KEYS | settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def alerts(shop):
    return shop.service.log().count(" alert alert=key_refused")


def test_the_order_with_all_keys(make_shop):
    """Each serves while those before it fail."""
    shop = make_shop().start()
    names = [row["name"] for row in shop.service.status()["providers"]]
    assert names == ["freecurrencyapi", "exchangeratehost", "exchangerateapi",
                     "frankfurter", "ecb"]
    for api, name in ((None, "freecurrencyapi"), (shop.fca, "exchangeratehost"),
                      (shop.host, "exchangerateapi"), (shop.era, "frankfurter")):
        if api:
            api.fault = lambda call: call.answer("<html>", 502)
        assert shop.convert() == FROM[name]
    assert not shop.ecb.connections


def test_what_exchangeratehost_is_asked(make_shop):
    """Its key is in the query, for it takes it nowhere else."""
    shop = make_shop(RATE_PROVIDERS="exchangeratehost").start()
    assert shop.convert("2021-05-18") == HOST
    assert [(c.path, c.query) for c in shop.host.calls] == [
        ("/live", {"access_key": ExchangeRateHost.key}),
        ("/historical", {"access_key": ExchangeRateHost.key, "date": "2021-05-18"})]


def test_what_exchangerateapi_is_asked(make_shop):
    """Its key is in the path."""
    shop = make_shop(RATE_PROVIDERS="exchangerateapi").start()
    assert shop.convert("2021-05-18") == ERA
    assert shop.era.targets() == [
        f"/v6/{ExchangeRateApi.key}/latest/EUR",
        f"/v6/{ExchangeRateApi.key}/history/EUR/2021/5/18"]
    line = shop.service.command("convert", "100", "USD", "2021-05-18").stdout
    assert line.startswith(f"{ERA} EUR = 100 USD / 1.5625 (2021-05-18, exchangerateapi,")


REFUSALS = {  # of all calls, and whether a person is told
    "wrong key": (101, "invalid_access_key", "key_refused", True),
    "inactive": (102, "inactive_user", "key_refused", True),
    "used up": (104, "usage_limit_reached", "limited", False),
    "no https": (105, "https_access_restricted", "key_refused", True),
    "no such base": (105, "source_currency_access_restricted", "key_refused", True),
    "no live rates": (105, "function_access_restricted", "key_refused", True),
    "too fast": (106, "rate_limit_reached", "limited", False),
}


@pytest.mark.parametrize("code, kind, result, told", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_with_status_200(make_shop, code, kind, result, told):
    """The next one serves; the one that refused is left alone."""
    shop = make_shop(RATE_PROVIDERS="exchangeratehost frankfurter")
    shop.host.fault = lambda call: shop.host.refuse(call, code, kind)
    shop.start()
    for _ in range(4):
        assert shop.convert() == LAST
    shop.service.wait_log("provider_failed provider=exchangeratehost "
                          f'result={result} detail="error {code}: ')
    assert [call.path for call in shop.host.calls] == ["/live"]
    if told:
        shop.service.wait_log(" alert alert=key_refused")
    assert alerts(shop) == told


FAILURES = {  # of one call
    "unknown": (999, "new", "bad_table", "it reports an error that is not known"),
    "no such call": (103, "invalid_api_function", "bad_table", "error 103: "),
    "no base": (201, "invalid_source", "bad_table", "error 201: "),
    "no currency": (202, "invalid_currency_codes", "bad_table", "error 202: "),
    "no date": (301, "missing_date", "bad_table", "error 301: "),
}


@pytest.fixture(scope="module")
def shop():
    """exchangeratehost, exchangerateapi and then frankfurter."""
    with RateShop(RATE_PROVIDERS="exchangeratehost exchangerateapi frankfurter",
                  **KEYS) as one:
        yield one.start()


@pytest.mark.parametrize("code, kind, result, why", FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_with_status_200(shop, code, kind, result, why):
    """The next one serves, and this one again with its next good answer."""
    start = len(shop.service.log())
    shop.host.fault = lambda call: shop.host.refuse(call, code, kind)
    assert shop.convert() == ERA
    shop.host.fault = None
    assert shop.convert() == HOST
    shop.wait_new_log(start, f'provider_failed provider=exchangeratehost result={result} '
                             f'detail="{why}')


@pytest.mark.parametrize("code, kind", [(106, "no_rates_available"), (302, "invalid_date")])
def test_a_day_that_it_has_not(shop, code, kind):
    """That is no failure."""
    start = len(shop.service.log())
    shop.host.fault = lambda call: shop.host.refuse(call, code, kind)
    assert shop.convert() == ERA
    shop.host.fault = None
    assert shop.convert() == HOST
    assert "provider_failed" not in shop.service.log()[start:]


@pytest.mark.parametrize("body", ["", "<html>Just a moment...</html>", '{"success":true,"sour'])
def test_bodies_that_are_none(shop, body):
    for api in (shop.host, shop.era):
        api.fault = lambda call: call.answer(body)
    assert shop.convert() == LAST
    for api in (shop.host, shop.era):
        api.fault = None
    assert shop.convert() == HOST


@pytest.mark.parametrize("kind, status, result, told", [
    ("invalid-key", 403, "key_refused", True), ("inactive-account", 403, "key_refused", True),
    ("invalid-key", 200, "key_refused", True), ("quota-reached", 200, "limited", False),
    ("quota-reached", 429, "limited", False),
])
def test_refusals_of_exchangerateapi(make_shop, kind, status, result, told):
    """Whatever their status is, which nobody has written down."""
    shop = make_shop(RATE_PROVIDERS="exchangerateapi frankfurter")
    shop.era.fault = lambda call: shop.era.refuse(call, kind, status)
    shop.start()
    for _ in range(4):
        assert shop.convert() == LAST
    shop.service.wait_log("provider_failed provider=exchangerateapi "
                          f'result={result} detail="{kind}: ')
    assert len(shop.era.calls) == 1
    if told:
        shop.service.wait_log(" alert alert=key_refused")
    assert alerts(shop) == told


def test_a_plan_without_past_days(make_shop):
    """It is asked for one of them once, and goes on to serve today's table."""
    shop = make_shop(RATE_PROVIDERS="exchangerateapi frankfurter", CACHE_TTL_SECONDS="1")
    shop.era.has_history = False
    shop.start()
    for _ in range(5):
        assert shop.convert() == LAST
    past = [t for t in shop.era.targets() if "/history/" in t]
    assert len(past) == 1
    shop.service.wait_log("provider_without_history provider=exchangerateapi "
                          'why="plan-upgrade-required: ')
    assert shop.convert(utc_today()) == ERA
    # Its key is good: today's table is fetched anew, and nobody is alarmed.
    calls = len(shop.era.calls)
    wait_until(lambda: shop.convert(utc_today()) == ERA and len(shop.era.calls) > calls,
               "another call")
    assert shop.era.targets()[-1].endswith("/latest/EUR")
    assert "provider_failed" not in shop.service.log() and not alerts(shop)
    wait_until(lambda: shop.service.counter(CALLS + 'result="ok"}') >= 3, "counted calls")
    assert shop.service.counter(CALLS + 'result="failed"}') == 0


def test_past_days_without_any_that_has_them(make_shop):
    """An error at once, and no call for the next ones."""
    shop = make_shop(RATE_PROVIDERS="exchangeratehost")
    shop.start()
    shop.host.fault = lambda call: shop.host.refuse(call, 105, "function_access_restricted")
    for _ in range(3):
        assert is_error(shop.ask(), 456)
    assert len([t for t in shop.host.targets() if "/historical" in t]) == 1
    assert shop.convert(utc_today()) == HOST
