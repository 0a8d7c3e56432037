"""etc/schema/: what the running service sends is as it says there, and it says enough."""
import json
import re

import pytest

from amounts import message, today, write_fresh_rates
from places import SANITIZED, TOP, VALGRIND
from rate_shop import RateShop
from schemas import Draft202012Validator, Schema, load, names
from service import Service
from test_follow import Follower
from upstream import Upstream
from waiting import wait_until

pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED, reason="is about files of etc/")

# What users may rely on, written from the contract.
REQUIRED = {
    "heartbeat": "type", "request": "type id payload", "response": "type id payload",
    "error": "type id message", "alert": "event subject time",
    "rates": "op date as_of base provider layer fetched_at expires_at rates expires_in",
    "audit": "upstream received id outcome",
    "status": "version time uptime_seconds ready reasons helpers upstreams providers latest "
              "redis rates_differ lookups last_warnings counters summary attention"}
ASKED = [message("1", "160"), message('"x"', "0.1", '"EUR"'), message("1e2", "7", '"DEM"'),
         message("3", "1", date=f'"{today()}"'), message("4", "5", '"XAF"'),
         message("5", "-1"), message("6", date='"2021-02-30"'), '{"type":"message","id":7}',
         "{", message("[]"), message("8", "1", date='"2021-05-18"').replace("2.2", "{}")]
STRANGE = {  # a text to quote, one that looks like a number, and no UTF-8
    "error": '{"type":"error","id":1,"message":"a \\"b\\"=c"}', "odd": '{"type":"odd"}'}


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """{kind: [(schema and part of it, value)...]} of a service that has seen something."""
    folder = tmp_path_factory.mktemp("sent")
    with Upstream() as up:
        service = Service({"REQUESTS_WS_URL": up.url, "AUDIT_DIR": folder / "audit",
                           "RATES_FILE": write_fresh_rates(folder / "rates.csv"),
                           "PENDING_MAX_BYTES": "65536", "MAX_MESSAGE_BYTES": "4096"})
        try:
            yield {"answers": answers_of(service.start(), up),
                   "sockets": sockets_of(service), "logs": logs_of(service, up),
                   "audit": audit_of(service, folder)}
        finally:
            service.remove()


def answers_of(service, up):
    link = up.wait_link()
    answers = [link.ask(text) for text in ASKED]
    service.wait_delivered(len(ASKED))
    wait_until(lambda: link.beats, "a heartbeat")
    return [json.loads(text) for text in answers]


def sockets_of(service):
    rates = [{"op": "rates", "date": "latest"}, {"op": "rates", "date": "2021-05-18",
             "currency": "USD"}, {"op": "rates", "date": today(), "currency": "DEM"},
             {"op": "rates", "date": "2021-05-18", "currency": "XAF"},
             {"op": "rates", "date": "1990-01-01"}]
    control = [{"op": "status"}, {"op": "log_level", "level": "debug"},
               {"op": "restart", "helper": "monitor"}, {"op": "reload"}]
    bad = [{"op": "restart", "helper": "x"}, {"op": "log_level", "level": "x"}, {"op": "x"}]
    found = {"rates_question": rates, "rates_answer": [a for q in rates
             for a in service.ask("rates.sock", q)] + service.ask("rates.sock", "{"),
             "control_question": [*control, {"op": "stop"}], "bad": bad,
             "control_answer": [a for q in control + bad for a in service.ask("control.sock", q)],
             "logs_question": [{"op": "logs"}], "logs_answer": service.ask("logs.sock", {"op": "x"})}
    wait_until(lambda: service.status()["ready"], "it is ready again")
    found["status"] = json.loads(service.command("status", "--json").stdout)
    found["rates"] = [json.loads(service.command("rates", day, "--json").stdout)
                      for day in ("2021-05-18", today())]
    return found


def logs_of(service, up):
    """What is printed of either form of the log."""
    lines = []
    for form in ("text", "json"):
        service.stop()
        service.env["LOG_FORMAT"] = form
        service.start()
        follower = Follower(service, "--json")
        for text in STRANGE.values():
            up.link.send(text)
        service.kill("ratefetcher")
        follower.wait_line(r'"event":"died"')
        follower.close()
        lines += follower.read().splitlines()
    return [json.loads(line) for line in lines]


def audit_of(service, folder):
    service.kill("wsclient")
    service.stop()
    return [json.loads(line) for path in (folder / "audit").iterdir()
            for line in path.read_text().splitlines()]


# The schemas themselves

@pytest.mark.parametrize("name", names())
def test_it_is_a_schema(name):
    schema = load(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    for example in schema.get("examples", ()):
        Schema(name).check(example)


@pytest.mark.parametrize("name", REQUIRED)
def test_what_users_may_rely_on(name):
    assert set(load(name)["required"]) == set(REQUIRED[name].split())


def test_states_and_words_are_all_there():
    """Each word of the C tables stands in the enum of its schema."""
    status = load("status")["$defs"]
    words = lambda path, pattern: set(re.findall(pattern, (TOP / path).read_text()))
    results = words("common/metrics.def", r'fxwire_requests_total",\s+"result=\\"(\w+)')
    assert results and set(status["upstream"]["properties"]["results"]["required"]) == results
    states = words("supervisor/lifecycle.c", r'\[LIFECYCLE_\w+\] = "(\w+)"') | {"ready", "stopped"}
    assert set(status["helper"]["properties"]["state"]["enum"]) == states
    said = lambda path, function: set(re.findall(r'"(.+?)"', re.search(
        rf"\*{function}\(.*?\n}}\n", (TOP / path).read_text(), re.S)[0]))
    assert set(status["provider"]["properties"]["state"]["enum"]) == said(
        "ratefetcher/provider_status.c", "state_name")
    assert set(load("status")["properties"]["redis"]["enum"]) == said(
        "ratefetcher/redis/redis_cache.c", "redis_cache_state") | {None}
    errors = words("wsclient/audit.c", r'\[REFUSAL_\w+\] = "(\w+)"')
    assert errors and set(load("audit")["properties"]["error"]["enum"]) == errors


# What is sent

def test_messages(sent):
    kinds = {"message": "response", "error": "error"}
    seen = [kinds[Schema(kinds[a["type"]]).check(a)["type"]] for a in sent["answers"]]
    assert seen.count("response") == 5 and seen.count("error") == 6
    for text in ASKED[:5]:
        Schema("request").check(json.loads(text))
    assert not [text for text in ASKED[5:10] if text != "{" and
                Schema("request").accepts(json.loads(text)) and "02-30" not in text]


def test_lines_of_the_sockets(sent):
    lines = sent["sockets"]
    for kind in ("rates_question", "rates_answer", "control_question", "control_answer",
                 "logs_question", "logs_answer"):
        for line in lines[kind]:
            Schema("sockets", kind, closed=True).check(line)
    for line in lines["bad"]:
        assert not Schema("sockets", "control_question").accepts(line)
    assert {a.get("code") for a in lines["rates_answer"] + lines["control_answer"]} == {
        None, "bad_line", "bad_request", "unknown_currency", "unknown_helper", "unknown_level"}
    assert {a["layer"] for a in lines["rates_answer"] if "layer" in a} >= {"memory", "fixed"}
    for table in lines["rates"]:
        Schema("rates", closed=True).check(table)


def test_lines_of_the_log(sent):
    for line in sent["logs"]:
        Schema("log", closed=True).check(line)
    assert {"died", "connected"} <= {line.get("event") for line in sent["logs"]}


def test_lines_of_the_audit(sent):
    lines = [Schema("audit", closed=True).check(line) for line in sent["audit"]]
    assert {line.get("layer") for line in lines} >= {"none", "fixed", None}
    assert {line.get("error") for line in lines} >= {"bad_id", "no_currency", "not_json"}


def statuses():
    """Of a service that fails in many ways, from its first moments on."""
    with RateShop(FREECURRENCYAPI_KEY=None, RATE_PROVIDERS="frankfurter",
                  RATES_CROSSCHECK="ecb", ALERT_COMMAND="/bin/true",
                  REDIS_URL="redis://127.0.0.1:1") as shop:
        shop.frankfurter.rates, shop.ecb.rates = {"USD": "1.2"}, {"USD": "1.8"}
        shop.prepare()
        shop.service.launch()
        yield wait_until(shop.service.status_or_none, "its first status")
        shop.service.wait_ready()
        shop.service.wait_respawn("wsclient", shop.service.kill("wsclient"))
        yield wait_until(lambda: (s := shop.service.status())["rates_differ"] and
                         s["last_warnings"] and s["upstreams"][0]["p50_seconds"] is None and s,
                         "a difference")
        shop.upstream.refuse = 503, [], b""
        shop.upstream.link.reset()
        yield wait_until(lambda: not (s := shop.service.status())["ready"] and s, "a break")


def test_the_status(sent):
    found = [sent["sockets"]["control_answer"][0], sent["sockets"]["status"], *statuses()]
    for status in found:
        Schema("status", closed=True).check(status)
    assert {s["ready"] for s in found} == {True, False}
    assert {s["redis"] for s in found} >= {"off", "down"}


def test_an_alert(make_service, upstream, tmp_path):
    command = tmp_path / "alert"
    command.write_text(f"#!/bin/sh\ncat >{tmp_path}/told\n")
    command.chmod(0o755)
    service = make_service({"REQUESTS_WS_URL": upstream.url, "ALERT_COMMAND": command})
    assert service.command("alert-test").returncode == 0
    alert = json.loads((tmp_path / "told").read_text())
    assert list(Schema("alert").mutants(Schema("alert", closed=True).check(alert)))


# What is refused

def test_each_change_is_refused(sent):
    """Of what was sent a member less or of another kind is none of its kind."""
    lines = sent["sockets"]
    cases = [("request", None, json.loads(ASKED[0])), ("response", None, sent["answers"][0]),
             ("error", None, sent["answers"][5]), ("heartbeat", None, {"type": "heartbeat"}),
             ("status", None, lines["control_answer"][0]), ("rates", None, lines["rates"][0]),
             ("log", None, next(line for line in sent["logs"] if line["event"] == "died")),
             *(("audit", None, line) for line in sent["audit"]),
             *(("sockets", kind, line) for kind in lines if "_" in kind for line in lines[kind])]
    tried = 0
    for name, part, value in cases:
        schema = Schema(name, part)
        for path, broken in schema.mutants(schema.check(value)):
            assert not schema.accepts(broken), (name, part, path)
            tried += 1
    assert tried > 500


@pytest.mark.parametrize("name, part, value", [
    ("rates", ("rates", "USD"), "1.2e3"), ("rates", ("rates", "USD"), "01.2"),
    ("rates", ("rates", "USD"), 1.2), ("rates", ("rates", "usd"), "1.2"),
    ("rates", ("as_of",), "18.05.2021"), ("rates", ("layer",), "cache")])
def test_a_bad_table_is_refused(sent, name, part, value):
    table = json.loads(json.dumps(sent["sockets"]["rates"][0]))
    place = table
    for key in part[:-1]:
        place = place[key]
    place[part[-1]] = value
    assert not Schema(name).accepts(table)
