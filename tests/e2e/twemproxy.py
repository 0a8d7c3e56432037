"""Debian's twemproxy before a Redis."""
import shutil
import socket
import subprocess

from places import FIRST_SERVED
from tls_upstream import skip_loudly
from waiting import wait_until


class Twemproxy:
    """On a Unix socket in the folder of `server`, while the block runs."""

    def __init__(self, server, folder):
        if not shutil.which("nutcracker"):
            skip_loudly("nutcracker is not there")
        self.path = server.folder / "proxy.sock"
        self.url = f"unix://{self.path}"
        self._config = folder / "proxy.yml"
        self._config.write_text(f"""
one:
  listen: {self.path}
  redis: true
  hash: fnv1a_64
  distribution: ketama
  servers:
   - 127.0.0.1:{server.port}:1
""")

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            statistics = free.getsockname()[1]
        self._process = subprocess.Popen(
            [*FIRST_SERVED, "nutcracker", "-c", self._config, "-s", str(statistics)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.path.exists, "the proxy")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
