"""Settings, the .env file and the runtime folder."""
import os
import re
import socket
import stat

import pytest

from amounts import message, stake_of
from service import Service
from waiting import wait_until

SECRET = "Zq7secretZq7"


@pytest.fixture
def idle(make_service):
    """A service that is not started: for its commands."""
    return make_service({"REQUESTS_WS_URL": "ws://127.0.0.1:1/"})


def told(done):
    """The lines on standard error, but for that the test's own folder is below /tmp."""
    return [line for line in done.stderr.splitlines()
            if not line.startswith("warning: RUNTIME_DIR=/tmp/fxe-")]


def assert_refused(service, env, *names, args=()):
    """Exit 78 with a line for each of these names, and for nothing else."""
    done = service.command(*args, env=env, seconds=10)
    assert done.returncode == 78, (done.returncode, done.stderr)
    lines = told(done)
    assert len(lines) == len(names), done.stderr
    for name in names:
        assert [line for line in lines if re.match(rf"{name}\b", line)], done.stderr
    assert not service.runtime_dir.exists() or "RUNTIME_DIR" in names
    return done.stderr


BAD = [
    ("REQUESTS_WS_URL", ["http://h/", "h:1", "ws://", "ws:///x", "ws://h:0/", "ws://h:70000/",
                         "ws://h:x/", "ws://h/ x", "ws://h/#f", "ws://h/ ws://h/", "wsx://h/",
                         "ws://h/a\nb", "ws:// h/"]),
    ("HEARTBEAT_INTERVAL_SECONDS", ["0", "-1", "x", "1s", "1x ", "nan", "inf", "3601"]),
    ("HEARTBEAT_TIMEOUT_SECONDS", ["0", "-1", "x"]),
    ("RECONNECT_MAX_SECONDS", ["0", "-1", "ten", "1e9"]),
    ("REQUEST_TIMEOUT_SECONDS", ["0", "x", "100000"]),
    ("RETRY_MESSAGE_TTL", ["-1", "x"]),
    ("MAX_MESSAGE_BYTES", ["0", "-5", "1.5", "x", "99999999999999999999", "64k"]),
    ("PENDING_MAX_BYTES", ["0", "x", "1.5"]),
    ("RESPONSE_DATE", ["never", "now request", "1"]),
    ("RATE_PROVIDERS", ["nobody", "file file", "file,ecb", "ecb nobody"]),
    ("FRANKFURTER_URL", ["ftp://h/", "h", "https://", "file:///x"]),
    ("REDIS_URL", ["http://h", "rediss://h/x", "redis:", "redis+sentinel://h", "unix://x", "localhost:6379"]),
    ("CACHE_TTL_SECONDS", ["0", "x", "-1"]),
    ("STALE_MAX_SECONDS", ["-1", "x"]),
    ("PROVIDER_CALLS_PER_MINUTE", ["0", "x", "0.5"]),
    ("LOG_LEVEL", ["loud", "info debug", "0"]),
    ("LOG_FORMAT", ["xml", "textjson"]),
    ("LOGS_EXPIRATION_DAYS", ["0", "x", "1.5"]),
    ("LOGS_EXCEPTION_FRAMES_LIMIT", ["-1", "x"]),
    ("STATUS_LISTEN", ["x", "127.0.0.1", "127.0.0.1:x", ":70000", "http://127.0.0.1:1"]),
    ("SHUTDOWN_GRACE_SECONDS", ["-1", "x"]),
    ("DEBUG_WAIT", ["nobody", "supervisor"]),
]


@pytest.mark.parametrize("name, value", [(n, v) for n, vs in BAD for v in vs])
def test_a_bad_value_stops_the_start(idle, name, value):
    """Exit 78; one line with the name, the value and what is allowed."""
    told = assert_refused(idle, {name: value}, name)
    if name not in ("REQUESTS_WS_URL", "REDIS_URL") and "\n" not in value:
        assert value in told


def test_all_bad_values_are_named(idle):
    names = [name for name, values in BAD if "URL" not in name]
    assert_refused(idle, {name: dict(BAD)[name][-1] for name in names}, *names)


@pytest.mark.parametrize("args", [[], ["--no-watchdog"], ["run"]])
def test_the_address_of_the_upstream_is_required(make_service, args):
    service = make_service()
    assert_refused(service, {}, "REQUESTS_WS_URL", args=args)


@pytest.mark.parametrize("interval, timeout", [("1", "1"), ("2", "1"), ("2", "2.0")])
def test_the_timeout_must_be_larger_than_the_interval(idle, interval, timeout):
    done = idle.command(env={"HEARTBEAT_INTERVAL_SECONDS": interval,
                             "HEARTBEAT_TIMEOUT_SECONDS": timeout})
    assert done.returncode == 78 and "HEARTBEAT_TIMEOUT_SECONDS" in done.stderr


def test_the_file_provider_needs_its_file(make_service):
    service = make_service({"REQUESTS_WS_URL": "ws://127.0.0.1:1/", "RATES_FILE": None})
    done = service.command()
    assert done.returncode == 78 and "RATES_FILE" in done.stderr


@pytest.mark.parametrize("name, value", [
    ("REQUESTS_WS_URL", f"http://user:{SECRET}@h/?k={SECRET}"),
    ("REDIS_URL", f"rediss://:{SECRET}@h/name"),
    ("REQUESTS_WS_URL", f"{SECRET}"),
    ("WS_AUTHORIZATION", f"Bearer {SECRET}\nX: y"),
])
@pytest.mark.parametrize("command", [[], ["check"]])
def test_a_bad_secret_is_masked(idle, name, value, command):
    done = idle.command(*command, env={name: value})
    assert done.returncode == 78
    assert name in done.stderr
    assert SECRET not in done.stderr + done.stdout


@pytest.mark.parametrize("name, value", [
    ("LOG_LEVEL", "WARN"), ("LOG_LEVEL", "Debug"), ("LOG_FORMAT", "JSON"),
    ("RESPONSE_DATE", "Request"), ("RATE_PROVIDERS", "FILE ecb"), ("RATE_PROVIDERS", " file "),
    ("HEARTBEAT_TIMEOUT_SECONDS", "2.5"), ("RETRY_MESSAGE_TTL", "0"), ("STATUS_LISTEN", "127.0.0.1:9464"),
    ("STATUS_LISTEN", "[::1]:9464"), ("REDIS_URL", "redis://:pw@localhost:6379/2"),
    ("REDIS_URL", "unix:///run/redis.sock?db=3"), ("REDIS_URL", "rediss://h"),
    ("REDIS_URL", "redis+sentinel://u:p@a,b:26380,[::1]/mymaster/2"), ("REQUESTS_WS_URL", "wss://h/x ws://h:1/y?z"),
    ("REQUESTS_WS_URL", "ws://[::1]:8080/"), ("LOG_LEVEL", ""),
    ("FRANKFURTER_URL", "https://h:8443/v1"),
])
def test_good_values(idle, name, value):
    """As far as `check` is asked."""
    done = idle.command("check", env={name: value})
    assert done.returncode == 0, done.stderr


# Secrets from files

def test_a_secret_can_be_given_as_a_file(make_service, raw, tmp_path):
    """X_FILE: its content without the line's end is the value."""
    url, key = tmp_path / "url", tmp_path / "key"
    url.write_text(raw.url + "\n")
    key.write_text("Bearer " + SECRET + "\n")
    make_service({"REQUESTS_WS_URL_FILE": url, "WS_AUTHORIZATION_FILE": key}).launch()
    link = raw.accept()
    link.read_head()
    assert link.header("Authorization") == "Bearer " + SECRET


def test_both_a_secret_and_its_file_are_an_error(idle, tmp_path):
    path = tmp_path / "key"
    path.write_text(SECRET)
    told = assert_refused(idle, {"WS_AUTHORIZATION": SECRET, "WS_AUTHORIZATION_FILE": str(path)},
                          "WS_AUTHORIZATION")
    assert SECRET not in told


def test_a_missing_file_of_a_secret_is_an_error(idle):
    assert_refused(idle, {"REDIS_URL_FILE": "/nowhere/at/all"}, "REDIS_URL_FILE")


def test_what_is_no_secret_has_no_file(idle, tmp_path):
    """LOG_LEVEL_FILE is no setting."""
    path = tmp_path / "level"
    path.write_text("bad level")
    assert idle.command("check", env={"LOG_LEVEL_FILE": str(path)}).returncode == 0


# The .env file

ENV_FORMS = {
    "plain": ("LOG_LEVEL=warn", "warn"),
    "blanks around =": ("LOG_LEVEL = warn", "warn"),
    "blanks around all": ("  LOG_LEVEL\t=\twarn  ", "warn"),
    "single quotes": ("LOG_LEVEL='warn'", "warn"),
    "double quotes": ('LOG_LEVEL="warn"', "warn"),
    "export": ("export LOG_LEVEL=warn", "warn"),
    "a comment": ("LOG_LEVEL=warn # not info", "warn"),
    "a comment after quotes": ("LOG_LEVEL='warn' # not info", "warn"),
    "comments and empty lines": ("# x\n\n  # y\nLOG_LEVEL=warn\n#LOG_LEVEL=error", "warn"),
    "CR LF": ("LOG_LEVEL=warn\r\nX_Y=1\r\n", "warn"),
    "no last line end": ("LOG_LEVEL=warn", "warn"),
    "a # without blank": ("ALERT_COMMAND=a#b", "a#b"),
    "a # in quotes": ('ALERT_COMMAND="a # b"', "a # b"),
    "= in the value": ("ALERT_COMMAND=a=b=c", "a=b=c"),
    "blanks in the value": ("ALERT_COMMAND=a b  c", "a b  c"),
    "another quote in quotes": ("ALERT_COMMAND=\"it's\"", "it's"),
}


@pytest.mark.parametrize("text, value", ENV_FORMS.values(), ids=ENV_FORMS.keys())
def test_the_syntax_of_the_env_file(idle, text, value):
    (idle.folder / ".env").write_bytes(text.encode())
    done = idle.command("check")
    assert done.returncode == 0, done.stderr
    name = "ALERT_COMMAND" if "ALERT_COMMAND" in text else "LOG_LEVEL"
    row = [line for line in done.stdout.splitlines() if line.startswith(name + " ")][0]
    assert re.fullmatch(rf"{name} +{re.escape(value)} +\S*\.env\S*( .*)?", row), row


def test_the_environment_wins_over_the_file(idle):
    (idle.folder / ".env").write_text("LOG_LEVEL=warn\nLOG_FORMAT=json\n")
    rows = idle.command("check", env={"LOG_LEVEL": "error"}).stdout.splitlines()
    level = [r for r in rows if r.startswith("LOG_LEVEL ")][0]
    assert "error" in level and "environment" in level
    log_format = [r for r in rows if r.startswith("LOG_FORMAT ")][0]
    assert "json" in log_format and ".env" in log_format


def test_a_service_from_an_env_file_alone(make_service, upstream, tmp_path):
    """--env-file is for every command."""
    service = make_service()
    path = tmp_path / "fx.env"
    path.write_text("".join(f"{n}='{v}'\n" for n, v in service.env.items() if n != "PATH")
                    + f"REQUESTS_WS_URL={upstream.url}\n")
    service.env = {"PATH": service.env["PATH"]} | {
        n: v for n, v in service.env.items() if n.endswith("SAN_OPTIONS")}
    service.args = ["--env-file", str(path)]
    service.launch()
    file = ("--env-file", str(path))
    done = service.command(*file, "status", "--wait", "15", "--ready")
    assert done.returncode == 0, done.stderr
    assert stake_of(upstream.link.ask(message())) == "207.55196"
    done = service.command("convert", "253.67", "USD", "2021-05-18", *file)
    assert done.stdout.startswith("207.55196 EUR")
    assert service.command("stop", *file).returncode == 0
    assert service.wait_exit() == 0


@pytest.mark.parametrize("args", [["check"], ["run"], ["status"], ["stop"],
                                  ["convert", "1", "USD"]])
def test_a_missing_env_file_is_an_error(idle, args):
    """If it was asked for."""
    done = idle.command("--env-file", "/nowhere/fx.env", *args)
    assert done.returncode == 78 and "/nowhere/fx.env" in done.stderr


def test_a_folder_as_the_env_file_is_an_error(idle, tmp_path):
    done = idle.command("--env-file", str(tmp_path), "check")
    assert done.returncode == 78 and str(tmp_path) in done.stderr


def test_a_bad_value_of_the_file_is_told_too(idle):
    (idle.folder / ".env").write_text("LOG_LEVEL=loud\nMAX_MESSAGE_BYTES=x\n")
    assert_refused(idle, {}, "LOG_LEVEL", "MAX_MESSAGE_BYTES")


def test_unknown_names_in_the_file_are_warned_of(idle):
    """By check, which is content otherwise."""
    (idle.folder / ".env").write_text("LOG_LEVLE=warn\n")
    done = idle.command("check")
    assert done.returncode == 0 and "LOG_LEVLE" in done.stderr


# check

@pytest.mark.smoke
def test_check_prints_every_setting(idle):
    """With its value and origin; one line each."""
    done = idle.command("check")
    assert done.returncode == 0 and not told(done)
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    names = set(re.findall(r"^  ([A-Z_]+)", idle.command("--help").stdout, re.M))
    assert set(rows) == names and len(names) > 30
    assert re.fullmatch(r"LOG_LEVEL +info +default", rows["LOG_LEVEL"])
    assert re.fullmatch(r"RETRY_MESSAGE_TTL +60 +default", rows["RETRY_MESSAGE_TTL"])
    assert rows["RATE_PROVIDERS"].endswith("environment")
    assert re.fullmatch(r"REDIS_URL +not set", rows["REDIS_URL"])


def test_check_masks_secrets(idle):
    done = idle.command("check", env={
        "REQUESTS_WS_URL": f"ws://user:{SECRET}@host:81/p?key={SECRET}",
        "WS_AUTHORIZATION": f"Bearer {SECRET}", "FREECURRENCYAPI_KEY": SECRET,
        "EXCHANGE_ACCESS_KEY": SECRET, "EXCHANGERATEAPI_KEY": SECRET,
        "OPENEXCHANGERATES_KEY": SECRET, "FIXER_KEY": SECRET, "CURRENCYAPI_KEY": SECRET,
        "REDIS_URL": f"redis://user:{SECRET}@rhost/1"})
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr and "Zq7" not in done.stdout


def test_warnings_of_check_say_that_they_are(idle):
    """A line of each is told from that of a fault by its first word."""
    (idle.folder / ".env").write_text("LOG_LEVLE=warn\nLOG_LEVEL=loud\nNOT_OURS=1\n")
    done = idle.command("check", env={"FRANKFURTER_URL": "http://h/"})
    lines = told(done)
    assert [line.startswith("warning: ") for line in lines] == [True, True, True, False]
    assert "LOG_LEVLE" in lines[0] and "FRANKFURTER_URL" in lines[2] and "LOG_LEVEL" in lines[3]


def test_check_warns_of_plain_http(idle):
    done = idle.command("check", env={"FRANKFURTER_URL": "http://127.0.0.1:1/v1",
                                      "RATE_PROVIDERS": "frankfurter"})
    assert done.returncode == 0 and "FRANKFURTER_URL" in done.stderr


def test_check_needs_no_service_and_leaves_nothing(idle):
    idle.command("check")
    assert not idle.runtime_dir.exists()


@pytest.mark.parametrize("env, providers", [
    ({}, "frankfurter ecb"),
    ({"FREECURRENCYAPI_KEY": "kkkk"}, "freecurrencyapi frankfurter ecb"),
    ({"EXCHANGERATEAPI_KEY": "kkkk", "EXCHANGE_ACCESS_KEY": "kkkk"},
     "exchangeratehost exchangerateapi frankfurter ecb"),
    ({"OPENEXCHANGERATES_KEY": "kkkk", "EXCHANGERATEAPI_KEY": "kkkk"},
     "exchangerateapi openexchangerates frankfurter ecb"),
    ({"CURRENCYAPI_KEY": "kkkk", "FIXER_KEY": "kkkk"}, "fixer currencyapi frankfurter ecb"),
])
def test_providers_by_default(make_service, env, providers):
    """Those whose key is set, then frankfurter, then ecb."""
    service = make_service({"REQUESTS_WS_URL": "ws://h/", "RATE_PROVIDERS": None} | env)
    rows = service.command("check").stdout.splitlines()
    assert providers in " ".join([r for r in rows if r.startswith("RATE_PROVIDERS")][0].split())


# The runtime folder

@pytest.mark.parametrize("env, where", [
    ({"RUNTIME_DIRECTORY": "{}/given"}, "given"),
    ({"XDG_RUNTIME_DIR": "{}"}, "fxwire"),
    ({"RUNTIME_DIRECTORY": "{}/given", "XDG_RUNTIME_DIR": "{}"}, "given"),
])
def test_where_the_runtime_folder_is(make_service, upstream, tmp_path_factory, env, where):
    """$RUNTIME_DIRECTORY, then $XDG_RUNTIME_DIR/fxwire."""
    service = make_service({"REQUESTS_WS_URL": upstream.url, "RUNTIME_DIR": None})
    service.env |= {n: v.format(service.folder) for n, v in env.items()}
    service.runtime_dir = service.folder / where
    service.start()
    assert (service.runtime_dir / "rates.sock").is_socket()


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o777, 0o750])
def test_a_runtime_folder_that_lets_others_in(idle, mode):
    """It is refused, with a word on what to do."""
    idle.runtime_dir.mkdir()
    idle.runtime_dir.chmod(mode)
    told = assert_refused(idle, {}, "RUNTIME_DIR")
    assert str(idle.runtime_dir) in told and "700" in told
    assert stat.S_IMODE(idle.runtime_dir.stat().st_mode) == mode


def test_a_file_as_the_runtime_folder(idle):
    idle.runtime_dir.touch()
    assert_refused(idle, {}, "RUNTIME_DIR")


def test_a_link_as_the_runtime_folder(idle, tmp_path):
    tmp_path.chmod(0o700)
    idle.runtime_dir.symlink_to(tmp_path)
    assert_refused(idle, {}, "RUNTIME_DIR")
    assert not list(tmp_path.iterdir())


def test_a_runtime_folder_that_cannot_be_made(idle):
    assert_refused(idle, {"RUNTIME_DIR": "/nowhere/at/all"}, "RUNTIME_DIR")


@pytest.mark.parametrize("value", ["/dev/null/x", "/dev/null", "/proc/none/at/all"])
def test_a_state_folder_that_cannot_be_made(idle, value):
    """A line with the value, why, and what to do."""
    told = assert_refused(idle, {"STATE_DIR": value}, "STATE_DIR")
    assert value in told and "choose" in told


def test_check_tells_of_folders_that_cannot_be_made(idle):
    """Each, and those of other bad values; it makes none itself."""
    bad = {"STATE_DIR": "/dev/null/x", "RUNTIME_DIR": "/dev/null/y", "LOG_LEVEL": "loud"}
    assert_refused(idle, bad, *bad, args=["check"])
    assert_refused(idle, bad, *bad)
    good = {"STATE_DIR": str(idle.folder / "a/b/c")}
    assert idle.command("check", env=good).returncode == 0
    assert not (idle.folder / "a").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_runtime_folder_of_another_user(idle):
    idle.runtime_dir.mkdir(mode=0o700)
    os.chown(idle.runtime_dir, 65534, 65534)
    assert_refused(idle, {}, "RUNTIME_DIR")


@pytest.mark.parametrize("command", [[], ["status"], ["stop"], ["convert", "1", "USD"]])
def test_a_path_too_long_for_a_socket(idle, command):
    """A clear message instead of a cut path."""
    done = idle.command(*command, env={"RUNTIME_DIR": "/tmp/" + "x" * 120})
    assert done.returncode == (69 if command else 78)
    assert "RUNTIME_DIR" in done.stderr and len(done.stderr.splitlines()) == 1


def test_stale_sockets_are_replaced(make_service, upstream):
    """Such as a killed service leaves."""
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    service.runtime_dir.mkdir(mode=0o700)
    for name in ("rates.sock", "control.sock"):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(service.runtime_dir / name))
    (service.runtime_dir / "supervisor.lock").touch()
    service.start()
    assert stake_of(upstream.link.ask(message())) == "207.55196"


def test_a_socket_in_use(make_service, upstream):
    """Who still listens there is waited for a little, then named."""
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    service.runtime_dir.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(service.runtime_dir / "rates.sock"))
        sock.listen()
        done = service.command()
        assert done.returncode == 75
        assert "rates.sock" in done.stderr and len(done.stderr.splitlines()) == 1
        service.launch()
        sock.accept()  # the question whether somebody listens
        waits, _ = sock.accept()
        waits.close()
    service.wait_ready()
    assert stake_of(upstream.link.ask(message())) == "207.55196"


def test_files_of_others_in_the_runtime_folder_stay(make_service, upstream):
    service = make_service({"REQUESTS_WS_URL": upstream.url})
    service.runtime_dir.mkdir(mode=0o700)
    (service.runtime_dir / "note").write_text("mine")
    service.start()
    service.stop()
    assert (service.runtime_dir / "note").read_text() == "mine"


@pytest.mark.parametrize("name", ["rates.sock", "control.sock"])
def test_a_plain_file_in_the_place_of_a_socket(idle, name):
    """It is not removed: a clear message."""
    idle.runtime_dir.mkdir(mode=0o700)
    (idle.runtime_dir / name).write_text("mine")
    done = idle.command()
    assert done.returncode == 78 and name in done.stderr
    assert (idle.runtime_dir / name).read_text() == "mine"


def test_a_start_that_fails_leaves_no_socket(idle):
    """Neither the one that was bound before the fault was found."""
    idle.runtime_dir.mkdir(mode=0o700)
    (idle.runtime_dir / "rates.sock").write_text("not ours")
    assert idle.command().returncode == 78
    assert not (idle.runtime_dir / "control.sock").exists()
    assert (idle.runtime_dir / "rates.sock").read_text() == "not ours"


def test_commands_do_not_need_the_upstream(start, upstream):
    """status, convert and stop work with RUNTIME_DIR alone."""
    service = start(upstream)
    whole, service.env = service.env, {n: service.env[n] for n in ("PATH", "RUNTIME_DIR")}
    assert service.command("status").returncode == 0
    assert service.command("convert", "1", "USD").returncode == 0
    service.env = whole


def test_settings_reach_the_helpers(start, upstream):
    """Decimals in durations are obeyed: five beats in a second."""
    assert isinstance(start(upstream, HEARTBEAT_INTERVAL_SECONDS="0.05"), Service)
    wait_until(lambda: len(upstream.link.beats) > 10, "eleven beats", 2)
