"""An upstream that refuses some answers, as servers with a limit or a bug do."""
import collections
import contextlib
import json
import struct
import threading
import time

from amounts import BEAT
from raw_upstream import CLOSE, PING, PONG, TEXT, RawUpstream, frame
from waiting import wait_until


def close_with(code, text=""):
    """Refuses by a close frame, and does not wait for an answer to it."""

    def refuse(link):
        link.send(frame(CLOSE, struct.pack("!H", code) + text.encode()))
        link.close()

    return refuse


def say(data):
    """Says this, and leaves it to the other side to end the link."""

    def refuse(link):
        link.send(data)
        link.wait_end()

    return refuse


def cut(link):
    link.reset()


class Picky(RawUpstream):
    """
    Takes connection after connection, in a thread. `judge` has the text of each
    answer: what it gives (close_with(...), cut) ends the link. None: it is
    taken. `greet` is sent when a connection stands, by its number from 1.
    """

    def __init__(self, judge, greet=lambda number: (), pongs=True):
        super().__init__()
        self.judge = judge
        self.greet = greet
        self.pongs = pongs
        self.count = 0
        self.frames = collections.defaultdict(list)  # by link: (opcode, payload)
        self.taken = collections.defaultdict(list)  # by id: the answers
        self.shown = collections.Counter()  # by id: how often one was read
        self.times = {}  # by id: when one was first taken
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __exit__(self, *unused):
        self._over.set()
        self._thread.join()
        super().__exit__(*unused)

    def _run(self):
        while not self._over.is_set():
            if self.is_tried(0.05):
                with contextlib.suppress(OSError, AssertionError):
                    self._serve(self.link())
                self.links[-1].close()

    def _serve(self, link):
        self.count += 1
        number, due = self.count, time.monotonic()
        for text in self.greet(number):
            link.send(frame(TEXT, text))
        while not self._over.is_set() and not link.ended:
            if time.monotonic() >= due:
                link.send(frame(TEXT, BEAT))
                due += 0.2
            found = link.read_frame(0.02)
            if found and not self._take(link, number, found):
                return

    def _take(self, link, number, found):
        """False: the link is ended."""
        self.frames[number].append((found.opcode, found.payload))
        if found.opcode == PING and self.pongs:
            link.send(frame(PONG, found.payload))
        if found.opcode != TEXT or found.payload == BEAT.encode():
            return True
        text = found.payload.decode()
        ident = json.loads(text)["id"]
        self.shown[ident] += 1
        refuse = self.judge(text)
        if refuse is not None:
            refuse(link)
            return False
        self.taken[ident].append(text)
        self.times.setdefault(ident, time.monotonic())
        return True

    def wait_links(self, count, seconds=15):
        wait_until(lambda: self.count >= count, f"{count} links", seconds)

    def wait_taken(self, *idents, seconds=10):
        """Waits until an answer to each of these was taken."""
        wait_until(lambda: all(i in self.times for i in idents),
                   f"answers to {[i for i in idents if i not in self.times]}", seconds)
