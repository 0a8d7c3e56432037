"""A runtime folder that somebody sweeps while the service runs."""
import os
import shutil
import subprocess
import time

import pytest

from amounts import euro, message, read_rates, stake_of
from places import SCALE
from rate_shop import RateShop
from service import Paused, kill_all
from waiting import holds_for, wait_until

RATES = read_rates()
FILES = ["control.sock", "rates.sock", "supervisor.lock"]


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def sweep_folder(folder):
    shutil.rmtree(folder)


def sweep_above(folder):
    """With a folder that it alone stood in."""
    shutil.rmtree(folder.parent)


def sweep_files(folder):
    for path in folder.iterdir():
        path.unlink()


def replace_folder(folder):
    """Another one, empty, has its name."""
    folder.rename(folder.with_name("away"))
    folder.mkdir(mode=0o700)


SWEEPS = [sweep_folder, sweep_above, sweep_files, replace_folder]


def start_deep(make_service, upstream, **settings):
    """With a folder for the runtime folder alone."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RECONNECT_MAX_SECONDS": "0.1",
                            "REQUEST_TIMEOUT_SECONDS": 60} | settings)
    service.runtime_dir = service.folder / "above" / "run"
    service.env["RUNTIME_DIR"] = str(service.runtime_dir)
    service.runtime_dir.parent.mkdir()
    service.start()
    upstream.wait_link()
    return service


def wait_files(service, ledger):
    for name in (*FILES, ledger):
        wait_until((service.runtime_dir / name).exists, name, 5)
    wait_until(service.status_or_none, "a status", 5)


def wait_made_anew(service, ledger):
    wait_files(service, ledger)
    service.wait_ready()


def ledger_of(service):
    return next(p.name for p in service.runtime_dir.iterdir() if p.name.startswith("ledger"))


def assert_second_ones_exit_75(service, folder=None):
    if folder is not None:
        folder.parent.mkdir(exist_ok=True)
    for program in ("supervisor", "wsclient"):
        done = subprocess.run([service.build / program], env=service.env, cwd=service.folder,
                              capture_output=True, text=True, timeout=20 * SCALE, check=False)
        assert done.returncode == 75, program + done.stderr


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda f: f.__name__)
def test_nothing_is_lost_by_a_sweep(make_service, upstream, sweep):
    """All in the folder is made anew; what waits is answered, also if wsclient dies then."""
    service = start_deep(make_service, upstream)
    link = upstream.link
    assert_works(link)
    ledger = ledger_of(service)
    with service.pause("ratefetcher"):
        link.send(*(message(str(i), date='"2021-05-19"') for i in range(100)))
        service.wait_counter("fxwire_pending", 100)
        sweep(service.runtime_dir)
        wait_files(service, ledger)
        pid = service.kill("wsclient")
    service.wait_respawn("wsclient", pid)
    service.wait_log("messages_found count=100")
    again = upstream.wait_link(2)
    got = again.wait_answers(100)
    assert {stake_of(a) for a in got} == {euro("253.67", RATES["2021-05-19"]["USD"])}
    wait_made_anew(service, ledger)
    assert service.rates("2021-05-18")["op"] == "rates"
    assert_second_ones_exit_75(service)
    pid = service.kill("ratefetcher")
    service.wait_respawn("ratefetcher", pid)
    assert stake_of(again.ask(message(date='"2021-05-20"')))
    assert len(upstream.links) == 2
    assert service.stop() == 0
    assert list(service.runtime_dir.iterdir()) == [service.runtime_dir / "supervisor.lock"]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda f: f.__name__)
def test_it_is_said_once(make_service, upstream, sweep):
    """One error, one alert, whatever was removed and whoever saw it first."""
    service = start_deep(make_service, upstream)
    ledger = ledger_of(service)
    sweep(service.runtime_dir)
    wait_made_anew(service, ledger)
    service.wait_log("ledger_made_anew")
    holds_for(1.5, lambda: service.log().count("] runtime_dir_swept") <= 1
              and service.log().count("alert=runtime_dir_swept") <= 1, "one of each")
    line = service.wait_log(r"ERROR supervisor\[\d+\] runtime_dir_swept")
    assert "control.sock" in line and str(service.runtime_dir) in line
    service.wait_log("alert=runtime_dir_swept")
    assert_works(upstream.link)
    assert len(upstream.links) == 1


@pytest.mark.parametrize("name", [*FILES, "ledger"])
def test_one_file_alone(start, upstream, name):
    """Each is missed."""
    service = start(upstream)
    upstream.wait_link()
    path = service.runtime_dir / (ledger_of(service) if name == "ledger" else name)
    path.unlink()
    line = service.wait_log(r"\] runtime_dir_swept")
    assert path.name in line
    wait_until(path.exists, name, 5)
    assert_second_ones_exit_75(service)
    service.wait_ready()
    assert_works(upstream.link)
    assert service.rates("2021-05-18")["op"] == "rates"


@pytest.mark.parametrize("is_remade", [True, False])
@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda f: f.__name__)
def test_no_second_one_before_it_is_made_anew(make_service, upstream, sweep, is_remade):
    """
    The claim is in no folder: it holds while supervisor and wsclient are
    stopped, whether somebody makes the folder above again or not.
    """
    service = start_deep(make_service, upstream)
    folder = service.runtime_dir
    pids = service.pids()
    with Paused(pids["supervisor"]), Paused(pids["wsclient"]):
        sweep(folder)
        assert_second_ones_exit_75(service, folder if is_remade else None)
    wait_until((folder / "control.sock").exists, "it is made anew", 5)


@pytest.mark.parametrize("sweep", [sweep_folder, sweep_files], ids=lambda f: f.__name__)
def test_counted_calls_outlive_a_sweep(sweep):
    """STATE_DIR is made anew within a second or so, with the calls of the month."""
    with RateShop() as shop:
        service = shop.start().service
        state = service.folder / "state"
        months = [row["calls_month"] for row in service.status()["providers"]]
        assert sum(months) > 0
        sweep(state)
        line = service.wait_log("calls_made_anew")
        assert str(state / "calls") in line and " WARN " in line
        assert service.log().count("calls_made_anew") == 1
        service.wait_respawn("ratefetcher", service.kill("ratefetcher"))
        shop.service.wait_ready()
        now = [row["calls_month"] for row in service.status()["providers"]]
        assert now[0] >= months[0] + 1, (months, now)


def test_a_wsclient_that_starts_in_a_swept_folder(make_service, upstream):
    """It makes the folder itself, and its messages outlive it."""
    service = start_deep(make_service, upstream)
    pids = service.pids()
    with Paused(pids["ratefetcher"]):
        with Paused(pids["supervisor"]):
            kill_all([pids["wsclient"]])
            sweep_folder(service.runtime_dir)
        link = upstream.wait_link(2)
        link.send(message(date='"2021-05-19"'))
        wait_until(lambda: service.status_or_none() and service.counter("fxwire_pending") == 1,
                   "a message in hand")
        assert "in_memory_only" not in service.log()
        kill_all([service.helper("wsclient")["pid"]])
    assert stake_of(upstream.wait_link(3).wait_answers(1)[0])


def test_after_the_end_all_is_free(make_service, upstream):
    """A sweep leaves nothing behind that would be in the way of the next start."""
    service = start_deep(make_service, upstream)
    sweep_folder(service.runtime_dir)
    service.process.kill()
    service.wait_exit()
    service.assert_gone()
    service.start()
    assert_works(upstream.wait_link(2))


def test_files_stay_young(start, upstream):
    """Cleaners go by the times of a file."""
    service = start(upstream)
    upstream.wait_link()
    old = time.time() - 11 * 86400
    paths = [service.runtime_dir, *service.runtime_dir.iterdir()]
    for path in paths:
        os.utime(path, (old, old))
    for path in paths:
        wait_until(lambda p=path: min(p.stat().st_mtime, p.stat().st_atime) > old + 86400,
                   f"{path} is young", 5)


@pytest.mark.parametrize("folder, is_swept", [
    ("/tmp/fx/run", True), ("/var/tmp/run", True), ("/run/user/0/fx", False)])
def test_check_warns_of_temporary_folders(make_service, folder, is_swept):
    service = make_service({"REQUESTS_WS_URL": "ws://127.0.0.1:9/"})
    told = service.command("check", env={"RUNTIME_DIR": folder}).stderr
    assert ("warning: RUNTIME_DIR" in told) == is_swept
