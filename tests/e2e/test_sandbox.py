"""What a helper can not do, tried from inside it by programs of the tests (trespass.c)."""
import ctypes
import os
import re
import shutil
import socket
import sys
import time
from pathlib import Path

import pytest

from amounts import message, stake_of
from places import BUILD, DEMO_RATES, SANITIZED, VALGRIND
from waiting import holds_for, wait_until

pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED, reason="they need more than the list has")

HELPERS = ["wsclient", "ratefetcher", "monitor"]


def landlock_version():
    """0: this kernel has none."""
    return max(ctypes.CDLL(None).syscall(444, None, 0, 1), 0)


LANDLOCK = landlock_version()
needs_landlock = pytest.mark.skipif(LANDLOCK < 1, reason="this kernel has no Landlock")


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


@pytest.fixture
def trespass(make_service, upstream, tmp_path):
    """trespass(name, attempts, NAME=value...) gives a service of which that helper tried them."""

    def begin(name, attempts, **settings):
        service = make_service({"REQUESTS_WS_URL": upstream.url, "SANDBOX": "on"} | settings)
        service.build = BUILD / "trespassing"
        service.runtime_dir.mkdir(mode=0o700)
        (service.runtime_dir / f"try-{name}").write_text("\n".join(attempts) + "\n")
        return service.start()

    return begin


def results_of(service, name):
    """{attempt: result}, once all was tried."""
    path = service.runtime_dir / f"tried-{name}"
    text = wait_until(lambda: path.exists() and "end\n" in path.read_text() and path.read_text(),
                      "results")
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if " " in line)


def wait_state(service, name, state):
    """It comes with a report."""
    wait_until(lambda: service.helper(name).get("sandbox") == state, f"{name}: {state}", 3)


# What is refused

REFUSED = {"packets": "socket", "code": "mmap", "make_code": "mprotect", "signal_parent": "kill",
           "dumpable": "prctl", "process": "clone"}


@pytest.mark.smoke
@pytest.mark.parametrize("name", HELPERS)
def test_calls(trespass, upstream, name):
    """Each gets EPERM and a line with its name; the helper lives, and serves."""
    service = trespass(name, REFUSED)
    assert results_of(service, name) == {attempt: "EPERM" for attempt in REFUSED}
    for call in REFUSED.values():
        service.wait_log(rf"ERROR {name}\[\d+\] sandbox_refused call={call}\b")
    assert_works(upstream.wait_link())
    wait_state(service, name, "on" if LANDLOCK else "incomplete")
    assert service.helper(name)["deaths"] == 0


@pytest.mark.parametrize("attempt", ["execve /bin/true", "ptrace", "memory", "bpf", "mount /tmp",
                                     "memfd"])
@pytest.mark.parametrize("name", HELPERS)
def test_what_nobody_does_by_mistake(trespass, upstream, name, attempt):
    """It is the end of the process; another one serves."""
    service = trespass(name, [attempt])
    service.wait_log(rf"died process={name} .*cause=.?signal SIGSYS")
    assert not (service.runtime_dir / f"tried-{name}").read_text()
    service.wait_ready()
    assert_works(upstream.link)


OUTSIDE = ["read /etc/passwd", "list /etc", "read /etc/ssl/private", "list /proc", "list /home",
           "read /proc/self/environ", "write /var/lib/fxwire-was-here"]


@pytest.mark.smoke
@needs_landlock
@pytest.mark.parametrize("name", HELPERS)
def test_files(trespass, upstream, name):
    """Of the machine's none but those that it needs."""
    service = trespass(name, OUTSIDE)
    assert results_of(service, name) == {attempt: "EACCES" for attempt in OUTSIDE}
    assert not Path("/var/lib/fxwire-was-here").exists()
    assert_works(upstream.wait_link())


@pytest.fixture
def far_folder():
    """A folder whose place nobody sweeps, so that it is let in alone."""
    path = Path(f"/var/lib/fxe-{os.getpid()}-{time.monotonic_ns()}")
    try:
        path.mkdir(mode=0o700)
    except PermissionError:
        pytest.skip("needs root")
    yield path
    shutil.rmtree(path)


@needs_landlock
def test_folders_of_others(trespass, upstream, far_folder):
    """Each helper has those that it writes to; what lies beside them is not its own."""
    folders = {name: far_folder / name for name in ("RUNTIME_DIR", "STATE_DIR", "LOGS_DIR")}
    for path in [*folders.values(), far_folder / "beside"]:
        path.mkdir(mode=0o700)
    tries = [f"write {path}/x" for path in [*folders.values(), far_folder / "beside"]]
    expected = {"wsclient": ["done", "done", "EACCES", "EACCES"],
                "monitor": ["done", "EACCES", "done", "EACCES"]}
    for name, results in expected.items():
        (folders["RUNTIME_DIR"] / f"try-{name}").write_text("\n".join(tries) + "\n")
        service = trespass("none", [], **{n: str(p) for n, p in folders.items()})
        service.runtime_dir = folders["RUNTIME_DIR"]
        assert list(results_of(service, name).values()) == results
        service.stop()


@needs_landlock
@pytest.mark.skipif(LANDLOCK < 4, reason="this kernel's Landlock knows no ports")
@pytest.mark.parametrize("name", HELPERS)
def test_ports(trespass, upstream, name):
    """The upstream's for wsclient, the providers' for ratefetcher, none for the monitor."""
    with socket.create_server(("127.0.0.1", 0)) as provider, \
            socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"upstream": upstream.port, "provider": provider.getsockname()[1],
                 "other": other.getsockname()[1]}
        tries = [f"connect {port}" for port in ports.values()] + ["bind 0"]
        service = trespass(name, tries, RATES_URL=f"http://127.0.0.1:{ports['provider']}/x")
        done = list(results_of(service, name).values())
    refused = "EPERM" if name == "monitor" else "EACCES"
    assert done == ["done" if name == "wsclient" else refused,
                    "done" if name == "ratefetcher" else refused, refused, "EACCES"]


# What takes the place of something

def replace(folder):
    """Another one has its name, and nothing in it."""
    folder.rename(folder.with_name(f"{folder.name}-away"))
    folder.mkdir(mode=0o700)


def remake(folder):
    """The same, while file systems like to give a number again."""
    shutil.rmtree(folder)
    folder.mkdir(mode=0o700)


@needs_landlock
@pytest.mark.parametrize("do", [replace, remake], ids=lambda f: f.__name__)
def test_folders_that_are_replaced(make_service, upstream, far_folder, do):
    """Who writes there is started anew, in order, and let into the new one."""
    names = ("RUNTIME_DIR", "STATE_DIR", "LOGS_DIR", "AUDIT_DIR")
    folders = {name: far_folder / name for name in names}
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SANDBOX": "on",
                            "RECONNECT_MAX_SECONDS": "0.1"} | folders)
    service.runtime_dir = folders["RUNTIME_DIR"]
    service.start()
    assert_works(upstream.wait_link())
    service.wait_delivered(1)
    pids = service.pids()
    for folder in folders.values():
        do(folder)
    for name in HELPERS:
        service.wait_respawn(name, pids[name])
    service.wait_ready()
    assert_works(upstream.wait_link(2))
    wait_until(lambda: [p for p in folders["RUNTIME_DIR"].iterdir() if p.name.startswith("ledger")],
               "messages in hand")
    wait_until(lambda: list(folders["AUDIT_DIR"].iterdir()), "an audit", 5)
    wait_until(lambda: list(folders["LOGS_DIR"].iterdir()), "a log", 5)
    assert all(service.helper(name)["deaths"] == 0 for name in HELPERS)
    for name in HELPERS:
        wait_state(service, name, "on")


@needs_landlock
def test_folders_that_are_removed(make_service, upstream, far_folder):
    """The monitor's next process makes them again, so no line of the log waits for a person."""
    folders = {name: far_folder / name for name in ("LOGS_DIR", "AUDIT_DIR")}
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SANDBOX": "on"} | folders).start()
    link, pid = upstream.wait_link(), service.pids()["monitor"]
    for folder in folders.values():
        shutil.rmtree(folder)
    service.wait_respawn("monitor", pid)
    assert_works(link)
    for folder in folders.values():
        wait_until(lambda: folder.exists() and list(folder.iterdir()), "a file in it", 5)


@needs_landlock
def test_messages_in_hand_of_a_replaced_folder(make_service, upstream, far_folder):
    """They are in memory alone then: wsclient starts anew once they are delivered."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SANDBOX": "on",
                            "RUNTIME_DIR": str(far_folder / "run"), "RECONNECT_MAX_SECONDS": "0.1",
                            "REQUEST_TIMEOUT_SECONDS": 60})
    service.runtime_dir = far_folder / "run"
    service.start()
    link, pid = upstream.wait_link(), service.pids()["wsclient"]
    with service.pause("ratefetcher"):
        link.send(*(message(str(i), date='"2021-05-19"') for i in range(10)))
        service.wait_counter("fxwire_pending", 10)
        upstream.refuse = (503, [], b"")
        link.reset()
        replace(service.runtime_dir)
        service.wait_log("ledger_not_made_anew")
        wait_until(service.status_or_none, "a status")
        holds_for(2.5, lambda: service.helper("wsclient")["pid"] == pid, "the same wsclient")
    upstream.refuse = None
    again = upstream.wait_link(2)
    assert len(again.wait_answers(10)) == 10
    service.wait_respawn("wsclient", pid)
    assert_works(upstream.wait_link(3))
    assert [p for p in service.runtime_dir.iterdir() if p.name.startswith("ledger")]


@needs_landlock
def test_a_file_that_is_replaced(make_service, upstream, far_folder):
    """What lies beside it may take its place: it is read, and nobody starts anew."""
    path, other = far_folder / "rates.csv", far_folder / "other"
    path.write_text("Date,USD\n2021-05-18,1.2222\n")
    other.write_text("Date,USD\n2021-05-19,2\n2021-05-18,1.2222\n")
    for one in (path, other):
        os.utime(one, (time.time() - 3600,) * 2)
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SANDBOX": "on",
                            "RATES_FILE": str(path)}).start()
    assert_works(upstream.wait_link())
    other.rename(path)
    assert stake_of(upstream.link.ask(message(date='"2021-05-19"'))) == "126.835"
    assert "sandbox" not in service.log()


# The other words of SANDBOX

@pytest.mark.parametrize("name", HELPERS)
def test_log(trespass, upstream, name):
    """All is done, and what `on` would refuse is named, the fatal too; nothing else is."""
    fatal = {"memfd": "memfd_create", "memory": "process_vm_readv"}
    with socket.create_server(("127.0.0.1", 0)) as other:
        files = ["read /etc/passwd", "list /etc", f"connect {other.getsockname()[1]}"]
        service = trespass(name, [*REFUSED, *fatal, *files], SANDBOX="log")
        done = results_of(service, name)
    assert done.pop("packets") in ("done", "EPERM")  # this user's rights decide
    assert set(done.values()) == {"done"}
    calls = [*REFUSED.values(), *fatal.values()]
    whats = ["/etc/passwd", "/etc", *([] if name == "monitor" else [files[2].replace("connect", "port")])]
    for what in [rf"call={call}\b" for call in calls] + [rf'what="?{what}"?$' for what in whats]:
        service.wait_log(rf"(?m)WARN {name}\[\d+\] sandbox_would_refuse .*{what}")
    wait_state(service, name, "log")
    assert_works(upstream.wait_link())
    named = re.findall(r"would_refuse call=(\w+)", service.log())
    assert set(named) == {*calls, "wait4", "openat", "connect"}
    assert "sandbox_refused" not in service.log()


@pytest.mark.parametrize("name", HELPERS)
def test_off(trespass, upstream, name):
    service = trespass(name, [*(set(REFUSED) - {"packets"}), "memfd", "read /etc/passwd"],
                       SANDBOX="off")
    assert set(results_of(service, name).values()) == {"done"}
    wait_state(service, name, "off")
    assert "sandbox" not in service.log()


def test_without_landlock(make_service, upstream):
    """A profile that refuses it is told of by each helper, and the service works."""
    refused = Path(__file__).with_name("refused.py")
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SANDBOX": "on"},
                           launcher=(sys.executable, refused, "EPERM", "landlock_create_ruleset"))
    service.start()
    for name in HELPERS:
        service.wait_log(rf"WARN {name}\[\d+\] sandbox_incomplete without=landlock why=.*permitted")
        wait_state(service, name, "incomplete")
    assert_works(upstream.link)


# Who looks in from outside

def is_open(pid):
    """Whether a debugger of the same user may look into the process."""
    return Path(f"/proc/{pid}/environ").stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("how", ["closed", "core", "debug_wait", "off"])
def test_secrets_in_memory(make_service, upstream, how):
    """Nobody but root can look at them, save where somebody asked for it."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "SANDBOX": "on"},
                           wrappers={"none": ""},  # a copy that the user can reach
                           launcher=("setpriv", "--reuid=65534", "--regid=65534",
                                     "--clear-groups", "prlimit",
                                     f"--core={-1 if how == 'core' else 0}:"))
    shutil.copy(DEMO_RATES, service.folder / "rates.csv")
    service.env |= {"RATES_FILE": str(service.folder / "rates.csv")}
    service.env |= {"off": {"SANDBOX": "off"}, "debug_wait": {"DEBUG_WAIT": "ratefetcher"}}.get(how, {})
    for path in [service.folder, *service.folder.rglob("*")]:
        os.chown(path, 65534, 65534)
    service.launch()
    if how == "debug_wait":
        pid = wait_until(lambda: service.status_or_none() and service.helper("ratefetcher")["pid"],
                         "a helper")
        wait_until(lambda: "State:\tT" in Path(f"/proc/{pid}/status").read_text(), "a stop")
        os.kill(pid, 18)
    service.wait_ready()
    opened = {name: is_open(service.helper(name)["pid"]) for name in HELPERS}
    assert opened == {name: how in ("core", "off") or (how == "debug_wait" and name == "ratefetcher")
                      for name in HELPERS}
