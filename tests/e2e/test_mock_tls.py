"""The stand-ins over TLS, with the service between the two."""
import json

import pytest

from certificates import Authority
from mocks import Mock, run_mock

RATES = "Date,USD,JPY,\n2021-05-18,1.2222,133.21,\n2021-05-17,1.2152,132.7,\n"


@pytest.fixture
def certificate(tmp_path):
    """Of 127.0.0.1: the authority's file, and the options that name it."""
    authority = Authority(tmp_path)
    file = authority.issue("127.0.0.1")
    return authority.ca_file, ("--tls-cert", file, "--tls-key", file)


def request(ident, at, note="", **more):
    send = {"type": "message", "id": ident,
            "payload": {"stake": 2, "currency": "USD", "date": "2021-05-18", "note": note}}
    return {"send": send, "at": at, **more}


def test_both_serve_the_service(tmp_path, make_service, certificate):
    """Short messages and some longer than a record of TLS, over breaks of each kind."""
    ca_file, options = certificate
    (tmp_path / "rates.csv").write_text(RATES)
    lines = [request(1, 0), request(2, 0, "x" * 60000), request(3, 0, "y" * 200000),
             {"fault": "slow", "bytes": 40000, "seconds": 1, "at": 0}, request(4, 0, "z" * 30000),
             {"fault": "unread", "seconds": 0.5, "at": 1}, request(5, 1, "u" * 60000),
             {"fault": "cut", "at": 2}, request(6, 2),
             {"fault": "close", "code": 1012, "at": 3}, request(7, 3),
             {"fault": "refuse", "seconds": 0.2, "at": 4}, request(8, 4, expect="1.63639")]
    (tmp_path / "script").write_text("".join(json.dumps(line) + "\n" for line in lines))
    provider = Mock(tmp_path, "mock-provider", "--rates", tmp_path / "rates.csv", *options,
                    "--fault", '{"fault":"cut","calls":1}')
    upstream = Mock(tmp_path, "mock-upstream", "--script", tmp_path / "script", "--quiet",
                    "--rates", tmp_path / "rates.csv", "--patience", "20", *options)
    try:
        assert provider.url.startswith("https://") and upstream.url.startswith("wss://")
        assert f"FRANKFURTER_URL={provider.url}/frankfurter\n" in provider.out()
        service = make_service({
            "REQUESTS_WS_URL": upstream.url, "WS_CA_FILE": ca_file,
            "RATE_PROVIDERS": "frankfurter url", "FRANKFURTER_URL": provider.url + "/frankfurter",
            "RATES_URL": provider.url + "/url", "RATES_FILE": None, "HTTP_CA_FILE": ca_file,
            "MAX_MESSAGE_BYTES": "1048576", "RECONNECT_MAX_SECONDS": "0.2"})
        service.start()
        assert upstream.wait(60) == 0, upstream.out() + upstream.err()
    finally:
        upstream.stop()
        provider.stop()
    assert "answered right 8, answered by error 0, wrong 0" in upstream.out()


@pytest.mark.parametrize("name", ("mock-upstream", "mock-provider"))
def test_what_is_no_certificate(tmp_path, certificate, name):
    (tmp_path / "rates.csv").write_text(RATES)
    options = ("--rates", tmp_path / "rates.csv")
    code, _, told = run_mock(name, *options, "--tls-cert", tmp_path / "rates.csv",
                             "--tls-key", certificate[1][3])
    assert code == 66 and told.startswith(f"{name}: {tmp_path}/rates.csv: ")
    code, _, told = run_mock(name, *options, *certificate[1][:2], "--tls-key", certificate[0])
    assert code == 66 and told.startswith(f"{name}: {certificate[0]}: ")
    code, _, told = run_mock(name, *options, *certificate[1][:2])
    assert code == 64 and "--tls-cert: goes with --tls-key" in told
