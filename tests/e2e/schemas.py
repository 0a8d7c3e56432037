"""etc/schema/: its schemas, how strictly they are taken, and what they must refuse."""
import copy
import json
import warnings

from places import TOP

with warnings.catch_warnings():  # Debian 12's version has nothing newer
    warnings.simplefilter("ignore", DeprecationWarning)
    from jsonschema import Draft202012Validator, RefResolver

FOLDER = TOP / "etc" / "schema"
_OTHER = {"of no such kind": True}


def names():
    return sorted(path.name.split(".")[0] for path in FOLDER.glob("*.schema.json"))


def load(name):
    return json.loads((FOLDER / f"{name}.schema.json").read_text())


def close(schema):
    """Refuses members that the schema does not name: none may be undocumented."""
    if isinstance(schema, list):
        return [close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: close(part) for key, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


class Schema:
    """schema("sockets", "logs_answer") is one of the file's $defs."""

    def __init__(self, name, part=None, closed=False):
        self._resolver = RefResolver(FOLDER.as_uri() + "/", {}, store={
            self._uri(other): close(load(other)) if closed else load(other)
            for other in names()})
        self._start = {"$ref": self._uri(name) + (f"#/$defs/{part}" if part else "")}
        self._validator = Draft202012Validator(self._start, resolver=self._resolver)

    @staticmethod
    def _uri(name):
        return f"{FOLDER.as_uri()}/{name}.schema.json"

    def faults(self, value):
        """What is wrong with it, with the causes of each."""
        found = []
        for error in self._validator.iter_errors(value):
            found += [f"{e.json_path}: {e.message[:300]}" for e in (error, *(error.context or ()))]
        return found

    def check(self, value):
        assert not self.faults(value), "\n".join([*self.faults(value), json.dumps(value)])
        return value

    def accepts(self, value):
        return self._validator.is_valid(value)

    def mutants(self, value):
        """What differs in one required member that is missing, or in one of another kind."""
        for path, broken in self._mutants(self._start, value, ()):
            yield path, broken

    def _mutants(self, schema, value, path):
        if "$ref" in schema:
            with self._resolver.resolving(schema["$ref"]) as target:
                yield from self._mutants(target, value, path)
        for branch in schema.get("oneOf", []) + schema.get("allOf", []):
            if self._validator.evolve(schema=branch).is_valid(value):
                yield from self._mutants(branch, value, path)
        if isinstance(value, list) and value and "items" in schema:
            for place, broken in self._mutants(schema["items"], value[0], (*path, 0)):
                yield place, [broken, *value[1:]]
        if isinstance(value, dict):
            yield from self._of_object(schema, value, path)

    def _of_object(self, schema, value, path):
        for name in schema.get("required", ()):
            yield (*path, name, "missing"), {n: v for n, v in value.items() if n != name}
        more = schema.get("additionalProperties", {}) or {}
        for name in value:
            of_member = schema.get("properties", {}).get(name, more)
            if not of_member:
                continue
            changed = copy.copy(value)
            changed[name] = "another kind" if isinstance(value[name], dict) else _OTHER
            yield (*path, name), changed
            for place, broken in self._mutants(of_member, value[name], (*path, name)):
                yield place, value | {name: broken}
