"""Upstreams behind TLS, at other addresses, by other programs."""
import json
import os
import shutil
import socket
import subprocess
import threading
import warnings

import pytest

from sockets import serve
from upstream import Upstream, _log
from waiting import wait_until


class TlsUpstream(Upstream):
    """An upstream at any address, by wss:// if it is given a TLS context."""

    def __init__(self, context=None, host="127.0.0.1", name=None, **more):
        self._context = context
        self._host = host
        super().__init__(**more)
        scheme = "wss" if context else "ws"
        name = name or (f"[{host}]" if ":" in host else host)
        self.url = f"{scheme}://{name}:{self.port}/ws"

    async def _listen(self, port):
        return await serve(
            self._serve, self._host, port, ssl=self._context, ping_interval=None,
            compression=None, max_size=2**26, max_queue=None, close_timeout=1,
            logger=_log, process_request=self._on_request)


class Program:
    """Another program that runs while the block does."""

    def __init__(self, *command, env=None, folder=None):
        self.lines = []
        self.process = subprocess.Popen(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def wait_line(self, start, seconds=15):
        def find():
            assert self.process.poll() is None or self._thread.is_alive(), self.lines
            return [line for line in self.lines if line.startswith(start)]
        return wait_until(find, f"a line `{start}` in {self.lines}", seconds)[-1]

    def wait_json(self, start, seconds=15):
        return json.loads(self.wait_line(start, seconds)[len(start):])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self._thread.join()


def need_program(path, package):
    """Skips, so that it is seen, if a program is not there."""
    if not shutil.which(path):
        skip_loudly(f"{path} is not there: install {package}")


def need_root():
    if os.geteuid() != 0:
        skip_loudly("needs root, for a mount namespace of its own")


def skip_loudly(why):
    warnings.warn(f"NOT TESTED: {why}")
    pytest.skip(why)


class DeadAddress:
    """Takes no further connection: what is sent to it is dropped."""

    def __init__(self, host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen(0)
        self._fillers = []
        # With a full queue the kernel drops what would open another one.
        for _ in range(8):
            filler = socket.socket(family)
            filler.setblocking(False)
            filler.connect_ex((host, port))
            self._fillers.append(filler)
        with socket.socket(family) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect((host, port))
            except TimeoutError:
                return
        raise AssertionError(f"{host} is not dead")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (*self._fillers, self._listener):
            sock.close()
