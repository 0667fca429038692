"""Every event we act on. An event whose type is not here is stored, and there is nothing to do."""

from collections.abc import Mapping

from app.adapters.stripe_issuing import read_transaction, transaction_facts
from app.domain.issuing.settle import Settler
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.webhooks.inbox import Handler
from app.webhooks.models import InboundEvent


def handlers(settler: Settler, unlinked: UnlinkedTransactions) -> Mapping[str, Handler]:
    """Give what to do by event type: look at Stripe's object again, and settle its purchase."""

    async def authorization(event: InboundEvent) -> None:
        assert event.object_id is not None
        await settler.settle(event.object_id)

    async def transaction(event: InboundEvent) -> None:
        named = event.payload.get("authorization")
        if named is None:
            await unlinked.keep(transaction_facts(read_transaction(event.payload)))
        else:
            await settler.settle(named if isinstance(named, str) else named["id"])

    return {
        "issuing_authorization.created": authorization,
        "issuing_authorization.updated": authorization,
        "issuing_transaction.created": transaction,
        "issuing_transaction.updated": transaction,
    }
