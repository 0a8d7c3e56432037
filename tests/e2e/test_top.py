"""`supervisor top`, on a real terminal as tmux has it, and printed for scripts."""
import json
import os
import re
import shlex
import signal
import subprocess

import pytest

from amounts import message, stake_of
from places import BUILD, SANITIZED
from standins import Frankfurter
from waiting import holds_for, wait_until


class Terminal:
    """A pane of tmux in which a command runs."""

    def __init__(self, folder, words, env, size=(80, 24)):
        self._socket = str(folder / "tmux")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y",
                   str(size[1]), shlex.join([
                       "env", "-C", str(folder), "-i", *(f"{n}={v}" for n, v in env.items()),
                       "sh", "-c", '"$@"; echo "ended $?"; cat', "sh", *map(str, words)]))

    def _tmux(self, *words):
        return subprocess.run(["tmux", "-u", "-S", self._socket, *words], check=True,
                              capture_output=True, text=True, timeout=20).stdout

    def text(self, *more):
        return self._tmux("capture-pane", "-p", *more)

    def rows(self):
        return self.text().splitlines()

    def press(self, key):
        self._tmux("send-keys", key)

    def resize(self, width, height):
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait(self, pattern, seconds=10):
        wait_until(lambda: re.search(pattern, self.text(), re.M),
                   f"{pattern} in {self.text()}", seconds)

    def close(self):
        self._tmux("kill-server")


@pytest.fixture
def show():
    """show(service, size=(80, 24), NAME=value...) gives a terminal with its top."""
    made = []

    def begin(service, size=(80, 24), words=("top",), **env):
        env = service.env | {"TERM": "screen", "LANG": "C.UTF-8"} | env
        made.append(Terminal(service.folder, [service.build / "supervisor", *words], env, size))
        return made[0]

    yield begin
    for terminal in made:
        terminal.close()


def shown_latency(seconds):
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def expected(status):
    """Patterns of what must be there, with what `status --json` says."""
    latest, memory = status["latest"], status["lookups"]["memory"]
    yield rf"^fxwire {status['version']}, up .*, ready: yes"
    yield f"^{re.escape(status['summary'])}"
    yield rf"^rates +of {latest['as_of']}, {latest['currencies']} currencies, " \
          rf"{latest['provider']}, {latest['layer']},"
    yield rf"^look-ups +memory {memory['hit']} of {memory['hit'] + memory['miss']}, .*" \
          rf"redis is {status['redis']}"
    for row in status["upstreams"]:
        counts = [f"{name} {count}" for name, count in row["results"].items() if count]
        refused = [f"{name} {count}" for name, count in row["refused"].items() if count]
        yield rf"^requests +{', '.join(counts)} \({', '.join(refused)}\)"
        yield (rf"^{row['upstream']} +up \d+ s +\d\.\d\d s +{row['pending']} +"
               rf"{row['requests_per_second']:.1f} +{shown_latency(row['p50_seconds'])} +"
               rf"{shown_latency(row['p99_seconds'])}$")
    for row in status["providers"]:
        calls = f"{row['calls_minute']}/{row['calls_minute_max']}" if "calls_minute" in row else "-"
        moment = (row["last_success"] or "-")[5:19].replace("T", " ") or "-"
        yield rf"^{row['name']} +{row['state']} +{calls} +{row['calls_month']} +{moment}"
    for row in status["helpers"]:
        yield rf"^{row['name']}.* {row['pid']} {row['state']} .* {row['deaths']} "
    for row in (status["last_warnings"] or [])[:2]:
        yield rf"^{row['time'][11:19]} {row['level']} +{row['process']} +{row['event']} "


def missing(service, text):
    """Which of it is not there now."""
    status = json.loads(service.command("status", "--json").stdout)
    return [pattern for pattern in expected(status) if not re.search(pattern, text, re.M)]


@pytest.fixture
def busy(make_service, upstream):
    """A service that has done all kinds of things."""
    with Frankfurter({"USD": "1.6"}) as api:
        service = make_service({"REQUESTS_WS_URL": upstream.url, "FRANKFURTER_URL": api.url,
                                "RATE_PROVIDERS": "frankfurter file"}).start()
        for i in range(20):
            assert stake_of(upstream.link.ask(message(str(i), "16"))) == "10"
        upstream.link.ask('{"type":"message","id":1}')
        pid = service.kill("ratefetcher")
        service.wait_respawn("ratefetcher", pid)
        service.wait_ready()
        yield service


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_it_shows_what_the_status_says(busy, show, size):
    terminal = show(busy, size)
    wait_until(lambda: not missing(busy, terminal.text()), "the same values", 20)
    rows = terminal.rows()
    assert len(rows) == size[1] and rows[-1] == "q quits, p pauses"
    assert max(map(len, rows)) <= size[0]
    assert [row for row in rows if row.startswith("UPSTREAM")][0].endswith("P99")


def test_it_is_refreshed_and_can_be_paused(busy, upstream, show):
    terminal = show(busy)
    terminal.wait(r"requests +converted 20,")
    upstream.link.ask(message("21", "16"))
    terminal.wait(r"requests +converted 21,")
    terminal.press("p")
    terminal.wait("PAUSED: p goes on, q quits")
    before = terminal.text()
    upstream.link.ask(message("22", "16"))
    busy.wait_counter('fxwire_requests_total{result="converted"}', 22)
    holds_for(1.5, lambda: terminal.text() == before, "nothing moves")
    terminal.press("p")
    terminal.wait(r"requests +converted 22,")
    assert "PAUSED" not in terminal.text()
    terminal.press("q")
    terminal.wait("^ended 0$")


def test_a_resized_terminal(busy, show):
    """Also while nothing else is drawn."""
    terminal = show(busy)
    terminal.wait("q quits")
    terminal.press("p")
    terminal.wait("PAUSED")
    for width, height in ((120, 40), (81, 25), (40, 10), (100, 30)):
        terminal.resize(width, height)
        wait_until(lambda: (rows := terminal.rows()) and len(rows) == height
                   and rows[-1].startswith("PAUSED") and rows[0].startswith("fxwire 0"),
                   f"{width} x {height}")
        assert sum("PAUSED" in row for row in terminal.rows()) == 1


def test_a_service_that_is_away(busy, show):
    """That is said, and it goes on when it is back."""
    terminal = show(busy)
    terminal.wait("ready: yes")
    assert busy.stop() == 0
    terminal.wait(f"^fxwire is away\nRUNTIME_DIR={busy.runtime_dir}: no service is running")
    assert "wsclient" not in terminal.text()
    busy.start()
    terminal.wait("ready: yes")
    assert "away" not in terminal.text()


def test_one_that_does_not_answer(busy, show):
    terminal = show(busy)
    terminal.wait("ready: yes")
    with busy.pause("supervisor"):
        terminal.wait("the service does not answer")
        terminal.press("q")
        terminal.wait("^ended 0$")


def colours(terminal):
    return re.findall(r"\x1b\[[\d;]*3[0-7]m", terminal.text("-e"))


def test_nothing_is_said_by_colour_alone(make_service, show, upstream):
    service = make_service({"REQUESTS_WS_URL": f"{upstream.url} ws://127.0.0.1:9/x"})
    service.launch()
    terminal = show(service, TERM="screen-256color")
    terminal.wait(" DOWN ")
    assert colours(terminal)
    terminal.wait("ready: NO\nNot ready: upstream 127.0.0.1:9/x not connected")


def test_without_colour(make_service, show, upstream):
    service = make_service({"REQUESTS_WS_URL": f"{upstream.url} ws://127.0.0.1:9/x"})
    service.launch()
    terminal = show(service, TERM="screen-256color", NO_COLOR="1")
    terminal.wait(" DOWN ")
    assert not colours(terminal)


def test_a_terminal_that_knows_ascii_alone(busy, upstream, show):
    upstream.link.send('{"type":"error","message":"caf\u00e9 \u20ac"}')
    busy.wait_log("upstream_error")
    terminal = show(busy, size=(200, 50), LANG="C")
    terminal.wait(r"upstream_error .*caf\? \?")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_as_q_does(busy, show, number):
    """The terminal is left as it was."""
    terminal = show(busy)
    terminal.wait("q quits")
    (pid,) = [pid for pid, title in busy.titles().items()
             if title == f"{busy.build}/supervisor top"]
    os.kill(pid, number)
    terminal.wait("^ended 0$")
    assert "q quits" not in terminal.text()


@pytest.mark.skipif(SANITIZED, reason="ncurses gives nothing back where it does not begin")
@pytest.mark.parametrize("term", ["", "no-such-terminal"])
def test_a_terminal_that_is_not_known(busy, show, term):
    terminal = show(busy, TERM=term)
    terminal.wait("top --once prints the same")
    terminal.wait("^ended 64$")


def test_printed_for_scripts(busy):
    """All of it, without a terminal; nothing is cut."""
    wait_until(lambda: not missing(busy, busy.command("top", "--once").stdout),
               "the same values", 20)
    done = busy.command("top", "--once")
    assert done.returncode == 0 and done.stderr == ""
    assert "\x1b" not in done.stdout
    status = json.loads(busy.command("status", "--json").stdout)
    for row in status["last_warnings"]:
        assert row["detail"] in done.stdout
    assert busy.command("top").returncode == 64


def test_printed_without_a_service(make_service, upstream):
    done = make_service({"REQUESTS_WS_URL": upstream.url}).command("top", "--once")
    assert done.returncode == 69 and done.stdout == ""
    assert "no service is running there" in done.stderr and done.stderr.count("\n") == 1


def test_only_the_supervisor_needs_ncurses():
    for name in ("wsclient", "ratefetcher"):
        libraries = subprocess.run(["ldd", BUILD / name], check=True, capture_output=True,
                                   text=True)
        assert not re.search("ncurses|tinfo", libraries.stdout)
