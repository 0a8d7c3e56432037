"""Stakes and amounts."""
import json
import random

import pytest

from amounts import error, euro, message, read_rates, stake_of, write_rates
from service import Service
from upstream import Upstream

LARGE = error("stake must be below 1e15", "456")
PRECISE = error("stake must have at most 18 significant digits and 18 decimals", "456")
NEGATIVE = error("stake must not be negative", "456")


# Worked out by hand.
@pytest.mark.parametrize("stake, amount", [
    ("0", "0"), ("0.0", "0"), ("0e5", "0"), ("0.000004", "0"), ("0.0000049999", "0"),
    ("0.000005", "0.00001"), ("0.0000149", "0.00001"), ("0.000015", "0.00002"),
    ("0.000025", "0.00003"), ("1.000005", "1.00001"), ("1.0000049999999999", "1"),
    ("2.5", "2.5"), ("2.50", "2.5"), ("100", "100"), ("1e2", "100"), ("1E+2", "100"),
    ("1000e-1", "100"), ("100.00000", "100"), ("207.520541", "207.52054"),
    ("207.520545", "207.52055"), ("0.1e-4", "0.00001"), ("5e-6", "0.00001"),
    ("999999999999999", "999999999999999"), ("999999999999999.994", "999999999999999.994"),
    ("0.99999499999", "0.99999"), ("0.999995", "1"), ("1e14", "100000000000000"),
    ("0.000000000000000001", "0"), ("123456789012.345678", "123456789012.34568"),
    ("1" + "0" * 14, "100000000000000"), ("1." + "0" * 400, "1"), ("1.5e0", "1.5"),
    ("0." + "0" * 400, "0"), ("0e400", "0"), ("12345678901234567e-17", "0.12346"),
])
def test_euro_is_rounded_like_any_other(talk, stake, amount):
    """To five decimals, half away from zero, printed plainly."""
    assert stake_of(talk.ask(message(stake=stake, currency='"EUR"'))) == amount


@pytest.mark.parametrize("stake, refusal", [
    ("-1", NEGATIVE), ("-0", NEGATIVE), ("-0.0", NEGATIVE), ("-1e-5", NEGATIVE),
    ("1e15", LARGE), ("1000000000000000", LARGE), ("1e400", LARGE), ("1e999999999", LARGE),
    ("9" * 16, LARGE), ("1e99999999999999999999", LARGE),
    ("1e-19", PRECISE), ("1e-400", PRECISE), ("1.0000000000000000001", PRECISE),
    ("1234567890123.456789", PRECISE), ("0." + "3" * 400, PRECISE),
    ("1e-99999999999999999999", PRECISE),
    ('"1"', error("stake must be a number", "456")),
    ("null", error("stake must be a number", "456")),
])
@pytest.mark.parametrize("currency", ['"EUR"', '"USD"'])
def test_stakes_out_of_bounds_are_refused(talk, stake, refusal, currency):
    assert talk.ask(message(stake=stake, currency=currency)) == refusal


def test_400_digits_are_refused(talk):
    """Too large or too precise: either is true."""
    assert talk.ask(message(stake="9" * 400)) in (LARGE, PRECISE)


@pytest.fixture(scope="module")
def rates_file(tmp_path_factory):
    """Rates that make half-way cases, and the limits."""
    path = tmp_path_factory.mktemp("rates") / "rates.csv"
    write_rates(path, {"2021-05-18": {
        "AAA": "8", "BBB": "3", "CCC": "0.000000001", "DDD": "10000000000",
        "EEE": "1.23456789012345678", "FFF": "0.000000001000000001", "GGG": "1.6",
        "HHH": "123456789.123456789", "III": "1.222385", "JJJ": "7",
    }})
    return path


@pytest.fixture(scope="module")
def odd_talk(rates_file):
    """A service that knows those rates."""
    with Upstream(beat=1) as up:
        service = Service({"REQUESTS_WS_URL": up.url, "HEARTBEAT_TIMEOUT_SECONDS": "60",
                           "RATES_FILE": rates_file}).start()
        yield up.wait_link()
        service.finish()


# Worked out by hand.
@pytest.mark.parametrize("stake, currency, amount", [
    ("0.00004", "AAA", "0.00001"), ("0.00012", "AAA", "0.00002"),
    ("0.00003999999", "AAA", "0"), ("0.00119999", "AAA", "0.00015"),
    ("1", "BBB", "0.33333"), ("2", "BBB", "0.66667"), ("0.000015", "BBB", "0.00001"),
    ("0.000014999999999999", "BBB", "0"), ("1", "CCC", "1000000000"),
    ("999999999999999", "CCC", "999999999999999000000000"), ("1", "DDD", "0"),
    ("50000", "DDD", "0.00001"), ("49999.9999999999999", "DDD", "0"),
    ("0.000008", "GGG", "0.00001"), ("0.0000079", "GGG", "0"),
    ("253.67", "III", "207.52054"), ("1", "JJJ", "0.14286"),
    ("0.000000000000000001", "CCC", "0"), ("0.000000000000005", "CCC", "0.00001"),
])
def test_one_rounding_at_the_end(odd_talk, stake, currency, amount):
    answer = odd_talk.ask(message(stake=stake, currency=f'"{currency}"'))
    assert stake_of(answer) == amount


def test_long_rates_are_used_exactly(odd_talk, rates_file):
    """Random stakes of up to 18 digits against exact fractions."""
    table = read_rates(rates_file)["2021-05-18"]
    dice = random.Random(4)
    check_many(odd_talk, dice, [("2021-05-18", code, rate) for code, rate in table.items()])


@pytest.mark.smoke
def test_random_stakes_on_all_published_rates(talk):
    """Against exact fractions of the digits as they were sent."""
    published = [(day, code, rate) for day, table in read_rates().items()
                 if day < "2026" for code, rate in table.items()]
    check_many(talk.upstream.link, random.Random(3), published)


def random_stake(dice):
    digits = str(dice.randrange(10 ** dice.randint(1, 15)))
    decimals = dice.randint(0, min(18, 18 - len(digits)))
    if decimals:
        digits += "." + str(dice.randrange(10**decimals)).zfill(decimals)
    if dice.random() < 0.2:
        digits += f"e-{dice.randint(0, 18 - decimals)}"
    return digits


def check_many(link, dice, published, count=2000):
    asked = {}
    for i in range(count):
        day, code, rate = dice.choice(published)
        stake = random_stake(dice)
        asked[i] = message(str(i), stake, f'"{code}"', f'"{day}"'), euro(stake, rate)
    before = len(link.answers)
    link.send(*(text for text, _ in asked.values()))
    got = link.wait_answers(before + count, 30)[before:]
    wrong = [(asked[n], a) for a in got
             if stake_of(a) != asked[n := json.loads(a)["id"]][1]]
    assert not wrong
