"""Keeps what each reconciliation found, and lets a person say what a difference was."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.reasons import Reason
from app.domain.issuing.difference_models import (
    DifferenceState,
    ReconciliationDifference,
    ReconciliationRun,
)
from app.domain.issuing.reconciliation_facts import Difference, Kind
from app.domain.marks import check_mark
from app.domain.states import IllegalMove
from app.errors import AppError

ALWAYS_LOOKED_FOR = frozenset({Kind.BALANCE, Kind.NOT_CLEARED})
"""What every reconciliation looks for, however far back it goes."""


class DifferenceNotFound(AppError, status=404):
    """No difference has this id."""


async def keep_run(
    sessions: Sessions,
    found: Sequence[Difference],
    *,
    since: datetime | None,
    began: datetime,
    ended: datetime,
    begun_by: str,
) -> ReconciliationRun:
    """Write down a run and what it found; what it looked for and found no longer is gone.

    `since` is by the business clock, the other times by the real one.
    """
    async with sessions.begin() as session:
        rows = await session.scalars(select(ReconciliationDifference).with_for_update())
        known = {(row.kind, row.what, row.name): row for row in rows}
        unresolved = 0
        for one in _numbered(found):
            row = known.pop((one.kind.value, one.what, one.name), None)
            if row is None:
                row = _new(one, ended)
                session.add(row)
            else:
                _seen_again(row, one, ended)
            unresolved += row.state is not DifferenceState.RESOLVED
        for row in known.values():
            if since is None or _was_looked_for(row, since):
                row.move_to(DifferenceState.GONE)
        run = ReconciliationRun(
            began_at=began,
            ended_at=ended,
            since=since,
            begun_by=begun_by,
            found=len(found),
            unresolved=unresolved,
        )
        session.add(run)
    return run


async def resolve(
    session: AsyncSession,
    difference_id: UUID,
    *,
    actor: Actor,
    why: Reason,
    now: datetime,
    seen: str | None = None,
) -> ReconciliationDifference:
    """Say what a difference is. It stays resolved until other amounts are found.

    Raises DifferenceNotFound, MovedOn, and IllegalMove for one that is not open.
    """
    row = await session.get(ReconciliationDifference, difference_id, with_for_update=True)
    if row is None:
        raise DifferenceNotFound("No difference has this id.")
    check_mark(seen, row)
    if row.state is not DifferenceState.OPEN:
        raise IllegalMove(f"the difference is {row.state}")
    row.move_to(DifferenceState.RESOLVED)
    row.resolved_at, row.resolved_by, row.resolution = now, actor.id, why.note
    record(
        session,
        actor,
        "difference.resolve",
        subject=row,
        before={"state": DifferenceState.OPEN},
        after={"state": DifferenceState.RESOLVED},
        reason_code=why.code,
        reason=why.note,
    )
    return row


async def latest_runs(session: AsyncSession, at_most: int) -> Sequence[ReconciliationRun]:
    found = await session.scalars(
        select(ReconciliationRun).order_by(ReconciliationRun.began_at.desc()).limit(at_most)
    )
    return found.all()


async def open_by_kind(
    session: AsyncSession, day_ago: datetime, week_ago: datetime
) -> list[tuple[str, int, int, int]]:
    """Give for each kind how many are open: first seen since a day ago, a week ago, before."""
    first = ReconciliationDifference.first_seen_at
    found = await session.execute(
        select(
            ReconciliationDifference.kind,
            func.count().filter(first >= day_ago),
            func.count().filter(first < day_ago, first >= week_ago),
            func.count().filter(or_(first < week_ago)),
        )
        .where(ReconciliationDifference.state == DifferenceState.OPEN)
        .group_by(ReconciliationDifference.kind)
        .order_by(ReconciliationDifference.kind)
    )
    return [(kind, new, days, older) for kind, new, days, older in found]


def _numbered(found: Sequence[Difference]) -> Iterator[Difference]:
    """Tell several differences of one kind about one thing apart."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for one in found:
        key = (one.kind.value, one.what, one.name)
        seen[key] += 1
        again = seen[key] > 1
        yield msgspec.structs.replace(one, name=f"{one.name} ({seen[key]})") if again else one


def _was_looked_for(row: ReconciliationDifference, since: datetime) -> bool:
    """Say whether a look that goes back to a moment would have found it: some it finds always."""
    return row.kind in ALWAYS_LOOKED_FOR or (row.since is not None and row.since >= since)


def _new(one: Difference, at: datetime) -> ReconciliationDifference:
    return ReconciliationDifference(
        kind=one.kind.value,
        what=one.what,
        name=one.name,
        ours_minor=one.ours_minor,
        theirs_minor=one.theirs_minor,
        currency=one.currency,
        since=one.since,
        note=one.note,
        state=DifferenceState.OPEN,
        first_seen_at=at,
        last_seen_at=at,
    )


def _seen_again(row: ReconciliationDifference, one: Difference, at: datetime) -> None:
    other = (row.ours_minor, row.theirs_minor) != (one.ours_minor, one.theirs_minor)
    row.ours_minor, row.theirs_minor = one.ours_minor, one.theirs_minor
    row.since, row.note, row.last_seen_at = one.since, one.note, at
    if row.state is DifferenceState.GONE or other:
        row.move_to(DifferenceState.OPEN)
        row.resolved_at = row.resolved_by = row.resolution = None
