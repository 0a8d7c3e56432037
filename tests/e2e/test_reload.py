"""restart and reload: who is started anew, and that nothing is lost by it."""
import os
import re
import signal
from base64 import b64decode

import pytest

from amounts import euro, message, read_rates, stake_of
from load import Load
from upstream import Upstream
from waiting import holds_for, wait_until

HELPERS = ["wsclient", "ratefetcher", "monitor"]
RATES = read_rates()


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def write_env(service, **settings):
    """Puts another .env in the place of the old one."""
    new = service.folder / "env.new"
    new.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
    new.rename(service.folder / ".env")


def reloads(service):
    return len(re.findall(r" reload(ed|_refused) ", service.log()))


def reload(service, how="command"):
    """Asks for it in one of the two ways, and waits for its effect."""
    before = reloads(service)
    if how == "command":
        done = service.command("reload")
        assert done.returncode == 0, done.stderr
    else:
        service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: reloads(service) > before, "a reload")


# They overwrite it themselves, so it is noted before.
NOTE = 'env >given.new && mv given.new given.$$; exec {real} "$@"'
NOTING = {"wsclient": NOTE.replace("new", "w"), "ratefetcher": NOTE.replace("new", "r")}


def settings_of(service, pid):
    """The environment that a wsclient or a ratefetcher was given."""
    lines = (service.folder / f"given.{pid}").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def wait_changed(service, before, names):
    """Waits until these helpers, and no others, are new ones and ready."""

    def changed():
        status = service.status()
        return all(h["pid"] and h["state"] == "ready" for h in status["helpers"]) and \
            {h["name"] for h in status["helpers"] if h["pid"] != before[h["name"]]} == set(names)

    wait_until(changed, f"another {names}")
    service.wait_ready()


@pytest.fixture
def with_file(make_service, upstream):
    """with_file(NAME=value...) gives a ready service whose settings are in a file."""

    def begin(args=(), **settings):
        service = make_service({}, args=args, wrappers=NOTING)
        write_env(service, REQUESTS_WS_URL=upstream.url, **settings)
        return service.start()

    return begin


# restart

@pytest.mark.parametrize("name", HELPERS)
def test_restart(start, upstream, name):
    """That helper alone, in order; it is no death."""
    service = start(upstream)
    before = service.pids()
    assert_works(upstream.link)
    done = service.command("restart", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wait_changed(service, before, [name])
    assert service.helper(name)["deaths"] == 0
    assert "died" not in service.log()
    if name == "wsclient":
        upstream.wait_link(2)
        assert upstream.links[0].close_code == 1001
    else:
        assert len(upstream.links) == 1
    assert_works(upstream.link)


@pytest.mark.parametrize("name", ["supervisor", "wsclient2", ""])
def test_restart_of_an_unknown_helper(start, upstream, name):
    service = start(upstream)
    before = service.pids()
    done = service.command("restart", name)
    assert done.returncode == 64
    assert all(helper in done.stderr for helper in HELPERS)
    assert len(done.stderr.splitlines()) == 1
    assert service.pids() == before


@pytest.mark.parametrize("words", [["restart", "wsclient"], ["reload"]])
def test_without_a_service(make_service, upstream, words):
    done = make_service({"REQUESTS_WS_URL": upstream.url}).command(*words)
    assert done.returncode == 69
    assert "RUNTIME_DIR" in done.stderr and len(done.stderr.splitlines()) == 1


def test_restart_of_all_wsclients(make_service):
    """They have one name."""
    with Upstream() as one, Upstream() as two:
        service = make_service({"REQUESTS_WS_URL": f"{one.url} {two.url}"}).start()
        assert service.command("restart", "wsclient").returncode == 0
        for up in (one, two):
            up.wait_link(2)
            assert_works(up.link)


def test_requests_in_hand_are_answered_across_a_restart(start, upstream):
    """Before the old wsclient ends, or by the new one."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS=30, SHUTDOWN_GRACE_SECONDS=20)
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(*(message(str(i), date='"2021-05-19"') for i in range(10)))
        service.wait_counter("fxwire_pending", 10)
        assert service.command("restart", "wsclient").returncode == 0
        wait_until(lambda: service.helper("wsclient")["state"] == "stopping", "a stop")
    upstream.wait_link(2)
    answers = [a for each in upstream.links for a in each.answers]
    assert {stake_of(a) for a in answers} == {euro("253.67", RATES["2021-05-19"]["USD"])}
    assert len(answers) == 10
    assert link.close_code == 1001
    assert_works(upstream.link)


@pytest.mark.parametrize("name", HELPERS)
def test_a_restart_under_load(start, upstream, name):
    """200 requests a second, and not one is lost."""
    service = start(upstream, RECONNECT_MAX_SECONDS="0.1")
    before = service.pids()
    with Load(upstream) as load:
        assert service.command("restart", name).returncode == 0
        wait_changed(service, before, [name])
        holds_for(0.3, lambda: True, "")
    answers = load.wait_answered("207.55196")
    if name != "wsclient":
        assert answers == load.asked and len(upstream.links) == 1


# reload

@pytest.mark.parametrize("how", ["command", "SIGHUP"])
def test_a_reload_without_a_change(with_file, upstream, how):
    """Starts no helper anew."""
    service = with_file()
    before = service.pids()
    reload(service, how)
    service.wait_log("reloaded helpers_restarted=0")
    holds_for(0.3, lambda: service.pids() == before, "the same helpers")
    assert_works(upstream.link)
    assert len(upstream.links) == 1


@pytest.mark.parametrize("name, value, concerned", [
    ("HEARTBEAT_INTERVAL_SECONDS", "0.5", ["wsclient"]),
    ("WS_PROTOCOL", "chat", ["wsclient"]),
    ("WS_ORIGIN", "null", ["wsclient"]),
    ("CACHE_TTL_SECONDS", "100", ["ratefetcher"]),
    ("REQUEST_TIMEOUT_SECONDS", "4", ["wsclient", "ratefetcher"]),
    ("LOGS_EXPIRATION_DAYS", "3", ["monitor"]),
    ("LOG_LEVEL", "debug", HELPERS),
    ("ALERT_COMMAND", "/bin/true", []),
    ("DEBUG_WAIT", "monitor", []),
])
@pytest.mark.parametrize("how", ["command", "SIGHUP"])
def test_only_those_concerned_are_started_anew(with_file, upstream, name, value, concerned, how):
    """With the new value, and with the old one again."""
    service = with_file()
    for settings in ({name: value}, {}):
        before = service.pids()
        write_env(service, REQUESTS_WS_URL=upstream.url, **settings)
        reload(service, how)
        wait_changed(service, before, concerned)
        after = service.pids()
        assert after["supervisor"] == before["supervisor"]
        for helper in set(concerned) - {"monitor"}:
            given = settings_of(service, after[helper])
            assert (given.get(name) == value) == bool(settings)
        assert service.status()["helpers"][0]["deaths"] == 0
    assert_works(upstream.link)


def test_the_new_values_are_in_force(with_file, upstream):
    service = with_file()
    assert_works(upstream.link)
    write_env(service, REQUESTS_WS_URL=upstream.url, MAX_MESSAGE_BYTES="64")
    reload(service)
    link = upstream.wait_link(2)
    assert "error" in link.ask(message())


def test_a_value_of_the_environment_does_not_change(make_service, upstream):
    """It wins over the file's."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "CACHE_TTL_SECONDS": "50"},
                           wrappers=NOTING).start()
    before = service.pids()
    write_env(service, CACHE_TTL_SECONDS="60")
    reload(service)
    assert service.pids() == before
    assert settings_of(service, before["ratefetcher"])["CACHE_TTL_SECONDS"] == "50"


@pytest.mark.parametrize("how", ["command", "SIGHUP"])
def test_an_upstream_is_added_and_removed(with_file, upstream, how):
    """The other's link stays up all the while."""
    service = with_file()
    link = upstream.link
    with Upstream(path="/other") as other:
        before = service.pids()
        write_env(service, REQUESTS_WS_URL=f"{other.url} {upstream.url}")
        reload(service, how)
        assert_works(other.wait_link())
        assert len(service.status()["upstreams"]) == 2
        assert before["wsclient"] in [h["pid"] for h in service.status()["helpers"]]
        service.wait_ready()
        assert_works(link)
        write_env(service, REQUESTS_WS_URL=upstream.url)
        reload(service, how)
        other.links[0].wait_end()
        assert other.links[0].close_code == 1001
        wait_until(lambda: len(service.status()["upstreams"]) == 1, "a row less", 3)
        assert service.pids() == before
        assert len(other.links) == 1
    assert_works(link)
    assert len(upstream.links) == 1
    assert service.status()["ready"] is True


def test_an_upstream_is_replaced(with_file, upstream):
    """By its like at another address; what is in hand of the old is answered."""
    service = with_file(REQUEST_TIMEOUT_SECONDS="30", SHUTDOWN_GRACE_SECONDS="20")
    link = upstream.link
    with Upstream() as other:
        with service.pause("ratefetcher"):
            link.send(*(message(str(i), date='"2021-05-19"') for i in range(5)))
            service.wait_counter("fxwire_pending", 5)
            write_env(service, REQUESTS_WS_URL=other.url, REQUEST_TIMEOUT_SECONDS="30",
                      SHUTDOWN_GRACE_SECONDS="20")
            reload(service)
        link.wait_end()
        assert len(link.answers) == 5 and link.close_code == 1001
        assert_works(other.wait_link())
        service.wait_ready()


BAD = {
    "a bad value": "LOG_LEVEL=loud\n",
    "no upstream": "CACHE_TTL_SECONDS=5\n",
    "a bad line": "REQUESTS_WS_URL ws://127.0.0.1/\n",
    "two bad values": "REQUESTS_WS_URL=ftp://a/\nCACHE_TTL_SECONDS=x\n",
    "no file": None,
    "a folder": True,
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_configuration_is_refused(with_file, upstream, what):
    """Exit 78 with the reason, a line in the log, and the old values stay."""
    service = with_file(CACHE_TTL_SECONDS="50")
    before = service.pids()
    text, path = BAD[what], service.folder / ".env"
    path.unlink()
    if text is True:
        path.mkdir()
    elif text is not None:
        more = "" if "REQUESTS" in text or what == "no upstream" else \
            f"REQUESTS_WS_URL={upstream.url}\n"
        path.write_text(more + text)
    done = service.command("reload")
    assert done.returncode == 78
    assert done.stderr.strip()
    service.process.send_signal(signal.SIGHUP)
    line = service.wait_log("ERROR supervisor.*reload_refused")
    for word in ("LOG_LEVEL", "CACHE_TTL_SECONDS=x"):
        if text not in (None, True) and word in text:
            assert word.split("=")[0] in line and word.split("=")[0] in done.stderr
    holds_for(0.3, lambda: service.pids() == before, "the same helpers")
    assert_works(upstream.link)
    # Later deaths do not bring the bad values in either.
    pid = service.kill("ratefetcher")
    pid = service.wait_respawn("ratefetcher", pid)
    assert settings_of(service, pid)["CACHE_TTL_SECONDS"] == "50"
    if text is True:
        path.rmdir()
    write_env(service, REQUESTS_WS_URL=upstream.url)
    reload(service)
    assert_works(upstream.link)


def test_the_file_of_an_option_may_not_be_missing(make_service, upstream):
    service = make_service({"REQUESTS_WS_URL": upstream.url}, args=["--env-file", "settings"])
    path = service.folder / "settings"
    path.write_text("CACHE_TTL_SECONDS=50\n")
    service.start()
    before = service.pids()
    path.unlink()
    # The command has its own file; the service's is the one that is gone.
    done = service.command("reload")
    assert done.returncode == 78 and "settings" in done.stderr
    service.wait_log("reload_refused")
    assert service.pids() == before


def test_the_runtime_folder_cannot_change(with_file, upstream):
    service = with_file()
    before = service.pids()
    service.stop()
    url, other = upstream.url, service.folder / "other"
    run = service.env.pop("RUNTIME_DIR")
    write_env(service, REQUESTS_WS_URL=url, RUNTIME_DIR=run)
    service.start()
    before = service.pids()
    write_env(service, REQUESTS_WS_URL=url, RUNTIME_DIR=other, LOG_LEVEL="debug")
    done = service.command("reload", env={"RUNTIME_DIR": run})
    assert done.returncode == 78 and "RUNTIME_DIR" in done.stderr
    service.wait_log("reload_refused.*RUNTIME_DIR")
    write_env(service, REQUESTS_WS_URL=url, RUNTIME_DIR=run)
    assert service.pids() == before
    assert not other.exists()
    assert_works(upstream.link)


@pytest.mark.parametrize("name, value", [
    ("CACHE_TTL_SECONDS", "100"), ("HEARTBEAT_INTERVAL_SECONDS", "0.5"), ("LOG_LEVEL", "warn"),
])
def test_a_reload_under_load(with_file, upstream, name, value):
    """200 requests a second, three reloads, and not one is lost."""
    service = with_file(RECONNECT_MAX_SECONDS="0.1")
    with Load(upstream) as load:
        for number in range(3):
            more = {name: value} if number % 2 == 0 else {}
            asked = load.asked
            write_env(service, REQUESTS_WS_URL=upstream.url, RECONNECT_MAX_SECONDS="0.1", **more)
            before = reloads(service) if name != "LOG_LEVEL" else None
            assert service.command("reload").returncode == 0
            service.wait_ready()
            if before is not None:
                wait_until(lambda b=before: reloads(service) > b, "a reload")
            wait_until(lambda a=asked: load.asked > a + 50, "a load")
    answers = load.wait_answered("207.55196")
    if name == "CACHE_TTL_SECONDS":
        assert answers == load.asked and len(upstream.links) == 1


def test_a_reload_while_a_helper_waits_for_its_start(make_service, upstream):
    """A concerned one is started at once, with the new values."""
    service = make_service({}, wrappers={
        "ratefetcher": '[ "$CACHE_TTL_SECONDS" = 100 ] && exec {real} "$@"; exit 1'})
    write_env(service, REQUESTS_WS_URL=upstream.url)
    service.launch()
    service.wait_log("died.*ratefetcher", count=4)
    write_env(service, REQUESTS_WS_URL=upstream.url, CACHE_TTL_SECONDS="100")
    reload(service)
    service.wait_ready()
    assert_works(upstream.link)


def test_many_reloads_in_a_row(with_file, upstream):
    """The last one counts."""
    service = with_file(SHUTDOWN_GRACE_SECONDS="1")
    for number in range(20):
        write_env(service, REQUESTS_WS_URL=upstream.url, SHUTDOWN_GRACE_SECONDS="1",
                  CACHE_TTL_SECONDS=str(100 + number))
        os.kill(service.process.pid, signal.SIGHUP)
    service.command("reload")

    def is_last():
        helper = service.helper("ratefetcher")
        return helper["state"] == "ready" and \
            settings_of(service, helper["pid"])["CACHE_TTL_SECONDS"] == "119"

    wait_until(is_last, "the last value")
    service.wait_ready()
    assert len(service.processes()) == 5
    assert_works(upstream.link)


def test_a_restart_of_one_that_hangs(start, upstream):
    """It is killed once its grace is over."""
    service = start(upstream, SHUTDOWN_GRACE_SECONDS="0.2")
    with service.pause("ratefetcher") as paused:
        assert service.command("restart", "ratefetcher").returncode == 0
        service.wait_respawn("ratefetcher", paused.pid, 2)
    assert stake_of(upstream.link.ask(message(date='"2021-05-19"')))
    assert "hangs" not in service.log()


def test_an_upstream_that_comes_back_while_it_goes(with_file, upstream):
    """The one that stops answers what it has; the new one takes over."""
    more = {"REQUEST_TIMEOUT_SECONDS": "30", "SHUTDOWN_GRACE_SECONDS": "20"}
    with Upstream(path="/other") as other:
        service = with_file(**more)
        link = upstream.link
        with service.pause("ratefetcher"):
            link.send(*(message(str(i), date='"2021-05-19"') for i in range(5)))
            service.wait_counter("fxwire_pending", 5)
            write_env(service, REQUESTS_WS_URL=other.url, **more)
            reload(service)
            wait_until(lambda: service.helper("wsclient")["state"] == "stopping", "a stop")
            write_env(service, REQUESTS_WS_URL=upstream.url, **more)
            reload(service)
        link.wait_end()
        wait_until(lambda: sum(len(each.answers) for each in upstream.links) == 5, "answers")
        wait_until(lambda: len(service.status()["upstreams"]) == 1, "one wsclient", 3)
        service.wait_ready()
        assert_works(upstream.link)
        assert len(upstream.links) == 2


def test_an_upstream_with_another_password_keeps_its_wsclient(make_service, upstream):
    """The new one starts when the old one is gone: two would fight for the ledger."""
    service = make_service({})
    address = upstream.url.removeprefix("ws://")
    write_env(service, REQUESTS_WS_URL=f"ws://me:first@{address}", SHUTDOWN_GRACE_SECONDS=20,
              REQUEST_TIMEOUT_SECONDS=30)
    service.start()
    before = service.pids()

    def wsclients():
        return [h["name"] for h in service.status()["helpers"]].count("wsclient")

    with service.pause("ratefetcher"):
        upstream.link.send(message("1", date='"2021-05-19"'))
        service.wait_counter("fxwire_pending", 1)
        write_env(service, REQUESTS_WS_URL=f"ws://me:second@{address}",
                  SHUTDOWN_GRACE_SECONDS=20, REQUEST_TIMEOUT_SECONDS=30)
        reload(service)
        holds_for(1.5, lambda: wsclients() == 1, "one wsclient")
    wait_changed(service, before, ["wsclient"])
    assert wsclients() == 1 and "died" not in service.log()
    upstream.wait_link(2)
    sent = [b64decode(link.headers["Authorization"].removeprefix("Basic ")).decode()
            for link in upstream.links]
    assert sent == ["me:first", "me:second"]
    assert_works(upstream.link)
