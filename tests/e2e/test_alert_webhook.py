"""etc/alert-webhook.sh: what a webhook gets, who can see its address, and for how long it tries."""
import http.server
import json
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from places import TOP
from ports import on_new_port
from waiting import wait_until

SCRIPT = TOP / "etc" / "alert-webhook.sh"
TOKEN = "Hook8tokenQ"


class Webhook:
    """An HTTP server that keeps what is posted, with all command lines of that moment."""

    def __init__(self):
        self.posts = []
        self.status = 200
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append((self.path, self.headers["Content-Type"], body.decode(),
                                   seen_of_processes()))
                self.send_response(hook.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = on_new_port(
            lambda port: http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler))
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/{TOKEN}?a=[b]{{c}}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def seen_of_processes():
    """Command lines and environments, as the script's own user sees them."""
    seen = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                seen.append((process / name).read_bytes().decode("latin-1"))
            except OSError:
                pass
    return seen


@pytest.fixture
def webhook():
    hook = Webhook()
    yield hook
    hook.close()


@pytest.fixture
def alerting(make_service, upstream):
    """alerting(address) gives a service that alerts to it."""

    def make(address, **more):
        service = make_service({"REQUESTS_WS_URL": upstream.url}, **more)
        path = service.folder / "webhook"
        path.write_text(address, newline="")
        service.env["ALERT_COMMAND"] = f"{SCRIPT} {path}"
        return service

    return make


def test_what_is_posted(alerting, webhook):
    """For a true alert, and nobody sees the address meanwhile."""
    service = alerting(webhook.url + "\n", wrappers={"ratefetcher": "exit 78"}).launch()
    wait_until(lambda: webhook.posts, "a post")
    path, kind, body, seen = webhook.posts[0]
    assert path == f"/services/{TOKEN}?a=[b]{{c}}" and kind == "application/json"
    assert json.loads(body) == {"text": f"fxwire on {socket.gethostname()}: "
                                        "configuration_refused, ratefetcher: exit 78"}
    assert any("curl" in text for text in seen)
    assert not [text for text in seen if TOKEN in text]
    assert "alert_command_failed" not in service.log() and TOKEN not in service.log()


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nmore\n"])
def test_by_hand(alerting, webhook, end):
    assert alerting(webhook.url + end).command("alert-test").returncode == 0
    assert json.loads(webhook.posts[0][2])["text"].endswith(
        ": test, fxwire: asked for by alert-test")


def test_texts_that_are_odd(webhook, tmp_path):
    """Each stays one JSON text, whatever an upstream says."""
    (tmp_path / "webhook").write_text(webhook.url)
    detail = 'a "b" \\ c\td\ne \u20ac $(id) `id` %s \x7f'
    done = subprocess.run([SCRIPT, tmp_path / "webhook", "answer_refused", 'h:1/a"b', detail],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = json.loads(webhook.posts[0][2])["text"]
    assert text.endswith(': answer_refused, h:1/a"b: a "b" \\ c d e \u20ac $(id) `id` %s  ')


def test_a_webhook_that_refuses(alerting, webhook):
    """That is logged, without the address; a redirect is not followed."""
    for webhook.status in (404, 302):
        done = alerting(webhook.url).command("alert-test")
        assert done.returncode == 69 and "alert_command_failed" in done.stderr
        assert f"answered with {webhook.status}" in done.stderr and TOKEN not in done.stderr
    assert len(webhook.posts) == 2


@pytest.mark.slow
def test_a_webhook_that_hangs(alerting):
    """It is given up before fxwire ends the command."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        service = alerting(f"http://127.0.0.1:{server.getsockname()[1]}/{TOKEN}")
        began = time.monotonic()
        done = service.command("alert-test")
        assert 4 < time.monotonic() - began < 9
    assert done.returncode == 69 and "exit 28" in done.stderr
    assert "alert_command_too_slow" not in done.stderr and TOKEN not in done.stderr


@pytest.mark.parametrize("address", ["", "\n", "ftp://127.0.0.1:9/x", "file:///etc/passwd"])
def test_an_address_that_is_none(alerting, address):
    done = alerting(address).command("alert-test")
    assert done.returncode == 69 and "alert_command_failed" in done.stderr


def test_a_file_that_is_not_there(alerting):
    service = alerting("x")
    (service.folder / "webhook").unlink()
    done = service.command("alert-test")
    assert done.returncode == 69 and "webhook" in done.stderr
