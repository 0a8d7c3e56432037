"""supervisor log-level: other lines from now on, without a restart."""
import os
import signal

from amounts import message
from waiting import wait_until


def set_level(service, word):
    done = service.command("log-level", word)
    assert done.returncode == 0, done.stderr


def refused(upstream, currency):
    """A request that has no rate, of which wsclient tells at debug, once."""
    answer = upstream.link.ask(message("1", "2", f'"{currency}"'))
    assert "Unable" in answer


def test_all_processes_take_it_at_once(start, upstream):
    service = start(upstream)
    before = service.pids()
    refused(upstream, "XYA")
    assert "rates_refused" not in service.log()
    set_level(service, "DEBUG")
    service.wait_log("log_level_set log_level=debug")
    refused(upstream, "XYB")
    service.wait_log("DEBUG wsclient.*rates_refused")
    assert service.pids() == before
    set_level(service, "error")
    count = service.log().count("rates_refused")
    refused(upstream, "XYC")
    upstream.link.send('{"type":"odd"}')
    service.command("restart", "monitor")
    service.kill("ratefetcher")  # it is told of by an error
    service.wait_log("died.*process=ratefetcher")
    log = service.log()
    assert log.count("rates_refused") == count
    assert "message_ignored" not in log and "restart_asked_for" not in log


def test_those_started_later_have_it_until_the_next_reload(start, upstream):
    """A supervisor too, which the watchdog tells."""
    service = start(upstream)
    set_level(service, "error")
    before = len(service.log())
    service.wait_respawn("wsclient", service.kill("wsclient"))
    old = service.pids()["supervisor"]
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: service.status_or_none() and service.pids()["supervisor"] != old,
               "another supervisor")
    service.wait_ready()
    new = service.log()[before:]
    assert "died process=supervisor" in new and "died process=wsclient" in new
    assert {line.split()[1] for line in new.splitlines()} == {"ERROR"}
    assert service.command("reload").returncode == 0
    service.wait_log("INFO supervisor.*reloaded")
    service.wait_respawn("wsclient", service.kill("wsclient"))
    service.wait_log("INFO wsclient.*connected", count=2)


def test_the_watchdog_takes_it(start, upstream):
    """It goes back at a reload: the next supervisor speaks as is set."""
    service = start(upstream)
    set_level(service, "error")
    assert service.command("reload").returncode == 0
    service.kill("supervisor")
    service.wait_log("INFO supervisor.* started", count=2)
    service.wait_ready()


def test_a_level_that_there_is_not(start, upstream):
    service = start(upstream)
    done = service.command("log-level", "loud")
    assert done.returncode == 64 and not done.stdout
    assert done.stderr == "WORD must be debug, info, warn or error\n"
    refused(upstream, "XYD")
    assert "rates_refused" not in service.log()
