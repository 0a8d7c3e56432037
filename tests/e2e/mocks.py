"""The installed stand-ins, `supervisor mock-...`, as a user runs them."""
import re
import subprocess

from places import BUILD, SCALE
from waiting import wait_until


class Mock:
    """One that runs, with what it has printed so far."""

    def __init__(self, folder, name, *args, stdin=subprocess.DEVNULL, env=None):
        self.out_path = folder / f"{name}.out"
        self.err_path = folder / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen([BUILD / "supervisor", name, *map(str, args)],
                                            stdin=stdin, stdout=out, stderr=err, env=env)
        wait_until(lambda: "listening on " in self.out() or self.process.poll() is not None,
                   "it listens")
        found = re.search(r"listening on (\S+)", self.out())
        self.url = found and found[1].rstrip("/")

    def out(self):
        return self.out_path.read_text()

    def err(self):
        return self.err_path.read_text()

    def wait_for(self, text):
        wait_until(lambda: text in self.out(), f"it prints {text!r}")

    def wait(self, seconds=20):
        """Its exit code."""
        return self.process.wait(seconds * SCALE)

    def stop(self):
        self.process.kill()
        self.process.wait()


def run_mock(name, *args, stdin=b""):
    """Runs one to its end: exit code, what it printed, and what was wrong."""
    done = subprocess.run([BUILD / "supervisor", name, *map(str, args)], input=stdin,
                          capture_output=True, timeout=20 * SCALE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()
