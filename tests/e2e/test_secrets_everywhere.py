"""Secrets: every one in force is looked for in all that a busy service leaves and shows."""
import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from amounts import message, stake_of
from places import TOP
from ports import on_new_port
from standins import Frankfurter
from test_secrets import ALL, SECRETS, found_in, secret_settings
from status_page import Page, unused
from waiting import wait_until

# It notes all that it is given, and what /proc shows of each process meanwhile.
ALERT = """#!/bin/sh
exec >>"$HOME/alerted" 2>&1
echo "$@"
cat
env
for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; cat $p/comm; done
"""


def routes():
    """All that is served over HTTP, from the source: a new one is looked at, too."""
    text = "".join(path.read_text() for path in (TOP / "supervisor" / "monitor").glob("*.c"))
    found = set(re.findall(r'{"(/[\w./]*)", *send', text))
    assert {"/metrics", "/healthz", "/readyz"} <= found
    return found


def what_the_upstream_knows(service):
    """A message of it that tells us what we told it."""
    return json.dumps({"type": "error", "message": "You are Usr1nameQ:Pas2wordQ, "
                       f"Bearer Aut4horQ, {service.env['REQUESTS_WS_URL']}, ?k=Que3ryQ"})


@pytest.fixture
def eventful(make_service, upstream):
    """A service with all its outputs, after all kinds of events."""
    with Frankfurter({"USD": "1.6"}) as api:
        port = on_new_port(unused)
        service = make_service(args=["--show-messages"])
        (service.folder / "alert").write_text(ALERT)
        (service.folder / "alert").chmod(0o755)
        service.env |= secret_settings(upstream) | {
            "ALERT_COMMAND": str(service.folder / "alert"),
            "LOGS_DIR": str(service.folder / "logs"), "AUDIT_DIR": str(service.folder / "audit"),
            "STATUS_LISTEN": f"127.0.0.1:{port}", "FRANKFURTER_URL": api.url,
            "RATE_PROVIDERS": "freecurrencyapi exchangeratehost exchangerateapi openexchangerates "
                              "fixer currencyapi frankfurter"}
        for name in ("FREECURRENCYAPI", "EXCHANGERATEHOST", "EXCHANGERATEAPI",
                     "OPENEXCHANGERATES", "FIXER", "CURRENCYAPI"):
            service.env[f"{name}_URL"] = "http://127.0.0.1:1"
        service.start()
        for i in range(5):
            assert stake_of(upstream.link.ask(message(str(i), "16"))) == "10"
        upstream.link.ask('{"type":"message","id":1}')
        upstream.link.send(what_the_upstream_knows(service))
        upstream.refuse = (401, [("X-Why", "Aut4horQ")], b"Bearer Aut4horQ is not good")
        upstream.link.reset()
        wait_until((service.folder / "alerted").exists, "an alert")
        upstream.refuse = None
        wait_until(lambda: service.status()["ready"], "a link")
        for name in ("ratefetcher", "wsclient", "monitor"):
            service.wait_respawn(name, service.kill(name, signal.SIGSEGV))
        service.wait_ready()
        yield service, Page(port)


def files_of(service):
    """{path: bytes} of all that it has written."""
    return {path: path.read_bytes() for path in service.folder.rglob("*") if path.is_file()}


def test_what_it_shows(eventful):
    service, page = eventful
    wait_until(lambda: page.get("/readyz")[0] == 200, "it is served")
    shown = {path: page.get(path)[1] for path in routes()}
    for words in (["status"], ["status", "--json"], ["top", "--once"], ["check"],
                  ["check", "--live"], ["rates"], ["convert", "1", "USD"], ["--help"],
                  ["alert-test"]):
        done = service.command(*words)
        shown[" ".join(words)] = done.stdout + done.stderr
    assert all(shown.values())
    assert {what: found_in(text) for what, text in shown.items() if found_in(text)} == {}


def test_what_it_writes(eventful):
    """Logs, audit, alerts, quarantine, counts of calls, messages in hand."""
    service, _ = eventful
    assert service.stop() == 0
    files = files_of(service)
    (log,) = (service.folder / "logs").iterdir()
    assert b"upstream_error" in files[log] and b"crashed" in files[log]
    assert b"handshake_refused" in files[service.folder / "alerted"]
    (audit,) = (service.folder / "audit").iterdir()
    assert files[audit].count(b"\n") >= 6
    for path, data in files.items():
        assert found_in(data.decode("latin-1")) == [], path


def test_what_it_writes_by_json(make_service, upstream):
    """The other format escapes what it quotes."""
    service = make_service(secret_settings(upstream) | {"LOG_FORMAT": "json"})
    service.env["LOGS_DIR"] = str(service.folder / "logs")
    service.start()
    upstream.link.send(what_the_upstream_knows(service))
    wait_until(lambda: any(b"You are" in data for data in files_of(service).values()), "that line")
    assert service.stop() == 0
    for path, data in files_of(service).items():
        assert found_in(data.decode("latin-1")) == [], path


def test_what_is_seen_of_its_processes(eventful):
    """Titles and command lines of all; an environment has what its process reads alone."""
    service, _ = eventful
    processes = wait_until(lambda: len(all_of_it := service.processes()) == 5 and all_of_it,
                           "the end of the alert command")
    for process in processes:
        for name in ("cmdline", "comm", "status"):
            text = Path(f"/proc/{process}/{name}").read_bytes().decode("latin-1")
            assert found_in(text) == []
    listed = subprocess.run(["ps", "axww", "-o", "args"], check=True, capture_output=True,
                            text=True).stdout
    assert "fxwire: wsclient" in listed and found_in(listed) == []
    of_wsclient = [t for name in ("REQUESTS_WS_URL", "WS_AUTHORIZATION") for t in SECRETS[name]]
    read = {"wsclient": set(of_wsclient), "ratefetcher": set(ALL) - set(of_wsclient)}
    for name, pid in service.pids().items():
        if name not in ("watchdog", "supervisor"):
            environment = Path(f"/proc/{pid}/environ").read_bytes().decode("latin-1")
            assert set(found_in(environment)) <= read.get(name, set()), name
