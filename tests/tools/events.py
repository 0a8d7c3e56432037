#!/usr/bin/python3
"""
What common/events.def says.

    events.py            prints docs/events.md
    events.py check      prints where the code and the table disagree
"""
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "e2e"))
from event_table import read_table
from places import TOP

HEAD = """# Events

The name of each event of the log (the fourth word of a line, `event` in JSON)
and of each alert is one of these, and keeps its meaning. `alert`:
`ALERT_COMMAND` is told of it. Made from
[`common/events.def`](../common/events.def) by `make docs`.

| event | level | what it says |
| --- | --- | --- |
"""
CALLS = [(re.compile(r"\blog_(debug|info|warn|error)\(([^,;]*)"), None),
         (re.compile(r"\b(show)\(([^;]*)"), "SHOWN"),
         (re.compile(r"\b(alert|\w+_alert|alert_raise)\(([^;]*)"), "ALERT")]


def manual():
    return HEAD + "".join(f"| `{name}` | {', '.join(sorted(levels)).lower()} | {meaning} |\n"
                          for _, name, levels, meaning in sorted(read_table(), key=lambda r: r[1]))


def code():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c"], cwd=TOP,
                           check=True, capture_output=True, text=True).stdout.split()
    return "\n".join((TOP / name).read_text() for name in files
                     if not name.startswith("tests/") and (TOP / name).exists())


def calls(text):
    """{id: levels at which it is logged}, of calls that name it."""
    found = {}
    for pattern, level in CALLS:
        for call in pattern.finditer(text):
            for event in re.findall(r"\bEVENT_(\w+)", call[2]):
                found.setdefault(event, set()).add(level or call[1].upper())
    return found


def disagreements():
    text = code()
    named = set(re.findall(r"(?<![!=]= )\bEVENT_([A-Z_]+)\b", text))
    called = calls(text)
    for event, name, levels, _ in read_table():
        if event != name.upper():
            yield f"{event} is called {name}"
        if event not in named:
            yield f"{name} is logged nowhere"
        elif event in called and called[event] != levels:
            yield f"{name} is logged at {called[event]}, the table says {levels}"


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        print("\n".join(disagreements()))
    else:
        print(manual(), end="")
