"""AUDIT_DIR: a line for each answer, whatever dies, and `audit`, which recomputes them."""
import datetime
import decimal
import gzip
import json
import os
import re
import shutil
import signal

import pytest

from amounts import message, stake_of
from load import Load
from service import kill_all
from test_environments import needs, script
from test_log_files import UNUSABLE
from waiting import wait_until

STAKES = ["253.67", "0", "1e-5", "0.000005", "999999999999999", "1.25E2", "0.10", "7e14"]
CURRENCIES = ["USD", "JPY", "EUR", "GBP", "BGN", "\\u0055SD"]


def lines_of(folder):
    """What is in all its files; a day may end while a test runs."""
    text = "".join(path.read_text() for path in sorted(folder.glob("audit-*.jsonl")))
    assert text == "" or text.endswith("\n")
    return [json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines()]


def wait_lines(folder, count, seconds=10):
    wait_until(lambda: len(lines_of(folder)) >= count, f"{count} lines", seconds)
    return lines_of(folder)


def euro(line):
    """What comes of the line's own texts, by Python's decimals."""
    with decimal.localcontext() as context:
        context.prec = 200
        stake = decimal.Decimal(line["stake"])
        result = stake * decimal.Decimal(line.get("euro_rate", "1")) / decimal.Decimal(
            line.get("rate", "1"))
        result = result.quantize(decimal.Decimal("0.00001"), decimal.ROUND_HALF_UP)
    text = f"{result:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.fixture
def audited(make_service, upstream):
    """audited(settings, ...) gives a service with AUDIT_DIR, not started, and that folder."""

    def make(settings=None, **how):
        service = make_service({"REQUESTS_WS_URL": upstream.url} | (settings or {}), **how)
        folder = service.folder / "audit"
        service.env["AUDIT_DIR"] = str(folder)
        return service, folder

    return make


def recompute(service, *paths):
    done = service.command("audit", *map(str, paths))
    counts = re.fullmatch(
        r"(\d+) lines: (\d+) recomputed, (\d+) errors, (\d+) without inputs, "
        r"(\d+) differ; (\d+) twice", done.stdout.splitlines()[-1])
    assert counts, done.stdout + done.stderr
    return done, [int(count) for count in counts.groups()]


def assert_right(service, folder):
    """Nothing differs, neither to the command nor to Python, and none comes twice."""
    done, (lines, recomputed, errors, without, differ, twice) = recompute(
        service, *folder.glob("audit-*.jsonl"))
    found = lines_of(folder)
    assert done.returncode == 0, done.stdout
    assert (lines, without, differ, twice) == (len(found), 0, 0, 0)
    assert recomputed == sum("result" in line for line in found)
    assert errors == sum("error" in line for line in found)
    for line in found:
        if "result" in line:
            assert line["result"] == euro(line)
    return found


@pytest.mark.smoke
def test_each_answer_has_its_line(audited, upstream):
    """With all inputs as they were sent, and the result that was."""
    service, folder = audited()
    service.start()
    link = upstream.link
    answers = {}
    for i, stake in enumerate(STAKES):
        for j, code in enumerate(CURRENCIES):
            ident = f'"{i}/{j} \\u00e9"'
            answers[json.loads(ident)] = link.ask(message(ident, stake, f'"{code}"'))
    assert service.stop() == 0
    found = {line["id"]: line for line in assert_right(service, folder)}
    assert len(found) == len(answers) == len(lines_of(folder))
    for ident, line in found.items():
        assert line["upstream"] == f"127.0.0.1:{upstream.port}/ws"
        assert line["outcome"] == "confirmed" and line["sends"] == "1"
        assert line["received"] <= line["answered"] <= line["sent"] <= line["confirmed"]
        assert line["date"] == "2021-05-18T21:32:42.324Z"
        assert (answers[ident].startswith('{"type":"error"')) == ("error" in line)
        if "result" in line:
            assert line["result"] == stake_of(answers[ident])
        if line["currency"] == "EUR":
            assert line["layer"] == "none" and "rate" not in line
        elif "result" in line:
            assert (line["provider"], line["base"], line["as_of"]) == ("file", "EUR", "2021-05-18")
            assert int(line["age"]) >= 0 and line["layer"] in ("wsclient", "provider", "memory")
    assert next(folder.glob("audit-*")).stat().st_mode & 0o137 == 0
    assert not list(service.runtime_dir.glob("audit-*"))


def test_a_fixed_rate_is_told_as_such(audited, upstream):
    service, folder = audited()
    service.start()
    assert stake_of(upstream.link.ask(message("1", "6.55957", '"FRF"', '"2021-05-18"'))) == "1"
    assert service.stop() == 0
    line, = assert_right(service, folder)
    assert (line["rate"], line["provider"], line["layer"]) == ("6.55957", "fixed", "fixed")


def test_errors_have_their_word(audited, upstream):
    service, folder = audited({"PENDING_MAX_BYTES": "4096", "REQUEST_TIMEOUT_SECONDS": "0.5"})
    service.start()
    link = upstream.link
    for text in ("x", message("1", "-1"), message("2", date='"2021-02-30"'),
                 message("3", currency='"XXX"'), message("4", date='"1999-02-05"'),
                 message('"' + "a" * 3000 + '"')):
        link.ask(text)
    assert service.stop() == 0
    words = [line["error"] for line in assert_right(service, folder)]
    assert words.count("not_json") == 1
    assert {"not_json", "negative_stake", "impossible_date", "no_currency", "no_rates",
            "too_large"} == set(words)
    found = {line["error"]: line for line in lines_of(folder)}
    assert found["not_json"]["id"] is None
    assert found["no_currency"]["currency"] == "XXX"
    assert found["too_large"]["outcome"] == "not_kept"


@pytest.mark.parametrize("who", ["wsclient", "monitor", "supervisor", "watchdog", "all"])
def test_no_kill_costs_a_line(audited, upstream, who):
    """Nor doubles it: each answer that was confirmed has one."""
    service, folder = audited()
    service.start()
    with Load(upstream, per_second=2000) as load:
        for _ in range(4):
            asked = load.asked
            wait_until(lambda: load.asked > asked + 300, "more of the load")
            service.kill_and_go_on(who)
            service.wait_ready()
            wait_until(lambda: who == "all" or service.pids()[who], who)
    wait_until(lambda: service.counter("fxwire_pending") == 0, "all confirmed")
    assert service.stop() == 0
    found = assert_right(service, folder)
    assert {int(line["id"]) for line in found} == set(range(load.asked))
    assert not list(service.runtime_dir.glob("audit-*.ring"))


def test_what_waits_is_written_by_the_next_start(audited, upstream):
    """The folder is a file while it runs; all is killed, and then it is none."""
    service, folder = audited()
    service.start()
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way")
    upstream.link.ask(message("1"))
    service.wait_log("audit_not_written.*Not a directory")
    service.wait_delivered(1)
    kill_all(service.processes())
    service.process.wait()
    service.assert_gone()
    folder.unlink()
    service.start()
    line, = wait_lines(folder, 1)
    assert line["id"] == "1" and line["outcome"] == "confirmed"


def on_a_small_disk(folder, size):
    """A launcher whose child sees an empty disk of that size in the folder."""
    return needs("unshare", "--mount", "--propagation", "private", "sh", "-c",
                 f'mount -t tmpfs -o size={size},mode=777 fx "$0" && exec "$@"', str(folder))


def test_a_full_disk_costs_nothing_at_first(make_service, upstream, tmp_path):
    """An alert is raised; the lines wait, and are written whole once there is room."""
    folder = tmp_path / "audit"
    folder.mkdir()
    service = make_service({"REQUESTS_WS_URL": upstream.url, "AUDIT_DIR": folder},
                           launcher=on_a_small_disk(folder, "1m"))
    inside = lambda: f"/proc/{service.process.pid}/root{folder}"
    service.env["ALERT_COMMAND"] = str(script(service.folder, "#!/bin/sh\necho $1 >>told\n"))
    service.start()
    fill = os.open(f"{inside()}/fill", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError):
        while True:
            os.write(fill, b"x" * 4096)
    for i in range(50):
        upstream.link.ask(message(str(i)))
    told = service.folder / "told"
    wait_until(lambda: told.exists() and "audit_not_written" in told.read_text(), "an alert")
    os.ftruncate(fill, 0)
    os.close(fill)
    service.wait_log("audit_written_again")
    service.wait_delivered(50)

    def ids():
        paths = [os.path.join(inside(), name) for name in os.listdir(inside())
                 if name.startswith("audit-")]
        return [json.loads(line)["id"] for path in sorted(paths) for line in open(path)]

    wait_until(lambda: len(ids()) >= 50, "all lines")
    assert sorted(ids()) == list(range(50))


def test_lines_without_room_are_counted_and_alerted(audited, upstream):
    """A FIFO that nobody reads holds who writes, as a disk does that stalls."""
    service, folder = audited({"SHUTDOWN_GRACE_SECONDS": "1", "MAX_MESSAGE_BYTES": "4000000",
                               "PENDING_MAX_BYTES": "100000000"})
    folder.mkdir()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for day in (today, today + datetime.timedelta(days=1)):
        os.mkfifo(folder / f"audit-{day}.jsonl")
    service.env["ALERT_COMMAND"] = str(script(service.folder, "#!/bin/sh\necho $1 >>told\n"))
    service.start()
    link = upstream.link
    for i in range(8):
        link.ask(message(f'"{i}' + "x" * 3_000_000 + '"', "2", '"EUR"'))
    assert stake_of(link.ask(message("1", "2", '"EUR"'))) == "2"
    wait_until(lambda: service.counter("fxwire_audit_lost_total") > 0, "lost lines")
    service.wait_log("audit_lines_dropped lines=")
    wait_until(lambda: "audit_lines_dropped" in (service.folder / "told").read_text(), "an alert")


def test_what_is_moved_away_is_made_anew(audited, upstream):
    service, folder = audited()
    service.start()
    upstream.link.ask(message("1"))
    wait_lines(folder, 1)
    shutil.rmtree(folder)
    upstream.link.ask(message("2"))
    assert [line["id"] for line in wait_lines(folder, 1)] == ["2"]
    for path in service.runtime_dir.glob("audit-*.ring"):
        path.unlink()
    service.wait_log("runtime_dir_swept.*audit")
    upstream.link.ask(message("3"))
    assert [line["id"] for line in wait_lines(folder, 2)] == ["2", "3"]


def test_a_reload_turns_it_on_and_off(make_service, upstream):
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    folder = service.folder / "audit"
    env = service.folder / ".env"
    service.start()
    upstream.link.ask(message("1"))
    env.write_text(f"AUDIT_DIR={folder}\n")
    pid = service.pids()["wsclient"]
    assert service.command("reload").returncode == 0
    service.wait_respawn("wsclient", pid)
    upstream.wait_link(2)
    upstream.links[-1].ask(message("2"))
    wait_until(lambda: "2" in [line["id"] for line in lines_of(folder)], "its line")
    env.write_text("")
    pid = service.pids()["wsclient"]
    assert service.command("reload").returncode == 0
    service.wait_respawn("wsclient", pid)
    upstream.wait_link(3)
    upstream.links[-1].ask(message("3"))
    assert service.stop() == 0
    assert "3" not in [line["id"] for line in lines_of(folder)]
    recompute(service, *folder.glob("audit-*.jsonl"))


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_folder_that_can_not_be(make_service, upstream, command):
    service = make_service({"REQUESTS_WS_URL": upstream.url, "AUDIT_DIR": "/dev/null/x"})
    done = service.command(command)
    assert done.returncode == 78
    assert f"AUDIT_DIR=/dev/null/x: {UNUSABLE}: Not a directory" in done.stderr


# The command on files of the test's own

GOOD = ('{"upstream":"u","sequence":%d,"received":"2026-11-28T16:39:58.467Z","id":"i%d",'
        '"stake":253.67,"currency":"USD","date":"2021-05-18","rate":"1.22220","base":"EUR",'
        '"as_of":"2021-05-18","provider":"file","layer":"memory","age":1,'
        '"rounding":"half_up 5","result":207.55196,"answered":"2026-11-28T16:39:58.468Z",'
        '"sent":"2026-11-28T16:39:58.468Z","sends":1,'
        '"confirmed":"2026-11-28T16:39:58.718Z","outcome":"confirmed"}')
TAMPERED = [
    ("253.67", "253.68", "result"), ("1.22220", "1.22221", "result"),
    ("207.55196", "207.55197", "207.55197, not 207.55196"),
    ('"base":"EUR"', '"base":"USD"', "base"), ('"rate":"1.22220",', "", "rate"),
    ("1.22220", "0", "rate"), ("half_up 5", "half_even 5", "rounding"),
    ('"result":207.55196,', "", "result"), ("253.67", '"x"', "stake"),
    ("{", "", "line"), ('"USD"', '"\xff"', "line"), ("result", "error", None),
]


@pytest.fixture
def service(make_service, upstream):
    """Not started: `audit` needs none."""
    return make_service({"REQUESTS_WS_URL": upstream.url})


def write(path, lines):
    path.write_bytes("".join(line + "\n" for line in lines).encode("latin-1"))
    return path


@pytest.mark.parametrize("old, new, why", TAMPERED)
def test_a_line_that_was_changed_is_named(service, old, new, why):
    lines = [GOOD % (i, i) for i in range(5)]
    assert old in lines[2]
    lines[2] = lines[2].replace(old, new, 1)
    path = write(service.folder / "a.jsonl", lines)
    done, counts = recompute(service, path)
    if why is None:
        assert (done.returncode, counts) == (0, [5, 4, 1, 0, 0, 0])
        return
    assert done.returncode == 65
    assert counts == [5, 4, 0, 0, 1, 0]
    named, _ = done.stdout.splitlines()
    assert named.startswith(f"{path}:3: ") and why in named


def test_compressed_ones_and_lines_that_stand_twice(service):
    lines = [GOOD % (i, i) for i in range(3)]
    plain = write(service.folder / "a.jsonl", lines)
    packed = service.folder / "b.jsonl.gz"
    packed.write_bytes(gzip.compress("".join(line + "\n" for line in lines[1:]).encode()))
    done, counts = recompute(service, plain, packed)
    assert (done.returncode, counts) == (0, [5, 5, 0, 0, 0, 2])


def test_files_that_can_not_be_read(service):
    good = write(service.folder / "a.jsonl", [GOOD % (1, 1)])
    for bad in ("none", "."):
        done, counts = recompute(service, good, bad)
        assert (done.returncode, counts) == (66, [1, 1, 0, 0, 0, 0])
        assert done.stderr.startswith(f"{bad}: ")
    cut = service.folder / "c.gz"
    cut.write_bytes(gzip.compress(os.urandom(50000))[:-20000])
    done, _ = recompute(service, cut)
    assert done.returncode in (65, 66) and f"{cut}: " in done.stderr
    good.write_text(good.read_text()[:-1])
    done, counts = recompute(service, good)
    assert (done.returncode, counts[4]) == (65, 1) and "no end" in done.stdout
    assert service.command("audit").returncode == 64
