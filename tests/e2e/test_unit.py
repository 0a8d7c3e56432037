"""The unit for systemd: what it allows, and that the service needs no more."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import unit_file
from amounts import message, stake_of
from places import BUILD, SANITIZED, TOP, VALGRIND
from ports import on_new_port
from service import Service, is_running, kill_all
from standins import Call, Frankfurter
from test_alert_webhook import Webhook
from status_page import Page, unused
from test_systemd import Manager
from waiting import wait_until

UNIT = TOP / "etc" / "fxwire.service"
CONFINED = Path(__file__).with_name("confined.py")
SECRET = "/run/credentials/fxwire.service/secret_"
NAME = "upstream.fxwire.test"


# Tries what the unit forbids, and tells of each thing that it could do.
ALERT = r"""#!/bin/sh
exec 2>/dev/null
told=/var/log/fxwire/told
{
    echo "event $1"
    grep -E '^(NoNewPrivs|Seccomp|CapBnd|CapEff|Uid):' /proc/self/status
    for place in / /etc /etc/fxwire /usr/local/bin /dev /sys /run /proc/sys/kernel; do
        (: >"$place/written") && echo "wrote $place"
    done
    : >/tmp/written && echo "wrote /tmp"
    ls /root /home && echo "saw homes"
    unshare --user true && echo "made a namespace"
    mount -t tmpfs none /tmp && echo "mounted"
    nice -n -1 true && chrt -f 1 true && echo "raised a priority"
    chmod u+s /tmp/written && echo "made a file set-uid"
    env
} >>$told
exec /usr/bin/python3 - <<'E' >>$told
import ctypes, mmap, os, socket
for family in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"):
    try:
        socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
        print("opened", family)
    except OSError as error:
        print("refused", family)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    print("wrote what it can execute")
except OSError:
    pass
try:
    os.chown("/tmp/written", os.getuid(), os.getgid())
    print("changed an owner")
except OSError:
    pass
E
"""


def confined_id():
    """The user that it runs as."""
    return int(re.search(r"ID = .*?(\d+)", CONFINED.read_text())[1])


def service_section():
    return unit_file.read(UNIT)["Service"]


# What systemd says of it

def test_how_much_it_is_exposed():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           "--threshold=15", UNIT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_systemd_understands_all_of_it(tmp_path):
    """Also each word of each value, of which the rating says nothing."""
    copy = tmp_path / "fxwire.service"
    copy.write_text(re.sub(r"/usr/local/bin/fxwire", "/bin/true", UNIT.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and copy.name not in done.stderr, done.stderr


# Under its restrictions

@pytest.fixture(scope="module", autouse=True)
def able():
    if VALGRIND or SANITIZED:
        pytest.skip("they need all that a kernel has")
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("only root can make such a place")


class Unit(Service):
    """The service as the manager starts it, in its own view of this machine."""

    def __init__(self, settings, secrets):
        super().__init__()
        for name in ("etc", "local/bin", "local/libexec/fxwire", "run", "state", "logs",
                     "credentials"):
            (self.folder / name).mkdir(parents=True)
        for name in ("supervisor", "wsclient", "ratefetcher"):
            shutil.copy2(BUILD / name, self.folder / "local/libexec/fxwire")
        (self.folder / "local/bin/fxwire").symlink_to("../libexec/fxwire/supervisor")
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost {NAME}\n")
        self.settings = self.folder / "etc" / "fxwire.env"
        self.settings.write_text("".join(f"{n}={v}\n" for n, v in settings.items()))
        for name, value in secrets.items():
            (self.folder / "credentials" / f"secret_{name}").write_text(value + "\n")
        subprocess.run(["chown", "-R", str(confined_id()), self.folder / "credentials"],
                       check=True)
        self.manager = Manager(self.folder, "path")
        (self.folder / "notify").chmod(0o777)
        self._namespace = None

    def run_as_unit(self, directive, folder, **more):
        """The command line of ExecStart= or ExecReload=, under the restrictions."""
        given = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "USER": "fxwire",
                 "LOGNAME": "fxwire", "HOME": "/", "NOTIFY_SOCKET": "/run/systemd/notify",
                 "WATCHDOG_USEC": "5000000", "INVOCATION_ID": "0" * 32,
                 "RUNTIME_DIRECTORY": "/run/fxwire", "STATE_DIRECTORY": "/var/lib/fxwire",
                 "LOGS_DIRECTORY": "/var/log/fxwire",
                 "CREDENTIALS_DIRECTORY": "/run/credentials/fxwire.service"}
        return subprocess.Popen(
            ["/usr/bin/python3", CONFINED, UNIT, str(folder),
             *unit_file.command(service_section(), directive)], env=given,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True, **more)

    def launch(self, **streams):
        with open(self.log_path, "ab") as log:
            self.process = self.run_as_unit("ExecStart", self.folder, stderr=log)
        wait_until(self._has_own_namespace, f"its start: {self.log()}")
        return self

    def _has_own_namespace(self):
        assert self.process.poll() is None, self.log()
        namespace = os.readlink(f"/proc/{self.process.pid}/ns/mnt")
        if namespace != os.readlink("/proc/self/ns/mnt"):  # else all that runs would be its own
            self._namespace = namespace
        return self._namespace

    def processes(self):
        """Those that see the machine as it does."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and is_running(int(entry)):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{entry}/ns/mnt") == self._namespace:
                        found.append(int(entry))
        return found

    def reload(self):
        with self.run_as_unit("ExecReload", self.process.pid, stderr=subprocess.PIPE) as done:
            said = done.communicate()[1]
        return done.returncode, said

    def restart(self):
        """As the manager does it after the end of the main process."""
        kill_all(self.processes())
        self.process.wait()
        if service_section().get("RuntimeDirectoryPreserve", ["no"]) == ["no"]:
            shutil.rmtree(self.runtime_dir)
            self.runtime_dir.mkdir()
        return self.launch()

    def told(self):
        """What the alert command has told."""
        path = self.folder / "logs" / "told"
        return path.read_text().splitlines() if path.exists() else []

    def remove(self):
        self.manager.close()
        super().remove()


@pytest.fixture
def unit(upstream):
    """unit(NAME=value...) gives the service under the unit's restrictions."""
    made = []

    def make(**settings):
        address = f"ws://Usr1nameQ:Pas2wordQ@{NAME}:{upstream.port}/ws?k=Que3ryQ"
        made.append(Unit(
            {"REQUESTS_WS_URL_FILE": f"{SECRET}upstream", "RECONNECT_MAX_SECONDS": "0.1",
             "WS_AUTHORIZATION_FILE": f"{SECRET}authorization"} | settings,
            {"upstream": address, "authorization": "Bearer Aut4horQ"}))
        return made[0]

    yield make
    for one in made:
        one.finish()


def test_a_life_under_its_restrictions(unit, upstream):
    """Names, secrets, deaths, a reload, logs, metrics: as without them."""
    with Frankfurter({"USD": "1.6"}) as api:
        port = on_new_port(unused)
        service = unit(RATE_PROVIDERS="frankfurter", STATUS_LISTEN=f"127.0.0.1:{port}",
                       FRANKFURTER_URL=api.url.replace("127.0.0.1", NAME),
                       LOGS_DIR="/var/log/fxwire", AUDIT_DIR="/var/log/fxwire/audit").start()
        service.manager.wait("READY=1")
        assert upstream.link.headers["Authorization"] == "Bearer Aut4horQ"
        assert upstream.link.path == "/ws?k=Que3ryQ"
        assert stake_of(upstream.link.ask(message("1", "160"))) == "100"
        for name in ("ratefetcher", "wsclient", "monitor"):
            service.wait_respawn(name, service.kill(name, signal.SIGSEGV))
        assert stake_of(upstream.wait_link(2).ask(message("2", "80"))) == "50"
        with open(service.settings, "a") as settings:
            settings.write("HEARTBEAT_INTERVAL_SECONDS=0.5\n")
        assert service.reload() == (0, b"")
        service.manager.wait("READY=1", 2)
        page = Page(port)
        wait_until(lambda: page.get("/readyz")[0] == 200, "readiness")
        service.manager.wait("WATCHDOG=1", 3)
        assert service.stop() == 0
    (audit,) = (service.folder / "logs/audit").glob("audit-*.jsonl")
    assert audit.read_text().count("\n") == 2
    (log,) = (service.folder / "logs").glob("fxwire-*.log")
    text = log.read_text() + service.log()  # the journal's, while no monitor was there
    assert log.stat().st_uid == confined_id() and log.stat().st_mode & 0o077 == 0
    assert len(re.findall(r"died.*SIGSEGV", text)) == 3
    assert len(re.findall(r"crashed.*signal=SIGSEGV", text)) == 3
    odd = re.compile(r"not permitted|ermission|ead-only|not supported| ERROR ")
    assert not [line for line in text.splitlines() if odd.search(line)
                and not re.search("crashed|died", line)], text


def test_what_it_can_not_do(unit):
    """What the service starts finds itself shut in as the unit says."""
    service = unit(ALERT_COMMAND="/usr/local/bin/alert")
    path = service.folder / "local/bin/alert"
    path.write_text(ALERT)
    path.chmod(0o755)
    (service.folder / "etc/env").write_text(
        service.settings.read_text() + "RATES_FILE=/none\nRATE_PROVIDERS=file\n")
    service.launch()
    told = wait_until(lambda: (t := service.told()) and t[-1][:7] == "refused" and t, "an alert")
    assert told[0].startswith("event ")
    fields = dict(line.split(":\t", 1) for line in told if ":\t" in line)
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"
    assert int(fields["CapBnd"], 16) == int(fields["CapEff"], 16) == 0
    assert set(fields["Uid"].split()) == {str(confined_id())}
    able_to = {line for line in told if line.split()[0] in
               ("wrote", "saw", "made", "mounted", "raised", "changed", "opened")}
    assert able_to == {"wrote /tmp", *(f"opened AF_{name}" for name in
                                       ("UNIX", "INET", "INET6", "NETLINK"))}
    assert not [line for line in told if "Aut4horQ" in line or "Pas2wordQ" in line]


def test_alerts_to_a_webhook(unit):
    """The example of an ALERT_COMMAND needs no more than there is, either."""
    hook = Webhook()
    service = unit(ALERT_COMMAND=f"/usr/local/bin/alert-webhook.sh {SECRET}webhook",
                   RATES_FILE="/none", RATE_PROVIDERS="file")
    shutil.copy2(TOP / "etc" / "alert-webhook.sh", service.folder / "local/bin")
    secret = service.folder / "credentials" / "secret_webhook"
    secret.write_text(hook.url.replace("127.0.0.1", NAME))
    os.chown(secret, confined_id(), confined_id())
    service.launch()
    wait_until(lambda: hook.posts, "a post")
    hook.close()
    assert "fxwire on" in hook.posts[0][2]


def test_a_restart_by_the_manager_loses_nothing(unit, upstream):
    """Messages in hand are in the runtime directory, which it must not remove."""
    with Frankfurter({"USD": "1.6"}) as api:
        service = unit(RATE_PROVIDERS="frankfurter", FRANKFURTER_URL=api.url).start()
        api.fault = Call.hold
        upstream.link.send(message("1", "160", date='"2021-05-18"'))
        upstream.link.wait_received()
        service.restart()
        api.fault = None
        assert stake_of(upstream.wait_link(2).wait_answers(1)[0]) == "100"
