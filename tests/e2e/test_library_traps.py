"""What libwebsockets 4.1 is known to do wrong, and must not happen here."""
import json
import struct
import time

import pytest

from amounts import BEAT, message, stake_of
from places import SCALE
from raw_upstream import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawUpstream,
                          frame)

KIB = 1024


@pytest.fixture
def link(make_service, raw):
    """A link whose every byte is the test's own, and which may be silent."""
    make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "60",
                  "RECONNECT_MAX_SECONDS": "0.2", "MAX_MESSAGE_BYTES": 1024 * KIB}).launch()
    return raw.link()


def send_pieces(link, data, size):
    """Writes of some size each, so that they are read one by one, or nearly."""
    try:
        for i in range(0, len(data), size):
            link.send(data[i:i + size])
    except OSError:
        pass  # it was closed meanwhile


def assert_next_link_works(raw):
    assert stake_of(raw.link().ask(message())) == "207.55196"


def big(size):
    return message().replace('"odds"', f'"pad":"{"x" * size}","odds"').encode()


SIZES = [60, 65, 130, 400]  # KiB; what is read at a time are 64


@pytest.mark.smoke
@pytest.mark.parametrize("piece", [10 * KIB, 1 << 20], ids=["in pieces", "at once"])
@pytest.mark.parametrize("where", ["start", "middle", "end"])
@pytest.mark.parametrize("size", SIZES)
def test_closing_in_a_long_message_that_is_no_utf8(link, raw, size, where, piece):
    """Close 1007, out of the middle of a frame longer than the library's buffer."""
    data = big(size * KIB)
    at = {"start": 1, "middle": len(data) // 2, "end": len(data) - 1}[where]
    data = frame(TEXT, data[:at] + b"\xff" + data[at + 1:])
    # More behind it: what is read past after the close was asked for.
    send_pieces(link, data + frame(TEXT, big(size * KIB)) * 2, piece)
    link.wait_end()
    assert link.close_code == 1007
    assert_next_link_works(raw)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("first", [True, False], ids=["whole", "in fragments"])
def test_closing_in_a_long_binary_message(link, raw, size, first):
    """Close 1003, while most of it is still to come."""
    data = frame(BINARY, b"\x80" * size * KIB, first)
    if not first:
        data += frame(CONTINUATION, b"\x81" * size * KIB, False) * 3
    send_pieces(link, data, 1 << 20)
    link.wait_end()
    assert link.close_code == 1003
    assert_next_link_works(raw)


@pytest.mark.parametrize("announced", [17 << 20, (1 << 31) + 1, (1 << 62) + 5])
def test_closing_in_a_message_without_end(link, raw, announced):
    """Close 1009 once it is sure to be beyond 16 MiB."""
    send_pieces(link, frame(TEXT, b" " * 300 * KIB, length=announced), 1 << 20)
    link.wait_end()
    assert link.close_code == 1009
    assert_next_link_works(raw)


def test_closing_in_fragments_without_end(link, raw):
    """The same where no frame says how long the message will be."""
    send_pieces(link, frame(TEXT, b" " * 200 * KIB, False), 1 << 20)
    part = frame(CONTINUATION, b" " * 512 * KIB, False)
    for _ in range(40):
        send_pieces(link, part, 1 << 20)
    link.wait_end()
    assert link.close_code == 1009
    assert_next_link_works(raw)


def test_reading_past_long_messages(link):
    """Beyond MAX_MESSAGE_BYTES each is answered, and the link stays."""
    for size in (1025, 1100, 3000):
        send_pieces(link, frame(TEXT, big(size * KIB)), 1 << 20)
        assert json.loads(link.read_answer())["id"] is None
        assert stake_of(link.ask(message())) == "207.55196"
    data = big(1000 * KIB)
    for end in range(0, len(data), 70 * KIB):
        opcode = TEXT if end == 0 else CONTINUATION
        send_pieces(link, frame(opcode, data[end:end + 70 * KIB],
                                end + 70 * KIB >= len(data)) + frame(PING), 1 << 20)
    assert stake_of(link.read_answer()) == "207.55196"


@pytest.mark.smoke
def test_close_codes(make_service, raw):
    """
    Each is logged as it came, and each is followed by another link. The
    library gives those that it does not know as 1002, which is not claimed.
    """
    service = make_service({"REQUESTS_WS_URL": raw.url,
                            "RECONNECT_MAX_SECONDS": "0.1"}).launch()
    for code in (1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999, 1012, 1013,
                 1014):
        link = raw.link()
        link.send(frame(CLOSE, struct.pack("!H", code) + b"see you later"))
        link.wait_end()
        told = rf"close code {code}( \([a-z ]+\))?"
        if code in (1012, 1013, 1014):
            told += "|a close code that libwebsockets does not tell .*"
        service.wait_log(f'disconnected .*reason=closed detail="({told}): see you later"')
    assert_next_link_works(raw)


def test_a_second_close(make_service, raw):
    """As Netty sends it: the first one tells why."""
    service = make_service({"REQUESTS_WS_URL": raw.url,
                            "RECONNECT_MAX_SECONDS": "0.1"}).launch()
    link = raw.link()
    link.send(frame(CLOSE, struct.pack("!H", 1009) + b"too long")
              + frame(CLOSE, struct.pack("!H", 1000) + b"Bye"))
    link.wait_end()
    service.wait_log('disconnected .*reason=closed detail="close code 1009: too long"')
    assert_next_link_works(raw)


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\x00\x00", struct.pack("!H", 999),
                                     struct.pack("!H", 1005), struct.pack("!H", 1006),
                                     struct.pack("!H", 1015), struct.pack("!H", 5000),
                                     b"\x03\xe8\xff\xfe", b"\x03\xe8" + b"x" * 123])
def test_closes_that_are_none(make_service, raw, payload):
    """No code, half a code, codes that may not be sent, bad text."""
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "0.1"}).launch()
    link = raw.link()
    link.send(frame(CLOSE, payload))
    link.wait_end()
    assert_next_link_works(raw)


def test_data_behind_a_close_is_not_read(make_service, raw):
    """What comes after the peer's close frame is not answered."""
    make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "0.1"}).launch()
    link = raw.link()
    link.send(frame(CLOSE, b"\x03\xe8") + frame(TEXT, message("behind")) * 200)
    link.wait_end()
    assert not any(b"behind" in f.payload for f in link.frames)
    assert_next_link_works(raw)


COUNT = 400


@pytest.mark.parametrize("size", [100, 20 * KIB])
def test_a_peer_that_reads_slowly(make_service, size):
    """
    While it does not read, output is buffered; then each frame comes whole and
    masked, with beats between them, none lost and none twice.
    """
    count = COUNT if size > KIB else 20 * COUNT
    with RawUpstream(receive_buffer=4096) as raw:
        make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "60",
                      "HEARTBEAT_INTERVAL_SECONDS": "0.1",
                      "PENDING_MAX_BYTES": 64 << 20}).launch()
        link = raw.link()
        text = message("§").replace('"odds"', f'"pad":"{"x" * size}","odds"')
        link.send(b"".join(frame(TEXT, text.replace("§", str(i))) for i in range(count)))
        time.sleep(0.5)  # its sends have to meet a full socket
        end = time.monotonic() + 30 * SCALE
        ids = []
        while len(ids) < count and time.monotonic() < end:
            found = link.read_frame()
            assert found, f"ended ({link.how}) after {len(ids)} answers"
            assert found.masked and found.fin and not found.rsv
            assert found.opcode in (TEXT, PING, PONG), found
            if found.opcode != TEXT or found.payload == BEAT.encode():
                continue
            told = json.loads(found.payload)
            assert told["payload"]["stake"] == 207.55196
            assert told["payload"]["pad"] == "x" * size
            ids.append(told["id"])
        assert sorted(ids) == list(range(count))
        assert link.beats()


def test_a_peer_that_reads_nothing_is_left_in_time(make_service):
    """It is silent as well: buffered output does not hold the refresh up."""
    with RawUpstream(receive_buffer=4096) as raw:
        make_service({"REQUESTS_WS_URL": raw.url, "HEARTBEAT_TIMEOUT_SECONDS": "1",
                      "HEARTBEAT_INTERVAL_SECONDS": "0.1", "RECONNECT_MAX_SECONDS": "0.1",
                      "SHUTDOWN_GRACE_SECONDS": "0.2",
                      "PENDING_MAX_BYTES": 64 << 20}).launch()
        link = raw.link()
        text = message().replace('"odds"', f'"pad":"{"x" * 20 * KIB}","odds"')
        link.send(frame(TEXT, text) * COUNT)
        began = time.monotonic()
        assert raw.is_tried(4 * SCALE), "no other attempt"
        assert time.monotonic() - began < 1.5 * SCALE
