"""Dates of requests, and the day whose rates they get."""
import datetime

import pytest

from amounts import error, euro, message, rate_on, read_rates, stake_of, today, write_rates

FORM = error("date must be an RFC 3339 date-time or YYYY-MM-DD", "456")
IMPOSSIBLE = error("date is impossible", "456")
EARLY = error("date is before 1999-01-04, the first day of euro rates", "456")
FUTURE = error("date is in the future", "456")
NO_RATES = error("no rates can be had for this date", "456")
RATES = read_rates()


@pytest.mark.parametrize("date, day", [
    ("2021-05-18", "2021-05-18"),
    ("2021-05-18T21:32:42.324Z", "2021-05-18"),
    ("2021-05-18T21:32:42Z", "2021-05-18"),
    ("2021-05-18T00:00:00Z", "2021-05-18"),
    ("2021-05-18T23:59:59.999999999999Z", "2021-05-18"),
    ("2021-05-18T21:32:42." + "3" * 300 + "Z", "2021-05-18"),
    ("2021-05-18t21:32:42z", "2021-05-18"),
    ("2021-05-18T21:32:42+00:00", "2021-05-18"),
    ("2021-05-18T21:32:42-00:00", "2021-05-18"),
    ("2021-05-18T01:59:59+02:00", "2021-05-17"),
    ("2021-05-18T02:00:00+02:00", "2021-05-18"),
    ("2021-05-18T22:00:00-02:00", "2021-05-19"),
    ("2021-05-18T21:59:59.9-02:00", "2021-05-18"),
    ("2021-05-18T23:00:00+23:59", "2021-05-17"),
    ("2021-05-18T01:00:00-23:59", "2021-05-19"),
    ("2021-05-22", "2021-05-21"),  # a Saturday
    ("2021-05-23T12:00:00Z", "2021-05-21"),  # a Sunday
    ("2021-05-24T01:00:00+02:00", "2021-05-21"),  # still Sunday in UTC
    ("2025-04-18", "2025-04-17"),  # Good Friday
    ("2025-04-21", "2025-04-17"),  # Easter Monday
    ("2002-01-01", "2001-12-28"),  # New Year's Day
    ("1999-01-04", "1999-01-04"),  # the first day
    ("1999-01-04T00:00:00Z", "1999-01-04"),
    ("1999-01-10", "1999-01-08"),
    ("2021-06-07", "2021-05-31"),  # 7 days after the last one of the file
    ("2026-08-25", "2026-08-18"),
])
def test_the_utc_day_counts(talk, date, day):
    """Its table, or the last one published up to 7 days before."""
    assert rate_on(RATES, day, "USD") == RATES[day]["USD"]
    answer = talk.ask(message(date=f'"{date}"'))
    assert stake_of(answer) == euro("253.67", RATES[day]["USD"])


@pytest.mark.parametrize("date, refusal", [
    ("2021-02-29", IMPOSSIBLE), ("2021-13-01", IMPOSSIBLE), ("2021-00-10", IMPOSSIBLE),
    ("2021-04-31", IMPOSSIBLE), ("2021-05-00", IMPOSSIBLE), ("2021-05-32", IMPOSSIBLE),
    ("2100-02-29", IMPOSSIBLE), ("2021-05-18T24:00:00Z", IMPOSSIBLE),
    ("2021-05-18T25:00:00Z", IMPOSSIBLE), ("2021-05-18T12:60:00Z", IMPOSSIBLE),
    ("2021-05-18T12:00:61Z", IMPOSSIBLE), ("2021-05-18T12:00:00+24:00", IMPOSSIBLE),
    ("2021-05-18T12:00:00+02:60", IMPOSSIBLE),
    ("1999-01-03", EARLY), ("1999-01-03T23:59:59.999Z", EARLY), ("0000-01-01", EARLY),
    ("1999-01-04T00:30:00+01:00", EARLY), ("1970-01-01", EARLY),
    ("9999-12-31", FUTURE), ("2100-01-01T00:00:00Z", FUTURE),
])
def test_impossible_dates_and_days_out_of_bounds_are_errors(talk, date, refusal):
    assert talk.ask(message(date=f'"{date}"')) == refusal


@pytest.mark.parametrize("date", [
    '""', '"x"', '"20210518"', '"2021-5-18"', '"2021-05-18 "', '" 2021-05-18"',
    '"2021-05-18T21:32:42"', '"2021-05-18T21:32Z"', '"2021-05-18T21:32:42.Z"',
    '"2021-05-18T21:32:42,3Z"', '"2021-05-18T21:32:42+0200"', '"2021-05-18T21:32:42+02"',
    '"2021-05-18T"', '"2021-05-18Z"', '"18.05.2021"', '"2021/05/18"', '"+2021-05-18"',
    '"2021-05-18T21:32:42Zx"', '"２０２１-05-18"', '"2021-05-18\\u0000"', "1621373562",
    '"2021-W20-2"', '"2021-138"', '"latest"', '"now"', '"' + "2" * 5000 + '"',
])
def test_other_forms_are_errors(talk, date):
    assert talk.ask(message(date=date)) == FORM


@pytest.mark.parametrize("date", ["2020-02-29", "2000-02-29", "2016-12-31"])
def test_days_without_a_table_in_a_week_are_errors(talk, date):
    """They are good days, but the file has none near."""
    assert talk.ask(message(date=f'"{date}"')) == NO_RATES


def test_no_further_back_than_seven_days(talk):
    """2021-06-08 is 8 days after the last table before it."""
    assert talk.ask(message(date='"2021-06-08"')) == NO_RATES


def test_a_leap_second_belongs_to_its_day_or_is_refused(talk):
    """RFC 3339 allows 23:59:60 on the last of a month."""
    answer = talk.ask(message(date='"2021-05-31T23:59:60Z"'))
    assert answer == IMPOSSIBLE or stake_of(answer) in (
        euro("253.67", RATES["2021-05-31"]["USD"]),)


@pytest.mark.smoke
def test_today_takes_the_latest_table(talk):
    """Whatever its day is; so does a moment a few minutes ahead."""
    latest = euro("253.67", RATES["2026-08-18"]["USD"])
    now = datetime.datetime.now(datetime.timezone.utc)
    soon = (now + datetime.timedelta(minutes=4)).isoformat()
    for date in (today(), now.isoformat(), soon):
        assert stake_of(talk.ask(message(date=f'"{date}"'))) == latest


def test_days_after_today_are_errors(talk):
    for date in (today(2), today(400)):
        assert talk.ask(message(date=f'"{date}"')) == FUTURE
    ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1, minutes=6)
    assert talk.ask(message(date=f'"{ahead.isoformat()}"')) == FUTURE


def test_an_earlier_day_takes_its_own_table(upstream, start, tmp_path):
    """Yesterday is not answered by the latest table, if it has one of its own."""
    path = tmp_path / "rates.csv"
    days = {today(): "2", today(-1): "4", today(-2): "5", today(-9): "8"}
    write_rates(path, {day: {"USD": rate} for day, rate in days.items()})
    start(upstream, RATES_FILE=path)
    for day, amount in ((0, "50"), (-1, "25"), (-2, "20"), (-3, "12.5"), (-9, "12.5")):
        answer = upstream.link.ask(message("1", "100", date=f'"{today(day)}"'))
        assert stake_of(answer) == amount, day
