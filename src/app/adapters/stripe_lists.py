"""Stripe's lists of what we have there, page by page, in the shapes the domain asks for."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import stripe

from app.adapters.stripe_charging import INTENTS
from app.adapters.stripe_funding import REFUNDS, refund_facts
from app.adapters.stripe_intents import facts_of, read_intent
from app.adapters.stripe_issuing import (
    AUTHORIZATIONS,
    TRANSACTIONS,
    StripeAuthorization,
    authorization_facts,
    read_transaction,
    transaction_facts,
)
from app.domain.funding.charges import IntentFacts, RefundFacts
from app.domain.issuing.card_network import AuthorizationFacts, TransactionFacts

EVENTS = "/v1/events"
PAGE = 100
MOST_TYPES = 20
WITH_FEE = "data.latest_charge.balance_transaction"
_NO_SUCH_THING = 404


class StripeLists:
    """A `StripeRecords` of the reconciliation, and what the sweeps read."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def authorizations(
        self, since: datetime, *, pending_only: bool = False
    ) -> AsyncIterator[AuthorizationFacts]:
        only = {"status": "pending"} if pending_only else {}
        async for row in self._rows(AUTHORIZATIONS, since, **only):
            yield authorization_facts(msgspec.convert(row, StripeAuthorization))

    async def transactions(self, since: datetime) -> AsyncIterator[TransactionFacts]:
        async for row in self._rows(TRANSACTIONS, since):
            yield transaction_facts(read_transaction(row))

    async def intents(self, since: datetime) -> AsyncIterator[IntentFacts]:
        """Give the PaymentIntents that are ours: those that name an authorization."""
        async for row in self._rows(INTENTS, since, expand=[WITH_FEE]):
            facts = facts_of(read_intent(row))
            if facts.authorization is not None:
                yield facts

    async def refunds(self, since: datetime) -> AsyncIterator[RefundFacts]:
        """Give the refunds that are ours: those that name our record."""
        async for row in self._rows(REFUNDS, since):
            if "refund" in (row.get("metadata") or {}):
                yield refund_facts(row)

    async def intent(self, stripe_payment_intent_id: str) -> IntentFacts | None:
        path = f"{INTENTS}/{stripe_payment_intent_id}"
        row = await self._found(path, expand=["latest_charge.balance_transaction"])
        return facts_of(read_intent(row)) if row else None

    async def refund(self, stripe_refund_id: str) -> RefundFacts | None:
        row = await self._found(f"{REFUNDS}/{stripe_refund_id}")
        return refund_facts(row) if row else None

    async def events(self, since: datetime, types: Sequence[str]) -> AsyncIterator[bytes]:
        """Give the events of some types as JSON, newest first: Stripe has those of thirty days.

        Source: https://docs.stripe.com/api/events/list
        """
        for start in range(0, len(types), MOST_TYPES):
            some = list(types[start : start + MOST_TYPES])
            async for row in self._rows(EVENTS, since, types=some):
                yield json.dumps(row).encode()

    async def _rows(
        self, path: str, since: datetime, **params: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Give a whole list, newest first. What is made meanwhile is not in it."""
        created = {"gte": int(since.timestamp())}
        after: dict[str, Any] = {}
        while True:
            response = await self.client.raw_request_async(
                "get", path, created=created, limit=PAGE, **params, **after
            )
            page: list[dict[str, Any]] = response.data["data"]
            for row in page:
                yield row
            if not response.data["has_more"]:
                return
            after = {"starting_after": page[-1]["id"]}

    async def _found(self, path: str, **params: Any) -> dict[str, Any] | None:
        try:
            return dict((await self.client.raw_request_async("get", path, **params)).data)
        except stripe.InvalidRequestError as error:
            if error.http_status == _NO_SUCH_THING:
                return None
            raise
