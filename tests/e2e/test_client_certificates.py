"""Upstreams and providers that want to know us by a certificate."""
import re
import socket
import ssl
import threading

import pytest

from amounts import message, stake_of
from certificates import Authority, server_context
from rate_shop import FIRST, SECOND, RateShop
from raw_upstream import RawUpstream
from tls_upstream import TlsUpstream

QUICK = {"RECONNECT_MAX_SECONDS": "0.2"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def ours(authority):
    return authority.issue("fxwire.test")


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """One of an authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("strange"), "stranger").issue("fxwire.test")


def demanding(authority, name, newest=ssl.TLSVersion.TLSv1_3):
    context = server_context(authority.issue(name))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca_file)
    context.maximum_version = newest
    return context


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def version(request):
    return request.param


@pytest.fixture
def up(version, authority):
    with TlsUpstream(demanding(authority, "localhost", version), name="localhost") as one:
        yield one


@pytest.fixture
def telling(version, authority):
    """One that shakes no hand, but reads on: its alert is not lost in a reset."""

    def serve(up, context):
        try:
            while True:
                sock = context.wrap_socket(up.sock.accept()[0], server_side=True,
                                           do_handshake_on_connect=False)
                try:
                    sock.do_handshake()
                except ssl.SSLError:
                    with socket.socket(fileno=sock.detach()) as rest:
                        while rest.recv(4096):
                            pass
        except OSError:
            pass  # it is over

    with RawUpstream() as one:
        one.url = one.url.replace("ws://", "wss://")
        context = demanding(authority, "127.0.0.1", version)
        thread = threading.Thread(target=serve, args=(one, context), daemon=True)
        thread.start()
        yield one
        one.sock.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def begin(make_service, authority, up):
    """begin(file of certificate and key, NAME=value...) gives a service."""

    def make(file, up=up, args=(), **more):
        settings = {"REQUESTS_WS_URL": up.url, "WS_CA_FILE": authority.ca_file,
                    "WS_CERT_FILE": file, "WS_KEY_FILE": file} | QUICK
        return make_service(settings | more, args=args).launch()

    return make


def assert_works(up):
    assert stake_of(up.wait_link().ask(message())) == "207.55196"


def failed(service, told):
    service.wait_log(f'connect_failed .*reason=failed detail="?TLS: {told}')


def test_an_upstream_that_knows_us(begin, up, ours):
    begin(ours)
    assert_works(up)


def test_without_one_the_alert_is_named(begin, telling, version):
    """TLS 1.2 has no other word for it than that the handshake failed."""
    told = {ssl.TLSVersion.TLSv1_2: "handshake failure",
            ssl.TLSVersion.TLSv1_3: "(tlsv13 alert )?certificate required"}[version]
    service = begin(None, telling)
    failed(service, told)
    tried = service.command("check", "--live")
    assert tried.returncode == 69 and re.search(f"TLS: {told}", tried.stdout), tried.stdout


def test_one_that_is_not_trusted(begin, telling, strange):
    failed(begin(strange, telling), "unknown CA")


def test_a_key_of_another_one(begin, authority, ours):
    """Told by `check --live` as by the service."""
    service = begin(ours, WS_KEY_FILE=authority.issue("fxwire.test"))
    wanted = 'connect_failed .*reason=failed detail="WS_KEY_FILE: key values mismatch"'
    service.wait_log(wanted)
    tried = service.command("check", "--live")
    assert tried.returncode == 69
    assert 'detail="WS_KEY_FILE: key values mismatch"' in tried.stdout


def test_files_that_are_replaced(begin, up, authority, ours, strange, tmp_path):
    """They are read with the next attempt, under the sandbox, too."""
    file = tmp_path / "own" / "client.pem"
    file.parent.mkdir()
    file.write_bytes(strange.read_bytes())
    service = begin(file)
    service.wait_log("connect_failed", count=2)
    renewed = file.with_name("renewed")
    renewed.write_bytes(ours.read_bytes())
    renewed.rename(file)
    assert_works(up)
    assert service.helper("wsclient")["deaths"] == 0


def test_a_reload_brings_one(begin, up, ours, tmp_path):
    env_file = tmp_path / "env"
    env_file.write_text("")
    service = begin(None, args=["--env-file", str(env_file)])
    service.wait_log("connect_failed", count=2)
    env_file.write_text(f"WS_CERT_FILE={ours}\nWS_KEY_FILE={ours}\n")
    assert service.command("--env-file", env_file, "reload").returncode == 0
    assert_works(up)


@pytest.mark.parametrize("mine, result", [
    ("ours", FIRST), ("strange", SECOND), (None, SECOND)], ids=["ours", "strange", "none"])
def test_a_provider_that_wants_one(request, authority, ours, mine, result):
    """Who is refused by it is served by the next one."""
    file = request.getfixturevalue(mine) if mine else None
    with RateShop(tls=server_context(authority.issue("127.0.0.1")),
                  HTTP_CA_FILE=authority.ca_file,
                  HTTP_CERT_FILE=file, HTTP_KEY_FILE=file) as shop:
        # With 1.3 the answer would begin with a reset.
        shop.fca.tls = demanding(authority, "127.0.0.1", ssl.TLSVersion.TLSv1_2)
        shop.start()
        assert shop.convert() == result
        if mine is None:
            shop.service.wait_log("provider_failed .*alert handshake failure")
        if mine == "strange":
            shop.service.wait_log("provider_failed .*unknown ca")


def test_everybody_can_read_the_key(make_service, ours, tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(ours.read_bytes())
    service = make_service({"REQUESTS_WS_URL": "wss://localhost/", "WS_CERT_FILE": ours,
                            "WS_KEY_FILE": file})
    told = f"warning: WS_KEY_FILE={file}: everybody on this machine can read the key"
    for mode, warned in ((0o640, False), (0o644, True)):
        file.chmod(mode)
        done = service.command("check")
        assert done.returncode == 0
        assert (told in done.stderr) == warned, done.stderr
