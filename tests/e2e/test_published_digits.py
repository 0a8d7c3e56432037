"""Every rate of a history comes with the very digits of the publication: spec section 3."""
import os
import re
from pathlib import Path

import pytest

from amounts import read_rates
from places import DEMO_RATES, SCALE
from rate_shop import RateShop
from redis_server import RedisServer

FIXTURES = Path(os.environ["FXWIRE_FIXTURES"]) / "ecb" if "FXWIRE_FIXTURES" in os.environ else None
HISTORIES = [DEMO_RATES, *(sorted(FIXTURES.glob("*hist*")) if FIXTURES else [])]
HEAD = ('<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope '
        'xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>')


def published(path):
    """{day: {code: text}} of a history, by reading its text and nothing else."""
    if path.suffix == ".csv":
        return read_rates(path)
    days = re.split(r"""<Cube time=["']([-\d]+)["']>""", path.read_text())[1:]
    pair = re.compile(r"""<Cube currency=["'](\w+)["'] rate=["']([^"']+)["']/>""")
    return {day: dict(pair.findall(body)) for day, body in zip(days[::2], days[1::2])}


def zeros(rates):
    """The same with a zero more at the end of what has decimals."""
    return {day: {code: rate + "0" * ("." in rate) for code, rate in table.items()}
            for day, table in rates.items()}


def as_xml(rates):
    cubes = [f'<Cube time="{day}">' + "".join(
        f'<Cube currency="{code}" rate="{rate}"/>' for code, rate in table.items()) + "</Cube>"
        for day, table in sorted(rates.items(), reverse=True)]
    return HEAD + "".join(cubes) + "</Cube></gesmes:Envelope>"


def as_csv(rates):
    codes = sorted({code for table in rates.values() for code in table})
    lines = ["Date," + ",".join(codes)]
    lines += [f"{day}," + ",".join(rates[day].get(code, "N/A") for code in codes)
              for day in sorted(rates, reverse=True)]
    return "\n".join(lines) + "\n"


def told(shop, days):
    """{day: rates} of rates.sock; none but those of that very day."""
    questions = [{"op": "rates", "date": day} for day in days]
    answers = shop.service.ask("rates.sock", *questions, seconds=30 * SCALE)
    assert all(a["as_of"] == a["date"] for a in answers)
    return {a["date"]: a["rates"] for a in answers}


def one_rate_each(rates):
    """A currency of each day, another one each time."""
    for number, (day, table) in enumerate(sorted(rates.items())):
        code = sorted(table)[number % len(table)]
        yield day, code, table[code]


@pytest.mark.parametrize("provider", ["file", "ecb"])
@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.name)
def test_a_history(path, provider, tmp_path):
    for number, rates in enumerate((published(path), zeros(published(path)))):
        file = tmp_path / f"{number}.csv"
        file.write_text(as_csv(rates))
        with RateShop(RATE_PROVIDERS=provider, RATES_FILE=file, FREECURRENCYAPI_KEY=None) as shop:
            body = as_xml(rates)
            shop.ecb.fault = lambda call, body=body: call.answer(body, kind="text/xml")
            shop.prepare().service.launch()
            shop.upstream.wait_link()
            assert told(shop, sorted(rates)) == rates
            for day, code, rate in list(one_rate_each(rates))[:10]:
                line = shop.service.command("convert", "1", code, day).stdout
                assert f" EUR = 1 {code} / {rate} ({day}, {provider}, " in line


@pytest.fixture
def redis():
    with RedisServer() as one:
        yield one.start()


def test_out_of_redis(redis):
    """Another machine's table has the digits that the provider had, here as JSON numbers."""
    rates = {"2021-05-18": {"JPY": "133.160", "USD": "1.2220"}}
    for provider_works in (True, False):
        with RateShop(RATE_PROVIDERS="frankfurter", REDIS_URL=redis.url()) as shop:
            shop.frankfurter.tables = rates
            if not provider_works:
                shop.frankfurter.fault = lambda call: call.answer("", 503)
            shop.prepare().service.launch()
            shop.upstream.wait_link()
            assert told(shop, rates) == rates
