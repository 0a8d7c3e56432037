"""fxwire under test: started, watched, stopped, and searched for remains."""
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from event_table import strange_lines
from places import BUILD, DEMO_RATES, FIRST_SERVED, SCALE, VALGRIND
from waiting import wait_until

_SANITIZER = re.compile(r"Sanitizer|runtime error:|stack smashing|malloc\(\)|free\(\):")
_SANDBOX = re.compile(r"sandbox_(incomplete|outdated|refused)")
_HELPERS = ("wsclient", "ratefetcher")
_VALGRIND = ("exec valgrind -q --error-exitcode=99 --leak-check=full "
             "--log-file={folder}/valgrind.%p")


def wrapped_build(folder, wrappers):
    """
    A copy of the programs in which {name: shell lines} run first; each ends
    with an exec or an exit, and `{real}` is the path of the program.
    """
    programs = folder / "programs"
    programs.mkdir()
    for name in ("supervisor", *_HELPERS):
        if name in wrappers:
            text = wrappers[name].replace("{real}", str(BUILD / name))
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        else:
            shutil.copy2(BUILD / name, programs / name)
    return programs


def children_of(pid):
    """Pids of the processes whose parent is `pid`."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            if int(stat.rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(entry))
    return found


def is_running(pid):
    """Whether there is such a process, and it is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def kill_all(pids):
    """SIGKILL to each; one that is gone already is what was wanted."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def ask_socket(path, data, half_close=True, seconds=10):
    """Sends bytes to a Unix socket and gives all that comes until its end."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(seconds * SCALE)
        sock.connect(str(path))
        sock.sendall(data)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        got = b""
        while more := sock.recv(65536):
            got += more
        return got


class Service:
    """One supervisor, in a folder of its own."""

    def __init__(self, settings=None, args=(), wrappers=None, folder=None,
                 program="supervisor", launcher=()):
        # Short, for the paths of sockets have a limit.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="fxe-", dir="/tmp"))
        self.args = list(args)
        self.log_path = self.folder / "log"
        self.runtime_dir = self.folder / "run"
        self.process = None
        self.build = BUILD
        wrappers = dict(wrappers or {})
        if VALGRIND:
            line = _VALGRIND.format(folder=self.folder) + ' {real} "$@"'
            wrappers = {name: line for name in _HELPERS} | wrappers
        if wrappers:
            self.build = wrapped_build(self.folder, wrappers)
        self.program = program
        self.launcher = list(launcher)  # a command that executes the program
        self.env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "RUNTIME_DIR": str(self.runtime_dir),
            "STATE_DIR": str(self.folder / "state"),
            "RATE_PROVIDERS": "file",
            "RATES_FILE": str(DEMO_RATES),
            "LATEST_MAX_AGE_DAYS": "36500",  # of that file
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        if VALGRIND:
            self.env["SANDBOX"] = "off"  # it makes calls of its own
        self.env |= settings or {}
        self.env = {n: str(v) for n, v in self.env.items() if v is not None}

    # Starting and stopping

    def launch(self, **streams):
        """Starts it without waiting for anything."""
        if "stderr" not in streams:
            with open(self.log_path, "ab") as log:
                return self.launch(stderr=log, **streams)
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL} | streams
        if "ALERT_COMMAND" in self.env and self.env.get("RATES_FILE") == str(DEMO_RATES):
            self.env["RATES_FILE"] = str(self._rates_of_today())
        self.process = subprocess.Popen(
            [*self.launcher, *(FIRST_SERVED if self.env.get("REDIS_URL") else ()),
             self.build / self.program, *self.args], cwd=self.folder,
            env=self.env, start_new_session=True, **streams)
        return self

    def _rates_of_today(self):
        """The demo's rates with a row of today: an old table is an alert of its own."""
        head, newest, *older = DEMO_RATES.read_text().splitlines()
        path = self.folder / "rates-of-today.csv"
        day = time.strftime("%Y-%m-%d", time.gmtime())
        path.write_text("\n".join([head, day + newest[10:], newest, *older]) + "\n")
        os.utime(path, (time.time() - 3600,) * 2)  # it is not being written
        return path

    def start(self, **streams):
        """Starts it and waits until it is ready."""
        self.launch(**streams)
        return self.wait_ready()

    def wait_ready(self, seconds=15):
        done = self.command("status", "--wait", str(seconds * SCALE), "--ready")
        assert done.returncode == 0, done.stdout + done.stderr + self.log()
        return self

    def wait_exit(self, seconds=10):
        """Waits for the end; gives the exit code."""
        try:
            return self.process.wait(seconds * SCALE)
        except subprocess.TimeoutExpired:
            raise AssertionError("it did not end in time:\n" + self.log()) from None

    def stop(self, seconds=10):
        """Stops it by SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_exit(seconds)

    def stop_short(self):
        """Stops it without waiting for upstreams that confirm nothing."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(0.2 * SCALE)
        except subprocess.TimeoutExpired:
            return self.stop()

    def finish(self):
        """Stops it if it runs, and looks for remains and reports."""
        try:
            if self.process is not None and self.process.poll() is None:
                code = self.stop_short()
                assert code == 0, f"exit code {code}:\n" + self.log()
            self.assert_gone()
            self.assert_clean()
        finally:
            self.remove()

    def remove(self):
        kill_all(self.processes())
        if self.process is not None:
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Looking at it

    def processes(self):
        """Pids of all its processes: they stay in the folder it started in."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and is_running(int(entry)):
                try:
                    folder = os.readlink(f"/proc/{entry}/cwd")
                except OSError:
                    continue
                if folder == str(self.folder) and int(entry) != os.getpid():
                    found.append(int(entry))
        return found

    def assert_gone(self, seconds=1):
        """No process is left (spec: none outlives its parent by more than 1 s)."""
        wait_until(lambda: not self.processes(), f"the end of {self.titles()}", seconds)

    def assert_clean(self):
        """No report by a sanitizer, the C library or valgrind; no event of its own."""
        assert not _SANITIZER.search(self.log()), self.log()
        assert not strange_lines(self.log())
        assert not _SANDBOX.search(self.log()) or self.env.get("SANDBOX"), self.log()
        reports = list(self.folder.glob("valgrind.*"))
        assert reports or not VALGRIND or self.process is None
        for path in reports:
            assert not path.read_text(), path.read_text()

    def titles(self):
        """{pid: command line} of its processes."""
        titles = {}
        for pid in self.processes():
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            titles[pid] = line.rstrip(b"\0").replace(b"\0", b" ").decode()
        return titles

    def log(self):
        if not self.log_path.exists():
            return ""
        return self.log_path.read_text(errors="replace")

    def wait_log(self, pattern, seconds=10, count=1):
        """Waits for lines that match; gives the last of them."""
        wait_until(lambda: len(re.findall(pattern, self.log())) >= count,
                   f"{pattern} in the log", seconds)
        return [line for line in self.log().splitlines() if re.search(pattern, line)][-1]

    def command(self, *args, env=None, seconds=60):
        """Runs a command of the same program in the same environment."""
        return subprocess.run([self.build / "supervisor", *args], cwd=self.folder,
                              env=self.env | (env or {}), capture_output=True,
                              text=True, timeout=seconds * SCALE, check=False)

    def ask(self, name, *questions, half_close=True, seconds=10):
        """Asks a socket by lines (dict or str); gives the answers."""
        lines = [q if isinstance(q, str) else json.dumps(q) for q in questions]
        data = "".join(line + "\n" for line in lines).encode()
        got = ask_socket(self.runtime_dir / name, data, half_close, seconds)
        return [json.loads(line) for line in got.splitlines()]

    def rates(self, date, **more):
        return self.ask("rates.sock", {"op": "rates", "date": date, **more})[0]

    def status(self):
        return self.ask("control.sock", {"op": "status"})[0]

    def status_or_none(self):
        try:
            return self.status()
        except (OSError, IndexError):
            return None

    def helper(self, name, number=0):
        return [h for h in self.status()["helpers"] if h["name"] == name][number]

    def pids(self):
        """{name: pid} of the watchdog, the supervisor and the helpers."""
        pids = {h["name"]: h["pid"] for h in self.status()["helpers"]}
        pids["watchdog"] = self.process.pid
        pids["supervisor"] = children_of(self.process.pid)[0]
        return pids

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal to a process by its name; gives its pid."""
        pid = self.pids()[name]
        os.kill(pid, number)
        return pid

    def kill_and_go_on(self, who):
        """
        SIGKILL to a helper, the supervisor, the watchdog, or "all"; starts it
        anew where that is the end of the service.
        """
        kill_all(self.processes() if who == "all" else [self.pids()[who]])
        if who in ("watchdog", "all"):
            self.process.wait()
            self.assert_gone()
            wait_until(self.is_unlocked, "a free folder")
            self.launch()

    def is_unlocked(self):
        """A process that dies lets go of its lock a little later than of its folder."""
        with open(self.runtime_dir / "supervisor.lock", "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def wait_respawn(self, name, old_pid, seconds=10):
        """Waits until a helper has another pid and is ready."""

        def is_new():
            status = self.status_or_none()
            return status and any(
                h["name"] == name and h["pid"] not in (None, old_pid)
                and h["state"] == "ready" for h in status["helpers"])

        wait_until(is_new, f"another {name}", seconds)
        return self.helper(name)["pid"]

    def counter(self, name):
        """A counter, over all helpers; reports come each second."""
        return sum(row["values"].get(name, 0) for row in self.status()["counters"])

    def wait_counter(self, name, value, seconds=5):
        wait_until(lambda: self.counter(name) == value,
                   f"{name} = {value}", seconds)

    def wait_delivered(self, count, seconds=5):
        """Waits until so many answers were sent and none is pending any more."""

        def is_delivered():
            sent = self.counter("fxwire_responses_total")  # first, the other is no older
            return sent == count and self.counter("fxwire_pending") == 0

        wait_until(is_delivered, f"{count} answers confirmed", seconds)

    def pause(self, name):
        """Stops a helper; a context that lets it go on."""
        return Paused(self.pids()[name])


class Paused:
    """A process that is stopped while the block runs."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{self.pid}/stat").read_text()
                   .rsplit(")", 1)[1].split()[0] == "T", "a stopped process")
        return self

    def __exit__(self, *_):
        self.go_on()

    def go_on(self):
        if is_running(self.pid):
            os.kill(self.pid, signal.SIGCONT)


def seconds_since(moment):
    return time.monotonic() - moment
