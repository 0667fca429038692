"""Our account at Stripe as the watch and the doctor look at it: reads only, and quick ones."""

from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
import stripe

T = TypeVar("T")


class Amount(msgspec.Struct):
    amount: int
    currency: str


class IssuingBalance(msgspec.Struct):
    available: list[Amount]


class Balance(msgspec.Struct):
    """https://docs.stripe.com/api/balance/balance_object. No `issuing`: the account has none."""

    livemode: bool
    issuing: IssuingBalance | None = None

    def issuing_minor(self, currency: str = "usd") -> int | None:
        """Give what cards can spend, in minor units; None where Issuing is not enabled."""
        if self.issuing is None:
            return None
        return sum(part.amount for part in self.issuing.available if part.currency == currency)


class Endpoint(msgspec.Struct):
    """https://docs.stripe.com/api/webhook_endpoints/object."""

    id: str
    url: str
    status: str
    enabled_events: list[str]
    api_version: str | None = None


class PastRequest(msgspec.Struct):
    """https://docs.stripe.com/api/issuing/authorizations/object, `request_history`."""

    approved: bool
    reason: str
    created: int


class PastAuthorization(msgspec.Struct):
    id: str
    request_history: list[PastRequest]


class PastEvent(msgspec.Struct):
    """https://docs.stripe.com/api/events/object."""

    created: int


class Page(msgspec.Struct):
    data: list[dict[str, Any]]


class Answered(msgspec.Struct):
    """The balance, and how far Stripe's clock was from ours when it answered, in seconds."""

    balance: Balance
    clock_skew: float | None


class StripeAccount:
    """Reads the account without trying twice. Raises what Stripe's own client raises."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def balance(self) -> Answered:
        """Read the balance: the cheapest call that needs all of Stripe."""
        asked = datetime.now(UTC)
        found = await self._get("/v1/balance")
        heard = datetime.now(UTC)
        skew = _skew(found.headers.get("date"), asked, heard)
        return Answered(msgspec.convert(found.data, Balance), skew)

    async def endpoints(self) -> list[Endpoint]:
        found = await self._get("/v1/webhook_endpoints", limit=100)
        return msgspec.convert(_page(found), list[Endpoint])

    async def latest_authorizations(self, most: int) -> list[PastAuthorization]:
        """Give the latest purchases with what was answered to each question, newest first."""
        found = await self._get("/v1/issuing/authorizations", limit=most)
        return msgspec.convert(_page(found), list[PastAuthorization])

    async def undelivered(self, types: Collection[str], before: datetime, most: int) -> int:
        """Count events from before a moment that an endpoint should have taken and has not.

        Source: https://docs.stripe.com/api/events/list, `delivery_success`
        """
        found = await self._get(
            "/v1/events",
            types=sorted(types),
            delivery_success="false",
            created={"lt": int(before.timestamp())},
            limit=most,
        )
        return len(msgspec.convert(_page(found), list[PastEvent]))

    async def _get(self, path: str, **params: Any) -> Any:
        return await self.client.raw_request_async("get", path, max_network_retries=0, **params)


def _page(found: Any) -> list[dict[str, Any]]:
    return msgspec.convert(found.data, Page).data


def _skew(date: str | None, asked: datetime, heard: datetime) -> float | None:
    """Say how far a Date header, which has whole seconds, is outside of the time it was made in."""
    if date is None:
        return None
    told = parsedate_to_datetime(date).timestamp()
    early, late = told + 1 - asked.timestamp(), told - heard.timestamp()
    return min(early, 0.0) or max(late, 0.0)
