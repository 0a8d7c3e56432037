"""Upstreams by other libraries that close while answers are under way."""
import os

from amounts import message
from tls_upstream import Program, need_program
from waiting import wait_until

COUNT = 300


def test_faye_drops_what_comes_behind_its_close(make_service):
    """
    The application closes at the first answer; the library then answers our
    Ping, but does not give it the answers before that. They are sent again.
    """
    need_program("/usr/bin/nodejs", "nodejs and node-faye-websocket")
    script = os.path.join(os.path.dirname(__file__), "faye_upstream.js")
    env = {"PATH": "/usr/bin:/bin", "NODE_PATH": "/usr/share/nodejs"}
    with Program("/usr/bin/nodejs", script, message("§"), str(COUNT), env=env) as node:
        port = int(node.wait_line("port ").split()[1])
        service = make_service({"REQUESTS_WS_URL": f"ws://127.0.0.1:{port}/ws",
                                "RECONNECT_MAX_SECONDS": "0.1"}).start()

        def answered():
            return [line.split() for line in node.lines if line.startswith("answer ")]

        wait_until(lambda: len({words[1] for words in answered()}) == COUNT,
                   f"answers to all {COUNT}")
        service.wait_counter("fxwire_pending", 0)
        on_first = [words[1] for words in answered() if words[4] == "1"]
        assert len(on_first) == 1
        assert len(answered()) <= COUNT + 1
