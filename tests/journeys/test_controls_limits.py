"""How often and how much: velocity, new customers, declines in a row, probes, the risk score."""

import asyncio
from typing import Any

import pytest

from app.domain.issuing.facts import Scope
from app.domain.issuing.rules import (
    CardTesting,
    Condition,
    DeclineStreak,
    NewCustomer,
    RiskScore,
    Velocity,
)
from tests.controls import allow, declined, later, rule
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import VISA, helper, holder, pay

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"

# Two purchases of 19.99 with two cards of one customer are just within each.
VELOCITY = [
    ("card_too_often", Velocity(Scope.CARD, 60, purchases=1)),
    ("card_too_much", Velocity(Scope.CARD, 60, amount_minor=3997)),
    ("customer_too_often", Velocity(Scope.CUSTOMER, 60, purchases=2)),
    ("customer_too_much", Velocity(Scope.CUSTOMER, 60, amount_minor=5996)),
]


@pytest.mark.parametrize(("reason", "condition"), VELOCITY)
async def test_what_goes_over_a_velocity_is_declined_until_the_window_has_passed(
    product: Product, reason: str, condition: Condition
) -> None:
    ada = await holder(product, cards=2)
    bob = await holder(product, email="bob@example.com")
    await rule(product, condition)
    within = [await pay(product, card, 1999) for card in ada.cards]
    assert [one["approved"] for one in within] == [True, True]

    await declined(product, reason, lambda: pay(product, ada.card, 1999))

    assert (await pay(product, bob.card, 1999))["approved"] is True
    await later(product, minutes=61)
    assert (await pay(product, ada.card, 1999))["approved"] is True
    await oracle(product)


async def test_a_purchase_that_grows_is_one_purchase_and_more_money(product: Product) -> None:
    ada = await holder(product)
    await rule(product, Velocity(Scope.CARD, 60, purchases=1, amount_minor=2499))
    bought = await pay(product, ada.card, 1999)

    more = await helper(product, bought["id"], "increment", increment_amount=500)
    too_much = await helper(product, bought["id"], "increment", increment_amount=1)

    assert more["amount"] == too_much["amount"] == 2499
    assert await reason_of(product, bought["id"]) == "card_too_much"
    await oracle(product)


async def test_what_a_merchant_gave_back_makes_room_again(product: Product) -> None:
    ada = await holder(product)
    await rule(product, Velocity(Scope.CARD, 60, purchases=1, amount_minor=2499))
    bought = await pay(product, ada.card, 1999)
    await helper(product, bought["id"], "reverse")
    await product.settled()

    assert (await pay(product, ada.card, 1999))["approved"] is True
    await oracle(product)


async def test_a_new_customer_has_a_limit_until_the_days_are_over(product: Product) -> None:
    ada = await holder(product)
    await rule(product, NewCustomer(for_days=2, window_days=60, amount_minor=5000))
    assert (await pay(product, ada.card, 3001))["approved"] is True

    await declined(product, "new_customer_limit", lambda: pay(product, ada.card, 2000))

    await later(product, days=1)
    still = await pay(product, ada.card, 2000)
    assert await reason_of(product, still["id"]) == "new_customer_limit"
    await later(product, days=1)
    assert (await pay(product, ada.card, 50_000))["approved"] is True
    await oracle(product)


async def test_checks_of_the_card_do_not_begin_the_days_of_a_new_customer(
    product: Product,
) -> None:
    ada = await holder(product)
    await rule(product, NewCustomer(for_days=2, window_days=60, amount_minor=5000))
    for amount in (0, 100):
        assert (await pay(product, ada.card, amount))["approved"] is True

    await later(product, days=3)

    refused = await pay(product, ada.card, 5001)
    assert await reason_of(product, refused["id"]) == "new_customer_limit"
    await oracle(product)


async def test_a_card_is_refused_after_declines_in_a_row(product: Product) -> None:
    ada = await holder(product, sources=(NO_FUNDS,), cards=2)
    await rule(product, DeclineStreak(minutes=10, declines=3))
    for _ in range(3):
        bought = await pay(product, ada.card, 1999)
        assert await reason_of(product, bought["id"]) == "bank_insufficient_funds"
    saved = ada.sources[0].stripe_payment_method_id
    await product.control(f"payment_methods/{saved}/behaves_like", {"token": VISA})

    await declined(product, "too_many_declines", lambda: pay(product, ada.card, 1999))

    assert (await pay(product, ada.cards[1], 1999))["approved"] is True
    await later(product, minutes=11)
    assert (await pay(product, ada.card, 1999))["approved"] is True
    await oracle(product)


async def test_a_card_that_somebody_tries_out_is_refused(product: Product) -> None:
    ada = await holder(product, cards=2)
    await rule(product, CardTesting(minutes=10, probes=3))
    for amount in (100, 0, 1):
        assert (await pay(product, ada.card, amount))["approved"] is True

    await declined(product, "suspected_card_testing", lambda: pay(product, ada.card, 1999))

    assert (await pay(product, ada.cards[1], 1999))["approved"] is True
    await later(product, minutes=11)
    assert (await pay(product, ada.card, 1999))["approved"] is True
    await oracle(product)


@pytest.mark.parametrize(
    ("score", "reason"),
    [(None, None), (-1, None), (0, None), (89, None), (90, "risk_score_too_high"), (100, None)],
)
async def test_the_network_s_risk_score_is_heeded_from_90_to_99(
    product: Product, score: int | None, reason: str | None
) -> None:
    ada = await holder(product)

    assert await ask_with_score(product, ada.card.stripe_card_id, score) == reason


async def ask_with_score(product: Product, card_id: str, score: int | None) -> str | None:
    """Send a question with a risk score, and give the reason it was declined for."""
    pending: dict[str, Any] = {"amount": 1999, "currency": "usd"}
    asked = question(card_id, pending_request=pending | {"network_risk_score": score})
    answer = await post(product.web, AUTHORIZATIONS, asked)
    reason = await reason_of(product, asked["data"]["object"]["id"])
    assert answer.json()["approved"] is (reason is None)
    return reason


async def test_a_purchase_the_network_finds_risky_may_be_allowed_once(product: Product) -> None:
    ada = await holder(product)
    await rule(product, RiskScore(at_least=10))  # what the sandbox's network always says

    await declined(product, "risk_score_too_high", lambda: pay(product, ada.card, 1999))
    await oracle(product)


class TestAllowingOnce:
    async def test_is_for_the_same_merchant_and_at_most_the_amount(self, product: Product) -> None:
        ada = await holder(product, cards=2)
        await rule(product, RiskScore(at_least=0))
        there = {"merchant_data[network_id]": "777"}
        bought = await pay(product, ada.card, 1999, "SQ *BLUE BOTTLE 042", **there)
        await allow(product, bought["id"])

        elsewhere = {"merchant_data[network_id]": "778"}
        answers = [
            await pay(product, ada.card, 1999, "United Airlines", **elsewhere),
            await pay(product, ada.card, 2000, "Blue Bottle 7", **elsewhere),
            await pay(product, ada.card, 0, "Blue Bottle 7", **elsewhere),
            await pay(product, ada.cards[1], 1999, "Blue Bottle 7", **elsewhere),
            await pay(product, ada.card, 1999, "Blue Bottle 7", **elsewhere),
        ]

        assert [one["approved"] for one in answers] == [False] * 4 + [True]
        await oracle(product)

    async def test_is_still_good_after_a_try_that_the_bank_declined(self, product: Product) -> None:
        ada = await holder(product, sources=(NO_FUNDS,))
        await rule(product, RiskScore(at_least=0))
        bought = await pay(product, ada.card, 1999)
        await allow(product, bought["id"])
        failed = await pay(product, ada.card, 1999)
        assert await reason_of(product, failed["id"]) == "bank_insufficient_funds"
        saved = ada.sources[0].stripe_payment_method_id
        await product.control(f"payment_methods/{saved}/behaves_like", {"token": VISA})

        assert (await pay(product, ada.card, 1999))["approved"] is True
        await oracle(product)

    async def test_is_not_used_up_by_what_would_have_passed_without(self, product: Product) -> None:
        ada = await holder(product)
        await rule(product, Velocity(Scope.CARD, 60, amount_minor=1000))
        running = await pay(product, ada.card, 500)
        bought = await pay(product, ada.card, 1999)
        await allow(product, bought["id"])

        check = await pay(product, ada.card, 100)
        more = await helper(product, running["id"], "increment", increment_amount=100)
        answers = [await pay(product, ada.card, 1999) for _ in range(2)]

        assert (check["approved"], more["amount"]) == (True, 600)
        assert [one["approved"] for one in answers] == [True, False]
        await oracle(product)

    async def test_is_once_for_two_tries_at_the_same_moment(self, product: Product) -> None:
        ada = await holder(product)
        await rule(product, RiskScore(at_least=0))
        bought = await pay(product, ada.card, 1999)
        await allow(product, bought["id"])

        tries = await asyncio.gather(*(pay(product, ada.card, 1999) for _ in range(4)))

        assert sorted(one["approved"] for one in tries) == [False] * 3 + [True]
        await oracle(product)

    async def test_ends_after_a_day(self, product: Product) -> None:
        ada = await holder(product)
        await rule(product, RiskScore(at_least=0))
        bought = await pay(product, ada.card, 1999)
        await allow(product, bought["id"])

        await later(product, hours=24)

        assert (await pay(product, ada.card, 1999))["approved"] is False
        await oracle(product)

    async def test_does_not_pass_what_nobody_can_let_pass(self, product: Product) -> None:
        ada = await holder(product)
        await rule(product, RiskScore(at_least=0))
        bought = await pay(product, ada.card, 1999)
        await allow(product, bought["id"])
        await product.as_owner("UPDATE card SET state = 'frozen'")

        again = await pay(product, ada.card, 1999)

        assert await reason_of(product, again["id"]) == "card_frozen"
        await oracle(product)
