"""RATES_FILE while it is written, replaced and changed: README, Rates."""
import os
import time

import pytest

from amounts import error, message, stake_of, today
from waiting import sleep_until, wait_until

NO_RATES = error("no rates can be had for this date", "456")
DAY = "2021-05-18"
TTL = 0.3


def form(usd, day_usd="4"):
    """A file's text: today's rate, and as its last row that of DAY."""
    return f"Date,USD\n{today()},{day_usd}\n{DAY},{usd}\n"


def put(path, text, age=60):
    """As a file that was last changed so long ago."""
    path.write_text(text)
    moment = time.time() - age
    os.utime(path, (moment, moment))


@pytest.fixture
def path(tmp_path):
    put(tmp_path / "rates.csv", form("2"))
    return tmp_path / "rates.csv"


@pytest.fixture
def begun(start, upstream, path):
    """A service with that file, whose tables are soon old."""
    return start(upstream, RATES_FILE=path, CACHE_TTL_SECONDS=str(TTL))


def ask(upstream, day=DAY):
    return upstream.link.ask(message(stake="100", date=f'"{day}"'))


def answers(upstream, seconds, day=DAY):
    """All that is answered in that time."""
    end = time.monotonic() + seconds
    found = set()
    while time.monotonic() < end:
        found.add(stake_of(ask(upstream, day)))
        time.sleep(0.02)
    return found


def test_while_it_is_written(begun, upstream, path):
    """The old rates serve, then the new ones, and none with fewer digits."""
    assert stake_of(ask(upstream)) == "50"
    text = form("1.2222")
    found = set()
    with open(path, "w", encoding="ascii") as file:
        for end in (0, 4, len(text) - 8, len(text) - 4, len(text) - 2):
            file.seek(0)
            file.write(text[:end])
            file.flush()
            found |= answers(upstream, 0.7)
        assert found == {"50"}
        file.write(text[end:])
    wait_until(lambda: stake_of(ask(upstream)) == "81.81967", "the new rate", 4)
    assert begun.log().count("rates_file_incomplete") == 1
    line = begun.wait_log("rates_file_incomplete")
    assert "WARN" in line and str(path) in line
    assert "provider_failed" not in begun.log()


def test_what_is_cut_for_good(begun, upstream, path):
    """Its last row is left out, with a warning; the others serve."""
    assert stake_of(ask(upstream)) == "50"
    path.write_text(f"Date,USD\n{today()},5\n2021-05-17,8\n{DAY},1.2")
    assert answers(upstream, 1) == {"50"}
    wait_until(lambda: stake_of(ask(upstream)) == "12.5", "the row before it", 5)
    assert stake_of(ask(upstream, today())) == "20"
    begun.wait_log(f"rates_left_out provider=file .*line=4 text={DAY}")
    assert begun.log().count("rates_file_incomplete") == 1


def test_a_slow_writer(start, upstream, path):
    """One who stops for seconds in the middle of a row is not waited for by CACHE_TTL_SECONDS."""
    text = f"Date,USD\n{today()},4\n2021-05-17,8\n{DAY},2.5\n"
    path.write_text(text[:-3])
    service = start(upstream, RATES_FILE=path)
    wait_until(lambda: ask(upstream) != NO_RATES, "the row before it", 6)
    assert stake_of(ask(upstream)) == "12.5"
    service.wait_log(f"rates_left_out provider=file .*line=4 text={DAY}")
    with open(path, "a", encoding="ascii") as file:
        file.write(text[-3:])
    wait_until(lambda: stake_of(ask(upstream)) == "40", "the whole row", 5)
    sleep_until(time.monotonic() + 3)
    assert service.log().count("rates_file_incomplete") == 1


def test_cut_at_the_start(make_service, upstream, tmp_path):
    """Of a file that lies there so: what is whole serves at once."""
    path = tmp_path / "rates.csv"
    put(path, form("2")[:-1])
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RATES_FILE": path}).start()
    upstream.wait_link()
    assert ask(upstream) == NO_RATES
    assert stake_of(ask(upstream, today())) == "25"
    service.wait_log("rates_file_incomplete")


def test_written_at_the_start(make_service, upstream, tmp_path):
    """There are no old rates: until it is whole it is an error, and then a rate."""
    path = tmp_path / "rates.csv"
    text = form("1.2222")
    with open(path, "w", encoding="ascii") as file:
        file.write(text[:-3])
        file.flush()
        make_service({"REQUESTS_WS_URL": upstream.url, "RATES_FILE": path}).launch()
        upstream.wait_link()
        assert ask(upstream) == NO_RATES
        file.write(text[-3:])
    wait_until(lambda: ask(upstream) != NO_RATES, "a rate", 6)
    assert stake_of(ask(upstream)) == "81.81967"


def renamed(path, text):
    new = path.with_suffix(".new")
    new.write_text(text)
    state = path.stat()
    os.utime(new, ns=(state.st_atime_ns, state.st_mtime_ns))
    new.rename(path)


def in_place(path, text):
    state = path.stat()
    path.write_text(text)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def made_anew(path, text):
    state = path.stat()
    path.unlink()
    path.write_text(text)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("change", [renamed, in_place, made_anew])
def test_another_of_the_same_size_and_time(begun, upstream, path, change):
    assert stake_of(ask(upstream)) == "50"
    change(path, form("5"))
    sleep_until(time.monotonic() + TTL)
    wait_until(lambda: stake_of(ask(upstream)) == "20", "the new rate", 2)
    assert "rates_file_incomplete" not in begun.log()


def test_two_changes_in_a_row(begun, upstream, path):
    """The second one may have the time of the first."""
    assert stake_of(ask(upstream)) == "50"
    path.write_text(form("5"))
    wait_until(lambda: stake_of(ask(upstream)) == "20", "the first change", 2)
    in_place(path, form("8"))
    wait_until(lambda: stake_of(ask(upstream)) == "12.5", "the second one", 3)


def test_a_row_that_has_just_been_added(start, upstream, path):
    """That it was not there holds no longer than the file has stood still."""
    path.write_text(f"Date,USD\n{today()},4\n")
    start(upstream, RATES_FILE=path)
    assert ask(upstream) == NO_RATES
    with open(path, "a", encoding="ascii") as file:
        file.write(f"{DAY},2\n")
    wait_until(lambda: ask(upstream) != NO_RATES, "the row", 4)
    assert stake_of(ask(upstream)) == "50"


def test_a_byte_order_mark_is_skipped(begun, upstream, path):
    assert stake_of(ask(upstream)) == "50"
    put(path, "\ufeff" + form("4"))
    wait_until(lambda: stake_of(ask(upstream)) == "25", "the new table")


@pytest.mark.parametrize("content, told", [
    (("\ufeff" + form("4")).encode("utf-16-le"), "is UTF-16; save it as UTF-8"),
    (form("4").encode("utf-16-be"), "is UTF-16; save it as UTF-8"),
    (b"PK\x03\x04\x14\x00\xff\xfe", "is a zip archive; unpack it"),
    (b"\x1f\x8b\x08\x00\x00", "is a gzip archive; unpack it"),
], ids=["UTF-16", "UTF-16 without a mark", "zip", "gzip"])
def test_what_is_no_table_is_named(begun, upstream, path, content, told):
    """And the old tables serve."""
    assert stake_of(ask(upstream)) == "50"
    path.write_bytes(content)
    wait_until(lambda: stake_of(ask(upstream)) == "50" and told in begun.log(), "the reason")
