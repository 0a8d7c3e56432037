"""An event that comes very often costs some lines, and its count is told."""
import re

from amounts import message, stake_of
from waiting import wait_until

FLOOD = 3000
MOST = 60  # 50 at once, and a few for the time that it takes


def flood(upstream):
    upstream.link.send(*['{"type":"odd"}'] * FLOOD)
    assert stake_of(upstream.link.ask(message("1", "2", '"EUR"'))) == "2"


def told(service):
    """How many lines there are, and how many more are counted in others."""
    lines = re.findall(r"WARN wsclient\S+ message_ignored (\S+)", service.log())
    counts = [int(line.split("=")[1]) for line in lines if line.startswith("more=")]
    return len(lines) - len(counts), sum(counts)


def test_a_flood_is_counted(start, upstream):
    service = start(upstream)
    flood(upstream)
    wait_until(lambda: sum(told(service)) == FLOOD, "the count of all", 15)
    assert 50 <= told(service)[0] <= MOST


def test_what_is_not_yet_told_is_told_at_the_end(start, upstream):
    service = start(upstream, LOG_FORMAT="text")
    flood(upstream)
    assert service.stop() == 0
    assert sum(told(service)) == FLOOD and told(service)[0] <= MOST


def test_at_debug_all_lines_are_there(start, upstream):
    service = start(upstream)
    assert service.command("log-level", "debug").returncode == 0
    flood(upstream)
    service.stop()
    assert told(service) == (FLOOD, 0)
