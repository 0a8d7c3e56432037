"""The upstream behind an HTTP proxy: spec section 2."""
import socket
import struct
import threading
import time

import pytest

from amounts import message, stake_of
from certificates import Authority, server_context
from forward_proxy import RawProxy, Squid, Tinyproxy, basic
from places import SCALE
from tls_upstream import TlsUpstream
from upstream import Upstream

CEILING = 0.6
NAME = "upstream.invalid"  # which the proxy alone knows


def told(text):
    return lambda proxy, sock, place: sock.sendall(text.encode())


def cut(proxy, sock, place):
    sock.shutdown(socket.SHUT_RDWR)


def reset(proxy, sock, place):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def endless(proxy, sock, place):
    sock.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10000)


REFUSALS = {
    "407": (told("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
            "status 407: it wants another user and password in its address"),
    "407 with a body": (told("HTTP/1.0 407 No\r\nContent-Length: 90000\r\n\r\n" + 3 * "body"),
                        "status 407: it wants another user and password in its address"),
    "403": (told("HTTP/1.1 403 Filtered\r\n\r\n"),
            "status 403: it does not allow this way; ask who runs it, or see NO_PROXY"),
    "401": (told("HTTP/1.0 401 Unauthorized\r\n\r\n"),
            "status 401: it takes no such user and password"),
    "502": (told("HTTP/1.1 502 Bad Gateway\r\n\r\n"), "status 502: it did not reach the peer"),
    "500": (told("HTTP/1.1 500 Oops\r\n\r\n"), "status 500"),
    "garbage": (told("SSH-2.0-OpenSSH_9\r\n"), "it answers by what is no HTTP"),
    "no status": (told("HTTP/1.1 two hundred\r\n\r\n"), "it answers by what is no HTTP"),
    "cut": (cut, "it ended the connection without an answer"),
    "reset": (reset, "it ended the connection: Connection reset by peer"),
    "endless head": (endless, "its answer is too long"),
}


def settings(up, proxy, **more):
    return {"REQUESTS_WS_URL": up.url.replace("127.0.0.1", NAME), "WS_PROXY": proxy.url,
            "RECONNECT_MAX_SECONDS": CEILING} | more


@pytest.fixture
def proxy(upstream):
    with RawProxy(names={NAME: "127.0.0.1"}) as one:
        yield one


def test_through_a_proxy(make_service, upstream, proxy):
    """The name is its to look up, the password for it alone; all works as without."""
    service = make_service(settings(upstream, proxy)).start()
    assert proxy.heads[0].startswith(f"CONNECT {NAME}:{upstream.port} HTTP/1.1\r\n")
    assert proxy.header("Host") == f"{NAME}:{upstream.port}"
    assert proxy.header("Proxy-Authorization") == basic("Pxy1userQ:Pxy2passQ")
    assert "Proxy-Authorization" not in upstream.link.headers
    assert upstream.link.headers["Host"] == f"{NAME}:{upstream.port}"
    assert stake_of(upstream.link.ask(message())) == "207.55196"
    service.wait_log(f"connected url=ws://{NAME}:{upstream.port}/ws proxy={proxy.label}")
    upstream.link.reset()
    upstream.wait_link(2)
    service.stop()
    assert "Pxy2passQ" not in service.log()


def test_bytes_right_behind_the_answer_and_an_answer_in_pieces(make_service, upstream, proxy):
    """What the proxy sends of its own is read to the byte, however it comes."""

    def piecewise(proxy, sock, place):
        for byte in b"HTTP/1.1 200 OK\r\nVia: 1.1 x\r\nX-Long: " + 3000 * b"y" + b"\r\n\r":
            sock.sendall(bytes([byte]))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        time.sleep(0.05)  # so that the last byte comes alone
        proxy.tunnel(_Behind(sock), place)

    proxy.answer = piecewise
    make_service(settings(upstream, proxy)).start()
    assert stake_of(upstream.link.ask(message())) == "207.55196"


class _Behind:
    """A socket whose first answer is only the end of one that was begun."""

    def __init__(self, sock):
        self._sock = sock
        self._first = True

    def sendall(self, data):
        self._sock.sendall(b"\n" if self._first else data)
        self._first = False

    def __getattr__(self, name):
        return getattr(self._sock, name)


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_proxy_that_refuses(make_service, upstream, proxy, kind):
    """It is told as the proxy's, by its place, without its password; then it serves."""
    proxy.answer, why = REFUSALS[kind]
    service = make_service(settings(upstream, proxy)).launch()
    service.wait_log(f'connect_failed .*detail="proxy {proxy.label}: {why}"', count=2)
    proxy.answer = RawProxy.tunnel
    upstream.wait_link()
    assert "Pxy2passQ" not in service.log()


def test_a_refusal_is_alerted(make_service, upstream, proxy):
    proxy.answer = REFUSALS["407"][0]
    service = make_service(settings(upstream, proxy)).launch()
    service.wait_log(f'alert alert=proxy_refused .*"proxy {proxy.label}: status 407')


def test_a_dead_proxy(make_service, upstream, proxy):
    with proxy:
        pass
    service = make_service(settings(upstream, proxy)).launch()
    service.wait_log(f'detail="proxy {proxy.label}: no connection could be made: '
                     'Connection refused"')


def test_a_proxy_whose_name_is_not_known(make_service, upstream):
    service = make_service({"REQUESTS_WS_URL": upstream.url,
                            "WS_PROXY": "http://proxy.invalid:3128"}).launch()
    service.wait_log('detail="proxy proxy.invalid:3128: name look-up: ')


def test_a_silent_proxy(make_service, upstream, proxy):
    """One attempt takes five seconds, and no longer."""
    silent = threading.Event()
    proxy.answer = lambda *_: silent.wait(30 * SCALE)
    service = make_service(settings(upstream, proxy)).launch()
    begun = time.monotonic()
    service.wait_log(f'reason=timeout detail="proxy {proxy.label}: it does not answer"')
    assert 4.5 < time.monotonic() - begun < 5 + 3 * SCALE
    silent.set()


def test_tls_is_the_upstreams(make_service, tmp_path):
    """Its name is checked, not the proxy's."""
    authority = Authority(tmp_path)
    with RawProxy(names={NAME: "127.0.0.1", "other.invalid": "127.0.0.1"}) as proxy, \
            TlsUpstream(server_context(authority.issue(NAME))) as up:
        more = {"WS_CA_FILE": authority.ca_file}
        service = make_service(settings(up, proxy, **more)).start()
        assert stake_of(up.link.ask(message())) == "207.55196"
        service.stop()
        more["REQUESTS_WS_URL"] = up.url.replace("127.0.0.1", "other.invalid")
        service = make_service(settings(up, proxy, **more)).launch()
        service.wait_log('connect_failed .*detail="TLS: hostname mismatch"')


@pytest.mark.parametrize("kind", [Tinyproxy, Squid])
def test_real_proxies(make_service, upstream, kind):
    with kind() as proxy:
        given = {"REQUESTS_WS_URL": upstream.url, "RECONNECT_MAX_SECONDS": CEILING}
        service = make_service(given | {"WS_PROXY": proxy.url}).start()
        assert stake_of(upstream.link.ask(message())) == "207.55196"
        service.stop()
        bare = f"http://{proxy.label}"
        service = make_service(given | {"WS_PROXY": bare}).launch()
        service.wait_log(f'detail="proxy {proxy.label}: status 407: it wants another user')


def test_the_environment_names_it(make_service, upstream, proxy):
    """http_proxy for ws://; NO_PROXY and `none` do without; HTTP_PROXY is no such variable."""
    url = {"REQUESTS_WS_URL": upstream.url}
    make_service(url | {"http_proxy": proxy.url}).start().stop()
    assert len(proxy.heads) == 1
    for more in ({"http_proxy": proxy.url, "NO_PROXY": "127.0.0.0/8"},
                 {"http_proxy": proxy.url, "no_proxy": "*", "NO_PROXY": ""},
                 {"http_proxy": proxy.url, "WS_PROXY": "None"},
                 {"https_proxy": proxy.url, "HTTP_PROXY": proxy.url}):
        make_service(url | more).start().stop()
    assert len(proxy.heads) == 1


def test_a_proxy_that_is_not_spoken_to(make_service, upstream):
    """In clear to one that wants TLS: never."""
    with RawProxy() as proxy:
        for text in (proxy.url.replace("http", "https"), proxy.url.replace("http", "socks5")):
            done = make_service({"REQUESTS_WS_URL": upstream.url}).command(
                "check", env={"WS_PROXY": text})
            assert done.returncode == 78 and "Pxy2passQ" not in done.stderr + done.stdout
            assert "WS_PROXY=*** (environment): must be http://" in done.stderr
        assert not proxy.heads


def test_check_shows_it(make_service, upstream, proxy):
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    done = service.command("check", "--live", env={"http_proxy": proxy.url})
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("WS_PROXY")]
    assert line.split() == ["WS_PROXY", f"http://***@{proxy.label}/", "http_proxy"]
    assert f"result=ok proxy={proxy.label}" in done.stdout and len(proxy.heads) == 1
    assert "Pxy2passQ" not in done.stdout + done.stderr


def test_two_upstreams_with_and_without(make_service, proxy):
    with Upstream() as one, Upstream() as two:
        service = make_service({
            "REQUESTS_WS_URL": f"{one.url} {two.url.replace('127.0.0.1', 'localhost')}",
            "WS_PROXY": proxy.url, "NO_PROXY": "localhost"}).start()
        assert stake_of(one.link.ask(message())) == stake_of(two.link.ask(message()))
        assert [head.split()[1] for head in proxy.heads] == [f"127.0.0.1:{one.port}"]
        service.stop()
