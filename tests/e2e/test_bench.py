"""The benchmark's load generator judges rightly: it can fail, and it passes fxwire."""
import asyncio
import json
import subprocess
import threading

import pytest
import websockets

from places import BUILD, DEMO_RATES, SCALE
from service import Service
from waiting import wait_until

LOAD = BUILD / "bench" / "load"
COUNT = 3000

pytestmark = pytest.mark.skipif(not LOAD.exists(), reason=f"{LOAD} is not there: say make test")


class Generator:
    """One run; `tally` is what it said in the end."""

    def __init__(self, folder, *options):
        self._port_file = folder / "port"
        self._process = subprocess.Popen(
            [LOAD, "--rates", DEMO_RATES, "--port-file", self._port_file, "--count",
             str(COUNT), "--warmup", "0", "--seconds", str(30 * SCALE), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        wait_until(self._port_file.exists, "the generator's port")
        self.url = f"ws://127.0.0.1:{self._port_file.read_text().strip()}/"

    def wait_tally(self):
        """Its summary, while it may still run."""
        return next(json.loads(line) for line in self._process.stdout if line.startswith("{"))

    def let_go(self):
        self._process.stdin.close()
        self._process.wait(10 * SCALE)

    def tally(self):
        """(exit code, its summary) of one that does not stay."""
        try:
            out, _ = self._process.communicate(timeout=60 * SCALE)
        finally:
            self._process.kill()
        return self._process.returncode, json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("options", [
    [], ["--pairs", "33", "--window", "2048"], ["--rate", str(COUNT)],
    ["--size", "3000", "--fragments", "7"]], ids=["script", "pairs", "rate", "fragments"])
def test_the_load_generator_finds_all_answers_right(tmp_path, options):
    generator = Generator(tmp_path, *options)
    service = Service({"REQUESTS_WS_URL": generator.url, "PENDING_MAX_BYTES": 1 << 28}).launch()
    try:
        code, tally = generator.tally()
    finally:
        service.finish()
    assert (code, tally["good"], tally["right"]) == (0, True, COUNT)
    assert tally["beats"] >= 1


def test_heartbeats_go_out_while_all_is_busy(tmp_path):
    """There is always something to write, which must not put them off: 50 a second."""
    generator = Generator(tmp_path, "--count", "0", "--seconds", "2", "--window", "2048")
    service = Service({"REQUESTS_WS_URL": generator.url, "PENDING_MAX_BYTES": 1 << 28,
                       "HEARTBEAT_INTERVAL_SECONDS": "0.02"}).launch()
    try:
        code, tally = generator.tally()
    finally:
        service.finish()
    assert (code, tally["good"]) == (0, True)
    assert tally["beats"] >= 40


def changed(text):
    return [text.replace("987654", "987655")]


def exchanged(text):
    """The answer to another question."""
    return [text.replace('"id":1000000700', '"id":1000000701')]


def errors(text):
    head = text[:text.index(',"payload"')].replace("message", "error")
    return [head + ',"message":"Unable to convert stake. Error: none"}']


FAULTS = {  # what comes in place of an echo, and the counter that shows it
    "wrong": (changed, "wrong"),
    "another's": (exchanged, "twice"),
    "error": (errors, "refused"),
    "twice": (lambda text: [text, text], "twice"),
    "lost": (lambda text: [], "unanswered"),
    "unasked": (lambda text: [text, '{"id":1}'], "unexpected"),
}


async def echo(url, fault):
    """Echoes all but the 700th question."""
    async with websockets.connect(url) as ws:
        try:
            async for text in ws:
                faulty = '"id":1000000700' in text
                for answer in fault(text) if faulty else [text]:
                    await ws.send(answer)
        except websockets.ConnectionClosed:
            pass


@pytest.mark.parametrize("name", FAULTS)
def test_the_load_generator_finds_one_fault_among_many_answers(tmp_path, name):
    fault, counter = FAULTS[name]
    generator = Generator(tmp_path, "--echo", "--pairs", "33", "--patience", str(3 * SCALE))
    client = threading.Thread(target=lambda: asyncio.run(echo(generator.url, fault)))
    client.start()
    code, tally = generator.tally()
    client.join()
    assert (code, tally["good"], tally[counter]) == (1, False, 1)
    assert tally["right"] >= COUNT - 2


def test_the_load_generator_judges_by_arithmetic_of_its_own(tmp_path):
    """A service whose table differs by the last digit of one rate is found out."""
    rates = DEMO_RATES.read_text()
    dollar = rates.splitlines()[1].split(",")[1]
    other = tmp_path / "rates.csv"
    other.write_text(rates.replace(dollar, dollar[:-1] + str((int(dollar[-1]) + 1) % 10), 1))
    generator = Generator(tmp_path, "--pairs", "33")
    service = Service({"REQUESTS_WS_URL": generator.url, "RATES_FILE": other}).launch()
    try:
        code, tally = generator.tally()
    finally:
        service.finish()
    assert code == 1
    assert 0 < tally["wrong"] <= COUNT / 33 + 1
    assert tally["wrong"] + tally["right"] == COUNT


def test_the_load_generator_stays_until_it_is_told_to_go(tmp_path):
    """What is measured of a client once all is answered is of one that is connected."""
    generator = Generator(tmp_path, "--echo", "--pairs", "33", "--stay")
    ended = threading.Event()

    def client():
        asyncio.run(echo(generator.url, lambda text: [text]))
        ended.set()

    thread = threading.Thread(target=client)
    thread.start()
    tally = generator.wait_tally()
    assert tally["good"]
    assert not ended.wait(1)
    generator.let_go()
    thread.join(10 * SCALE)
    assert ended.is_set()
