"""Puts the written deltas into the published document."""

from collections.abc import Iterator
from typing import Any

from tests.conformance.deltas import FIELDS, PARAMETERS, REMOVALS, VALUES, VERSIONS

FORM = "application/x-www-form-urlencoded"


def apply_deltas(document: dict[str, Any]) -> dict[str, Any]:
    """Change the document in place and give it back.

    A delta that has nothing to do (the field is there already, the parameter already gone) raises
    ValueError: then the published document has caught up, and the delta is to be deleted.
    """
    schemas = document["components"]["schemas"]
    for field in FIELDS:
        add(schemas[field.schema]["properties"], field.name, field.type)
    for values in VALUES:
        extend_enum(schemas[values.schema]["properties"][values.name], values.values)
    for removal in REMOVALS:
        parameters = form(document, removal.call)["properties"]
        if removal.name not in parameters:
            raise ValueError(f"{removal.call} has no {removal.name} to remove")
        del parameters[removal.name]
    for parameter in PARAMETERS:
        for properties in inside(form(document, parameter.call), parameter.within):
            add(properties, parameter.name, parameter.type)
    versions = form(document, "/v1/webhook_endpoints")["properties"]["api_version"]
    extend_enum(versions, VERSIONS)
    return document


def form(document: dict[str, Any], call: str) -> dict[str, Any]:
    """The schema of a POST call's form."""
    schema: dict[str, Any] = document["paths"][call]["post"]["requestBody"]["content"][FORM][
        "schema"
    ]
    return schema


def inside(schema: dict[str, Any], dotted: str) -> Iterator[dict[str, Any]]:
    """The properties at a dotted path, in every alternative that has them."""
    name, _, rest = dotted.partition(".")
    if not name:
        yield schema["properties"]
        return
    child = schema["properties"][name]
    for alternative in child.get("anyOf", [child]):
        if "properties" in alternative:
            yield from inside(alternative, rest)


def add(properties: dict[str, Any], name: str, schema: Any) -> None:
    if name in properties:
        raise ValueError(f"{name} is published by now")
    properties[name] = schema


def extend_enum(schema: dict[str, Any], values: Any) -> None:
    if set(values) <= set(schema["enum"]):
        raise ValueError(f"{list(values)} are published by now")
    schema["enum"] = [*schema["enum"], *values]
