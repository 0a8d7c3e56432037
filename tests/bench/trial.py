"""One run of the load generator against one contender."""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contenders import TOP, cpu_seconds, machine_seconds, pin, pss_mb, tree_of

sys.path.insert(1, str(TOP / "tests" / "e2e"))
from certificates import Authority  # noqa: E402

WARMUP_SECONDS = 0.7
PORT_SECONDS = 10
# Pairs of a day and a currency that are asked for, unless a trial says more.
PAIRS = 33


def write_rates(path, days=140, currencies=32):
    """Rates for as many pairs as anybody asks for: made up, but of their form."""
    codes = [f"{a}{b}X" for a in "ABCD" for b in "ABCDEFGH"][:currencies]
    lines = ["Date," + ",".join(codes) + ","]
    day = time.time() // 86400
    for back in range(days):
        date = time.strftime("%Y-%m-%d", time.gmtime((day - 1 - back) * 86400))
        lines.append(f"{date}," + "".join(
            f"{1 + (back * 31 + i * 17) % 997 / 1000 + i:.4f}," for i in range(currencies)))
    path.write_text("\n".join(lines) + "\n")
    return path


class Bench:
    """What all trials share: the build, the seconds, files, the two cores."""

    def __init__(self, build, seconds):
        self.build = Path(build).resolve()
        self.seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="fxb-")
        folder = Path(self._folder.name)
        self.rates = write_rates(folder / "rates.csv")
        authority = Authority(folder)
        self.ca_file = authority.ca_file
        self.certificate = authority.issue("127.0.0.1", "localhost")
        cores = sorted(os.sched_getaffinity(0))
        self.cores = (cores[0], cores[1]) if len(cores) > 1 else (None, None)

    def load(self, options, echo, tls):
        """Starts the generator; gives its process and the file of its port."""
        port_file = Path(tempfile.mktemp(dir=self._folder.name))
        args = {"pairs": PAIRS, "warmup": WARMUP_SECONDS, "seconds": self.seconds} | options
        command = [self.build / "bench" / "load", "--rates", self.rates,
                   "--port-file", port_file, "--stay", "--await"]
        for name, value in args.items():
            command += [f"--{name}", str(value)]
        command += ["--echo"] if echo else []
        command += ["--tls", self.certificate] if tls else []
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                   stdin=subprocess.PIPE, preexec_fn=lambda: pin(self.cores[1]))
        return process, port_file


def wait_port(process, port_file):
    end = time.monotonic() + PORT_SECONDS
    while not port_file.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise SystemExit("the load generator did not start")
        time.sleep(0.01)
    return port_file.read_text().strip()


def summed_up(result, used, others):
    """What follows from the generator's summary, and its CPU and that of others."""
    return {"load_percent": 100 * result["cpu_seconds"] / (WARMUP_SECONDS + result["seconds"]),
            "cpu_ns_byte": 1e9 * used / max(1, result["in_time"]) / result["ask_bytes"],
            "cpu_us": 1e6 * used / max(1, result["in_time"]),
            "others_percent": 100 * others / max(0.001, result["seconds"]),
            "cpu_percent": 100 * used / max(0.001, result["seconds"]),
            "refused_percent": 100 * result["refused"] / max(1, result["asked"])}


def is_good(result, may_refuse):
    if not may_refuse:
        return result["good"]
    return not any(result[word] for word in
                   ("wrong", "twice", "unexpected", "unanswered", "broken"))


def follow(process, contender, steps):
    """Listens to the generator until all is answered; gives what came of it."""
    result, used, others = {}, 0, 0
    for line in process.stdout:
        pids = tree_of(contender.process.pid)
        word = line.strip()
        if word == "measuring":
            before = cpu_seconds(pids), cpu_seconds([process.pid]), machine_seconds()
        elif word == "measured":
            after = cpu_seconds(pids), cpu_seconds([process.pid]), machine_seconds()
            used, load, machine = (b - a for a, b in zip(before, after))
            others = max(0, machine - used - load)
            result["pss_mb"] = pss_mb(pids)
        elif word != "ready":
            result |= json.loads(line)
            result |= summed_up(result, used, others)
            word = "answered"
        if word in steps:
            result |= steps[word](contender, pids) or {}
        if word == "answered":
            return result
        if word == "ready":
            process.stdin.write("go\n")
            process.stdin.flush()
    raise SystemExit(f"{contender.name}: the load generator died\n{contender.log()}")


def run(bench, contender, tls=False, may_refuse=False, steps=None, **options):
    """
    A dict of all that was measured: what the generator says, and the CPU and
    memory of the contender's tree. `steps` has functions of the contender and
    its pids, to be called when the links stand ("ready"), when measuring ends
    ("measured"), and once all is "answered"; what they give is added. Wrong
    answers end the benchmark.
    """
    process, port_file = bench.load(options, contender.echo, tls)
    port = wait_port(process, port_file)
    contender.start(port, bench, bench.cores[0], bench.ca_file if tls else None,
                    links=options.get("links", 1))
    try:
        result = follow(process, contender, steps or {})
        if not is_good(result, may_refuse):
            raise SystemExit(f"{contender.name}: {result}\n{contender.log()}")
        return result
    except OSError as error:  # a process that is not there any more
        raise SystemExit(f"{contender.name} ended with {contender.process.poll()}: {error}\n"
                         f"{contender.log()}\n{process.communicate('')[0]}") from error
    finally:
        process.stdin.close()
        process.wait()
        contender.stop()
