"""Faults of the sandbox: armed before a purchase, and proved to have fired after it."""

from typing import Any

from tests.product import Product

INTENTS = "/v1/payment_intents"


async def arm(product: Product, action: str, path: str = INTENTS, **more: Any) -> None:
    """Have the next POST to one of Stripe's addresses go wrong, once unless `times` says more."""
    method = more.pop("method", "POST")
    fault = {"method": method, "path": path, "action": action} | more
    await product.control("faults", fault)


async def fired(product: Product) -> list[int]:
    """Give how often each armed fault has fired, in the order they were armed."""
    response = await product.stripe.get("/_sandbox/faults")
    return [fault["fired"] for fault in response.json()["data"]]


async def answer_to(product: Product, authorization: str) -> dict[str, Any]:
    """Give what the sandbox saw of our last answer: how long it took, and what it made of it."""
    response = await product.stripe.get(
        "/_sandbox/deliveries",
        params={"type": "issuing_authorization.request", "object_id": authorization},
    )
    found: dict[str, Any] = response.json()["data"][0]
    return found


async def reason_of(product: Product, authorization: str) -> str | None:
    """Give the reason staff see for the last request of a purchase; None when it was approved."""
    rows = await product.rows(
        "SELECT r.reason FROM authorization_request AS r"
        " JOIN card_authorization AS a ON a.id = r.authorization_id"
        " WHERE a.stripe_authorization_id = :name ORDER BY r.ordinal DESC LIMIT 1",
        name=authorization,
    )
    reason: str | None = rows[0]["reason"]
    return reason
