"""What the answers have to be, computed from the rates' own text."""
import csv
import datetime
import json
import math
import os
import re
import time
from fractions import Fraction

from places import DEMO_RATES

BEAT = '{"type":"heartbeat"}'
PREFIX = "Unable to convert stake. Error: "
NOW_DATE = r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"'
DATE = '"2021-05-18T21:32:42.324Z"'


def euro(stake, rate="1", of_euro="1"):
    """stake * of_euro / rate to five decimals, half away from zero, printed plainly."""
    exact = Fraction(stake) * Fraction(of_euro) / Fraction(rate)
    scaled = math.floor(exact * 10**5 + Fraction(1, 2))
    whole, rest = divmod(scaled, 10**5)
    return f"{whole}.{rest:05d}".rstrip("0").rstrip(".")


def read_rates(path=DEMO_RATES):
    """{day: {code: rate as text}} of a CSV in the ECB's form."""
    with open(path, encoding="ascii", newline="") as file:
        return {
            row["Date"]: {
                code: rate for code, rate in row.items()
                if code not in ("Date", "", None) and rate not in ("N/A", "", None)
            }
            for row in csv.DictReader(file)
        }


def write_fresh_rates(path):
    """The demo's rates, and their newest ones once more as of today."""
    head, newest, *older = DEMO_RATES.read_text().splitlines()
    path.write_text("\n".join([head, newest.replace(newest.split(",")[0], today()),
                               newest, *older, ""]))
    os.utime(path, (time.time() - 60,) * 2)  # one that changes just now is read again
    return path


def rate_on(rates, day, code):
    """The rate of a day, or of the last published up to 7 days before it."""
    asked = datetime.date.fromisoformat(day)
    for back in range(8):
        table = rates.get(str(asked - datetime.timedelta(days=back)))
        if table is not None:
            return table.get(code)
    return None


def message(ident="456", stake="253.67", currency='"USD"', date=DATE):
    """A request; the values are given as JSON text."""
    return (
        f'{{"type":"message","id":{ident},"payload":{{"marketId":123456,'
        f'"selectionId":987654,"odds":2.2,"stake":{stake},'
        f'"currency":{currency},"date":{date}}}}}'
    )


def is_answer_to(text, answer):
    """
    Whether the ids agree, or one of both has none. An upstream may find an
    answer of an earlier link before the one that it asked for.
    """
    try:
        ident = json.loads(text)["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return True
    return json.loads(answer)["id"] in (ident, None)


def error(reason, ident="null"):
    """The whole text of an error."""
    return f'{{"type":"error","id":{ident},"message":"{PREFIX}{reason}"}}'


def is_error(answer, ident=None):
    """Whether an answer is a well-formed error, with that id (a value)."""
    told = json.loads(answer)
    return (
        set(told) == {"type", "id", "message"}
        and told["type"] == "error"
        and told["id"] == ident
        and told["message"].startswith(PREFIX)
        and len(told["message"]) > len(PREFIX)
    )


def stake_of(answer):
    """The stake's own digits in a response; fails for an error."""
    found = re.search(r'"stake":([0-9.]+)', answer)
    assert found, answer
    return found[1]


def today(plus_days=0):
    """The UTC day as YYYY-MM-DD."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return str((now + datetime.timedelta(days=plus_days)).date())


def write_rates(path, rows):
    """Writes {day: {code: rate}} as a CSV in the ECB's form, newest first."""
    codes = sorted({code for table in rows.values() for code in table})
    lines = ["Date," + ",".join(codes) + ","]
    for day in sorted(rows, reverse=True):
        lines.append(day + "," + ",".join(rows[day].get(c, "N/A") for c in codes) + ",")
    new = path.with_suffix(".new")
    new.write_text("\n".join(lines) + "\n")
    new.rename(path)
