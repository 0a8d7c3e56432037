"""common/events.def, and what of a log does not agree with it."""
import json
import re

from places import TOP

_ROW = re.compile(r'^EVENT\((\w+),\s*"(\w+)",\s*([A-Z |]+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', re.M)
_TEXT_LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z ([A-Z]+) \w+\[\d+\] (\S+)(.*)")


def read_table():
    """A list of (id, name, set of levels, meaning)."""
    text = (TOP / "common/events.def").read_text()
    rows = [(row[1], row[2], set(row[3].replace(" ", "").split("|")),
             "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', row[4]))) for row in _ROW.finditer(text)]
    assert len(rows) == len(re.findall(r"^EVENT\(", text, re.M)), "a row is not understood"
    return rows


_LEVELS = {name: levels for _, name, levels, _ in read_table()}


def _read_line(line):
    """Level, event and the alert of an `alert`; None if it is no line of ours."""
    line = re.sub(r"^<\d>", "", line)
    found = _TEXT_LINE.fullmatch(line)
    if found:
        alert = re.search(r" alert=(\w+)", found[3])
        return found[1], found[2], alert and alert[1]
    if not line.startswith('{"time":'):
        return None
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told["level"].upper(), told["event"], told.get("alert")


def strange_lines(log):
    """Lines whose event is not in the table, or not with that level."""
    strange = []
    for line in log.splitlines():
        level, event, alert = _read_line(line) or (None, None, None)
        levels = _LEVELS.get(event, set())
        good = level in levels or (level == "INFO" and "SHOWN" in levels)
        if event == "alert":
            good = good and "ALERT" in _LEVELS.get(alert, set())
        if event is not None and not good:
            strange.append(line)
    return strange
