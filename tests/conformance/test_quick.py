"""The quick check and jsonschema agree about what the sandbox says, and about what is not right."""

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from stripe_sandbox.answering import Exchange
from tests.conformance.quick import JSON_TYPES as TYPES
from tests.conformance.quick import Compiler, Unknown
from tests.conformance.schema import Checker, form_validator, json_validator, query_validator
from tests.conformance.spec import FORM, nested, published_path
from tests.sandbox.paying import payer
from tests.sandbox.people import card, pay
from tests.sandbox.serving import serving

WRONG: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, "", "x", "x" * 5001, "usd", "1.5", [], ["x"], [{}], {}),
    *({"shoe": 43}, {"object": "card"}, {"0": "x"}),
)
ABSENT = object()


@pytest.fixture
async def exchanges() -> list[Exchange]:
    """Give what is said while a card is saved and charged, and another made and used."""
    heard: list[Exchange] = []
    async with serving(record=heard.append) as sandbox:
        paying = await payer(sandbox)
        taken = await paying.charge(capture_method=None, expand=["latest_charge"])
        await paying.charge(metadata={"authorization": "iauth_1"})
        await paying.refusal(customer="cus_nobody")
        await sandbox.stripe.v1.refunds.create_async({"payment_intent": taken.id, "amount": 100})
        await pay(sandbox, await card(sandbox))
        for name in ("payment_intents", "balance_transactions", "events"):
            await getattr(sandbox.stripe.v1, name).list_async({"limit": 3})
        await sandbox.stripe.v1.issuing.authorizations.list_async()
    return heard


async def test_both_say_the_same_of_what_is_said_and_of_each_part_of_it_changed(
    exchanges: list[Exchange],
) -> None:
    chance = random.Random(1)  # noqa: S311  a test, the same each time
    found = [0, 0]
    for checker, value in (pair for one in exchanges for pair in _checked(one)):
        assert checker.quick(value)
        assert checker.thorough.is_valid(value)
        for changed in _changes(value, chance):
            good = checker.thorough.is_valid(changed)
            assert checker.quick(changed) is good, list(checker.thorough.iter_errors(changed))
            found[good] += 1
    assert min(found) > 100, found


def _checked(exchange: Exchange) -> Iterator[tuple[Checker, Any]]:
    template = published_path(exchange.template)
    assert template is not None
    place = ("paths", template, exchange.method.lower())
    if exchange.status < 400:
        answer = ("responses", "200", "content", "application/json", "schema")
        yield json_validator(*place, *answer), exchange.response
        if exchange.method == "GET":
            yield query_validator(*place), nested(exchange.pairs)
        else:
            asked = ("requestBody", "content", FORM, "schema")
            yield form_validator(*place, *asked), nested(exchange.pairs)
    else:
        yield json_validator("components", "schemas", "error"), exchange.response


def _changes(value: Any, chance: random.Random) -> Iterator[Any]:
    """Give the value with each of its parts, in turn, absent or something else, or one more."""
    for path in _paths(value):
        changed = deepcopy(value)
        inner = changed
        for name in path[:-1]:
            inner = inner[name]
        wrong = chance.choice((*WRONG, ABSENT))
        if wrong is ABSENT:
            del inner[path[-1]]
        else:
            inner[path[-1]] = wrong
        yield changed
    if isinstance(value, dict):
        yield {**value, "shoe": 43}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in inner:
        yield (*path, name)
        if isinstance(item, dict | list):
            yield from _paths(item, (*path, name))


def test_a_schema_that_says_more_than_is_understood_is_refused() -> None:
    for schema in ({"minimum": 3}, {"enum": ["one", 2]}, {"$ref": "elsewhere"}):
        with pytest.raises(Unknown):
            Compiler(TYPES).check(schema)


def test_alternatives_exclude_each_other_only_where_they_must() -> None:
    texts: Any = [{"type": "string"}, {"type": "string", "maxLength": 2}]
    compiler = Compiler(TYPES)
    assert compiler.check({"anyOf": texts})("a")
    assert not compiler.check({"oneOf": texts})("a")
    assert compiler.check({"oneOf": texts})("abc")
    assert not compiler.check({"oneOf": texts, "nullable": True})(None)
