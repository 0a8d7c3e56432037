"""The way to the upstream: a proxy in between, that goes wrong."""
import contextlib
import socket
import threading

import e2e  # finds the next
from forward_proxy import RawProxy

from group import Group


class Way(RawProxy):
    """A proxy that answers by a status, or not at all, stands still, or cuts all."""

    def __init__(self, host):
        super().__init__(host=host)
        self.answer = Way._answer  # with itself as the first argument, as a test's own
        self.status = None  # in the place of a tunnel
        self._moves = threading.Event()
        self._moves.set()

    def _answer(self, sock, place):
        self.heads.clear()
        self._moves.wait()
        try:
            if self.status is None:
                self.tunnel(sock, place)
            else:
                sock.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.status)
        finally:
            self.close(sock)

    def passes(self):
        self._moves.wait()

    def cut(self):
        for sock in list(self.socks):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def still(self):
        """Takes connections and bytes, and passes none on."""
        self._moves.clear()
        try:
            yield
        finally:
            self._moves.set()

    def __exit__(self, *_):
        self._moves.set()
        super().__exit__()


class Proxy(Group):
    """It refuses, stands still, cuts."""

    gap = (4, 12)

    def kinds(self):
        return [(f"status {status}", lambda status=status: self._refuse(status))
                for status in (407, 502, 503)] \
            + [("cut", self.stand.way.cut), ("stands still", self._stand_still)]

    def _refuse(self, status):
        self.stand.way.status = status
        self.stand.way.cut()
        self.sleep(1)
        self.heal()

    def _stand_still(self):
        with self.stand.way.still():
            self.sleep(self.rng.choice((1, 4)))

    def heal(self):
        self.stand.way.status = None
