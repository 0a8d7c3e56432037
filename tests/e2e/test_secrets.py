"""Secrets: in no log, answer, command line or foreign environment: spec 2 and 9."""
import os
import re
from pathlib import Path

import pytest

from amounts import message, stake_of
from places import BUILD, TOP, VALGRIND
from upstream import Upstream
from waiting import wait_until

SECRETS = {
    "REQUESTS_WS_URL": ["Usr1nameQ", "Pas2wordQ", "Que3ryQ"],
    "WS_AUTHORIZATION": ["Aut4horQ"],
    "FREECURRENCYAPI_KEY": ["Fre5keyQ"],
    "EXCHANGE_ACCESS_KEY": ["Hos6keyQ"],
    "EXCHANGERATEAPI_KEY": ["Api7keyQ"],
    "OPENEXCHANGERATES_KEY": ["Opn0keyQ"],
    "FIXER_KEY": ["Fix1keyQ"],
    "CURRENCYAPI_KEY": ["Cur3keyQ"],
    "PROVIDER_PROXY": ["Ppx9passQ"],
    "WS_PROXY": ["Wpx0passQ", "cHhVc2VyOldweDBwYXNzUQ"],  # the other one: in base64
    "REDIS_URL": ["Red8passQ"],
}
ALL = [text for texts in SECRETS.values() for text in texts]


def readers():
    """{setting: letters of the processes that read it}, from the table of settings."""
    text = (TOP / "common" / "settings" / "settings.def").read_text().split("*/", 1)[1]
    found = re.findall(r'SETTING\((\w+), \w+,.*?(?:true|false),\s*([SMWRC |\s]+?),', text, re.S)
    assert len(found) > 30
    return dict(found)


def secret_settings(up):
    return {
        "REQUESTS_WS_URL": f"ws://Usr1nameQ:Pas2wordQ@127.0.0.1:{up.port}/ws?k=Que3ryQ",
        "WS_AUTHORIZATION": "Bearer Aut4horQ", "FREECURRENCYAPI_KEY": "Fre5keyQ",
        "EXCHANGE_ACCESS_KEY": "Hos6keyQ", "EXCHANGERATEAPI_KEY": "Api7keyQ",
        "OPENEXCHANGERATES_KEY": "Opn0keyQ", "FIXER_KEY": "Fix1keyQ",
        "CURRENCYAPI_KEY": "Cur3keyQ",
        "PROVIDER_PROXY": "http://pxUser:Ppx9passQ@127.0.0.1:1",
        "WS_PROXY": "http://pxUser:Wpx0passQ@127.0.0.1:1", "NO_PROXY": "127.0.0.1",
        "REDIS_URL": "redis://ruser:Red8passQ@127.0.0.1:1/0",
        "LOG_LEVEL": "debug", "RECONNECT_MAX_SECONDS": "0.1",
    }


def found_in(text):
    return [secret for secret in ALL if secret in text]


@pytest.mark.smoke
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_ever_shown(make_service, upstream, log_format):
    """In logs, status, check, answers and on the sockets, after all kinds of events."""
    service = make_service(secret_settings(upstream) | {"LOG_FORMAT": log_format},
                           args=["--show-messages"]).start()
    link = upstream.link
    assert link.headers["Authorization"] == "Bearer Aut4horQ"
    assert link.path == "/ws?k=Que3ryQ"
    assert stake_of(link.ask(message())) == "207.55196"
    # An upstream that says what it was told.
    for text in ("Aut4horQ", "Bearer Aut4horQ", service.env["REQUESTS_WS_URL"],
                 "Usr1nameQ:Pas2wordQ", "k=Que3ryQ"):
        link.send(f'{{"type":"error","message":"You said {text}!"}}')
        link.ask(f'{{"type":"message","id":"{text}"}}')
    service.wait_log("You said", count=5)
    upstream.refuse = (401, [("X-Why", "Aut4horQ")], b"Bearer Aut4horQ is not good")
    link.reset()
    service.wait_log("connect_failed")
    upstream.refuse = None
    wait_until(lambda: service.status()["ready"], "a link")
    for name in ("wsclient", "ratefetcher"):
        pid = service.kill(name)
        service.wait_respawn(name, pid)
    shown = [
        service.command("status").stdout, service.command("status", "--json").stdout,
        service.command("check").stdout, service.command("check").stderr,
        str(service.command("check", "--live")),
        service.command("convert", "1", "USD").stdout, str(service.rates("2021-05-18")),
        str(service.ask("control.sock", {"op": "status"})),
    ]
    service.stop()
    assert not found_in("\n".join(shown))
    bare = [line for line in service.log().splitlines() if found_in(line)]
    assert "upstream_error" in service.log() and not bare


def test_no_secret_in_command_lines_and_foreign_environments(start, upstream):
    """What /proc shows of each process."""
    service = start(upstream, **secret_settings(upstream))
    needed = {"wsclient": "W", "ratefetcher": "R", "monitor": "M"}
    who_reads = readers()
    for name, pid in service.pids().items():
        assert not found_in(Path(f"/proc/{pid}/cmdline").read_bytes().decode("latin-1"))
        assert not found_in(Path(f"/proc/{pid}/comm").read_text())
        environment = Path(f"/proc/{pid}/environ").read_bytes().decode("latin-1")
        for setting, texts in SECRETS.items():
            if name in needed and needed[name] not in who_reads[setting]:
                assert not [t for t in texts if t in environment], (name, setting)


@pytest.mark.skipif(VALGRIND, reason="has wrappers of its own")
def test_each_helper_gets_only_the_variables_that_it_needs(make_service, upstream):
    """As they are given to it, before it can clear anything."""
    dump = 'env >"{0}/env-$$-{1}"; tr "\\0" " " </proc/$$/cmdline >"{0}/args-$$-{1}"; '
    service = make_service(secret_settings(upstream) | {"UNKNOWN_SECRET": "Unk9nownQ"},
                           wrappers={"wsclient": 'exec {real} "$@"'})
    for name in ("wsclient", "ratefetcher", "supervisor"):
        real = service.build / f"real-{name}"
        path = service.build / name
        if name == "wsclient":
            path.write_bytes((BUILD / name).read_bytes())
        path.rename(real)
        real.chmod(0o755)
        path.write_text("#!/bin/sh\n" + dump.format(service.folder, name)
                        + f'exec {real} "$@"\n')
        path.chmod(0o755)
    service.program = "real-supervisor"  # its monitor is started through the wrapper
    service.launch()
    wait_until(lambda: (service.status_or_none() or {}).get("ready"), "readiness")
    who_reads = readers()
    letters = {"wsclient": "W", "ratefetcher": "R", "supervisor": "M"}
    for name, letter in letters.items():
        (path,) = service.folder.glob(f"env-*-{name}")
        given = dict(line.split("=", 1) for line in path.read_text().splitlines())
        for setting in who_reads:
            if letter not in who_reads[setting]:
                assert setting not in given, (name, setting)
        assert "UNKNOWN_SECRET" not in given
        wanted = {n for n in ("REQUESTS_WS_URL", "WS_AUTHORIZATION") if letter == "W"}
        wanted |= {n for n in ("FREECURRENCYAPI_KEY", "REDIS_URL") if letter == "R"}
        assert wanted <= set(given)
        (path,) = service.folder.glob(f"args-*-{name}")
        assert not found_in(path.read_text())


def test_a_wsclient_knows_its_own_upstream_only(make_service):
    """With several, each gets one address."""
    with Upstream(path="/a?k=Que3ryQ") as one, Upstream(path="/b?k=Oth0erQ") as two:
        service = make_service({"REQUESTS_WS_URL": f"{one.url} {two.url}"}).start()
        assert stake_of(one.link.ask(message())) == "207.55196"
        titles = "\n".join(service.titles().values())
        assert "/a" in titles and "/b" in titles
        assert "Que3ryQ" not in titles and "Oth0erQ" not in titles
        assert "Que3ryQ" not in service.log() and "Oth0erQ" not in service.log()
        told = service.command("status", "--json").stdout
        assert "Que3ryQ" not in told and f"127.0.0.1:{one.port}/a" in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_others_cannot_read_the_environment(start, upstream):
    """/proc/PID/environ is the owner's."""
    for pid in start(upstream).pids().values():
        assert Path(f"/proc/{pid}/environ").stat().st_mode & 0o077 == 0
