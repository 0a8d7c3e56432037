"""Providers behind an HTTP proxy: spec section 2."""
import socket
import threading
import time
from pathlib import Path

import pytest

from certificates import Authority, server_context
from forward_proxy import RawProxy, Squid, Tinyproxy, basic
from places import SCALE
from rate_shop import FIRST, THIRD, RateShop
from test_proxy import cut, told

NAME = "rates.invalid"  # which the proxy alone knows


@pytest.fixture
def shop(tmp_path):
    """The first provider is reached by the proxy, as its name says; the ECB without."""
    authority = Authority(tmp_path)
    context = server_context(authority.issue(NAME))
    with RawProxy(names={NAME: "127.0.0.1"}) as proxy, \
            RateShop(HTTP_CA_FILE=authority.ca_file, NO_PROXY="127.0.0.0/8",
                     RATE_PROVIDERS="freecurrencyapi ecb", PROVIDER_PROXY=proxy.url) as one:
        one.proxy = proxy
        one.fca.tls = context
        one.settings["FREECURRENCYAPI_URL"] = one.fca.url.replace(
            "http://127.0.0.1", f"https://{NAME}")
        yield one


def test_through_a_proxy(shop):
    """The name is its to look up, and TLS goes through to the provider."""
    shop.start()
    assert shop.convert() == FIRST
    place = shop.settings["FREECURRENCYAPI_URL"].split("/")[2]
    assert shop.proxy.heads[0].startswith(f"CONNECT {place} HTTP/1.1\r\n")
    assert shop.proxy.header("Proxy-Authorization") == basic("Pxy1userQ:Pxy2passQ")
    assert not any(b"Proxy" in str(call).encode() for call in shop.fca.calls)
    assert "Pxy2passQ" not in shop.service.log()


REFUSALS = {
    "407": (told("HTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nbody"),
            "status 407: it wants another user and password in its address"),
    "403": (told("HTTP/1.1 403 No\r\n\r\n"),
            "status 403: it does not allow this way; ask who runs it, or see NO_PROXY"),
    "401": (told("HTTP/1.1 401 No\r\n\r\n"), "status 401: it takes no such user and password"),
    "502": (told("HTTP/1.1 502 No\r\n\r\n"), "status 502: it did not reach the peer"),
    "cut": (cut, ""),
    "garbage": (told("SSH-2.0-OpenSSH_9\r\n\r\n"), ""),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_proxy_that_refuses(shop, kind):
    """It is told as the proxy's, by its place, without its password."""
    shop.proxy.answer, why = REFUSALS[kind]
    shop.start()
    assert shop.convert() == THIRD
    shop.service.wait_log("provider_failed provider=freecurrencyapi result=unreached .*"
                          f'detail="proxy {shop.proxy.label}: {why}')
    assert not shop.fca.calls and "Pxy2passQ" not in shop.service.log()


def test_a_silent_proxy(shop):
    """The call is given up after two seconds."""
    silent = threading.Event()
    shop.proxy.answer = lambda *_: silent.wait(30 * SCALE)
    shop.start()
    begun = time.monotonic()
    assert shop.convert() == THIRD
    assert time.monotonic() - begun < 2 + 2 * SCALE
    shop.service.wait_log(f'detail="proxy {shop.proxy.label}: it does not answer"')
    silent.set()


def test_a_dead_proxy(shop):
    with shop.proxy:
        pass
    shop.start()
    assert shop.convert() == THIRD
    shop.service.wait_log(f'detail="proxy {shop.proxy.label}: .*onnect')


def test_only_who_needs_it_has_it(shop):
    """The upstream is reached without it, though the environment has another one."""
    shop.settings["https_proxy"] = "http://Env4userQ:Env5passQ@127.0.0.1:1"
    shop.start()
    for name, pid in shop.service.pids().items():
        environment = Path(f"/proc/{pid}/environ").read_text()
        assert "Env5passQ" not in environment or name == "supervisor", name
        assert "Pxy2passQ" not in environment or name in ("supervisor", "ratefetcher"), name


@pytest.mark.parametrize("kind", [Tinyproxy, Squid])
def test_real_proxies(kind):
    """Of http:// providers, too; a wrong password is told."""
    with kind() as proxy, RateShop(RATE_PROVIDERS="freecurrencyapi ecb",
                                   PROVIDER_PROXY=proxy.url) as shop:
        shop.start()
        assert shop.convert() == FIRST
        done = shop.service.command("check", "--live", env={
            "PROVIDER_PROXY": f"http://{proxy.label}"})
        assert done.returncode == 69
        assert f"proxy {proxy.label}: status 407: it wants another user" in done.stdout
