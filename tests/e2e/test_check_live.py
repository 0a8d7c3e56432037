"""`check --live`: each upstream, provider and Redis is tried once."""
import os
import shlex
import subprocess
import threading
import time

import pytest

from amounts import message
from places import SCALE
from rate_shop import RateShop
from raw_upstream import CLOSE, PING, PONG, TEXT, RawUpstream, frame
from redis_server import FakeRedis, RedisServer
from standins import ONE_DAY, frankfurter_body, utc_today


@pytest.fixture
def shop():
    """What can be tried, with a service that does not run."""
    one = RateShop(RATE_PROVIDERS="freecurrencyapi frankfurter", CACHE_TTL_SECONDS="60")
    yield one.prepare()
    service, one.service = one.service, None
    one.__exit__(None)
    service.finish()


def rows_of(done):
    """[(title, {field: value})] of what was tried."""
    rows = []
    for line in done.stdout.splitlines():
        title, *fields = shlex.split(line)
        if title in ("folder", "upstream", "provider", "redis") and "=" in fields[0]:
            rows.append((title, dict(field.split("=", 1) for field in fields)))
    return rows


def check(shop, code, *args, **env):
    """Runs it; gives its rows."""
    done = shop.service.command("check", *(args or ["--live"]),
                                env={name: str(value) for name, value in env.items()})
    assert done.returncode == code, done.stdout + done.stderr
    shop.told = done.stderr
    return rows_of(done)


def row(rows, name):
    """Of that provider, or of the upstream, or of Redis."""
    return next(fields for title, fields in rows if name in (title, fields.get("name")))


def date_header(seconds):
    return time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


def say_date(shop, seconds):
    """Frankfurter's clock is so far ahead."""
    shop.frankfurter.fault = lambda call: call.answer(
        frankfurter_body(utc_today(), {"USD": "1.2", "JPY": "120"}), more=[date_header(seconds)])


def test_all_is_well(shop):
    """A row for each in order; nothing is kept, and the link is closed in order."""
    with RedisServer() as redis:
        rows = check(shop, 0, REDIS_URL=redis.start().url(1))
        assert not redis.client(1).get("fxwire:rates:frankfurter:latest")
    assert [title for title, _ in rows] == ["folder"] * 2 + ["upstream"] + ["provider"] * 2 + [
        "redis"]
    assert [fields["result"] for _, fields in rows] == ["ok"] * 5 + ["up"]
    assert [fields["name"] for _, fields in rows[:2]] == ["RUNTIME_DIR", "STATE_DIR"]
    assert row(rows, "upstream")["upstream"] == shop.upstream.url.removeprefix("ws://")
    assert row(rows, "freecurrencyapi")["currencies"] == "1"
    assert [len(api.calls) for api in (shop.fca, shop.frankfurter, shop.ecb)] == [1, 1, 0]
    link = shop.upstream.wait_link()
    link.wait_end()
    assert link.close_code == 1001 and not link.answers and not link.beats
    assert not (shop.service.folder / "state").exists()
    assert not shop.service.runtime_dir.exists()


@pytest.mark.parametrize("args", [["check"], ["check", "--env-file", "/dev/null"]])
def test_without_live_nothing_is_tried(shop, args):
    assert not rows_of(shop.service.command(*args))
    assert not shop.upstream.attempts and not shop.fca.calls


@pytest.mark.parametrize("theirs, ours, warned", [
    (0, 0, None), (30, -30, None), (7200, -7200, "behind"), (-7200, 7200, "ahead of"),
    (-3 * 86400, 3 * 86400, "ahead of")])
def test_difference_of_the_clocks(shop, theirs, ours, warned):
    """Ours to the Date of each provider that sends one; a large one is warned of."""
    say_date(shop, theirs)
    rows = check(shop, 0)
    offset = int(row(rows, "frankfurter")["clock_offset_seconds"])
    assert abs(offset - ours) <= 2 * SCALE
    assert "clock_offset_seconds" not in row(rows, "freecurrencyapi")
    line = next((t for t in shop.told.splitlines() if "our clock" in t), None)
    assert (line is None) == (warned is None)
    assert warned is None or (line.startswith("warning: frankfurter:") and f" s {warned} " in line)


def test_the_clock_of_one_that_fails(shop):
    """It is told with the error, too; a cached answer's tells nothing."""
    shop.frankfurter.fault = lambda call: call.answer("", 500, more=[date_header(900)])
    rows = check(shop, 69)
    assert abs(int(row(rows, "frankfurter")["clock_offset_seconds"]) + 900) <= 2 * SCALE
    shop.frankfurter.fault = lambda call: call.answer(
        frankfurter_body(utc_today(), {"USD": "1.2"}), more=[date_header(-900), "Age: 900"])
    assert "clock_offset_seconds" not in row(check(shop, 0), "frankfurter")


def test_what_is_left_of_a_quota(shop):
    """As the provider tells it, and only what is a number."""
    shop.fca.fault = lambda call: call.answer(
        '{"data":{"EUR":1,"USD":1.2}}', more=["X-RateLimit-Remaining-Quota-Month: 4821",
                                              "x-ratelimit-remaining-quota-minute: soon"])
    rows = check(shop, 0)
    assert row(rows, "freecurrencyapi")["calls_left_month"] == "4821"
    assert not [name for _, fields in rows for name in fields if "left" in name and
                fields["name"] != "freecurrencyapi" or name == "calls_left_minute"]


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_on_a_full_disk(shop, tmp_path, there):
    """That a folder is there, or can be made, is not all."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("only root can make such a disk")
    folder = tmp_path if there else tmp_path / "a" / "b"
    env = shop.service.env | {"LOGS_DIR": str(folder), "LOGS_EXPIRATION_DAYS": "1"}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=8k none "$0" && exec "$@"',
         tmp_path, shop.service.build / "supervisor", "check", "--live"],
        env=env, cwd=shop.service.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 69, done.stdout + done.stderr
    told = row(rows_of(done), "LOGS_DIR")
    assert (told["path"], told["result"], told["free_mb"]) == (str(folder), "failed", "0")
    assert "No space left" in told["detail"]
    assert row(rows_of(done), "STATE_DIR")["result"] == "ok"


def test_a_table_of_another_day(shop):
    """What the service would say of it, is said."""
    day = utc_today() + 3 * ONE_DAY
    shop.frankfurter.fault = lambda call: call.answer(frankfurter_body(day, {"USD": "1.2"}))
    told = row(check(shop, 69), "frankfurter")
    assert told["result"] == "ahead" and "our clock or theirs is wrong" in told["detail"]


@pytest.mark.parametrize("status, name, result", [
    (403, "freecurrencyapi", "key_refused"), (403, "frankfurter", "bad_status"),
    (429, "frankfurter", "limited"), (500, "freecurrencyapi", "bad_status")])
def test_a_provider_that_fails(shop, status, name, result):
    """The others are tried all the same."""
    api = shop.fca if name == "freecurrencyapi" else shop.frankfurter
    api.fault = lambda call: call.answer(f"no, {shop.fca.key}", status)
    rows = check(shop, 69)
    assert row(rows, name)["result"] == result and len(rows) == 5
    assert sum(fields["result"] == "ok" for _, fields in rows) == 4
    assert shop.fca.key not in str(rows) + shop.told


def test_a_byte_order_mark_before_a_table(shop):
    shop.frankfurter.fault = lambda call: call.answer(
        "\ufeff" + frankfurter_body(utc_today(), {"USD": "1.2"}))
    assert row(check(shop, 0), "frankfurter")["as_of"] == str(utc_today())


def test_a_provider_that_is_not_there(shop):
    told = row(check(shop, 69, FRANKFURTER_URL="http://127.0.0.1:1/v1"), "frankfurter")
    assert told["result"] == "unreached" and told["detail"]


def test_upstreams(shop):
    """Each of several; why one does not work."""
    shop.upstream.refuse = (403, [], b"no")
    with RawUpstream() as closed:
        url = closed.url
    rows = check(shop, 69, REQUESTS_WS_URL=f"{shop.upstream.url} {url}")
    one, other = (fields for title, fields in rows if title == "upstream")
    assert one["result"] == other["result"] == "failed"
    assert one["detail"] == "status 403" and other["detail"]


def test_a_request_is_not_taken(shop):
    """No Pong says so, even if all comes in one packet with the handshake."""
    found = []
    with RawUpstream() as raw:
        def serve():
            link = raw.accept()
            link.read_head()
            link.send(link.answer_head() + frame(TEXT, message()) + frame(PING, b"x"))
            while (one := link.read_frame(5)) is not None:
                found.append(one)

        thread = threading.Thread(target=serve)
        thread.start()
        check(shop, 0, REQUESTS_WS_URL=raw.url)
        thread.join()
    assert [one.opcode for one in found] == [CLOSE], found
    assert PONG not in [one.opcode for one in found]


def test_beside_the_running_service(shop):
    """Its link is the proof; another one could be given requests."""
    shop.service.start()
    link = shop.upstream.wait_link()
    calls = len(shop.frankfurter.calls)
    rows = check(shop, 0)
    assert row(rows, "upstream")["link"] == "the running service's"
    assert len(shop.upstream.links) == 1 and len(shop.frankfurter.calls) == calls + 1
    assert link.ended is None
    shop.upstream.refuse = (503, [], b"")
    link.reset()
    shop.service.wait_log("connect_failed")
    assert row(check(shop, 69), "upstream")["detail"] == "status 503"
    shop.upstream.refuse = None


@pytest.mark.parametrize("said, result, detail", [
    ({"SET": b"-READONLY You can't write against a read only replica.\r\n"}, "read only",
     "READONLY"),
    ({"SET": b"-OOM command not allowed\r\n"}, "read only", "OOM"),
    ({"GET": b"-NOAUTH Authentication required.\r\n"}, "refused", "NOAUTH"),
    ({"GET": b"-LOADING Redis is loading the dataset in memory\r\n"}, "down", "LOADING"),
    ({"GET": b""}, "down", "closed by the server")])
def test_redis_that_does_not_serve(shop, said, result, detail):
    with FakeRedis() as redis:
        redis.says = said
        told = row(check(shop, 69, REDIS_URL=redis.url), "redis")
    assert told["result"] == result and told["detail"].startswith(detail)


def test_redis_that_is_not_there(shop):
    told = row(check(shop, 69, REDIS_URL="redis://:S3cretPass@127.0.0.1:1/0"), "redis")
    assert told == {"redis": "127.0.0.1:1", "result": "down", "detail": "Connection refused"}


def test_a_wrong_password_of_redis(shop):
    """It is refused, and not shown."""
    with RedisServer("--requirepass", "right") as redis:
        told = row(check(shop, 69, REDIS_URL=redis.start().url(user_info=":wr0ngPass@")), "redis")
    assert told["result"] == "refused" and told["detail"].startswith("WRONGPASS")
    assert "wr0ngPass" not in str(told)


def test_a_bad_configuration_is_not_tried(shop):
    assert not check(shop, 78, CACHE_TTL_SECONDS="x")
    assert not shop.upstream.attempts and not shop.fca.calls
