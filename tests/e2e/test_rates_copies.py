"""A provider's history in STATE_DIR: asked for conditionally, and without network: spec section 5."""
import os
import stat
import time
import zipfile

import pytest

from amounts import euro
from rate_shop import FROM, RateShop
from standins import ONE_DAY, Csv, last_working_day, utc_today, zip_of
from waiting import wait_until

DAY, OTHER_DAY = "2015-01-05", "2015-01-06"
HISTORY = "/stats/eurofxref-hist.zip"
KEY = "url-key-0123456789SecretOfTests"
TODAY = str(last_working_day(utc_today()))


@pytest.fixture
def shop():
    with RateShop(RATE_PROVIDERS="ecb", FREECURRENCYAPI_KEY=None) as shop:
        yield shop


@pytest.fixture
def own():
    """A table of one's own, whose address has a secret."""
    with Csv({"USD": ""}) as csv:
        csv.tables = {TODAY: {"USD": "1.25"}, DAY: {"USD": "1.5"}}
        with RateShop(RATE_PROVIDERS="url", FREECURRENCYAPI_KEY=None,
                      RATES_URL=f"{csv.url}/{KEY}") as shop:
            shop.api = csv
            yield shop


def copies(shop):
    return list((shop.service.folder / "state").glob("rates-*"))


def wait_copy(shop):
    shop.service.wait_log("rates_copy_written")
    [path] = copies(shop)
    return path


def launch(shop):
    """Starts a service that need not become ready."""
    shop.prepare()
    shop.service.launch()
    shop.upstream.wait_link()


def restart(shop):
    """A service that has no table in memory; where its log begins."""
    start = len(shop.service.log())
    shop.service.stop()
    shop.service.launch()
    shop.upstream.next_link()
    return start


def test_a_start_without_network(shop):
    """Past days come out of the copy as long as the provider can not be reached."""
    shop.start()
    assert shop.convert(DAY) == FROM["ecb"]
    path = wait_copy(shop)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shop.ecb.fault = lambda call: call.reset()
    start = restart(shop)
    shop.wait_new_log(start, f"rates_copy_read path={path} days=[0-9]{{4}}")
    assert shop.convert(OTHER_DAY) == FROM["ecb"]
    line = shop.service.command("convert", "100", "USD", "2016-02-02").stdout
    assert " / 1.28 (2016-02-02, ecb," in line


def test_another_version_is_asked_for(shop):
    """By both names of the one that is there; what has changed comes, and nothing else."""
    shop.start()
    shop.convert(DAY)
    wait_copy(shop)
    shop.ecb.clear()
    restart(shop)
    assert shop.convert(OTHER_DAY) == FROM["ecb"]
    [call] = [c for c in shop.ecb.calls if c.path == HISTORY]
    assert call.headers["if-none-match"].startswith('"')
    assert call.headers["if-modified-since"] == "Fri, 20 Nov 2026 15:00:00 GMT"
    [row] = shop.service.status()["providers"]
    assert row["state"] == "ok"
    shop.ecb.tables = {"2015-01-07": {"USD": "2"}}
    start = restart(shop)
    assert shop.convert("2015-01-07") == euro("100", "2")
    shop.wait_new_log(start, "rates_copy_written")


def test_the_file_says_nothing_of_the_key(own):
    own.start()
    assert own.convert(DAY) == euro("100", "1.5")
    path = wait_copy(own)
    assert KEY.encode() not in path.read_bytes()


def flip(data):
    return data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]


DAMAGES = {
    "a bit": (flip, "damaged"),
    "of its ETag": (lambda data: data.replace(b'etag "', b'etag "0', 1), "damaged"),
    "cut": (lambda data: data[:len(data) // 2], "damaged"),
    "cut in its head": (lambda data: data[:100], "damaged"),
    "longer": (lambda data: data + b"2015-01-04,9\n", "damaged"),
    "empty": (lambda data: b"", "of another form"),
    "zeros": (lambda data: bytes(len(data)), "of another form"),
    "of another version": (lambda data: data.replace(b" 1\n", b" 2\n", 1), "of another form"),
}


@pytest.mark.parametrize("damage, why", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_file_that_is_damaged(own, damage, why):
    """It is told and fetched anew; without network there is then nothing."""
    own.start()
    own.convert(DAY)
    path = wait_copy(own)
    good = path.read_bytes()
    path.write_bytes(damage(good))
    own.api.fault = lambda call: call.reset()
    start = restart(own)
    own.wait_new_log(start, f'rates_copy_refused path={path} why="?{why}"?')
    assert '"error"' in own.ask(OTHER_DAY)
    own.api.fault = None
    own.api.tables[OTHER_DAY] = {"USD": "2"}
    start = restart(own)
    assert own.convert(OTHER_DAY) == euro("100", "2")
    own.wait_new_log(start, "rates_copy_written")
    assert "if-none-match" not in own.api.calls[-1].headers
    assert path.read_bytes() != good


def test_a_file_that_was_removed(own):
    """It is there again with the next call, though the provider has no new version."""
    own.settings["CACHE_TTL_SECONDS"] = "3"
    own.start()
    assert own.convert(utc_today()) == euro("100", "1.25")
    path = wait_copy(own)
    path.unlink()
    wait_until(path.exists, "the copy", 10)
    own.api.clear()
    wait_until(lambda: own.api.calls, "the call after that", 10)
    assert own.api.calls[0].headers["if-none-match"].startswith('"')


def test_a_file_of_another_address(own):
    own.start()
    own.convert(DAY)
    path = wait_copy(own)
    own.service.env["RATES_URL"] += "2"
    own.api.fault = lambda call: call.reset()
    start = restart(own)
    own.wait_new_log(start, f'rates_copy_refused path={path} why="of another address"')


@pytest.mark.parametrize("age, serves", [(600, True), (7200, False)])
def test_todays_table_of_the_copy(own, age, serves):
    """By its age, as if ratefetcher had lived all the time (CACHE_TTL_SECONDS is an hour)."""
    own.settings["CACHE_TTL_SECONDS"] = "3600"
    own.start()
    assert own.convert(utc_today()) == euro("100", "1.25")
    path = wait_copy(own)
    at = time.time() - age
    os.utime(path, (at, at))
    own.api.fault = lambda call: call.reset()
    restart(own)
    answer = own.ask(utc_today())
    assert ('"error"' not in answer) == serves, answer
    assert own.convert(DAY) == euro("100", "1.5")


def test_todays_table_that_is_too_old_by_its_date(own):
    """A copy of ten minutes ago; its newest day is a month old."""
    own.api.tables = {str(utc_today() - 30 * ONE_DAY): {"USD": "1.25"}, DAY: {"USD": "1.5"}}
    launch(own)
    own.convert(DAY)
    wait_copy(own)
    own.api.fault = lambda call: call.reset()
    restart(own)
    assert '"error"' in own.ask(utc_today())


def test_a_state_dir_that_takes_no_file(shop):
    """It costs the copy alone, and is told once."""
    shop.prepare()
    (shop.service.folder / "state" / "rates-ecb-2.new" / "x").mkdir(parents=True)
    shop.service.start()
    shop.upstream.wait_link()
    assert shop.convert(DAY) == FROM["ecb"]
    shop.service.wait_log("rates_copy_not_written provider=ecb folder=.*/state why=")
    assert [p.name for p in copies(shop)] == ["rates-ecb-2.new"]


NO_ZIPS = {
    "none": lambda call: call.answer("<html>not found</html>", 404, "text/html"),
    "none now": lambda call: call.answer("busy", 503, "text/plain"),
    "garbled": lambda call: call.answer(b"PK\x03\x04 and no more", kind="application/zip"),
}


@pytest.mark.parametrize("fails", NO_ZIPS.values(), ids=NO_ZIPS.keys())
def test_a_mirror_without_zip(shop, fails):
    """Its XML serves, and is kept in the same way; each call is counted."""
    shop.ecb.fault = lambda call: (fails if call.path == HISTORY else shop.ecb.reply)(call)
    shop.start()
    assert shop.convert(DAY) == FROM["ecb"]
    wait_copy(shop)
    targets = shop.ecb.targets()
    assert targets[-2:] == [HISTORY, "/stats/eurofxref-hist.xml"]
    wait_until(lambda: shop.service.status()["providers"][0]["calls_month"] == len(targets),
               f"{len(targets)} calls")
    shop.ecb.fault = lambda call: call.reset()
    restart(shop)
    assert shop.convert(OTHER_DAY) == FROM["ecb"]


def test_a_mirror_without_zip_is_called_within_its_quota(shop):
    """No call is left for the XML: then it is asked for next, and not the ZIP again."""
    shop.settings["PROVIDER_CALLS_PER_MINUTE"] = "2"
    shop.ecb.has_zip = False
    shop.start()
    for day in (DAY, OTHER_DAY):
        assert '"error"' in shop.ask(day)
    assert shop.ecb.targets() == ["/stats/eurofxref-daily.xml", HISTORY]
    assert shop.service.status()["providers"][0]["calls_month"] == 2


ROWS = f"Date,USD\n{DAY},1.5\n{TODAY},1.25\n"
BAD_ZIPS = {
    "a bomb": zip_of({"a.csv": "Date,USD\n" + "\n" * (17 << 20)}),
    "two files": zip_of({"a.csv": ROWS, "b.csv": ROWS}),
    "none": zip_of({}),
    "no CSV": zip_of({"a.csv": "<html></html>"}),
    "cut": zip_of({"a.csv": ROWS})[:-10],
    "another method": zip_of({"a.csv": ROWS}, zipfile.ZIP_LZMA),
    "a wrong sum": zip_of({"a.csv": ROWS}, zipfile.ZIP_STORED).replace(b",1.5\n", b",1.6\n"),
    "a wrong size": zip_of({"a.csv": ROWS}).replace(
        len(ROWS).to_bytes(4, "little"), (len(ROWS) + 1).to_bytes(4, "little")),
    "a bomb that says it is small": zip_of({"a.csv": "Date,USD\n" + "\n" * (17 << 20)}).replace(
        (9 + (17 << 20)).to_bytes(4, "little"), (900).to_bytes(4, "little")),
}


@pytest.mark.parametrize("body", BAD_ZIPS.values(), ids=BAD_ZIPS.keys())
def test_zips_that_are_none(own, body):
    own.api.fault = lambda call: call.answer(body, kind="application/zip")
    launch(own)
    assert '"error"' in own.ask(DAY)
    own.service.wait_log("provider_failed provider=url result=bad_table")
    assert not copies(own)


def test_a_table_of_ones_own_in_a_zip(own):
    own.api.fault = lambda call: call.answer(zip_of({"a.csv": ROWS}), kind="application/zip")
    own.start()
    assert own.convert(DAY) == euro("100", "1.5")
    assert own.convert(utc_today()) == euro("100", "1.25")
