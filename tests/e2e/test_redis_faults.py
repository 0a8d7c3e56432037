"""
What Redis may do wrong: no answer is later than 50 ms because of it, one line
tells each change, and it is used again within 5 s of its return.
"""
import json
import re
import threading
import time

import pytest

from amounts import stake_of
from places import SANITIZED, SCALE, VALGRIND
from rate_shop import FIRST, RateShop, beats_in_time, tell_worst_beats
from redis_server import FakeRedis, RedisServer
from waiting import at_most, wait_until

LATE = 0.05  # the bound of the contract
KEY = "fxwire:rates:freecurrencyapi:"
worst_answers = {}  # {test: seconds}, told at the end


@pytest.fixture(scope="module", autouse=True)
def worst():
    yield
    tell_worst_beats()
    for name, seconds in sorted(worst_answers.items(), key=lambda item: item[1])[-3:]:
        print(f"latest answer for a new day: {seconds * 1000:.1f} ms, in {name}")


@pytest.fixture(scope="module")
def without():
    """The slowest answer for a new day without Redis, as on this machine now."""
    with RateShop(RATE_PROVIDERS="freecurrencyapi") as shop:
        shop.start()
        return max(timed(shop) for _ in range(20))


def timed(shop):
    """How long the answer for a new day takes."""
    link = shop.upstream.link
    began = time.monotonic()
    assert shop.convert() == FIRST
    return link.answer_times[-1] - began


def never_late(shop, without, name, count=10):
    """New days are answered in time, and heartbeats are, too."""

    def measure():
        slowest = max(timed(shop) for _ in range(count))
        worst_answers[name] = max(slowest, worst_answers.get(name, 0))
        return slowest

    beats_in_time(shop, name, lambda: at_most(without + LATE, measure))


class Lines:
    """Lines of the log since now."""

    def __init__(self, shop):
        self.shop = shop
        self.start = len(shop.service.log())

    def count(self, pattern):
        return len(re.findall(pattern, self.shop.service.log()[self.start:]))

    def wait(self, pattern, seconds=5):
        self.shop.wait_new_log(self.start, pattern, seconds)

    def wait_up(self):
        """It is used again within 5 s, which nothing but a busy machine prolongs."""
        began = time.monotonic()
        self.wait("redis_up", 5.5)
        assert time.monotonic() - began < 5 * SCALE

    def assert_changes(self, down, up):
        assert (self.count(r"\bredis_down\b"), self.count(r"\bredis_up\b")) == (down, up)


# A real server

@pytest.fixture
def server():
    with RedisServer() as one:
        yield one


@pytest.fixture
def make_shop(server):
    """make_shop(NAME=value...) gives a RateShop that uses the server."""
    shops = []

    def make(**settings):
        shops.append(RateShop(**{"RATE_PROVIDERS": "freecurrencyapi",
                                 "REDIS_URL": server.url()} | settings))
        return shops[-1].start()

    yield make
    for one in shops:
        one.__exit__(None)


def is_shared(shop, server):
    """Whether a table that is fetched now gets into Redis."""
    day = shop.new_day()
    assert shop.convert(day) == FIRST
    wait_until(lambda: server.client().exists(KEY + day), "the key", 2)


@pytest.mark.parametrize("kind", ["url", "unix_url"])
def test_absent_at_the_start(make_shop, server, without, request, kind):
    """It works from memory, and uses Redis when that appears."""
    shop = make_shop(REDIS_URL=getattr(server, kind)())
    lines = Lines(shop)
    lines.start = 0
    lines.wait("redis_down")
    never_late(shop, without, request.node.name)
    assert shop.service.status()["redis"] == "down"
    assert shop.service.counter("fxwire_redis_up") == 0
    server.start()
    lines.wait_up()
    is_shared(shop, server)
    lines.assert_changes(1, 1)
    wait_until(lambda: shop.service.counter("fxwire_redis_up") == 1, "the metric", 3)


def test_killed_and_restarted(make_shop, server, without, request):
    """Again and again; nothing is lost, and each change is one line."""
    server.start()
    shop = make_shop()
    shop.service.wait_log("redis_up")
    lines = Lines(shop)
    for round_ in range(1, 4):
        server.kill()
        never_late(shop, without, request.node.name)
        lines.wait("(?s)" + "redis_down.*" * round_)
        server.start()
        lines.wait("(?s)" + "redis_up.*" * round_)
        is_shared(shop, server)
    lines.assert_changes(3, 3)


@pytest.mark.parametrize("kind", ["url", "unix_url"])
def test_stopped(make_shop, server, without, request, kind):
    """The first answer waits a little, those behind it do not."""
    server.start()
    shop = make_shop(REDIS_URL=getattr(server, kind)())
    shop.service.wait_log("redis_up")
    lines = Lines(shop)
    with server.paused():
        never_late(shop, without, request.node.name, 20)
        lines.wait("redis_down .*why=\"no answer in time\"")
    lines.wait_up()
    is_shared(shop, server)
    lines.assert_changes(1, 1)


def test_stopped_while_nobody_asks(make_shop, server):
    """It is noticed all the same, so that no answer has to wait for it."""
    server.start()
    shop = make_shop()
    shop.service.wait_log("redis_up")
    lines = Lines(shop)
    with server.paused():
        lines.wait("redis_down .*why=\"no answer in time\"", 3)
        lines.assert_changes(1, 0)


def test_held_up_for_a_while(make_shop, server, without, request):
    """DEBUG SLEEP, three times as long as a step may take."""
    server.start()
    shop = make_shop()
    shop.service.wait_log("redis_up")
    lines = Lines(shop)
    sleeper = threading.Thread(target=server.client().execute_command,
                               args=("DEBUG", "SLEEP", "0.15"))
    sleeper.start()
    never_late(shop, without, request.node.name)
    sleeper.join()
    if lines.count("redis_down"):
        lines.wait_up()
    is_shared(shop, server)


def test_full(make_shop, server, without, request):
    """Reads go on; one line tells that writes do not, one that they do again."""
    server.start()
    shop = make_shop()
    lines, client = Lines(shop), server.client()
    is_shared(shop, server)
    day = put_another_day(shop, client)
    client.config_set("maxmemory", 1)
    never_late(shop, without, request.node.name)
    lines.wait("redis_writes_refused why=\"OOM ")
    assert shop.service.rates(day)["layer"] == "redis"
    client.config_set("maxmemory", 0)
    is_shared(shop, server)
    lines.wait("redis_writes_allowed")
    assert lines.count("redis_writes_refused") == lines.count("redis_writes_allowed") == 1
    assert lines.count("redis_down") == 0


def put_another_day(shop, client):
    """What another machine would have put there; gives the day."""
    latest = json.loads(client.get(KEY + "latest"))
    day = shop.new_day()
    client.set(KEY + day, json.dumps(latest | {"date": day, "as_of": day}))
    return day


def test_a_replica_that_takes_no_writes(make_shop, server, without, request):
    """READONLY: what its master has is read."""
    server.start()
    shop = make_shop()
    lines, client = Lines(shop), server.client()
    is_shared(shop, server)
    latest = client.get(KEY + "latest")
    with RedisServer("--repl-diskless-sync-delay", "0") as master:
        master.start().client().set(KEY + "latest", latest)
        day = put_another_day(shop, master.client())
        client.replicaof("127.0.0.1", master.port)
        wait_until(lambda: client.exists(KEY + day), "the replica")
        never_late(shop, without, request.node.name)
        lines.wait("redis_writes_refused why=\"READONLY ")
        assert shop.service.rates(day)["layer"] == "redis"
    client.replicaof("NO", "ONE")
    is_shared(shop, server)
    lines.wait("redis_writes_allowed")
    assert lines.count("redis_writes_refused") == lines.count("redis_writes_allowed") == 1


# A server by hand

@pytest.fixture(scope="module")
def fake():
    with FakeRedis() as one:
        yield one


@pytest.fixture(scope="module")
def one_shop(fake):
    with RateShop(RATE_PROVIDERS="freecurrencyapi", REDIS_URL=fake.url) as shop:
        shop.start().service.wait_log("redis_up")
        yield shop


@pytest.fixture
def well(one_shop, fake):
    """A shop that uses Redis when the test begins, and again when it is over."""
    pid = one_shop.service.pids()["ratefetcher"]
    before = resident(pid)
    yield one_shop
    fake.be_good()
    wait_until(lambda: one_shop.service.status()["redis"] == "up", "up", 6)
    day = one_shop.new_day()
    assert one_shop.convert(day) == FIRST
    wait_until(lambda: (KEY + day).encode() in fake.data, "a shared table", 6)
    assert one_shop.service.pids()["ratefetcher"] == pid, "it has died"
    if not SANITIZED and not VALGRIND:
        assert resident(pid) - before < 8 << 20


def resident(pid):
    """Bytes of memory in use."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


GARBAGE = {
    "an unasked status": b"+OK\r\n",
    "an unasked array": b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n",
    "an unasked error": b"-ERR max number of clients reached\r\n",
    "a thousand statuses": b"+OK\r\n" * 1000,
    "HTML": b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>",
    "an array of two thousand million": b"*2000000000\r\n",
    "nested arrays": b"*1\r\n" * 10000,
}


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_nobody_asked_for(well, fake, without, request, said):
    """The connection is dropped; the process lives."""
    lines = Lines(well)
    fake.say(said)
    lines.wait("redis_down")
    never_late(well, without, request.node.name, 5)
    lines.wait_up()
    lines.assert_changes(1, 1)


ANSWERS = {
    "two for one": b"$-1\r\n+OK\r\n+OK\r\n",
    "a huge string": b"$2000000000\r\n" + b"x" * 4_000_000,
    "an array of two thousand million": b"*2000000000\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_that_is_none(well, fake, without, request, said):
    """In the way of an answer: the provider serves at once, memory stays bounded."""
    lines = Lines(well)
    fake.says = {"GET": said}
    never_late(well, without, request.node.name, 5)
    lines.wait("redis_down")
    fake.be_good()
    lines.wait_up()


READS = ["ERR unknown command 'get'", "LOADING Redis is loading the dataset in memory",
         "NOPERM this user has no permissions"]
WRITES = ["MISCONF Redis is configured to save RDB snapshots"]


@pytest.mark.parametrize("text", READS + WRITES)
def test_errors(well, fake, without, request, text):
    """One line when they begin and one when they are over; the link stays."""
    lines = Lines(well)
    what = "reads" if text in READS else "writes"
    fake.says = dict.fromkeys(["GET"] if text in READS else ["SET", "EVAL"],
                              f"-{text}\r\n".encode())
    never_late(well, without, request.node.name, 5)
    lines.wait(f'redis_{what}_refused why="{text}"')
    fake.be_good()
    assert stake_of(well.ask()) == FIRST
    lines.wait(f"redis_{what}_allowed")
    assert lines.count("redis_.*_refused") == lines.count("redis_.*_allowed") == 1
    lines.assert_changes(0, 0)


GREETINGS = {
    "max number of clients": (b"-ERR max number of clients reached\r\n", {}),
    "NOAUTH": (b"", {"GET": b"-NOAUTH Authentication required.\r\n"}),
    "LOADING": (b"", {"GET": b"-LOADING Redis is loading the dataset in memory\r\n"}),
    "no answer": (b"", {"GET": b""}),
}


@pytest.mark.parametrize("greeting, says", GREETINGS.values(), ids=GREETINGS.keys())
def test_a_connection_that_is_not_welcome(well, fake, without, request, greeting, says):
    """One line, however often it is tried."""
    lines = Lines(well)
    fake.greeting, fake.says, fake.hangs_up = greeting, says, bool(greeting)
    before = fake.connections
    fake.drop()
    never_late(well, without, request.node.name, 5)
    wait_until(lambda: fake.connections >= before + 2, "two more attempts", 6)
    lines.assert_changes(1, 0)
    fake.be_good()
    lines.wait_up()
    lines.assert_changes(1, 1)
