"""The programs that are compared: how each is started, and what it takes."""
import datetime
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HERE = TOP / "tests" / "bench"
# What the others are compared with; the build, and the one of BASE.
ECHO = "libwebsockets echo, raw batched"
OURS, BEFORE = "fxwire", "fxwire before"
AUDITED = "fxwire with AUDIT_DIR"
LOGGED, STALLED = "fxwire, each message logged", "the same on a disk that stalls"
NODE_PACKAGES = ("ws@8.18.0", "decimal.js@10.4.3")
PATIENCE_SECONDS = 10
STALL_BYTES = 4096


def tree_of(pid):
    """A process and all that descend from it."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [pid, *(p for child in text.split() for p in tree_of(int(child)))]


def title_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").strip("\0")
    except OSError:
        return ""


def cpu_seconds(pids):
    """What all threads of these have used, to the nanosecond."""
    used = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            used += int(path.read_text(encoding="ascii").split()[0])
    return used / 1e9


def machine_seconds():
    """What everybody has used of all cores."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def pss_mb(pids):
    """Their memory, what is shared being counted in proportion."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def pss_mb_beside(pids, folder):
    """The same without what is mapped from files below a folder."""
    total = 0
    for pid in pids:
        counts = True
        for line in Path(f"/proc/{pid}/smaps").read_text("ascii", "replace").splitlines():
            words = line.split()
            if not words[0].endswith(":"):
                counts = not words[-1].startswith(str(folder))
            elif words[0] == "Pss:" and counts:
                total += int(words[1])
    return total / 1024


def pin(core):
    """For preexec_fn: two cores, one for each side."""
    if core is not None:
        os.sched_setaffinity(0, {core})


class Contender:
    """One program; `echo` says that its answers are the questions."""

    echo = False
    tls = True  # it can speak it

    def __init__(self, name, command=None, **kind):
        self.name = name
        self._command = command
        self.__dict__.update(kind)

    def command(self, port, bench, ca_file):
        return [str(part).format(port=port) for part in self._command] + (
            [str(ca_file)] if ca_file else [])

    def environment(self, port, bench, ca_file):
        return None

    def start(self, port, bench, core, ca_file=None, links=1):
        self.folder = Path(tempfile.mkdtemp(prefix="fxb-", dir="/tmp"))
        self.links = links
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(port, bench, ca_file), stderr=log,
                stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=self.folder,
                env=self.environment(port, bench, ca_file),
                preexec_fn=lambda: pin(core))
        return self

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


class Echo(Contender):
    echo = True


class Converter(Contender):
    """A plain solution: URL RATES [CA_FILE]."""

    def command(self, port, bench, ca_file):
        scheme = "wss" if ca_file else "ws"
        return [*self._command, f"{scheme}://127.0.0.1:{port}/", str(bench.rates),
                *([str(ca_file)] if ca_file else [])]


class Fxwire(Contender):
    """
    The whole service of a build; `settings` come on top of the recipe, with
    {folder} for the one that goes with it.
    """

    def __init__(self, name, build, settings=None, options=()):
        super().__init__(name)
        self.build = Path(build)
        self.settings = settings or {}
        self.options = options

    def command(self, port, bench, ca_file):
        return [str(self.build / "supervisor"), "--env-file", "/dev/null", *self.options, "run"]

    def environment(self, port, bench, ca_file):
        scheme = "wss" if ca_file else "ws"
        urls = " ".join(f"{scheme}://127.0.0.1:{port}/{i}" for i in range(self.links))
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder),
                "RUNTIME_DIR": str(self.folder / "run"),
                "STATE_DIR": str(self.folder / "state"),
                "REQUESTS_WS_URL": urls, "RATE_PROVIDERS": "file",
                "RATES_FILE": str(bench.rates), "LATEST_MAX_AGE_DAYS": "36500",
                "SHUTDOWN_GRACE_SECONDS": "0.1",  # the link is gone by then
                **({"WS_CA_FILE": str(ca_file)} if ca_file else {}),
                **{name: str(value).format(folder=self.folder)
                   for name, value in self.settings.items()}}


class Logging(Fxwire):
    """
    It logs each request and each answer to a file. With `stalls` that is on a
    disk that takes a page and then nothing for a second: a pipe, read as seldom.
    """

    def __init__(self, name, build, stalls):
        super().__init__(name, build, {"LOGS_DIR": "{folder}/logs"}, ["--show-messages"])
        self.stalls = stalls

    def start(self, *args, **kind):
        self.over = threading.Event()
        self.disk = None
        return super().start(*args, **kind)

    def environment(self, port, bench, ca_file):
        if self.stalls:
            day = datetime.datetime.now(datetime.timezone.utc).date()
            (self.folder / "logs").mkdir()
            path = self.folder / "logs" / f"fxwire-{day}.log"
            os.mkfifo(path)
            self.disk = threading.Thread(target=self.read_seldom, args=(path,))
            self.disk.start()
        return super().environment(port, bench, ca_file)

    def read_seldom(self, path):
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, STALL_BYTES)
        while not self.over.wait(1):
            try:
                os.read(fd, STALL_BYTES)
            except BlockingIOError:
                pass
        os.close(fd)

    def stop(self):
        super().stop()
        self.over.set()
        if self.disk:
            self.disk.join()


def node_packages(build):
    """The folder with ws and decimal.js; None and why, if there is none."""
    if not shutil.which("npm"):
        return None, "npm is not there"
    folder = build / "bench" / "node"
    if not (folder / "node_modules" / "decimal.js").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix",
             str(folder), *NODE_PACKAGES], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None, "npm could not install: " + done.stderr.strip()[-200:]
    return folder / "node_modules", None


class Node(Converter):
    def __init__(self, name, packages):
        super().__init__(name, ["node", HERE / "convert_node.js"])
        self._packages = packages

    def environment(self, port, bench, ca_file):
        return os.environ | {"NODE_PATH": str(self._packages)}


def base_build(commit, say):
    """Builds an earlier commit in a folder of its own; gives that folder."""
    folder = Path(tempfile.mkdtemp(prefix="fxb-base-"))
    say(f"building {commit} ...")
    archive = subprocess.Popen(["git", "-C", TOP, "archive", commit],
                               stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
    if archive.wait() != 0:
        raise SystemExit(f"no commit {commit}")
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def all_contenders(build, base, say):
    """The list, the reference first. `base` is the folder of an earlier build."""
    lws = build / "bench" / "echo_lws"
    found = [
        Echo(ECHO, [lws, "raw", "{port}"]),
        Fxwire(OURS, build),
        Echo("libwebsockets echo, corked", [lws, "corked", "{port}"]),
        Echo("libwebsockets echo, plain", [lws, "plain", "{port}"]),
        Echo("epoll echo, no library", [build / "bench" / "echo_raw", "{port}"], tls=False),
        Converter("Python, asyncio", ["/usr/bin/python3", HERE / "convert_asyncio.py"]),
    ]
    if base:
        found.insert(2, Fxwire(BEFORE, base / "build"))
    packages, why = node_packages(build)
    if packages:
        found.append(Node("Node, ws", packages))
    else:
        say(f"Node is left out: {why}")
    return found
