"""A million random conversions give what Python's decimal gives, to the digit."""
import subprocess
import sys
from pathlib import Path

import pytest

from places import BUILD, SANITIZED, VALGRIND

PROGRAM = BUILD / "bench" / "triples"
COUNT = 1000000


@pytest.mark.skipif(VALGRIND, reason="no part of the service runs here")
@pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not there: say make test")
def test_conversions_are_those_of_decimal():
    script = Path(__file__).resolve().parents[1] / "bench" / "decimals.py"
    count = COUNT // 10 if SANITIZED else COUNT
    ran = subprocess.run([sys.executable, str(script), str(BUILD), str(count)],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout
    assert f"{count} conversions, 0 differ" in ran.stdout
