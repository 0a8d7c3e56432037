"""
Each Ping of the upstream has its own Pong, also where many come in one read,
and none goes out before the request in front of its Ping is taken.
"""
import os
import signal
import time

import pytest

from amounts import BEAT, message
from certificates import Authority, server_context
from places import SCALE
from raw_upstream import PING, PONG, TEXT, RawUpstream, frame
from tls_upstream import Program, need_program
from waiting import wait_until

COUNT = 30
PATIENT = {"HEARTBEAT_TIMEOUT_SECONDS": "60"}


def names(count=COUNT):
    return [b"ping %d" % i for i in range(count)]


def pairs(count=COUNT):
    """The bytes of requests with a Ping behind each."""
    return [frame(TEXT, message(str(i))) + frame(PING, name)
            for i, name in enumerate(names(count))]


def read_pongs(link, count=COUNT):
    """Reads until so many Pongs have come; gives the payloads of all."""
    pongs = []
    while len(pongs) < count:
        found = link.read_frame(10 * SCALE)
        assert found, f"{len(pongs)} of {count} Pongs came: {pongs}"
        if found.opcode == PONG:
            pongs.append(found.payload)
    return pongs


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["ws", "wss"])
def link(request, make_service, authority):
    context = None
    if request.param == "wss":
        context = server_context(authority.issue("127.0.0.1"))
    with RawUpstream(context=context) as raw:
        make_service({"REQUESTS_WS_URL": raw.url, "WS_CA_FILE": authority.ca_file}
                     | PATIENT).launch()
        yield raw.link()


@pytest.mark.smoke
def test_pings_at_once(link):
    link.send(b"".join(frame(PING, name) for name in names()))
    assert read_pongs(link) == names()


@pytest.mark.smoke
@pytest.mark.parametrize("count", [COUNT, 300])
def test_pings_behind_requests_at_once(link, count):
    link.send(b"".join(pairs(count)))
    assert read_pongs(link, count) == names(count)
    answered = len([f for f in link.frames
                    if f.opcode == TEXT and f.payload != BEAT.encode()])
    for _ in range(answered, count):
        link.read_answer()


def test_pings_behind_requests_one_by_one(link):
    for pair in pairs():
        link.send(pair)
    assert read_pongs(link) == names()


def test_pings_in_the_bytes_of_the_handshake(make_service, raw):
    """They come in one read with its answer."""
    make_service({"REQUESTS_WS_URL": raw.url} | PATIENT).launch()
    link = raw.accept()
    link.read_head()
    link.send(link.answer_head() + b"".join(pairs()))
    assert read_pongs(link) == names()


def test_pings_between_fragments(link):
    text = message().encode()
    link.send(frame(TEXT, text[:9], False) + b"".join(frame(PING, name) for name in names())
              + frame(0, text[9:]))
    assert read_pongs(link) == names()
    assert link.read_answer()


def test_an_upstream_that_sends_all_before_it_reads(make_service):
    """Reading is not held up by Pongs that can not be written: it would block."""
    count = 16000  # of more bytes than the kernel keeps for both
    with RawUpstream(receive_buffer=4096) as raw:
        make_service({"REQUESTS_WS_URL": raw.url, "PENDING_MAX_BYTES": 64 << 20}
                     | PATIENT).launch()
        link = raw.link()
        pad = '"pad":"' + "x" * 1000 + '","odds"'
        data = b"".join(frame(TEXT, message(str(i)).replace('"odds"', pad)) + frame(PING, b"%d" % i)
                        for i in range(count))
        began = time.monotonic()
        link.send(data)
        assert time.monotonic() - began < 10 * SCALE
        assert link.read_answer()


def test_pings_before_a_beat_after_a_stall_of_our_own(make_service, raw):
    """What is read, and held up by Pongs, is no silence of the peer."""
    service = make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "1",
                            "HEARTBEAT_INTERVAL_SECONDS": "0.2"}).launch()
    link = raw.link()
    service.wait_ready()
    link.beat()
    with service.pause("wsclient"):
        link.send(b"".join(frame(PING, name) for name in names(4000)) + frame(TEXT, BEAT))
        time.sleep(1.3)
    assert read_pongs(link, 4000) == names(4000)
    assert not raw.is_tried(0.1)


def test_pings_while_it_stops(make_service, raw):
    """
    None is answered behind a request that is left untaken; and what comes
    behind many of them is read all the same.
    """
    service = make_service({"REQUESTS_WS_URL": raw.url, "SHUTDOWN_GRACE_SECONDS": "20"}
                           | PATIENT).launch()
    link = raw.link()
    service.wait_ready()
    link.send(frame(TEXT, message("1")))
    while (ping := link.read_frame()).opcode != PING:
        pass
    os.kill(service.pids()["wsclient"], signal.SIGTERM)
    link.send(b"".join(frame(PING, b"%d" % i) for i in range(3)))
    read_pongs(link, 3)
    link.send(b"".join(pairs()) + frame(PONG, ping.payload))
    link.wait_end()
    assert link.close_code == 1001
    assert [f.payload for f in link.frames if f.opcode == PONG] == [b"0", b"1", b"2"]


def test_pings_once_the_grace_is_over(make_service):
    """The Close waits for room, and so would a Pong behind a request that is not taken."""
    with RawUpstream(receive_buffer=4096) as raw:
        service = make_service({"REQUESTS_WS_URL": raw.url, "SHUTDOWN_GRACE_SECONDS": "0.1"}
                               | PATIENT).launch()
        link = raw.link()
        service.wait_ready()
        pad = '"pad":"' + "x" * 4000 + '","odds"'
        for i in range(1500):
            link.send_text(message(str(i)).replace('"odds"', pad))
        service.wait_counter('fxwire_requests_total{result="converted"}', 1500)
        os.kill(service.pids()["wsclient"], signal.SIGTERM)
        service.wait_log("stopped_with_messages_in_hand")
        link.send(frame(TEXT, message('"late"')) + frame(PING, b"late"))
        link.wait_end()
        assert not [f for f in link.frames if f.opcode == PONG]


# Servers by others

def test_websockets_pings_behind_each_request(start, upstream):
    """All are under way at once, and each waits for its own Pong."""
    start(upstream)
    link = upstream.wait_link()

    async def ask_and_ping(ws):
        waiters = []
        for i in range(COUNT):
            await ws.send(message(str(i)))
            waiters.append(await ws.ping())
        for waiter in waiters:
            await waiter

    upstream.run(ask_and_ping(link.ws), 10 * SCALE)
    assert len(link.wait_answers(COUNT)) == COUNT


def test_node_pings_behind_each_request(make_service):
    need_program("/usr/bin/nodejs", "nodejs and node-ws")
    script = os.path.join(os.path.dirname(__file__), "node_upstream.js")
    env = {"PATH": "/usr/bin:/bin", "NODE_PATH": "/usr/share/nodejs", "PINGS": str(COUNT)}
    with Program("/usr/bin/nodejs", script, message(), env=env) as node:
        port = int(node.wait_line("port ").split()[1])
        make_service({"REQUESTS_WS_URL": f"ws://127.0.0.1:{port}/ws"}).launch()
        expected = [f"pong {i}" for i in range(COUNT)]
        wait_until(lambda: [line for line in node.lines if line.startswith("pong ")]
                   == expected, f"{COUNT} Pongs in order, of {node.lines}")
