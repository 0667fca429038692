"""What reconciling found, run by run, and what became of each difference."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.states import check_move, complete
from app.money import Currency


class DifferenceState(StrEnum):
    """OPEN: seen by the last look. GONE: the last look did not find it. RESOLVED: by a person."""

    OPEN = "open"
    GONE = "gone"
    RESOLVED = "resolved"


DIFFERENCE_MOVES = complete(
    {
        DifferenceState.OPEN: {DifferenceState.GONE, DifferenceState.RESOLVED},
        DifferenceState.GONE: {DifferenceState.OPEN},
        # What a person explained may become another difference: other amounts open it anew.
        DifferenceState.RESOLVED: {DifferenceState.OPEN, DifferenceState.GONE},
    },
    DifferenceState,
)


class ReconciliationRun(Table):
    """One look at everything that we and Stripe have, from a moment on. Real times."""

    __tablename__ = "reconciliation_run"
    __table_args__ = (Index("ix_reconciliation_run_began_at", "began_at"),)

    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    # What is older by the business clock was not looked at; None: all was.
    since: Mapped[datetime | None]
    # Who began it: system, command line.
    begun_by: Mapped[str]
    found: Mapped[int]
    # Of these, what no person had resolved.
    unresolved: Mapped[int]


class ReconciliationDifference(Table):
    """One thing that is, or was, not the same here and at Stripe. Amounts in minor units."""

    __tablename__ = "reconciliation_difference"
    __table_args__ = (
        UniqueConstraint("kind", "what", "name", name="uq_reconciliation_difference_thing"),
        Index("ix_reconciliation_difference_state", "state", "first_seen_at"),
    )

    kind: Mapped[str]
    what: Mapped[str]
    # Stripe's id, a journal's reference, or an account.
    name: Mapped[str]
    ours_minor: Mapped[int | None]
    theirs_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(default=Currency.USD.value)
    # When the thing is from, by the business clock.
    since: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
    state: Mapped[DifferenceState] = mapped_column(default=DifferenceState.OPEN)
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None]
    resolution: Mapped[str | None]

    def move_to(self, state: DifferenceState) -> None:
        self.state = check_move(DIFFERENCE_MOVES, self.state, state)
