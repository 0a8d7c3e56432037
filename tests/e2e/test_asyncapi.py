"""etc/schema/asyncapi.yaml: by the schema of its makers, and whole."""
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from npm_package import npm  # noqa: F401, a fixture
from places import BUILD, SANITIZED, TOP, VALGRIND
from schemas import FOLDER, Draft202012Validator, Schema, names

pytestmark = pytest.mark.skipif(VALGRIND or SANITIZED, reason="is about files of etc/")

DOCUMENT = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())


def references(part):
    if isinstance(part, dict):
        yield from [part["$ref"]] if "$ref" in part else []
        part = list(part.values())
    if isinstance(part, list):
        for member in part:
            yield from references(member)


def test_it_is_asyncapi(npm):
    from jsonschema import Draft7Validator
    path = Path(npm("@asyncapi/specs@6.11.1")) / "schemas" / "3.0.0-without-$id.json"
    schema = json.loads(path.read_text())
    # The validator of Debian 12 takes a property of that name for an address.
    del schema["definitions"]["json-schema-draft-07-schema"]["properties"]["$id"]
    validator = Draft7Validator(schema)
    assert not [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(DOCUMENT)]
    for broken in ({**DOCUMENT, "info": {}}, {**DOCUMENT, "asyncapi": "2.6.0"},
                   {**DOCUMENT, "operations": {"convert": {"action": "reply"}}}):
        assert not validator.is_valid(broken)


def test_what_it_refers_to_is_there():
    found = list(references(DOCUMENT))
    for reference in found:
        place = DOCUMENT
        if not reference.startswith("#"):
            assert (FOLDER / reference).is_file(), reference
            continue
        for name in reference[2:].split("/"):
            place = place[name]
    assert {r for r in found if not r.startswith("#")} == {
        f"{name}.schema.json" for name in ("heartbeat", "request", "response", "error")}


def test_its_version_is_the_programs():
    [version] = re.findall(r"^VERSION = (.*)$", (TOP / "Makefile").read_text(), re.M)
    assert DOCUMENT["info"]["version"] == version


def test_they_are_installed(tmp_path):
    subprocess.run(["make", "install", "-o", "all", f"BUILD={BUILD}", f"DESTDIR={tmp_path}", "PREFIX=/usr"],
                   cwd=TOP, check=True, capture_output=True)
    there = {path.name: path.read_text() for path in (tmp_path / "usr/share/fxwire/schema").iterdir()}
    assert there == {path.name: path.read_text() for path in FOLDER.iterdir()}


def test_what_the_readme_shows_is_of_it():
    """The examples of README.md are messages as the schemas have them."""
    text = (TOP / "README.md").read_text()
    shown = re.findall(r"^ {4}(request|response|error) +(\{(?:.*\n)(?: {15}.*\n)?)", text, re.M)
    assert [name for name, _ in shown] == ["request", "response", "error"]
    for name, message in shown:
        Schema(name).check(json.loads(message))


@pytest.mark.parametrize("name", names())
def test_each_schema_stands_alone(name):
    """It refers to files beside it, to nothing in a network."""
    document = json.loads((FOLDER / f"{name}.schema.json").read_text())
    for reference in references(document):
        file, _, part = reference.partition("#")
        place = json.loads((FOLDER / file).read_text()) if file else document
        for step in part.split("/")[1:]:
            place = place[step]
        Draft202012Validator.check_schema(place)
