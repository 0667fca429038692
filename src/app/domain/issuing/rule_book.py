"""Changes to the rules of the decision: each is one call, with its entry in the trail.

A change is obeyed from the next purchase on, by every process. Rules are ended, never deleted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Table
from app.domain.identity.audit import Actor, record
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.models import Customer
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.models import Card
from app.domain.issuing.rule_reading import Draft, UnreadableRule
from app.domain.issuing.rules import Condition, Rule, RuleMode, Stop, StopTarget
from app.domain.marks import check_mark
from app.errors import AppError


class RuleNotFound(AppError, status=404):
    """No rule has this id, or several begin with it."""


class RuleUnchanged(AppError, status=409):
    """The rule is as it was asked to become, or has ended and cannot change any more."""


async def add_rule(
    session: AsyncSession, draft: Draft, *, actor: Actor, now: datetime, code: str | None = None
) -> DecisionRule:
    """Put a rule into the session's transaction. Raise UnreadableRule for dates or ids of none."""
    until = draft.effective_until
    if until is not None and until <= max(draft.effective_from, now):
        begins = "the rule begins" if draft.effective_from > now else "now"
        raise UnreadableRule(f"until: {until:%Y-%m-%d %H:%M} UTC is not after {begins}")
    condition = await known_condition(session, draft.condition)
    stored = msgspec.to_builtins(condition)
    row = DecisionRule(
        kind=stored["kind"],
        name=draft.name,
        mode=draft.mode,
        condition=stored,
        effective_from=draft.effective_from,
        effective_until=until,
        note=draft.note,
    )
    session.add(row)
    await session.flush()
    told = _told(row)
    record(session, actor, "rule.add", subject=row, after=told, reason_code=code, reason=draft.note)
    return row


async def end_rule(
    session: AsyncSession,
    key: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    code: str | None = None,
    seen: str | None = None,
) -> DecisionRule:
    """End a rule now; one that has not begun never does.

    Raises RuleNotFound, RuleUnchanged, and MovedOn when it is not as it was `seen`.
    """
    row = await _changeable(session, key, now, seen)
    before = _told(row)
    row.effective_until = max(now, row.effective_from)
    record(
        session,
        actor,
        "rule.end",
        subject=row,
        before=before,
        after=_told(row),
        reason_code=code,
        reason=reason,
    )
    return row


async def resume(
    session: AsyncSession, key: str, *, actor: Actor, now: datetime, reason: str | None = None
) -> DecisionRule:
    """End a stop. Raise RuleUnchanged for a rule that is none, besides what `end_rule` raises."""
    row = await find_rule(session, key)
    if not isinstance(rule_of(row).condition, Stop):
        raise RuleUnchanged(f"“{row.name}” is no stop; `proxycard rules end` ends it")
    return await end_rule(session, str(row.id), actor=actor, now=now, reason=reason)


async def set_mode(
    session: AsyncSession,
    key: str,
    mode: RuleMode,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    code: str | None = None,
    seen: str | None = None,
) -> DecisionRule:
    """Have a rule refuse, or only watch. Raises what `end_rule` raises."""
    row = await _changeable(session, key, now, seen)
    if row.mode is mode:
        raise RuleUnchanged(f"“{row.name}” is {_MODES[mode]} already")
    before = _told(row)
    row.mode = mode
    action = "rule.enforce" if mode is RuleMode.ENFORCED else "rule.shadow"
    record(
        session,
        actor,
        action,
        subject=row,
        before=before,
        after=_told(row),
        reason_code=code,
        reason=reason,
    )
    return row


async def find_rule(session: AsyncSession, key: str, *, to_change: bool = False) -> DecisionRule:
    """Give the rule with this id, or the only one whose id begins so. Raise RuleNotFound."""
    begins = key.strip().lower()
    if not begins or not begins.isascii():
        raise RuleNotFound("a rule's id is missing; `proxycard rules list` shows them")
    query = select(DecisionRule).where(
        cast(DecisionRule.id, Text).startswith(begins, autoescape=True)
    )
    found = list(await session.scalars(query.with_for_update() if to_change else query))
    if len(found) != 1:
        how = (
            f"{len(found)} rules have ids that begin" if found else "no rule has an id that begins"
        )
        raise RuleNotFound(f"{how} with “{key[:40]}”; `proxycard rules list` shows them")
    return found[0]


async def list_rules(session: AsyncSession) -> Sequence[DecisionRule]:
    """Give all rules in the order they are looked at within their kind, oldest first."""
    found = await session.scalars(
        select(DecisionRule).order_by(
            DecisionRule.kind, DecisionRule.effective_from, DecisionRule.version
        )
    )
    return found.all()


async def changes_of(session: AsyncSession, row: Table) -> Sequence[AuditEntry]:
    """Give what the trail tells of a rule, oldest first."""
    found = await session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == row.__tablename__, AuditEntry.subject_id == str(row.id))
        .order_by(AuditEntry.created_at, AuditEntry.id)
    )
    return found.all()


def rule_of(row: DecisionRule) -> Rule:
    """Give the rule as the decision sees it."""
    condition = msgspec.convert(row.condition, Condition)
    return Rule(row.id, row.mode, row.effective_from, row.effective_until, condition)


async def known_condition(session: AsyncSession, condition: Condition) -> Condition:
    """Give a stop of a customer or card by our own id, whichever id was typed.

    Raises UnreadableRule for an id of nobody's.
    """
    match condition:
        case Stop(StopTarget.CUSTOMER, value):
            key = _id_of(value)
            theirs = Customer.stripe_customer_id == value
            query = select(Customer.id).where(or_(Customer.id == key, theirs) if key else theirs)
        case Stop(StopTarget.CARD, value):
            key = _id_of(value)
            theirs = Card.stripe_card_id == value
            query = select(Card.id).where(or_(Card.id == key, theirs) if key else theirs)
        case _:
            return condition
    found = await session.scalar(query) if value.isprintable() else None
    if found is None:
        raise UnreadableRule(f"value: no {condition.target} has the id “{value[:40]}”")
    return Stop(condition.target, str(found))


_MODES = {RuleMode.ENFORCED: "enforced", RuleMode.SHADOW: "in shadow"}


async def _changeable(
    session: AsyncSession, key: str, now: datetime, seen: str | None
) -> DecisionRule:
    row = await find_rule(session, key, to_change=True)
    check_mark(seen, row)
    if row.effective_until is not None and row.effective_until <= now:
        raise RuleUnchanged(f"“{row.name}” has ended; add a new rule")
    return row


def _id_of(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _told(row: DecisionRule) -> dict[str, Any]:
    until = row.effective_until
    return {
        "name": row.name,
        "mode": row.mode.value,
        "condition": row.condition,
        "effective_from": row.effective_from.isoformat(),
        "effective_until": until.isoformat() if until else None,
    }
