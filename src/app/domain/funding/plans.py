"""Which price is in force, and from when on there is another one."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import PricePlan
from app.domain.funding.pricing import Price, RefundFeePolicy
from app.domain.identity.audit import Actor, record
from app.domain.identity.reasons import Reason
from app.errors import AppError


async def plan_in_force(session: AsyncSession, now: datetime) -> PricePlan | None:
    """Give the latest plan that has begun by the business clock, or None before the first."""
    return await session.scalar(
        select(PricePlan)
        .where(PricePlan.effective_from <= now)
        .order_by(PricePlan.effective_from.desc())
        .limit(1)
    )


def price_of(plan: PricePlan) -> Price:
    return Price(plan.percent_bps, plan.fixed_minor, plan.minimum_minor)


class UnusablePlan(AppError, status=422):
    """A price plan's name, part or date cannot be. The message begins with the field's name."""


class PlanDraft(msgspec.Struct, frozen=True):
    """A price as it is wanted. Parts in minor units, the share in basis points."""

    name: str
    effective_from: datetime
    percent_bps: int
    fixed_minor: int
    minimum_minor: int
    refund_fee_policy: RefundFeePolicy


MOST_PERCENT_BPS = 3_000
MOST_FIXED_MINOR = 1_000
LONGEST_NAME = 60


async def add_plan(
    session: AsyncSession, draft: PlanDraft, *, actor: Actor, why: Reason, now: datetime
) -> PricePlan:
    """Have another price from a moment on. What was asked about before keeps its own.

    `now` is business time: no price begins in the past. Raises UnusablePlan.
    """
    if not draft.name or len(draft.name) > LONGEST_NAME or not draft.name.isprintable():
        raise UnusablePlan(f"name: has 1 to {LONGEST_NAME} characters.")
    if draft.effective_from <= now:
        raise UnusablePlan("from: a price begins in the future; what was bought keeps its own.")
    if not 0 <= draft.percent_bps <= MOST_PERCENT_BPS:
        raise UnusablePlan("percent: is from 0.00 to 30.00.")
    for field, part in (("fixed", draft.fixed_minor), ("minimum", draft.minimum_minor)):
        if not 0 <= part <= MOST_FIXED_MINOR:
            raise UnusablePlan(f"{field}: is from 0.00 to 10.00.")
    taken = await session.scalar(
        select(PricePlan.name).where(PricePlan.effective_from == draft.effective_from)
    )
    if taken is not None:
        raise UnusablePlan(f"from: “{taken}” begins at that moment already.")
    plan = PricePlan(**msgspec.structs.asdict(draft))
    session.add(plan)
    await session.flush()
    record(
        session,
        actor,
        "price.add",
        subject=plan,
        after=msgspec.to_builtins(draft),
        reason_code=why.code,
        reason=why.note,
    )
    return plan
