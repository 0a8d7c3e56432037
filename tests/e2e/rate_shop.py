"""A service whose rates come from stand-ins of all providers."""
import contextlib
import datetime
import json
import os
import re
import time
from urllib.parse import quote

from amounts import euro, message, stake_of
from places import SANITIZED, VALGRIND
from service import Service
from standins import (CurrencyApi, Ecb, ExchangeRateApi, ExchangeRateHost, Fixer,
                      FreeCurrencyApi, Frankfurter, OpenExchangeRates)
from upstream import Upstream
from waiting import Stalls, wait_until

# Each provider has a rate of its own, so that an answer tells who was asked.
USD = {"freecurrencyapi": "1.25", "frankfurter": "1.6", "ecb": "1.28",
       "exchangerateapi": "1.5625", "fixer": "2.5", "currencyapi": "3.125"}
EURO_OF_HOST, EURO_OF_OPEN = "0.7", "0.9"  # their base is the dollar
FROM = {name: euro("100", rate) for name, rate in USD.items()}
FIRST, SECOND, THIRD = FROM["freecurrencyapi"], FROM["frankfurter"], FROM["ecb"]
FROM["exchangeratehost"] = euro("100", of_euro=EURO_OF_HOST)
FROM["openexchangerates"] = euro("100", of_euro=EURO_OF_OPEN)
KEYS = {"FREECURRENCYAPI_KEY": FreeCurrencyApi.key,
        "EXCHANGE_ACCESS_KEY": ExchangeRateHost.key,
        "EXCHANGERATEAPI_KEY": ExchangeRateApi.key}

LATER_KEYS = OpenExchangeRates.key, Fixer.key, CurrencyApi.key

BEAT_SECONDS = 0.2
BEAT_LATE = 0.05  # the bound of the contract
worst_beats = {}  # {test: seconds}, told at the end


def working_days(first):
    """Days that all providers publish, each once."""
    day = datetime.date.fromisoformat(first)
    while True:
        if day.weekday() < 5:
            yield str(day)
        day += datetime.timedelta(days=1)


class RateShop:
    """An upstream, the stand-ins, and a service between them."""

    def __init__(self, tls=None, upstream_beat=0.2, **settings):
        self._stack = contextlib.ExitStack()
        enter = self._stack.enter_context
        self.upstream = enter(Upstream(beat=upstream_beat))
        self.fca = enter(FreeCurrencyApi({"USD": USD["freecurrencyapi"]}, tls))
        self.frankfurter = enter(Frankfurter({"USD": USD["frankfurter"]}, tls))
        self.ecb = enter(Ecb({"USD": USD["ecb"]}, tls))
        self.host = enter(ExchangeRateHost({"EUR": EURO_OF_HOST}, tls))
        self.era = enter(ExchangeRateApi({"USD": USD["exchangerateapi"]}, tls))
        self.open = enter(OpenExchangeRates({"EUR": EURO_OF_OPEN}, tls))
        self.fixer = enter(Fixer({"USD": USD["fixer"]}, tls))
        self.currencyapi = enter(CurrencyApi({"USD": USD["currencyapi"]}, tls))
        self.settings = {
            "REQUESTS_WS_URL": self.upstream.url,
            "RATE_PROVIDERS": None, "RATES_FILE": None, "LATEST_MAX_AGE_DAYS": None,
            "FREECURRENCYAPI_KEY": FreeCurrencyApi.key,
            "FREECURRENCYAPI_URL": self.fca.url,
            "EXCHANGERATEHOST_URL": self.host.url,
            "EXCHANGERATEAPI_URL": self.era.url,
            "OPENEXCHANGERATES_URL": self.open.url,
            "FIXER_URL": self.fixer.url,
            "CURRENCYAPI_URL": self.currencyapi.url,
            "FRANKFURTER_URL": self.frankfurter.url,
            "ECB_URL": self.ecb.url,
            "HEARTBEAT_INTERVAL_SECONDS": BEAT_SECONDS,
            "PROVIDER_CALLS_PER_MINUTE": "100000",
            "LOG_LEVEL": "debug",
        } | settings
        self.service = None
        self._days = working_days("2015-01-05")

    def apis(self):
        """Those that are asked when freecurrencyapi has the only key."""
        return self.fca, self.frankfurter, self.ecb

    def prepare(self, **more):
        self.service = Service(self.settings, **more)
        return self

    def start(self, **more):
        self.prepare(**more)
        self.service.start()
        self.upstream.wait_link()
        return self

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if self.service and kind:
                self.service.remove()
            elif self.service:
                self.assert_secret()
                self.service.finish()
        finally:
            self._stack.close()

    def new_day(self):
        """A day that nobody has asked for yet."""
        return next(self._days)

    def ask(self, day=None, stake="100", code="USD", seconds=10):
        """The answer to a request."""
        day = day or self.new_day()
        text = message(stake=stake, currency=f'"{code}"', date=f'"{day}"')
        return self.upstream.link.ask(text, seconds)

    def convert(self, day=None, stake="100", code="USD", seconds=10):
        """The stake in euro, as its digits."""
        return stake_of(self.ask(day, stake, code, seconds))

    def ask_all(self, days, code="USD"):
        """Asks for many days at once; gives the stakes in their order."""
        link = self.upstream.link
        before = len(link.answers)
        link.send(*(message(str(i), "100", f'"{code}"', f'"{day}"')
                    for i, day in enumerate(days)))
        answers = link.wait_answers(before + len(days))[before:]
        by_id = {json.loads(a)["id"]: a for a in answers}
        return [stake_of(by_id[i]) for i in range(len(days))]

    def wait_new_log(self, start, pattern, seconds=5):
        """Waits for a line in what was logged since `start`."""
        found = wait_until(lambda: re.search(pattern, self.service.log()[start:]),
                           f"{pattern} in:\n{self.service.log()[start:]}", seconds)
        return found

    def assert_secret(self, *others):
        """A key, or another secret, is in no log, status, title, and in no environment but two."""
        shown = [self.service.log(), json.dumps(self.service.status()),
                 self.service.command("check").stdout, *self.service.titles().values()]
        for pid, title in self.service.titles().items():
            if "wsclient" in title or "monitor" in title:
                with open(f"/proc/{pid}/environ", "rb") as environment:
                    shown.append(environment.read().decode("latin-1"))
        for key in (*KEYS.values(), *LATER_KEYS, *others):
            for form in (key, quote(key, safe="")):
                assert not [text for text in shown if form in text]


def beats_in_time(shop, name, run):
    """Runs something and checks that no heartbeat was late meanwhile."""
    link = shop.upstream.link
    start = time.monotonic()
    with Stalls() as stalls:
        result = run()
        end = time.monotonic()
        # The next beat shows whether the time just over was kept.
        wait_until(lambda: link.beats and link.beats[-1] > end, "another beat")
    times = [at for at in link.beats if at > start - 2 * BEAT_SECONDS]
    gap = max(b - a for a, b in zip(times, times[1:]))
    worst_beats[name] = gap
    assert_gap(gap, stalls)
    return result


def assert_gap(gap, stalls):
    """
    The bound of the contract, and what the machine itself was late; one with
    more to do than it has processors can show no more than that beats go on.
    """
    busy = VALGRIND or SANITIZED or os.getloadavg()[0] > os.cpu_count()
    late = 10 * BEAT_LATE if busy else BEAT_LATE
    assert gap <= BEAT_SECONDS + late + 2 * stalls.worst, f"a gap of {gap:.3f} s"


def worst_gap(times, stalls):
    """Checks beats of a link and tells the largest gap between them."""
    gap = max(b - a for a, b in zip(times, times[1:]))
    print(f"\nlargest gap between heartbeats (interval {BEAT_SECONDS} s): {gap:.3f} s")
    assert_gap(gap, stalls)


def tell_worst_beats():
    if worst_beats:
        name = max(worst_beats, key=worst_beats.get)
        print(f"\nlargest gap between heartbeats (interval {BEAT_SECONDS} s): "
              f"{worst_beats[name]:.3f} s, in {name}")
