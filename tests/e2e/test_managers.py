"""runit and s6, really running: an upgrade and kills under load lose nothing."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from places import BUILD, DEMO_RATES, SANITIZED, TOP, VALGRIND
from service import is_running
from waiting import wait_until

SECONDS = 8
RATE = 300
MANAGERS = {  # name: what supervises a folder, restarts what is in it, ends it
    "runit": (["runsv"], ["sv", "restart"], ["sv", "force-shutdown"]),
    "s6": (["s6-supervise"], ["s6-svc", "-r"], ["s6-svc", "-xd"]),
}
pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED or os.geteuid() != 0,
                                reason="run files are root's, and loads need speed")


class Managed:
    """The run files of etc/managers, with folders, user and programs of the test."""

    def __init__(self, name, folder):
        supervise, self._restart, self._end = MANAGERS[name]
        if shutil.which(supervise[0]) is None:
            pytest.skip(f"there is no {supervise[0]}")
        self.folder, self.service = folder, folder / "service"
        self.programs = folder / "libexec"
        self.programs.mkdir()
        self.install()
        (folder / "bin").mkdir()
        (folder / "bin" / "fxwire").symlink_to("../libexec/supervisor")
        self.service.mkdir()
        for one in ("run", "finish"):
            text = (TOP / "etc/managers" / name / one).read_text()
            for old, new in {"/run/fxwire": f"{folder}/run", "/var/lib/fxwire": f"{folder}/state",
                             "/etc/fxwire/fxwire.env": f"{folder}/env", "-u fxwire": "-u root",
                             "-o fxwire -g fxwire": "", "s6-setuidgid fxwire": "s6-setuidgid root"
                             }.items():
                text = text.replace(old, new)
            (self.service / one).write_text(text)
            (self.service / one).chmod(0o755)
        self._supervise = supervise

    def install(self):
        """As a package manager does it: each program is renamed into its place."""
        for name in ("supervisor", "wsclient", "ratefetcher"):
            shutil.copy2(BUILD / name, self.programs / f"{name}.new")
            (self.programs / f"{name}.new").rename(self.programs / name)

    def start(self, port):
        (self.folder / "env").write_text(
            f"REQUESTS_WS_URL=ws://127.0.0.1:{port}/\nRATE_PROVIDERS=file\n"
            f"RATES_FILE={DEMO_RATES}\nLATEST_MAX_AGE_DAYS=36500\n")
        env = {"PATH": f"{self.folder}/bin:/usr/bin:/bin"}
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([*self._supervise, self.service], env=env,
                                        stdout=self.log, stderr=self.log)

    def pid(self):
        """The supervisor's, once it answers."""
        done = subprocess.run([BUILD / "supervisor", "status", "--json", "--wait", "10", "--ready"],
                              env={"RUNTIME_DIR": f"{self.folder}/run"}, capture_output=True,
                              text=True, check=True)
        return int(re.search(r'"pid":(\d+)', done.stdout)[1])

    def restart(self):
        old = self.pid()
        subprocess.run([*self._restart, self.service], check=True, stdout=subprocess.DEVNULL)
        wait_until(lambda: not is_running(old), "the end of the old one")
        return wait_until(lambda: self.pid() != old, "the manager's word of a new one")

    def kill(self):
        old = self.pid()
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: not is_running(old), "its end")
        return wait_until(lambda: self.pid() != old, "the manager's word of a new one")

    def stop(self):
        subprocess.run([*self._end, self.service], check=True, stdout=subprocess.DEVNULL)
        self.process.wait(20)
        self.log.close()


@pytest.mark.parametrize("name", MANAGERS)
def test_an_upgrade_under_load(name, tmp_path):
    """Every request is answered, and rightly, whatever is done to the service."""
    managed = Managed(name, tmp_path)
    with open(tmp_path / "judged", "wb") as judged:
        mock = subprocess.Popen(
            [BUILD / "mock-upstream", "--port-file", tmp_path / "port", "--rates", DEMO_RATES,
             "--random", "--rate", str(RATE), "--seconds", str(SECONDS), "--quiet"],
            stdout=judged, stderr=judged)
    try:
        port = wait_until(lambda: (tmp_path / "port").exists()
                          and (tmp_path / "port").read_text().strip(), "a port")
        managed.start(port)
        began = time.monotonic()
        rounds = 0
        while time.monotonic() < began + SECONDS - 3:
            managed.install()
            assert managed.restart()
            assert managed.kill()
            rounds += 1
        assert mock.wait(40) == 0, (tmp_path / "judged").read_text()[-2000:]
    finally:
        mock.kill()
        mock.wait()
        managed.stop()
    said = (tmp_path / "judged").read_text()
    assert rounds > 0 and int(re.search(r"asked (\d+)", said)[1]) > RATE, said
    assert "wrong 0," in said and "unanswered 0" in said
    assert int(re.search(r"connections (\d+)", said)[1]) > 2 * rounds


@pytest.mark.parametrize("name", MANAGERS)
def test_bad_settings_are_not_tried_again(name, tmp_path):
    managed = Managed(name, tmp_path)
    managed.start("none")
    try:
        log = tmp_path / "log"
        wait_until(lambda: "REQUESTS_WS_URL" in log.read_text(), "a fault")
        time.sleep(2.5)  # both start what has ended after one second
        assert log.read_text().count("REQUESTS_WS_URL") == 1
    finally:
        managed.stop()


def test_all_are_scripts():
    for path in (TOP / "etc/managers").glob("*/*"):
        subprocess.run(["sh", "-n", path], check=True)
