"""etc/: the alert rules by promtool, the dashboard by a true Prometheus, both on what is served."""
import contextlib
import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from amounts import message, stake_of
from places import SANITIZED, TOP, VALGRIND
from ports import on_new_port
from service import Service
from standins import Frankfurter
from status_page import Page, unused
from upstream import Upstream
from waiting import wait_until

pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED, reason="is about files of etc/")

RULES = TOP / "etc" / "prometheus-rules.yaml"
DASHBOARD = TOP / "etc" / "grafana-dashboard.json"
INSTANCE = {"job": "fxwire", "instance": "h:9464"}
MINUTES = 30

# For each alert: which of the series of a healthy service are otherwise, and how
# (a sample each 15 s, as promtool writes them). None: there is no such series.
FIRE = {
    "FxwireAway": {"up": "0x200"},
    "FxwireNotConnected": {"fxwire_connected": "0x200"},
    "FxwireNotReady": {"fxwire_ready": "0x200"},
    "FxwireNoTable": {"fxwire_table_age_seconds": None},
    "FxwireTableOld": {"fxwire_table_age_seconds": "518401+15x200"},
    "FxwireHeartbeatsLate": {"fxwire_heartbeat_age_seconds": "1.2x200"},
    "FxwireReconnects": {"fxwire_reconnects_total.*silent": "0+0.5x200"},
    "FxwireAnswersExpired": {"fxwire_expired_total": "0x100 1x100"},
    "FxwireAnswersRefused": {"fxwire_answers_refused_total": "0x100 1x100"},
    "FxwireQuarantined": {"fxwire_requests_total.*quarantined": "0x100 1x100"},
    "FxwireWithoutRate": {"fxwire_requests_total.*converted": "0+1000x200",
                          "fxwire_requests_total.*no_rate": "0+6x200",
                          "fxwire_requests_total.*timeout": "0+5x200"},
    "FxwireSlow": {'fxwire_request_seconds_bucket.*"(10|.Inf)"': "0+100x200",
                   "fxwire_request_seconds_bucket": "0+98x200"},
    "FxwireLedgerFull": {"fxwire_ledger_bytes": "14000000x200"},
    "FxwireRestarts": {"fxwire_process_restarts_total.*ratefetcher.*signal": "0+0.12x200"},
    "FxwireLogDropped": {"fxwire_log_dropped_total": "0x100 7x100"},
    "FxwireAuditLost": {"fxwire_audit_lost_total": "0x100 7x100"},
    "FxwireProviderSkipped": {"fxwire_provider_breaker_open": "1x200"},
    "FxwireProviderCallsOfMinute": {"fxwire_provider_calls_minute{": "60x200"},
    "FxwireProviderCallsOfMonth": {
        'fxwire_provider_calls_month{provider="exchangeratehost"': "81x200"},
    "FxwireRedisDown": {"fxwire_redis_up": "1x50 0x150"},
}
# What comes short of it.
QUIET = {
    "FxwireAway": {"up": "1x100 0x2 1x100"},
    "FxwireNotConnected": {"fxwire_connected": "1x100 0x2 1x100"},
    "FxwireTableOld": {"fxwire_table_age_seconds": "490000+15x200"},
    "FxwireHeartbeatsLate": {"fxwire_heartbeat_age_seconds": "0.9x200"},
    "FxwireReconnects": {"fxwire_reconnects_total.*silent": "0x100 4x100"},
    "FxwireWithoutRate": {"fxwire_requests_total.*converted": "0+1000x200",
                          "fxwire_requests_total.*no_rate": "0+9x200"},
    "FxwireSlow": {'fxwire_request_seconds_bucket.*"(1|10|.Inf)"': "0+100x200",
                   "fxwire_request_seconds_bucket": "0+98x200"},
    "FxwireRestarts": {"fxwire_process_restarts_total.*signal": "0x100 1x100"},
    "FxwireProviderSkipped": {"fxwire_provider_breaker_open": "1x30 0x170"},
    "FxwireProviderCallsOfMinute": {
        'fxwire_provider_calls_minute{provider="frankfurter"': "59x200"},
    "FxwireRedisDown": {"fxwire_redis_up": "0x200"},
}


@pytest.fixture(scope="module")
def served():
    """What a healthy service serves, and the upstream that keeps it busy."""
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        api = stack.enter_context(Frankfurter({"USD": "1.6"}))
        port = on_new_port(unused)
        service = Service({
            "REQUESTS_WS_URL": upstream.url, "STATUS_LISTEN": f"127.0.0.1:{port}",
            "RATE_PROVIDERS": "frankfurter exchangeratehost", "FRANKFURTER_URL": api.url,
            "EXCHANGERATEHOST_URL": api.url, "EXCHANGE_ACCESS_KEY": "key"})
        stack.callback(service.finish)
        service.start()
        assert stake_of(upstream.link.ask(message("1", "16"))) == "10"
        page = Page(port)
        wait_until(lambda: "fxwire_responses_total{" in page.get("/metrics")[1]
                   and page.value("fxwire_responses_total") == 1, "the counts")
        yield page, upstream


def metrics_of(page):
    """[(series, value)] as they are served, with what Prometheus adds to each."""
    added = ",".join(f'{name}="{value}"' for name, value in INSTANCE.items())
    found = [(f"up{{{added}}}", "1")]
    for line in page.get("/metrics")[1].splitlines():
        if line[0] != "#":
            name, labels, value = re.fullmatch(r"(\w+)(?:{(.*)})? (\S+)", line).groups()
            found.append((f"{name}{{{labels + ',' if labels else ''}{added}}}", value))
    return found


def names(text):
    return set(re.findall(r"fxwire_\w+", text))


# The rules

def constant(values):
    """`7x20` in the form that every promtool knows."""
    return " ".join(re.sub(r"^([\d.]+)x", r"\1+0x", part) for part in values.split())


def input_series(page, changes):
    rows = []
    for series, value in metrics_of(page):
        values = next((new for pattern, new in changes.items()
                       if re.match(pattern.replace("{", "\\{"), series)), f"{value}x200")
        if values is not None:
            rows.append({"series": series, "values": constant(values)})
    return rows


def judged(page, changes, expression, *samples):
    return {"interval": "15s", "input_series": input_series(page, changes),
            "promql_expr_test": [{"expr": expression, "eval_time": f"{MINUTES}m",
                                  "exp_samples": list(samples)}]}


def run_promtool(folder, tests):
    path = folder / "test.json"  # which is YAML, too
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "15s",
                                "tests": tests}))
    return subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True,
                          timeout=60, check=False)


def firing(alert):
    return f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'


def test_promtool_accepts_the_rules():
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


def test_each_alert_is_tried():
    assert set(re.findall(r"alert: (\w+)", RULES.read_text())) == set(FIRE)
    assert set(QUIET) <= set(FIRE)


def test_a_healthy_service_alerts_nobody(served, tmp_path):
    done = run_promtool(tmp_path, [judged(served[0], {}, "count(ALERTS)")])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", FIRE)
def test_an_alert_fires(served, tmp_path, alert):
    done = run_promtool(tmp_path, [judged(served[0], FIRE[alert], firing(alert) + " > bool 0",
                                          {"labels": "{}", "value": 1})])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", QUIET)
def test_an_alert_does_not_fire(served, tmp_path, alert):
    done = run_promtool(tmp_path, [judged(served[0], QUIET[alert], firing(alert))])
    assert done.returncode == 0, done.stdout + done.stderr


# The dashboard

def queries():
    """{title: [expression]} of its panels."""
    return {panel["title"]: [target["expr"] for target in panel["targets"]]
            for panel in json.loads(DASHBOARD.read_text())["panels"]}


def test_its_metrics_are_served(served):
    there = names(served[0].get("/metrics")[1])
    for path in (RULES, DASHBOARD):
        asked = names(path.read_text()) - {"fxwire_"}
        assert len(asked) > 10 and asked <= there, asked - there


class Prometheus:
    """A true one, that scrapes the service each second."""

    def __init__(self, folder, target):
        port = on_new_port(unused)
        self.url = f"http://127.0.0.1:{port}/api/v1/"
        (folder / "config.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "fxwire", "static_configs": [
                {"targets": [f"127.0.0.1:{target}"]}]}]}))
        self._log = open(folder / "log", "wb")  # pylint: disable=consider-using-with
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/config.yml", f"--storage.tsdb.path={folder}/db",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=self._log, stderr=self._log)

    def ask(self, path):
        """None: it has not started yet."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            pytest.fail(f"{path}: {error.read().decode()}")
        except OSError:
            return None

    def query(self, expression):
        got = self.ask("query?" + urllib.parse.urlencode({"query": expression}))
        return got and got["result"]

    def close(self):
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


@pytest.fixture(scope="module")
def prometheus(served, tmp_path_factory):
    page, upstream = served
    one = Prometheus(tmp_path_factory.mktemp("prometheus"), page.port)
    try:
        for i in range(2, 6):  # so that there is a rate of something
            count = f"fxwire_responses_total >= {i - 1}"
            wait_until(lambda: one.query(count), f"{count} in Prometheus", 30)
            upstream.link.ask(message(str(i), "16"))
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("title, expression", [
    (title, expression) for title, all_of_it in queries().items() for expression in all_of_it])
def test_a_panel_shows_something(prometheus, title, expression):
    plain = expression.replace("$__rate_interval", "1m").replace("$job", ".*") \
                      .replace("$instance", ".*")
    assert "$" not in plain
    assert prometheus.query(plain), title


def test_a_true_prometheus_takes_the_rules(prometheus):
    (group,) = prometheus.ask("rules")["groups"]
    wait_until(lambda: prometheus.ask("rules")["groups"][0]["lastEvaluation"][:4] != "0001",
               "an evaluation")
    assert len(group["rules"]) == len(FIRE)
    for rule in prometheus.ask("rules")["groups"][0]["rules"]:
        assert rule["health"] == "ok" and rule["state"] == "inactive", rule
