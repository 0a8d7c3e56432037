"""The command line."""
import json
import os
import re
import time

import pytest

from amounts import euro, read_rates
from places import SCALE
from service import Service, is_running
from upstream import Upstream
from waiting import wait_until

RATES = read_rates()


@pytest.fixture(scope="module")
def service():
    with Upstream() as up:
        one = Service({"REQUESTS_WS_URL": up.url})
        try:
            yield one.start()
        except BaseException:
            one.remove()
            raise
        one.finish()


@pytest.fixture(scope="module")
def nothing():
    """No service runs here."""
    one = Service({"REQUESTS_WS_URL": "ws://127.0.0.1:1/"})
    yield one
    one.finish()


def test_help(nothing):
    """On standard output, with every command."""
    done = nothing.command("--help")
    assert done.returncode == 0 and not done.stderr
    for word in ("run", "check", "status", "stop", "convert", "log-level", "--version", "--env-file",
                 "--show-messages", "--no-watchdog", "REQUESTS_WS_URL", "78"):
        assert word in done.stdout


def test_version(nothing):
    done = nothing.command("--version")
    assert done.returncode == 0 and re.fullmatch(r"fxwire \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("args", [
    ["nothing"], ["--nothing"], ["-x"], ["status", "--nothing"], ["run", "x"], ["check", "x"],
    ["stop", "x"], ["status", "x"], ["convert"], ["convert", "1"], ["--env-file"],
    ["convert", "1", "USD", "2021-05-18", "x"], ["log-level"], ["log-level", "info", "x"], ["logs", "x"],
    ["status", "--wait"], ["status", "--wait", "x"],
    ["status", "--wait", "-1"], [""], ["log-level", "loud"], ["restart", "nobody"],
])
def test_wrong_usage(nothing, args):
    """Exit 64, and what is right on standard error."""
    done = nothing.command(*args)
    assert done.returncode == 64, done.stderr
    assert done.stderr and not done.stdout


@pytest.mark.parametrize("args, why", [
    (["chek"], "chek: no such command"), (["convert", "1"], "usage: supervisor convert AMOUNT CURRENCY [DATE]"),
    (["stop", "--json"], "--json: not of this command\nusage: supervisor stop\n"),
    (["status", "--wait", "1s"], "--wait 1s: must be seconds, at most 1000000"),
    (["rates", "2021-5-18"], "DATE must be a day (YYYY-MM-DD) from 1999-01-04 to today"),
])
def test_what_is_wrong_is_named(nothing, args, why):
    assert nothing.command(*args).stderr.startswith(why)


@pytest.mark.parametrize("args", [
    ["status"], ["status", "--json"], ["status", "--ready"], ["stop"], ["convert", "1", "USD"],
    ["convert", "1", "USD", "2021-05-18"], ["log-level", "debug"], ["logs"],
])
def test_without_a_service(nothing, args):
    """Exit 69, one line."""
    done = nothing.command(*args)
    assert done.returncode == 69
    assert len(done.stderr.splitlines()) == 1 and str(nothing.runtime_dir) in done.stderr
    assert not done.stdout


def test_waiting_for_a_service_in_vain(nothing):
    """As long as was said, then 69."""
    began = time.monotonic()
    done = nothing.command("status", "--wait", "0.5", "--ready")
    assert done.returncode == 69
    assert 0.5 <= time.monotonic() - began < 3 * SCALE


@pytest.mark.smoke
def test_status_as_json(service):
    """One object on one line, with what the contract names."""
    done = service.command("status", "--json")
    assert done.returncode == 0 and done.stdout.count("\n") == 1 and not done.stderr
    told = json.loads(done.stdout)
    assert {"version", "uptime_seconds", "ready", "reasons", "helpers", "upstreams",
            "providers", "redis"} <= set(told)
    assert told["ready"] is True and told["reasons"] == [] and told["uptime_seconds"] > 0
    names = [h["name"] for h in told["helpers"]]
    assert sorted(names) == ["monitor", "ratefetcher", "wsclient"]
    for helper in told["helpers"]:
        assert is_running(helper["pid"]) and helper["state"] == "ready"
        assert helper["deaths"] == 0 and helper["last_death"] is None
    row = told["upstreams"][0]
    assert {"upstream", "connected", "heartbeat_age_seconds", "pending", "receipts"} <= set(row)
    assert row["connected"] is True and row["pending"] == 0
    assert {"name", "state", "last_success", "calls_month"} <= set(told["providers"][0])
    assert told["redis"] == "off"


def test_status_as_text(service):
    told = service.command("status").stdout
    for word in ("wsclient", "ratefetcher", "monitor", "file", "ready", "redis",
                 str(service.helper("wsclient")["pid"])):
        assert word in told


def test_a_ready_service_is_not_waited_for(service):
    began = time.monotonic()
    done = service.command("status", "--wait", "60", "--ready")
    assert done.returncode == 0 and time.monotonic() - began < 2 * SCALE


@pytest.mark.parametrize("amount, currency, date", [
    ("253.67", "USD", "2021-05-18"), ("1", "JPY", "1999-01-04"), ("0", "USD", "2021-05-18"),
    ("1e3", "GBP", "2021-05-22"), ("0.000001", "IDR", "2025-06-13"),
    ("999999999999999", "USD", "2021-05-18"), ("1", "USD", "2021-05-18T23:30:00-01:00"),
])
def test_convert(service, amount, currency, date):
    """The amount first, then what it was made from."""
    done = service.command("convert", amount, currency, date)
    assert done.returncode == 0, done.stderr
    day = {"2021-05-22": "2021-05-21"}.get(date, date[:10])
    day = "2021-05-19" if "T" in date else day
    rate = RATES[day][currency]
    assert done.stdout.startswith(euro(amount, rate) + " EUR = ")
    assert re.fullmatch(rf"\S+ EUR = \S+ {currency} / {re.escape(rate)} \({day}, file, "
                        r"(memory|provider), \d+ s old\)\n", done.stdout), done.stdout


def test_convert_without_a_date_takes_the_latest_rate(service):
    done = service.command("convert", "100", "USD")
    assert done.stdout.startswith(euro("100", "1.1576") + " EUR = 100 USD / 1.1576 (2026-08-18,")


def test_convert_euro(service):
    """No rate is needed, the rounding is the same."""
    done = service.command("convert", "0.000005", "EUR", "2021-05-18")
    assert done.returncode == 0 and done.stdout.startswith("0.00001 EUR")


@pytest.mark.parametrize("args", [
    ["x", "USD"], ["-1", "USD"], ["1e15", "USD"], ["1e-19", "USD"], ["", "USD"], ["1 ", "USD"],
    ["1", "usd"], ["1", "US"], ["1", ""], ["1", "USD", "x"], ["1", "USD", "2021-02-30"],
    ["1", "USD", "1999-01-03"], ["1", "USD", "9999-01-01"], ["NaN", "USD"], ["0x1", "USD"],
])
def test_convert_what_cannot_be(service, args):
    """Exit 64, one line and no amount."""
    done = service.command("convert", "--", *args)
    assert done.returncode == 64, (done.returncode, done.stderr)
    assert not done.stdout and done.stderr


@pytest.mark.parametrize("args", [["1", "XAF", "2021-05-18"], ["1", "USD", "2020-02-29"]])
def test_convert_without_a_rate(service, args):
    """Exit 69, one line and no amount."""
    done = service.command("convert", *args)
    assert done.returncode == 69
    assert not done.stdout and len(done.stderr.splitlines()) == 1


def test_rates(service):
    """The whole table of the day that serves, as text and as it came."""
    done = service.command("rates", "2021-05-22")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"2021-05-21, of 1 EUR \(file, (memory|provider), \d+ s old\)", lines[0])
    assert dict(line.split(" ") for line in lines[1:]
                if not line.endswith(" fixed")) == RATES["2021-05-21"]
    told = json.loads(service.command("rates", "2021-05-22", "--json").stdout)
    assert told["as_of"] == "2021-05-21" and told["rates"] == RATES["2021-05-21"]
    assert service.command("rates").stdout.startswith("2026-08-18, ")


@pytest.mark.parametrize("args, code", [
    (["x"], 64), (["1999-01-03"], 64), (["2021-05-18", "USD"], 64), (["2020-02-29"], 69),
])
def test_rates_that_cannot_be(service, args, code):
    done = service.command("rates", *args)
    assert done.returncode == code
    assert not done.stdout and done.stderr


def test_stop_waits_for_the_end(start, upstream):
    """When it returns, nothing runs, and another can start."""
    service = start(upstream)
    pids = [p for n, p in service.pids().items() if n not in ("watchdog", "supervisor")]
    done = service.command("stop")
    assert done.returncode == 0 and not done.stderr
    assert not any(map(is_running, pids))
    assert service.wait_exit(1) == 0
    service.start()


def test_a_start_right_after_stop(start, upstream):
    """When `stop` returns, the folder is free: no exit 75."""
    service = start(upstream)
    for _ in range(10):
        old = service.process
        assert service.command("stop").returncode == 0
        service.launch()
        old.wait(10 * SCALE)
        wait_until(lambda: service.status_or_none() or service.process.poll() is not None,
                   "a status, or an end")
        assert service.process.poll() is None, service.log()


def test_stop_of_a_service_without_watchdog(start, upstream):
    service = start(upstream, args=["--no-watchdog", "run"])
    assert service.command("stop").returncode == 0
    assert service.wait_exit(1) == 0


def test_a_name_in_another_folder(make_service, upstream, tmp_path):
    """bin/fxwire is a link to the supervisor; the programs find each other."""
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    link = service.folder / "fxwire"
    link.symlink_to(service.build / "supervisor")
    service.build, real = service.folder, service.build
    service.program = "fxwire"
    service.launch()
    service.build = real
    service.wait_ready()
    assert os.readlink(f"/proc/{service.process.pid}/exe") == str(real / "supervisor")
