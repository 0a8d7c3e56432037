"""An upstream by python3-websockets, in a thread with a loop of its own."""
import asyncio
import http
import logging
import socket
import struct
import threading
import time

from amounts import BEAT, is_answer_to
from ports import on_new_port
from sockets import ConnectionClosed, serve
from waiting import wait_until

_log = logging.getLogger("upstream")
_log.setLevel(logging.CRITICAL + 1)


class Link:
    """One connection: all that came on it, with monotonic times."""

    def __init__(self, upstream, ws):
        self.opened = time.monotonic()
        self.ended = None
        self.close_code = None
        self.path = ws.path
        self.headers = ws.request_headers
        self.beats = []  # times
        self.answers = []  # texts
        self.answer_times = []
        self.beating = True
        self._upstream = upstream
        self.ws = ws

    def send(self, *texts):
        """Sends messages: str as text, bytes as binary."""

        async def send_all():
            for text in texts:
                await self.ws.send(text)

        self._upstream.run(send_all())

    def wait_received(self, seconds=10):
        """Waits until all that was sent is received: for the Pong to a Ping."""

        async def ping():
            await asyncio.wait_for(await self.ws.ping(), seconds)

        self._upstream.run(ping())

    def close(self, code=1000, reason=""):
        self._upstream.run(self.ws.close(code, reason))

    def reset(self):
        """Ends it with a TCP reset."""

        async def abort():
            sock = self.ws.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            self.ws.transport.abort()

        self._upstream.run(abort())

    def wait_answers(self, count, seconds=10):
        """Waits until so many answers have come; gives all of them."""
        wait_until(lambda: len(self.answers) >= count,
                   f"{count} answers", seconds)
        return list(self.answers)

    def wait_end(self, seconds=10):
        wait_until(lambda: self.ended, "the end of the link", seconds)

    def ask(self, text, seconds=10):
        """Sends a message and gives the next answer to it."""
        before = len(self.answers)
        self.send(text)
        return wait_until(lambda: next(
            (a for a in self.answers[before:] if is_answer_to(text, a)), None),
            "an answer", seconds)


class Upstream:
    """Accepts connections, beats each `beat` seconds (None: never)."""

    def __init__(self, beat=0.2, path="/ws", port=0, **options):
        self.beat = beat
        self._options = options  # of the library, for what else it can
        self.refuse = None  # (status, headers, body) for handshakes
        self.attempts = []  # times of handshakes
        self.links = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listen = lambda port: self.run(self._listen(port))
        self._server = listen(port) if port else on_new_port(listen)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def run(self, coroutine, seconds=60):
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(seconds)

    async def _listen(self, port):
        return await serve(
            self._serve, "127.0.0.1", port, ping_interval=None, compression=None,
            max_size=2**26, max_queue=None, close_timeout=1, logger=_log,
            process_request=self._on_request, **self._options)

    async def _on_request(self, path, headers):
        self.attempts.append(time.monotonic())
        if self.refuse is None:
            return None
        status, headers, body = self.refuse
        return http.HTTPStatus(status), headers, body  # of a plain number the library dies

    async def _beat(self, link, ws):
        while True:
            if link.beating:
                await ws.send(BEAT)
            await asyncio.sleep(self.beat)

    async def _serve(self, ws):
        link = Link(self, ws)
        beater = self.beat and asyncio.ensure_future(self._beat(link, ws))
        self.links.append(link)
        try:
            async for text in ws:
                now = time.monotonic()
                if text == BEAT:
                    link.beats.append(now)
                else:
                    link.answer_times.append(now)
                    link.answers.append(text)
        except ConnectionClosed:
            pass
        finally:
            link.close_code = ws.close_code
            link.ended = time.monotonic()
            if beater:
                beater.cancel()
                await asyncio.gather(beater, return_exceptions=True)

    def wait_link(self, number=1, seconds=15):
        """Waits for the connection of that number and gives it."""
        wait_until(lambda: len(self.links) >= number, f"link {number}", seconds)
        return self.links[number - 1]

    def next_link(self, seconds=15):
        """Waits for a connection after those that are there now."""
        return self.wait_link(len(self.links) + 1, seconds)

    @property
    def link(self):
        """The newest connection, which must stand."""
        link = self.wait_link()
        link = self.links[-1]
        assert link.ended is None, "the link has ended"
        return link

    def stop(self):
        async def close():
            self._server.close()
            await self._server.wait_closed()

        self.run(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def start_refused(start, upstream):
    """A service that has failed to connect some times."""

    class Later:  # start() waits for readiness, so it connects once allowed
        url = upstream.url

    threading.Timer(1.5, lambda: setattr(upstream, "refuse", None)).start()
    return start(Later, RECONNECT_MAX_SECONDS="2", HEARTBEAT_TIMEOUT_SECONDS="30")
