"""Stops, and what is closed to every card: obeyed from the next purchase on, until they end."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.rules import (
    CategoryGroup,
    ClosedCategories,
    ClosedCountries,
    Condition,
    RuleMode,
    Stop,
    StopTarget,
)
from tests.controls import declined, end, later, rule
from tests.faults.arming import reason_of
from tests.faults.test_duplicates import another_instance
from tests.oracle import oracle
from tests.product import Product
from tests.serving import http_client
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import Holder, holder, intents, pay

MASTERCARD = "pm_card_mastercard"
ID = {"merchant_data[network_id]": "777"}


def stops(ada: Holder) -> list[tuple[str, Stop]]:
    return [
        ("stopped_all", Stop(StopTarget.ALL)),
        ("stopped_customer", Stop(StopTarget.CUSTOMER, str(ada.customer.id))),
        ("stopped_card", Stop(StopTarget.CARD, str(ada.card.id))),
        ("blocked_merchant", Stop(StopTarget.MERCHANT, "bad * shop*")),
        ("blocked_merchant", Stop(StopTarget.MERCHANT, "id:777")),
    ]


async def test_each_stop_is_obeyed_at_once_and_until_it_ends(product: Product) -> None:
    ada = await holder(product)

    async def attempt(**more: Any) -> dict[str, Any]:
        return await pay(product, ada.card, 1999, "BAD COFFEE SHOP 042", **ID, **more)

    for reason, stop in stops(ada):
        stopped = await rule(product, stop)
        await declined(product, reason, attempt)
        await end(product, stopped)
        assert (await attempt())["approved"] is True, stop
    await oracle(product)


async def test_a_stop_leaves_others_alone(product: Product) -> None:
    ada = await holder(product, cards=2)
    bob = await holder(product, email="bob@example.com")
    others = [
        (Stop(StopTarget.CUSTOMER, str(ada.customer.id)), bob.card, "Blue Bottle"),
        (Stop(StopTarget.CARD, str(ada.card.id)), ada.cards[1], "Blue Bottle"),
        (Stop(StopTarget.MERCHANT, "blue bottle"), bob.card, "Blue Bottle Coffee"),
        (Stop(StopTarget.MERCHANT, "id:777"), bob.card, "777"),
    ]
    for stop, card, merchant in others:
        stopped = await rule(product, stop)
        assert (await pay(product, card, 1999, merchant))["approved"] is True, stop
        await end(product, stopped)
    await oracle(product)


class TestAStopOfAKindOfLinkedCards:
    async def test_has_another_linked_card_pay(self, product: Product) -> None:
        ada = await holder(product, sources=("pm_card_visa", MASTERCARD))
        await rule(product, Stop(StopTarget.FUNDING, "visa/credit/US"))

        bought = await pay(product, ada.card, 1999)

        assert bought["approved"] is True
        [intent] = await intents(product, ada.customer.stripe_customer_id)
        assert intent["payment_method"] == ada.sources[1].stripe_payment_method_id
        await oracle(product)

    @pytest.mark.parametrize("value", ["*/credit/*", "VISA/*/us", "*/*/*"])
    async def test_declines_when_no_other_is_left(self, product: Product, value: str) -> None:
        ada = await holder(product)
        await rule(product, Stop(StopTarget.FUNDING, value))

        await declined(product, "stopped_funding", lambda: pay(product, ada.card, 1999))

        assert (await pay(product, ada.card, 0))["approved"] is True
        await oracle(product)
        assert await intents(product, ada.customer.stripe_customer_id) == []

    async def test_is_named_by_the_record_and_watches_in_shadow(self, product: Product) -> None:
        ada = await holder(product)
        found = []
        for mode in (RuleMode.SHADOW, RuleMode.ENFORCED):
            added = await rule(product, Stop(StopTarget.FUNDING, "visa/*/*"), mode)
            await pay(product, ada.card, 1999)
            found += await said_by(product, added)

        assert [one["verdict"] for one in found] == ["would refuse", "refused"]
        assert {one["reason"] for one in found} == {"stopped_funding"}
        await oracle(product)

    async def test_leaves_other_kinds_alone(self, product: Product) -> None:
        ada = await holder(product)
        await rule(product, Stop(StopTarget.FUNDING, "visa/prepaid/*"))

        assert (await pay(product, ada.card, 1999))["approved"] is True
        await oracle(product)


FROM_THE_BEGINNING = {
    "automated_cash_disburse": "cash_not_allowed",
    "manual_cash_disburse": "cash_not_allowed",
    "wires_money_orders": "quasi_cash_not_allowed",
    "non_fi_money_orders": "quasi_cash_not_allowed",
    "betting_casino_gambling": "gambling_not_allowed",
    "government_owned_lotteries_us_region_only": "gambling_not_allowed",
}


async def test_cash_and_gambling_are_closed_without_anybody_s_doing(product: Product) -> None:
    ada = await holder(product)
    for category, reason in FROM_THE_BEGINNING.items():
        kind = {"merchant_data[category]": category}
        await declined(product, reason, partial(pay, product, ada.card, 1999, **kind))
    await oracle(product)
    assert await intents(product, ada.customer.stripe_customer_id) == []


CLOSED: list[tuple[str, Condition, dict[str, str]]] = [
    (
        "category_closed",
        ClosedCategories(CategoryGroup.OTHER, ["bakeries", "florists"]),
        {"merchant_data[category]": "florists"},
    ),
    ("country_closed", ClosedCountries(["FR", "DE"]), {"merchant_data[country]": "DE"}),
]


@pytest.mark.parametrize(("reason", "condition", "where"), CLOSED)
async def test_what_we_close_is_declined_and_may_be_allowed_once(
    product: Product, reason: str, condition: Condition, where: dict[str, str]
) -> None:
    ada = await holder(product)
    await rule(product, condition)

    await declined(product, reason, lambda: pay(product, ada.card, 1999, **where))

    assert (await pay(product, ada.card, 1999))["approved"] is True
    await oracle(product)


class TestARule:
    async def test_is_obeyed_at_once_by_every_process(self, product: Product) -> None:
        ada = await holder(product)
        asked = question(ada.card.stripe_card_id, 0)
        again = question(ada.card.stripe_card_id, 0)
        async with another_instance(product) as url, http_client(url) as other:
            before = await post(other, AUTHORIZATIONS, asked)
            await rule(product, Stop(StopTarget.ALL))
            after = await post(other, AUTHORIZATIONS, again)

        assert [one.json()["approved"] for one in (before, after)] == [True, False]
        assert await reason_of(product, again["data"]["object"]["id"]) == "stopped_all"

    async def test_in_shadow_is_recorded_and_refuses_nothing(self, product: Product) -> None:
        ada = await holder(product)
        watching = await rule(product, Stop(StopTarget.ALL), RuleMode.SHADOW)

        bought = await pay(product, ada.card, 1999)

        assert bought["approved"] is True
        await oracle(product)
        [said] = await said_by(product, watching)
        assert said == {"verdict": "would refuse", "reason": "stopped_all"}

    async def test_holds_from_its_time_to_its_time(self, product: Product) -> None:
        ada = await holder(product)
        now = product.parts.clock.now()
        begins, ends = now + timedelta(hours=1), now + timedelta(hours=2)
        await rule(product, Stop(StopTarget.ALL), begins=begins, ends=ends)
        found = []
        for minutes in (0, 65, 60):
            await later(product, minutes=minutes)
            bought = await pay(product, ada.card, 1999)
            found.append(await reason_of(product, bought["id"]))

        assert found == [None, "stopped_all", None]
        await oracle(product)


async def said_by(product: Product, added: DecisionRule) -> list[dict[str, Any]]:
    """Give what the records of decisions say of a rule."""
    return await product.rows(
        "SELECT said->>'verdict' AS verdict, said->>'reason' AS reason FROM flight_record,"
        " json_array_elements(verdicts) AS said WHERE said->>'rule' = :rule",
        rule=str(added.id),
    )
