#!/usr/bin/python3
"""
An upstream in a process of its own: asks at a steady rate, beats, and keeps a
Tally. Its WebSocket is python3-websockets' without input and output, so that an
answer is counted before its Pong can go out.

    counting_upstream.py '{"host": ..., "rate": ..., "beat": ..., "seed": ..., ...}'

It is told what to do by JSON lines on standard input, each of which it answers
by one on standard output. The end of its input is its own.
"""
import asyncio
import json
import logging
import random
import socket
import struct
import sys
import time
from types import SimpleNamespace

from websockets.frames import OP_PING, OP_PONG, OP_TEXT
from websockets.http11 import Request

try:  # by their names from version 11 on
    from websockets.protocol import OPEN
    from websockets.server import ServerProtocol
except ImportError:
    from websockets.connection import OPEN
    from websockets.server import ServerConnection as ServerProtocol

from tally import Tally
from traffic import Traffic

BEAT = b'{"type":"heartbeat"}'
TICK_SECONDS = 0.01
# A Ping that brings no Pong for so long is followed by another.
PING_AGAIN_SECONDS = 1
# No more is asked while so much is on the way: nobody could take it.
MOST_UNRECEIVED = 10_000
# After the last answer: a Ping follows answers within 0.25 s, and repeats too.
SETTLE_SECONDS = 0.7
DEFAULTS = {"host": "127.0.0.1", "rate": 500, "beat": 1, "seed": 0, "ttl": 60,
            "pongs": True, "receive_buffer": None}

_log = logging.getLogger("counting_upstream")
_log.setLevel(logging.CRITICAL + 1)


class Connection(ServerProtocol):
    """One that may leave Pings unanswered, and leaves those after our Close."""

    pongs = True

    def send_frame(self, frame):
        if frame.opcode is not OP_PONG or self.pongs and self.state is OPEN:
            super().send_frame(frame)


class Link(asyncio.Protocol):
    """A connection: bytes and frames on one side, the Tally on the other."""

    def __init__(self, upstream):
        self._upstream = upstream
        self._tally = upstream.tally
        self._ws = Connection(max_size=2**24, logger=_log)
        self._ws.pongs = upstream.settings.pongs
        self._pinged_at = None  # when a Ping went out that has no Pong yet
        self._pings = 0
        self._pinged = 0  # requests that a Ping has followed
        self.record = None
        self.transport = None
        self.holding = False

    # asyncio

    def connection_made(self, transport):
        self.transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upstream.accepted.add(self)

    def data_received(self, data):
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            self._on_event(event)
        self.flush()
        fault = self._ws.parser_exc
        if fault and not isinstance(fault, EOFError):
            self._tally.offend("protocol", repr(fault))

    def eof_received(self):
        self._ws.receive_eof()

    def connection_lost(self, _):
        self._upstream.accepted.discard(self)
        if self.record:
            self._upstream.lost(self)

    # Frames

    def _on_event(self, event):
        if isinstance(event, Request):
            self._ws.send_response(self._ws.accept(event))
            if self.is_open():
                self.record = self._upstream.opened(self)
        elif event.opcode is OP_TEXT:
            if event.data != BEAT:
                self._tally.answer(self.record, event.data.decode())
        elif event.opcode is OP_PING:
            if self._ws.pongs:
                self._tally.peer_ping(self.record)
        elif event.opcode is OP_PONG:
            if self._tally.pong(self.record, bytes(event.data), time.monotonic()):
                self._pinged_at = None
                self._upstream.received()
                self.ping_if_due()
        elif self._ws.close_rcvd:
            self.record.close_code = self._ws.close_rcvd.code

    def is_open(self):
        return self._ws.state is OPEN and not self.transport.is_closing()

    def flush(self):
        """Sends what the library has made."""
        for data in self._ws.data_to_send():
            if data:
                self.transport.write(data)
            else:
                self.transport.close()

    def beat(self):
        self._ws.send_text(BEAT)
        self.flush()

    def ask(self, texts):
        for text in texts:
            self._ws.send_text(text.encode())
        self.flush()

    def ping_if_due(self):
        """One follows what was asked; one at a time, for no more are answered."""
        now = time.monotonic()
        nothing_new = self._pinged == self.record.asked and self._pinged_at is None
        too_soon = self._pinged_at and now - self._pinged_at < PING_AGAIN_SECONDS
        if nothing_new or too_soon or not self.is_open():
            return
        self._pings += 1
        self._pinged = self.record.asked
        self._pinged_at = now
        payload = b"%d/%d" % (self.record.number, self._pings)
        self._tally.ping(self.record, payload)
        self._ws.send_ping(payload)
        self.flush()

    # Ends

    def end(self, how):
        """By a closing handshake, a plain end or a reset."""
        if how == "close" and self.is_open():
            self._ws.send_close(1012)
            self.flush()
            asyncio.get_running_loop().call_later(0.2, self.transport.abort)
        elif how == "fin":
            self.transport.close()
        else:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def hold(self, on):
        """Reads nothing for a while."""
        self.holding = on
        if not self.transport.is_closing():
            if on:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()


class CountingUpstream:
    """The listener, the rate of asking, and the commands."""

    def __init__(self, settings):
        self.settings = settings
        self.tally = Tally(settings.ttl)
        self.accepted = set()
        self.beating = self.asking = self.pinging = True
        self._traffic = Traffic(random.Random(settings.seed))
        self._links = []  # those that are open, the newest last
        self._server = None
        self._port = 0
        self._changed = asyncio.Event()
        self._next_ask = time.monotonic()

    # Links

    def opened(self, link):
        record, again = self.tally.open_link(time.monotonic())
        self._links.append(link)
        link.record = record
        now = time.monotonic()
        link.ask([self.tally.ask_again(record, copy, now) for copy in again])
        if self.beating:
            link.beat()
        link.ping_if_due()
        return record

    def lost(self, link):
        self.tally.end_link(link.record, time.monotonic())
        if link in self._links:
            self._links.remove(link)

    def received(self):
        self._changed.set()

    def _newest(self):
        """The link that is asked on: the newest is the one that the peer means."""
        if self._links and self._links[-1].is_open():
            return self._links[-1]
        return None

    # What goes on all the time

    async def beat(self):
        due = time.monotonic()
        while True:
            if self.beating:
                for link in self._links:
                    if link.is_open():
                        link.beat()
            due = max(due + self.settings.beat, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def ask(self):
        gap = 1 / self.settings.rate
        while True:
            await asyncio.sleep(TICK_SECONDS)
            link, now = self._newest(), time.monotonic()
            if link is None or not self.asking:
                self._next_ask = now
                continue
            texts = []
            # After a stall of our own the rate goes on; it does not catch up.
            self._next_ask = max(self._next_ask, now - 0.1)
            while self._next_ask < now and len(link.record.unreceived) < MOST_UNRECEIVED:
                texts.append(self.tally.ask(link.record, self._traffic.next(), now))
                self._next_ask += gap
            link.ask(texts)

    async def ping(self):
        while True:
            await asyncio.sleep(TICK_SECONDS)
            link = self._newest()
            if link and self.pinging:
                link.ping_if_due()

    # Commands

    async def open(self):
        """Listens; at the same port as before."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.settings.receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.settings.receive_buffer)
        sock.bind((self.settings.host, self._port))
        self._port = sock.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Link(self), sock=sock)
        return {"port": self._port}

    async def shut(self, how="fin"):
        """Closes the listener and all links."""
        self._server.close()
        await self.end(how)
        return {}

    async def end(self, how):
        for link in list(self.accepted):
            link.end(how)
        return {}

    async def cut(self, hold):
        """Leaves answers unread for a moment, then resets the links."""
        await self.hold(hold)
        return await self.end("reset")

    async def hold(self, seconds):
        """Stops reading, though it goes on sending."""
        held = list(self.accepted)
        for link in held:
            link.hold(True)
        await asyncio.sleep(seconds)
        for link in held:
            link.hold(False)
        return {}

    async def hush(self, beating=True, asking=True, pinging=True):
        self.beating, self.asking, self.pinging = beating, asking, pinging
        return {}

    async def in_hand(self):
        return {"in_hand": len(self.tally.unanswered)}

    async def wait_receipt(self, since, seconds):
        """Waits until something is received that was asked after `since`."""
        got = await self._wait(lambda: self.tally.newest_received > since, seconds)
        return {"at": time.monotonic() if got else None}

    async def drain(self, seconds):
        """Asks no more, and waits until all is answered that has to be."""
        self.asking = False
        got = await self._wait(lambda: not self.tally.owed(), seconds)
        await asyncio.sleep(SETTLE_SECONDS)
        return {"drained": got}

    async def summary(self, quarantined=()):
        return self.tally.summary(set(quarantined))

    async def _wait(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), 0.02)
            except asyncio.TimeoutError:
                pass
        return condition()


COMMANDS = {name: getattr(CountingUpstream, name) for name in
            ("shut", "open", "cut", "hold", "hush", "in_hand", "wait_receipt",
             "drain", "summary")}


async def run(settings):
    loop = asyncio.get_running_loop()
    upstream = CountingUpstream(settings)
    reader = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps(await upstream.open()), flush=True)
    tasks = [asyncio.ensure_future(each) for each in
             (upstream.beat(), upstream.ask(), upstream.ping(), obey(upstream, reader))]
    # The first to end is the last command, or a fault of our own.
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def obey(upstream, reader):
    while line := await reader.readline():
        told = json.loads(line)
        print(json.dumps(await COMMANDS[told.pop("do")](upstream, **told)), flush=True)


if __name__ == "__main__":
    asyncio.run(run(SimpleNamespace(**DEFAULTS | json.loads(sys.argv[1]))))
