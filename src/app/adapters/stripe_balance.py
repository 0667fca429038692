"""Stripe's record of our money, in the shape the funding domain asks for."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import stripe

from app.domain.funding.balance import BalanceFacts, StripeBalances

TRANSACTIONS = "/v1/balance_transactions"
PAGE = 100


class StripeBalanceTransaction(msgspec.Struct):
    """The fields of a balance transaction that we read."""

    id: str
    type: str
    amount: int
    fee: int
    net: int
    currency: str
    created: int
    available_on: int
    balance_type: str = "payments"
    source: str | None = None


class Amount(msgspec.Struct, frozen=True):
    amount: int
    currency: str


class IssuingBalance(msgspec.Struct, frozen=True):
    available: list[Amount] = []


class Balance(msgspec.Struct, frozen=True):
    """The fields of the balance that we read: https://docs.stripe.com/api/balance."""

    available: list[Amount]
    pending: list[Amount]
    issuing: IssuingBalance = IssuingBalance()


class StripeBalanceFeed:
    """A `BalanceFeed`."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def transactions_since(self, moment: datetime) -> list[BalanceFacts]:
        found: list[BalanceFacts] = []
        after: dict[str, Any] = {}
        while True:
            response = await self.client.raw_request_async(
                "get",
                TRANSACTIONS,
                created={"gte": int(moment.timestamp())},
                limit=PAGE,
                **after,
            )
            page = response.data["data"]
            found += [_facts(msgspec.convert(row, StripeBalanceTransaction)) for row in page]
            if len(page) < PAGE:
                return found[::-1]
            after = {"starting_after": page[-1]["id"]}

    async def balances(self, currency: str) -> StripeBalances:
        response = await self.client.raw_request_async("get", "/v1/balance")
        told = msgspec.convert(response.data, Balance)
        return StripeBalances(
            _sum(told.available, currency),
            _sum(told.pending, currency),
            _sum(told.issuing.available, currency),
        )


def _facts(told: StripeBalanceTransaction) -> BalanceFacts:
    return BalanceFacts(
        id=told.id,
        balance_type=told.balance_type,
        type=told.type,
        amount_minor=told.amount,
        fee_minor=told.fee,
        net_minor=told.net,
        currency=told.currency,
        source=told.source,
        occurred_at=datetime.fromtimestamp(told.created, UTC),
        available_at=datetime.fromtimestamp(told.available_on, UTC),
    )


def _sum(amounts: list[Amount], currency: str) -> int:
    return sum(one.amount for one in amounts if one.currency == currency)
