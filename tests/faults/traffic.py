"""What is asked, and what each answer has to be."""
import datetime
import re

import e2e  # finds the next
from amounts import NOW_DATE, euro, is_error, message, rate_on, read_rates

# What is asked, of a hundred. A day that nobody has asked for has to be looked
# up, which takes its time: so that messages wait when a fault strikes.
SHARES = {"known": 60, "fresh": 20, "euro": 10, "bad": 10}
FRESH_IN_A_ROW = 6
FRESH_CODES = ("USD", "GBP", "JPY", "CHF", "NOK")
FIRST_FRESH = datetime.date(2003, 1, 6)
LAST_FRESH = datetime.date(2019, 12, 31)
_DAY = datetime.timedelta(days=1)
_MARK = "\0"

RIGHT, ERROR, REFUSED, WRONG = "right", "error", "refused", "wrong"


def fresh_rates(day):
    """{code: digits} that the slow provider has for a day: each has its own."""
    number = datetime.date.fromisoformat(str(day)).toordinal()
    return {code: f"{place + 1}.{(number * 7919 + place) % 90000 + 10000}"
            for place, code in enumerate(FRESH_CODES)}


class Question:
    """A request without its id; `stake_in_euro` is None where an error is right."""

    __slots__ = ("stake", "currency", "date", "stake_in_euro")

    def __init__(self, stake, currency, date, stake_in_euro):
        self.stake = stake
        self.currency = currency
        self.date = date
        self.stake_in_euro = stake_in_euro

    def text(self, ident):
        return message(f'"{ident}"', self.stake, f'"{self.currency}"', f'"{self.date}"')

    def judge(self, ident, answer):
        """
        What an answer is. A response is right if it is the request byte for
        byte, but for its three values; an error is REFUSED where none is right.
        """
        if self.stake_in_euro is None:
            return ERROR if is_error(answer, ident) else WRONG
        head, tail = message(f'"{ident}"', self.stake_in_euro, '"EUR"', _MARK).split(_MARK)
        date = answer[len(head):len(answer) - len(tail)]
        if answer == head + date + tail and re.fullmatch(NOW_DATE, date):
            return RIGHT
        return REFUSED if is_error(answer, ident) else WRONG


class Traffic:
    """Questions without end, by a random generator of the caller."""

    def __init__(self, rng):
        self._rng = rng
        self._rates = read_rates()
        self._days = sorted(self._rates)
        self._fresh = FIRST_FRESH
        self._fresh_left = 0
        self._makers = {"known": self._known, "fresh": self._of_fresh_day,
                        "euro": self._in_euro, "bad": self._bad}

    def next(self):
        kind = self._rng.choices(list(SHARES), SHARES.values())[0]
        return self._makers[kind]()

    def _stake(self):
        decimals = self._rng.randrange(0, 7)
        digits = str(self._rng.randrange(10 ** self._rng.randrange(1, 10)))
        digits = digits.rjust(decimals + 1, "0")
        return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits

    def _moment(self, day):
        """A date of that UTC day, in one of the forms that are allowed."""
        rng = self._rng
        midnight = datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
        moment = midnight + datetime.timedelta(milliseconds=rng.randrange(86_400_000))
        form = rng.randrange(4)
        if form == 0:
            return str(day)
        if form == 1:
            zone = datetime.timezone(datetime.timedelta(minutes=rng.randrange(-720, 721)))
            return moment.astimezone(zone).isoformat(timespec="milliseconds")
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _question(self, code, day, rate):
        stake = self._stake()
        return Question(stake, code, self._moment(day), rate and euro(stake, rate))

    def _known_day(self):
        """A day of the file, or one soon after it, which its table serves too."""
        day = datetime.date.fromisoformat(self._rng.choice(self._days[:-1]))
        return day + self._rng.choice((0, 0, 1, 7)) * _DAY

    def _known(self):
        while True:
            day = self._known_day()
            code = self._rng.choice(("USD", "JPY", "GBP", "CHF", "SEK", "HUF", "NOK", "CZK"))
            rate = rate_on(self._rates, str(day), code)
            if rate:
                return self._question(code, day, rate)

    def _of_fresh_day(self):
        if self._fresh_left == 0:
            self._fresh_left = self._rng.randrange(1, FRESH_IN_A_ROW + 1)
            self._fresh += (3 if self._fresh.weekday() == 4 else 1) * _DAY
            if self._fresh > LAST_FRESH:
                self._fresh = FIRST_FRESH
        self._fresh_left -= 1
        code = self._rng.choice(FRESH_CODES)
        return self._question(code, self._fresh, fresh_rates(self._fresh)[code])

    def _in_euro(self):
        return self._question("EUR", self._known_day(), "1")

    def _bad(self):
        stake, day = self._stake(), self._known_day()
        return self._rng.choice((
            Question(stake, "XXQ", str(day), None),  # no provider has it
            Question(stake, "usd", str(day), None),
            Question("-1", "USD", str(day), None),
            Question(stake, "USD", "2021-02-30", None),
            Question(stake, "USD", "1999-01-03", None)))
