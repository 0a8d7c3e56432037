"""wss:// upstreams: spec section 4."""
import base64
import http
import json
import os
import re

import pytest

from amounts import message, stake_of
from certificates import Authority, bad_certificate, old_tls_context, server_context
from raw_upstream import RawUpstream
from tls_upstream import Program, TlsUpstream, need_program
from waiting import at_most

QUICK = {"RECONNECT_MAX_SECONDS": "0.2"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def good(authority):
    return authority.issue("localhost", "127.0.0.1", "::1")


@pytest.fixture
def tls(good):
    """An upstream behind TLS, by name; `context` is what it has."""
    context = server_context(good)
    with TlsUpstream(context, name="localhost") as up:
        up.context = context
        yield up


def assert_works(up):
    assert stake_of(up.wait_link().ask(message())) == "207.55196"


@pytest.mark.smoke
def test_a_right_certificate(tls, authority, start):
    """By its name; TLS 1.2 or 1.3, no other protocol offered."""
    service = start(tls, WS_CA_FILE=authority.ca_file)
    assert_works(tls)
    service.wait_log(f"connected url=wss://localhost:{tls.port}/ws")
    assert tls.link.headers["Host"] == f"localhost:{tls.port}"


def test_the_oldest_tls_that_serves(tls, authority, start):
    tls.context.maximum_version = tls.context.minimum_version = 0x0303
    start(tls, WS_CA_FILE=authority.ca_file)
    assert_works(tls)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_in_the_certificate(make_service, good, authority, host):
    """An IP address is checked against those that the certificate has."""
    with TlsUpstream(server_context(good), host=host) as up:
        service = make_service({"REQUESTS_WS_URL": up.url,
                                "WS_CA_FILE": authority.ca_file}).launch()
        service.wait_log("connected url=|connect_failed")
        assert "connect_failed" not in service.log(), service.log()
        assert_works(up)


@pytest.mark.parametrize("kind, told", {
    "expired": "certificate has expired",
    "wrong name": "hostname mismatch",
    "self-signed": "self-signed certificate",
    "unknown issuer": "unable to get local issuer certificate",
}.items(), ids=lambda value: value if " " not in value else None)
def test_a_certificate_that_does_not_serve(make_service, tls, authority, good, tmp_path,
                                           kind, told):
    """The log has the reason; mended, the link is made without a restart."""
    tls.context.load_cert_chain(bad_certificate(kind, authority, tmp_path, "localhost"))
    service = make_service({"REQUESTS_WS_URL": tls.url,
                            "WS_CA_FILE": authority.ca_file} | QUICK).launch()
    line = service.wait_log(r"connect_failed .*reason=failed", count=2)
    assert told in line and f"upstream=localhost:{tls.port}/ws" in line, line
    assert re.search(r"retry_in=[\d.]+", line)
    assert not tls.attempts
    tls.context.load_cert_chain(good)
    assert_works(tls)
    service.wait_ready()


def test_a_wrong_address(make_service, good, authority):
    """The certificate has 127.0.0.1, not 127.0.0.2."""
    with TlsUpstream(server_context(good), host="127.0.0.2") as up:
        service = make_service({"REQUESTS_WS_URL": up.url,
                                "WS_CA_FILE": authority.ca_file} | QUICK).launch()
        assert "IP address mismatch" in service.wait_log("connect_failed", count=2)
        assert not up.attempts


def test_old_tls(make_service, good, authority):
    """TLS 1.1 is refused. Of this peer's alert no more may come than its end."""
    with TlsUpstream(old_tls_context(good)) as up:
        service = make_service({"REQUESTS_WS_URL": up.url,
                                "WS_CA_FILE": authority.ca_file} | QUICK).launch()
        line = service.wait_log("connect_failed .*reason=failed", count=2)
        assert re.search("protocol version|unsupported protocol|unexpected eof", line), line
        assert not up.attempts


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_cut_in_the_handshake(make_service, raw, authority, how):
    """After our first message: another attempt after a short while."""
    service = make_service({"REQUESTS_WS_URL": raw.url.replace("ws:", "wss:"),
                            "WS_CA_FILE": authority.ca_file} | QUICK).launch()
    for _ in range(3):
        link = raw.accept()
        link.sock.recv(4096)
        link.close() if how == "fin" else link.reset()
    service.wait_log("connect_failed .*reason=failed detail=", count=2)


def test_plain_text_on_the_port_of_tls(make_service, raw, authority):
    """A server of ws:// at a wss:// address."""
    service = make_service({"REQUESTS_WS_URL": raw.url.replace("ws:", "wss:"),
                            "WS_CA_FILE": authority.ca_file} | QUICK).launch()
    for _ in range(3):
        link = raw.accept()
        link.sock.recv(4096)
        link.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    line = service.wait_log("connect_failed .*reason=failed", count=2)
    assert "wrong version number" in line, line


def test_tls_on_the_port_of_plain_text(make_service, good):
    """A server of wss:// at a ws:// address."""
    with TlsUpstream(server_context(good)) as up:
        service = make_service({"REQUESTS_WS_URL": up.url.replace("wss:", "ws:")}
                               | QUICK).launch()
        service.wait_log("connect_failed .*reason=failed detail=", count=2)


def test_a_silent_server(make_service, raw, authority):
    """TCP stands, TLS is never answered: the attempt ends after 5 s."""
    service = make_service({"REQUESTS_WS_URL": raw.url.replace("ws:", "wss:"),
                            "WS_CA_FILE": authority.ca_file} | QUICK).launch()

    def measure():
        began = raw.accept().accepted
        raw.links[-1].wait_end()
        return raw.links[-1].ended - began

    at_most(5.1, measure)
    service.wait_log("connect_failed .*reason=timeout")


def test_only_the_system_is_trusted_without_a_file(make_service, tls, authority):
    """An unknown authority is refused; one that the system has is not."""
    service = make_service({"REQUESTS_WS_URL": tls.url} | QUICK).launch()
    assert "unable to get local issuer certificate" in service.wait_log("connect_failed")
    service.stop()
    line = f'SSL_CERT_FILE={authority.ca_file} exec {{real}} "$@"'
    make_service({"REQUESTS_WS_URL": tls.url}, wrappers={"wsclient": line}).start()
    assert_works(tls)


def test_only_the_file_is_trusted_with_one(make_service, tls, authority, tmp_path):
    """The system's trust is then switched off."""
    other = Authority(tmp_path, "other")
    line = f'SSL_CERT_FILE={authority.ca_file} exec {{real}} "$@"'
    service = make_service({"REQUESTS_WS_URL": tls.url, "WS_CA_FILE": other.ca_file}
                           | QUICK, wrappers={"wsclient": line}).launch()
    assert "unable to get local issuer certificate" in service.wait_log("connect_failed")
    assert not tls.attempts


def test_answers_of_any_length_over_tls(tls, authority, start):
    """Many requests at once; none is lost or changed."""
    start(tls, WS_CA_FILE=authority.ca_file)
    link = tls.wait_link()
    asked = {str(i): "x" * (i * 200) for i in range(300)}
    link.send(*(message(f'"{i}"').replace('"odds"', f'"pad":"{pad}","odds"')
                for i, pad in asked.items()))
    answers = [json.loads(a) for a in link.wait_answers(300, 20)]
    assert {a["id"]: a["payload"]["pad"] for a in answers} == asked
    assert {a["payload"]["stake"] for a in answers} == {207.55196}


@pytest.mark.parametrize("sent, code", ((b"\x81\x7f" + b"\xff" * 8, 1009), (b"\x83\x00", 1002)))
def test_a_broken_frame_is_told_over_tls(tls, authority, start, sent, code):
    """The library leaves at a frame without a word; the close frame is ours."""
    tls.beat = None  # what came behind it would be answered by a reset
    start(tls, WS_CA_FILE=authority.ca_file)
    link = tls.wait_link()
    link.wait_received()

    async def write():
        link.ws.transport.write(sent)

    tls.run(write())
    link.wait_end()
    assert link.close_code == code


# Authorization

TOKEN = "Bearer t0ken-0123456789-of-tests"


def assert_in_no_log(service, *secrets):
    service.wait_counter("fxwire_connected", 1)
    seen = service.log() + str(service.status()) + str(service.titles())
    for secret in secrets:
        assert secret not in seen
    for pid, title in service.titles().items():
        if "ratefetcher" in title or "monitor" in title:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                text = environment.read()
            assert not any(secret.encode() in text for secret in secrets), title


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_authorization_arrives(make_service, upstream, tls, authority, scheme):
    """WS_AUTHORIZATION is the header's value, and is shown nowhere."""
    up = upstream if scheme == "ws" else tls
    service = make_service({"REQUESTS_WS_URL": up.url, "WS_CA_FILE": authority.ca_file,
                            "WS_AUTHORIZATION": TOKEN, "LOG_LEVEL": "debug"}).start()
    assert up.wait_link().headers.get_all("Authorization") == [TOKEN]
    assert_in_no_log(service, "t0ken-0123456789")


def test_user_info_arrives_as_basic(make_service, upstream):
    """Unescaped, as RFC 7617 says; it is no part of the Host or the path."""
    url = upstream.url.replace("ws://", "ws://us%C3%A9r:pa%3Ass%20w0rd@") + "?tok=hunter2"
    service = make_service({"REQUESTS_WS_URL": url, "LOG_LEVEL": "debug"}).start()
    link = upstream.wait_link()
    basic = base64.b64encode("usér:pa:ss w0rd".encode()).decode()
    assert link.headers.get_all("Authorization") == [f"Basic {basic}"]
    assert link.headers["Host"] == f"127.0.0.1:{upstream.port}"
    assert link.path == "/ws?tok=hunter2"
    assert_in_no_log(service, basic, "w0rd", "hunter2", "us%C3%A9r")


def test_authorization_goes_before_user_info(start, upstream):
    service = start(upstream, WS_AUTHORIZATION=TOKEN,
                    REQUESTS_WS_URL=upstream.url.replace("ws://", "ws://user:w0rd@"))
    assert upstream.wait_link().headers.get_all("Authorization") == [TOKEN]
    assert_in_no_log(service, "w0rd", "t0ken-0123456789")


def test_a_refused_authorization_is_in_no_log(make_service, upstream):
    """Also when the server sends it back."""
    upstream.refuse = (http.HTTPStatus.UNAUTHORIZED, [("X-Token", TOKEN)], TOKEN.encode())
    service = make_service({"REQUESTS_WS_URL": upstream.url, "WS_AUTHORIZATION": TOKEN,
                            "LOG_LEVEL": "debug"} | QUICK).launch()
    service.wait_log("handshake_refused .*status=401")
    upstream.refuse = None
    service.wait_ready()
    assert_in_no_log(service, "t0ken-0123456789")


# Servers by others

@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_node_as_upstream(make_service, good, authority, scheme):
    """Node's ws, plain and behind TLS: beats, an answer, a close with 1001."""
    need_program("/usr/bin/nodejs", "nodejs and node-ws")
    script = os.path.join(os.path.dirname(__file__), "node_upstream.js")
    more = [str(good)] if scheme == "wss" else []
    env = {"PATH": "/usr/bin:/bin", "NODE_PATH": "/usr/share/nodejs"}
    with Program("/usr/bin/nodejs", script, message(), *more, env=env) as node:
        port = int(node.wait_line("port ").split()[1])
        service = make_service({"REQUESTS_WS_URL": f"{scheme}://localhost:{port}/ws",
                                "WS_CA_FILE": authority.ca_file,
                                "WS_AUTHORIZATION": TOKEN}).start()
        assert node.wait_json("headers ")["authorization"] == TOKEN
        node.wait_line("beat ")
        assert node.wait_json("answer ")["payload"]["stake"] == 207.55196
        assert service.stop() == 0
        node.wait_line("closed 1001")
        assert "binary" not in node.lines


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder};
    fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate}; ssl_certificate_key {certificate};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_set_header Host $host;
        }}
    }}
}}
"""


def test_nginx_before_the_upstream(make_service, upstream, good, authority, tmp_path):
    """TLS ends at a proxy; its 502 while the upstream is away is no end."""
    need_program("/usr/sbin/nginx", "nginx-light")
    with RawUpstream() as reserved:
        port = reserved.port
    (tmp_path / "conf").write_text(NGINX.format(
        folder=tmp_path, port=port, certificate=good, upstream=upstream.port))
    with Program("/usr/sbin/nginx", "-p", str(tmp_path), "-c", str(tmp_path / "conf")):
        service = make_service({"REQUESTS_WS_URL": f"wss://localhost:{port}/ws",
                                "WS_AUTHORIZATION": TOKEN,
                                "WS_CA_FILE": authority.ca_file} | QUICK).start()
        assert_works(upstream)
        assert upstream.link.headers["Authorization"] == TOKEN
        link = upstream.link
        link.send(*(message(str(i)) for i in range(500)))
        assert len(link.wait_answers(501)) == 501
        upstream.refuse = (http.HTTPStatus.BAD_GATEWAY, [], b"")
        link.reset()
        service.wait_log('connect_failed .*detail="status 502"')
        upstream.refuse = None
        assert stake_of(upstream.next_link().ask(message())) == "207.55196"
