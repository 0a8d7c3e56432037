"""All cases of tests/e2e/conformance.py: what comes, in its order, and whether it ends."""
import contextlib
import time

import pytest

from amounts import BEAT, is_error, message
from conformance import CASES, ECHO, ERROR
from raw_upstream import CONTINUATION, PING, PONG, TEXT, RawUpstream, frame
from service import Service

SETTINGS = {"HEARTBEAT_TIMEOUT_SECONDS": "120", "RECONNECT_MAX_SECONDS": "0.1"}
MARK = b"behind the case"


@pytest.fixture(scope="module")
def up():
    with RawUpstream() as raw:
        service = Service({"REQUESTS_WS_URL": raw.url} | SETTINGS).launch()
        pids = None
        try:
            raw.link()
            service.wait_ready()
            pids = service.pids()
            yield raw
            assert service.pids() == pids, "a process has died"
        except BaseException:
            service.remove()
            raise
        service.finish()


def link_of(up, name):
    """The present link; whatever an earlier one left to be said has been read."""
    if up.links[-1].ended:
        up.link()
    link = up.links[-1]
    link.pongs = True
    link.send_text(message(f'"probe {name}"'))
    while f'"id":"probe {name}"' not in link.read_answer():
        pass
    return link


def send(link, pieces):
    """All pieces, as long as somebody takes them; Pongs only behind them, for they may be in a frame."""
    since = len(link.frames)
    link.pongs = False
    with contextlib.suppress(OSError):
        for piece in pieces:
            link.send(piece)
            link.read_frame(0)
        link.pongs = True
        for one in link.frames[since:]:
            if one.opcode == PING:
                link.send(frame(PONG, one.payload))


def asked(case):
    """The requests of a case, as the frames carry them."""
    data, texts, text = b"".join(case.sent), [], b""
    while data:
        size, at = data[1] & 0x7F, 2
        if size > 125:
            wide = 2 if size == 126 else 8
            size, at = int.from_bytes(data[2:2 + wide], "big"), 2 + wide
        opcode, payload = data[0] & 15, data[at:at + size]
        if opcode in (TEXT, CONTINUATION):
            text += payload
            if data[0] & 0x80:
                texts.append(text)
                text = b""
        data = data[at + size:]
    return texts


def said(link, since):
    """What came since then, in the terms of a case; what is ours to say aside."""
    out = []
    for one in link.frames[since:]:
        assert (one.fin, one.rsv, one.masked) == (True, 0, True), one
        if one.opcode == PONG:
            out.append(one.payload)
        elif one.opcode == TEXT and one.payload != BEAT.encode() \
                and b'"id":"probe ' not in one.payload:
            out.append(one.payload.decode())
    return out


def is_echo(answer, texts):
    """Whether it is one of the requests, its date alone replaced."""
    head, _, date = answer.partition('"date":"')
    sent = texts.pop(0).decode() if texts else ""
    return head == sent.partition('"date":"')[0] and date.endswith('Z"}}')


def check(case, got):
    texts = asked(case) if ECHO in case.comes else []
    assert len(got) == len(case.comes), got
    for wanted, one in zip(case.comes, got):
        if wanted is ECHO:
            assert is_echo(one, texts), one
        elif wanted is ERROR:
            assert is_error(one), one
        else:
            assert one == wanted


@pytest.mark.parametrize("case", CASES, ids=[case.number for case in CASES])
def test_case(up, case):
    link = link_of(up, case.number)
    if ERROR in case.comes:
        time.sleep(0.11)  # at most ten errors without an id a second
    since = len(link.frames)
    send(link, case.sent)
    if case.closed:
        link.wait_end()
        assert link.close_code in case.closed
        got = said(link, since)
        if len(got) < len(case.comes):  # it was taken, so its answer comes on the next one
            got += [one for one in said(link_of(up, case.number + " next"), 0)
                    if one not in got and not is_error(one)]  # repeated, or of an earlier case
        check(case, got[:len(case.comes)])
        return
    link.send(frame(PING, MARK))
    wanted = len(case.comes) + 1
    while len(said(link, since)) < wanted:
        assert link.read_frame(10), f"not all came: {said(link, since)}"
    got = said(link, since)
    got.remove(MARK)
    check(case, got)
