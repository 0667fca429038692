"""Asks Stripe's published schema about one request, one answer, one object or one event."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from tests.conformance.examples import missing_fields
from tests.conformance.published import document
from tests.conformance.schema import form_validator, json_validator, problems, query_validator

FORM = "application/x-www-form-urlencoded"
CAP = 20
KEY_PART = re.compile(r"\[([^\]]*)\]")
FIRST_ERROR_STATUS = 400

Form = Mapping[str, Any]


def check_response(method: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer, at most twenty lines; empty when nothing is.

    The path may be a template or concrete, with or without a query. An answer below 400 is held
    to the schema of its call and must carry every field of Stripe's published examples; any other
    to Stripe's error schema.
    """
    template = published_path(path)
    if status >= FIRST_ERROR_STATUS:
        return problems(json_validator("components", "schemas", "error"), body)[:CAP]
    if template is None or method.lower() not in document()["paths"][template]:
        return [f"{method} {path} is not a call of Stripe's"]
    answer = ("responses", "200", "content", "application/json", "schema")
    validator = json_validator("paths", template, method.lower(), *answer)
    carried = [line for event, place in events_in(body) for line in check_carried(event, place)]
    return [*problems(validator, body), *carried, *missing_fields(body)][:CAP]


def check_request(method: str, path: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong with a request's form (or query, when it is a GET) as sent on the wire."""
    template = published_path(path)
    if template is None or method.lower() not in document()["paths"][template]:
        return [f"{method} {path} is not a call of Stripe's"]
    place = ("paths", template, method.lower())
    if method.upper() == "GET":
        validator = query_validator(*place)
    else:
        validator = form_validator(*place, "requestBody", "content", FORM, "schema")
    return problems(validator, nested(pairs))[:CAP]


def check_object(value: Any) -> list[str]:
    """What is wrong with an object that names its own kind."""
    if (
        not isinstance(value, dict)
        or value.get("object") not in document()["components"]["schemas"]
    ):
        return ["body: it names no published kind in `object`"]
    validator = json_validator("components", "schemas", value["object"])
    return [*problems(validator, value), *missing_fields(value)][:CAP]


def check_event(event: Any) -> list[str]:
    """What is wrong with an event as delivered, and with the object that it carries."""
    if not isinstance(event, dict) or event.get("object") != "event":
        return ["body: it is not an event"]
    return [*check_object(event), *check_carried(event)][:CAP]


def check_carried(event: Mapping[str, Any], place: str = "") -> list[str]:
    """Stripe's schema lets `data.object` be anything: it is held to the kind that it names."""
    value = event.get("data", {}).get("object")
    kind = value.get("object") if isinstance(value, dict) else None
    if kind not in document()["components"]["schemas"]:
        return [f"{place}data.object: it names no published kind"]
    validator = json_validator("components", "schemas", kind)
    return [f"{place}data.object.{line}" for line in problems(validator, value)]


def events_in(body: Any) -> list[tuple[Mapping[str, Any], str]]:
    """The events of an answer: itself, or the items of its list."""
    if not isinstance(body, dict):
        return []
    if body.get("object") == "event":
        return [(body, "")]
    data = body.get("data")
    items = enumerate(data) if isinstance(data, list) else ()
    return [(item, f"data[{index}].") for index, item in items if item.get("object") == "event"]


@cache
def published_path(path: str) -> str | None:
    """The template in Stripe's document for a concrete path or for a template of other names."""
    parts = path.partition("?")[0].split("/")
    candidates = [
        template
        for template in templates().get(len(parts), ())
        if all(
            mine == theirs or theirs.startswith("{")
            for mine, theirs in zip(parts, template.split("/"), strict=True)
        )
    ]
    return min(candidates, key=lambda template: template.count("{"), default=None)


@cache
def templates() -> Mapping[int, Sequence[str]]:
    by_length: dict[int, list[str]] = {}
    for template in document()["paths"]:
        by_length.setdefault(template.count("/") + 1, []).append(template)
    return by_length


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=c` as {"a": {"b": ["c"]}}; `a[]=c` appends (docs.stripe.com/api, form encoding)."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        name = key.partition("[")[0]
        parts = [name, *KEY_PART.findall(key)]
        here = root
        for part in parts[:-1]:
            here = here.setdefault(part, {})
        last = parts[-1] or str(len(here))
        here[last] = value
    return {name: as_list(value) for name, value in root.items()}


def as_list(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: as_list(item) for key, item in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
