"""What a request costs in instructions, which repeat, is no more than it was."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import BUILD, SANITIZED

BENCH = Path(__file__).resolve().parents[1] / "bench" / "instructions.py"


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's instructions would be counted too")
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not there")
@pytest.mark.skipif(not (BUILD / "bench" / "instructions").exists(),
                    reason=f"{BUILD}/bench/instructions is not there: say make test")
def test_a_request_costs_no_more_instructions_than_it_did():
    ran = subprocess.run([sys.executable, str(BENCH), str(BUILD), "--check"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    if ran.returncode == os.EX_TEMPFAIL:
        pytest.skip(ran.stdout.splitlines()[-1])
    assert ran.returncode == 0, ran.stdout
