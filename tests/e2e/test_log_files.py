"""LOGS_DIR: a file a day, and what a disk that fails costs: lines, never answers."""
import datetime
import os
import re
import shutil
import signal
import subprocess

import pytest

from amounts import message, stake_of
from places import SANITIZED, VALGRIND
from test_environments import needs, script
from waiting import wait_until

UNUSABLE = "cannot be made or written to"


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def file_of(folder, day=None):
    return folder / f"fxwire-{day or today()}.log"


def text_of(folder):
    """What is in all its log files; a day may end while a test runs."""
    return "".join(path.read_text() for path in sorted(folder.glob("fxwire-*.log")))


def wait_text(folder, pattern, seconds=10):
    return wait_until(lambda: re.search(pattern, text_of(folder)), pattern, seconds)


@pytest.fixture
def logging(make_service, upstream):
    """logging(settings, ...) gives a service with LOGS_DIR, not started, and that folder."""

    def make(settings=None, **how):
        service = make_service({"REQUESTS_WS_URL": upstream.url} | (settings or {}), **how)
        folder = service.folder / "logs"
        service.env["LOGS_DIR"] = str(folder)
        return service, folder

    return make


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_are_in_the_days_file(logging, upstream, form):
    service, folder = logging({"LOG_FORMAT": form})
    service.start()
    assert stake_of(upstream.link.ask(message("1", "2", '"EUR"'))) == "2"
    assert service.stop() == 0
    assert [line for line in service.log().splitlines() if "helper_stopped" not in line] == []
    text = text_of(folder)
    assert text.endswith("\n")
    for event in ("started", "connected", "stopped", "helper_stopped"):
        assert re.search(rf"\b{event}\b", text)
    assert next(folder.glob("fxwire-*")).stat().st_mode & 0o137 == 0


def test_files_of_other_days_go_when_they_are_old(logging):
    service, folder = logging({"LOGS_EXPIRATION_DAYS": "3"})
    folder.mkdir()
    days = [today() - datetime.timedelta(days=n) for n in (400, 5, 2)]
    for day in days:
        file_of(folder, day).write_text("old\n")
    other = folder / f"other-{days[0]}.log"
    other.write_text("not ours\n")
    service.start()
    wait_text(folder, "connected")
    assert [file_of(folder, day).exists() for day in days] == [False, False, True]
    assert other.exists()


def test_what_is_moved_away_is_made_anew(logging):
    """As logrotate does it; and with all of the folder."""
    service, folder = logging()
    service.start()
    wait_text(folder, "connected")
    aside = folder / "aside"
    file_of(folder).rename(aside)
    service.wait_respawn("ratefetcher", service.kill("ratefetcher"))
    wait_text(folder, "died.*process=ratefetcher")
    assert "ratefetcher" in aside.read_text() and "died" not in aside.read_text()
    shutil.rmtree(folder)
    service.kill("ratefetcher")
    wait_text(folder, "died.*process=ratefetcher")


def on_a_disk(folder, options):
    """A launcher whose child sees an empty disk in the folder."""
    return needs("unshare", "--mount", "--propagation", "private", "sh", "-c",
                 f'mount -t tmpfs -o {options} fx "$0" && exec "$@"', str(folder))


def test_a_full_disk_costs_lines_alone(make_service, upstream, tmp_path):
    """They are counted, an alert is raised, and it is told once there is room."""
    folder = tmp_path / "logs"
    folder.mkdir()
    service = make_service({"REQUESTS_WS_URL": upstream.url, "LOGS_DIR": folder,
                            "LOG_LEVEL": "debug"}, launcher=on_a_disk(folder, "size=1m,mode=777"))
    inside = lambda: f"/proc/{service.process.pid}/root{folder}"
    service.env["ALERT_COMMAND"] = str(script(service.folder, "#!/bin/sh\necho $1 >>told\n"))
    service.start()
    link = upstream.link
    fill = os.open(f"{inside()}/fill", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError):
        while True:
            os.write(fill, b"x" * 4096)
    link.send(*['{"type":"odd"}'] * 500)
    assert stake_of(link.ask(message("1", "2", '"EUR"'))) == "2"
    wait_until((service.folder / "told").exists, "an alert")
    os.ftruncate(fill, 0)
    os.close(fill)
    read = lambda: subprocess.run(f"cat {inside()}/fxwire-*.log", shell=True, check=True,
                                  capture_output=True, text=True).stdout

    def told():
        link.send('{"type":"odd"}')
        return re.search(r"log_lines_dropped lines=(\d+)", read())

    lost = int(wait_until(told, "what was lost")[1])
    assert 0 < lost < 1000
    assert stake_of(link.ask(message("2", "3", '"EUR"'))) == "3"
    lines = read().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\S+Z [A-Z]+ \w+\[\d+\] ", line) for line in lines)


def stall(folder):
    """A disk that stalls at the first write, until lines_until() reads it."""
    folder.mkdir()
    for day in (today(), today() + datetime.timedelta(days=1)):
        os.mkfifo(file_of(folder, day))


def test_a_stalled_disk_delays_nothing(logging, upstream):
    """A FIFO that nobody reads holds who writes, as a disk does that stalls."""
    service, folder = logging({"SHUTDOWN_GRACE_SECONDS": "1"})
    stall(folder)
    service.start()
    link = upstream.link
    link.send(*['{"type":"odd"}'] * 3000)
    assert stake_of(link.ask(message("1", "2", '"EUR"'))) == "2"
    assert service.stop() == 0


def lines_until(folder, pattern, seconds=20):
    """Reads the FIFO, as a disk that works again, up to a line that matches."""
    reader = os.open(file_of(folder), os.O_RDONLY | os.O_NONBLOCK)
    text = b""

    def comes():
        nonlocal text
        try:
            text += os.read(reader, 1 << 20)
        except BlockingIOError:
            pass
        return re.search(pattern, text.decode())

    try:
        wait_until(comes, pattern, seconds)
    finally:
        os.close(reader)
    return text.decode()


def test_a_stall_is_told_and_what_it_costs(logging, upstream):
    """Once, while it lasts; 4 MiB wait, what is lost beyond that is counted."""
    service, folder = logging({"SHUTDOWN_GRACE_SECONDS": "1"}, args=["--show-messages"])
    service.env["ALERT_COMMAND"] = str(script(service.folder, '#!/bin/sh\necho "$@" >>told\n'))
    stall(folder)
    service.start()
    told = service.folder / "told"
    wait_until(lambda: told.exists() and "logs_stalled" in told.read_text(), "an alert", 5)
    link = upstream.link
    long = message("1", "2", '"EUR"').replace('"odds":2.2', f'"odds":"{"x" * 3000}"')
    sent = 1000
    for _ in range(10):
        link.send(*[long] * (sent // 10))
        assert "error" not in link.ask(message("1", "2", '"EUR"'))
    wait_until(lambda: service.counter("fxwire_log_dropped_total") > 0, "counted lines")
    text = lines_until(folder, r"log_lines_dropped lines=\d+")
    lost = int(re.search(r"log_lines_dropped lines=(\d+)", text)[1])
    assert 0 < lost < 2 * sent
    assert len(re.findall(r"ERROR monitor\S+ logs_stalled for=[1-9]", text)) == 1
    assert told.read_text().count("logs_stalled") == 1


@pytest.mark.parametrize("name", ["LOGS_DIR", "STATE_DIR"])
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_folder_that_can_not_be(make_service, upstream, name, command):
    service = make_service({"REQUESTS_WS_URL": upstream.url, name: "/dev/null/x"})
    done = service.command(command)
    assert done.returncode == 78
    assert f"{name}=/dev/null/x: {UNUSABLE}: Not a directory" in done.stderr


def test_a_folder_that_is_there_but_takes_no_file(make_service, upstream, tmp_path):
    service = make_service({"REQUESTS_WS_URL": upstream.url, "LOGS_DIR": tmp_path},
                           launcher=on_a_disk(tmp_path, "ro"))
    assert service.launch().wait_exit() == 78
    assert f"LOGS_DIR={tmp_path}: {UNUSABLE}: Read-only file system" in service.log()


@pytest.mark.parametrize("form", ["text", "json"])
def test_prefixes_for_the_journal(make_service, upstream, form):
    """$JOURNAL_STREAM names what standard error is: then each line tells its level."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "LOG_FORMAT": form})
    service.log_path.touch()
    status = service.log_path.stat()
    service.env["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
    service.start()
    upstream.link.send('{"type":"odd"}')
    service.wait_log("message_ignored")
    os.kill(service.pids()["wsclient"], signal.SIGKILL)
    service.wait_log("died")
    service.stop()
    priorities = {"info": "6", "warn": "4", "error": "3"}
    lines = service.log().splitlines()
    assert len(lines) > 10
    for line in lines:
        level = re.match(r'<\d>(?:\S+ ([A-Z]+) |.*"level":"(\w+)")', line)
        word = (level[1] or level[2]).lower()
        assert line.startswith(f"<{priorities[word]}>")


def test_no_prefixes_where_it_is_another_stream(make_service, upstream):
    """Such as a shell's in a terminal of a desktop, which has inherited it."""
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    service.env["JOURNAL_STREAM"] = "8:12345"
    service.start()
    service.wait_log(" connected ")
    assert "<6>" not in service.log()


@pytest.mark.skipif(SANITIZED or VALGRIND, reason="those catch such signals")
def test_the_last_line_of_a_supervisor_is_in_the_file(logging):
    """The monitor, which writes it, is not gone before it has."""
    service, folder = logging({"RECONNECT_MAX_SECONDS": "0.1"})
    service.start()
    for count in range(1, 4):
        pid = service.pids()["supervisor"]
        os.kill(pid, signal.SIGSEGV)
        wait_until(lambda: service.status_or_none() is not None
                   and service.pids()["supervisor"] != pid, "another supervisor")
        service.wait_ready()
        assert re.search(rf"supervisor\[{pid}\] crashed signal=SIGSEGV", text_of(folder)), count
