"""A unit file of systemd, read: what the manager is told to do and to forbid."""
import shlex
import subprocess


def read(path):
    """{section: {directive: [value, ...]}}, in the order of the file."""
    sections, section = {}, {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and line[0] not in "#;":
            name, value = line.split("=", 1)
            section.setdefault(name, []).append(value)
    return sections


def command(service, name):
    """The words of ExecStart= and the like."""
    return shlex.split(service[name][0])


def _members(name):
    """The system calls of a set such as @system-service, and of those in it."""
    done = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True,
                          capture_output=True, text=True)
    words = [line.strip() for line in done.stdout.splitlines()[1:]]
    return set().union(*(_members(word) if word[0] == "@" else {word}
                         for word in words if word and word[0] != "#"))


def allowed_calls(values):
    """What SystemCallFilter= leaves: an allow list first, then what is taken off it."""
    allowed = _members("@default")
    for value in values:
        named = set().union(*(_members(word) if word[0] == "@" else {word}
                              for word in value.lstrip("~").split()))
        allowed = allowed - named if value[0] == "~" else allowed | named
    return allowed
