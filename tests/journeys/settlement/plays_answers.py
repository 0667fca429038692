"""What becomes of money where the answer itself was the difficulty, or nobody may be charged."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.faults import relay
from tests.faults.arming import arm, fired
from tests.journeys.settlement.by_hand import until_there
from tests.product import AUTHORIZATION_SECRET, Product
from tests.signing import AUTHORIZATIONS, asked, post, question
from tests.situations import LATER_DECLINES, Holder, behave, helper, holder, pay

MASTERCARD = "pm_card_mastercard"
STRICT = "pm_card_authenticationRequired"
LOST = "pm_card_visa_chargeDeclinedLostCard"
LATE: dict[str, Any] = {"delay_ms": 1_700, "after_effect": True}
MORE_THAN_THE_FLOAT = 99_999_999
MORE_THAN_A_DAY = 1_000_01


async def asked_twice(product: Product, email: str) -> Sequence[str]:
    """20: the same question comes again while it is answered, and after."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    again = await asked(product, name)
    answers = [await post(product.web, AUTHORIZATIONS, again) for _ in range(2)]
    assert [answer.json()["approved"] for answer in answers] == [True, True]
    await helper(product, name, "capture")
    return [name]


async def two_at_the_limit(product: Product, email: str) -> Sequence[str]:
    """22: there is room for one of them."""
    ada = await holder(product, email=email, daily_limit_minor=150_00)
    bought = await asyncio.gather(*(pay(product, ada.card, 100_00) for _ in range(2)))
    [approved] = [one["id"] for one in bought if one["approved"]]
    await helper(product, approved, "capture")
    return [one["id"] for one in bought]


async def charged_too_late(product: Product, email: str) -> Sequence[str]:
    """23: the charge stands, and its answer comes when we have said no."""
    return [await _spoilt(product, email, "delay", **LATE)]


async def refused_too_late(product: Product, email: str) -> Sequence[str]:
    """24: the bank refuses, and we hear of it when we have said no."""
    return [await _spoilt(product, email, "delay", LATER_DECLINES, **LATE)]


async def charged_with_an_error(product: Product, email: str) -> Sequence[str]:
    """25: Stripe has charged, and answers 500."""
    return [await _spoilt(product, email, "status", status=500, after_effect=True)]


async def charged_and_cut_off(product: Product, email: str) -> Sequence[str]:
    """25: the connection breaks after the charge."""
    return [await _spoilt(product, email, "drop_after")]


async def approved_by_us_alone(product: Product, email: str) -> Sequence[str]:
    """27: our yes comes too late for Stripe."""
    ada = await holder(product, email=email)
    async with relay.relaying(product) as between:
        between.way = relay.too_late
        bought = await pay(product, ada.card, 100_00)
    assert not bought["approved"]
    return [bought["id"]]


async def approved_without_us(product: Product, email: str) -> Sequence[str]:
    """28: the card network says yes in our place."""
    ada = await holder(product, email=email)
    await product.control("settings", {"authorization_webhook_url": None})
    name = (await pay(product, ada.card, 100_00))["id"]
    url = f"{product.settings.app_url}{AUTHORIZATIONS}"
    ours = {"authorization_webhook_url": url, "authorization_webhook_secret": AUTHORIZATION_SECRET}
    await product.control("settings", ours)
    await until_there(product, "charge", ada.customer.id)
    await helper(product, name, "capture")
    return [name]


async def declined_before_we_are_asked(product: Product, email: str) -> Sequence[str]:
    """29: a limit kept at Stripe, no float, a frozen card."""
    ada = await holder(product, email=email)
    names = [
        await _declined(product, ada, amount) for amount in (MORE_THAN_A_DAY, MORE_THAN_THE_FLOAT)
    ]
    await product.call("POST", f"/v1/issuing/cards/{ada.card.stripe_card_id}", status="inactive")
    return [*names, await _declined(product, ada)]


async def authentication_required(product: Product, email: str) -> Sequence[str]:
    """30."""
    ada = await holder(product, email=email)
    await behave(product, ada.sources[0].stripe_payment_method_id, STRICT)
    return [await _declined(product, ada)]


async def refused_for_good(product: Product, email: str) -> Sequence[str]:
    """31: the bank says do_not_try_again."""
    return [await _declined(product, await holder(product, email=email, sources=(LOST,)))]


async def owed_for_good(product: Product, email: str) -> Sequence[str]:
    """4 and 31: the bank says so to what comes on top, and the debt is not tried again."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await behave(product, ada.sources[0].stripe_payment_method_id, LOST)
    await helper(product, name, "capture", capture_amount=120_00)
    await until_there(product, "receivable", ada.customer.id)
    [debt] = await product.rows(
        "SELECT advice_code, next_attempt_at FROM receivable WHERE customer_id = :customer",
        customer=ada.customer.id,
    )
    assert debt == {"advice_code": "do_not_try_again", "next_attempt_at": None}
    return [name]


async def paid_by_the_second_card(product: Product, email: str) -> Sequence[str]:
    """32."""
    ada = await holder(product, email=email, sources=(LATER_DECLINES, MASTERCARD))
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "capture")
    return [name]


async def linked_card_removed(product: Product, email: str) -> Sequence[str]:
    """36: what it holds can still be taken."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await _detach(product, ada)
    await helper(product, name, "capture")
    return [name]


async def linked_card_removed_before_a_tip(product: Product, email: str) -> Sequence[str]:
    """36: more cannot be charged to it, and there is no other to try again with."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await _detach(product, ada)
    await helper(product, name, "capture", capture_amount=120_00)
    return [name]


async def cardholder_under_review(product: Product, email: str) -> Sequence[str]:
    """37: all cards of a cardholder are blocked."""
    ada = await holder(product, email=email, cards=2)
    path = f"/v1/issuing/cardholders/{ada.customer.stripe_cardholder_id}"
    await product.call("POST", path, status="inactive")
    return [(await pay(product, card, 100_00))["id"] for card in ada.cards]


async def asked_in_another_currency(product: Product, email: str) -> Sequence[str]:
    """38."""
    ada = await holder(product, email=email)
    asks = question(ada.card.stripe_card_id)
    asks["data"]["object"]["pending_request"]["currency"] = "eur"
    answer = await post(product.web, AUTHORIZATIONS, asks)
    assert answer.json() == {"approved": False}
    return [asks["data"]["object"]["id"]]


async def asked_in_words_of_tomorrow(product: Product, email: str) -> Sequence[str]:
    """39: every word in the question is new to us. Stripe then knows nothing of it."""
    ada = await holder(product, email=email)
    merchant = {"name": "Blue Bottle", "category": "teleportation", "country": "XX"}
    asks = question(
        ada.card.stripe_card_id,
        100_00,
        merchant_data=merchant,
        status="foreseen",
        authorization_method="telepathy",
        wallet="mind_pay",
        verification_data={"cvc_check": "felt_right"},
    )
    answer = await post(product.web, AUTHORIZATIONS, asks)
    assert answer.json() == {"approved": True}
    return [asks["data"]["object"]["id"]]


async def _spoilt(
    product: Product, email: str, action: str, token: str | None = None, **more: Any
) -> str:
    ada = await holder(product, email=email)
    if token is not None:
        await behave(product, ada.sources[0].stripe_payment_method_id, token)
    before = await fired(product)
    await arm(product, action, **more)
    name = await _declined(product, ada)
    assert await fired(product) == [*before, 1]
    return name


async def _declined(product: Product, ada: Holder, amount_minor: int = 100_00) -> str:
    bought = await pay(product, ada.card, amount_minor)
    assert not bought["approved"]
    return str(bought["id"])


async def _detach(product: Product, ada: Holder) -> None:
    saved = ada.sources[0].stripe_payment_method_id
    detached = await product.call("POST", f"/v1/payment_methods/{saved}/detach")
    assert detached["customer"] is None
