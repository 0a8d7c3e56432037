"""A second provider beside the first: RATES_CROSSCHECK."""
import json

import pytest

from amounts import stake_of, today
from rate_shop import RateShop
from waiting import wait_until


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        settings = {"FREECURRENCYAPI_KEY": None, "RATE_PROVIDERS": "frankfurter",
                    "RATES_CROSSCHECK": "ecb", "ALERT_COMMAND": "/bin/true"} | settings
        shops.append(RateShop(**settings))
        shops[-1].frankfurter.rates = {"USD": "1.2850", "JPY": "180.00"}
        shops[-1].ecb.rates = {"USD": "1.28", "JPY": "180.5"}
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


def differences(shop):
    return shop.service.status()["rates_differ"]


def test_a_rate_that_is_a_thousand_times_wrong(make_shop):
    """It serves, and a person is told: in the log, by the command, in the status."""
    shop = make_shop()
    shop.frankfurter.rates["JPY"] = "0.18000"
    shop.start()
    assert shop.convert(today(), "1", "JPY") == "5.55556"
    shop.service.wait_log(
        r'WARN ratefetcher\[\d+\] rates_differ provider=frankfurter as_of=\S+ why=crosscheck '
        r'other=ecb other_as_of=\S+ count=1 currencies="JPY 0\.18000 \(180\.5\)"')
    shop.service.wait_log(r"alert alert=rates_differ subject=ratefetcher")
    [row] = wait_until(lambda: differences(shop), "the status")
    assert (row["why"], row["currency"], row["provider"], row["other"]) == (
        "crosscheck", "JPY", "frankfurter", "ecb")
    assert (row["rate"], row["other_rate"]) == ("0.18000", "180.5")
    line = [x for x in shop.service.command("status").stdout.splitlines()
            if x.startswith("rates_differ")]
    assert len(line) == 1 and "currency=JPY" in line[0] and "other_rate=180.5" in line[0]


@pytest.mark.parametrize("percent, told", [("2", False), ("1", False)])
def test_within_the_bound(make_shop, percent, told):
    shop = make_shop(RATES_CROSSCHECK_PERCENT=percent).start()
    wait_until(lambda: shop.ecb.calls, "the second one asked")
    assert stake_of(shop.ask(today())) == "77.82101"
    wait_until(lambda: shop.service.rates("2021-05-18"), "an answer")
    assert bool(differences(shop)) is told and "rates_differ" not in shop.service.log()


def test_a_bound_of_ones_own(make_shop):
    shop = make_shop(RATES_CROSSCHECK_PERCENT="0.6")
    shop.ecb.rates["USD"] = "1.277"
    shop.start()
    shop.service.wait_log('rates_differ .* currencies="USD 1.2850 ')


@pytest.mark.smoke
def test_nobody_waits_for_it(make_shop):
    """The second one hangs: today's and a past day's requests are answered."""
    shop = make_shop()
    shop.ecb.fault = lambda call: call.hold()
    shop.start()
    for day in (today(), "2021-05-18", "2021-05-19"):
        assert shop.convert(day) == "77.82101"
    wait_until(lambda: shop.ecb.calls, "the second one asked")
    assert differences(shop) == []


def test_with_another_base(make_shop):
    """Dollars of exchangeratehost beside euros: both for one euro."""
    shop = make_shop(RATE_PROVIDERS="exchangeratehost", RATES_CROSSCHECK="frankfurter",
                     EXCHANGE_ACCESS_KEY="host-key")
    shop.settings["EXCHANGE_ACCESS_KEY"] = type(shop.host).key
    shop.host.rates = {"EUR": "0.8", "JPY": "144", "GBP": "0.6"}
    shop.frankfurter.rates = {"USD": "1.25", "JPY": "180", "GBP": "0.86"}
    shop.start()
    [row] = wait_until(lambda: differences(shop), "the status")
    assert (row["currency"], row["rate"], row["other_rate"]) == ("GBP", "0.6", "0.86")


def test_a_jump_to_the_day_before(make_shop):
    """Without a second provider, too."""
    shop = make_shop(RATES_CROSSCHECK=None)
    shop.frankfurter.tables = {"2021-05-17": {"USD": "1.2", "GBP": "0.86"},
                               "2021-05-18": {"USD": "1.2", "GBP": "86"}}
    shop.start()
    shop.convert("2021-05-17")
    assert shop.convert("2021-05-18", "86", "GBP") == "1"
    [row] = wait_until(lambda: differences(shop), "the status")
    assert row["why"] == "jump" and (row["as_of"], row["other_as_of"]) == ("2021-05-18",
                                                                            "2021-05-17")
    assert (row["currency"], row["rate"], row["other_rate"]) == ("GBP", "86", "0.86")
    shop.service.wait_log(r"rates_differ provider=frankfurter as_of=2021-05-18 why=jump ")


def test_it_needs_its_key(make_service):
    done = make_service({"REQUESTS_WS_URL": "ws://127.0.0.1:1/",
                         "RATES_CROSSCHECK": "freecurrencyapi"}).command("check")
    assert done.returncode == 78
    assert "RATES_CROSSCHECK=freecurrencyapi: freecurrencyapi needs FREECURRENCYAPI_KEY" \
        in done.stdout + done.stderr


def test_the_status_is_json(make_shop):
    shop = make_shop().start()
    told = json.loads(shop.service.command("status", "--json").stdout)
    assert told["rates_differ"] == []
