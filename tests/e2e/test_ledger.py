"""The ledger: its file where it is foreign or can not be had, its bounds, and poison."""
import contextlib
import json
import os
import re
import subprocess

import pytest

from amounts import error, message, stake_of
from load import Load
from places import BUILD, SCALE
from service import kill_all
from waiting import Stalls, wait_until

PATIENT = {"REQUEST_TIMEOUT_SECONDS": 30, "RECONNECT_MAX_SECONDS": "0.1",
           "HEARTBEAT_TIMEOUT_SECONDS": 30}
FULL = "too many messages are in hand"


def assert_works(link):
    assert stake_of(link.ask(message())) == "207.55196"


def ledger_of(service):
    """The path of its only ledger."""
    files = list(service.runtime_dir.glob("ledger-*"))
    assert len(files) == 1, files
    return files[0]


def kill_whole(service):
    kill_all(service.processes())
    service.process.wait()
    service.assert_gone()


def test_the_file(start, upstream):
    """It is the user's alone, short, without holes, and gone after a clean end."""
    service = start(upstream, PENDING_MAX_BYTES="1000000")
    assert_works(upstream.link)
    status = ledger_of(service).stat()
    assert status.st_mode & 0o777 == 0o600
    assert 262144 <= status.st_size < 300000 and status.st_blocks * 512 >= status.st_size
    assert service.stop() == 0
    assert not list(service.runtime_dir.glob("ledger-*"))


def put(data, at, new):
    return data[:at] + new + data[at + len(new):]


# Magic, version and boot id stand at its front.
STRANGE = {
    "text": lambda data: b"somebody's text\n",
    "another version": lambda data: put(data, 8, b"\x63"),
    "an earlier boot": lambda data: put(data, 12, b"01234567-89ab-cdef-0123-456789abcdef"),
    "cut short": lambda data: data[:20000],
    "damaged": lambda data: put(data, 4096, os.urandom(16)),
}


def test_a_file_that_is_not_ours_is_set_aside(start, upstream):
    """With a word in the log; the service starts with an empty one."""
    service = start(upstream, PENDING_MAX_BYTES=65536, **PATIENT)
    for i, (name, change) in enumerate(STRANGE.items(), 1):
        with service.pause("ratefetcher"):
            upstream.link.send(message(f'"{name}"', date='"2021-05-19"'))
            upstream.link.wait_received()
            kill_whole(service)
        path = ledger_of(service)
        strange = change(path.read_bytes())
        path.write_bytes(strange)
        service.launch()
        assert_works(upstream.wait_link(i + 1))
        assert len(upstream.link.answers) == 1, "it came from that file"
        service.wait_log("WARN wsclient.* ledger_set_aside", count=i)
        aside = path.with_name(path.name + ".aside")
        assert aside.read_bytes() == strange
        aside.unlink()
        service.wait_ready()


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of that size in the folder; only root can make one."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs",
                           folder], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {made.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk(make_service, upstream):
    """A warning; it works from memory, and leaves no part of a file."""
    service = make_service({"REQUESTS_WS_URL": upstream.url} | PATIENT)
    with small_disk(service.runtime_dir, "128k"):
        service.start()
        assert_works(upstream.link)
        line = service.wait_log("ledger_in_memory_only")
        assert " WARN " in line and "No space left on device" in line
        assert not list(service.runtime_dir.glob("ledger-*"))
        # All the same, nothing is lost by a break.
        with service.pause("ratefetcher"):
            upstream.link.send(message("1", date='"2021-05-19"'))
            upstream.link.wait_received()
            upstream.link.reset()
            second = upstream.wait_link(2)
        second.wait_answers(1)
        assert service.stop() == 0


def test_a_disk_that_becomes_full(make_service, upstream):
    """No more is taken than fits, which is told once; what was taken is answered."""
    service = make_service({"REQUESTS_WS_URL": upstream.url} | PATIENT)
    with small_disk(service.runtime_dir, "1m"):
        service.start()
        link = upstream.link
        [ledger] = service.runtime_dir.glob("ledger-*")
        assert ledger.stat().st_blocks * 512 < 300000
        count = 3000
        with service.pause("ratefetcher"):
            link.send(*(message(str(i)) for i in range(count)))
            link.wait_received()
            wait_until(lambda: len(link.answers) + service.counter("fxwire_pending") == count,
                       "refusals")
            refused = [json.loads(answer)["id"] for answer in link.answers]
            assert set(link.answers) == {error(FULL, str(i)) for i in refused}
            assert refused == list(range(count - len(refused), count)), "the newest were refused"
            assert 1000 < len(refused) < 2700
            service.wait_log("alert=ledger_not_grown")
            assert len(re.findall(r"ERROR wsclient\[\d+\] ledger_not_grown .*No space left",
                                  service.log())) == 1
            [status] = service.status()["upstreams"]
            assert 500000 < status["ledger_max_bytes"] < 1 << 20
        answers = link.wait_answers(count)[len(refused):]
        assert [json.loads(answer)["id"] for answer in answers] == list(range(count - len(refused)))
        assert {stake_of(answer) for answer in answers} == {"207.55196"}
        service.wait_counter("fxwire_pending", 0)
        assert_works(link)
        wait_until(lambda: ledger.stat().st_blocks * 512 < 300000, "room given back", 20)
        assert service.stop() == 0


def test_a_full_ledger(start, upstream):
    """New requests are refused at once; beats go on; what was taken is answered."""
    service = start(upstream, PENDING_MAX_BYTES=65536, HEARTBEAT_INTERVAL_SECONDS="0.2", **PATIENT)
    link = upstream.link
    count = 400
    with service.pause("ratefetcher"), Stalls() as stalls:
        before = len(link.beats)
        link.send(*(message(str(i)) for i in range(count)))
        link.wait_received()
        wait_until(lambda: len(link.answers) + service.counter("fxwire_pending") == count
                   and link.answers, "refusals")
        refused = list(link.answers)
        wait_until(lambda: len(link.beats) > before + 5, "heartbeats")
        beats = link.beats[before:]
    ids = [json.loads(answer)["id"] for answer in refused]
    assert ids == list(range(count - len(ids), count)), "the newest were refused"
    assert refused == [error(FULL, str(i)) for i in ids]
    assert max(b - a for a, b in zip(beats, beats[1:])) < 0.25 * SCALE + 2 * stalls.worst
    assert count - len(ids) > 30
    answers = link.wait_answers(count)[len(refused):]
    assert [json.loads(answer)["id"] for answer in answers] == list(range(count - len(ids)))
    assert {stake_of(answer) for answer in answers} == {"207.55196"}
    service.wait_counter('fxwire_requests_total{result="full"}', len(refused))
    assert_works(link)


def test_a_message_that_no_room_can_hold(start, upstream):
    """Refused by a reason of its own, with its id; the next one is answered."""
    start(upstream, PENDING_MAX_BYTES=4096)
    padding = " " * 3000
    link = upstream.link
    assert link.ask(padding + message('"large"')) == error(
        "the message is larger than PENDING_MAX_BYTES can hold", '"large"')
    assert_works(link)


def test_one_that_waits_keeps_no_room_from_others(start, upstream):
    """Many times the ledger's room passes by the oldest message."""
    service = start(upstream, PENDING_MAX_BYTES=65536, **PATIENT)
    link = upstream.link
    assert_works(link)
    with service.pause("ratefetcher"):
        link.send(message('"waits"', date='"2021-05-19"'))
        for i in range(40):
            link.send(*(message(str(i)) for i in range(20)))
            link.wait_answers(1 + 20 * (i + 1))
        assert {stake_of(answer) for answer in link.answers} == {"207.55196"}
    assert '"waits"' in link.wait_answers(802)[-1]
    assert service.counter('fxwire_requests_total{result="full"}') == 0


def test_a_reload_of_wsclient_under_load(make_service, upstream):
    """A larger and a smaller ledger, another interval: nothing is lost."""
    service = make_service({})

    def write_env(**settings):
        settings = {"REQUESTS_WS_URL": upstream.url, "RECONNECT_MAX_SECONDS": "0.1"} | settings
        (service.folder / ".env").write_text(
            "".join(f"{name}={value}\n" for name, value in settings.items()))

    write_env(PENDING_MAX_BYTES=200000)
    service.start()
    with Load(upstream) as load:
        for settings in ({"PENDING_MAX_BYTES": 2000000}, {"PENDING_MAX_BYTES": 100000},
                         {"HEARTBEAT_INTERVAL_SECONDS": "0.5"}):
            pid = service.pids()["wsclient"]
            links, asked = len(upstream.links), load.asked
            write_env(**settings)
            assert service.command("reload").returncode == 0
            upstream.wait_link(links + 1)
            service.wait_respawn("wsclient", pid)
            wait_until(lambda before=asked: load.asked > before + 100, "requests after it")
    load.wait_answered("207.55196")
    assert "ledger_set_aside" not in service.log()
    assert service.helper("wsclient")["deaths"] == 0


POISONED = BUILD / "poisoned" / "wsclient"


@pytest.mark.skipif(not POISONED.exists(), reason=f"{POISONED} is not there: say make test")
@pytest.mark.parametrize("word, ident", [("poison", None), ("venom", "venom")])
def test_a_message_that_kills_its_handler(make_service, upstream, word, ident):
    """
    After two deaths it is answered by an error, with its id if that had been
    read, and is kept for a person. All others live on.
    """
    deadly = message(f'"{word}"', "1", '"EUR"')
    service = make_service({"REQUESTS_WS_URL": upstream.url} | PATIENT,
                           wrappers={"wsclient": f'exec {POISONED} "$@"'}).start()
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(*(message(str(i)) for i in range(10)))
        link.wait_received()
        link.send(deadly)
        second = upstream.wait_link(2)
        told = json.loads(second.wait_answers(1)[0])
        assert (told["type"], told["id"]) == ("error", ident)
        assert told["message"].startswith("Unable to convert stake. Error: ")
    answers = second.wait_answers(11)[1:]
    assert sorted(json.loads(answer)["id"] for answer in answers) == list(range(10))
    assert {stake_of(answer) for answer in answers} == {"207.55196"}
    assert_works(second)
    assert service.helper("wsclient")["deaths"] == 2
    files = list((service.folder / "state" / "quarantine").iterdir())
    assert [file.read_text() for file in files] == [deadly]
    assert files[0].stat().st_mode & 0o777 == 0o600
    service.wait_log("ERROR wsclient.* message_quarantined path=")
    service.wait_log(r" alert alert=message_quarantined subject=\S*wsclient")
    service.wait_counter('fxwire_requests_total{result="quarantined"}', 1)
    # The same again is a message of its own.
    second.send(deadly)
    wait_until(lambda: any('"error"' in a for a in upstream.wait_link(3).answers), "an error")
    assert service.helper("wsclient")["deaths"] == 4
    assert len(list(files[0].parent.iterdir())) == 2
