"""Stripe Issuing, in the shape the issuing domain asks for."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import stripe

from app.domain.issuing.card_network import (
    AuthorizationFacts,
    CardholderOrder,
    CardOrder,
    CardWish,
    IssuedCard,
    Movement,
    RequestFacts,
    TransactionFacts,
)
from app.domain.issuing.merchant_names import NAMELESS
from app.domain.issuing.states import AuthorizationState, TransactionKind

AUTHORIZATIONS = "/v1/issuing/authorizations"
TRANSACTIONS = "/v1/issuing/transactions"
_NO_SUCH_THING = 404


class Reference(msgspec.Struct):
    id: str


class Merchant(msgspec.Struct):
    category: str = ""
    name: str | None = None
    country: str | None = None
    city: str | None = None
    network_id: str | None = None


class Transaction(msgspec.Struct):
    """The fields of an issuing.transaction that we read."""

    id: str
    type: str
    amount: int
    currency: str
    created: int
    card: str | Reference
    merchant_data: Merchant
    authorization: str | Reference | None = None


class PastRequest(msgspec.Struct):
    approved: bool
    reason: str
    amount: int
    created: int


class BalanceMovement(msgspec.Struct):
    """The fields of a hold's or a release's balance transaction that we read."""

    id: str
    amount: int
    created: int


class StripeAuthorization(msgspec.Struct):
    """The fields of an issuing.authorization that we read."""

    id: str
    status: str
    approved: bool
    amount: int
    currency: str
    created: int
    card: Reference
    merchant_data: Merchant
    request_history: list[PastRequest]
    transactions: list[Transaction]
    balance_transactions: list[BalanceMovement] = []


class StripeCardNetwork:
    """A `CardNetwork`."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def authorization(self, stripe_authorization_id: str) -> AuthorizationFacts | None:
        data = await self._found(f"{AUTHORIZATIONS}/{stripe_authorization_id}")
        return authorization_facts(msgspec.convert(data, StripeAuthorization)) if data else None

    async def transaction(self, stripe_transaction_id: str) -> TransactionFacts | None:
        data = await self._found(f"{TRANSACTIONS}/{stripe_transaction_id}")
        return transaction_facts(read_transaction(data)) if data else None

    async def _found(self, path: str) -> dict[str, Any] | None:
        try:
            return dict((await self.client.raw_request_async("get", path)).data)
        except stripe.InvalidRequestError as error:
            if error.http_status == _NO_SUCH_THING:
                return None
            raise

    async def create_cardholder(self, order: CardholderOrder) -> str:
        response = await self.client.raw_request_async(
            "post", "/v1/issuing/cardholders", idempotency_key=order.key, **_cardholder(order)
        )
        return str(response.data["id"])

    async def create_card(self, order: CardOrder) -> IssuedCard:
        replaced = {}
        if order.replacement_for is not None:
            replaced = {
                "replacement_for": order.replacement_for,
                "replacement_reason": order.replacement_reason,
            }
        response = await self.client.raw_request_async(
            "post",
            "/v1/issuing/cards",
            idempotency_key=order.key,
            cardholder=order.cardholder,
            currency=order.currency,
            type="virtual",
            status="active" if order.active else "inactive",
            spending_controls={"spending_limits": _limits(order)},
            **replaced,
        )
        return msgspec.convert(response.data, IssuedCard)

    async def change_card(self, key: str, stripe_card_id: str, wish: CardWish) -> None:
        wanted: dict[str, Any] = {"status": wish.status}
        if wish.lost:
            wanted["cancellation_reason"] = "lost"
        if wish.status != "canceled":
            wanted["spending_controls"] = {"spending_limits": _limits(wish)}
        path = f"/v1/issuing/cards/{stripe_card_id}"
        try:
            await self.client.raw_request_async("post", path, idempotency_key=key, **wanted)
        except stripe.InvalidRequestError:
            # What is canceled stays so; only somebody in Stripe's dashboard can have been faster.
            found = await self._found(path)
            if found is None or found["status"] != wish.status or wish.status != "canceled":
                raise

    async def change_cardholder(self, key: str, stripe_cardholder_id: str, *, active: bool) -> None:
        path = f"/v1/issuing/cardholders/{stripe_cardholder_id}"
        status = "active" if active else "inactive"
        await self.client.raw_request_async("post", path, idempotency_key=key, status=status)


def _limits(wanted: CardOrder | CardWish) -> list[dict[str, Any]]:
    limits: list[dict[str, Any]] = [
        {"amount": wanted.daily_limit_minor, "interval": "daily"},
        {"amount": wanted.monthly_limit_minor, "interval": "monthly"},
    ]
    if wanted.purchase_limit_minor is not None:
        limits.append({"amount": wanted.purchase_limit_minor, "interval": "per_authorization"})
    return limits


def authorization_facts(told: StripeAuthorization) -> AuthorizationFacts:
    """Read Stripe's object into ours; requests and transactions in the order they happened."""
    merchant = told.merchant_data
    requests = sorted(told.request_history, key=lambda request: request.created)
    # Stripe gives the newest first, and times in whole seconds.
    oldest_first = told.transactions[::-1]
    transactions = sorted(oldest_first, key=lambda transaction: transaction.created)
    return AuthorizationFacts(
        id=told.id,
        card=told.card.id,
        state=_state(told.status),
        approved=told.approved,
        amount_minor=told.amount,
        currency=told.currency,
        occurred_at=_moment(told.created),
        merchant_name=_text(merchant.name) or NAMELESS,
        merchant_category=merchant.category,
        merchant_country=_text(merchant.country),
        merchant_city=_text(merchant.city),
        merchant_network_id=_text(merchant.network_id),
        requests=[RequestFacts(r.approved, r.reason, r.amount) for r in requests],
        transactions=[transaction_facts(transaction) for transaction in transactions],
        movements=[
            Movement(moved.id, moved.amount, _moment(moved.created))
            for moved in sorted(told.balance_transactions, key=lambda moved: moved.created)
        ],
    )


def _state(status: str) -> AuthorizationState:
    """Read a status. One that Stripe adds later ends nothing, and so nothing is settled by it."""
    known = status in {state.value for state in AuthorizationState}
    return AuthorizationState(status) if known else AuthorizationState.PENDING


def read_transaction(data: dict[str, Any]) -> Transaction:
    return msgspec.convert(data, Transaction)


def transaction_facts(told: Transaction) -> TransactionFacts:
    return TransactionFacts(
        id=told.id,
        kind=TransactionKind(told.type),
        amount_minor=told.amount,
        currency=told.currency,
        occurred_at=_moment(told.created),
        merchant_name=_text(told.merchant_data.name) or NAMELESS,
        card=_id(told.card),
        authorization=_id(told.authorization) if told.authorization else None,
        merchant_category=told.merchant_data.category,
        merchant_country=_text(told.merchant_data.country),
        merchant_city=_text(told.merchant_data.city),
        merchant_network_id=_text(told.merchant_data.network_id),
    )


def _id(reference: str | Reference) -> str:
    return reference if isinstance(reference, str) else reference.id


def _text(text: str | None) -> str | None:
    """Drop what a page or a database text cannot hold from somebody else's text."""
    if text is None:
        return None
    return "".join(c for c in text[:200] if c.isprintable()).strip() or None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _cardholder(order: CardholderOrder) -> dict[str, Any]:
    address = {
        "line1": order.address_line1,
        "line2": order.address_line2,
        "city": order.city,
        "state": order.region,
        "postal_code": order.postal_code,
        "country": order.country,
    }
    born = order.birth_date
    accepted = {"date": int(order.terms_accepted_at.timestamp()), "ip": order.terms_accepted_ip}
    return {
        "type": "individual",
        "name": f"{order.first_name} {order.last_name}"[:24],
        "email": order.email,
        "phone_number": order.phone,
        "billing": {"address": {k: v for k, v in address.items() if v is not None}},
        "individual": {
            "first_name": order.first_name,
            "last_name": order.last_name,
            "dob": {"day": born.day, "month": born.month, "year": born.year},
            "card_issuing": {"user_terms_acceptance": accepted},
        },
    }
