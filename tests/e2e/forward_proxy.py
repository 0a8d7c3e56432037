"""Proxies between fxwire and its peers: real ones, and one that goes wrong."""
import base64
import contextlib
import os
import select
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from places import SCALE
from ports import on_new_port
from tls_upstream import need_program
from waiting import wait_until


def _listen(port, host="127.0.0.1"):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(64)
    return listener


def _pump(one, other, passes):
    """Until one of them ends; then the other is ended, too. passes() waits its turn."""
    pairs = {one: other, other: one}
    data = True
    with contextlib.suppress(OSError, ValueError):  # closed meanwhile
        while data:
            for sock in select.select(list(pairs), [], [])[0]:
                passes()
                data = sock.recv(65536)
                pairs[sock].sendall(data)
                if not data:
                    break
    for sock in pairs:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


class RawProxy:
    """
    A proxy whose `answer(sock, place)` says how a CONNECT is answered; it knows
    `names`, which nobody else does.
    """

    def __init__(self, answer=None, names=None, host="127.0.0.1"):
        self.answer = answer or RawProxy.tunnel
        self.names = names or {}
        self.heads = []
        self.socks = []
        self._listener = on_new_port(lambda port: _listen(port, host))
        self.port = self._listener.getsockname()[1]
        self.label = f"{host}:{self.port}"
        self.url = f"http://Pxy1userQ:Pxy2passQ@{self.label}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.socks.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        head = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in head:
                more = sock.recv(65536)
                if not more:
                    return
                head += more
            self.heads.append(head.decode())
            self.answer(self, sock, head.split(b" ")[1].decode())

    def open(self, place):
        host, port = place.rsplit(":", 1)
        other = socket.create_connection((self.names.get(host, host), int(port)))
        self.socks.append(other)
        return other

    def close(self, sock):
        sock.close()
        self.socks.remove(sock)

    def passes(self):
        """Before some bytes are: here they are at once."""

    def tunnel(self, sock, place):
        other = self.open(place)
        with contextlib.suppress(OSError):
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pump(sock, other, self.passes)
        self.close(other)

    def header(self, name):
        """Of the last request."""
        for line in self.heads[-1].split("\r\n"):
            if line.lower().startswith(name.lower() + ":"):
                return line.split(":", 1)[1].strip()
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (self._listener, *self.socks):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def basic(user_info):
    return "Basic " + base64.b64encode(user_info.encode()).decode()


class _Program:
    """A program that is a proxy, with user and password."""

    def __init__(self, command, config, user="ann", password="Pxy3passQ"):
        self.folder = Path(tempfile.mkdtemp(prefix="fxp-", dir="/tmp"))
        os.chmod(self.folder, 0o777)
        listener = on_new_port(_listen)
        self.port = listener.getsockname()[1]
        listener.close()
        self.label = f"127.0.0.1:{self.port}"
        self.url = f"http://{user}:{password}@{self.label}"
        (self.folder / "conf").write_text(config(self))
        self.process = subprocess.Popen(
            [part.format(folder=self.folder) for part in command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._serves, f"{command[0]} to listen", 30 * SCALE)

    def _serves(self):
        assert self.process.poll() is None
        with contextlib.suppress(OSError), socket.create_connection(
                ("127.0.0.1", self.port), 1):
            return True
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)


class Tinyproxy(_Program):
    """Answers a wrong password by 401, and none by 407."""

    def __init__(self):
        need_program("tinyproxy", "tinyproxy")
        super().__init__(["tinyproxy", "-d", "-c", "{folder}/conf"], lambda p: (
            f"Port {p.port}\nListen 127.0.0.1\nTimeout 60\nBasicAuth ann Pxy3passQ\n"
            f'LogFile "{p.folder}/log"\n'))


class Squid(_Program):
    """Looks into a file of passwords by a program of its own."""

    def __init__(self):
        need_program("squid", "squid")
        super().__init__(["squid", "-N", "-f", "{folder}/conf"], self._config)

    @staticmethod
    def _config(p):
        checker = p.folder / "check"
        checker.write_text("#!/bin/sh\nwhile read -r user rest; do\n"
                           '[ "$user $rest" = "ann Pxy3passQ" ] && echo OK || echo ERR\n'
                           "done\n")
        checker.chmod(0o755)
        return (f"http_port 127.0.0.1:{p.port}\npid_filename {p.folder}/pid\n"
                f"auth_param basic program {checker}\nauth_param basic realm x\n"
                "acl known proxy_auth REQUIRED\nhttp_access allow known\n"
                f"http_access deny all\ncache deny all\ncache_mem 1 MB\n"
                f"access_log none\ncache_log {p.folder}/log\nshutdown_lifetime 0 seconds\n"
                f"coredump_dir {p.folder}\npinger_enable off\nvisible_hostname x\n")
