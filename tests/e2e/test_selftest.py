"""`selftest`: spec section 1, and what it may not do to a service that runs."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from places import BUILD, SCALE
from service import children_of, is_running
from waiting import wait_until

PROGRAMS = ("supervisor", "wsclient", "ratefetcher", "mock-upstream", "mock-provider")


@pytest.fixture
def folder():
    """The only place where it may leave anything; short, for the paths of sockets."""
    with tempfile.TemporaryDirectory(prefix="fxs-", dir="/tmp") as made:
        yield Path(made)
        assert not mentioning(made), "a process is left"


def mentioning(text):
    """Pids of the processes whose arguments or environment name it."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and int(entry) != os.getpid() and any(
                    text.encode() in Path(f"/proc/{entry}/{name}").read_bytes()
                    for name in ("cmdline", "environ")):
                found.append(int(entry))
        except OSError:
            continue
    return found


def selftest(folder, *args, build=BUILD, env=None):
    return subprocess.Popen(
        [build / "supervisor", "selftest", *args], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={"PATH": "/usr/bin:/bin", "HOME": str(folder),
                                       "TMPDIR": str(folder)} | (env or {}))


def count(out, name):
    return int(re.search(rf"\b{name} (\d+)", out)[1])


def test_work(folder):
    process = selftest(folder, "--seconds", "2")
    out = process.communicate(timeout=60 * SCALE)[0]
    assert process.returncode == 0, out
    assert count(out, "asked") >= 50 and count(out, "right") > 40 and count(out, "error") > 0
    assert re.search(r"refused 0, wrong 0, twice 0, lost 0\n", out)
    assert out.endswith("passed\n")
    assert not list(folder.iterdir())


def test_chaos_beside_a_service_that_runs(folder, upstream, start):
    """Its faults are its own service's; the other one and its folder stay as they are."""
    service = start(upstream)
    upstream.wait_link()
    supervisor, = children_of(service.process.pid)
    before = children_of(supervisor), sorted(os.listdir(service.runtime_dir))
    process = selftest(folder, "--chaos", "--seconds", "10", env=service.env)
    out = process.communicate(timeout=150 * SCALE)[0]
    assert process.returncode == 0, out
    assert re.search(r"^  all +\d+ +\d", out, re.M), out
    assert re.search(r"wrong 0, twice \d+, lost 0\n", out)
    assert (children_of(supervisor), sorted(os.listdir(service.runtime_dir))) == before
    assert len(upstream.links) == 1
    assert not list(folder.iterdir())


def test_a_wrong_rate_is_found(folder, tmp_path):
    """The same programs, with a provider that is wrong; what was logged is kept."""
    build = tmp_path / "programs"
    build.mkdir()
    for name in PROGRAMS:
        shutil.copy2(BUILD / name, build / name)
    (build / "mock-provider").unlink()
    (build / "mock-provider").write_text(
        f"#!/bin/sh\nexec {BUILD}/mock-provider \"$@\" --fault '{{\"fault\":\"wrong-rate\"}}'\n")
    (build / "mock-provider").chmod(0o755)
    process = selftest(folder, "--seconds", "1", build=build)
    out = process.communicate(timeout=60 * SCALE)[0]
    assert process.returncode == 1, out
    assert count(out, "wrong") > 20
    kept = re.search(r"^NOT passed\nwhat was logged is in (.*)$", out, re.M)[1]
    assert "ready" in (Path(kept) / "supervisor").read_text()


def descendants(pid):
    found = children_of(pid)
    return found + [each for child in found for each in descendants(child)]


def all_of_it(process):
    """Its processes, once they run: two stand-ins, and the service's five."""
    wait_until(lambda: len(descendants(process.pid)) >= 7, "all of it runs")
    return descendants(process.pid)


def test_interrupted(folder):
    process = selftest(folder, "--seconds", "30")
    begun = all_of_it(process)
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=30 * SCALE)[0]
    assert process.returncode == 1 and "it was ended before its time\n" in out
    assert not any(map(is_running, begun))


def test_killed(folder):
    """Whatever it started ends with it."""
    process = selftest(folder, "--seconds", "30")
    begun = all_of_it(process)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(map(is_running, begun)), "all have ended", 5)


def test_a_service_that_can_not_start(folder):
    """A folder whose sockets would have too long a path."""
    deep = folder / ("d" * 90)
    deep.mkdir()
    process = selftest(deep)
    out = process.communicate(timeout=20 * SCALE)[0]
    assert process.returncode == 1 and "  the service ended with 78\nNOT passed\n" in out
    log = Path(re.search("what was logged is in (.*)", out)[1]) / "supervisor"
    assert "RUNTIME_DIR" in log.read_text()


@pytest.mark.parametrize("args", (("--seconds", "0"), ("--seconds", "x"), ("more",)))
def test_usage(folder, args):
    process = selftest(folder, *args)
    process.communicate(timeout=20 * SCALE)
    assert process.returncode == 64
