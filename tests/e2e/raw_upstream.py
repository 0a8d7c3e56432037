"""An upstream by hand: every byte that goes out is the test's own."""
import base64
import fcntl
import hashlib
import select
import socket
import ssl
import struct
import termios
import time
from typing import NamedTuple

from amounts import BEAT, is_answer_to
from places import SCALE
from ports import on_new_port
from waiting import wait_until

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Frame(NamedTuple):
    """A frame that came, unmasked."""
    at: float
    fin: bool
    rsv: int
    opcode: int
    masked: bool
    payload: bytes


def frame(opcode, payload=b"", fin=True, rsv=0, mask=None, length=None):
    """The bytes of a frame; `length` lies about how long its payload is."""
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    flag = 0x80 if mask else 0
    if size < 126:
        head += bytes([flag | size])
    elif size < 65536:
        head += struct.pack("!BH", flag | 126, size)
    else:
        head += struct.pack("!BQ", flag | 127, size)
    if mask:
        payload = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        head += mask
    return head + payload


class RawLink:
    """One accepted connection."""

    def __init__(self, sock):
        self.sock = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted = time.monotonic()
        self.opened = None  # when its handshake was answered
        self.head = b""
        self.ended = None  # when its end was seen
        self.how = None  # "fin" or "reset"
        self.close_code = None
        self.answers_close = True
        self.pongs = False  # whether Pings are answered as they are read
        self.frames = []
        self._buffer = b""

    # The handshake

    def read_head(self, seconds=10):
        """Reads the request's head; gives its lines."""
        self.sock.settimeout(seconds * SCALE)
        while b"\r\n\r\n" not in self.head:
            more = self.sock.recv(65536)
            assert more, "the end came before the end of the head"
            self.head += more
        return self.head.decode("latin-1").split("\r\n")

    def header(self, name):
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            if line.lower().startswith(name.lower() + ":"):
                return line.split(":", 1)[1].strip()
        return None

    def accept_key(self):
        key = self.header("Sec-WebSocket-Key").encode()
        return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()

    def answer_head(self, status="101 Switching Protocols", key=None, more=()):
        """The bytes of an answer to the handshake."""
        lines = [f"HTTP/1.1 {status}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Accept: {key or self.accept_key()}", *more, "", ""]
        return "\r\n".join(lines).encode()

    def upgrade(self):
        self.read_head()
        self.sock.sendall(self.answer_head())
        self.opened = time.monotonic()
        return self

    # Frames out

    def send(self, data):
        self.sock.settimeout(30 * SCALE)
        try:
            self.sock.sendall(data)
        except ConnectionResetError:
            self.how = "reset"  # told only once: a later read sees a plain end
            raise

    def send_text(self, text):
        self.send(frame(TEXT, text))

    def beat(self):
        """Sends a heartbeat; gives the time before it went out."""
        before = time.monotonic()
        self.send_text(BEAT)
        return before

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def finish(self):
        """Ends this side by a FIN; close() resets a link with something unread."""
        self.sock.shutdown(socket.SHUT_WR)

    def wait_taken(self):
        """Waits until the other side's kernel has all that was sent."""
        wait_until(lambda: struct.unpack("i", fcntl.ioctl(
            self.sock, termios.TIOCOUTQ, b"\0" * 4))[0] == 0, "all bytes acknowledged")

    # Frames in

    def _take_frame(self):
        data = self._buffer
        if len(data) < 2:
            return None
        size, at = data[1] & 0x7F, 2
        if size == 126:
            if len(data) < 4:
                return None
            size, at = struct.unpack("!H", data[2:4])[0], 4
        elif size == 127:
            if len(data) < 10:
                return None
            size, at = struct.unpack("!Q", data[2:10])[0], 10
        masked = bool(data[1] & 0x80)
        mask = data[at:at + 4] if masked else b"\0\0\0\0"
        at += 4 if masked else 0
        if len(data) < at + size:
            return None
        payload = bytes(b ^ mask[i % 4] for i, b in enumerate(data[at:at + size]))
        self._buffer = data[at + size:]
        return Frame(time.monotonic(), bool(data[0] & 0x80), data[0] >> 4 & 7,
                     data[0] & 15, masked, payload)

    def _has_decrypted(self):
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def read_frame(self, seconds=10):
        """The next frame; None: the end, or none in time (look at `ended`)."""
        end = time.monotonic() + seconds
        while True:
            found = self._take_frame()
            if found:
                self.frames.append(found)
                if found.opcode == CLOSE:
                    self._on_close(found.payload)
                elif found.opcode == PING and self.pongs:
                    self.send(frame(PONG, found.payload))
                return found
            left = end - time.monotonic()
            if self.ended or not (self._has_decrypted() or
                                  select.select([self.sock], [], [], max(left, 0))[0]):
                return None
            try:
                more = self.sock.recv(1 << 20)
            except ConnectionResetError:
                more, self.how = b"", "reset"
            if not more:
                self.ended = time.monotonic()
                self.how = self.how or "fin"
            self._buffer += more

    def _on_close(self, payload):
        if len(payload) >= 2:
            self.close_code = struct.unpack("!H", payload[:2])[0]
        if self.answers_close:
            try:
                self.sock.sendall(frame(CLOSE, payload))
            except OSError:
                pass  # it did not wait for that

    def read_answer(self, seconds=10):
        """The next text that is no heartbeat."""
        end = time.monotonic() + seconds * SCALE
        while True:
            found = self.read_frame(end - time.monotonic())
            assert found, f"no answer in time (ended: {self.how})"
            if found.opcode == TEXT and found.payload != BEAT.encode():
                return found.payload.decode()

    def ask(self, text, seconds=10):
        """Sends a message and gives the next answer to it."""
        self.send_text(text)
        while not is_answer_to(text, answer := self.read_answer(seconds)):
            pass
        return answer

    def read_until(self, moment):
        """Reads all frames that come until that moment, or the end."""
        while not self.ended and time.monotonic() < moment:
            self.read_frame(moment - time.monotonic())

    def wait_end(self, seconds=10):
        """Reads on until the peer ends the connection; gives the time."""
        self.read_until(time.monotonic() + seconds * SCALE)
        assert self.ended, "the connection was not ended"
        return self.ended

    def beats(self):
        """Times of the heartbeats that came."""
        return [f.at for f in self.frames
                if f.opcode == TEXT and f.payload == BEAT.encode()]


class RawUpstream:
    """Listens; the test accepts."""

    def __init__(self, path="/ws", receive_buffer=None, context=None):
        self._context = context  # of TLS, or None
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        on_new_port(lambda port: self.sock.bind(("127.0.0.1", port)))
        self.sock.listen(16)
        self.port = self.sock.getsockname()[1]
        scheme = "wss" if context else "ws"
        self.url = f"{scheme}://127.0.0.1:{self.port}{path}"
        self.links = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for link in self.links:
            link.close()
        self.sock.close()

    def accept(self, seconds=15):
        """The next connection, with nothing read of it yet."""
        self.sock.settimeout(seconds * SCALE)
        sock = self.sock.accept()[0]
        if self._context:
            sock = self._context.wrap_socket(sock, server_side=True)
        link = RawLink(sock)
        self.links.append(link)
        return link

    def link(self, seconds=15):
        """The next connection, upgraded."""
        return self.accept(seconds).upgrade()

    def is_tried(self, seconds):
        """Whether somebody connects within so many seconds."""
        return bool(select.select([self.sock], [], [], seconds)[0])
