"""redis+sentinel://: the master that real Sentinels name, before and after a failover."""
import re

import pytest

from rate_shop import FIRST
from redis_sentinel import Sentinel
from redis_server import RedisServer
from test_redis_roles import wait_kept, wait_state
from waiting import wait_until


@pytest.fixture
def servers():
    """A master, its replica, and two Sentinels that watch them."""
    with RedisServer() as master, RedisServer() as replica, \
            Sentinel(master) as one, Sentinel(master) as other:
        master.start()
        replica.start().client().replicaof("127.0.0.1", master.port)
        for sentinel in one, other:
            sentinel.start()
            wait_until(sentinel.knows_replica, "the replica is known", 20)
        yield master, replica, one, other


@pytest.fixture
def open_behind(open_shop):
    """open_behind(SENTINEL...) gives a shop that asks these for the master."""

    def open_one(*sentinels, path="/one"):
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in sentinels)
        return open_shop(f"redis+sentinel://{hosts}{path}")

    return open_one


def test_a_failover(open_behind, servers):
    """The master dies: the new one is found as soon as the Sentinels have chosen it."""
    master, replica, one, other = servers
    shop = open_behind(one, other, path="/one/0")
    wait_state(shop, "up")
    wait_kept(shop, master.client())
    shop.service.wait_log(f"redis_master master=127.0.0.1:{master.port} ")
    master.kill()
    assert shop.convert(shop.new_day()) == FIRST
    shop.service.wait_log(f"redis_master master=127.0.0.1:{replica.port} ", 30)
    wait_kept(shop, replica.client())
    wait_state(shop, "up")


def test_one_sentinel_is_enough(open_behind, servers):
    """One is dead at the start, the other dies later: the master serves on."""
    master, _, one, other = servers
    other.kill()
    shop = open_behind(other, one)
    wait_kept(shop, master.client())
    one.kill()
    shop.service.wait_log(f'redis_down redis="sentinel 127.0.0.1:{one.port}"')
    wait_kept(shop, master.client())
    wait_state(shop, "up")


def test_a_name_that_they_do_not_know(open_behind, servers):
    """It is told, and the service works without Redis."""
    shop = open_behind(servers[2], path="/two")
    shop.service.wait_log("redis_master_unknown .*master=two")
    wait_state(shop, "down")
    shop.service.wait_log('redis_down .*why="no Sentinel names the master"')
    assert shop.convert() == FIRST
    assert len(re.findall("redis_master_unknown", shop.service.log())) == 1


def test_check_live_asks_them(open_behind, servers):
    shop = open_behind(servers[2])
    told = shop.service.command("check", "--live").stdout
    assert f"redis       redis=127.0.0.1:{servers[2].port}/one result=up" in told
