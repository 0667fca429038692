"""Stripe takes too long over a charge: we decline in time, and what it did later is undone."""

import asyncio

import pytest

from tests.faults.arming import answer_to, arm, fired, reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import holder, intents, pay

LATE_MS = 2_500
STRIPE_WAITS_MS = 2_000


async def answered_in_time(product: Product, authorization: str) -> None:
    """Stripe has seen our own no, rather than waited for it in vain."""
    answer = await answer_to(product, authorization)
    assert answer["reason"] == "webhook_declined", answer
    assert answer["duration_ms"] < STRIPE_WAITS_MS
    [request] = await product.rows(
        "SELECT r.step_ms FROM authorization_request AS r JOIN card_authorization AS a"
        " ON a.id = r.authorization_id WHERE a.stripe_authorization_id = :name",
        name=authorization,
    )
    assert request["step_ms"]["total"] <= 1_650, request


class TestAChargeThatStripeIsSlowAbout:
    @pytest.fixture
    def product_settings(self) -> dict[str, str]:
        return {"REPAIR_WAIT_SECONDS": "3.5"}  # longer than the latest effect

    async def test_is_declined_in_time_and_released_however_late_it_takes_effect(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        await arm(product, "hang")
        await arm(product, "hang", after_effect=True)
        await arm(product, "delay", delay_ms=LATE_MS)
        await arm(product, "delay", delay_ms=LATE_MS, after_effect=True)

        bought = await asyncio.gather(*(pay(product, ada.card, 1000 + n) for n in range(4)))

        assert await fired(product) == [1, 1, 1, 1]
        for one in bought:
            await answered_in_time(product, one["id"])
            assert await reason_of(product, one["id"]) == "funding_outcome_unknown"
        held = await intents(product, ada.customer.stripe_customer_id)
        assert [intent["status"] for intent in held] == ["requires_capture"] * 2
        await oracle(product)
        made = await intents(product, ada.customer.stripe_customer_id)
        assert [intent["status"] for intent in made] == ["canceled"] * 3

    async def test_is_approved_when_the_answer_still_comes_in_time(self, product: Product) -> None:
        ada = await holder(product)
        await product.control("settings", {"latency_ms": 700})

        bought = await pay(product, ada.card, 1999)

        await product.control("settings", {"latency_ms": 0})
        assert bought["approved"] is True
        assert (await answer_to(product, bought["id"]))["duration_ms"] > 700
        await oracle(product)
