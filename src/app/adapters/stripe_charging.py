"""The one call a decision makes: a PaymentIntent on a linked card, sent and read by hand.

Stripe's library takes twice as long around this call as the call itself; its transport is kept, and
what it does for every kind of request is done here for this one only.
"""

import asyncio
import re
from http import HTTPStatus
from urllib.parse import quote_plus

import msgspec
import stripe
import structlog

from app.adapters.stripe_intents import StripeError, StripeIntent, outcome_of
from app.config import STRIPE_VERSION
from app.domain.funding.charges import ChargeOrder, ChargeOutcome
from app.domain.funding.states import ChargeState, FundingMode

log = structlog.get_logger()

INTENTS = "/v1/payment_intents"
_LONGEST_SUFFIX = 22
_CAPTURE_METHODS = {FundingMode.HOLD: "manual", FundingMode.CHARGE: "automatic"}
_OFF_SESSION = (
    "allowed_payment_method_types[0]=card&confirm=true&off_session=true"
    "&error_on_requires_action=true&expand[0]=latest_charge"
)


class _Refusal(msgspec.Struct):
    error: StripeError


class ChargeClient:
    """Speaks to Stripe about charges: where it is, and with which key."""

    def __init__(self, http: stripe.AIOHTTPClient, api_base: str, secret_key: str) -> None:
        self.http = http
        self.url = api_base + INTENTS
        self.headers = {
            "Authorization": f"Bearer {secret_key}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Stripe-Version": STRIPE_VERSION,
            "User-Agent": f"Stripe/v1 PythonBindings/{stripe.VERSION}",
        }

    async def send(self, order: ChargeOrder) -> ChargeOutcome:
        """Send an order once. Never raises: what is not a clear yes or no is UNKNOWN."""
        headers = self.headers | {"Idempotency-Key": order.key}
        try:
            content, status, _ = await self.http.request_async(
                "post", self.url, headers, _form(order)
            )
            return _outcome(status, content)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, it proves neither yes nor no
            return ChargeOutcome(ChargeState.UNKNOWN, detail=type(error).__name__)


class StripeFunding:
    """The decision's way to charge: one call, its own time limit, no retry."""

    def __init__(self, client: ChargeClient) -> None:
        self.client = client

    async def charge(self, order: ChargeOrder, *, timeout_seconds: float) -> ChargeOutcome:
        """Put the amount on the card. Never raises: what is not known is UNKNOWN."""
        try:
            async with asyncio.timeout(timeout_seconds):
                outcome = await self.client.send(order)
        except TimeoutError:
            return ChargeOutcome(ChargeState.UNKNOWN, detail="no answer in time")
        if order.mode is FundingMode.HOLD and outcome.state is ChargeState.CAPTURED:
            log.error("captured_though_held", authorization=order.authorization)
        return outcome


def _form(order: ChargeOrder) -> str:
    """Write the order as Stripe reads forms: https://docs.stripe.com/api/payment_intents/create."""
    return (
        f"amount={order.amount_minor}&currency={order.currency}"
        f"&customer={quote_plus(order.stripe_customer_id)}"
        f"&payment_method={quote_plus(order.stripe_payment_method_id)}&{_OFF_SESSION}"
        f"&capture_method={_CAPTURE_METHODS[order.mode]}"
        f"&statement_descriptor_suffix={quote_plus(statement_suffix(order.merchant_name))}"
        f"&metadata[authorization]={quote_plus(order.authorization)}"
        f"&metadata[request]={quote_plus(order.request)}&metadata[attempt]={order.attempt}"
    )


def _outcome(status: int, content: bytes) -> ChargeOutcome:
    """Read what Stripe answered. Only its own words count, not a page of something in between.

    It refuses all but a card's decline before anything runs:
    https://docs.stripe.com/error-low-level
    """
    if status == HTTPStatus.OK:
        return outcome_of(msgspec.json.decode(content, type=StripeIntent))
    told = msgspec.json.decode(content, type=_Refusal).error
    match status:
        case HTTPStatus.PAYMENT_REQUIRED:
            return _declined(told)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _refused("rate_limited", status)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.NOT_FOUND if told.type == "invalid_request_error":
            # A card that was detached; Stripe names no parameter then. The next one may still pay.
            of_card = told.param in {None, "payment_method"}
            return _refused("payment_method_unusable" if of_card else "request_refused", status)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return _refused("request_refused", status)
        case _:
            return ChargeOutcome(ChargeState.UNKNOWN, detail=f"HTTP {status}")


def _declined(told: StripeError) -> ChargeOutcome:
    intent = told.payment_intent
    return ChargeOutcome(
        ChargeState.DECLINED,
        stripe_payment_intent_id=intent.id if intent else None,
        stripe_charge_id=told.charge,
        decline_code=told.decline_code or told.code or "card_declined",
        advice_code=told.advice_code,
    )


def _refused(code: str, status: int) -> ChargeOutcome:
    return ChargeOutcome(ChargeState.DECLINED, decline_code=code, detail=f"HTTP {status}")


def statement_suffix(merchant_name: str) -> str:
    """Give the merchant's name as a bank statement takes it: plain letters, 22 at most.

    Source: https://docs.stripe.com/get-started/account/statement-descriptors#requirements
    """
    plain = re.sub(r"[^A-Za-z0-9 .&-]", "", merchant_name).strip()[:_LONGEST_SUFFIX].strip()
    return plain if re.search("[A-Za-z]", plain) else "PURCHASE"
