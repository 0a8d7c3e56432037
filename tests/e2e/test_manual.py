"""The manual and the completions of shells, made of the tables that --help prints."""
import re
import subprocess

import pytest

from places import BUILD

PAGES = ["fxwire.1", "fxwire.env.5", "fxwire-protocol.7", "fxwire-operating.7"]
ASK = r"""
. /usr/share/bash-completion/bash_completion
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_fxwire
printf '%s\n' "${COMPREPLY[@]}"
"""


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=True, **more).stdout


def shown(page):
    """As a terminal shows it, on lines that are long enough for each name."""
    return re.sub(r".\x08", "", run("mandoc", "-Tascii", "-Owidth=400", BUILD / "man" / page))


@pytest.fixture(scope="module")
def chapters():
    """The chapters of --help: commands, options, settings, exit codes."""
    return run(BUILD / "supervisor", "--help").split("\n\n")


@pytest.mark.parametrize("page", PAGES)
def test_nothing_to_warn_of(page):
    path = BUILD / "man" / page
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout) == (0, "")
    done = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True,
                          check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    assert done.stderr == "" and "NAME" in done.stdout


def test_every_command_option_and_exit_code(chapters):
    page = shown("fxwire.1")
    commands = [line[2:] for line in chapters[1].splitlines() if line[:3] != "   "]
    assert len(commands) > 10
    for synopsis in commands:
        assert synopsis.replace("supervisor", "fxwire", 1) in page
    options = re.findall(r"^  (--\S+.*)", chapters[3], re.M)
    assert "--env-file FILE" in options
    for option in options:
        assert re.search(rf"^ +{re.escape(option)}$", page, re.M), option
    codes = re.findall(r"\b\d+\b", chapters[-1])
    assert "78" in codes
    for code in codes:
        assert re.search(rf"^ +{code}$", page, re.M), code


def test_every_setting(chapters):
    page = shown("fxwire.env.5")
    settings = re.findall(r"^  ([A-Z_]+)( \*)?$", chapters[5], re.M)
    assert ("REDIS_URL", " *") in settings
    for name, secret in settings:
        assert re.search(rf"^ +{name}{r' .secret.' if secret else ''}$", page, re.M), name
    assert "From 0.02 to 3600 seconds. Default: 2." in page
    assert "One of: debug info warn error." in page


def test_what_pages_give_of_others():
    """Examples, emphasis and lists of the texts that two pages are made of."""
    protocol, operating = shown("fxwire-protocol.7"), shown("fxwire-operating.7")
    assert '"stake":253.67,"currency":"USD","date":"2021-05-18T21:32:42.324Z"}}' in protocol
    assert "A request is received when our Pong answers a Ping" in protocol
    assert "WHAT AN UPSTREAM MUST DO" in protocol and "Netty" in protocol
    assert "supervisor audit audit/*.jsonl audit/*.jsonl.gz" in operating
    assert "`" not in protocol + operating and "**" not in protocol + operating


@pytest.mark.parametrize("words, wanted", [
    ("sta", {"status"}), ("re", {"reload", "restart"}),
    ("status --", {"--json", "--wait", "--ready"}), ("status --wait ", set()),
    ("restart ", {"monitor", "ratefetcher", "wsclient"}), ("restart ws", {"wsclient"}),
    ("log-level ", {"debug", "info", "warn", "error"}), ("--env-file x lo", {"logs", "log-level"}),
    ("--env-file ", {"env", "other"}), ("audit e", {"env"}), ("check --", {"--live"}),
    ("mock-upstream --t", {"--tls-cert", "--tls-key"}), ("mock-provider --script e", {"env"}),
    ("mock-upstream --seed ", set()), ("mock-provider --f", {"--fault"}),
    ("--", {"--help", "--version", "--env-file", "--show-messages", "--no-watchdog"}),
])
def test_bash_completes(tmp_path, words, wanted):
    for name in ("env", "other"):
        (tmp_path / name).touch()
    said = run("bash", "-c", ASK, "bash", BUILD.resolve() / "completions/fxwire.bash", "fxwire",
               *words.split(" "), cwd=tmp_path)
    assert set(said.split()) == wanted


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_others_can_read_theirs(shell):
    assert run(shell, "-n", BUILD / "completions" / f"fxwire.{shell}") == ""


def test_fish_completes():
    path = BUILD / "completions/fxwire.fish"
    said = run("fish", "--no-config", "-c", f"source {path}; complete -C 'fxwire restart '")
    assert {"monitor", "ratefetcher", "wsclient"} == set(said.split())
    said = run("fish", "--no-config", "-c", f"source {path}; complete -C 'fxwire mock-provider --f'")
    assert [line.split("\t")[0] for line in said.splitlines()] == ["--fault"]
