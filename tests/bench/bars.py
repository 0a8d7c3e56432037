"""The figures that fxwire is to reach, and whether this run shows them."""
from contenders import AUDITED, BEFORE, ECHO, LOGGED, OURS, STALLED
from table import markdown, median, number, ratio, worst

THROUGHPUT = {window: f"Throughput, {window} outstanding" for window in (256, 2048)}
TLS = "Throughput over TLS, 256 outstanding"
LATENCY = {rate: f"Latency at {rate} requests a second, microseconds"
           for rate in (100, 1000, 10000)}
AUDIT = "With an audit, 256 outstanding"
STALLS = "Logs on a disk that stalls, 1000 requests a second, microseconds"
IDLE, MEMORY = "Idle", "Memory when idle again"
HEARTBEATS = "Heartbeats while a million answers wait"


def beside(other, measure):
    return lambda rounds: ratio(rounds[OURS], rounds[other], measure)


def alone(measure, of=median):
    return lambda rounds: of(rounds[OURS], measure)


def grown(rounds):
    """From the first of the runs, a short one, to the worst of the others."""
    first, *others = rounds.values()
    return max(median(o, "beside_mb") for o in others) - median(first, "beside_mb")


# (what, part, figure of its rounds, at least or at most, how much)
BARS = (
    ("throughput at 256, of the echo's", THROUGHPUT[256], beside(ECHO, "per_second"), ">=", 0.9),
    ("throughput at 256, of the earlier build's", THROUGHPUT[256],
     beside(BEFORE, "per_second"), ">=", 2.8),
    ("throughput at 2048, of the echo's", THROUGHPUT[2048],
     beside(ECHO, "per_second"), ">=", 0.85),
    ("CPU a message at 256, of the echo's", THROUGHPUT[256], beside(ECHO, "cpu_us"), "<=", 1.3),
    ("p99 at 10000 a second, of the echo's", LATENCY[10000], beside(ECHO, "p99_us"), "<=", 1.15),
    ("throughput over TLS, of the echo's", TLS, beside(ECHO, "per_second"), ">=", 0.8),
    ("throughput with AUDIT_DIR, of that without", AUDIT,
     lambda rounds: ratio(rounds[AUDITED], rounds[OURS], "per_second"), ">=", 0.8),
    ("p99 with a disk that stalls, of that without", STALLS,
     lambda rounds: ratio(rounds[STALLED], rounds[LOGGED], "p99_us"), "<=", 1.1),
    ("idle, % of a core", IDLE, alone("cpu_percent"), "<=", 0.1),
    ("idle, MB", IDLE, alone("pss_mb"), "<=", 14),
    ("MB more after a million messages and more", MEMORY, grown, "<=", 2),
    ("heartbeats late at 256, ms", THROUGHPUT[256], alone("beat_late_ms", worst), "<=", 50),
    ("heartbeats late while a million answers wait, ms", HEARTBEATS,
     alone("beat_late_ms", worst), "<=", 50),
)


def table(kept):
    """Of the parts that were run."""
    rows = []
    for what, part, figure, sense, bar in BARS:
        try:
            value = figure(kept[part])
        except KeyError:
            continue
        met = value >= bar if sense == ">=" else value <= bar
        rows.append([what, number(value), f"{'at least' if sense == '>=' else 'at most'} {bar}",
                     "yes" if met else "no"])
    return markdown(["", "this run", "is to be", "reached"], rows)
