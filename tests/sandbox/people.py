"""A cardholder, cards and purchases, through Stripe's own client."""

from typing import Any

from stripe import issuing

from tests.sandbox.serving import Running

ADDRESS = {
    "line1": "1 Market St",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94105",
    "country": "US",
}
ADA: Any = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "phone_number": "+18005550199",
    "type": "individual",
    "billing": {"address": ADDRESS},
    "individual": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "dob": {"day": 10, "month": 12, "year": 1990},
        "card_issuing": {"user_terms_acceptance": {"date": 1760000000, "ip": "127.0.0.1"}},
    },
}


async def cardholder(sandbox: Running, **changes: Any) -> issuing.Cardholder:
    params: Any = {**ADA, **changes}
    return await sandbox.stripe.v1.issuing.cardholders.create_async(params)


async def card(sandbox: Running, **changes: Any) -> issuing.Card:
    """An active virtual card; of a new cardholder unless one is given."""
    holder = changes.pop("cardholder", None) or (await cardholder(sandbox)).id
    usual = {"cardholder": holder, "currency": "usd", "type": "virtual", "status": "active"}
    params: Any = {**usual, **changes}
    return await sandbox.stripe.v1.issuing.cards.create_async(params)


async def pay(
    sandbox: Running, card: issuing.Card, amount: int = 1999, **more: Any
) -> issuing.Authorization:
    """A merchant asks a card for money."""
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations
    params: Any = {"card": card.id, "amount": amount, **more}
    return await helper.create_async(params)
