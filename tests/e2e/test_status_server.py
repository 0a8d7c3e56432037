"""STATUS_LISTEN: metrics and health over HTTP, and that nobody there is in the way."""
import contextlib
import http.client
import json
import signal
import socket
import subprocess
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from amounts import message, stake_of
from ports import on_new_port
from status_page import unused
from upstream import Upstream
from waiting import wait_until

# What the documentation promises.
FAMILIES = {
    "fxwire_connected": "gauge",
    "fxwire_requests": "counter",
    "fxwire_requests_refused": "counter",
    "fxwire_responses": "counter",
    "fxwire_retried": "counter",
    "fxwire_expired": "counter",
    "fxwire_pending": "gauge",
    "fxwire_ledger_bytes": "gauge",
    "fxwire_ledger_max_bytes": "gauge",
    "fxwire_reconnects": "counter",
    "fxwire_heartbeat_age_seconds": "gauge",
    "fxwire_request_seconds": "histogram",
    "fxwire_rate_lookups": "counter",
    "fxwire_provider_calls": "counter",
    "fxwire_provider_seconds": "summary",
    "fxwire_process_restarts": "counter",
    "fxwire_process_up": "gauge",
    "fxwire_log_dropped": "counter",
    "fxwire_build_info": "gauge",
    "fxwire_ready": "gauge",
    "fxwire_table_age_seconds": "gauge",
    "fxwire_table_fetched_age_seconds": "gauge",
    "fxwire_provider_up": "gauge",
    "fxwire_provider_breaker_open": "gauge",
    "fxwire_provider_calls_month": "gauge",
    "fxwire_provider_calls_minute": "gauge",
    "fxwire_provider_calls_minute_max": "gauge",
}


def converted(page):
    return page.value("fxwire_requests_total", result="converted")


@pytest.mark.smoke
def test_metrics(watched, upstream):
    """All that are promised, in one family each, with the values of `status`."""
    service, page = watched()
    for i in range(5):
        assert stake_of(upstream.link.ask(message(str(i)))) == "207.55196"
    upstream.link.ask(message('"bad"', currency='"usd"'))
    wait_until(lambda: page.value("fxwire_responses_total") == 6, "the count")
    code, text = page.get("/metrics")
    assert code == 200
    assert text.count("# TYPE fxwire_provider_calls_total ") == 1
    families = {f.name: f for f in text_string_to_metric_families(text)}
    assert FAMILIES.items() <= {n: f.type for n, f in families.items()}.items()
    assert converted(page) == 5
    assert page.value("fxwire_requests_total", result="invalid") == 1
    assert page.value("fxwire_requests_refused_total", reason="currency") == 1
    assert page.value("fxwire_requests_refused_total") == 1
    assert page.value("fxwire_ledger_max_bytes") == 16 << 20
    providers = {s.labels["provider"] for f in families.values() for s in f.samples
                 if "provider" in s.labels}
    assert providers == {"file"}, "of those that are in use"
    assert page.value("fxwire_request_seconds_count") == 6
    assert page.value("fxwire_request_seconds_bucket", le="+Inf") == 6
    assert page.value("fxwire_build_info") == 1
    assert page.value("fxwire_process_up", process="ratefetcher") == 1
    label = upstream.url.removeprefix("ws://")
    assert page.value("fxwire_connected", upstream=label) == 1
    counted = {row["name"]: row["values"] for row in service.status()["counters"]}
    assert counted["wsclient"]["fxwire_responses_total"] == 6


@pytest.mark.parametrize("settings", [
    {}, {"RATE_PROVIDERS": "file frankfurter", "FRANKFURTER_URL": "http://127.0.0.1:9"}],
    ids=["a file", "a provider that fails"])
def test_promtool(watched, upstream, settings):
    """Prometheus' own linter has nothing to say."""
    _, page = watched(settings)
    upstream.link.ask(message("1", currency='"XAF"'))
    wait_until(lambda: page.value("fxwire_requests_total", result="no_rate") == 1, "the count")
    done = subprocess.run(["promtool", "check", "metrics"], input=page.get("/metrics")[1],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_gauges_of_providers(watched, upstream):
    """One that fails is skipped after five calls; its limit is shown with them."""
    _, page = watched({"RATE_PROVIDERS": "file frankfurter", "PROVIDER_CALLS_PER_MINUTE": "50",
                       "FRANKFURTER_URL": "http://127.0.0.1:9"})
    assert page.value("fxwire_provider_up", provider="frankfurter") == 1
    for i in range(5):
        upstream.link.ask(message(str(i), currency='"XAF"', date=f'"2021-05-{10 + i}"'))
    wait_until(lambda: page.value("fxwire_provider_breaker_open", provider="frankfurter") == 1,
               "it is skipped")
    assert page.value("fxwire_provider_up", provider="frankfurter") == 0
    assert page.value("fxwire_provider_up", provider="file") == 1
    assert page.value("fxwire_provider_calls_minute", provider="frankfurter") == 5
    assert page.value("fxwire_provider_calls_minute_max", provider="frankfurter") == 50
    assert page.value("fxwire_provider_calls_month", provider="frankfurter") == 5


def test_the_status_says_what_is_wrong(watched):
    """In a sentence, with the last warnings, at the service's own socket."""
    with Upstream() as other:
        service, _ = watched({"RECONNECT_MAX_SECONDS": "0.1", "REQUESTS_WS_URL": other.url})
        status = service.status()
        assert status["summary"] == "Converting" and status["attention"] == []
        assert status["upstreams"][0]["results"]["converted"] == 0
        assert status["lookups"]["memory"] == {"hit": 0, "miss": 0}
    label = other.url.removeprefix("ws://")
    status = wait_until(lambda: (got := service.status())["last_warnings"] and
                        not got["ready"] and got, "it is told")
    assert status["summary"].startswith(f"Not ready: upstream {label} not connected for ")
    assert status["upstreams"][0]["reconnects"] != {}
    newest = status["last_warnings"][-1]
    assert newest["process"] == "wsclient" and newest["level"] == "warn"
    assert newest["event"] in ("disconnected", "connect_failed")


def test_counts_go_on(watched, upstream):
    """With who dies and who scrapes: neither begins at 0 again."""
    service, page = watched({"RECONNECT_MAX_SECONDS": "0.1"})
    assert stake_of(upstream.link.ask(message("1"))) == "207.55196"
    wait_until(lambda: converted(page) == 1, "the count")
    service.wait_respawn("wsclient", service.kill("wsclient"))
    assert stake_of(upstream.wait_link(2).ask(message("2"))) == "207.55196"
    wait_until(lambda: converted(page) == 2, "the count")
    assert page.value("fxwire_process_restarts_total", process="wsclient",
                      reason="signal") == 1
    service.wait_respawn("monitor", service.kill("monitor"))

    def back():
        try:
            return converted(page) == 2
        except OSError:
            return False

    wait_until(back, "the monitor's successor")


def test_health_and_readiness(watched):
    with Upstream() as other:
        _, page = watched({"RECONNECT_MAX_SECONDS": "0.1",
                           "REQUESTS_WS_URL": other.url})
        assert page.get("/healthz") == (200, '{"healthy":true}\n')
        assert page.get("/readyz") == (200, '{"ready":true,"reasons":[]}\n')
    _, text = wait_until(lambda: (got := page.get("/readyz"))[0] == 503 and got,
                         "it is not ready")
    label = other.url.removeprefix("ws://")
    assert json.loads(text)["reasons"] == [f"upstream is not connected: {label}"]
    assert page.get("/healthz")[0] == 200
    assert page.value("fxwire_ready") == 0


def test_nobody_vouches_for_a_supervisor_that_hangs(watched):
    service, page = watched(args=["--no-watchdog"])
    service.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: page.get("/healthz")[0] == 503, "it is seen")
    code, text = page.get("/readyz")
    assert code == 503 and json.loads(text)["reasons"] == ["the supervisor says nothing"]
    assert page.get("/metrics")[0] == 503
    service.process.send_signal(signal.SIGCONT)
    wait_until(lambda: page.get("/healthz")[0] == 200, "it is back")


def test_what_is_not_served(watched):
    _, page = watched()
    assert page.get("/page.html")[0] == 404
    assert page.get("/metrics/")[0] == 404
    assert page.get("/%6detrics")[0] == 404
    assert page.get("//metrics")[0] == 404
    assert page.get("/metrics?x=1")[0] == 200
    assert page.get("/metrics", method="POST", data=b"x")[0] in (405, 413, 501)
    assert page.get("/metrics", headers={"X": "x" * 20000})[0] in (400, 413, 431)
    assert page.get("/metrics", method="HEAD") == (200, "")


@pytest.mark.parametrize("path", ["/", "/metrics", "/status.json", "/nothing"])
def test_headers(watched, path):
    """No other site may frame it, embed it, or have a browser guess what it is."""
    _, page = watched()
    connection = http.client.HTTPConnection("127.0.0.1", page.port)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy
    assert answer.headers["Access-Control-Allow-Origin"] is None


HOSTS = {"localhost:1": 200, "LocalHost": 200, "127.0.0.1:9464": 200, "[::1]:80": 200,
         "evil.example": 421, "evil.example:9464": 421, "127.0.0.1.evil.example": 421,
         "localhost.evil.example": 421, "[::1].evil.example:1": 200, "": 421, "[": 421}


def test_a_name_that_was_made_to_point_here(watched):
    """A page of another site (DNS rebinding) is refused for the name it asks by."""
    _, page = watched()
    for path in ("/", "/metrics", "/status.json", "/healthz", "/nothing"):
        assert page.get(path, headers={"Host": "evil.example"})[0] == 421
    for host, code in HOSTS.items():
        assert page.get("/healthz", headers={"Host": host})[0] == code, host


def test_any_name_where_others_may_reach_it(watched):
    _, page = watched({"STATUS_LISTEN_PUBLIC": "yes"})
    assert page.get("/healthz", headers={"Host": "monitoring.example"})[0] == 200


def looked_up(service):
    return service.status().get("lookups", {}).get("memory", {}).get("miss")


def test_the_status_is_that_of_the_command(watched, upstream):
    service, page = watched()
    assert stake_of(upstream.link.ask(message("1"))) == "207.55196"
    # Each helper reports once a second, at a time of its own.
    wait_until(lambda: converted(page) == 1 and looked_up(service) == 1, "both reports")
    code, text = page.get("/status.json")
    told, asked = json.loads(text), service.status()
    assert code == 200 and told.keys() - {"op"} == asked.keys() - {"op"}
    for name in ("version", "ready", "reasons", "summary", "attention", "redis", "lookups"):
        assert told[name] == asked[name]


def drip(connections, over):
    """Goes on with requests that never end, so that none is idle."""
    line = b"GET /healthz HTTP/1.1\r\n"
    while True:
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.send(line)
        line = b"X: y\r\n"
        if over.wait(1):
            return


def test_who_only_keeps_connections(watched):
    """More of them than there can be, each busy with its headers, keep nobody out."""
    service, page = watched()
    before = service.pids()["monitor"]
    over = threading.Event()
    slow = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(200)]
    thread = threading.Thread(target=drip, args=(slow, over))
    thread.start()
    try:
        for _ in range(3):
            assert page.get("/healthz")[0] == 200
    finally:
        over.set()
        thread.join()
        for connection in slow:
            connection.close()
    assert service.pids()["monitor"] == before


def test_readers_that_are_stuck(watched, upstream):
    """Neither they nor very many of them are in the way of answers or scrapes."""
    service, page = watched()
    before = service.pids()["monitor"]
    stuck = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(300)]
    for connection in stuck[:50]:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
    for i in range(20):
        assert stake_of(upstream.link.ask(message(str(i)))) == "207.55196"
    for connection in stuck:
        connection.close()

    def served():
        try:
            return converted(page) == 20
        except (OSError, http.client.HTTPException):
            return False

    wait_until(served, "a scrape", 15)
    assert service.pids()["monitor"] == before


def test_one_who_asks_and_does_not_read(watched):
    """What waits to be answered is bounded: the rest is left in the socket."""
    service, page = watched()
    before = service.pids()["monitor"]
    questions = b"GET /metrics HTTP/1.1\r\n\r\n" * 1000
    most = 64 << 20  # far above what the kernel keeps for both ends
    with socket.create_connection(("127.0.0.1", page.port)) as greedy:
        greedy.settimeout(2)
        taken = 0
        with pytest.raises(OSError):  # it takes no more, or is closed for that
            while taken < most:
                taken += greedy.send(questions)
    assert page.get("/healthz")[0] == 200
    assert service.pids()["monitor"] == before


def test_a_thousand_scrapes(watched, upstream):
    service, page = watched()
    connection = http.client.HTTPConnection("127.0.0.1", page.port)
    for i in range(1000):
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200 and b"fxwire_connected" in answer.read()
    assert stake_of(upstream.link.ask(message("1"))) == "207.55196"
    assert len(upstream.links) == 1 and "died" not in service.log()


def test_secrets_are_not_told(watched, upstream):
    secrets = {"WS_AUTHORIZATION": "Bearer authsecret", "FREECURRENCYAPI_KEY": "keysecret",
               "REQUESTS_WS_URL": upstream.url.replace("ws://", "ws://me:passsecret@")
               + "?token=querysecret"}
    _, page = watched(secrets)
    for path in ("/metrics", "/status.json", "/", "/readyz", "/healthz"):
        assert "secret" not in page.get(path)[1]


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1", "example.org"])
def test_an_address_that_others_reach(make_service, upstream, host):
    service = make_service({"REQUESTS_WS_URL": upstream.url,
                            "STATUS_LISTEN": f"{host}:{on_new_port(unused)}"})
    for command in ("check", "run"):
        done = service.command(command)
        assert done.returncode == 78
        assert f"STATUS_LISTEN={host}" in done.stderr and "STATUS_LISTEN_PUBLIC" in done.stderr


def test_an_address_that_others_may_reach(watched):
    _, page = watched({"STATUS_LISTEN_PUBLIC": "yes"}, host="0.0.0.0")
    assert page.get("/healthz")[0] == 200


def test_an_address_that_is_taken(make_service, upstream):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        service = make_service({"REQUESTS_WS_URL": upstream.url,
                                "STATUS_LISTEN": f"127.0.0.1:{port}"})
        done = service.command("run")
        assert done.returncode == 78
        assert f"STATUS_LISTEN=127.0.0.1:{port}: nobody can listen there" in done.stderr
