"""Situations tests begin with: a customer with linked and virtual cards, made by the domain."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from app.adapters.stripe_people import StripePeople
from app.domain.funding.models import FundingSource
from app.domain.funding.sources import link
from app.domain.identity.audit import SYSTEM
from app.domain.identity.customers import Person, enrol
from app.domain.identity.models import Customer
from app.domain.issuing.cards import CardControls, IssuedCards, issue
from app.domain.issuing.models import Card
from tests.product import Product

VISA = "pm_card_visa"
LATER_DECLINES = "pm_card_chargeCustomerFail"


class Holder(msgspec.Struct):
    """A customer with what is linked and issued, first ones first."""

    customer: Customer
    sources: list[FundingSource]
    cards: list[Card]

    @property
    def card(self) -> Card:
        return self.cards[0]


async def holder(
    product: Product,
    *,
    email: str = "ada@example.com",
    sources: tuple[str, ...] = (VISA,),
    cards: int = 1,
    **controls: Any,
) -> Holder:
    """Make an active customer. `sources` are Stripe's test tokens; `controls` are the cards'."""
    people = StripePeople(product.parts.stripe.other, product.parts.network)
    person = Person(
        email=email,
        first_name="Ada",
        last_name="Byron",
        birth_date=date(1985, 12, 10),
        phone="+14155550100",
        address_line1="510 Townsend St",
        city="San Francisco",
        region="CA",
        postal_code="94103",
        country="US",
        terms_accepted_at=datetime(2026, 11, 1, tzinfo=UTC),
        terms_accepted_ip="203.0.113.7",
    )
    sessions = product.parts.sessions
    now = product.parts.clock.now()
    customer = await enrol(sessions, people, person, SYSTEM, now=now)
    linked = [await link_token(product, customer, token) for token in sources]
    limits = CardControls(**controls)
    network = product.parts.network
    made = [
        await issue(sessions, network, customer.id, f"Card {n}", limits, actor=SYSTEM)
        for n in range(1, cards + 1)
    ]
    return Holder(customer, linked, made)


async def link_token(product: Product, customer: Customer, token: str) -> FundingSource:
    """Save a test card at Stripe as the browser would, and link it.

    A token that cannot be saved is linked as a Visa that behaves like it from then on.
    """
    saveable = not token.startswith(("sandbox:", "pm_card_visa_chargeDeclined", "pm_card_chargeD"))
    intent = await product.call(
        "POST",
        "/v1/setup_intents",
        customer=customer.stripe_customer_id,
        payment_method=token if saveable else VISA,
        confirm="true",
        usage="off_session",
    )
    assert intent.get("status") == "succeeded", intent
    people = StripePeople(product.parts.stripe.other, product.parts.network)
    saved: str = intent["payment_method"]
    parts = product.parts
    source = await link(
        parts.sessions,
        people,
        IssuedCards(),
        customer.id,
        saved,
        actor=SYSTEM,
        now=parts.clock.now(),
    )
    if not saveable:
        await behave(product, saved, token)
    return source


async def behave(product: Product, saved: str, token: str) -> None:
    """Have a saved card behave from now on like the test card of a token."""
    await product.control(f"payment_methods/{saved}/behaves_like", {"token": token})


async def pay(
    product: Product, card: Card, amount_minor: int, merchant: str = "Blue Bottle", **more: Any
) -> dict[str, Any]:
    """Use a card at a merchant, as Stripe's test helper does; give the authorization it made."""
    form = {
        "card": card.stripe_card_id,
        "amount": amount_minor,
        "currency": "usd",
        "merchant_data[name]": merchant,
        "merchant_data[category]": "fast_food_restaurants",
        "merchant_data[country]": "US",
    }
    return await product.call("POST", "/v1/test_helpers/issuing/authorizations", **form | more)


def at(network_id: str) -> dict[str, str]:
    """Give what makes a purchase one at the merchant of a network's id."""
    return {"merchant_data[network_id]": network_id}


async def helper(product: Product, authorization: str, action: str, **form: Any) -> dict[str, Any]:
    """Capture, increment, reverse or expire an authorization, as a merchant would."""
    path = f"/v1/test_helpers/issuing/authorizations/{authorization}/{action}"
    return await product.call("POST", path, **form)


async def force_capture(product: Product, card: Card, amount_minor: int, **form: Any) -> str:
    """Have a merchant take money that nobody was asked about; give the transaction's id."""
    return await _unasked(product, card, "create_force_capture", amount_minor, **form)


async def unlinked_refund(product: Product, card: Card, amount_minor: int, **form: Any) -> str:
    """Have a merchant give money without saying for what; give the transaction's id."""
    return await _unasked(product, card, "create_unlinked_refund", amount_minor, **form)


async def _unasked(
    product: Product, card: Card, action: str, amount_minor: int, **form: Any
) -> str:
    merchant = {
        "merchant_data[name]": "Blue Bottle",
        "merchant_data[category]": "fast_food_restaurants",
    }
    made = await product.call(
        "POST",
        f"/v1/test_helpers/issuing/transactions/{action}",
        **{"card": card.stripe_card_id, "amount": amount_minor, "currency": "usd"}
        | merchant
        | form,
    )
    return str(made["id"])


async def refund(product: Product, authorization: str, amount_minor: int) -> dict[str, Any]:
    """Have a merchant give back a part of its first capture; give the transaction."""
    bought = await product.call("GET", f"/v1/issuing/authorizations/{authorization}")
    captured = next(one for one in reversed(bought["transactions"]) if one["type"] == "capture")
    path = f"/v1/test_helpers/issuing/transactions/{captured['id']}/refund"
    return await product.call("POST", path, refund_amount=amount_minor)


async def take_refund_back(product: Product, refunded: dict[str, Any]) -> None:
    """Have a merchant take a refund back, for which Stripe has no test helper."""
    await product.control(f"issuing/transactions/{refunded['id']}/reverse_refund", {})


async def intents(product: Product, customer_id: str | None) -> list[dict[str, Any]]:
    """Ask Stripe, not our tables, what is on a customer's linked cards."""
    page = await product.call("GET", "/v1/payment_intents", customer=customer_id, limit=100)
    assert not page["has_more"]
    found: list[dict[str, Any]] = page["data"]
    return found
