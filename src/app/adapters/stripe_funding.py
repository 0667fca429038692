"""What is done to charges afterwards through Stripe, in the shape the funding domain asks for."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import stripe

from app.adapters.stripe_charging import INTENTS, ChargeClient
from app.adapters.stripe_intents import facts_of, read_intent
from app.domain.funding.charges import (
    ChargeOrder,
    ChargeOutcome,
    IntentFacts,
    RefundFacts,
    RefundOrder,
)
from app.domain.funding.states import ChargeState, RefundState

REFUNDS = "/v1/refunds"
MOST_REFUND_KEYS = 10
WITH_FEE = ["latest_charge.balance_transaction"]
ENDED = [ChargeState.CAPTURED, ChargeState.REFUNDED, ChargeState.CANCELED]

# https://docs.stripe.com/api/refunds/object#refund_object-status
_REFUND_STATES = {
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}


class StripeRefund(msgspec.Struct):
    """The fields of a refund that we read."""

    id: str
    amount: int
    created: int
    status: str | None = None
    balance_transaction: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] = {}


class StripeBackOffice:
    """What repair and settlement do to charges, with time and retries."""

    def __init__(self, client: stripe.StripeClient, charging: ChargeClient) -> None:
        self.client = client
        self.charging = charging

    async def charge(self, order: ChargeOrder) -> ChargeOutcome:
        return await self.charging.send(order)

    async def intents_of(self, stripe_customer_id: str, since: datetime) -> list[IntentFacts]:
        found: list[IntentFacts] = []
        params: dict[str, Any] = {
            "customer": stripe_customer_id,
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
            "expand": ["data.latest_charge.balance_transaction"],
        }
        while True:
            page = (await self._call("get", INTENTS, **params))["data"]
            found += [facts_of(read_intent(row)) for row in page]
            if len(page) < params["limit"]:
                return found
            params["starting_after"] = page[-1]["id"]

    async def intent(self, stripe_payment_intent_id: str) -> IntentFacts:
        data = await self._call("get", f"{INTENTS}/{stripe_payment_intent_id}", expand=WITH_FEE)
        return facts_of(read_intent(data))

    async def capture(self, stripe_payment_intent_id: str, amount_minor: int) -> IntentFacts:
        return await self._step(stripe_payment_intent_id, "capture", amount_to_capture=amount_minor)

    async def cancel(self, stripe_payment_intent_id: str) -> IntentFacts:
        return await self._step(stripe_payment_intent_id, "cancel")

    async def refund(self, order: RefundOrder) -> RefundFacts:
        for number in range(1, MOST_REFUND_KEYS + 1):
            found = await self._refund_of(order)
            if found is not None:
                return found
            try:
                data = await self._call(
                    "post",
                    REFUNDS,
                    idempotency_key=f"{order.key}:{number}",
                    payment_intent=order.stripe_payment_intent_id,
                    amount=order.amount_minor,
                    metadata={"refund": order.refund},
                )
            except stripe.APIError as error:
                # Only a failure that is repeated is over; the next key cannot refund twice then.
                if not _is_repeated(error) or number == MOST_REFUND_KEYS:
                    raise
            else:
                return refund_facts(data)
        raise AssertionError("the last key either refunds or raises")

    async def refund_facts(self, stripe_refund_id: str) -> RefundFacts:
        return refund_facts(await self._call("get", f"{REFUNDS}/{stripe_refund_id}"))

    async def _refund_of(self, order: RefundOrder) -> RefundFacts | None:
        """Find a refund by our record's name in Stripe's list, whatever we remember of it."""
        page = await self._call(
            "get", REFUNDS, payment_intent=order.stripe_payment_intent_id, limit=100
        )
        ours = (r for r in page["data"] if (r["metadata"] or {}).get("refund") == order.refund)
        return next((refund_facts(row) for row in ours), None)

    async def _step(self, intent_id: str, step: str, **params: Any) -> IntentFacts:
        """Take a step that an intent allows once; where it has ended before, tell how it stands.

        No key of ours goes with it: Stripe would repeat a failure under that key for a day, and the
        intent's own state keeps the step from happening twice.
        """
        path = f"{INTENTS}/{intent_id}/{step}"
        try:
            data = await self._call("post", path, expand=WITH_FEE, **params)
        except stripe.InvalidRequestError:
            facts = await self.intent(intent_id)
            if facts.state not in ENDED:
                raise
            return facts
        return facts_of(read_intent(data))

    async def _call(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        response = await self.client.raw_request_async(method, path, **params)
        return dict(response.data)


def refund_facts(data: dict[str, Any]) -> RefundFacts:
    told = msgspec.convert(data, StripeRefund)
    return RefundFacts(
        told.id,
        _REFUND_STATES.get(told.status or "", RefundState.PENDING),
        told.amount,
        told.balance_transaction,
        told.failure_reason,
        datetime.fromtimestamp(told.created, UTC),
    )


def _is_repeated(error: stripe.APIError) -> bool:
    """Say whether Stripe repeats the first answer to a key, which it keeps even of a failure.

    Source: https://docs.stripe.com/api/idempotent_requests
    """
    return (error.headers or {}).get("idempotent-replayed") == "true"
