"""What Stripe declines without asking us becomes a reason of its own, in words."""

from typing import Any

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.purchase_list import Wanted, page_of
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import Holder, holder, intents, pay

MORE_THAN_THE_FLOAT = 99_999_999


async def test_what_stripe_declined_is_listed_after_what_was_bought_a_moment_before(
    product: Product,
) -> None:
    """We decide to the microsecond; of what Stripe declined itself it tells the second."""
    ada = await holder(product)
    await pay(product, ada.card, 10_00, "Zuni Cafe")
    await pay(product, ada.card, MORE_THAN_THE_FLOAT, "Too Much")
    await product.settled()
    async with product.parts.sessions() as session:
        page = await page_of(session, ada.customer.id, Wanted())
    assert [line.merchant for line in page.lines] == ["Too Much", "Zuni Cafe"]


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
