"""The page at STATUS_LISTEN, in a real browser."""
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from amounts import message, stake_of
from browser import PROGRAM, Browser
from standins import Ecb, Frankfurter
from tls_upstream import skip_loudly
from upstream import Upstream
from waiting import holds_for, wait_until

PROBES = (Path(__file__).parent / "page_probes.js").read_text()
AGES = ("since_seconds", "uptime_seconds", "heartbeat_age_seconds", "age_seconds")


class Tab:
    """The page of a service, in a tab of the browser."""

    def __init__(self, browser, port):
        self.browser = browser
        self.origin = f"http://127.0.0.1:{port}"
        browser.look(1280, 900)
        browser.requests.clear()
        browser.complaints.clear()
        browser.open(f"{self.origin}/")
        wait_until(lambda: "live" in self.text("live"), "it is live")

    def text(self, name):
        return self.browser.run(f'document.getElementById("{name}").textContent')

    def probe(self, name):
        return self.browser.run(f"({PROBES}).{name}()")

    def says(self, beginning):
        """Waits until the sentence at the top begins so."""
        wait_until(lambda: self.text("summary").startswith(beginning), beginning, 20)


@pytest.fixture(scope="module")
def browser():
    if PROGRAM is None:
        skip_loudly("the page in a browser: install chromium")
    with Browser() as one:
        yield one


@pytest.fixture
def opened(watched, browser):
    """opened(settings) gives a ready service and its page in a tab."""

    def begin(settings=None):
        service, page = watched({"RECONNECT_MAX_SECONDS": "0.1"} | (settings or {}))
        return service, Tab(browser, page.port)

    return begin


def found(status, path):
    """What stands in the status at `a/0/b`; None: nothing."""
    for step in path.split("/"):
        if isinstance(status, list):
            status = status[int(step)]
        else:
            status = (status or {}).get(step)
    return status


def agrees(path, shown, told):
    if path.endswith(AGES) and told is not None:
        return abs(shown - told) < 3
    return shown == told


def test_values_are_those_of_the_status(opened, upstream):
    service, tab = opened()
    for i in range(1200):
        upstream.link.send(message(str(i)))
    upstream.link.wait_answers(1200)
    assert stake_of(upstream.link.ask(message("1"))) == "207.55196"
    upstream.link.ask(message('"a"', currency='"usd"'))
    upstream.link.ask(message('"b"', currency='"XAF"'))
    service.wait_respawn("ratefetcher", service.kill("ratefetcher"))
    service.wait_ready()

    converted = lambda: service.status()["upstreams"][0].get("results", {}).get("converted")
    wait_until(lambda: converted() == 1201, "the status tells of the last one")

    def wrong():
        status = service.status()
        return [(path, shown, found(status, path)) for path, shown, _ in tab.probe("cells")
                if not agrees(path, shown, found(status, path))]

    # What another process reports has rows of its own, which may come later.
    rows = {"lookups/memory/miss", "providers/0/state", "providers/0/calls_month",
            "latest/as_of", "upstreams/0/ledger_bytes", "last_warnings/0/event"}
    wait_until(lambda: rows <= {path for path, *_ in tab.probe("cells")}, f"{rows} are shown")
    wait_until(lambda: wrong() == [], f"{wrong()} agrees")
    cells = {path: (value, text) for path, value, text in tab.probe("cells")}
    assert cells["upstreams/0/results/converted"] == (1201, "1\u202f201")
    assert cells["upstreams/0/refused/currency"] == (1, "1")
    assert cells["upstreams/0/connected"] == (True, "connected")
    assert cells["helpers/1/deaths"] == (1, "1")
    assert cells["helpers/1/last_death"] == ("signal SIGKILL",) * 2
    assert cells["helpers/0/pid"] == ((pid := service.pids()["wsclient"]), str(pid))
    assert cells["redis"] == ("off", "off")
    assert tab.text("summary") == service.status()["summary"] == "Converting"


def test_it_asks_for_nothing_else_and_is_refused_nothing(opened):
    _, tab = opened()
    wait_until(lambda: tab.browser.requests.count(f"{tab.origin}/status.json") >= 3, "polls")
    assert set(tab.browser.requests) == {f"{tab.origin}/", f"{tab.origin}/status.json"}
    assert tab.browser.complaints == []
    # And the policy is in force:
    for what in ("document.body.innerHTML = '<b>x</b>'", "eval('1')",
                 "document.body.append(Object.assign(document.createElement('script'),"
                 " {textContent: 'window.ran = 1'}))"):
        with contextlib.suppress(RuntimeError):
            tab.browser.run(what)
    assert tab.browser.run("fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused')") \
        == "refused"
    assert tab.browser.run("window.ran") is None
    wait_until(lambda: len(tab.browser.complaints) >= 2, "the browser tells")


def test_texts_of_others_stay_texts(opened, upstream):
    _, tab = opened()
    markup = "<img src=x onerror=alert(1)><b>bold</b>"
    upstream.link.close(4000, markup)
    upstream.wait_link(2)
    wait_until(lambda: any(path == "upstreams/0/last_break" and markup in text
                           for path, _, text in tab.probe("cells")), "the close text")
    assert tab.browser.run("document.querySelectorAll('img, b').length") == 0


LOOKS = [(1280, False), (1280, True), (1130, False), (800, False), (360, False), (360, True)]


def assert_fine(tab):
    """Light and dark, wide and at the width of a phone."""
    pages = {}
    for width, dark in LOOKS:
        tab.browser.look(width, 900, dark)
        assert tab.probe("wide") == []
        assert tab.probe("faint") == []
        assert tab.probe("mute") == 0
        pages[dark] = tab.browser.run("getComputedStyle(document.body).backgroundColor")
    assert pages[True] != pages[False]


def test_looks(opened):
    with Upstream(path="/" + "long-path" * 20) as upstream:
        service, tab = opened({"REQUESTS_WS_URL": upstream.url, "REDIS_URL": "redis://127.0.0.1:9",
                               "RATE_PROVIDERS": "file ecb", "ECB_URL": "http://127.0.0.1:9",
                               "SHUTDOWN_GRACE_SECONDS": "0.1"})
        upstream.link.ask(message("1", currency='"XAF"'))
        tab.says("Converting, but ")
        assert_fine(tab)
    tab.says("Not ready: upstream ")
    service.kill("ratefetcher")
    wait_until(lambda: any(path == "helpers/1/deaths" and value == 1
                           for path, value, _ in tab.probe("cells")), "the death is shown")
    assert_fine(tab)
    service.stop()
    tab.says("Not reached since ")
    assert_fine(tab)


def test_by_keyboard_and_ear(opened):
    _, tab = opened()
    order = []
    for _ in range(5):
        tab.browser.press("Tab")
        text, seen = tab.probe("focus")
        assert seen, text
        order.append(text)
    assert order == ["Skip to the figures", "/metrics", "/status.json", "/readyz", "/healthz"]
    tab.browser.run("document.querySelector('.skip').focus()")
    tab.browser.press("Enter")
    wait_until(lambda: tab.browser.run("document.activeElement.id") == "main", "the skip")
    for width in (1280, 360):  # cards are tables still
        tab.browser.look(width, 900)
        nodes = tab.browser.call("Accessibility.getFullAXTree")["nodes"]
        named = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes
                 if not n["ignored"]]
        roles = [role for role, _ in named]
        assert {"main", "banner", "contentinfo", "navigation", "status"} <= set(roles)
        assert roles.count("table") >= 5 and roles.count("heading") >= 9
        assert ("table", "Upstreams") in named and ("rowheader", "wsclient") in named
        assert ("columnheader", "Heartbeat") in named
        assert all(name for role, name in named if role in ("image", "region", "heading"))


def test_rates_that_differ(opened):
    with Frankfurter({"USD": "1.20"}) as first, Ecb({"USD": "1.30"}) as second:
        _, tab = opened({"RATE_PROVIDERS": "frankfurter", "RATES_FILE": None,
                         "FRANKFURTER_URL": first.url, "ECB_URL": second.url,
                         "RATES_CROSSCHECK": "ecb"})
        tab.says("Converting, but today's rate of USD differs much: "
                 "frankfurter has 1.20, ecb has 1.30")
    cells = {path: text for path, _, text in tab.probe("cells")}
    assert cells["rates_differ/0/rate"] == "1.20" and cells["rates_differ/0/other"] == "ecb"
    assert_fine(tab)


def test_an_upstream_that_is_away(opened):
    with Upstream() as upstream:
        _, tab = opened({"REQUESTS_WS_URL": upstream.url})
        tab.says("Converting")
        port = upstream.port
    label = f"127.0.0.1:{port}/ws"
    tab.says(f"Not ready: upstream {label} not connected for ")
    assert tab.browser.run("document.title") == "\u2715 Not ready \u2013 fxwire"
    assert tab.browser.run("document.getElementById('state').className") == "bad"
    # Spoken once, not each second anew:
    wait_until(lambda: tab.text("spoken") == f"Not ready: upstream {label} not connected", "it")
    holds_for(1.5, lambda: tab.text("spoken") == f"Not ready: upstream {label} not connected",
              "the same words")
    with Upstream(port=port):
        tab.says("Converting")
        assert tab.browser.run("document.title") == "\u2713 Converting \u2013 fxwire"


def test_a_helper_that_dies_again_and_again(opened):
    service, tab = opened()
    for _ in range(3):
        service.wait_respawn("ratefetcher", service.kill("ratefetcher"))
    tab.says("Converting, but ratefetcher died 3 times in a minute, last by signal SIGKILL")


def test_a_service_that_is_away(opened):
    """It is said, and since when; asked seldom meanwhile, and noticed when it is back."""
    service, tab = opened()
    supervisor = service.pids()["supervisor"]
    os.kill(service.process.pid, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGSTOP)
    wait_until(lambda: "the supervisor says nothing" in tab.text("summary"), "why", 20)
    assert tab.text("summary").startswith("Not reached since ")
    assert tab.text("attention") == "All below is what was known then."
    os.kill(supervisor, signal.SIGCONT)
    os.kill(service.process.pid, signal.SIGCONT)
    tab.says("Converting")
    service.stop()
    tab.says("Not reached since ")
    wait_until(lambda: "it does not answer" in tab.text("summary"), "why")
    assert tab.text("live") == "not live"
    service.start()
    tab.says("Converting")
    assert "live, as of " in tab.text("live")


def test_a_tab_that_nobody_sees(opened):
    """It asks seldom, and at once when somebody looks."""
    _, tab = opened()
    tab.browser.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    wait_until(lambda: len(tab.browser.requests) >= 3, "polls")
    time.sleep(1.2)  # what was due
    before = len(tab.browser.requests)
    holds_for(2.5, lambda: len(tab.browser.requests) == before, "it is left alone")
    tab.browser.run("delete document.hidden;"
                    "document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: len(tab.browser.requests) > before, "a poll", 1)
