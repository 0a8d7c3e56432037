"""Nothing is lost: the trials of tests/faults, each for a few seconds."""
import concurrent.futures
import random
import sys

import pytest

from places import TOP

sys.path.insert(1, str(TOP / "tests" / "faults"))

import report
from faults import FAULTS
from run import trial

SECONDS = 3
RATE = 100
# A trial mostly waits.
AT_ONCE = 4


@pytest.fixture(scope="module")
def rows(request):
    """{name: what a trial will have told}, of those that were chosen."""
    seed = random.randrange(1_000_000)
    print(f"\nseed {seed}")
    chosen = [item.callspec.params["name"] for item in request.session.items
              if item.path == request.path]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(trial, name, SECONDS, RATE, seed) for name in chosen}


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost(rows, name):
    row = rows[name].result()
    if "skipped" in row:
        pytest.skip(f"SKIPPED: {name} was not tried: {row['skipped']}")
    told = f"{report.head()}\n{report.line(name, row)}\n{row.get('trace', '')}"
    print(told)
    assert report.is_good(row), told
