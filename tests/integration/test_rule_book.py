"""Rules as rows: each change in one transaction with its entry in the trail, or refused."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from app.domain.identity.audit import SYSTEM
from app.domain.issuing.allowing import CannotAllow, RequestNotFound
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.rule_book import (
    RuleNotFound,
    RuleUnchanged,
    end_rule,
    find_rule,
    resume,
    set_mode,
)
from app.domain.issuing.rule_reading import UnreadableRule
from app.domain.issuing.rules import RiskScore, RuleMode, Stop, StopTarget
from tests.controls import allow, end, later, rule
from tests.product import Product
from tests.situations import holder, pay

RISKY = RiskScore(at_least=10)  # what the sandbox's network always says
NOBODY = "00000000-0000-0000-0000-000000000000"


async def test_each_change_is_on_the_trail_with_what_was_and_what_is(product: Product) -> None:
    added = await rule(product, RISKY, RuleMode.SHADOW)
    await change(product, added, RuleMode.ENFORCED)
    await end(product, added)

    trail = await product.rows(
        "SELECT action, before->>'mode' AS before, after->>'mode' AS after,"
        " after->>'effective_until' IS NULL AS lives FROM audit_entry"
        " WHERE subject_id = :id ORDER BY created_at, id",
        id=str(added.id),
    )
    assert [tuple(entry.values()) for entry in trail] == [
        ("rule.add", None, "shadow", True),
        ("rule.enforce", "shadow", "enforced", True),
        ("rule.end", "enforced", "enforced", False),
    ]


async def change(product: Product, row: DecisionRule, mode: RuleMode) -> DecisionRule:
    async with product.parts.sessions.begin() as session:
        now = product.parts.clock.now()
        return await set_mode(session, str(row.id), mode, actor=SYSTEM, now=now)


async def test_dates_that_make_no_rule_are_refused(product: Product) -> None:
    now = product.parts.clock.now()
    hour = timedelta(hours=1)
    with pytest.raises(UnreadableRule, match=r"until: .* is not after now"):
        await rule(product, RISKY, begins=now - hour, ends=now - hour / 2)
    with pytest.raises(UnreadableRule, match=r"until: .* is not after the rule begins"):
        await rule(product, RISKY, begins=now + hour, ends=now + hour)


async def test_a_stop_of_nobody_is_refused(product: Product) -> None:
    for target in (StopTarget.CUSTOMER, StopTarget.CARD):
        for value in (NOBODY, "cus_none", "%", "\N{SNOWMAN}", "a\0b"):
            with pytest.raises(UnreadableRule, match=f"value: no {target} has the id"):
                await rule(product, Stop(target, value))


async def test_a_stop_keeps_our_own_id(product: Product) -> None:
    ada = await holder(product)
    for target, typed, kept in (
        (StopTarget.CUSTOMER, ada.customer.stripe_customer_id, ada.customer.id),
        (StopTarget.CUSTOMER, str(ada.customer.id).upper(), ada.customer.id),
        (StopTarget.CARD, ada.card.stripe_card_id, ada.card.id),
    ):
        added = await rule(product, Stop(target, typed or ""))
        assert added.condition["value"] == str(kept)


async def test_a_rule_is_found_by_the_beginning_of_its_id(product: Product) -> None:
    added = await rule(product, RISKY)
    async with product.parts.sessions() as session:
        assert (await find_rule(session, f" {str(added.id)[:-4].upper()} ")).id == added.id
        for key, sentence in {
            "": "a rule's id is missing",
            "é": "a rule's id is missing",
            "%": "no rule has an id that begins with “%”",
            "zz": "no rule has an id that begins with “zz”",
        }.items():
            with pytest.raises(RuleNotFound, match=sentence):
                await find_rule(session, key)
    await rule(product, RISKY)
    async with product.parts.sessions() as session:
        with pytest.raises(RuleNotFound, match="2 rules have ids that begin with “0"):
            await find_rule(session, str(added.id)[:6])


async def test_a_rule_that_cannot_become_what_is_asked_says_so(product: Product) -> None:
    added = await rule(product, RISKY)
    key, now = str(added.id), product.parts.clock.now()
    with pytest.raises(RuleUnchanged, match="is enforced already"):
        await change(product, added, RuleMode.ENFORCED)
    with pytest.raises(RuleUnchanged, match="is no stop; `proxycard rules end` ends it"):
        async with product.parts.sessions.begin() as session:
            await resume(session, key, actor=SYSTEM, now=now)
    await end(product, added)
    attempts: list[Callable[[], Awaitable[object]]] = [
        lambda: end(product, added),
        lambda: change(product, added, RuleMode.SHADOW),
    ]
    for attempt in attempts:
        with pytest.raises(RuleUnchanged, match="has ended; add a new rule"):
            await attempt()


async def test_a_rule_that_is_ended_before_it_begins_never_does(product: Product) -> None:
    ada = await holder(product)
    begins = product.parts.clock.now() + timedelta(minutes=30)
    coming = await rule(product, Stop(StopTarget.ALL), begins=begins)
    await end(product, coming)

    await later(product, hours=1)

    assert (await pay(product, ada.card, 1999))["approved"] is True
    with pytest.raises(RuleUnchanged):
        async with product.parts.sessions.begin() as session:
            await end_rule(session, str(coming.id), actor=SYSTEM, now=product.parts.clock.now())


async def test_what_cannot_be_allowed_once_says_why(product: Product) -> None:
    ada = await holder(product)
    approved = await pay(product, ada.card, 1999)
    gambling = {"merchant_data[category]": "betting_casino_gambling"}
    closed = await pay(product, ada.card, 1999, **gambling)
    await rule(product, RISKY)
    risky = await pay(product, ada.card, 1999)
    free = await pay(product, ada.card, 0)
    await allow(product, risky["id"])
    for key, sentence in {
        approved["id"]: "the request was not declined",
        closed["id"]: "declined because: gambling not allowed; nobody can let that pass once.",
        risky["id"]: "it is allowed already, until ",
        free["id"]: "a check of the card that moves no money",
    }.items():
        with pytest.raises(CannotAllow, match=sentence):
            await allow(product, key)
    for key in ("iauth_nobodys", NOBODY, "a\0b", ""):
        with pytest.raises(RequestNotFound):
            await allow(product, key)
    assert len(await product.rows("SELECT id FROM allowance")) == 1


async def test_a_merchant_without_words_is_known_by_its_id_only(product: Product) -> None:
    ada = await holder(product)
    await rule(product, RISKY)
    there = {"merchant_data[network_id]": "777"}
    bought = await pay(product, ada.card, 1999, "123 456", **there)
    await allow(product, bought["id"])

    elsewhere = {"merchant_data[network_id]": "778"}
    others = await pay(product, ada.card, 1999, "789", **elsewhere)
    again = await pay(product, ada.card, 1999, "789", **there)

    assert (others["approved"], again["approved"]) == (False, True)
    [kept] = await product.rows("SELECT declined_request_id FROM allowance")
    assert isinstance(kept["declined_request_id"], UUID)
