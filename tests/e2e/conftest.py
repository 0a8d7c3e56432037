"""Fixtures of the black-box tests."""
import collections
import contextlib
import os
import resource
import time

import pytest

from amounts import write_fresh_rates
from places import BUILD
from peer import Peer
from ports import on_new_port
from rate_shop import RateShop
from raw_upstream import RawUpstream
from service import Service
from status_page import Page, unused
from upstream import Upstream
from waiting import sleep_until, wait_until


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: also worth running under valgrind")
    config.addinivalue_line("markers", "slow: takes some 10 seconds")
    if os.geteuid() != 0:
        # Else nobody but root could look into the helpers, as the tests do.
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (1 if hard else 0, hard))
    for name in ("supervisor", "wsclient", "ratefetcher"):
        if not (BUILD / name).exists():
            raise pytest.UsageError(f"{BUILD / name} is not there: say make first")


@pytest.fixture
def upstream():
    """An upstream that accepts and beats."""
    with Upstream() as up:
        yield up


@pytest.fixture
def open_shop():
    """open_shop(REDIS_URL, ...) gives a RateShop with that Redis, started."""
    shops = []

    def open_one(url, wrappers=None, **settings):
        shops.append(RateShop(RATE_PROVIDERS="freecurrencyapi", REDIS_URL=url, **settings))
        return shops[-1].start(wrappers=wrappers)

    yield open_one
    for one in shops:
        one.__exit__(None)


@pytest.fixture
def raw():
    """An upstream whose every byte is the test's own."""
    with RawUpstream() as up:
        yield up


@pytest.fixture
def meet(raw):
    """meet(...) gives a Peer on the next connection; all end with the test."""
    peers = []

    def meet_one(**how):
        peers.append(Peer(raw.link(), **how))
        return peers[-1]

    yield meet_one
    for peer in peers:
        peer.stop()


_made = pytest.StashKey[list]()  # services of a test


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails shows what its services logged."""
    report = (yield).get_result()
    if call.when == "call" and report.failed:
        for service in item.stash.get(_made, []):
            report.sections.append((f"log of {service.folder}", service.log()[-20000:]))


@pytest.fixture
def make_service(request):
    """make_service(settings, ...) gives a Service; all end with the test."""
    with contextlib.ExitStack() as stack:
        made = request.node.stash.setdefault(_made, [])

        def make(settings=None, **more):
            service = Service(settings, **more)
            made.append(service)
            stack.callback(service.finish)
            return service

        yield make


@pytest.fixture
def start(make_service):
    """start(upstream, NAME=value...) gives a service that is ready."""

    def start_one(up, args=(), wrappers=None, **settings):
        settings = {"REQUESTS_WS_URL": up.url} | settings
        return make_service(settings, args=args, wrappers=wrappers).start()

    return start_one


@pytest.fixture
def watched(make_service, upstream, tmp_path):
    """watched(settings) gives a ready service, with rates of today, and its page."""

    def begin(settings=None, host="127.0.0.1", **how):
        page = Page(on_new_port(unused))
        service = make_service({"REQUESTS_WS_URL": upstream.url,
                                "RATES_FILE": write_fresh_rates(tmp_path / "rates.csv"),
                                "STATUS_LISTEN": f"{host}:{page.port}"} | (settings or {}),
                               **how)
        service.start()
        wait_until(lambda: page.get("/readyz")[0] == 200, "it says that it is ready")
        return service, page

    return begin


class Talk:
    """A service and its upstream, for many questions in turn."""

    def __init__(self, up, service):
        self.upstream = up
        self.service = service
        self._nameless = collections.deque(maxlen=9)

    def ask(self, text):
        """Sends a message and gives the next answer."""
        return self.upstream.link.ask(text)

    def ask_nameless(self, text):
        """The same for errors without an id: at most 9 of them a second."""
        if len(self._nameless) == self._nameless.maxlen:
            sleep_until(self._nameless[0] + 1.05)
        answer = self.ask(text)
        self._nameless.append(time.monotonic())
        return answer


@pytest.fixture(scope="module")
def talk():
    """One service for all cases of a module."""
    with Upstream(beat=1) as up:
        service = Service({"REQUESTS_WS_URL": up.url,
                           "HEARTBEAT_TIMEOUT_SECONDS": "60"})
        try:
            service.start()
            up.wait_link()
            yield Talk(up, service)
            assert len(up.links) == 1, "the link did not stay up"
        except BaseException:
            service.remove()
            raise
        service.finish()
