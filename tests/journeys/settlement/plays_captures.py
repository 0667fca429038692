"""What merchants do with an authorization: take all, less, more, in parts, late, or nothing."""

from collections.abc import Sequence

from app.domain.funding.receivables import write_off
from app.domain.identity.audit import SYSTEM
from tests.journeys.settlement.by_hand import until_there
from tests.product import Product
from tests.situations import LATER_DECLINES, Holder, behave, helper, holder, link_token, pay

MASTERCARD = "pm_card_mastercard"
DEBTS = "SELECT id, state FROM receivable WHERE customer_id = :customer"


async def captured_in_full(product: Product, email: str) -> Sequence[str]:
    """1."""
    return [await _captured(product, email, 100_00)]


async def captured_in_part(product: Product, email: str) -> Sequence[str]:
    """2."""
    return [await _captured(product, email, 70_00)]


async def captured_with_a_tip(product: Product, email: str) -> Sequence[str]:
    """3: an over-capture that the linked card pays."""
    return [await _captured(product, email, 120_00)]


async def captured_with_a_tip_nobody_pays(product: Product, email: str) -> Sequence[str]:
    """4: the linked card refuses what comes on top."""
    name, _ = await _in_debt(product, email)
    return [name]


async def captured_with_a_tip_written_off(product: Product, email: str) -> Sequence[str]:
    """4, and nobody ever pays."""
    name, ada = await _in_debt(product, email)
    [debt] = await product.rows(DEBTS, customer=ada.customer.id)
    now = product.parts.clock.now()
    await write_off(product.parts.sessions, debt["id"], "a test", actor=SYSTEM, now=now)
    return [name]


async def captured_with_a_tip_paid_later(product: Product, email: str) -> Sequence[str]:
    """4, and the customer links another card, which pays."""
    name, ada = await _in_debt(product, email)
    await link_token(product, ada.customer, MASTERCARD)

    await until_there(product, "receivable", ada.customer.id, "state = 'collected'")
    return [name]


async def captured_in_three_parts(product: Product, email: str) -> Sequence[str]:
    """5."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "capture", capture_amount=30_00, close_authorization="false")
    await helper(product, name, "capture", capture_amount=30_00, close_authorization="false")
    await helper(product, name, "capture", capture_amount=40_00)
    return [name]


async def captured_in_part_and_open(product: Product, email: str) -> Sequence[str]:
    """5, while the last part is still to come."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "capture", capture_amount=30_00, close_authorization="false")
    return [name]


async def incremented_twice(product: Product, email: str) -> Sequence[str]:
    """6."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 50_00))["id"]
    await helper(product, name, "increment", increment_amount=30_00)
    await helper(product, name, "increment", increment_amount=20_00)
    await helper(product, name, "capture")
    return [name]


async def reversed_in_part(product: Product, email: str) -> Sequence[str]:
    """7."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "reverse", reverse_amount=40_00)
    await helper(product, name, "capture")
    return [name]


async def reversed_in_full(product: Product, email: str) -> Sequence[str]:
    """8."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "reverse")
    return [name]


async def held_anew(product: Product, email: str) -> Sequence[str]:
    """9: almost all is let go and held again. Stripe's test helpers end what is let go whole."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "reverse", reverse_amount=99_00)
    await helper(product, name, "increment", increment_amount=49_00)
    await helper(product, name, "capture")
    return [name]


async def a_cent_less_than_was_asked_for(product: Product, email: str) -> Sequence[str]:
    """6 and 7: a little is let go, more is asked for, and not quite all of it is taken."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 10_00))["id"]
    await helper(product, name, "reverse", reverse_amount=7)
    await helper(product, name, "increment", increment_amount=3_33)
    await product.settled()
    await helper(product, name, "capture", capture_amount=13_31)
    return [name]


async def expired(product: Product, email: str) -> Sequence[str]:
    """10: the merchant never came."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "expire")
    return [name]


async def captured_after_expiry(product: Product, email: str) -> Sequence[str]:
    """10: it came after all, when what the linked card held was let go or given back."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "expire")
    await until_there(product, "charge", ada.customer.id, "state IN ('canceled', 'refunded')")
    await helper(product, name, "capture", capture_amount=100_00)
    return [name]


async def fuelled(product: Product, email: str) -> Sequence[str]:
    """12: one dollar is asked for, and what was pumped is known afterwards."""
    ada = await holder(product, email=email)
    pump = {
        "merchant_data[category]": "automated_fuel_dispensers",
        "is_amount_controllable": "true",
    }
    name = (await pay(product, ada.card, 1_00, **pump))["id"]
    await helper(product, name, "finalize_amount", final_amount=43_21)
    await helper(product, name, "capture")
    return [name]


async def verified_for_nothing(product: Product, email: str) -> Sequence[str]:
    """13."""
    ada = await holder(product, email=email)
    return [(await pay(product, ada.card, 0))["id"]]


async def still_open(product: Product, email: str) -> Sequence[str]:
    """The merchant has not come yet."""
    ada = await holder(product, email=email)
    return [(await pay(product, ada.card, 100_00))["id"]]


async def _captured(product: Product, email: str, amount_minor: int) -> str:
    ada = await holder(product, email=email)
    name: str = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, name, "capture", capture_amount=amount_minor)
    return name


async def _in_debt(product: Product, email: str) -> tuple[str, Holder]:
    ada = await holder(product, email=email)
    name: str = (await pay(product, ada.card, 100_00))["id"]
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await helper(product, name, "capture", capture_amount=120_00)
    await until_there(product, "receivable", ada.customer.id)
    return name, ada
