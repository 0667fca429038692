"""Checks JSON and forms against schemas as Stripe writes them (OpenAPI 3.0 over draft 4)."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

# jsonschema ships no types.
from jsonschema import Draft4Validator, FormatChecker  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.conformance.published import document
from tests.conformance.quick import Check, form_check, json_check, query_check

DOCUMENT = "stripe:document"
MESSAGE_LENGTH = 240
INTEGER = re.compile(r"-?\d+")
CURRENCY = re.compile(r"[a-z]{3}")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")

Keyword = Callable[[Any, Any, Any, Mapping[str, Any]], Iterator[Any]]


def nullable(keyword: Keyword) -> Keyword:
    """A keyword that null satisfies where the schema says `nullable`, as OpenAPI 3.0 has it."""

    def check(
        validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]
    ) -> Iterator[Any]:
        if instance is None and schema.get("nullable"):
            return
        yield from keyword(validator, value, instance, schema)

    return check


def closed_properties(
    validator: Any, properties: Mapping[str, Any], instance: Any, schema: Mapping[str, Any]
) -> Iterator[Any]:
    """Named properties are checked, and unnamed ones are problems.

    Stripe publishes objects open. The sandbox must not answer what Stripe does not, and Stripe
    refuses unknown parameters ("Received unknown parameter"). An object with no named property is
    one that may hold anything.
    """
    yield from Draft4Validator.VALIDATORS["properties"](validator, properties, instance, schema)
    if properties and isinstance(instance, dict) and "additionalProperties" not in schema:
        for name in instance.keys() - properties.keys():
            yield ValidationError(f"{name!r} is not published")


def is_form_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, str) and INTEGER.fullmatch(value) is not None


def is_form_number(_checker: Any, value: Any) -> bool:
    return isinstance(value, str) and DECIMAL.fullmatch(value) is not None


def is_form_boolean(_checker: Any, value: Any) -> bool:
    return value in ("true", "false")  # a set would choke on what cannot be hashed


KEYWORDS = {
    "type": nullable(Draft4Validator.VALIDATORS["type"]),
    "enum": nullable(Draft4Validator.VALIDATORS["enum"]),
    "anyOf": nullable(Draft4Validator.VALIDATORS["anyOf"]),
    "properties": closed_properties,
}
JsonValidator = extend(Draft4Validator, KEYWORDS)
FormValidator = extend(
    Draft4Validator,
    KEYWORDS,
    type_checker=Draft4Validator.TYPE_CHECKER.redefine_many(
        {"integer": is_form_integer, "number": is_form_number, "boolean": is_form_boolean}
    ),
)

FORMATS = FormatChecker(formats=())
FORMATS.checks("currency")(
    lambda value: not isinstance(value, str) or bool(CURRENCY.fullmatch(value))
)
FORMATS.checks("decimal")(
    lambda value: not isinstance(value, str) or bool(DECIMAL.fullmatch(value))
)
FORMATS.checks("unix-time")(lambda value: not isinstance(value, int) or value >= 0)


@cache
def published() -> Registry[Any]:
    registry: Registry[Any] = Registry().with_resource(DOCUMENT, DRAFT4.create_resource(document()))
    return registry


class Checker(NamedTuple):
    """What finds every problem, and what says at once that there is none."""

    thorough: Any
    quick: Check


@cache
def json_validator(*pointer: str) -> Checker:
    """A checker of JSON against the schema at this place of the document."""
    return _checker(JsonValidator, {"$ref": reference(pointer)}, json_check(*pointer))


@cache
def form_validator(*pointer: str) -> Checker:
    """A checker of decoded forms, whose leaves are all strings."""
    return _checker(FormValidator, {"$ref": reference(pointer)}, form_check(*pointer))


@cache
def query_validator(*pointer: str) -> Checker:
    """A checker of decoded queries against the list of parameters at this place."""
    operation: Any = document()
    for part in pointer:
        operation = operation[part]
    parameters = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    schema = {
        "id": DOCUMENT + "/query",
        "type": "object",
        "properties": {p["name"]: p["schema"] for p in parameters},
        "required": [p["name"] for p in parameters if p.get("required")],
        "additionalProperties": False,
    }
    return _checker(FormValidator, schema, query_check(schema))


def _checker(kind: Any, schema: Any, quick: Check) -> Checker:
    return Checker(kind(schema, registry=published(), format_checker=FORMATS), quick)


def reference(pointer: tuple[str, ...]) -> str:
    parts = (part.replace("~", "~0").replace("/", "~1") for part in pointer)
    # A fragment is percent-decoded when it is resolved; Stripe's paths have braces in them.
    return f"{DOCUMENT}#/" + "/".join(parts)


def problems(validator: Checker, value: Any) -> list[str]:
    """Every problem as "place: what is wrong with it", sorted by place."""
    if validator.quick(value):
        return []
    found = {line for error in validator.thorough.iter_errors(value) for line in lines(error)}
    return sorted(found)


def lines(error: Any) -> Iterator[str]:
    """An error, or the errors of the alternative that was most likely meant."""
    if error.validator == "anyOf" and error.context:
        for cause in likeliest(error.context):
            yield from lines(cause)
        return
    place = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    )
    yield f"{place.removeprefix('.') or 'body'}: {shortened(error.message)}"


def shortened(message: str) -> str:
    """The start (the value) and the end (what is wrong with it) of a long message."""
    half = MESSAGE_LENGTH // 2
    return message if len(message) <= MESSAGE_LENGTH else f"{message[:half]}…{message[-half:]}"


def likeliest(causes: list[Any]) -> list[Any]:
    """The errors of one alternative: the right type first, then the right kind, then the fewest."""
    by_alternative: dict[int, list[Any]] = {}
    for cause in causes:
        by_alternative.setdefault(cause.schema_path[0], []).append(cause)

    def unlikeliness(errors: list[Any]) -> tuple[bool, bool, int]:
        return (
            any(e.validator == "type" and not e.path for e in errors),
            any(e.validator == "enum" and list(e.path) in ([], ["object"]) for e in errors),
            len(errors),
        )

    return min(by_alternative.values(), key=unlikeliness)
