"""Requests at a steady rate while something happens, and what became of each."""
import asyncio
import json
import threading
import time

from amounts import message, stake_of
from sockets import ConnectionClosed
from waiting import sleep_until, wait_until

_BATCH = 10


class Load:
    """
    Asks on the newest link while the block runs. A Ping follows each batch;
    its Pong says that the batch was received (spec, section 6). What was not
    confirmed so when its link broke is asked again on the next one.
    """

    def __init__(self, upstream, per_second=200, stake="253.67", currency='"USD"'):
        self.asked = 0
        self._upstream = upstream
        self._pause = _BATCH / per_second
        self._more = (stake, currency)
        self._over = threading.Event()
        self._failed = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        wait_until(lambda: self.asked >= 2 * _BATCH, "a load")
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        if self._failed:
            raise self._failed

    def _run(self):
        due = time.monotonic()
        try:
            while not self._over.is_set():
                self._ask([message(str(self.asked + i), *self._more)
                           for i in range(_BATCH)])
                self.asked += _BATCH
                due += self._pause
                sleep_until(due)
        except BaseException as error:
            self._failed = error

    def _ask(self, texts):
        """Until they are received."""
        end = time.monotonic() + 15
        while not self._upstream.run(self._try(self._upstream.links[-1], texts)):
            assert time.monotonic() < end, "no link takes requests"
            time.sleep(0.01)

    async def _try(self, link, texts):
        try:
            for text in texts:
                await link.ws.send(text)
            pong = await link.ws.ping()
            await asyncio.wait_for(asyncio.shield(pong), 5)
            return True
        except (ConnectionClosed, asyncio.TimeoutError):
            return False

    def wait_answered(self, stake, seconds=10):
        """Each that was asked has its right answer, twice only across a break."""

        def answers():
            return [a for link in self._upstream.links for a in list(link.answers)]

        def numbers():
            return {json.loads(a)["id"] for a in answers()}

        wait_until(lambda: len(numbers()) == self.asked, "an answer to each", seconds)
        assert {stake_of(a) for a in answers()} == {stake}
        return len(answers())
