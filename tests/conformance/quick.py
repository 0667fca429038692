"""Says in microseconds that a value is as a schema wants it; jsonschema takes milliseconds.

Nearly every exchange is. What this does not find good jsonschema looks at anew, and it says what is
wrong with it. So a mistake here could only pass what is bad: `test_quick` looks for such.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from tests.conformance.published import document

Schema = Mapping[str, Any]
Check = Callable[[Any], bool]
Types = Mapping[str, Check]

# Of these a check is made, or they say nothing about a value.
KNOWN = frozenset(
    {
        *("$ref", "type", "nullable", "enum", "properties", "required", "additionalProperties"),
        *("items", "anyOf", "oneOf", "maxLength", "pattern", "format"),
        *("title", "description", "deprecated", "id"),
    }
)
INTEGER = re.compile(r"-?\d+")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
CURRENCY = re.compile(r"[a-z]{3}")
REFERENCE = "#/"

JSON_TYPES: Types = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}
FORM_TYPES: Types = {
    **JSON_TYPES,
    "integer": lambda value: isinstance(value, str) and INTEGER.fullmatch(value) is not None,
    "number": lambda value: isinstance(value, str) and DECIMAL.fullmatch(value) is not None,
    "boolean": lambda value: value in ("true", "false"),
}
FORMATS: Mapping[str, Check] = {
    "currency": lambda value: not isinstance(value, str) or bool(CURRENCY.fullmatch(value)),
    "decimal": lambda value: not isinstance(value, str) or bool(DECIMAL.fullmatch(value)),
    "unix-time": lambda value: not isinstance(value, int) or value >= 0,
}


class Unknown(Exception):
    """A schema says something that is not understood here."""


class Compiler:
    """Makes one function of each schema, for values whose leaves are of these types."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._named: dict[str, Check] = {}

    def check(self, schema: Schema) -> Check:
        """Raises Unknown."""
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        if unknown := schema.keys() - KNOWN:
            raise Unknown(", ".join(unknown))
        checks = tuple(self._checks(schema))
        # All but `oneOf` is satisfied by null then: see `KEYWORDS` in `schema`.
        nullable = bool(schema.get("nullable")) and "oneOf" not in schema
        if len(checks) == 1:
            [only] = checks
            return (lambda value: value is None or only(value)) if nullable else only

        def all_of(value: Any) -> bool:
            if value is None and nullable:
                return True
            return all(check(value) for check in checks)

        return all_of

    def _reference(self, name: str) -> Check:
        found = self._named.get(name)
        if found is None:
            # Before it is known: schemas name each other in circles.
            self._named[name] = lambda value: self._named[name](value)  # noqa: PLW0108  found later
            found = self._named[name] = self.check(_at(name))
        return found

    def _checks(self, schema: Schema) -> Iterator[Check]:
        if "type" in schema:
            yield self._types[schema["type"]]
        if "enum" in schema:
            yield _one_of(schema["enum"])
        if "maxLength" in schema:
            yield _no_longer_than(schema["maxLength"])
        if "pattern" in schema:
            yield _matches(re.compile(schema["pattern"]))
        if schema.get("format") in FORMATS:
            yield FORMATS[schema["format"]]
        if "properties" in schema or "additionalProperties" in schema or "required" in schema:
            yield self._members(schema)
        if "items" in schema:
            yield _each(self.check(schema["items"]))
        if "anyOf" in schema:
            yield _any(tuple(map(self.check, schema["anyOf"])))
        if "oneOf" in schema:
            yield _exactly_one(tuple(map(self.check, schema["oneOf"])))

    def _members(self, schema: Schema) -> Check:
        named = {name: self._later(one) for name, one in schema.get("properties", {}).items()}
        required = tuple(schema.get("required", ()))
        more = schema.get("additionalProperties", not named)
        others = self.check(more) if isinstance(more, dict) else (lambda _value: bool(more))

        def members(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            for name in required:
                if name not in value:
                    return False
            for name, member in value.items():  # noqa: SIM110  `all` takes a third longer
                if not named.get(name, others)(member):
                    return False
            return True

        return members

    def _later(self, schema: Schema) -> Check:
        """Compile a property when it first comes: most of Stripe's never do."""
        found: list[Check] = []

        def check(value: Any) -> bool:
            if not found:
                found.append(self.check(schema))
            return found[0](value)

        return check


def _at(reference: str) -> Schema:
    if not reference.startswith(REFERENCE):
        raise Unknown(reference)
    found: Any = document()
    for part in reference.removeprefix(REFERENCE).split("/"):
        found = found[part]
    schema: Schema = found
    return schema


def _one_of(values: list[Any]) -> Check:
    if not all(isinstance(value, str | bool) for value in values):
        raise Unknown("an enumeration of other things than text and yes or no")
    allowed = frozenset(values)
    return lambda value: isinstance(value, str | bool) and value in allowed


def _no_longer_than(length: int) -> Check:
    return lambda value: not isinstance(value, str) or len(value) <= length


def _matches(pattern: re.Pattern[str]) -> Check:
    return lambda value: not isinstance(value, str) or pattern.search(value) is not None


def _each(check: Check) -> Check:
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _any(checks: tuple[Check, ...]) -> Check:
    def any_of(value: Any) -> bool:
        for check in checks:  # noqa: SIM110  `any` takes a third longer
            if check(value):
                return True
        return False

    return any_of


def _exactly_one(checks: tuple[Check, ...]) -> Check:
    return lambda value: sum(check(value) for check in checks) == 1


_JSON, _FORM = Compiler(JSON_TYPES), Compiler(FORM_TYPES)


@cache
def json_check(*pointer: str) -> Check:
    """A quick check of JSON against the schema at this place of the document."""
    return _JSON.check(_under(pointer))


@cache
def form_check(*pointer: str) -> Check:
    """A quick check of decoded forms, whose leaves are all text."""
    return _FORM.check(_under(pointer))


def query_check(schema: Schema) -> Check:
    """A quick check of decoded queries against a schema made of an operation's parameters."""
    return _FORM.check(schema)


def _under(pointer: tuple[str, ...]) -> Schema:
    found: Any = document()
    for part in pointer:
        found = found[part]
    schema: Schema = found
    return schema
