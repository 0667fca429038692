"""Charging linked cards through Stripe, in the shape the funding domain asks for."""

import asyncio
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

import stripe

from app.adapters.stripe_intents import (
    StripeError,
    facts_of,
    outcome_of,
    read_intent,
)
from app.domain.funding.charges import ChargeOrder, ChargeOutcome, IntentFacts
from app.domain.funding.states import ChargeState, FundingMode

INTENTS = "/v1/payment_intents"
MOST_REFUND_KEYS = 10
_LONGEST_SUFFIX = 22
_CAPTURE_METHODS = {FundingMode.HOLD: "manual", FundingMode.CHARGE: "automatic"}


class StripeFunding:
    """The decision's way to charge: one call, its own time limit, no retry."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def charge(self, order: ChargeOrder, *, timeout_seconds: float) -> ChargeOutcome:
        """Put the amount on the card. Never raises: what is not known is UNKNOWN."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await _charge(self.client, order)
        except TimeoutError:
            return ChargeOutcome(ChargeState.UNKNOWN, detail="no answer in time")


class StripeBackOffice:
    """What repair and settlement do to charges, with time and retries."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def charge(self, order: ChargeOrder) -> ChargeOutcome:
        return await _charge(self.client, order)

    async def intents_of(self, stripe_customer_id: str, since: datetime) -> list[IntentFacts]:
        found: list[IntentFacts] = []
        params: dict[str, Any] = {
            "customer": stripe_customer_id,
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
            "expand": ["data.latest_charge"],
        }
        while True:
            page = (await self._call("get", INTENTS, **params))["data"]
            found += [facts_of(read_intent(row)) for row in page]
            if len(page) < params["limit"]:
                return found
            params["starting_after"] = page[-1]["id"]

    async def intent(self, stripe_payment_intent_id: str) -> IntentFacts:
        data = await self._call(
            "get", f"{INTENTS}/{stripe_payment_intent_id}", expand=["latest_charge"]
        )
        return facts_of(read_intent(data))

    async def capture(self, stripe_payment_intent_id: str, amount_minor: int) -> IntentFacts:
        taken = [ChargeState.CAPTURED, ChargeState.REFUNDED]
        return await self._step(
            stripe_payment_intent_id, "capture", taken, amount_to_capture=amount_minor
        )

    async def cancel(self, stripe_payment_intent_id: str) -> IntentFacts:
        return await self._step(stripe_payment_intent_id, "cancel", [ChargeState.CANCELED])

    async def refund(self, stripe_payment_intent_id: str, total_minor: int) -> IntentFacts:
        for number in range(1, MOST_REFUND_KEYS + 1):
            facts = await self.intent(stripe_payment_intent_id)
            missing = total_minor - facts.refunded_minor
            if missing <= 0:
                return facts
            try:
                await self._call(
                    "post",
                    "/v1/refunds",
                    idempotency_key=f"refund:{stripe_payment_intent_id}:{total_minor}:{number}",
                    payment_intent=stripe_payment_intent_id,
                    amount=missing,
                )
            except stripe.APIError as error:
                # Only a failure that is repeated is over; the next key cannot refund twice then.
                if not _is_repeated(error) or number == MOST_REFUND_KEYS:
                    raise
            else:
                break
        return await self.intent(stripe_payment_intent_id)

    async def _step(
        self, intent_id: str, step: str, reached: Collection[ChargeState], **params: Any
    ) -> IntentFacts:
        """Take a step that an intent allows once; where it was taken before, tell how it stands.

        No key of ours goes with it: Stripe would repeat a failure under that key for a day, and the
        intent's own state keeps the step from happening twice.
        """
        path = f"{INTENTS}/{intent_id}/{step}"
        try:
            data = await self._call("post", path, expand=["latest_charge"], **params)
        except stripe.InvalidRequestError:
            facts = await self.intent(intent_id)
            if facts.state not in reached:
                raise
            return facts
        return facts_of(read_intent(data))

    async def _call(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        response = await self.client.raw_request_async(method, path, **params)
        return dict(response.data)


async def _charge(client: stripe.StripeClient, order: ChargeOrder) -> ChargeOutcome:
    try:
        return await _send(client, order)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, it proves neither yes nor no
        return ChargeOutcome(ChargeState.UNKNOWN, detail=_named(error))


async def _send(client: stripe.StripeClient, order: ChargeOrder) -> ChargeOutcome:
    try:
        response = await client.raw_request_async("post", INTENTS, **_parameters(order))
    except stripe.CardError as error:
        return _declined(error)
    except stripe.RateLimitError as error:
        return _refused("rate_limited", error)
    except (
        stripe.InvalidRequestError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    ) as error:
        return _refused("request_refused", error)
    return outcome_of(read_intent(response.data))


def _is_repeated(error: stripe.APIError) -> bool:
    """Say whether Stripe repeats the first answer to a key, which it keeps even of a failure.

    Source: https://docs.stripe.com/api/idempotent_requests
    """
    return (error.headers or {}).get("idempotent-replayed") == "true"


def _refused(code: str, error: stripe.StripeError) -> ChargeOutcome:
    """Stripe refuses these before anything runs: https://docs.stripe.com/error-low-level."""
    return ChargeOutcome(ChargeState.DECLINED, decline_code=code, detail=_named(error))


def _parameters(order: ChargeOrder) -> dict[str, Any]:
    return {
        "idempotency_key": order.key,
        "amount": order.amount_minor,
        "currency": order.currency.value,
        "customer": order.stripe_customer_id,
        "payment_method": order.stripe_payment_method_id,
        "allowed_payment_method_types": ["card"],
        "confirm": True,
        "off_session": True,
        "error_on_requires_action": True,
        "capture_method": _CAPTURE_METHODS[order.mode],
        "statement_descriptor_suffix": statement_suffix(order.merchant_name),
        "metadata": {
            "authorization": order.authorization,
            "request": order.request,
            "attempt": str(order.attempt),
        },
    }


def statement_suffix(merchant_name: str) -> str:
    """Give the merchant's name as a bank statement takes it: plain letters, 22 at most.

    Source: https://docs.stripe.com/get-started/account/statement-descriptors#requirements
    """
    plain = re.sub(r"[^A-Za-z0-9 .&-]", "", merchant_name).strip()[:_LONGEST_SUFFIX].strip()
    return plain if re.search("[A-Za-z]", plain) else "PURCHASE"


def _declined(error: stripe.CardError) -> ChargeOutcome:
    body: Any = error.json_body
    told = _read_error(body)
    intent = told.payment_intent
    return ChargeOutcome(
        ChargeState.DECLINED,
        stripe_payment_intent_id=intent.id if intent else None,
        stripe_charge_id=told.charge,
        decline_code=told.decline_code or told.code or "card_declined",
        advice_code=told.advice_code,
    )


def _read_error(body: Any) -> StripeError:
    error = body.get("error", {}) if isinstance(body, dict) else {}
    intent = error.get("payment_intent")
    return StripeError(
        type=error.get("type") or "",
        code=error.get("code"),
        decline_code=error.get("decline_code"),
        advice_code=error.get("advice_code"),
        charge=error.get("charge"),
        payment_intent=read_intent(intent) if isinstance(intent, dict) else None,
    )


def _named(error: Exception) -> str:
    status = getattr(error, "http_status", None)
    return f"{type(error).__name__} {status}" if status else type(error).__name__
