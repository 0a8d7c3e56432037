"""By what rule `make soak` says that something grew."""
import sys

import pytest

from places import TOP

sys.path.insert(1, str(TOP / "tests" / "faults"))

import gauges

LOOKS = 40


def looks(memory=lambda n: 1000, descriptors=lambda n: 20, files=lambda n: 8, pid=lambda n: 7):
    """What would have been seen at each moment n."""
    return [gauges.Look({"wsclient": pid(n)}, {"wsclient": memory(n)},
                        {"wsclient": descriptors(n)}, files(n), 0) for n in range(LOOKS)]


def test_what_goes_up_and_down_is_flat():
    assert gauges.faults_of(looks(memory=lambda n: 1000 + n % 3 * 900,
                                  descriptors=lambda n: 20 + (n % 5 == 0),
                                  files=lambda n: 8 + (n % 7 == 0))) == []


def test_what_fills_up_at_first_is_flat():
    assert gauges.faults_of(looks(memory=lambda n: 1000 * min(n, 9))) == []


@pytest.mark.parametrize("what, found", (
    ({"memory": lambda n: 1000 + 60 * n}, "memory wsclient grew by 1200"),
    ({"descriptors": lambda n: 20 + n // 10}, "descriptors wsclient grew by 2"),
    ({"files": lambda n: 8 + n // 10}, "files grew by 2"),
    ({"pid": lambda n: 7 + (n > 30)}, "a process was replaced, or ended")))
def test_what_grows_is_told(what, found):
    assert gauges.faults_of(looks(**what)) == [found]


def test_a_log_file_for_a_new_day():
    grown = looks(files=lambda n: 8 + (n > 25))
    assert gauges.faults_of(grown) == ["files grew by 1"]
    assert gauges.faults_of(grown, days=1) == []


def test_too_few_looks_prove_nothing():
    assert gauges.faults_of(looks()[:10]) == ["only 10 looks at memory, descriptors and files"]
