"""Redis servers: a real one, and one by hand that can say anything."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import redis

from places import FIRST_SERVED, go_first
from ports import on_new_port
from waiting import wait_until


class RedisServer:
    """redis-server in a folder of its own, on a Unix socket and on a port."""

    def __init__(self, *options):
        self.folder = Path(tempfile.mkdtemp(prefix="fxr-", dir="/tmp"))
        self.path = self.folder / "redis.sock"
        with on_new_port(lambda port: socket.create_server(("127.0.0.1", port))) as free:
            self.port = free.getsockname()[1]
        self.options = list(options)
        self.process = None

    def url(self, database=0, user_info=""):
        return f"redis://{user_info}127.0.0.1:{self.port}/{database}"

    def name_url(self, database=0):
        return f"redis://localhost:{self.port}/{database}"

    def unix_url(self, database=0):
        return f"unix://{self.path}?db={database}"

    def start(self):
        self.process = subprocess.Popen(
            [*FIRST_SERVED, "redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
             "--unixsocket", str(self.path), "--save", "", "--dir", str(self.folder),
             "--enable-debug-command", "yes", "--logfile", "log", *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "redis-server")
        return self

    def _answers(self):
        try:
            return self.client().ping()
        except redis.exceptions.AuthenticationError:
            return True
        except redis.exceptions.ConnectionError:
            return False

    def client(self, database=0, **more):
        return redis.Redis(unix_socket_path=str(self.path), db=database, **more)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextlib.contextmanager
    def paused(self):
        """Stopped while the block runs; its sockets go on taking bytes."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def bulk(data):
    return b"$-1\r\n" if data is None else b"$%d\r\n%s\r\n" % (len(data), data)


class FakeRedis:
    """
    Keeps strings, as far as fxwire needs it. `says` are replies in the place
    of good ones, by the command's name, an empty one an end; to those in `mute`
    nothing is said. `greeting` is said first on each new connection, after
    which `hangs_up` closes it.
    """

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="fxr-", dir="/tmp"))
        self.path = self.folder / "redis.sock"
        self.url = f"unix://{self.path}"
        self.data = {}
        self.says = {}
        self.mute = set()
        self.greeting = b""
        self.hangs_up = False
        self.connections = 0
        self._socks = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                sock = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            self._socks.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError, ValueError), sock, sock.makefile("rb") as lines:
            sock.sendall(self.greeting)
            while not self.hangs_up:
                command = self._read(lines)
                if command is None:
                    break
                if command[0].decode() in self.mute:
                    continue
                said = self.says.get(command[0].decode())
                if said == b"":
                    break
                sock.sendall(self._answer(command) if said is None else said)
        self._socks.discard(sock)

    @staticmethod
    def _read(lines):
        head = lines.readline()
        if not head:
            return None
        words = []
        for _ in range(int(head[1:])):
            length = int(lines.readline()[1:])
            words.append(lines.read(length + 2)[:length])
        return words

    def _answer(self, command):
        name, *words = command
        if name == b"GET":
            return bulk(self.data.get(words[0]))
        if name == b"SET":
            if b"NX" in words and words[0] in self.data:
                return b"$-1\r\n"
            self.data[words[0]] = words[1]
            return b"+OK\r\n"
        if name == b"EVAL":
            return b":%d\r\n" % (self.data.pop(words[2], None) is not None)
        return b"+PONG\r\n" if name == b"PING" else b"+OK\r\n"

    def say(self, data):
        """Says something unasked on all connections."""
        for sock in list(self._socks):
            with contextlib.suppress(OSError):
                sock.sendall(data)

    def drop(self):
        """Ends all connections."""
        for sock in list(self._socks):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def be_good(self):
        self.says, self.greeting, self.hangs_up = {}, b"", False

    def __enter__(self):
        go_first(True)
        return self

    def __exit__(self, *_):
        go_first(False)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.drop()
        shutil.rmtree(self.folder, ignore_errors=True)
