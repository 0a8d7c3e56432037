"""Too few descriptors: a process hears its orders, or ends and says why."""
import resource
import signal
import subprocess

import pytest

from places import BUILD, SANITIZED, SCALE, VALGRIND

pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED, reason="they need descriptors themselves")

HEARD, GAVE_UP = "heard", "gave up"


def end_of(tmp_path, program, settings, limit, started):
    """Starts it with so many descriptors, asks it to stop once it is up, and tells its end."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    settings = settings | {"RUNTIME_DIR": str(tmp_path / "run"), "STATE_DIR": str(tmp_path / "state"),
                           "SHUTDOWN_GRACE_SECONDS": "0.5"}
    with subprocess.Popen([BUILD / program], env=settings, preexec_fn=few, text=True,
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            told = ""
            while started not in told and (line := process.stderr.readline()):
                told += line
            process.send_signal(signal.SIGTERM)
            told += process.communicate(timeout=5 * SCALE)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"with {limit} descriptors {program} is deaf")
        if process.returncode == 0:
            return HEARD
        assert process.returncode > 0 and told, f"with {limit} descriptors it gave no reason"
        return GAVE_UP


@pytest.mark.slow
def test_wsclient_is_never_deaf(tmp_path):
    """It misses ratefetcher, and says so, after it began to listen."""
    (tmp_path / "run").mkdir(mode=0o700)
    ends = [end_of(tmp_path, "wsclient", {"REQUESTS_WS_URL": "ws://127.0.0.1:9/"}, limit,
                   "ratefetcher_unreached") for limit in range(5, 24)]
    enough = ends.index(HEARD)
    assert enough > 0, "too few were never tried"
    assert set(ends[enough:]) == {HEARD}
