"""Reads a Containerfile: its stages, each a list of (instruction, options, words or text)."""
import json
import shlex

# What is read here; a file with anything else is not understood.
_KNOWN = {"RUN", "COPY", "WORKDIR", "USER", "VOLUME", "ENV", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def _lines(text):
    """Without comments, and with what goes on in the next line."""
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not (line.strip() or joined):
            continue
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        yield joined.strip()
        joined = ""
    assert not joined, "the last line goes on"


def _options(text):
    """The --name=value at the begin, and what is left."""
    options = {}
    while text.startswith("--"):
        word, _, text = text.partition(" ")
        name, _, value = word[2:].partition("=")
        options[name] = value
        text = text.strip()
    return options, text


def command(text):
    """The words that are executed: those of a list, or a shell with the text."""
    return json.loads(text) if text.startswith("[") else ["/bin/sh", "-c", text]


class Stage:
    def __init__(self, base, name):
        self.base, self.name = base, name
        self.steps = []  # (RUN, COPY or WORKDIR, options, text), in their order
        self.env, self.user, self.workdir = {}, "0:0", "/"
        self.volumes, self.entrypoint, self.cmd, self.health = [], [], [], None

    def add(self, word, text):
        assert word in _KNOWN, f"not understood: {word}"
        options, rest = _options(text) if word in ("COPY", "HEALTHCHECK") else ({}, text)
        if word in ("RUN", "COPY", "WORKDIR"):
            self.steps.append((word, options, rest))
        if word == "WORKDIR":
            self.workdir = rest
        elif word == "ENV":
            self.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "USER":
            self.user = rest
        elif word == "VOLUME":
            self.volumes = json.loads(rest)
        elif word == "ENTRYPOINT":
            self.entrypoint = command(rest)
        elif word == "CMD":
            self.cmd = command(rest)
        elif word == "HEALTHCHECK":
            kind, _, rest = rest.partition(" ")
            assert kind == "CMD"
            self.health = options, command(rest.strip())


def read(path):
    """Its stages in their order; the last one is the image."""
    stages = []
    for line in _lines(path.read_text()):
        word, _, text = line.partition(" ")
        if word.upper() == "FROM":
            base, *name = text.split()
            assert not name or name[0].upper() == "AS", line
            stages.append(Stage(base, name[1] if name else None))
        else:
            stages[-1].add(word.upper(), text.strip())
    return stages
