"""rates.sock and control.sock."""
import json
import os
import socket
import stat
import subprocess
import time

import pytest

from amounts import BEAT, message, read_rates, today
from places import BUILD, DEMO_RATES, SCALE
from service import Service, ask_socket
from upstream import Upstream
from waiting import wait_until

RATES = read_rates()
LIMIT = 256 * 1024
GOOD = '{"op":"rates","date":"2021-05-18"}'


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


@pytest.fixture(autouse=True)
def still_well(service):
    """Whatever was said on a socket: no process died, and others are served."""
    pids = service.pids()
    yield
    assert service.rates("2021-05-18")["rates"]["USD"] == "1.2222"
    assert service.pids() == pids


def socat(service, name, text, *options):
    done = subprocess.run(
        ["socat", "-t10", *options, "-", f"UNIX-CONNECT:{service.runtime_dir}/{name}"],
        input=text, capture_output=True, text=True, timeout=30 * SCALE, check=True)
    return done.stdout


def assert_same_rates(told, published):
    """Rates travel as strings, and no digit is lost, not even a zero at the end."""
    assert {code: rate for code, rate in told.items() if code != "EUR"} == published


def test_the_example_of_the_contract(service):
    """echo | socat: who has closed his side still gets his answer."""
    out = socat(service, "rates.sock", GOOD + "\n")
    assert out.count("\n") == 1
    told = json.loads(out)
    assert told["op"] == "rates" and told["date"] == told["as_of"] == "2021-05-18"
    assert told["base"] == "EUR" and told["provider"] == "file"
    assert told["layer"] in ("provider", "memory")
    assert told["fetched_at"].endswith("Z") and told["expires_at"].endswith("Z")
    assert_same_rates(told["rates"], RATES["2021-05-18"])
    assert told["fetched_at"] < told["expires_at"]


@pytest.mark.smoke
def test_many_lines_are_answered_each(service):
    """All days of the file in one go."""
    days = sorted(RATES)
    out = socat(service, "rates.sock",
                "".join(f'{{"op":"rates","date":"{day}"}}\n' for day in days))
    told = {a["date"]: a for a in map(json.loads, out.splitlines())}
    assert sorted(told) == days
    for day in days:
        assert told[day]["as_of"] == day
        assert_same_rates(told[day]["rates"], RATES[day])


def test_the_second_time_it_comes_from_memory(service):
    service.rates("2025-06-13")
    assert service.rates("2025-06-13")["layer"] == "memory"


@pytest.mark.parametrize("date, as_of", [
    ("latest", "2026-08-18"), ("2021-05-22", "2021-05-21"), ("2021-06-07", "2021-05-31"),
    ("1999-01-04", "1999-01-04"),
])
def test_latest_and_look_back(service, date, as_of):
    told = service.rates(date)
    assert (told["date"], told["as_of"]) == (date, as_of)
    assert told["rates"]["USD"] == RATES[as_of]["USD"]


def test_todays_date_takes_the_latest_table(service):
    """Nothing is kept for the date itself: tomorrow it is asked for as a past day's."""
    told = service.rates(today())
    assert (told["date"], told["as_of"]) == (today(), "2026-08-18")


def test_a_question_for_a_currency(service):
    told = service.rates("2021-05-18", currency="HRK")
    assert told["currency"] == "HRK" and told["rates"]["HRK"] == "7.5205"


def test_a_currency_that_none_has(service):
    told = service.rates("2021-05-18", currency="XAF")
    assert told["op"] == "error" and told["code"] == "unknown_currency"
    assert told["date"] == "2021-05-18"


def test_a_day_that_none_has(service):
    told = service.rates("2020-02-29")
    assert told["op"] == "error" and told["code"] == "unavailable"
    assert told["date"] == "2020-02-29" and told["message"]
    assert told["retry_after"] >= 0


@pytest.mark.parametrize("question", [
    '{"op":"rates"}', '{"op":"rates","date":"x"}', '{"op":"rates","date":1}',
    '{"op":"rates","date":"1999-01-03"}', '{"op":"rates","date":"2021-02-29"}',
    '{"op":"rates","date":null}', '{"op":"rates","date":"2021-05-18","currency":"usd"}',
    '{"op":"rates","date":"2021-05-18","currency":1}',
    '{"op":"rates","date":"2021-05-18T00:00:00Z"}',
    f'{{"op":"rates","date":"{today(2)}"}}',
])
def test_a_question_that_cannot_be_answered(service, question):
    """An error; the connection stays."""
    told = service.ask("rates.sock", question, GOOD)
    assert [a["op"] for a in told] == ["error", "rates"]


BAD_LINES = {
    "no JSON": "x", "empty": "", "half": '{"op":', "an array": '["rates"]', "a number": "1",
    "a string": '"rates"', "no op": "{}", "another op": '{"op":"nothing"}',
    "op of another kind": '{"op":1}', "two values": '{"op":"rates"} {"op":"rates"}',
    "a NUL": "\0", "deep": "[" * 1000, "not UTF-8": b'{"op":"rates","date":"\xff"}',
    "a message": message(), "a heartbeat": BEAT,
}


@pytest.mark.parametrize("name", ["rates.sock", "control.sock"])
@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_closes_its_connection(service, name, line):
    """And nothing else; what stands behind it is not read."""
    if isinstance(line, str):
        line = line.encode()
    good = {"rates.sock": GOOD, "control.sock": '{"op":"status"}'}[name].encode()
    with socket.socket(socket.AF_UNIX) as other:
        other.settimeout(10 * SCALE)
        other.connect(str(service.runtime_dir / name))
        # Without our closing: the end must come from the other side.
        got = ask_socket(service.runtime_dir / name, line + b"\n" + good + b"\n",
                         half_close=False)
        answers = [json.loads(a) for a in got.splitlines()]
        assert all(a["op"] == "error" for a in answers) and len(answers) <= 1
        other.sendall(good + b"\n")
        assert other.recv(10)


@pytest.mark.parametrize("name", ["rates.sock", "control.sock"])
@pytest.mark.parametrize("ending", [b"", b"\n"], ids=["without end", "with its end"])
def test_a_line_of_more_than_256_kib_closes_its_connection(service, name, ending):
    try:
        got = ask_socket(service.runtime_dir / name, b"x" * (LIMIT + 10) + ending,
                         half_close=False)
    except (BrokenPipeError, ConnectionResetError):
        return
    assert b'"op":"rates"' not in got and b'"op":"status"' not in got


@pytest.mark.parametrize("name, good", [("rates.sock", GOOD), ("control.sock", '{"op":"status"}')])
def test_a_line_of_256_kib_is_read(service, name, good):
    line = good[:-1] + " " * (LIMIT - 100 - len(good)) + "}"
    assert service.ask(name, line)[0]["op"] in ("rates", "status")


def test_a_line_that_never_ends_does_not_hinder_others(service):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(service.runtime_dir / "rates.sock"))
        sock.sendall(b'{"op":"ra')
        assert service.rates("2021-05-18")["op"] == "rates"
        sock.settimeout(10 * SCALE)
        sock.sendall(b'tes","date":"2021-05-18"}\n')
        assert b'"op":"rates"' in sock.recv(65536)


def test_a_last_line_without_its_end(service):
    """The end of all ends it."""
    assert json.loads(socat(service, "rates.sock", GOOD))["op"] == "rates"
    assert json.loads(socat(service, "control.sock", '{"op":"status"}'))["op"] == "status"
    assert json.loads(socat(service, "rates.sock", GOOD[:-1]))["code"] == "bad_line"


def test_who_does_not_read_does_not_hinder_others(service):
    """Thousands of questions, no answer read; then all are read."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(0.5)
        sock.connect(str(service.runtime_dir / "rates.sock"))
        sent = 0
        try:
            while sent < 20000:
                sent += sock.send((GOOD + "\n").encode())
        except TimeoutError:
            pass
        assert service.rates("2021-05-19")["op"] == "rates"
        sock.settimeout(10 * SCALE)
        whole = sent // len(GOOD + "\n")
        lines = 0
        while lines < whole:
            more = sock.recv(1 << 20)
            assert more
            lines += more.count(b"\n")
        assert lines == whole


def test_many_connections_at_once(service):
    """A hundred, each with its answer."""
    socks = []
    for _ in range(100):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10 * SCALE)
        sock.connect(str(service.runtime_dir / "rates.sock"))
        socks.append(sock)
    for sock in socks:
        sock.sendall((GOOD + "\n").encode())
    for sock in socks:
        assert b'"op":"rates"' in sock.recv(65536)
        sock.close()


@pytest.mark.parametrize("name", ["rates.sock", "control.sock"])
def test_more_connections_than_are_served(service, name):
    """Those beyond are refused or wait; the service is well when they are gone."""
    socks = []
    for _ in range(320):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(0.05)
        try:
            sock.connect(str(service.runtime_dir / name))
        except OSError:
            sock.close()
            break
        socks.append(sock)
    for sock in socks:
        sock.close()
    time.sleep(0.1)


def test_control_answers_the_status(service):
    told = json.loads(socat(service, "control.sock", '{"op":"status"}\n'))
    assert told["version"] and told["ready"] is True and told["reasons"] == []


def test_modes_of_files_and_folder(service):
    """Sockets 0600 in a folder 0700."""
    assert stat.S_IMODE(service.runtime_dir.stat().st_mode) == 0o700
    for name in ("rates.sock", "control.sock"):
        mode = (service.runtime_dir / name).stat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("name", ["rates.sock", "control.sock"])
def test_another_user_is_refused(service, name):
    """Even if the files let him in."""
    path = service.runtime_dir / name
    folders = (service.folder, service.runtime_dir)
    try:
        for folder in folders:
            folder.chmod(0o711)
        path.chmod(0o666)
        code = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(20);"
                f"s.connect({str(path)!r}); s.sendall(b'{GOOD}\\n');"
                "sys.stdout.write(repr(s.recv(100)))")
        done = subprocess.run(["/usr/bin/python3", "-c", code], user=65534, group=65534,
                              extra_groups=[], capture_output=True, text=True, check=False)
        assert "PermissionError" not in done.stderr
        assert "rates" not in done.stdout and "error" not in done.stdout
        service.wait_log(rf"peer_refused.*{name}")
    finally:
        for folder in folders:
            folder.chmod(0o700)
        path.chmod(0o600)


def test_stop_by_the_control_socket():
    """The answer comes, then the end."""
    with Upstream() as up:
        one = Service({"REQUESTS_WS_URL": up.url}).start()
        told = one.ask("control.sock", {"op": "stop"})
        assert told and told[0]["op"] == "stop"
        assert one.wait_exit() == 0
        one.finish()


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


def test_by_hand_no_socket_is_left_behind(tmp_path):
    """A ratefetcher without its supervisor has a socket of its own, and removes it."""
    path = tmp_path / "run" / "rates.sock"
    environment = {"PATH": os.environ["PATH"], "RUNTIME_DIR": str(path.parent),
                   "STATE_DIR": str(tmp_path / "state"), "RATE_PROVIDERS": "file",
                   "RATES_FILE": str(DEMO_RATES)}
    path.parent.mkdir(mode=0o700)
    with subprocess.Popen([BUILD / "ratefetcher"], env=environment) as process:
        try:
            wait_until(lambda: is_listening(path), "its socket")
            assert json.loads(ask_socket(path, GOOD.encode() + b"\n"))["provider"] == "file"
            process.terminate()
            assert process.wait(10 * SCALE) == 0
        finally:
            process.kill()
    assert not path.exists()
