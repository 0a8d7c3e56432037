"""Where the service is started: by whom, under which kernel, in which container."""
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amounts import message, stake_of
from places import SANITIZED, SCALE, VALGRIND
from service import children_of
from upstream import Upstream
from waiting import wait_until

pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED, reason="they need all that a kernel has")

REFUSED = Path(__file__).with_name("refused.py")
PYTHON = sys.executable

# What the caller of a program leaves to it.
IGNORING = """
import os, signal, sys
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    if number < 32:
        signal.signal(number, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""
BLOCKING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
"""

# For an alert command: what signals it ignores and blocks.
TELL_SIGNALS = """#!/bin/sh
grep -E '^Sig(Blk|Ign):' /proc/self/status >"$HOME/signals"
"""

# A grandchild that gets away from the command's process group, before that ends.
LEAVE_ONE_BEHIND = """#!/bin/sh
(setsid sh -c 'echo >"$HOME/left"; while [ ! -e "$HOME/go" ]; do sleep 0.05; done' &)
while [ ! -e "$HOME/left" ]; do sleep 0.05; done
"""


def refuse(error, *calls):
    return (PYTHON, REFUSED, error, ",".join(calls))


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def script(folder, text):
    """An executable script in the folder."""
    path = folder / "script"
    path.write_text(text)
    path.chmod(0o755)
    return path


def open_files(pid):
    """What its descriptors lead to."""
    return [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]


def answers(service):
    """Whether somebody does on rates.sock."""
    try:
        return service.rates("2021-05-18")
    except OSError:
        return None


def command_in(service, *args):
    """Runs a command of the program as the service itself was started."""
    return subprocess.run([*service.launcher, service.build / "supervisor", *args],
                          cwd=service.folder, env=service.env, capture_output=True, text=True,
                          timeout=20 * SCALE, check=False)


def go_through_a_life(service, upstream):
    """A helper dies, another supervisor is tried, the supervisor dies, all stops."""
    assert_works(upstream.link)
    assert command_in(service).returncode == 75
    pid = service.kill("ratefetcher")
    service.wait_respawn("ratefetcher", pid)
    service.wait_log("died.*ratefetcher.*SIGKILL")
    service.kill("supervisor")
    service.wait_log("died.*process=supervisor.*SIGKILL")
    assert_works(upstream.wait_link(2))
    service.wait_ready()
    assert service.stop() == 0


# Which system calls there are

@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
@pytest.mark.parametrize("calls", [
    ["pidfd_open", "pidfd_send_signal"], ["eventfd2"], ["timerfd_create"], ["signalfd4"],
    ["memfd_create"], ["epoll_create", "epoll_create1"], ["epoll_ctl"],
    ["epoll_wait", "epoll_pwait"], ["close_range"]], ids=lambda calls: calls[0])
def test_without_a_system_call(make_service, upstream, calls, error):
    """Old kernels do not know it, profiles of containers refuse it: there is another way."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RECONNECT_MAX_SECONDS": "0.1"},
                           launcher=refuse(error, *calls))
    service.env["ALERT_COMMAND"] = str(script(service.folder, "#!/bin/sh\ncat >\"$HOME/alert\"\n"))
    service.start()
    go_through_a_life(service, upstream)
    assert command_in(service, "alert-test").returncode == 0
    assert '"event":"test"' in (service.folder / "alert").read_text()


def test_names_without_threads(make_service, upstream):
    """Old profiles of containers refuse clone3() in a way that the C library does not expect."""
    service = make_service({"REQUESTS_WS_URL": upstream.url.replace("127.0.0.1", "localhost")},
                           launcher=refuse("EPERM", "clone3")).start()
    assert_works(upstream.wait_link())
    assert service.stop() == 0


@pytest.mark.parametrize("launcher", [(), refuse("EPERM", "close_range")], ids=["with", "without"])
def test_what_the_caller_left_open(make_service, upstream, launcher):
    """No helper and no alert command has a descriptor of the caller's, with close_range or without."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}, launcher=launcher)
    service.env["ALERT_COMMAND"] = str(
        script(service.folder, '#!/bin/sh\nls -l /proc/self/fd >"$HOME/open"\n'))
    left, other_end = os.pipe()
    try:
        service.start(pass_fds=[left])
        name = os.readlink(f"/proc/self/fd/{left}")
        pids = service.pids()
        assert name in open_files(pids["supervisor"]), "nothing was left open"
        for helper in ("wsclient", "ratefetcher", "monitor"):
            assert name not in open_files(pids[helper])
        done = subprocess.run([*service.launcher, service.build / "supervisor", "alert-test"],
                              env=service.env, cwd=service.folder, pass_fds=[left], check=True)
        assert done.returncode == 0 and name not in (service.folder / "open").read_text()
    finally:
        os.close(left)
        os.close(other_end)


@pytest.mark.parametrize("args", [[], ["--no-watchdog"]], ids=str)
@pytest.mark.parametrize("calls, named", [
    (["socketpair"], "socketpair"),
    (["pipe", "pipe2"], "pipe2"),
    (["epoll_ctl", "poll", "ppoll", "select", "pselect6"], "event loop"),
], ids=lambda x: x if isinstance(x, str) else "")
def test_what_nothing_can_take_the_place_of(make_service, upstream, calls, named, args):
    """It is named on standard error, and the service ends with 70."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}, args=args,
                           launcher=refuse("EPERM", *calls)).launch()
    assert service.wait_exit() == 70
    assert named in service.log() and "Operation not permitted" in service.log()


def test_what_is_logged_without_a_monitor(make_service, upstream):
    """The supervisor writes it itself while none comes up."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}, wrappers={"wsclient": 'exec {real} "$@"'})
    service.start()
    (service.build / "supervisor").rename(service.build / "away")
    service.kill("monitor")
    service.wait_log("died.*monitor.*SIGKILL")
    service.wait_log("supervisor: No such file")
    upstream.link.send('{"type":"error","message":"said meanwhile"}')
    service.wait_log("said meanwhile")
    (service.build / "away").rename(service.build / "supervisor")
    service.wait_ready()
    assert_works(upstream.link)


# What the caller leaves

@pytest.mark.parametrize("launcher", [IGNORING, BLOCKING], ids=["ignored", "blocked"])
def test_signals_that_the_caller_ignores_or_blocks(make_service, upstream, launcher):
    """All is as it is without; also what an alert command gets."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RECONNECT_MAX_SECONDS": "0.1"},
                           launcher=(PYTHON, "-c", launcher))
    service.env["ALERT_COMMAND"] = str(script(service.folder, TELL_SIGNALS))
    service.start()
    go_through_a_life(service, upstream)
    assert command_in(service, "alert-test").returncode == 0
    for line in (service.folder / "signals").read_text().splitlines():
        # 32 and 33 are the C library's own; its posix_spawn() leaves them ignored.
        assert int(line.split()[1], 16) & ~(0b11 << 31) == 0, line


@pytest.mark.parametrize("launcher", [IGNORING, BLOCKING], ids=["ignored", "blocked"])
@pytest.mark.parametrize("program", ["wsclient", "ratefetcher"])
def test_a_helper_by_hand_that_gets_them(make_service, upstream, launcher, program):
    service = make_service({"REQUESTS_WS_URL": upstream.url}, program=program,
                           launcher=(PYTHON, "-c", launcher)).launch()
    if program == "wsclient":
        upstream.wait_link()
    else:
        wait_until(lambda: answers(service), "an answer")
    assert service.stop() == 0


def test_a_bad_configuration_without_sigchld(make_service):
    """78 ends it, though the caller wants to know nothing of children."""
    service = make_service({"REQUESTS_WS_URL": "ftp://x/"},
                           launcher=(PYTHON, "-c", IGNORING)).launch()
    assert service.wait_exit() == 78


# Namespaces

def needs(*command):
    """Skips where this machine does not let us make such a place."""
    try:
        done = subprocess.run([*command, "true"], capture_output=True, text=True,
                              timeout=10 * SCALE, check=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    if done.returncode != 0:
        pytest.skip(f"{command[0]}: {done.stderr.strip()}")
    return command


def without_proc():
    return needs("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")


def test_without_proc(make_service, upstream):
    """Programs find each other, and deaths are noticed."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RECONNECT_MAX_SECONDS": "0.1"},
                           launcher=without_proc()).start()
    go_through_a_life(service, upstream)


def test_a_program_found_by_a_link_without_proc(make_service, upstream):
    """As it is installed: the command is a link to where the programs are."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}, launcher=without_proc())
    link = service.folder / "fxwire"
    link.symlink_to(service.build / "supervisor")
    service.launcher += ["sh", "-c", 'shift; exec ./fxwire "$@"', "sh"]
    service.start()
    assert_works(upstream.link)


def is_zombie(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] == "Z"


def assert_no_zombie_stays(service, reaper):
    """The grandchild of an alert command becomes `reaper`'s; it ends, and is gone."""
    wait_until((service.folder / "left").exists, "the alert's grandchild", 10)
    orphan = next(pid for pid, line in service.titles().items() if "left" in line)
    wait_until(lambda: orphan in children_of(reaper), "its new parent")
    (service.folder / "go").touch()
    wait_until(lambda: not Path(f"/proc/{orphan}").exists(), "no zombie", 5)
    wait_until(lambda: not any(map(is_zombie, children_of(reaper))), "no zombie", 5)


def launch_with_an_orphan(make_service, upstream, **how):
    """A service that raises an alert at its start."""
    service = make_service({"REQUESTS_WS_URL": upstream.url},
                           wrappers={"ratefetcher": "exit 78"}, **how)
    service.env["ALERT_COMMAND"] = str(script(service.folder, LEAVE_ONE_BEHIND))
    return service.launch()


def test_orphans_of_an_alert_command(make_service, upstream):
    """They are the watchdog's, which waits for them."""
    service = launch_with_an_orphan(make_service, upstream)
    assert_no_zombie_stays(service, service.process.pid)


@pytest.mark.parametrize("proc", [["--mount-proc"], []], ids=["own-proc", "outer-proc"])
@pytest.mark.parametrize("args", [[], ["--no-watchdog"]], ids=str)
def test_as_process_1(make_service, upstream, args, proc):
    """In a container it inherits all orphans; it stops as it does elsewhere."""
    launcher = needs("unshare", "--pid", "--fork", "--kill-child", *proc)
    service = launch_with_an_orphan(make_service, upstream, args=args, launcher=launcher)
    first = wait_until(lambda: children_of(service.process.pid), "process 1")[0]
    assert_no_zombie_stays(service, first)
    os.kill(first, signal.SIGTERM)
    assert service.wait_exit() == 0


@pytest.mark.parametrize("program", ["wsclient", "ratefetcher"])
def test_a_helper_by_hand_as_process_1(make_service, upstream, program):
    """It has no children, but who enters its container leaves it some."""
    launcher = needs("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    service = make_service({"REQUESTS_WS_URL": upstream.url}, launcher=launcher, program=program)
    service.runtime_dir.mkdir(mode=0o700)
    service.launch()
    first = wait_until(lambda: children_of(service.process.pid), "process 1")[0]
    wait_until(lambda: "fxwire: " in service.titles().get(first, ""), "its title")
    subprocess.run(["nsenter", "-t", str(first), "-p", "sh", "-c",
                    "(sh -c 'while [ ! -e go ]; do sleep 0.05; done' &)"],
                   cwd=service.folder, check=True)
    orphan = wait_until(lambda: children_of(first), "an orphan")[0]
    (service.folder / "go").touch()
    wait_until(lambda: not Path(f"/proc/{orphan}").exists(), "no zombie", 5)
    os.kill(first, signal.SIGTERM)
    assert service.wait_exit() == 0


def test_process_1_is_stopped_before_it_is_ready(start, make_service, upstream):
    """The kernel drops what process 1 does not catch yet: it must not be lost."""
    first = start(upstream)
    launcher = needs("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    second = make_service(first.env, launcher=launcher, program="wsclient").launch()
    pid = wait_until(lambda: children_of(second.process.pid), "process 1")[0]
    wait_until(lambda: "fxwire: " in second.titles().get(pid, ""), "its title")
    os.kill(pid, signal.SIGTERM)  # while it waits for the messages in hand
    first.stop()
    assert second.wait_exit() == 0


def test_leftovers_in_a_pid_namespace_with_the_outer_proc(make_service, upstream):
    """Its pids are others': none is killed by them; the service goes on."""
    launcher = needs("unshare", "--pid", "--fork", "--kill-child")
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RECONNECT_MAX_SECONDS": "0.1"},
                           launcher=launcher).start()
    watchdog = children_of(service.process.pid)[0]
    os.kill(children_of(watchdog)[0], signal.SIGKILL)
    service.wait_log("died.*process=supervisor.*SIGKILL")
    assert_works(upstream.wait_link(2))
    assert children_of(service.process.pid) == [watchdog]
    os.kill(watchdog, signal.SIGTERM)
    assert service.wait_exit() == 0
