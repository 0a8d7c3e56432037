"""What is asked to see how cost grows: (name, options of the generator, settings)."""
GROWTH = [
    ("161 bytes, 33 pairs of a day and a currency", {}, {}),
    ("1 pair", {"pairs": 1}, {}),
    ("4 000 pairs", {"pairs": 4000}, {}),
    ("mixed script, one in 12 an error", {"pairs": 0}, {}),
    ("2 upstreams", {"links": 2}, {}),
    ("4 upstreams", {"links": 4}, {}),
    ("ledger nearly full", {"may_refuse": True}, {"PENDING_MAX_BYTES": 160_000}),
    ("ledger full, most are refused",
     {"window": 8192, "may_refuse": True}, {"PENDING_MAX_BYTES": 1 << 20}),
    ("161 bytes in 4 frames", {"fragments": 4}, {}),
    ("1 kB", {"size": 1000}, {}),
    ("10 kB", {"size": 10000, "window": 64}, {}),
    ("60 kB", {"size": 60000, "window": 16}, {}),
    ("60 kB in 16 frames", {"size": 60000, "fragments": 16, "window": 16}, {}),
]
