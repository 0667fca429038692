"""The decision's own way to the database: one round trip to record, one to write the answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from uuid_utils.compat import uuid7

from app.domain.funding.charges import ChargeRecord
from app.domain.funding.pricing import Price
from app.domain.funding.states import FundingMode
from app.domain.issuing.asking import Ask, limit_windows
from app.domain.issuing.decision import CardFacts, CustomerFacts, SourceFacts, Usage
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.states import RequestState

RECORD = "SELECT record_authorization_request($1::text::jsonb)::text"
WRITE = "SELECT write_authorization_decision($1::text::jsonb)"
NAME_REASON = """
UPDATE authorization_request AS request
   SET reason = answer->>'reason', stripe_event_id = answer->>'event'
  FROM card_authorization AS purchase, (SELECT $1::text::jsonb AS answer) AS told
 WHERE purchase.stripe_authorization_id = answer->>'authorization'
   AND request.authorization_id = purchase.id
   AND request.ordinal = (answer->>'ordinal')::bigint
   AND request.stripe_event_id IS NULL AND request.state = 'declined'
"""
STATE = "SELECT state FROM authorization_request WHERE stripe_event_id = $1"


class Recorded(msgspec.Struct, frozen=True):
    """What recording a request found. `outcome` is new, replay or conflict."""

    outcome: str
    state: RequestState | None = None
    card: CardFacts | None = None
    customer: CustomerFacts | None = None
    price: Price | None = None
    sources: list[SourceFacts] = []
    usage: Usage = Usage(0, 0, 0, 0)


class Verdict(msgspec.Struct, frozen=True):
    """The decision as it is written: the answer, its reason, the attempts to charge, the times."""

    request_id: UUID
    state: RequestState
    reason: DeclineReason | None
    decided_at: datetime
    fee_minor: int
    charges: list[ChargeRecord]
    step_ms: dict[str, float]


async def open_decision_pool(database_url: str, size: int) -> asyncpg.Pool:
    """Open the connections that only the decision uses, all of them: none is made in the 2 s."""
    return await asyncpg.create_pool(
        database_url,
        min_size=size,
        max_size=size,
        max_inactive_connection_lifetime=0,
        command_timeout=5,
    )


class DecisionStore:
    """Records requests and writes answers, each in one committed statement."""

    def __init__(self, pool: asyncpg.Pool, mode: FundingMode, verify_after_seconds: float) -> None:
        self.pool = pool
        self.mode = mode
        self.verify_after_seconds = verify_after_seconds

    async def record(
        self, ask: Ask, request_id: UUID, now: datetime, timeout_seconds: float
    ) -> Recorded:
        """Commit the request with its amount reserved, and give the facts to decide on.

        Raises TimeoutError when the database does not answer in time; the row may exist then.
        """
        windows = limit_windows(now)
        asked = msgspec.to_builtins(ask) | {
            "request_id": request_id,
            "authorization_id": uuid7(),
            "requested_at": now,
            "day_start": windows.day_start,
            "month_start": windows.month_start,
            "funding_mode": self.mode,
            "verify_after_seconds": self.verify_after_seconds,
        }
        try:
            text = await self._one(RECORD, _json(asked), timeout_seconds)
        except asyncpg.UniqueViolationError:
            # Stripe's own event about the request has made its row in the same moment.
            return Recorded("conflict")
        return msgspec.json.decode(text, type=Recorded)

    async def write(self, verdict: Verdict, timeout_seconds: float) -> bool:
        """Commit the answer. False when the request was no longer waiting for one."""
        answer = msgspec.to_builtins(verdict, builtin_types=(UUID, datetime)) | {
            "charges": [_charge_row(charge) for charge in verdict.charges]
        }
        return bool(await self._one(WRITE, _json(answer), timeout_seconds))

    async def name_reason(self, ask: Ask, reason: DeclineReason, timeout_seconds: float) -> None:
        """Say why we declined a request that was adopted from Stripe before our row came."""
        named = {
            "authorization": ask.authorization,
            "ordinal": ask.ordinal,
            "event": ask.event,
            "reason": reason,
        }
        await self._one(NAME_REASON, _json(named), timeout_seconds)

    async def state_of(self, event: str, timeout_seconds: float) -> RequestState | None:
        found = await self._one(STATE, event, timeout_seconds)
        return RequestState(found) if found else None

    async def _one(self, statement: str, argument: str, timeout_seconds: float) -> Any:
        async with self.pool.acquire(timeout=timeout_seconds) as connection:
            return await connection.fetchval(statement, argument, timeout=timeout_seconds)


def _charge_row(charge: ChargeRecord) -> dict[str, Any]:
    outcome = charge.outcome
    return {
        "id": charge.id,
        "funding_source_id": charge.funding_source_id,
        "attempt": charge.attempt,
        "idempotency_key": charge.idempotency_key,
        "amount_minor": charge.amount_minor,
        "state": outcome.state,
        "decline_code": outcome.decline_code,
        "advice_code": outcome.advice_code,
        "capture_before": outcome.capture_before,
        "stripe_payment_intent_id": outcome.stripe_payment_intent_id,
        "stripe_charge_id": outcome.stripe_charge_id,
    }


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
