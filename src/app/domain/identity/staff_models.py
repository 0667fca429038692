"""What staff sign in with beside a password, and what one asks another to approve."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.identity.states import APPROVAL_MOVES, ApprovalState
from app.domain.states import check_move


class StaffChallenge(Table):
    """A right password that still wants a code. The browser holds the token; we keep its hash."""

    __tablename__ = "staff_challenge"
    __table_args__ = (Index("ix_staff_challenge_created_at", "created_at"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    # For a member without an authenticator: what the secret that is shown is derived from.
    totp_salt: Mapped[bytes | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffInvitation(Table):
    """A link in a letter that lets a new member choose their password. We keep only its hash."""

    __tablename__ = "staff_invitation"
    __table_args__ = (Index("ix_staff_invitation_staff_id", "staff_id"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Table):
    """Signs a member in once, without their authenticator. We keep only its hash."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_staff_id", "staff_id"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    used_at: Mapped[datetime | None]


class Approval(Table):
    """Something that one member of staff asks for and another one has to approve.

    The database refuses a requester who decides, and a decision after `expires_at`.
    """

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint("decided_by <> requested_by", name="four_eyes"),
        CheckConstraint(
            "expires_at > created_at AND expires_at <= created_at + interval '24 hours'",
            name="a_day",
        ),
        CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)"
            " AND (state IN ('approved', 'refused')) = (decided_by IS NOT NULL)"
            " AND (decided_by IS NULL OR decided_at < expires_at)",
            name="decided_in_time",
        ),
        Index(
            "ix_approval_waiting",
            *("kind", "subject_kind", "subject_id"),
            unique=True,
            postgresql_where="state = 'waiting'",
        ),
        Index("ix_approval_created_at", "created_at"),
        Index("ix_approval_subject", "subject_kind", "subject_id"),
    )

    kind: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason_code: Mapped[str]
    note: Mapped[str]
    state: Mapped[ApprovalState] = mapped_column(default=ApprovalState.WAITING)
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    expires_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]

    def move_to(self, state: ApprovalState) -> None:
        self.state = check_move(APPROVAL_MOVES, self.state, state)
