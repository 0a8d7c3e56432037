"""Rates over HTTP: spec section 5, and what providers may do wrong."""
import gzip
import time

import pytest

from amounts import is_error, message, stake_of
from places import SCALE
from rate_shop import (FIRST, SECOND, THIRD, RateShop, beats_in_time, tell_worst_beats,
                       working_days)
from raw_upstream import RawUpstream
from standins import ONE_DAY, FreeCurrencyApi, frankfurter_body, utc_today
from waiting import at_most, wait_until

MIB = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def worst():
    yield
    tell_worst_beats()


@pytest.fixture(scope="module")
def shop():
    """One service for all cases in which the provider works afterwards."""
    with RateShop() as all_three:
        yield all_three.start()


@pytest.fixture
def make_shop():
    """make_shop(NAME=value...) gives a RateShop that is not started yet."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**settings))
        return shops[-1]

    yield make
    for one in shops:
        one.__exit__(None)


# The order of providers

def test_the_protocol_s_example(make_shop):
    """253.67 USD of 2021-05-18 at 1.222385: the rate that the example has."""
    shop = make_shop()
    shop.fca.tables["2021-05-18"] = {"JPY": "133.1", "USD": "1.222385"}
    shop.start()
    answer = shop.upstream.link.ask(message())
    assert stake_of(answer) == "207.52054"
    call = shop.fca.calls[-1]
    assert call.target == "/v1/historical?date=2021-05-18&base_currency=EUR"
    assert call.headers["apikey"] == FreeCurrencyApi.key
    line = shop.service.command("convert", "253.67", "USD", "2021-05-18").stdout
    assert line.startswith("207.52054 EUR = 253.67 USD / 1.222385 (2021-05-18, "
                           "freecurrencyapi, memory")


def test_the_same_without_a_key(make_shop):
    """Then the ECB's rate serves, and freecurrencyapi is never asked."""
    shop = make_shop(FREECURRENCYAPI_KEY=None)
    shop.frankfurter.tables["2021-05-18"] = {"USD": "1.2222"}
    shop.start()
    assert stake_of(shop.upstream.link.ask(message())) == "207.55196"
    assert shop.frankfurter.targets() == ["/v1/latest", "/v1/2021-05-18"]
    assert not shop.fca.connections and not shop.ecb.connections
    names = [row["name"] for row in shop.service.status()["providers"]]
    assert names == ["frankfurter", "ecb"]


def test_without_a_key_ecb_is_the_second(make_shop):
    """It serves while frankfurter fails, from the start on."""
    shop = make_shop(FREECURRENCYAPI_KEY=None)
    shop.frankfurter.fault = lambda call: call.answer("", 500)
    shop.start()
    assert shop.convert() == THIRD
    assert shop.convert(shop.service.rates("latest")["as_of"]) == THIRD
    assert not shop.fca.connections


def test_with_a_key_it_is_the_first(shop):
    names = [row["name"] for row in shop.service.status()["providers"]]
    assert names == ["freecurrencyapi", "frankfurter", "ecb"]
    assert shop.convert() == FIRST


def test_providers_that_are_named(make_shop):
    """RATE_PROVIDERS is the whole list."""
    shop = make_shop(RATE_PROVIDERS="ecb freecurrencyapi").start()
    assert shop.convert() == THIRD
    assert not shop.frankfurter.connections and not shop.fca.connections


def test_http_is_warned_of(shop):
    """Once for each provider that is used, by the name of its setting."""
    for name in ("freecurrencyapi", "frankfurter", "ecb"):
        setting = f"{name.upper()}_URL"
        assert shop.service.log().count(
            f"provider_not_encrypted provider={name} setting={setting}") == 1


def test_no_proxy_is_asked(make_shop):
    """Variables for other programs do not lead the key elsewhere, where ours say so."""
    with RawUpstream() as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        shop = make_shop(http_proxy=address, https_proxy=address, all_proxy=address,
                         HTTP_PROXY=address, PROVIDER_PROXY="none", WS_PROXY="none").start()
        assert shop.convert() == FIRST
        assert not proxy.is_tried(0)


def test_a_key_that_is_refused_is_in_no_log(make_shop):
    """Also when it comes back in the body and in a header."""
    shop = make_shop()

    def echo(call):
        key = call.headers["apikey"]
        call.answer(f'{{"message":"{key}"}}', 401, more=(f"X-Key: {key}",))

    shop.fca.fault = echo
    shop.start()
    assert shop.convert() == SECOND
    shop.service.wait_log("provider_failed provider=freecurrencyapi result=key_refused")


# Failing over

def endless(call):
    """A chunked body that does not end."""
    call.head(more=("Transfer-Encoding: chunked",))
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    while not call.api.over.is_set():
        call.raw(piece)


def too_long_with_length(call):
    call.head(more=(f"Content-Length: {17 * MIB}",))
    for _ in range(17):
        call.raw(b" " * MIB)


def until_the_end(call):
    """Without a length: the end of the connection would be the end."""
    call.head()
    for _ in range(17):
        call.raw(b" " * MIB)


BOMB = gzip.compress(b" " * 64 * MIB)
GOOD = '{"data":{"EUR":1,"USD":1.25}}'


def bomb(call):
    call.answer(BOMB, more=("Content-Encoding: gzip",))


def cut(call):
    """Less than it announced."""
    call.head(more=(f"Content-Length: {len(GOOD)}",))
    call.raw(GOOD[:-5].encode())


def reset_in_the_body(call):
    call.head(more=(f"Content-Length: {len(GOOD)}",))
    call.raw(GOOD[:-5].encode())
    time.sleep(0.05)  # else the reset overtakes what was sent
    call.reset()


def of_day(call, table):
    return f'{{"data":{{"{call.query.get("date")}":{{{table}}}}}}}'


FAULTS = {
    "500": (lambda call: call.answer("", 500), "bad_status", "status 500"),
    "502": (lambda call: call.answer("<html>", 502), "bad_status", "status 502"),
    "503": (lambda call: call.answer("", 503), "bad_status", "status 503"),
    "404": (lambda call: call.answer("", 404), "bad_status", "status 404"),
    "204": (lambda call: call.head(204), "bad_status", "status 204"),
    "HTML": (lambda call: call.answer("<html>Just a moment...</html>",
                                      kind="text/html"), "bad_table", "no JSON object"),
    "empty": (lambda call: call.answer(""), "bad_table", "no JSON object"),
    "truncated": (lambda call: call.answer(GOOD[:-1]), "bad_table", "no JSON object"),
    "no HTTP": (lambda call: call.raw(b"\x15\x03\x01\x00\x02"), "unreached", ""),
    "hangs up": (lambda call: None, "unreached", ""),
    "reset": (lambda call: call.reset(), "unreached", ""),
    "reset in the body": (reset_in_the_body, "unreached", ""),
    "shorter than its length": (cut, "unreached", ""),
    "17 MiB with length": (too_long_with_length, "unreached", "the body is too large"),
    "17 MiB without length": (until_the_end, "unreached", "the body is too large"),
    "chunked without end": (endless, "unreached", "the body is too large"),
    "gzip bomb": (bomb, "unreached", "the body is too large"),
    "broken gzip": (lambda call: call.answer(BOMB[:100] + b"x" * 100,
                                             more=("Content-Encoding: gzip",)),
                    "bad_table", ""),
    "wrong base": (lambda call: call.answer(of_day(call, '"EUR":0.8,"USD":1')),
                   "bad_table", "the base is not EUR"),
    "another day": (lambda call: call.answer('{"data":{"2014-12-31":{"USD":1.25}}}'),
                    "bad_table", "no table of the day that was asked for"),
    "only bad rates": (lambda call: call.answer(of_day(call, '"USD":0')),
                       "bad_table", "no rates"),
}


@pytest.mark.parametrize("fault, result, detail", FAULTS.values(), ids=FAULTS.keys())
def test_the_next_provider_serves(shop, request, fault, result, detail):
    """At once, and the first one again when it works; the log tells both."""
    start = len(shop.service.log())
    shop.fca.fault = fault
    began = time.monotonic()
    stake = beats_in_time(shop, request.node.name, shop.convert)
    shop.fca.fault = None
    assert stake == SECOND
    # Well before the 2 s after which a call is given up.
    assert time.monotonic() - began < 1.5 * SCALE
    line = shop.wait_new_log(start, f"provider_failed .*result={result}.*")[0]
    assert "provider=freecurrencyapi" in line and detail in line
    assert shop.convert() == FIRST
    shop.wait_new_log(start, "provider_works provider=freecurrencyapi")


@pytest.mark.parametrize("fault", [
    lambda call: call.hold(),
    lambda call: call.drip(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 99),
    lambda call: (call.head(more=("Content-Length: 50",)), call.drip(b"{" * 50)),
], ids=["silence", "a byte a second", "a byte a second of the body"])
def test_a_slow_provider_is_given_two_seconds(make_shop, request, fault):
    """And not more; heartbeats do not wait for it."""
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter").start()
    shop.fca.fault = fault
    name = request.node.name

    def measure():
        began = time.monotonic()
        assert beats_in_time(shop, name, shop.convert) == SECOND
        took = shop.upstream.link.answer_times[-1] - began
        assert took > 1.9
        return took

    at_most(2.1, measure)
    shop.service.wait_log("provider_failed provider=freecurrencyapi result=unreached .*"
                          "(timed out|still comes)")


def test_all_providers_fit_into_the_time_of_a_request(make_shop, request):
    """Two of three are silent: each gets its share, and the third serves."""
    shop = make_shop().start()
    shop.fca.fault = shop.frankfurter.fault = lambda call: call.hold()

    def measure():
        began = time.monotonic()
        assert beats_in_time(shop, request.node.name, shop.convert) == THIRD
        return shop.upstream.link.answer_times[-1] - began

    at_most(4.5, measure)


def test_all_silent_is_an_error_in_time(make_shop, request):
    """Within REQUEST_TIMEOUT_SECONDS; what is known is answered meanwhile."""
    shop = make_shop(REQUEST_TIMEOUT_SECONDS="1.5").start()
    known = shop.new_day()
    assert shop.convert(known) == FIRST
    for api in shop.apis():
        api.fault = lambda call: call.hold()

    def measure():
        link = shop.upstream.link
        count = len(link.answers)
        began = time.monotonic()
        link.send(message("1", "100", date=f'"{shop.new_day()}"'))
        assert shop.convert(known) == FIRST
        assert link.answer_times[count] - began < 0.5 * SCALE
        answers = link.wait_answers(count + 2)
        assert is_error(answers[count + 1], 1)
        return link.answer_times[count + 1] - began

    at_most(1.55, lambda: beats_in_time(shop, request.node.name, measure))


WAITS = {"429": "limited", "401": "key_refused", "403": "key_refused", "503": "bad_status"}


@pytest.mark.parametrize("status, result", WAITS.items())
@pytest.mark.parametrize("more", [(), ("Retry-After: 60",)], ids=["", "Retry-After"])
def test_refusals(make_shop, status, result, more):
    """From the start on: the next one serves, without a storm of calls."""
    shop = make_shop()
    shop.fca.fault = lambda call: call.answer('{"message":"x"}', int(status), more=more)
    shop.start()
    for _ in range(5):
        assert shop.convert() == SECOND
    shop.service.wait_log(f"provider_failed provider=freecurrencyapi result={result} "
                          f'detail="status {status}"')
    assert len(shop.fca.calls) <= 6


@pytest.mark.parametrize("status", ["429", "401", "403", "503"])
def test_a_provider_that_said_to_wait_is_left_alone(make_shop, status):
    """No further call before the time that it asked for is over."""
    shop = make_shop()
    shop.fca.fault = lambda call: call.answer("", int(status), more=("Retry-After: 60",))
    shop.start()
    calls = len(shop.fca.calls)
    for _ in range(4):
        assert shop.convert() == SECOND
    assert len(shop.fca.calls) == calls


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(shop, status):
    """So the key goes nowhere else."""
    with RawUpstream() as target:
        where = f"Location: http://127.0.0.1:{target.port}/v1/latest"
        shop.fca.fault = lambda call: call.answer("", status, more=(where,))
        assert shop.convert() == SECOND
        shop.fca.fault = None
        assert not target.is_tried(0)
    assert shop.convert() == FIRST


def test_every_provider_failing_is_an_error(shop):
    """With the request's id, and at once; then all is well again."""
    for api in shop.apis():
        api.fault = lambda call: call.answer("", 500)
    assert is_error(shop.ask(), 456)
    for api in shop.apis():
        api.fault = None
    assert shop.convert() == FIRST


def test_bad_rates_are_left_out(shop):
    """The rest of their table serves; the log says how many they were."""
    day = shop.new_day()
    shop.fca.tables[day] = {"JPY": "0", "KRW": "-1", "CHF": '"1.1"', "SEK": "1e12",
                            "NOK": "1e999", "USD": "1.250", "BTC": "1.4205427e-5"}
    start = len(shop.service.log())
    assert shop.convert(day) == FIRST
    shop.wait_new_log(start, "rates_left_out provider=freecurrencyapi bad_rates=5 "
                             "currency=JPY")
    assert shop.convert(day, "1", "BTC") == "70395.63119"
    assert set(shop.service.rates(day)["rates"]) == {"USD", "BTC"}


def test_frankfurter_with_another_base_or_amount(make_shop):
    """Its rates would be rounded ones: the next provider serves."""
    shop = make_shop(FREECURRENCYAPI_KEY=None).start()
    for more in ({"base": "USD"}, {"amount": "10.0"}):
        shop.frankfurter.fault = lambda call, more=more: call.answer(
            frankfurter_body(call.path.rsplit("/", 1)[1], {"USD": "1.6"}, **more))
        assert shop.convert() == THIRD


@pytest.mark.parametrize("body", [
    "<html><body>Service unavailable<br></body></html>", "", "{}",
    "<Envelope><Cube><Cube time='2015-01-05'><Cube currency='USD' rate='1'/></Cube>"
    "</Cube></Envelope>"], ids=["HTML", "empty", "JSON", "another root"])
def test_the_ecb_s_file_is_something_else(make_shop, body):
    shop = make_shop(RATE_PROVIDERS="ecb frankfurter").start()
    shop.ecb.fault = lambda call: call.answer(body, kind="text/xml")
    assert shop.convert() == SECOND
    shop.service.wait_log("provider_failed provider=ecb result=bad_table "
                          'detail="not the XML of the ECB"')


# Currencies that one provider lacks

def test_a_currency_is_taken_from_the_second_table(make_shop):
    """Each answer uses one table; tables are never blended."""
    shop = make_shop(RATE_PROVIDERS="freecurrencyapi frankfurter")
    shop.frankfurter.rates = {"USD": "1.6", "XAF": "655.957"}
    shop.start()
    day = shop.new_day()
    assert shop.convert(day, "655957", "XAF") == "1000"
    assert shop.convert(day) == FIRST
    both = [shop.service.rates(day, **more) for more in ({}, {"currency": "XAF"})]
    assert [a["provider"] for a in both] == ["freecurrencyapi", "frankfurter"]
    assert [set(a["rates"]) for a in both] == [{"USD"}, {"USD", "XAF"}]
    assert len(shop.fca.calls) == len(shop.frankfurter.calls) + 1 == 2
    for _ in range(3):
        assert shop.convert(day, "655957", "XAF") == "1000"
    assert len(shop.frankfurter.calls) == 1


def test_a_currency_that_none_has(make_shop):
    """An error; it is remembered as long as the tables are."""
    shop = make_shop(FREECURRENCYAPI_KEY=None).start()
    day = shop.new_day()
    for _ in range(3):
        assert is_error(shop.ask(day, code="XAF"), 456)
    assert shop.convert(day) == SECOND
    assert shop.frankfurter.targets() == ["/v1/latest", f"/v1/{day}"]
    assert shop.ecb.targets() == ["/stats/eurofxref-hist.zip"]


def test_a_currency_that_only_a_failing_provider_may_have(make_shop):
    """That it is unknown is not remembered: next time it may be there."""
    shop = make_shop(FREECURRENCYAPI_KEY=None)
    shop.ecb.rates = {"USD": "1.28", "XAF": "655.957"}
    shop.start()
    day = shop.new_day()
    shop.ecb.fault = lambda call: call.answer("", 500)
    assert is_error(shop.ask(day, code="XAF"), 456)
    shop.ecb.fault = None
    assert shop.convert(day, "655957", "XAF") == "1000"


# How often providers are asked

def test_one_call_for_500_requests_of_a_new_day(shop):
    shop.fca.fault = None
    before = len(shop.fca.calls)
    assert shop.ask_all([shop.new_day()] * 500) == [FIRST] * 500
    assert len(shop.fca.calls) == before + 1


def test_one_call_while_it_takes_long(shop):
    """Those that come while it runs are served by it, too."""
    day = shop.new_day()
    before = len(shop.fca.calls)

    def slow(call):
        call.api.over.wait(0.5)
        call.api.reply(call)

    shop.fca.fault = slow
    link = shop.upstream.link
    count = len(link.answers)
    link.send(message("1", "100", date=f'"{day}"'))
    wait_until(lambda: len(shop.fca.calls) > before, "the call")
    link.send(*[message("1", "100", date=f'"{day}"')] * 199)
    answers = link.wait_answers(count + 200)[count:]
    shop.fca.fault = None
    assert {stake_of(a) for a in answers} == {FIRST}
    assert len(shop.fca.calls) == before + 1


def test_the_ecb_s_files_serve_many_days(make_shop):
    """The 90 days and the whole history are each fetched once."""
    shop = make_shop(RATE_PROVIDERS="ecb").start()
    recent = working_days(str(utc_today() - 60 * ONE_DAY))
    for days in (working_days("2003-03-03"), recent):
        for _ in range(15):
            assert shop.convert(next(days)) == THIRD
    assert sorted(shop.ecb.targets()) == [
        "/stats/eurofxref-daily.xml", "/stats/eurofxref-hist-90d.xml",
        "/stats/eurofxref-hist.zip"]


def test_the_ecb_s_file_serves_many_days_asked_at_once(make_shop):
    """Those who ask while it is being fetched wait for the same file."""
    shop = make_shop(RATE_PROVIDERS="ecb").start()
    days = [shop.new_day() for _ in range(20)]
    assert shop.ask_all(days) == [THIRD] * 20
    assert shop.ecb.targets().count("/stats/eurofxref-hist.zip") == 1


def test_more_days_than_a_provider_is_asked_for_at_a_time(make_shop):
    """They wait for their turn; that is no failure of the provider."""
    shop = make_shop(RATE_PROVIDERS="frankfurter", REQUEST_TIMEOUT_SECONDS="30")
    running, most = set(), [0]

    def reply(call):
        running.add(call)
        most[0] = max(most[0], len(running))
        call.api.over.wait(0.1)
        running.discard(call)
        call.api.reply(call)

    shop.frankfurter.fault = reply
    shop.start()
    days = [shop.new_day() for _ in range(240)]  # three seconds of calls
    assert shop.ask_all(days) == [SECOND] * len(days)
    assert most[0] == 8
    assert "provider_failed" not in shop.service.log()
    [row] = shop.service.status()["providers"]
    assert row["state"] == "ok"
