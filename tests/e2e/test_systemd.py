"""The service manager's notifications (sd_notify(3)), told to a socket of the test."""
import os
import signal
import socket
import time

import pytest

from amounts import message, stake_of
from places import SCALE
from waiting import holds_for, wait_until


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


class Manager:
    """What a service manager hears, line by line, with monotonic times."""

    def __init__(self, folder, kind):
        self.address = f"@fxe-{os.getpid()}-{time.monotonic_ns()}" if kind == "abstract" \
            else str(folder / "notify")
        self.heard = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self.address.replace("@", "\0", 1) if kind == "abstract"
                          else self.address)

    def listen(self):
        """All lines so far."""
        while True:
            try:
                text = self._socket.recv(4096).decode()
            except BlockingIOError:
                return [line for line, _ in self.heard]
            self.heard += [(line, time.monotonic()) for line in text.splitlines()]

    def wait(self, line, count=1, seconds=10):
        wait_until(lambda: self.listen().count(line) >= count, f"{count} of {line}", seconds)

    def times(self, line):
        return [moment for one, moment in self.heard if one == line]

    def close(self):
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def managed(make_service, upstream, request):
    """managed(...) gives a service and its manager."""
    managers = []

    def begin(**more):
        service = make_service({"REQUESTS_WS_URL": upstream.url}, **more)
        managers.append(Manager(service.folder, request.param))
        service.env["NOTIFY_SOCKET"] = managers[0].address
        return service, managers[0]

    yield begin
    for manager in managers:
        manager.close()


@pytest.mark.parametrize("managed, args", [("path", []), ("abstract", ["--no-watchdog"])],
                         indirect=["managed"], ids=["watchdog", "no watchdog"])
def test_a_whole_life(managed, upstream, args):
    """READY=1 once all helpers are, WATCHDOG=1 each second, a reload, the end."""
    service, manager = managed(args=args, wrappers={
        "ratefetcher": 'while [ ! -e good ]; do sleep 0.02; done; exec {real} "$@"'})
    service.launch()
    upstream.wait_link()
    wait_until(lambda: sum(h["state"] == "ready" for h in service.status()["helpers"]) == 2,
               "the others")
    holds_for(0.3, lambda: "READY=1" not in manager.listen(), "not ready yet")
    (service.folder / "good").touch()
    manager.wait("READY=1")
    assert "STATUS=running" in manager.listen()
    assert all(h["state"] == "ready" for h in service.status()["helpers"])
    assert manager.listen().count("READY=1") == 1

    manager.wait("WATCHDOG=1", 4)
    beats = manager.times("WATCHDOG=1")
    gaps = [b - a for a, b in zip(beats, beats[1:])]
    assert all(0.5 < gap < 1.5 * SCALE for gap in gaps), gaps

    assert service.command("reload").returncode == 0
    manager.wait("READY=1", 2)
    assert manager.listen().count("RELOADING=1") == 1
    assert manager.times("RELOADING=1")[0] <= manager.times("READY=1")[1]
    before = len(manager.heard)
    assert "STOPPING=1" not in manager.listen()
    assert service.stop() == 0
    assert "STOPPING=1" in manager.listen()[before:]
    assert manager.listen().count("READY=1") == 2


def test_a_refused_reload_is_none(managed):
    """The manager is not told of it."""
    service, manager = managed()
    service.start()
    manager.wait("READY=1")
    (service.folder / ".env").write_text("LOG_LEVEL=loud\n")
    assert service.command("reload").returncode == 78
    (service.folder / ".env").unlink()
    holds_for(0.2, lambda: "RELOADING=1" not in manager.listen(), "nothing")


def test_a_new_supervisor_is_ready_again(managed):
    """The watchdog's work, seen by the manager."""
    service, manager = managed()
    service.start()
    manager.wait("READY=1")
    service.kill("supervisor", signal.SIGKILL)
    manager.wait("READY=1", 2)
    assert "STOPPING=1" not in manager.listen()


def test_helpers_do_not_know_the_manager(managed):
    """What they are given is theirs alone."""
    note = 'env >given.NAME; exec {real} "$@"'
    service, manager = managed(wrappers={name: note.replace("NAME", name)
                                         for name in ("wsclient", "ratefetcher")})
    service.start()
    manager.wait("READY=1")
    for name in ("wsclient", "ratefetcher"):
        given = (service.folder / f"given.{name}").read_text()
        assert "RUNTIME_DIR" in given and "NOTIFY_SOCKET" not in given


@pytest.mark.parametrize("address", ["/no/such/socket", "", "@", "relative", "/" + "x" * 200])
def test_a_manager_that_is_not_there(make_service, upstream, address):
    """Nobody minds."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "NOTIFY_SOCKET": address}).start()
    assert_works(upstream.link)
    assert service.stop() == 0


def test_a_manager_that_does_not_listen(managed, upstream):
    """Its queue is full, and the service works on."""
    service, manager = managed()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                other.sendto(b"x", manager.address.replace("@", "\0", 1)
                             if manager.address[0] == "@" else manager.address)
        service.start()
        assert_works(upstream.link)
        for _ in range(3):
            assert service.command("reload").returncode == 0
        assert service.stop() == 0
