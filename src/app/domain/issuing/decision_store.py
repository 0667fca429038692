"""The decision's own way to the database: one round trip to record, one to write the answer."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from uuid_utils.compat import uuid7

from app.clock import real_time
from app.domain.funding.charges import ChargeRecord
from app.domain.funding.postings import charged_journal, held_journal
from app.domain.funding.pricing import Price
from app.domain.funding.states import LIVE_CHARGES, FundingMode
from app.domain.issuing.asking import Ask, limit_windows
from app.domain.issuing.decision_connections import DecisionConnections
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.facts import (
    PROBE_MINOR,
    CardFacts,
    CustomerFacts,
    MerchantFacts,
    Scope,
    SourceFacts,
)
from app.domain.issuing.merchant_names import merchant_key
from app.domain.issuing.rules import Rule, Window, windows_of
from app.domain.issuing.states import RequestState
from app.domain.ledger.journals import Whose
from app.domain.ledger.posting import row_of

RECORD = f"SELECT record_authorization_request({', '.join(f'${n}' for n in range(1, 24))})"
WRITE = f"SELECT write_authorization_decision({', '.join(f'${n}' for n in range(1, 12))})"
# Without an end: whoever was recorded before us counts, though its moment may be later than ours.
USAGE = "SELECT usage_in_windows($1, $2, $3, 'infinity', $4, $5, $6, $7)::text"
RULES = """
SELECT coalesce(json_agg(json_build_object(
           'id', id, 'mode', mode, 'effective_from', effective_from,
           'effective_until', effective_until, 'condition', condition)
           ORDER BY effective_from, version)
           FILTER (WHERE effective_until IS NULL OR effective_until > $1), '[]')::text,
       coalesce(max(version), 0)
  FROM decision_rule
"""
NAME_REASON = """
UPDATE authorization_request AS request
   SET reason = answer->>'reason', stripe_event_id = answer->>'event'
  FROM card_authorization AS purchase, (SELECT $1::text::jsonb AS answer) AS told
 WHERE purchase.stripe_authorization_id = answer->>'authorization'
   AND request.authorization_id = purchase.id
   AND request.ordinal = (answer->>'ordinal')::bigint
   AND request.stripe_event_id IS NULL AND request.state = 'declined'
"""
ANSWER = "SELECT state, approved_minor FROM authorization_request WHERE stripe_event_id = $1"


UNCOUNTED = [reason for reason, told in EXPLANATIONS.items() if told.decided_by is Decider.US]
"""Declines that say nothing about a card: what was our doing, and the answers to earlier ones."""


class Counted(msgspec.Struct, frozen=True):
    """What the database counted in one window."""

    purchases: int
    amount_minor: int
    declines: int
    probes: int


class UsageFound(msgspec.Struct, frozen=True):
    windows: list[Counted]
    customer_open_minor: int
    card_purchases: int
    first_merchant: MerchantFacts | None = None
    first_purchase_at: datetime | None = None


class Recorded(msgspec.Struct, frozen=True):
    """What recording a request found. `outcome` is new, replay or conflict."""

    outcome: str
    state: RequestState | None = None
    approved_minor: int | None = None
    rules_version: int = 0
    card: CardFacts | None = None
    customer: CustomerFacts | None = None
    price: Price | None = None
    sources: list[SourceFacts] = []
    usage: UsageFound = UsageFound([], 0, 0)
    allowed_once: bool = False


class RuleSet(msgspec.Struct, frozen=True):
    """The rules as they were at a version of theirs, oldest first, and what they must count."""

    version: int
    rules: list[Rule]
    windows: list[Window]


NO_RULES = RuleSet(-1, [], [])


class Written(msgspec.Struct, frozen=True):
    """The decision as it is written: the answer, its reason, the attempts to charge, the record.

    `facts` and `verdicts` are JSON: what the decision knew, and what each check said.
    """

    request_id: UUID
    state: RequestState
    reason: DeclineReason | None
    decided_at: datetime
    approved_minor: int
    fee_minor: int
    charges: list[ChargeRecord]
    step_ms: dict[str, float]
    facts: str = "{}"
    verdicts: str = "[]"


class DecisionStore:
    """Records requests and writes answers, each in one committed statement.

    `began` is when a question came, by the stopwatch's clock: of those that wait for the database,
    the oldest goes first, and what has no such moment last.
    """

    def __init__(
        self,
        connections: DecisionConnections,
        mode: FundingMode,
        verify_after: timedelta,
        wall: Callable[[], datetime] = real_time,
    ) -> None:
        self.connections = connections
        self.mode = mode
        self.verify_after = verify_after
        self.wall = wall

    async def record(
        self,
        ask: Ask,
        request_id: UUID,
        now: datetime,
        windows: Sequence[Window],
        timeout_seconds: float,
        *,
        began: float = math.inf,
    ) -> Recorded:
        """Commit the request with its amount reserved, and give the facts to decide on.

        Raises TimeoutError when the database does not answer in time; the row may exist then.
        """
        limits = limit_windows(now)
        since = [limits.day_start, limits.month_start, *_starts(windows, now)]
        customer_wide = [False, False, *_customer_wide(windows)]
        asked = (
            *(request_id, uuid7(), ask.event, ask.authorization, ask.card, ask.ordinal),
            *(ask.amount_minor, ask.currency, ask.approved_before_minor, ask.merchant_name),
            *(merchant_key(ask.merchant_name), ask.merchant_category, ask.merchant_country),
            *(ask.merchant_city, ask.merchant_network_id, ask.risk_score, now),
            *(self.wall() + self.verify_after, self.mode, since, customer_wide),
            *(UNCOUNTED, PROBE_MINOR),
        )
        try:
            text = await self._one(RECORD, timeout_seconds, *asked, began=began)
        except asyncpg.UniqueViolationError:
            # Stripe's own event about the request has made its row in the same moment.
            return Recorded("conflict")
        return msgspec.json.decode(text, type=Recorded)

    async def usage(
        self,
        request_id: UUID,
        recorded: Recorded,
        now: datetime,
        windows: Sequence[Window],
        timeout_seconds: float,
    ) -> list[Counted]:
        """Count windows that were not counted when the request was recorded."""
        customer, card = recorded.customer, recorded.card
        text = await self._one(
            USAGE,
            timeout_seconds,
            *(customer.id if customer else None, card.id if card else None, request_id),
            *(_starts(windows, now), _customer_wide(windows), UNCOUNTED, PROBE_MINOR),
        )
        return msgspec.json.decode(text, type=list[Counted])

    async def rules(
        self, now: datetime, timeout_seconds: float, *, began: float = math.inf
    ) -> RuleSet:
        """Read every rule that has not ended."""
        row = await self.connections.row(RULES, now, within=timeout_seconds, began=began)
        assert row is not None
        text, version = row
        rules = msgspec.json.decode(text, type=list[Rule])
        return RuleSet(version, rules, windows_of(rules))

    async def write(
        self, written: Written, timeout_seconds: float, *, began: float = math.inf
    ) -> bool:
        """Commit the answer. False when the request was no longer waiting for one."""
        done = await self._one(
            WRITE,
            timeout_seconds,
            *(written.request_id, written.state, written.reason, written.decided_at),
            *(written.approved_minor, written.fee_minor, _json(written.step_ms)),
            *(written.facts, written.verdicts),
            _json([_charge_row(charge) for charge in written.charges]),
            _json(_journals(written, self.mode)),
            began=began,
        )
        return bool(done)

    async def name_reason(self, ask: Ask, reason: DeclineReason, timeout_seconds: float) -> None:
        """Say why we declined a request that was adopted from Stripe before our row came."""
        named = {
            "authorization": ask.authorization,
            "ordinal": ask.ordinal,
            "event": ask.event,
            "reason": reason,
        }
        await self._one(NAME_REASON, timeout_seconds, _json(named))

    async def answer_to(
        self, event: str, timeout_seconds: float
    ) -> tuple[RequestState | None, int | None]:
        """Give the state of the request an event asked about, and what was approved of it."""
        row = await self.connections.row(ANSWER, event, within=timeout_seconds)
        return (RequestState(row["state"]), row["approved_minor"]) if row else (None, None)

    async def _one(
        self, statement: str, within: float, *arguments: Any, began: float = math.inf
    ) -> Any:
        row = await self.connections.row(statement, *arguments, within=within, began=began)
        return row[0] if row else None


def _starts(windows: Sequence[Window], now: datetime) -> list[datetime]:
    return [now - timedelta(minutes=window.minutes) for window in windows]


def _customer_wide(windows: Sequence[Window]) -> list[bool]:
    return [window.scope is Scope.CUSTOMER for window in windows]


def _charge_row(charge: ChargeRecord) -> dict[str, Any]:
    outcome = charge.outcome
    return {
        "id": charge.id,
        "funding_source_id": charge.funding_source_id,
        "attempt": charge.attempt,
        "idempotency_key": charge.idempotency_key,
        "amount_minor": charge.amount_minor,
        "principal_minor": charge.principal_minor,
        "state": outcome.state,
        "decline_code": outcome.decline_code,
        "advice_code": outcome.advice_code,
        "capture_before": outcome.capture_before,
        "stripe_payment_intent_id": outcome.stripe_payment_intent_id,
        "stripe_charge_id": outcome.stripe_charge_id,
    }


def _journals(written: Written, mode: FundingMode) -> list[dict[str, Any]]:
    """Give what the charges do to the books. The database knows whose they are."""
    made: list[dict[str, Any]] = []
    for charge in written.charges:
        intent, state = charge.outcome.stripe_payment_intent_id, charge.outcome.state
        if intent is None or state not in LIVE_CHARGES:
            continue
        book = held_journal if mode is FundingMode.HOLD else charged_journal
        fee = charge.amount_minor - charge.principal_minor
        posted = book(intent, charge.principal_minor, fee, written.decided_at, Whose())
        made += [row_of(one) for one in posted]
    return made


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
