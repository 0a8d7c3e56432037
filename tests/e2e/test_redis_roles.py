"""What stands behind Redis's address: a replica, a proxy, a cluster, an empty database."""
import re

import pytest

from names import Names
from rate_shop import FIRST
from redis_server import FakeRedis, RedisServer
from twemproxy import Twemproxy
from waiting import wait_until

KEY = "fxwire:rates:freecurrencyapi:"


def wait_state(shop, state, seconds=5):
    wait_until(lambda: shop.service.status()["redis"] == state, f"redis {state}", seconds)


def wait_kept(shop, client):
    """What is fetched now is soon to be found there."""

    def is_kept():
        day = shop.new_day()
        assert shop.convert(day) == FIRST
        return client.exists(KEY + day)

    wait_until(is_kept, "a table of ours there", 15)


def test_a_failover_behind_one_name(open_shop, tmp_path):
    """The old master is a replica now: after 5 s the name is looked up anew."""
    names = Names(tmp_path, "redis.test")
    with RedisServer("--bind", "127.0.0.1") as old, RedisServer("--bind", "127.0.0.2") as new:
        new.port = old.port
        old.start(), new.start()
        shop = open_shop(f"redis://redis.test:{old.port}",
                         wrappers={"ratefetcher": names.write("127.0.0.1")})
        wait_state(shop, "up")
        wait_kept(shop, old.client())
        old.client().replicaof("127.0.0.2", new.port)
        names.write("127.0.0.2")
        assert shop.convert(shop.new_day()) == FIRST
        wait_state(shop, "read only")
        shop.service.wait_log("redis_writes_refused why=\"READONLY ")
        wait_kept(shop, new.client())
        wait_state(shop, "up")
        assert len(re.findall("redis_down .*looked up anew", shop.service.log())) == 1


@pytest.mark.parametrize("url, wanted", [("", []), ("/", []), ("/0", []), ("/00", []),
                                         ("/3", [b"SELECT", b"3"])])
def test_database_0_is_not_selected(open_shop, url, wanted):
    with RedisServer() as server:
        server.start()
        with server.client().monitor() as monitor:
            shop = open_shop(f"redis://127.0.0.1:{server.port}{url}")
            wait_state(shop, "up")
            commands = []
            for told in monitor.listen():
                commands.append(told["command"].encode().split())
                if told["command"].startswith("GET "):
                    break
        assert [c for c in commands if c[0] == b"SELECT"] == ([wanted] if wanted else [])


def test_who_closes_after_select_is_told_so(open_shop):
    """As twemproxy does, which knows no SELECT."""
    with FakeRedis() as fake:
        fake.says["SELECT"] = b""
        shop = open_shop(fake.url + "?db=4")
        shop.service.wait_log('redis_down .*why="closed by the server after SELECT 4"')
        assert shop.convert() == FIRST


def test_a_cluster_of_one_node(open_shop):
    """Database 0 works; it refuses any other by itself."""
    with RedisServer("--cluster-enabled", "yes") as server:
        server.start()
        server.client().execute_command("CLUSTER ADDSLOTSRANGE 0 16383")
        wait_until(lambda: server.client().execute_command("CLUSTER INFO")["cluster_state"]
                   == "ok", "the cluster")
        shop = open_shop(server.url(0))
        wait_kept(shop, server.client())
        other = open_shop(server.url(1))
        other.service.wait_log("redis_down .*SELECT is not allowed in cluster mode")


def test_behind_twemproxy(open_shop, tmp_path):
    """It is up where no SELECT is sent; with one, its closing is named."""
    with RedisServer() as server, Twemproxy(server.start(), tmp_path) as proxy:
        shop = open_shop(proxy.url + "?db=0")
        wait_kept(shop, server.client())
        other = open_shop(proxy.url + "?db=1")
        other.service.wait_log("redis_down .*closed by the server after SELECT 1")
