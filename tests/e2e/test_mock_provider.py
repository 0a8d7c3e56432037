"""mock-provider, asked by Python's urllib, and by the service that it is for."""
import http.client
import json
import subprocess
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as tree

import pytest

from mocks import Mock, run_mock
from places import SCALE

PAST = "2021-05-18"
TODAY = time.strftime("%Y-%m-%d", time.gmtime())
RATES = f"Date,USD,JPY,\n{TODAY},1.1001,160.50,\n{PAST},1.2222,N/A,\n2021-05-17,1.2152,132.7,\n"
ADDRESSES = {"freecurrencyapi": "FREECURRENCYAPI", "exchangerateapi": "EXCHANGERATEAPI",
             "fixer": "FIXER", "currencyapi": "CURRENCYAPI", "frankfurter": "FRANKFURTER",
             "ecb": "ECB", "url": "RATES"}
KEYLESS = ("frankfurter", "ecb", "url")


@pytest.fixture
def begin(tmp_path):
    """begin(fault, ...) starts one with these faults."""
    made = []
    (tmp_path / "rates.csv").write_text(RATES)

    def start(*faults, options=(), **more):
        options = [*options, *(part for fault in faults for part in ("--fault", fault))]
        made.append(Mock(tmp_path, "mock-provider", "--rates", tmp_path / "rates.csv",
                         *options, **more))
        return made[-1]

    yield start
    for mock in made:
        mock.stop()


def get(mock, path, seconds=10, **headers):
    """Status, headers and body."""
    request = urllib.request.Request(mock.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=seconds * SCALE) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def numbers(text):
    """JSON whose numbers keep their digits."""
    return json.loads(text, parse_float=str, parse_int=str)


@pytest.mark.parametrize("path,pick,rates", (
    ("/frankfurter/latest", ("rates",), {"USD": "1.1001", "JPY": "160.50"}),
    (f"/frankfurter/{PAST}", ("rates",), {"USD": "1.2222"}),
    ("/frankfurter/2021-05-20", ("rates",), {"USD": "1.2222"}),
    ("/freecurrencyapi/latest?base_currency=EUR", ("data",),
     {"EUR": "1", "USD": "1.1001", "JPY": "160.50"}),
    (f"/freecurrencyapi/historical?date={PAST}&base_currency=EUR", ("data", PAST),
     {"EUR": "1", "USD": "1.2222"}),
    ("/exchangerateapi/key/latest/EUR", ("conversion_rates",),
     {"EUR": "1", "USD": "1.1001", "JPY": "160.50"}),
    ("/exchangerateapi/key/history/EUR/2021/5/18", ("conversion_rates",),
     {"EUR": "1", "USD": "1.2222"}),
    ("/fixer/latest?access_key=x", ("rates",), {"EUR": "1", "USD": "1.1001", "JPY": "160.50"}),
    (f"/fixer/{PAST}", ("rates",), {"EUR": "1", "USD": "1.2222"}),
    (f"/currencyapi/historical?date={PAST}", ("data", "USD"),
     {"code": "USD", "value": "1.2222"}),
))
def test_json_forms(begin, path, pick, rates):
    status, headers, text = get(begin(), path)
    body = numbers(text)
    for name in pick:
        body = body[name]
    assert (status, headers["Content-Type"], body) == (200, "application/json", rates)


def test_files_of_the_ecb_and_of_ones_own(begin):
    mock = begin()
    days = {}
    for name in ("daily", "hist-90d", "hist"):
        cubes = tree.fromstring(get(mock, f"/ecb/eurofxref-{name}.xml")[2]).iter()
        days[name] = [cube.get("time") for cube in cubes if cube.get("time")]
    assert days == {"daily": [TODAY], "hist-90d": [TODAY], "hist": [TODAY, PAST, "2021-05-17"]}
    assert get(mock, "/url")[2].splitlines() == [
        "Date,USD,JPY", f"{TODAY},1.1001,160.50", f"{PAST},1.2222,", "2021-05-17,1.2152,132.7"]


@pytest.mark.parametrize("path", ("/", "/ecbs/eurofxref-daily.xml", "/frankfurter",
                                  "/frankfurter/2021-06-18", "/ecb/x"))
def test_what_is_not_there(begin, path):
    assert get(begin(), path)[0] == 404


def test_keys(begin):
    mock = begin(options=("--key", "right"))
    day = "base_currency=EUR"
    assert get(mock, f"/freecurrencyapi/latest?{day}", apikey="right")[0] == 200
    assert get(mock, f"/freecurrencyapi/latest?{day}", apikey="wrong")[0] == 401
    assert get(mock, "/currencyapi/latest")[0] == 401
    assert get(mock, "/exchangerateapi/wrong/latest/EUR")[0] == 403
    assert '"code":101' in get(mock, "/fixer/latest?access_key=wrong")[2]
    assert '"rates"' in get(mock, "/fixer/latest?access_key=right")[2]
    assert get(mock, "/frankfurter/latest")[0] == 200, "it has no key"


@pytest.mark.parametrize("provider", ADDRESSES)
def test_the_service_reads_each(begin, make_service, upstream, provider):
    """It has today's rate and a past one from it, of the very digits."""
    mock = begin()
    name = ADDRESSES[provider]
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RATE_PROVIDERS": provider,
                            "RATES_FILE": None, f"{name}_URL": f"{mock.url}/{provider}"} |
                           ({} if provider in KEYLESS else {f"{name}_KEY": "some"}))
    service.start()
    now = service.command("convert", "160.50", "JPY").stdout
    assert now.startswith("1 EUR = 160.5") and f", {provider}, " in now
    past = service.command("convert", "253.67", "USD", PAST).stdout
    assert past.startswith("207.55196 EUR = 253.67 USD / 1.2222 (2021-05-18, " + provider)


def test_statuses_and_their_number(begin):
    mock = begin('{"fault":"status","calls":2}',
                 '{"fault":"status","status":429,"retry_after":7,"calls":1,"provider":"ecb"}')
    assert [get(mock, "/frankfurter/latest")[0] for _ in range(3)] == [503, 503, 200]
    status, headers, _ = get(mock, "/ecb/eurofxref-daily.xml")
    assert (status, headers["Retry-After"]) == (429, "7")
    assert get(mock, "/ecb/eurofxref-daily.xml")[0] == 200
    assert "/frankfurter/latest 503 fault status\n" in mock.out()


def test_seconds_and_moments(begin):
    mock = begin('{"fault":"status","at":0.5,"seconds":0.5}')
    seen = []
    end = time.monotonic() + 10 * SCALE
    while [200, 503, 200] != seen and time.monotonic() < end:
        status = get(mock, "/url")[0]
        seen += [status] if [status] != seen[-1:] else []
    assert seen == [200, 503, 200]


def test_bodies_that_are_no_good(begin):
    mock = begin('{"fault":"garbage","calls":1,"provider":"url"}',
                 '{"fault":"cut","calls":1,"provider":"fixer"}',
                 '{"fault":"wrong-base","calls":1,"provider":"frankfurter"}',
                 '{"fault":"wrong-rate","percent":50,"calls":1,"provider":"currencyapi"}')
    assert "<html>" in get(mock, "/url")[2]
    with pytest.raises(http.client.IncompleteRead):
        get(mock, "/fixer/latest")
    assert numbers(get(mock, "/frankfurter/latest")[2])["base"] == "USD"
    wrong = numbers(get(mock, "/currencyapi/latest")[2])["data"]["USD"]["value"]
    assert float(wrong) == pytest.approx(1.1001 * 1.5)
    assert "1.1001" in get(mock, "/fixer/latest")[2], "only so many calls"


def test_slow_and_silent(begin):
    mock = begin('{"fault":"slow","bytes":50,"calls":1,"provider":"fixer"}',
                 '{"fault":"silence","calls":1,"provider":"url"}')
    begun = time.monotonic()
    assert '"USD":1.1001' in get(mock, "/fixer/latest")[2]
    assert time.monotonic() - begun > 1, "some 90 bytes at 50 a second"
    with pytest.raises(TimeoutError):
        get(mock, "/url", seconds=0.5)
    assert get(mock, "/url")[0] == 200, "the one that waits is in nobody's way"


def test_faults_from_standard_input(begin):
    mock = begin(options=("--script", "-"), stdin=subprocess.PIPE)
    assert get(mock, "/url")[0] == 200
    mock.process.stdin.write(b'# now\n{"fault":"status","calls":1}\n')
    mock.process.stdin.flush()
    while get(mock, "/url")[0] == 200:
        pass
    assert get(mock, "/url")[0] == 200
    mock.process.stdin.close()
    mock.process.terminate()
    assert mock.wait() == 0
    assert ", with a fault 1\n" in mock.out()


@pytest.mark.parametrize("line,why", (
    ("{", 'it is no JSON object with a "fault"'),
    ('{"fault":"stat"}', 'no such fault: "stat"'),
    ('{"fault":"cut","provider":"xe"}', 'no such provider here: "xe"'),
    ('{"fault":"cut","status":500}', 'this fault has no member "status"'),
    ('{"fault":"status","status":200}', '"status" has no value that is allowed'),
    ('{"fault":"slow","bytes":"x"}', '"bytes" has no value that is allowed'),
))
def test_bad_lines_are_named(tmp_path, line, why):
    (tmp_path / "rates.csv").write_text(RATES)
    (tmp_path / "script").write_text(f"# first\n{line}\n{{}}\n")
    code, _, error = run_mock("mock-provider", "--rates", tmp_path / "rates.csv",
                              "--script", tmp_path / "script")
    assert code == 65
    assert f"/script:2: {why}" in error and "/script:3: " in error
    code, _, error = run_mock("mock-provider", "--rates", tmp_path / "rates.csv",
                              "--fault", line)
    assert code == 65 and f"--fault: {why}" in error


@pytest.mark.parametrize("options,code,why", (
    ((), 64, "--rates: is needed"),
    (("--rates", "x", "--odd"), 64, "--odd: no such option"),
    (("--rates", "x", "more"), 64, "more: is no option"),
    (("--rates", "/nowhere"), 66, "/nowhere: No such file"),
    (("--rates", "/etc/passwd"), 65, "mock-provider: /etc/passwd: first line is not Date"),
    (("--rates", "etc/demo-rates.csv", "--script", "/nowhere"), 66, "/nowhere: No such file"),
    (("--rates", "etc/demo-rates.csv", "--listen", "host"), 69, "not HOST:PORT"),
))
def test_exit_codes(options, code, why):
    got, _, error = run_mock("mock-provider", *options)
    assert got == code and why in error, error


def test_help_names_every_fault():
    code, out, _ = run_mock("mock-provider", "--help")
    assert code == 0 and "wrong-rate" in out and "RATES_URL=" in out
