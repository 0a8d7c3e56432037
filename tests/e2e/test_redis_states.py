"""What `status` says of Redis is what the last commands did: up, read only, refused, down."""
import re

import pytest

from rate_shop import FIRST
from redis_sentinel import Sentinel
from redis_server import FakeRedis, RedisServer
from test_redis_roles import wait_kept, wait_state
from twemproxy import Twemproxy
from waiting import wait_until


def alerts(shop):
    return shop.service.log().count(" alert alert=redis_refused")


def test_a_sentinel_in_the_place_of_redis(open_shop):
    """It answers PING, and knows none of our commands: refused, in its words, alerted once."""
    with Sentinel() as sentinel:
        sentinel.start()
        shop = open_shop(f"redis://127.0.0.1:{sentinel.port}")
        wait_state(shop, "refused")
        assert shop.convert() == FIRST
        line, = re.findall("redis_down .*", shop.service.log())
        assert "unknown command" in line
        shop.service.wait_log(" alert alert=redis_refused")
        assert "Redis refuses us" in shop.service.command("status").stdout
        assert shop.service.counter("fxwire_redis_up") == 0
        assert alerts(shop) == 1


def test_twemproxy_without_its_redis(open_shop, tmp_path):
    """Refused in its words, and up once its Redis is there."""
    with RedisServer() as server, Twemproxy(server, tmp_path) as proxy:
        shop = open_shop(proxy.url)
        wait_state(shop, "refused")
        assert shop.convert() == FIRST
        shop.service.wait_log('redis_down .*why="ERR Connection refused"')
        server.start()
        wait_state(shop, "up")
        wait_kept(shop, server.client())
        server.kill()
        assert shop.convert(shop.new_day()) == FIRST
        wait_state(shop, "refused")
        assert alerts(shop) == 1


def test_a_proxy_that_answers_ping_by_itself(open_shop):
    """Behind it Redis hangs: that is down, once, and no look-up waits for it again."""
    with FakeRedis() as fake:
        shop = open_shop(fake.url)
        wait_state(shop, "up")
        fake.mute.update({"GET", "SET", "EVAL"})
        wait_state(shop, "down")
        before = fake.connections
        wait_until(lambda: fake.connections >= before + 5, "five more tries", 10)
        log = shop.service.log()
        assert (log.count("redis_down"), log.count("redis_up")) == (1, 1)
        fake.mute.clear()
        wait_state(shop, "up")


def test_a_long_word_is_cut_and_escaped(open_shop):
    with FakeRedis() as fake:
        fake.says["GET"] = b"-ERR \x1b[31m" + b"x" * 500 + b"\r\n"
        shop = open_shop(fake.url)
        wait_state(shop, "refused")
        line = shop.service.wait_log("redis_down .*")
        assert "\x1b" not in line and "x" * 100 in line and "x" * 121 not in line


@pytest.fixture
def cluster():
    """Two nodes, each with half of the keys."""
    options = ["--cluster-enabled", "yes"]
    with RedisServer(*options) as one, RedisServer(*options) as other:
        for node, first, last in (one, 0, 8191), (other, 8192, 16383):
            node.start().client().execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        one.client().execute_command("CLUSTER MEET", "127.0.0.1", other.port)
        for node in one, other:
            wait_until(lambda: node.client().execute_command("CLUSTER INFO")["cluster_state"]
                       == "ok", "the cluster", 20)
        yield one


def test_a_cluster_of_several_nodes(open_shop, cluster):
    """One clear refusal at the first key that is elsewhere, and never again."""
    shop = open_shop(cluster.url())
    for _ in range(4):
        assert shop.convert(shop.new_day()) == FIRST
    wait_state(shop, "refused")
    shop.service.wait_log('redis_down .*why="a cluster of several nodes')
    shop.service.wait_log(" alert alert=redis_refused")
    for _ in range(4):
        assert shop.convert(shop.new_day()) == FIRST
    log = shop.service.log()
    assert (log.count("redis_down"), log.count("redis_up"), alerts(shop)) == (1, 1, 1)
