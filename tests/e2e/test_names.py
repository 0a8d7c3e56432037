"""Names of upstreams, and what look-ups may do: spec section 4."""
import os
import re
import socket
import time

import pytest

from amounts import message, stake_of
from names import Names, find_library, preload
from rate_shop import worst_gap
from raw_upstream import RawUpstream
from tls_upstream import DeadAddress, TlsUpstream, need_root, skip_loudly
from waiting import Stalls, at_most, wait_until

NAME = "upstream.test"
QUICK = {"RECONNECT_MAX_SECONDS": "0.2", "HEARTBEAT_INTERVAL_SECONDS": "0.2"}
SILENT_DNS = "127.0.0.77"


@pytest.fixture
def hosts(tmp_path):
    """hosts(ADDRESS...) gives wrappers with which NAME has these addresses."""
    names = Names(tmp_path, NAME)

    def write(*addresses):
        return {"wsclient": names.write(*addresses)}

    return write


def assert_works(up):
    assert stake_of(up.wait_link().ask(message())) == "207.55196"


def test_a_name_that_everybody_has(make_service):
    """localhost, of the machine's own look-up."""
    with TlsUpstream(name="localhost") as up:
        make_service({"REQUESTS_WS_URL": up.url} | QUICK).start()
        assert_works(up)
        assert up.link.headers["Host"] == f"localhost:{up.port}"


@pytest.mark.parametrize("host", ["::1", "127.0.0.1"])
def test_an_address_as_the_name(make_service, host):
    """No look-up; brackets in the Host header and in the label."""
    with TlsUpstream(host=host) as up:
        service = make_service({"REQUESTS_WS_URL": up.url} | QUICK).start()
        assert_works(up)
        written = up.url.split("/")[2]
        assert up.link.headers["Host"] == written
        service.wait_log(f"connected url={up.url}".replace("[", r"\[").replace("]", r"\]"))


def test_a_name_with_one_address(make_service, hosts):
    with TlsUpstream(name=NAME) as up:
        service = make_service({"REQUESTS_WS_URL": up.url} | QUICK,
                               wrappers=hosts("127.0.0.1")).start()
        assert_works(up)
        assert up.link.headers["Host"] == f"{NAME}:{up.port}"
        service.wait_log(re.escape(f"connected url=ws://{NAME}:{up.port}/ws"))


@pytest.mark.parametrize("other, dead", [("127.0.0.2", "127.0.0.1"), ("127.0.0.1", "::1")])
def test_the_next_address_when_the_first_refuses(make_service, hosts, other, dead):
    """Within the same attempt, and at once."""
    with TlsUpstream(host=other, name=NAME) as up:
        service = make_service({"REQUESTS_WS_URL": up.url} | QUICK,
                               wrappers=hosts(dead, other))

        def measure():
            began = time.monotonic()
            service.launch()
            link = up.next_link()
            service.stop()
            return link.opened - began

        at_most(1.0, measure)
        assert "connect_failed" not in service.log()


@pytest.mark.slow
@pytest.mark.parametrize("other, dead", [("127.0.0.2", "127.0.0.1"), ("127.0.0.1", "::1")])
def test_the_next_address_when_the_first_is_dead(make_service, hosts, other, dead):
    """What is sent to it is lost: the next one is reached within the attempt."""
    with TlsUpstream(host=other, name=NAME) as up, DeadAddress(dead, up.port):
        service = make_service({"REQUESTS_WS_URL": up.url} | QUICK,
                               wrappers=hosts(dead, other))

        def measure():
            began = time.monotonic()
            service.launch()
            link = up.next_link()
            assert stake_of(link.ask(message())) == "207.55196"
            service.stop()
            return link.opened - began

        at_most(5.0, measure)
        assert "connect_failed" not in service.log()


@pytest.mark.slow
def test_several_dead_addresses(make_service, hosts):
    """Each gets its share of the 5 s of an attempt; the last one serves."""
    dead = ["127.0.0.1", "127.0.0.3", "127.0.0.4"]
    with TlsUpstream(host="127.0.0.2", name=NAME) as up, \
            DeadAddress(dead[0], up.port), DeadAddress(dead[1], up.port), \
            DeadAddress(dead[2], up.port):
        service = make_service({"REQUESTS_WS_URL": up.url} | QUICK,
                               wrappers=hosts(*dead, "127.0.0.2"))

        def measure():
            began = time.monotonic()
            service.launch()
            link = up.next_link()
            service.stop()
            return link.opened - began

        at_most(5.0, measure)
        assert "connect_failed" not in service.log()


@pytest.mark.slow
def test_an_attempt_at_a_dead_address_ends(make_service, raw):
    """After 5 s, with a line that says so; a sister's link stands meanwhile."""
    with RawUpstream() as reserved:
        port = reserved.port
    with DeadAddress("127.0.0.1", port):
        service = make_service(
            {"REQUESTS_WS_URL": f"ws://127.0.0.1:{port}/ws {raw.url}",
             "HEARTBEAT_TIMEOUT_SECONDS": "60"} | QUICK)
        began = time.monotonic()
        service.launch()
        link = raw.link()
        with Stalls() as stalls:
            while "connect_failed" not in service.log():
                link.read_until(time.monotonic() + 0.02)
                assert time.monotonic() - began < 9
        took = time.monotonic() - began
        assert 4.9 < took < 5.3 + 2 * stalls.worst
        assert "reason=timeout" in service.wait_log(f"connect_failed .*127.0.0.1:{port}/ws")
        worst_gap(link.beats(), stalls)


def test_a_name_that_is_not_found(make_service, hosts, raw):
    """The log says so; the link is made when the name is there."""
    with TlsUpstream(name=NAME) as up:
        wrappers = hosts()
        service = make_service({"REQUESTS_WS_URL": up.url} | QUICK,
                               wrappers=wrappers).launch()
        line = service.wait_log("connect_failed .*reason=failed", count=2)
        assert "name look-up: " in line and f"upstream={NAME}:{up.port}/ws" in line
        hosts("127.0.0.1")
        assert_works(up)


def test_a_name_that_moves(make_service, hosts):
    """Each attempt looks it up anew."""
    with TlsUpstream(host="127.0.0.1", name=NAME) as one, \
            TlsUpstream(host="127.0.0.2", name=NAME, port=one.port) as two:
        make_service({"REQUESTS_WS_URL": one.url} | QUICK,
                     wrappers=hosts("127.0.0.1")).start()
        link = one.wait_link()
        hosts("127.0.0.2")
        link.close(1012)
        assert_works(two)
        assert len(one.links) == 1


def test_the_last_address_serves_while_the_name_is_gone(make_service, hosts):
    """A look-up that fails does not keep us from where we were."""
    with TlsUpstream(name=NAME) as up:
        make_service({"REQUESTS_WS_URL": up.url} | QUICK,
                     wrappers=hosts("127.0.0.1")).start()
        link = up.wait_link()
        hosts()
        link.close(1012)
        assert stake_of(up.next_link().ask(message())) == "207.55196"


@pytest.fixture
def silent_dns(tmp_path):
    """Wrappers with which the helpers' DNS server never answers."""
    need_root()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((SILENT_DNS, 53))
    (tmp_path / "resolv.conf").write_text(f"nameserver {SILENT_DNS}\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: files dns\n")
    mounts = "".join(f"mount --bind {tmp_path}/{name} /etc/{name} && "
                     for name in ("resolv.conf", "nsswitch.conf"))
    line = f"exec unshare -m sh -c '{mounts}exec {{real}} \"$@\"' sh \"$@\""
    yield server, {"wsclient": line, "ratefetcher": line}
    server.close()


@pytest.mark.slow
def test_a_dead_dns_server(make_service, silent_dns, raw):
    """
    The attempt ends after 5 s although the look-up goes on; timers, beats and
    the end of the program do not wait for it.
    """
    server, wrappers = silent_dns
    service = make_service(
        {"REQUESTS_WS_URL": f"ws://{NAME}:9/ws {raw.url}",
         "HEARTBEAT_TIMEOUT_SECONDS": "60"} | QUICK, wrappers=wrappers)
    began = time.monotonic()
    service.launch()
    link = raw.link()
    with Stalls() as stalls:
        while "connect_failed" not in service.log():
            link.read_until(time.monotonic() + 0.02)
            assert time.monotonic() - began < 9
    took = time.monotonic() - began
    line = service.wait_log("connect_failed")
    assert "reason=timeout" in line and "the name look-up took too long" in line
    assert 4.9 < took < 5.3 + 2 * stalls.worst
    worst_gap(link.beats(), stalls)
    server.setblocking(False)
    assert b"upstream\x04test" in server.recv(512)  # it was asked indeed
    # Its supervisor was answered all the time: nobody had to be killed.
    assert {h["deaths"] for h in service.status()["helpers"]} == {0}
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 2


@pytest.mark.slow
def test_a_dead_dns_server_costs_ratefetcher_nothing(make_service, silent_dns, raw):
    """However often Redis is tried: no descriptor and no thread is left of an attempt."""
    _, wrappers = silent_dns
    service = make_service({"REQUESTS_WS_URL": raw.url, "REDIS_URL": f"redis://{NAME}:6379"},
                           wrappers=wrappers).launch()
    wait_until(lambda: "redis_down" in service.log(), "the end of the first attempt")
    pid = service.pids()["ratefetcher"]
    held = lambda kind: len(os.listdir(f"/proc/{pid}/{kind}"))
    before = held("fd"), held("task")
    end = time.monotonic() + 8  # three attempts of 1.5 s, a second between them
    while time.monotonic() < end:
        assert held("fd") <= before[0] + 1 and held("task") <= before[1] + 1
        time.sleep(0.1)
    assert service.pids()["ratefetcher"] == pid


@pytest.mark.slow
def test_a_link_outlives_a_dead_dns_server(make_service, silent_dns):
    """Numeric addresses and the hosts file need none."""
    _, wrappers = silent_dns
    for name in ("127.0.0.1", "localhost"):
        with TlsUpstream(name=name) as up:
            make_service({"REQUESTS_WS_URL": up.url} | QUICK, wrappers=wrappers).launch()
            assert_works(up)
            up.link.close()
            wait_until(lambda: len(up.links) == 2, "the next link", 3)
