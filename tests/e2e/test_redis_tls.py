"""rediss://: only who proves to be the Redis that is meant is told anything."""
import pytest

from certificates import Authority, bad_certificate
from rate_shop import FIRST
from redis_server import RedisServer
from test_redis_roles import wait_kept, wait_state

SECRET = "red8passwordQ"


class TlsRedis(RedisServer):
    """On its port it speaks TLS alone; clients of the tests use its Unix socket."""

    def __init__(self, certificate, *options):
        super().__init__("--tls-cert-file", str(certificate), "--tls-key-file", str(certificate),
                         "--tls-auth-clients", "no", "--tls-ca-cert-file", str(certificate),
                         *options)
        self.options += ["--port", "0", "--tls-port", str(self.port)]

    def url(self, database=0, user_info=""):
        return f"rediss://{user_info}127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("redis-tls"))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_tables_are_shared(open_shop, authority, name):
    with TlsRedis(authority.issue(name), "--requirepass", SECRET) as server:
        server.start()
        shop = open_shop(server.url(3, f":{SECRET}@").replace("127.0.0.1", name),
                         REDIS_CA_FILE=authority.ca_file)
        wait_state(shop, "up")
        client = server.client(3, password=SECRET)
        wait_kept(shop, client)
        server.kill()
        assert shop.convert(shop.new_day()) == FIRST
        wait_state(shop, "down")
        server.start()
        wait_state(shop, "up")
        wait_kept(shop, client)
        shop.assert_secret(SECRET)


@pytest.mark.parametrize("kind, told", {
    "expired": "certificate has expired",
    "wrong name": "IP address mismatch",
    "self-signed": "self-signed certificate",
    "unknown issuer": "unable to get local issuer certificate",
}.items(), ids=lambda value: value if " " not in value else None)
def test_a_certificate_that_does_not_serve(open_shop, authority, tmp_path, kind, told):
    """Its reason is named, and no password sent."""
    certificate = bad_certificate(kind, authority, tmp_path, "127.0.0.1")
    with TlsRedis(certificate, "--requirepass", SECRET) as server:
        server.start()
        shop = open_shop(server.url(0, f":{SECRET}@"), REDIS_CA_FILE=authority.ca_file)
        wait_state(shop, "down")
        line = shop.service.wait_log("redis_down .*")
        assert "its certificate is refused: " in line and told in line
        assert shop.convert() == FIRST
        assert server.client(password=SECRET).info("commandstats").keys().isdisjoint(
            {"cmdstat_get", "cmdstat_set"})


def test_without_redis_ca_file_only_the_system_is_trusted(open_shop, authority):
    with TlsRedis(authority.issue("127.0.0.1")) as server:
        server.start()
        shop = open_shop(server.url())
        shop.service.wait_log("redis_down .*its certificate is refused")


def test_plain_redis_on_the_port_of_tls(open_shop):
    with RedisServer() as server:
        server.start()
        shop = open_shop(server.url().replace("redis", "rediss"))
        line = shop.service.wait_log("redis_down .*")
        assert "no TLS handshake" in line or "TLS: wrong version number" in line, line
        assert shop.convert() == FIRST


def test_check_live_over_tls(open_shop, authority):
    with TlsRedis(authority.issue("127.0.0.1")) as server:
        server.start()
        shop = open_shop(server.url(), REDIS_CA_FILE=authority.ca_file)
        told = shop.service.command("check", "--live").stdout
        assert f"redis       redis=127.0.0.1:{server.port} result=up" in told
