"""Every event we act on. An event whose type is not here is stored, and there is nothing to do."""

from collections.abc import Mapping
from typing import Any

from app.adapters.stripe_issuing import read_transaction, transaction_facts
from app.domain.issuing.lookups import purchase_of_intent, purchase_of_payment
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.jobs.linking_jobs import linking_handlers
from app.parts import Parts
from app.webhooks.inbox import Handler
from app.webhooks.models import InboundEvent


def handlers(parts: Parts) -> Mapping[str, Handler]:
    """Give what to do by event type."""
    return {**_settling(parts), **linking_handlers(parts)}


def _settling(parts: Parts) -> Mapping[str, Handler]:
    """Look at Stripe's object again, and settle its purchase.

    An event only says that something changed. What is done follows from what Stripe has now, so an
    older event that comes after a newer one changes nothing.
    """
    sessions, settler = parts.sessions, parts.settler
    unlinked = UnlinkedTransactions(sessions, settler)

    async def authorization(event: InboundEvent) -> None:
        assert event.object_id is not None
        await settler.settle(event.object_id, told_at=event.created_at)

    async def transaction(event: InboundEvent) -> None:
        named = event.payload.get("authorization")
        if named is None:
            await unlinked.handle(transaction_facts(read_transaction(event.payload)))
        else:
            purchase = named if isinstance(named, str) else named["id"]
            await settler.settle(purchase, told_at=event.created_at)

    async def funding(event: InboundEvent) -> None:
        intent = _intent_of(event.payload)
        if intent is None:
            return
        async with sessions() as session:
            purchase = await purchase_of_intent(session, intent)
        if purchase is not None:
            await settler.settle(purchase, intent=intent)

    async def confirmed(event: InboundEvent) -> None:
        """A customer has paid a debt, or the bank has refused it, and the page may be closed."""
        assert event.object_id is not None
        async with sessions() as session:
            purchase = await purchase_of_payment(session, event.object_id)
        if purchase is not None:
            await settler.settle(purchase)

    return {
        "issuing_authorization.created": authorization,
        "issuing_authorization.updated": authorization,
        "issuing_transaction.created": transaction,
        "issuing_transaction.updated": transaction,
        # A hold that lapsed or was released; a fee that is booked only now.
        "payment_intent.canceled": funding,
        "charge.updated": funding,
        "charge.expired": funding,
        "payment_intent.succeeded": confirmed,
        "payment_intent.payment_failed": confirmed,
        # What goes back to a card: on its way, arrived, or sent back by the bank.
        "charge.refund.updated": funding,
        "refund.updated": funding,
        "refund.failed": funding,
    }


def _intent_of(payload: dict[str, Any]) -> str | None:
    """Give the PaymentIntent that a PaymentIntent, a charge or a refund is about."""
    if payload.get("object") == "payment_intent":
        return str(payload["id"])
    named = payload.get("payment_intent")
    if isinstance(named, dict):
        named = named.get("id")
    return named if isinstance(named, str) else None
