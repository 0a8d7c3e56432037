"""ALERT_COMMAND: when it runs, what it is told, and what it cannot harm."""
import json
import os
import re
import resource
import signal
import time
from pathlib import Path

import pytest

from amounts import message, stake_of
from event_table import read_table
from places import SCALE, VALGRIND
from service import is_running, kill_all
from waiting import at_most, wait_until

SECRETS = {
    "WS_AUTHORIZATION": "Bearer authsecret",
    "FREECURRENCYAPI_KEY": "keysecret",
    "REDIS_URL": "redis://user:redissecret@127.0.0.1:1/0",
}
# Raises an alert at once: a helper that refuses its configuration.
REFUSES = {"ratefetcher": '[ -e good ] && exec {real} "$@"; exit 78'}
TELLS = """
echo "$#" "$@" >>told.args
cat >>told.input
env >>told.env
"""


def assert_works(link, stake="2"):
    assert stake_of(link.ask(message("1", stake, '"EUR"'))) == stake


@pytest.fixture
def alerted(make_service, upstream):
    """alerted(script, ...) gives a service that runs it for its first alert."""

    def begin(script, words="", wrappers=None, **settings):
        service = make_service({"REQUESTS_WS_URL": upstream.url} | settings,
                               wrappers=wrappers or REFUSES)
        path = service.folder / "alert.sh"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        service.env["ALERT_COMMAND"] = f"{path}{words}"
        return service

    return begin


def alerts(service, event):
    return len(re.findall(rf" alert alert={event}\b", service.log()))


def sleepers(service):
    """What a command that hangs has started."""
    return [pid for pid, title in service.titles().items() if "sleep 1000" in title]


def test_what_the_command_is_told(alerted, upstream):
    """Words of its own, event, subject and detail; all as JSON on its input."""
    url = upstream.url.replace("ws://", "ws://name:urlsecret@") + "?token=querysecret"
    service = alerted(TELLS, words=" one  two", REQUESTS_WS_URL=url, **SECRETS).launch()
    told = service.folder / "told.env"
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"), "an alert")
    args = (service.folder / "told.args").read_text().splitlines()
    assert args == ["5 one two configuration_refused ratefetcher exit 78"]
    told_json = (service.folder / "told.input").read_text()
    assert told_json.endswith("}\n")
    got = json.loads(told_json)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", got.pop("time"))
    assert got == {"event": "configuration_refused", "subject": "ratefetcher",
                   "detail": "exit 78"}
    environment = told.read_text()
    assert "secret" not in environment
    assert not [n for n in ("REQUESTS_WS_URL", *SECRETS) if n in environment]
    assert "PATH=" in environment and f"HOME={service.folder}" in environment
    service.wait_log(" alert alert=configuration_refused subject=ratefetcher")


def test_the_upstream_is_named(alerted, upstream):
    """Of several wsclients it must be told which; never its secrets."""
    url = upstream.url.replace("ws://", "ws://name:urlsecret@") + "?token=querysecret"
    service = alerted(TELLS, REQUESTS_WS_URL=url, wrappers={"wsclient": "exit 78"}).launch()
    told = service.folder / "told.input"
    wait_until(lambda: told.exists() and told.read_text(), "an alert")
    assert json.loads(told.read_text())["subject"] == f"wsclient 127.0.0.1:{upstream.port}/ws"
    wait_until(lambda: (service.folder / "told.env").exists(), "its end")


def test_its_output_is_logged(alerted):
    service = alerted("echo said so; echo and so >&2").launch()
    service.wait_log("said so")
    service.wait_log("and so")


def test_a_command_that_fails_is_logged(alerted, upstream):
    """And nothing else happens."""
    service = alerted("exit 3").launch()
    line = service.wait_log("alert_command_failed")
    assert "configuration_refused" in line and "exit 3" in line
    assert_works(upstream.wait_link())


def test_a_command_that_is_not_there_is_logged(alerted, upstream):
    service = alerted("")
    service.env["ALERT_COMMAND"] = "/no/such/command now"
    service.launch()
    service.wait_log("/no/such/command: No such file")
    service.wait_log("alert_command_failed")
    assert_works(upstream.wait_link())


@pytest.mark.slow
def test_a_command_that_hangs_is_killed(alerted, upstream):
    """After 10 s, with all that it started; no answer is delayed by it."""
    service = alerted("sleep 1000\nexit 0").launch()
    link = upstream.wait_link()
    began = time.monotonic()
    wait_until(lambda: sleepers(service), "an alert")

    def measure():
        worst = 0
        for _ in range(50):
            asked = time.monotonic()
            assert_works(link)
            worst = max(worst, time.monotonic() - asked)
        return worst

    at_most(0.05, measure)
    service.wait_log("alert_command_too_slow", 12)
    assert 9 < time.monotonic() - began < 11.5 * SCALE
    assert "SIGKILL" in service.wait_log("alert_command_failed")
    wait_until(lambda: not sleepers(service), "the end of its children", 1)


EVENTS = [name for _, name, levels, _ in read_table()
          if "ALERT" in levels and name != "runtime_dir_swept"]  # that is looked after first
ALERTING = {helper: f"""[ -e done.{helper} ] || for name in {" ".join(EVENTS)}; do
    printf '{{"op":"alert","event":"%s","detail":"x"}}\\n' $name >&3
done
touch done.{helper}; exec {{real}} "$@"
""" for helper in ("wsclient", "ratefetcher")}


def test_alerts_beyond_those_that_can_wait_are_told(alerted, upstream):
    """Each is in the log, and so is that its command was not run."""
    service = alerted("sleep 1000\nexit 0", wrappers=ALERTING).launch()
    link = upstream.wait_link()
    service.wait_log(rf" alert alert={EVENTS[-1]}\b", count=2)
    wait_until(lambda: sleepers(service), "an alert")
    raised = re.findall(r" alert alert=(\w+)", service.log())
    assert len(EVENTS) > 10 and sorted(raised) == sorted(2 * EVENTS)
    not_run = re.findall(r"alert_command_not_run alert=(\w+)", service.log())
    assert not_run == raised[17:]  # one runs, 16 wait
    assert_works(link)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_hangs_holds_up_neither_stop_nor_restart(alerted, upstream, how):
    """What it started ends with the supervisor, too."""
    service = alerted("sleep 1000\nexit 0").launch()
    upstream.wait_link()
    wait_until(lambda: sleepers(service), "an alert")
    left = sleepers(service)
    old = service.pids()["supervisor"]
    os.kill(old, how)
    try:
        if how == signal.SIGTERM:
            assert service.wait_exit(5) == 0
        else:
            wait_until(lambda: service.status_or_none() is not None
                       and service.pids()["supervisor"] != old, "another service", 5)
        wait_until(lambda: not any(map(is_running, left)), "the end of its children", 1)
    finally:
        kill_all(filter(is_running, left))


@pytest.mark.skipif(VALGRIND, reason="that needs descriptors itself")
def test_a_watchdog_without_descriptors_does_not_wait_for_what_is_left(alerted, upstream):
    """It can not list what the supervisor left; it goes on, and kills it later."""
    service = alerted("sleep 1000\nexit 0").launch()
    upstream.wait_link()
    wait_until(lambda: sleepers(service), "an alert")
    left, watchdog = sleepers(service), service.process.pid
    limits = resource.prlimit(watchdog, resource.RLIMIT_NOFILE)
    try:
        resource.prlimit(watchdog, resource.RLIMIT_NOFILE, (3, limits[1]))
        old = service.kill("supervisor")
        time.sleep(1.5 * SCALE)  # no one is there to log what it does meanwhile
        resource.prlimit(watchdog, resource.RLIMIT_NOFILE, limits)
        wait_until(lambda: service.status_or_none() is not None
                   and service.pids()["supervisor"] != old, "another service", 12)
        wait_until(lambda: not any(map(is_running, left)), "the end of its children", 1)
        service.wait_log("leftovers_not_known")
    finally:
        kill_all(filter(is_running, left))


def test_one_event_is_alerted_once_a_minute(alerted, upstream):
    """Each death is logged, though."""
    service = alerted(TELLS).launch()
    upstream.wait_link()
    for count in range(1, 4):
        service.wait_log("died.*ratefetcher.*exit 78", count=count)
        done = service.command("reload")
        assert done.returncode == 0, done.stderr
    service.wait_log("died.*ratefetcher.*exit 78", count=4)
    assert alerts(service, "configuration_refused") == 1
    told = service.folder / "told.args"
    wait_until(lambda: told.exists() and told.read_text(), "an alert")
    assert len(told.read_text().splitlines()) == 1


def test_a_refused_configuration_is_tried_again_after_a_reload(alerted, upstream):
    """Once, and it may have got better by then."""
    service = alerted("exit 0").launch()
    service.wait_log("died.*ratefetcher.*not started again")
    assert service.helper("ratefetcher")["state"] == "refused"
    (service.folder / "good").touch()
    assert service.command("reload").returncode == 0
    service.wait_ready()
    assert_works(upstream.link)


def test_a_refused_handshake_is_alerted(make_service, raw):
    """401 and 403 need a person; the upstream is named."""
    service = make_service({"REQUESTS_WS_URL": raw.url}).launch()
    link = raw.accept()
    link.read_head()
    link.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    service.wait_log(rf'alert=handshake_refused subject="wsclient 127.0.0.1:{raw.port}/ws" '
                     'detail="status 403"')


def test_no_provider_left_is_alerted(make_service, upstream):
    """Once, however many ask."""
    service = make_service({"REQUESTS_WS_URL": upstream.url,
                            "RATES_FILE": "/nowhere/rates.csv"}).launch()
    link = upstream.wait_link(1)
    for i in range(20):
        link.ask(message(str(i)))
    service.wait_log("alert=no_provider_left subject=ratefetcher "
                     'detail="no provider can be asked for (latest|2021-05-18)"')
    assert alerts(service, "no_provider_left") == 1


def test_a_crash_loop_is_alerted_once(alerted, upstream):
    """At the tenth death within a minute."""
    service = alerted(TELLS, wrappers={"ratefetcher": "exit 1"}).launch()
    link = upstream.wait_link()
    for count in range(1, 10):
        service.wait_log("died.*ratefetcher.*exit 1", count=count)
        # Started at once, for the pauses between them take long.
        assert service.command("restart", "ratefetcher").returncode == 0
    service.wait_log("died.*ratefetcher.*exit 1", count=10)
    told = service.folder / "told.args"
    wait_until(told.exists, "an alert at the tenth death")
    for count in range(11, 16):
        assert service.command("restart", "ratefetcher").returncode == 0
        service.wait_log("died.*ratefetcher.*exit 1", count=count)
    assert told.read_text().splitlines() == ["3 crash_loop ratefetcher exit 1"]
    assert alerts(service, "crash_loop") == 1
    assert_works(link)


@pytest.mark.slow
def test_a_crash_loop_gets_slower_and_never_ends(make_service, upstream):
    """Pauses with jitter, at most 5 s; one alert; hardly any work."""
    service = make_service({"REQUESTS_WS_URL": upstream.url}, wrappers={
        "wsclient": "date +%s.%N >>starts.w; exit 1",
        "ratefetcher": "date +%s.%N >>starts.r; exit 1"}).launch()

    def starts(letter):
        path = service.folder / f"starts.{letter}"
        return [float(t) for t in path.read_text().split()] if path.exists() else []

    wait_until(lambda: min(len(starts("w")), len(starts("r"))) >= 9, "9 starts", 60)
    pauses = {x: [b - a for a, b in zip(starts(x), starts(x)[1:])] for x in "wr"}
    for some in pauses.values():
        for i, pause in enumerate(some):
            most = min(0.1 * 2**i, 5)
            assert most / 2 - 0.02 < pause < most + 0.3 * SCALE, pauses
    shares = {round(p / min(0.1 * 2**i, 5), 2) for some in pauses.values()
              for i, p in enumerate(some) if i > 2}
    assert len(shares) > 3, f"no jitter: {pauses}"
    ticks = Path(f"/proc/{service.pids()['supervisor']}/stat").read_text()
    ticks = sum(map(int, ticks.rsplit(")", 1)[1].split()[11:13]))
    assert ticks / os.sysconf("SC_CLK_TCK") < 0.3 * SCALE
    assert alerts(service, "crash_loop") <= 2


# alert-test

def test_alert_test_runs_the_command_once(alerted):
    service = alerted(TELLS)
    done = service.command("alert-test")
    assert done.returncode == 0, done.stderr
    assert (service.folder / "told.args").read_text() == \
        "3 test fxwire asked for by alert-test\n"
    assert json.loads((service.folder / "told.input").read_text())["event"] == "test"


@pytest.mark.parametrize("command, cause", [
    (None, "ALERT_COMMAND"), ("/bin/false", "exit 1"), ("/no/such/command", "No such file"),
])
def test_alert_test_tells_what_is_wrong(make_service, command, cause):
    """On standard error, and by its exit code."""
    service = make_service({"REQUESTS_WS_URL": "ws://127.0.0.1:1/", "ALERT_COMMAND": command})
    done = service.command("alert-test")
    assert cause in done.stderr
    assert done.returncode == (78 if command is None else 69)
