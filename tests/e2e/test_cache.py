"""Rates: had once, kept, fetched anew, missing, wrong, with a provider that reads a file."""
import json
import os
import socket
import time

import pytest

from amounts import error, message, stake_of, today, write_rates
from places import SCALE
from waiting import holds_for, sleep_until, wait_until

CALLS = 'fxwire_provider_calls_total{provider="file",result="ok"}'
NO_RATES = error("no rates can be had for this date", "456")
DAY = "2021-05-18"


@pytest.fixture
def rates_file(tmp_path):
    """USD at 2 on one day, and today."""
    path = tmp_path / "rates.csv"
    write_rates(path, {DAY: {"USD": "2"}, today(): {"USD": "4"}})
    return path


def ask(upstream, day=DAY, stake="100"):
    return upstream.link.ask(message(stake=stake, date=f'"{day}"'))


@pytest.mark.smoke
def test_a_thousand_askers_of_one_new_day_are_one_call(start, upstream):
    service = start(upstream)
    before = service.rates("latest") and calls(service)
    link = upstream.link
    link.send(*(message(str(i), date='"2021-05-19"') for i in range(1000)))
    got = {json.loads(a)["id"] for a in link.wait_answers(1000)}
    assert got == set(range(1000))
    assert calls(service) == before + 1


def calls(service):
    """Calls to the provider, from a fresh report."""
    return service.status()["providers"][0]["calls_month"] if fresh(service) else 0


def fresh(service):
    """Waits for a report made from now on: they come with each ping."""
    sleep_until(time.monotonic() + 1.1 * SCALE)
    return True


def test_a_thousand_askers_on_the_rates_socket_are_one_call(start, upstream):
    """Over many connections, while ratefetcher has not read any of them yet."""
    service = start(upstream)
    before = calls(service)
    question = (json.dumps({"op": "rates", "date": "2021-05-20"}) + "\n").encode()
    socks = []
    with service.pause("ratefetcher"):
        for _ in range(50):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(20 * SCALE)
            sock.connect(str(service.runtime_dir / "rates.sock"))
            sock.sendall(question * 20)
            sock.shutdown(socket.SHUT_WR)
            socks.append(sock)
    for sock in socks:
        got = b""
        while more := sock.recv(1 << 20):
            got += more
        assert got.count(b"\n") == 20 and got.count(b'"op":"rates"') == 20
        sock.close()
    assert calls(service) == before + 1


def test_a_known_day_costs_no_further_call(start, upstream):
    service = start(upstream)
    link = upstream.link
    stake_of(link.ask(message()))
    before = calls(service)
    for i in range(100):
        link.send(message(str(i)))
    link.wait_answers(101)
    assert calls(service) == before


def test_a_change_is_seen_when_the_rates_are_old(start, upstream, rates_file):
    """CACHE_TTL_SECONDS: not before, and soon after."""
    start(upstream, RATES_FILE=rates_file, CACHE_TTL_SECONDS="2")
    asked = time.monotonic()
    assert stake_of(ask(upstream)) == "50"
    write_rates(rates_file, {DAY: {"USD": "5"}, today(): {"USD": "8"}})
    if time.monotonic() < asked + 1:
        assert stake_of(ask(upstream)) == "50"
    sleep_until(asked + 2.2)
    assert stake_of(ask(upstream)) == "20"
    assert stake_of(ask(upstream, today())) == "12.5"


def test_todays_table_is_refreshed_while_in_use(start, upstream, rates_file):
    """Before it expires; no answer fails meanwhile."""
    start(upstream, RATES_FILE=rates_file, CACHE_TTL_SECONDS="0.5")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert stake_of(ask(upstream, today())) == "25"


def test_no_file_is_an_error_and_the_connection_stays(make_service, upstream, tmp_path):
    """The right id; EUR is converted all the same; the file is used once it is there."""
    path = tmp_path / "rates.csv"
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RATES_FILE": path}).launch()
    link = upstream.wait_link()
    assert ask(upstream) == NO_RATES
    assert link.ask(message('"x"')) == NO_RATES.replace("456", '"x"')
    assert stake_of(link.ask(message("1", "3", '"EUR"'))) == "3"
    status = service.status()
    assert status["ready"] is False
    done = service.command("status", "--wait", "0.2", "--ready")
    assert done.returncode == 69
    service.wait_log("provider_failed.*file")
    write_rates(path, {DAY: {"USD": "2"}, today(): {"USD": "4"}})
    wait_until(lambda: ask(upstream) != NO_RATES, "rates")
    assert stake_of(ask(upstream)) == "50"
    assert stake_of(ask(upstream, today())) == "25"
    service.wait_ready()
    assert len(upstream.links) == 1


def test_readiness_comes_with_the_file(make_service, upstream, tmp_path):
    """Without any request: today's table is fetched by itself."""
    path = tmp_path / "rates.csv"
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RATES_FILE": path}).launch()
    upstream.wait_link()
    wait_until(service.status_or_none, "a status")
    assert service.status()["ready"] is False
    write_rates(path, {today(): {"USD": "4"}})
    service.wait_ready(20)


BAD_FILES = {
    "empty": "", "no CSV": "x", "HTML": "<html><body>Not found</body></html>\n",
    "only a header": "Date,USD,\n", "no dates": "Date,USD,\nx,1,\n",
    "another header": "Day,USD,\n2021-05-18,2,\n", "no header": "2021-05-18,2,\n",
    "no rates": "Date,USD,\n2021-05-18,N/A,\n", "NULs": "\0" * 1000,
    "a rate of 0": "Date,USD,\n2021-05-18,0,\n", "negative": "Date,USD,\n2021-05-18,-2,\n",
    "too large": "Date,USD,\n2021-05-18,10000000001,\n",
    "too small": "Date,USD,\n2021-05-18,0.0000000009,\n",
    "no number": "Date,USD,\n2021-05-18,abc,\n", "infinite": "Date,USD,\n2021-05-18,Infinity,\n",
    "an open quote": 'Date,USD,\n"2021-05-18,2,\n',
    "an impossible day": "Date,USD,\n2021-02-30,2,\n",
    "19 digits": "Date,USD,\n2021-05-18,1.234567890123456789,\n",
}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_an_error_and_no_wrong_amount(make_service, upstream, tmp_path, text):
    """The connection stays, and a good file is used."""
    path = tmp_path / "rates.csv"
    path.write_text(text)
    make_service({"REQUESTS_WS_URL": upstream.url, "RATES_FILE": path}).launch()
    upstream.wait_link()
    answer = ask(upstream)
    assert answer in (NO_RATES, error("no rate of this currency for this date", "456"))
    write_rates(path, {DAY: {"USD": "2"}})
    wait_until(lambda: ask(upstream) != answer, "rates")
    assert stake_of(ask(upstream)) == "50"
    assert len(upstream.links) == 1


def test_a_bad_rate_is_left_out_and_the_rest_serves(start, upstream, tmp_path):
    """It is logged."""
    path = tmp_path / "rates.csv"
    path.write_text("Date,USD,JPY,GBP,XXX\n2021-05-18,2,-1,0.5,1e5,7\n2021-05-17,x,3,,\n")
    service = start(upstream, RATES_FILE=path)
    assert stake_of(ask(upstream)) == "50"
    link = upstream.link
    assert stake_of(link.ask(message("1", "1", '"GBP"'))) == "2"
    assert link.ask(message("456", "1", '"JPY"')) == error(
        "no rate of this currency for this date", "456")
    service.wait_log("rates_left_out")


@pytest.mark.parametrize("text", [
    "Date,USD\n2021-05-18,2\n", "Date,USD,\r\n2021-05-18,2,\r\n", "Date,USD,\n2021-05-18,2,",
    'Date,"USD"\n"2021-05-18","2"\n', "Date,GBP,USD,\n2021-05-18,,2,\n",
    "Date,USD,\n2021-05-17,9,\n2021-05-18,2,\n2021-05-16,8,\n", "Date,USD,\n2021-05-18,2.000,\n",
], ids=["no trailing comma", "CR LF", "no last line end", "quotes", "nothing for N/A",
        "not newest first", "trailing zeros"])
def test_forms_of_the_file(start, upstream, tmp_path, text):
    path = tmp_path / "rates.csv"
    path.write_bytes(text.encode())
    start(upstream, RATES_FILE=path)
    assert stake_of(ask(upstream)) == "50"


def test_a_past_day_serves_while_the_provider_fails(start, upstream, rates_file):
    """Past CACHE_TTL_SECONDS without limit."""
    service = start(upstream, RATES_FILE=rates_file, CACHE_TTL_SECONDS="0.5")
    assert stake_of(ask(upstream)) == "50"
    rates_file.unlink()
    sleep_until(time.monotonic() + 0.7)
    assert stake_of(ask(upstream)) == "50"
    assert service.rates(DAY)["rates"]["USD"] == "2"


def test_todays_table_does_not_serve_past_its_age(start, upstream, rates_file):
    """STALE_MAX_SECONDS is 0 by default: an error, never an old rate."""
    start(upstream, RATES_FILE=rates_file, CACHE_TTL_SECONDS="0.5")
    assert stake_of(ask(upstream, today())) == "25"
    rates_file.unlink()
    sleep_until(time.monotonic() + 0.8)
    assert ask(upstream, today()) == NO_RATES


def test_todays_table_serves_past_its_age_as_long_as_allowed(start, upstream, rates_file):
    """STALE_MAX_SECONDS."""
    start(upstream, RATES_FILE=rates_file, CACHE_TTL_SECONDS="0.5", STALE_MAX_SECONDS="60")
    assert stake_of(ask(upstream, today())) == "25"
    rates_file.unlink()
    sleep_until(time.monotonic() + 0.8)
    assert stake_of(ask(upstream, today())) == "25"


def test_a_fifo_or_a_folder_as_the_file_does_not_block(make_service, upstream, tmp_path):
    for kind in (os.mkfifo, os.mkdir):
        path = tmp_path / kind.__name__
        kind(path)
        service = make_service({"REQUESTS_WS_URL": upstream.url, "RATES_FILE": path}).launch()
        link = upstream.next_link() if upstream.links else upstream.wait_link()
        assert link.ask(message()) == NO_RATES
        assert service.stop() == 0


def test_a_currency_without_a_rate_does_not_cost_a_call_each_time(start, upstream):
    """That none has it is remembered."""
    service = start(upstream)
    link = upstream.link
    unknown = error("no rate of this currency for this date", "456")
    assert link.ask(message(currency='"XAF"')) == unknown
    before = calls(service)
    for _ in range(20):
        assert link.ask(message(currency='"XAF"')) == unknown
    assert calls(service) == before


def test_a_status_of_the_provider(start, upstream):
    """Name, state and last success."""
    service = start(upstream)
    row = service.status()["providers"][0]
    assert row["name"] == "file" and row["state"] == "ok"
    assert row["last_success"].endswith("Z") and row["calls_month"] >= 1
    assert service.status()["redis"] == "off"
    holds_for(0.1, lambda: service.status()["ready"], "it stays ready")
