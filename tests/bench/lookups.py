"""How long a look-up of a day that is known waits while ratefetcher reads a
whole history of the ECB: over HTTP from a stand-in, and out of RATES_FILE.

    python3 tests/bench/lookups.py [BUILD] [ROUNDS]

The same question is asked again and again on rates.sock, first while there is
nothing else to do, then from the moment on at which another day is asked for
that needs the history, until that one is answered. The longest answer of each
round counts, and what else the machine has to do counts with it: the round with
the least tells of ratefetcher alone.
"""
import datetime
import http.server
import json
import multiprocessing
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

DAYS, CURRENCIES = 7000, 40
PIECE = 64 * 1024
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
CODES = [chr(65 + n // 26) + chr(65 + n % 26) + "X" for n in range(CURRENCIES)]


def date(days_ago):
    return str(TODAY - datetime.timedelta(days=days_ago))


def rate(day, currency):
    digits = str((day * 7919 + currency * 104729) % 900000 + 100000)
    places = (4, 2, 4, 5, 3)[currency % 5]
    return digits[:-places] + "." + digits[-places:]


def csv_of(days):
    rows = [",".join([date(d)] + [rate(d, c) for c in range(CURRENCIES)]) for d in range(days)]
    return "\n".join(["Date," + ",".join(CODES)] + rows) + "\n"


def xml_of(days):
    def cube(day):
        rates = "".join(f'<Cube currency="{code}" rate="{rate(day, c)}"/>'
                        for c, code in enumerate(CODES))
        return f'<Cube time="{date(day)}">{rates}</Cube>\n'

    return ("<gesmes:Envelope><Cube>" + "".join(cube(d) for d in range(days))
            + "</Cube></gesmes:Envelope>")


def serve(port):
    files = {name: xml_of(days).encode() for name, days in
             (("daily", 1), ("hist-90d", 90), ("hist", DAYS))}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = files[self.path.split("eurofxref-")[1].removesuffix(".xml")]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for at in range(0, len(body), PIECE):
                self.wfile.write(body[at:at + PIECE])

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


class Ratefetcher:
    """One that is run by hand."""

    def __init__(self, build, folder, **settings):
        self.folder = folder
        environment = {"RUNTIME_DIR": folder, "STATE_DIR": folder, "LOG_LEVEL": "error",
                       "PROVIDER_CALLS_PER_MINUTE": "1000", **settings}
        self.process = subprocess.Popen([f"{build}/ratefetcher"], env=environment)
        deadline = time.monotonic() + 10
        while not self.listens():
            if time.monotonic() > deadline:
                sys.exit("ratefetcher does not start")
            time.sleep(0.01)

    def listens(self):
        try:
            Asker(self.folder)
        except OSError:
            return False
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        pathlib.Path(self.folder, "rates.sock").unlink(missing_ok=True)


class Asker:
    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{folder}/rates.sock")
        self.buffer = b""

    def send(self, day):
        self.socket.sendall(json.dumps({"op": "rates", "date": day}).encode() + b"\n")

    def answer(self):
        while b"\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def ask(self, day):
        """In how many milliseconds it was answered."""
        begun = time.perf_counter()
        self.send(day)
        answer = self.answer()
        assert "rates" in answer, answer
        return (time.perf_counter() - begun) * 1000

    def is_answered(self):
        """Whether something has come that can be read."""
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False


def measure(folder, known, other):
    """Longest answers for a day that is known: idle, and while another one is
    looked for; and how long that took."""
    asker, second = Asker(folder), Asker(folder)
    asker.ask(known)
    idle = max(asker.ask(known) for _ in range(300))
    begun = time.perf_counter()
    second.send(other)
    busy = 0
    while not second.is_answered():
        busy = max(busy, asker.ask(known))
    took = (time.perf_counter() - begun) * 1000
    answer = second.answer()
    assert answer["as_of"] == other, answer
    return idle, busy, took


def over_http(build, folder, rounds, port):
    for n in range(rounds):
        with Ratefetcher(build, folder, RATE_PROVIDERS="ecb",
                         ECB_URL=f"http://127.0.0.1:{port}"):
            yield measure(folder, date(3), date(1000 + n))


def from_file(build, folder, rounds):
    path, text = f"{folder}/rates.csv", csv_of(DAYS)
    pathlib.Path(path).write_text(text)
    os.utime(path, (time.time() - 60, time.time() - 60))
    with Ratefetcher(build, folder, RATE_PROVIDERS="file", RATES_FILE=path):
        for n in range(rounds):
            Asker(folder).ask(date(3))
            os.utime(path, (time.time() - 100 - n, time.time() - 100 - n))
            yield measure(folder, date(3), date(1000 + n))


def report(name, figures):
    whats = ("longest answer when idle", "longest answer while it is read",
             "until the history has answered")
    for what, column in zip(whats, zip(*figures)):
        column = sorted(column)
        print(f"{name}, {what}: least {column[0]:.2f} ms, "
              f"median {column[len(column) // 2]:.2f} ms, most {column[-1]:.2f} ms")


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        report("HTTP", over_http(build, folder, rounds, port))
        report("file", from_file(build, folder, rounds))
    server.terminate()


if __name__ == "__main__":
    main()
