"""The examples of docs/mock.md, run as they stand there."""
import os
import re
import subprocess

import pytest

from places import BUILD, SCALE, TOP

TEXT = (TOP / "docs" / "mock.md").read_text()
# Title, a block of shell, and the last lines that it prints.
EXAMPLES = [(section.split("\n", 1)[0], *found.groups())
            for section in TEXT.split("\n## ")
            for found in re.finditer(r"^```sh\n(.*?)^```\n\n((?:    [^\n]*\n)+)", section,
                                     re.M | re.S)]


def test_there_are_examples():
    assert len(EXAMPLES) == TEXT.count("```sh") >= 2


@pytest.mark.parametrize("title,commands,printed", EXAMPLES,
                         ids=[title for title, _, _ in EXAMPLES])
def test_example(tmp_path, title, commands, printed):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "fxwire").symlink_to(BUILD / "supervisor")
    (tmp_path / "work").mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", commands], cwd=tmp_path / "work", text=True, check=False,
        timeout=60 * SCALE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(tmp_path)} |
        {name: value for name, value in os.environ.items() if "SAN_OPTIONS" in name})
    wanted = re.sub(r"^    ", "", printed, flags=re.M)
    assert done.stdout.endswith(wanted), f"{title}: {done.stdout}"
