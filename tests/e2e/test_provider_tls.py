"""Providers over https: only those that are trusted serve. Spec section 5."""
import shutil
import subprocess

import pytest

from amounts import is_error
from certificates import Authority, bad_certificate, server_context
from rate_shop import FIRST, SECOND, RateShop


@pytest.fixture(scope="module")
def tls_shop(tmp_path_factory):
    """Providers over https; the authority is trusted by HTTP_CA_FILE."""
    authority = Authority(tmp_path_factory.mktemp("tls"))
    good = authority.issue("127.0.0.1")
    with RateShop(tls=server_context(good), HTTP_CA_FILE=authority.ca_file) as shop:
        shop.fca.tls = server_context(good)
        shop.authority, shop.good = authority, good
        shop.start()
        assert shop.convert() == FIRST
        assert "provider_not_encrypted" not in shop.service.log()
        yield shop


@pytest.mark.parametrize("kind, told", {
    "expired": "certificate has expired",
    "wrong name": "subject name",
    "self-signed": "self-signed certificate",
    "unknown issuer": "unable to get local issuer certificate",
}.items(), ids=lambda value: value if " " not in value else None)
def test_a_certificate_that_does_not_serve(tls_shop, tmp_path, kind, told):
    """The next provider serves, the log has the reason, no request is sent."""
    shop = tls_shop
    start = len(shop.service.log())
    shop.fca.tls = server_context(bad_certificate(kind, shop.authority, tmp_path,
                                                  "127.0.0.1"))
    shop.fca.clear()
    assert shop.convert() == SECOND
    assert not shop.fca.calls
    line = shop.wait_new_log(start, "provider_failed .*result=unreached.*")[0]
    assert told in line
    shop.fca.tls = server_context(shop.good)
    assert shop.convert() == FIRST


def test_plain_text_on_the_port_of_https(tls_shop):
    shop = tls_shop
    start = len(shop.service.log())
    shop.fca.tls, shop.fca.greeting = None, b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert shop.convert() == SECOND
    shop.wait_new_log(start, "provider_failed .*result=unreached .*wrong version number")
    shop.fca.tls, shop.fca.greeting = server_context(shop.good), None
    assert shop.convert() == FIRST


def test_ssl_cert_file_is_a_trust_anchor_too(tmp_path):
    """As it is for the upstream."""
    authority = Authority(tmp_path)
    with RateShop(tls=server_context(authority.issue("127.0.0.1")),
                  SSL_CERT_FILE=authority.ca_file) as shop:
        shop.start()
        assert shop.convert() == FIRST


def test_ssl_cert_dir_is_a_trust_anchor_too(tmp_path):
    """Several folders, of certificates under the hashes of their names."""
    authority = Authority(tmp_path)
    folders = [tmp_path / "none", tmp_path / "of hashes"]
    for folder in folders:
        folder.mkdir()
    shutil.copy(authority.ca_file, folders[1])
    subprocess.run(["openssl", "rehash", folders[1]], check=True)
    with RateShop(tls=server_context(authority.issue("127.0.0.1")),
                  SSL_CERT_DIR=":".join(map(str, folders))) as shop:
        shop.start()
        assert shop.convert() == FIRST


def test_without_http_ca_file_only_the_system_is_trusted(tmp_path):
    """No provider serves, and nobody is shown the key."""
    certificate = Authority(tmp_path).issue("127.0.0.1")
    with RateShop(tls=server_context(certificate)) as shop:
        shop.prepare().service.launch()
        shop.upstream.wait_link()
        assert is_error(shop.ask(), 456)
        shop.service.wait_log("provider_failed provider=ecb .*issuer certificate")
        assert not any(api.calls for api in shop.apis())
        assert shop.service.status()["ready"] is False
