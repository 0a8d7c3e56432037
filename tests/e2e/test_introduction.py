"""WS_PROTOCOL and WS_ORIGIN: what an upstream may insist on."""
import os

import pytest

from amounts import message, stake_of
from tls_upstream import Program, need_program
from upstream import Upstream

ORIGIN = "https://client.example:8443"
BOTH = {"WS_PROTOCOL": "chat,v2.chat", "WS_ORIGIN": ORIGIN}


def test_nothing_is_said_unasked(make_service, raw):
    service = make_service({"REQUESTS_WS_URL": raw.url}).launch()
    link = raw.link()
    assert link.header("Sec-WebSocket-Protocol") is None and link.header("Origin") is None
    assert stake_of(link.ask(message())) == "207.55196"
    assert "protocol" not in service.log()


def upgrade_with(link, protocol):
    link.read_head()
    link.send(link.answer_head(more=[f"Sec-WebSocket-Protocol: {protocol}"]))


@pytest.mark.parametrize("chosen", ["chat", "v2.chat"])
def test_what_is_offered_and_chosen(make_service, raw, chosen):
    service = make_service({"REQUESTS_WS_URL": raw.url} | BOTH).launch()
    link = raw.accept()
    upgrade_with(link, chosen)
    assert link.header("Sec-WebSocket-Protocol") == "chat, v2.chat"
    assert link.header("Origin") == ORIGIN
    assert stake_of(link.ask(message())) == "207.55196"
    service.wait_log(f"connected url={raw.url} protocol={chosen}")
    assert "protocol_not_chosen" not in service.log()


def test_none_is_chosen(make_service, raw):
    """The connection stands (RFC 6455, 4.1), and the log tells."""
    service = make_service({"REQUESTS_WS_URL": raw.url} | BOTH).launch()
    assert stake_of(raw.link().ask(message())) == "207.55196"
    service.wait_log('protocol_not_chosen .*offered="chat, v2.chat"')


@pytest.mark.parametrize("chosen", ["chats", "cha", "CHAT", "other"])
def test_another_is_chosen(make_service, raw, chosen):
    """It is no connection (RFC 6455, 4.1), until the upstream knows better."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "0.2"}
                           | BOTH).launch()
    upgrade_with(raw.accept(), chosen)
    service.wait_log("connect_failed .*the upstream chose a subprotocol that was not offered "
                     ".WS_PROTOCOL.")
    link = raw.accept()
    upgrade_with(link, "v2.chat")
    assert stake_of(link.ask(message())) == "207.55196"


def test_websockets_that_insists(make_service):
    """python3-websockets knows subprotocols and origins of its own."""
    with Upstream(subprotocols=["v2.chat"], origins=[ORIGIN]) as up:
        url = {"REQUESTS_WS_URL": up.url, "RECONNECT_MAX_SECONDS": "0.2"}
        stranger = make_service(url).launch()
        stranger.wait_log('connect_failed .*detail="status 403"')
        stranger.stop()
        service = make_service(url | BOTH).start()
        service.wait_log(f"connected url={up.url} protocol=v2.chat")
        assert up.link.ws.subprotocol == "v2.chat"
        assert stake_of(up.link.ask(message())) == "207.55196"


def test_node_that_insists(make_service):
    need_program("/usr/bin/nodejs", "nodejs and node-ws")
    script = os.path.join(os.path.dirname(__file__), "node_upstream.js")
    env = {"PATH": "/usr/bin:/bin", "NODE_PATH": "/usr/share/nodejs",
           "INSIST": f"v2.chat {ORIGIN}"}
    with Program("/usr/bin/nodejs", script, message(), env=env) as node:
        url = f"ws://127.0.0.1:{int(node.wait_line('port ').split()[1])}/ws"
        stranger = make_service({"REQUESTS_WS_URL": url}).launch()
        stranger.wait_log('connect_failed .*detail="status 401"')
        stranger.stop()
        make_service({"REQUESTS_WS_URL": url} | BOTH).launch().wait_log(
            f"connected url={url} protocol=v2.chat")
        assert node.wait_json("answer ")["payload"]["stake"] == 207.55196
