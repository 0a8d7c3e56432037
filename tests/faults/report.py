"""The table of the trials, and what is kept of a run for docs/faults.md."""
import json
import time

import e2e  # finds the next
from places import BUILD

COLUMNS = (
    ("times", "{times}"),
    ("in hand", "{in_hand}"),
    ("requests", "{asked}"),
    ("again", "{again}"),
    ("received", "{received}"),
    ("right", "{right}"),
    ("error", "{error}"),
    ("wrong", "{wrong}"),
    ("twice", "{twice}"),
    ("too old", "{old}"),
    ("never", "{never}"),
    ("back s", "{back:.2f}"),
)
_NAME_WIDTH = 18

LEGEND = """\
in hand   asked and not yet answered when the fault struck, over all times
requests  ids; again: of these, asked again for no Pong came before the link broke
received  by Pong to a Ping sent after the request on the same link
error     where an error was right
twice     the same bytes again on a later link, which is allowed
too old   received, and no link stood within RETRY_MESSAGE_TTL
never     received and not answered
back s    worst time from the fault's end until a new request was received
"""


def head():
    return f"{'fault':{_NAME_WIDTH}}" + "".join(f"{name:>9}" for name, _ in COLUMNS)


def line(name, row):
    """The row of a fault, and what was wrong below it."""
    if "skipped" in row:
        return f"{name:{_NAME_WIDTH}} SKIPPED: {row['skipped']}"
    if "broken" in row:
        return f"{name:{_NAME_WIDTH}} FAILED: {row['broken']}"
    values = row | {"old": len(row["too_old"])}
    cells = "".join(f"{form.format(**values):>9}" for _, form in COLUMNS)
    return "\n    ! ".join([f"{name:{_NAME_WIDTH}}{cells}", *row["failures"]])


def is_good(row):
    return "skipped" in row or not ("broken" in row or row["failures"])


KEPT = BUILD / "faults"


def keep(name, what):
    """Leaves what came of a run beside the programs, for table.py."""
    KEPT.mkdir(parents=True, exist_ok=True)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    (KEPT / f"{name}.json").write_text(json.dumps(what | {"day": day}))


def kept(name):
    """What was left; empty where nothing was."""
    path = KEPT / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}
