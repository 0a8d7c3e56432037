"""What the npm registry has and Debian has not."""
import shutil
import subprocess
import tempfile

import pytest


def installed(name):
    """The folder of `NAME@VERSION`, for a while; without npm or registry the test is skipped."""
    folder = tempfile.mkdtemp(prefix="npm-")
    try:
        done = subprocess.run(
            ["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund",
             "--fetch-retries=0", "--fetch-timeout=20000", name],
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        fault = done.stderr[-300:] if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        fault = str(error)
    if fault:
        shutil.rmtree(folder)
        pytest.skip(f"NOT TESTED: npm does not give {name}: {fault}")
    return folder, f"{folder}/node_modules/{name.rsplit('@', 1)[0]}"


@pytest.fixture(scope="module")
def npm():
    """npm(NAME@VERSION) gives its folder until the module's tests are done."""
    folders = []

    def get(name):
        folder, package = installed(name)
        folders.append(folder)
        return package

    yield get
    for folder in folders:
        shutil.rmtree(folder)
