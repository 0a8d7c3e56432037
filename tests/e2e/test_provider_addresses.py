"""Where providers are reached, and what is said when they are reached elsewhere."""
import pytest

from rate_shop import SECOND, THIRD, RateShop
from waiting import wait_until


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(FREECURRENCYAPI_KEY=None, **settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


@pytest.mark.parametrize("status", [401, 403])
def test_without_a_key_none_is_refused(make_shop, status):
    """It is left alone for short, the next one serves, and nobody is called."""
    shop = make_shop()
    shop.frankfurter.fault = lambda call: call.answer("<html>Attention Required!", status)
    shop.start()
    assert shop.convert() == THIRD
    calls = len(shop.frankfurter.calls)
    assert shop.convert() == THIRD
    assert len(shop.frankfurter.calls) == calls
    log = shop.service.log()
    assert f'provider_failed provider=frankfurter result=bad_status detail="status {status}"' \
        in log
    assert "key_refused" not in log
    row = shop.service.status()["providers"][0]
    assert (row["name"], row["state"]) == ("frankfurter", "waiting")
    shop.frankfurter.fault = None
    wait_until(lambda: shop.convert() == SECOND, "frankfurter's rates", 20)


@pytest.mark.parametrize("more", ["/", "///"])
def test_slashes_at_the_end_of_an_address(make_shop, more):
    shop = make_shop()
    for name in ("FRANKFURTER_URL", "ECB_URL"):
        shop.settings[name] += more
    shop.frankfurter.tables["2021-05-18"] = None
    shop.start()
    assert shop.convert("2021-05-18") == THIRD
    assert shop.frankfurter.targets() == ["/v1/latest", "/v1/2021-05-18"]
    assert shop.ecb.targets() == ["/stats/eurofxref-hist.zip"]


PLACES = {
    "https://user:pw@example.com/v2/latest?key=secret#x":
        "example.com/v2/latest,",
    "/v2/latest?access_key=secret": "127.0.0.1:{port}/v2/latest,",
    "http://[2001:db8::1]:8080/": "[2001:db8::1]:8080/,",
    "//example.com/" + "x" * 3000: "example.com/" + "x" * 112 + "...,",
}


@pytest.mark.parametrize("location, place", PLACES.items())
def test_a_redirect_says_where_to(make_shop, location, place):
    """Host and path, and no more: neither who asks nor what is asked for."""
    shop = make_shop()
    shop.frankfurter.fault = lambda call: call.answer(
        "", 301, more=(f"Location: {location}",))
    shop.start()
    line = shop.service.wait_log("provider_failed provider=frankfurter")
    assert "result=bad_status" in line and "status 301: it redirects to " in line
    assert "it redirects to " + place.format(port=shop.frankfurter.port) in line
    assert "see FRANKFURTER_URL" in line
    for hidden in ("secret", "pw@"):
        assert hidden not in line


def test_an_address_that_has_moved(make_shop):
    """The new one is named where it fails, at the start, and by check."""
    now = "https://api.frankfurter.dev/v1"
    shop = make_shop(FRANKFURTER_URL="http://api.frankfurter.app/")
    shop.start()
    shop.service.wait_log(f"provider_moved provider=frankfurter .*to={now}")
    shop.service.wait_log("provider_failed provider=frankfurter result=unreached "
                          f".*FRANKFURTER_URL={now}", seconds=20)
    done = shop.service.command("check")
    assert done.returncode == 0
    lines = (done.stdout + done.stderr).splitlines()
    assert [line for line in lines if line.startswith("warning: FRANKFURTER_URL")
            and line.endswith(f"{now} now")]
