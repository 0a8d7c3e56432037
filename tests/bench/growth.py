"""What is asked to see how cost grows: (name, options of the generator, settings)."""
ROOM = {"PENDING_MAX_BYTES": 1 << 29}

GROWTH = [
    ("plain messages of 161 bytes over 33 pairs of a day and a currency", {}, {}),
    ("over 1 pair", {"pairs": 1}, {}),
    ("over 4 000 pairs", {"pairs": 4000}, {}),
    ("the mixed script, one in 12 to be refused", {"pairs": 0}, {}),
    ("2 upstreams", {"links": 2}, {}),
    ("4 upstreams", {"links": 4}, {}),
    ("1 kB", {"size": 1000}, ROOM),
    ("10 kB", {"size": 10000, "window": 64}, ROOM),
    ("60 kB", {"size": 60000, "window": 16}, ROOM),
    ("161 bytes in 4 frames", {"fragments": 4}, {}),
    ("60 kB in 16 frames", {"size": 60000, "fragments": 16, "window": 16}, ROOM),
    ("a ledger that is nearly full",
     {"window": 8192, "may_refuse": True}, {"PENDING_MAX_BYTES": 1 << 20}),
]
