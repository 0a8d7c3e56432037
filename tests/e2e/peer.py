"""The upstream's side of a raw connection, in a thread: the test says what it confirms."""
import contextlib
import threading
import time

from amounts import BEAT
from raw_upstream import PING, PONG, TEXT, frame
from waiting import wait_until


class Peer:
    """Reads and beats; answers Pings if `pongs`."""

    def __init__(self, link, pongs=True, beat=0.2):
        self.link = link
        self.pongs = pongs
        self.reads = True
        self.beat = beat
        self.answers = []  # texts
        self.answer_times = []
        self.beats = []  # times
        self.pings = []  # payloads
        self.ping_times = []
        self.ponged = []  # payloads of the Pongs that came
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        due = time.monotonic()
        with contextlib.suppress(OSError):
            while not self._over.is_set() and not self.link.ended:
                if self.beat and time.monotonic() >= due:
                    self._send(frame(TEXT, BEAT))
                    due += self.beat
                if not self.reads:
                    time.sleep(0.01)
                elif found := self.link.read_frame(0.02):
                    self._take(found)

    def _take(self, found):
        if found.opcode == PING:
            if self.pongs:
                self.pong(found.payload)
            self.ping_times.append(found.at)
            self.pings.append(found.payload)
        elif found.opcode == PONG:
            self.ponged.append(found.payload)
        elif found.opcode == TEXT and found.payload == BEAT.encode():
            self.beats.append(found.at)
        elif found.opcode == TEXT:
            self.answer_times.append(found.at)
            self.answers.append(found.payload.decode())

    def _send(self, data):
        with self._lock:
            self.link.send(data)

    def send(self, *texts):
        self._send(b"".join(frame(TEXT, text) for text in texts))

    def ping(self, payload):
        self._send(frame(PING, payload))

    def pong(self, payload):
        self._send(frame(PONG, payload))

    def wait_answers(self, count, seconds=10):
        """Waits until so many answers have come; gives all of them."""
        wait_until(lambda: len(self.answers) >= count, f"{count} answers", seconds)
        return list(self.answers)

    def ask(self, text, seconds=10):
        """Sends a message and gives the next answer that comes."""
        before = len(self.answers)
        self.send(text)
        return self.wait_answers(before + 1, seconds)[before]

    def wait_ping(self, number, seconds=10):
        """Waits for the Ping of that number, from 1; gives its payload."""
        wait_until(lambda: len(self.pings) >= number, f"Ping {number}", seconds)
        return self.pings[number - 1]

    def wait_ponged(self, payload, seconds=10):
        wait_until(lambda: payload in self.ponged, f"a Pong {payload}", seconds)

    def wait_received(self, payload=None):
        """Waits until all that was sent is received."""
        payload = payload or b"received? %d" % len(self.ponged)
        self.ping(payload)
        self.wait_ponged(payload)

    def wait_confirmed(self):
        """Waits until all answers so far are confirmed, and that is known."""
        wait_until(lambda: self.ping_times and self.ping_times[-1] > self.answer_times[-1],
                   "a Ping behind the answers")
        self.wait_received()

    def wait_end(self, seconds=10):
        wait_until(lambda: self.link.ended, "the end of the link", seconds)
        self.stop()

    def stop(self):
        self._over.set()
        self._thread.join()

    def reset(self):
        """Ends the connection with a TCP reset."""
        self.stop()
        self.link.reset()
