"""What a decision knew and what each check said, read back from its record."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.control_models import DecisionRule, FlightRecord
from app.domain.issuing.decision import Verdict
from app.domain.issuing.facts import CardFacts, Facts, Usage, WindowUsage
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.rule_words import counted, span
from app.domain.issuing.states import RequestState
from app.money import readable

NEVER_ASKED = "Stripe decided this one without asking us, so no check of ours ran."
STILL_DECIDING = "It is not decided yet."
NO_DATABASE = "It was declined without the database and recorded afterwards: no check ran."
NO_RECORD = "There is no record: the process ended before it wrote one, or the request is older."
UNREADABLE = "The record was written by another version of the program and cannot be read."


class Flight(msgspec.Struct, frozen=True):
    """What was recorded of one request's decision; without facts, `missing` says why."""

    facts: Facts | None
    verdicts: list[Verdict]
    missing: str | None
    # Names of the rules in the verdicts, by id.
    rules: Mapping[UUID, str]

    def rule_name(self, verdict: Verdict) -> str | None:
        return self.rules.get(verdict.rule) if verdict.rule else None


async def flights(
    session: AsyncSession, requests: Sequence[AuthorizationRequest]
) -> dict[UUID, Flight]:
    """Give what was recorded of each request, by the request's id."""
    ids = [request.id for request in requests]
    found = await session.scalars(select(FlightRecord).where(FlightRecord.request_id.in_(ids)))
    read = {row.request_id: read_record(row) for row in found}
    named = {v.rule for one in read.values() if one for v in one[1] if v.rule is not None}
    names = await _names(session, named)
    return {request.id: _flight(request, read, names) for request in requests}


def read_record(row: FlightRecord) -> tuple[Facts, list[Verdict]] | None:
    """Read a record; None where it is of a decline that looked at nothing, or cannot be read."""
    try:
        return msgspec.convert(row.facts, Facts), msgspec.convert(row.verdicts, list[Verdict])
    except msgspec.ValidationError:
        return None


def knew(facts: Facts) -> list[tuple[str, str]]:
    """Give what mattered to a decision, as titles and words; amounts in dollars and cents."""
    asked = facts.purchase
    told = [("Asked for", f"{readable(asked.amount_minor)} {asked.currency.upper()}")]
    if facts.approved_before_minor:
        told.append(("Approved before", readable(facts.approved_before_minor)))
    if asked.controllable:
        told.append(("Takes less", f"yes, from {readable(asked.least_minor)}"))
    told.append(
        ("Network's risk score", "none" if asked.risk_score is None else str(asked.risk_score))
    )
    if facts.card is not None:
        told += _card(facts.card, facts.usage)
    if facts.customer is not None:
        used = facts.usage.customer_open_minor
        told.append(("Open purchases", _of(used, facts.customer.exposure_limit_minor)))
    first = facts.usage.first_purchase_at
    told.append(("First purchase", f"{first:%Y-%m-%d %H:%M} UTC" if first else "this one"))
    told += map(_window, facts.usage.windows)
    cards = [f"{s.brand} ···· {s.last4} ({s.funding}, {s.country or '?'})" for s in facts.sources]
    told.append(("Linked cards", ", ".join(cards) or "none"))
    if facts.allowed_once:
        told.append(("Allowed once", "yes, by a person"))
    return told


def _window(window: WindowUsage) -> tuple[str, str]:
    used = f"{counted(window.purchases, 'purchase')} of {readable(window.amount_minor)} in all"
    more = f"{counted(window.declines, 'decline')}, {window.probes:,} of at most 1.00"
    return f"{window.scope.capitalize()}, last {span(window.minutes)}", f"{used}, {more}"


def _card(card: CardFacts, usage: Usage) -> list[tuple[str, str]]:
    """Give the card's limits and what was used of them before, and its settings that narrow it."""
    told = [
        ("Card, this day", _of(usage.card_day_minor, card.daily_limit_minor)),
        ("Card, this month", _of(usage.card_month_minor, card.monthly_limit_minor)),
    ]
    if card.purchase_limit_minor is not None:
        told.append(("Card, per purchase", f"at most {readable(card.purchase_limit_minor)}"))
    if card.single_use:
        told.append(("Single use", f"{counted(usage.card_purchases, 'purchase')} before"))
    if card.merchant_lock is not None:
        told.append(("Locked to", card.merchant_lock))
    if card.lock_to_first_merchant:
        first = usage.first_merchant
        told.append(("Stays at", first.name if first else "the first merchant, not known yet"))
    if card.active_until is not None:
        told.append(("Active until", f"{card.active_until:%Y-%m-%d %H:%M} UTC"))
    lists = {
        "Allowed categories": card.allowed_categories,
        "Blocked categories": card.blocked_categories,
        "Allowed countries": card.allowed_countries,
        "Blocked countries": card.blocked_countries,
    }
    return told + [(title, ", ".join(words)) for title, words in lists.items() if words]


def _of(used_minor: int, limit_minor: int) -> str:
    return f"{readable(used_minor)} of {readable(limit_minor)} used"


async def _names(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, str]:
    found = await session.execute(
        select(DecisionRule.id, DecisionRule.name).where(DecisionRule.id.in_(ids))
    )
    return {row.id: row.name for row in found}


def _flight(
    request: AuthorizationRequest,
    read: Mapping[UUID, tuple[Facts, list[Verdict]] | None],
    names: Mapping[UUID, str],
) -> Flight:
    found = read.get(request.id)
    if found is not None:
        return Flight(found[0], found[1], None, names)
    return Flight(None, [], _why_missing(request, recorded=request.id in read), names)


def _why_missing(request: AuthorizationRequest, *, recorded: bool) -> str:
    if request.state is RequestState.DECIDING:
        return STILL_DECIDING
    if recorded:
        # A decline that looked at nothing took no step of a decision.
        return UNREADABLE if "decide" in request.step_ms else NO_DATABASE
    return NO_RECORD if request.stripe_event_id else NEVER_ASKED
