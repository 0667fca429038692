"""What Stripe declines without asking us becomes a reason of its own, in words."""

from typing import Any

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import Holder, holder, intents, pay

MORE_THAN_THE_FLOAT = 99_999_999


async def test_each_of_stripe_s_own_declines_has_its_reason(product: Product) -> None:
    ada = await holder(product, cards=2)
    found: dict[str, str | None] = {}
    for theirs, more in (
        ("insufficient_funds", {"amount": MORE_THAN_THE_FLOAT}),
        ("spending_controls", {"amount": 100_001}),
        ("verification_failed", {"verification_data[cvc_check]": "mismatch"}),
    ):
        found[theirs] = await told(product, ada, **more)
    for theirs, status in (("card_inactive", "inactive"), ("card_canceled", "canceled")):
        path = f"/v1/issuing/cards/{ada.card.stripe_card_id}"
        await product.call("POST", path, status=status)
        found[theirs] = await told(product, ada)
    ada.cards.pop(0)
    path = f"/v1/issuing/cardholders/{ada.customer.stripe_cardholder_id}"
    await product.call("POST", path, status="inactive")
    found["cardholder_inactive"] = await told(product, ada)

    assert found == {
        "insufficient_funds": "stripe_insufficient_funds",
        "spending_controls": "stripe_spending_controls",
        "verification_failed": "stripe_verification_failed",
        "card_inactive": "stripe_card_not_active",
        "card_canceled": "stripe_card_not_active",
        "cardholder_inactive": "stripe_cardholder_not_active",
    }
    assert all(EXPLANATIONS[DeclineReason(reason or "")].next_step for reason in found.values())
    await oracle(product)
    assert await intents(product, ada.customer.stripe_customer_id) == []


async def told(product: Product, ada: Holder, **more: Any) -> str | None:
    bought = await pay(product, ada.card, **{"amount_minor": more.pop("amount", 1999)} | more)
    await product.settled()
    reason = await reason_of(product, bought["id"])
    assert not bought["approved"]
    return reason
