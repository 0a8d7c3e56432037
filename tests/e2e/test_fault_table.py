"""docs/faults.md has each fault, and what is said to show it is there."""
import re
import sys

import pytest

from places import TOP

sys.path.insert(1, str(TOP / "tests" / "faults"))

from chaos import GROUPS
from faults import FAULTS
from rows import ROWS

PAGE = (TOP / "docs" / "faults.md").read_text()


class Anything:
    """A stand-in for all that a group of faults may want to look at."""

    def __getattr__(self, _):
        return Anything()


KINDS = [f"{group.__name__.lower()}: {name}" for group in GROUPS
         for name, _ in group(Anything(), None, None).kinds()]


@pytest.mark.parametrize("row", ROWS, ids=[row.number for row in ROWS])
def test_each_row_is_there_with_its_bound(row):
    assert f"| {row.number} | {row.fault} | {row.bound} | " in PAGE


@pytest.mark.parametrize("row", ROWS, ids=[row.number for row in ROWS])
def test_what_shows_it_is_there(row):
    assert row.by
    for one in row.by:
        if "::" in one:
            module, name = one.split("::")
            text = (TOP / "tests" / "e2e" / module).read_text()
            assert re.search(rf"^def test_{name}\(", text, re.M), one
        elif one.startswith("trial "):
            assert one.split()[1] in FAULTS, one
        else:
            assert one == "soak flat" or \
                any(kind.startswith(one.removeprefix("soak ")) for kind in KINDS), one


def test_each_trial_stands_beside_a_row():
    shown = {one.split()[1] for row in ROWS for one in row.by if one.startswith("trial ")}
    assert shown == set(FAULTS)


def test_nothing_failed():
    assert not re.search(r"FAILED|not run|[1-9]\d* (failed|lost|wrong|doubled)", PAGE)
