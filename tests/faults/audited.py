"""The audit of a soak: file after file is moved away, recomputed and removed."""
import re
import subprocess
import threading

from places import BUILD

PERIOD_SECONDS = 5
_SUM = re.compile(r"(\d+) lines: (\d+) recomputed, (\d+) errors, (\d+) without inputs, "
                  r"(\d+) differ")


class Audited:
    """Recomputes while the block runs; `bad` are lines that differ, if any."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = self.recomputed = 0
        self.bad = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._over.wait(PERIOD_SECONDS):
            # What the monitor still writes there, until its next look, is read, too.
            moved = [path.rename(path.with_suffix(".moved"))
                     for path in self.folder.glob("*.jsonl")]
            self._over.wait(PERIOD_SECONDS)
            self._take(moved)

    def _take(self, paths):
        for path in paths:
            done = subprocess.run([BUILD / "supervisor", "audit", path], capture_output=True,
                                  text=True, check=False)
            found = _SUM.search(done.stdout)
            if done.returncode != 0 or not found:
                self.bad.append(f"audit: exit code {done.returncode}, "
                                f"{(done.stdout + done.stderr)[:300]}")
            else:
                self.lines += int(found[1])
                self.recomputed += int(found[2])
            path.unlink()

    def __enter__(self):
        self._thread.start()
        return self

    def finish(self):
        """The last ones, once nobody writes any more; gives what was wrong."""
        self._take(list(self.folder.glob("*.jsonl")))
        return self.bad or ([] if self.recomputed else ["audit: no line was recomputed"])

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
