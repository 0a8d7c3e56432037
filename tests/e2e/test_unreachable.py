"""An upstream that is not reached: the system's reason in the log, status and `check --live`."""
import subprocess
import sys

import pytest

from places import TOP
from raw_upstream import RawUpstream
from tls_upstream import DeadAddress, skip_loudly
from waiting import wait_until

sys.path.insert(1, str(TOP / "tests" / "faults"))

import netns

FAILED = "no connection could be made: "
ELSEWHERE = "198.51.100.1"
# How a network of its own is made, the upstream's address, and what that means.
NETWORKS = {
    "loopback down": ("true", "127.0.0.1", "Network is unreachable"),
    "no route": ("ip link set lo up", ELSEWHERE, "Network is unreachable"),
    "no route to the host": (f"ip link set lo up; ip route add unreachable {ELSEWHERE}",
                             ELSEWHERE, "No route to host"),
    "refused": ("ip link set lo up", "127.0.0.1", "Connection refused"),
    "the second of two refused": ("ip link set lo up", "localhost", "Connection refused"),
}


@pytest.fixture
def network():
    """network(COMMANDS) gives a launcher into a network of its own, made so."""
    if netns.why_not():
        skip_loudly(netns.why_not())
    return lambda commands: [*netns.prefix(), "sh", "-ec",
                             f'PATH=$PATH:/usr/sbin:/sbin; {commands}; exec "$@"', "sh"]


def failure(service):
    """The last one, as the status tells it."""
    return (service.status_or_none() or {"upstreams": [{}]})["upstreams"][0].get("last_failure")


@pytest.mark.parametrize("commands, host, reason", NETWORKS.values(), ids=NETWORKS.keys())
def test_a_network_that_does_not_lead_there(make_service, network, commands, host, reason):
    launcher = network(commands)
    service = make_service({"REQUESTS_WS_URL": f"ws://{host}:9/"}, launcher=launcher).launch()
    service.wait_log(f'connect_failed .*reason=failed detail="{FAILED}{reason}"', count=2)
    wait_until(lambda: failure(service) == f"failed: {FAILED}{reason}", "it in the status")
    tried = subprocess.run([*launcher, service.build / "supervisor", "check", "--live"],
                           env=service.env, cwd=service.folder, capture_output=True,
                           text=True, check=False)
    assert f'result=failed detail="{FAILED}{reason}"' in tried.stdout, tried.stdout


def test_one_that_does_not_answer(make_service):
    """What is sent there is dropped: the attempt has its five seconds."""
    with RawUpstream() as gone:
        port = gone.port
    with DeadAddress("127.0.0.1", port):
        service = make_service({"REQUESTS_WS_URL": f"ws://127.0.0.1:{port}/"}).launch()
        service.wait_log('connect_failed .*reason=timeout '
                         f'detail="{FAILED}Connection timed out"')
        wait_until(lambda: failure(service) == f"timeout: {FAILED}Connection timed out",
                   "it in the status")


def test_the_status_forgets_it_with_the_next_link(make_service, raw):
    service = make_service({"REQUESTS_WS_URL": raw.url, "RECONNECT_MAX_SECONDS": "0.2"}).launch()
    link = raw.accept()
    link.read_head()
    link.reset()
    ended = "the peer ended the connection before it answered the handshake"
    service.wait_log(f'connect_failed .*detail="{ended}: Connection reset by peer"')
    raw.link()
    service.wait_log(" connected ")
    wait_until(lambda: service.status()["upstreams"][0]["connected"], "the link")
    assert failure(service) is None
