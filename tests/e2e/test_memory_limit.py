"""The memory limit of the control group: warned of, and its kills named."""
import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from service import Service
from test_ledger import small_disk
from waiting import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make control groups")

REASON = "killed by the memory limit of its control group"
LIMIT = 300_000_000

# Takes memory until the kernel has killed another one for it.
HOG = """
import mmap, sys
from pathlib import Path
counter = Path(sys.argv[1])
before = counter.read_text()
held = []
while counter.read_text() == before and len(held) < 1000:
    held.append(mmap.mmap(-1, 1 << 20))
    held[-1].write(b"x" * (1 << 20))
sys.exit(counter.read_text() == before)
"""


class Group:
    """A control group with a limit, of this machine's version."""

    def __init__(self):
        first = Path("/sys/fs/cgroup/memory")
        self.first = first.is_dir()
        own = re.search(r"^\d+:[^:]*\bmemory\b[^:]*:(.*)$" if self.first else r"^0::(.*)$",
                        Path("/proc/self/cgroup").read_text(), re.M)
        if not own:
            raise FileNotFoundError("it is not in /proc/self/cgroup")
        own = own[1]
        top = first if self.first else Path("/sys/fs/cgroup")
        if not self.first:  # a group with processes can have none below it
            own = "/"
            (top / "cgroup.subtree_control").write_text("+memory")
        self.folder = top / own.lstrip("/") / f"fxwire-test-{os.getpid()}"
        self.folder.mkdir()
        limit = "memory.limit_in_bytes" if self.first else "memory.max"
        try:
            (self.folder / limit).write_text(str(LIMIT))
        except OSError:
            self.folder.rmdir()
            raise
        self.counter = self.folder / ("memory.oom_control" if self.first else "memory.events")

    def enter(self):
        """A launcher whose command is in the group."""
        return ["/bin/sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]

    def members(self):
        return (self.folder / "cgroup.procs").read_text().split()

    def remove(self):
        wait_until(lambda: not self.members(), "the group's end")
        self.folder.rmdir()


@pytest.fixture
def group():
    try:
        made = Group()
    except OSError as error:
        pytest.skip(f"no memory control group can be made here: {error}")
    yield made
    made.remove()


@pytest.fixture
def limited(group, upstream):
    """limited(settings) is a context with a service in the group."""
    @contextlib.contextmanager
    def make(**settings):
        service = Service({"REQUESTS_WS_URL": upstream.url} | settings,
                          launcher=group.enter())
        try:
            yield service
        finally:
            service.finish()

    return make


def deaths(service, name):
    return re.findall(rf" died process={name} .*", service.log())


def test_a_kill_is_named(limited, group):
    with limited() as service:
        service.start()
        old = service.kill("wsclient")
        service.wait_respawn("wsclient", old)
        pid = service.pids()["ratefetcher"]
        # More than all that another one can hold.
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
        hog = subprocess.run([*group.enter(), "/usr/bin/python3", "-c", HOG, group.counter],
                             check=False, timeout=60)
        assert hog.returncode in (0, -signal.SIGKILL)  # as the second: it may be too late to stop
        service.wait_respawn("ratefetcher", pid)
        service.wait_log("alert=memory_limit_kill subject=ratefetcher")
        [by_hand], [by_kernel] = deaths(service, "wsclient"), deaths(service, "ratefetcher")
        assert "SIGKILL" in by_hand and "reason=" not in by_hand
        assert "SIGKILL" in by_kernel and f'reason="{REASON}"' in by_kernel
        assert service.helper("ratefetcher")["last_death"] == "signal SIGKILL, memory limit"
        assert service.helper("wsclient")["last_death"] == "signal SIGKILL"
        assert service.stop() == 0


@pytest.mark.parametrize("need, warned", [(400_000_000, True), (290_000_000, True),
                                          (200_000_000, False)])
def test_a_limit_that_is_too_low(limited, group, need, warned):
    """With RUNTIME_DIR in memory; the start and `check` tell it with figures."""
    with limited(PENDING_MAX_BYTES=need) as service, small_disk(service.runtime_dir, "8m"):
        service.start()
        checked = subprocess.run([*group.enter(), service.build / "supervisor", "check"],
                                 env=service.env, cwd=service.folder, check=True,
                                 capture_output=True, text=True, timeout=60)
        figures = f"need up to {need / (1 << 20):.1f} MiB .* memory limit is 286.1 MiB"
        assert bool(re.search(f" memory_limit_low .*{figures}", service.log())) == warned
        assert bool(re.search(f"^warning: RUNTIME_DIR=.*{figures}", checked.stderr, re.M)) == warned
        assert service.stop() == 0


def test_a_folder_on_a_disk(limited, group):
    """What a disk holds does not count against it."""
    with limited(PENDING_MAX_BYTES=400_000_000) as service:
        kind = subprocess.run(["stat", "-f", "-c", "%T", service.folder], check=True,
                              capture_output=True, text=True).stdout.strip()
        if kind in ("tmpfs", "ramfs"):
            pytest.skip("temporary folders are in memory here")
        service.start()
        assert "memory_limit_low" not in service.log()
        assert service.stop() == 0
