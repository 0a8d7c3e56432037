"""Currencies that the euro has replaced: spec section 3, Regulation (EC) No 2866/98."""
import json

import pytest

from amounts import error, euro, message, stake_of, today, write_rates
from conftest import Talk
from service import Service
from upstream import Upstream

# The provider goes on with rates of its own, as some do.
ROWS = {
    "1999-01-04": {"USD": "1.1789", "DEM": "1.9"},
    "2007-01-02": {"USD": "1.3270", "SIT": "239.5"},
    "2022-12-30": {"USD": "1.0666", "HRK": "7.5365"},
    "2023-01-02": {"USD": "1.0683", "HRK": "7.6"},
    "2025-12-31": {"USD": "1.1750", "BGN": "1.9558"},
    today(-1): {"USD": "1.1576", "BGN": "2"},
}
# Day, currency, rate, and since when it is fixed.
DAYS = [
    ("2022-12-31", "HRK", "7.5365", None), ("2023-01-01", "HRK", "7.53450", "2023-01-01"),
    ("2023-03-01", "HRK", "7.53450", "2023-01-01"), ("2025-12-31", "BGN", "1.9558", None),
    ("2026-01-01", "BGN", "1.95583", "2026-01-01"), ("2026-02-01", "BGN", "1.95583", "2026-01-01"),
    ("1999-01-04", "DEM", "1.95583", "1999-01-01"), ("2001-06-01", "DEM", "1.95583", "1999-01-01"),
    ("2007-01-02", "SIT", "239.640", "2007-01-01"), (None, "BGN", "1.95583", "2026-01-01"),
    (None, "ITL", "1936.27", "1999-01-01"),
]
REGULATIONS = {"HRK": "(EU) 2022/1208", "BGN": "(EU) 2025/1409", "DEM": "(EC) No 2866/98",
               "SIT": "(EC) No 1086/2006", "ITL": "(EC) No 2866/98"}


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    path = tmp_path_factory.mktemp("rates") / "rates.csv"
    write_rates(path, ROWS)
    with Upstream() as up:
        service = Service({"REQUESTS_WS_URL": up.url, "RATES_FILE": path})
        try:
            service.start()
            up.wait_link()
            yield Talk(up, service)
        except BaseException:
            service.remove()
            raise
        service.finish()


@pytest.mark.smoke
@pytest.mark.parametrize("day, code, rate, since", DAYS)
def test_the_answer(talk, day, code, rate, since):
    """By the provider's rate before the day, by the law's from then on."""
    answer = talk.ask(message(stake="12345.67", currency=f'"{code}"',
                              date=f'"{day or today()}"'))
    assert stake_of(answer) == euro("12345.67", rate)


@pytest.mark.parametrize("day, code, rate, since", DAYS)
def test_the_command_names_the_law(talk, day, code, rate, since):
    args = [day] if day else []
    done = talk.service.command("convert", "100", code, *args)
    begin = f"{euro('100', rate)} EUR = 100 {code} / {rate} ("
    assert done.stdout.startswith(begin), done.stdout + done.stderr
    if since:
        assert done.stdout == (f"{begin}fixed since {since}, "
                               f"Council Regulation {REGULATIONS[code]})\n")
    else:
        assert ", file, " in done.stdout


def test_the_table_of_a_day(talk):
    """What is fixed is told apart, and the provider's own is not there."""
    before = talk.service.rates("2025-12-31")
    assert before["rates"] == ROWS["2025-12-31"] and "BGN" not in before["fixed"]
    after = talk.service.rates("2026-01-01")
    assert after["as_of"] == "2025-12-31" and after["rates"] == {"USD": "1.1750"}
    assert len(after["fixed"]) == 21 and after["fixed"]["BGN"] == "1.95583"
    assert after["fixed"]["GRD"] == "340.750"
    lines = talk.service.command("rates", "2026-01-01").stdout.splitlines()
    assert "BGN 1.95583 fixed" in lines and "USD 1.1750" in lines and len(lines) == 23


def test_a_question_for_one(talk):
    told = talk.service.rates("2026-02-01", currency="BGN")
    assert (told["op"], told["layer"], told["provider"]) == ("rates", "fixed", "fixed")
    assert (told["as_of"], told["base"]) == ("2026-01-01", "EUR")
    assert told["rates"] == {"BGN": "1.95583"} and told["currency"] == "BGN"


def test_nothing_else_is_needed(make_service):
    """No ratefetcher, no socket of its own, no provider, no Redis."""
    with Upstream() as up:
        service = make_service({"REQUESTS_WS_URL": up.url},
                               wrappers={"ratefetcher": "exit 78"}).launch()
        link = up.wait_link()
        for day, code, rate, since in DAYS:
            if since:
                text = message(stake="1", currency=f'"{code}"', date=f'"{day or today()}"')
                assert stake_of(link.ask(text)) == euro("1", rate)
        assert json.loads(link.ask(message(currency='"EUR"')))["type"] == "message"
        done = service.command("convert", "1", "BGN", "2026-02-01")
        assert done.returncode == 0 and done.stdout.startswith("0.51129 EUR = 1 BGN / 1.95583 (")


def test_a_day_before_euro_rates_stays_an_error(talk):
    answer = talk.ask(message(currency='"DEM"', date='"1999-01-01"'))
    assert answer == error("date is before 1999-01-04, the first day of euro rates", "456")
