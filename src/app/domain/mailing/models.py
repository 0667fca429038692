"""Mail: every letter that leaves, or was kept where no mail server is set."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.states import check_move, complete


class MailKind(StrEnum):
    """What a letter is about."""

    VERIFY_EMAIL = "verify_email"
    ALREADY_SIGNED_UP = "already_signed_up"
    RESET_PASSWORD = "reset_password"  # noqa: S105  a kind of letter
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  a kind of letter
    NEW_DEVICE = "new_device"
    CHANGE_EMAIL = "change_email"
    EMAIL_CHANGED = "email_changed"
    CARD_LINKED = "card_linked"
    CARD_SHOWN = "card_shown"
    SECOND_STEP = "second_step"
    PURCHASE_APPROVED = "purchase_approved"
    PURCHASE_DECLINED = "purchase_declined"
    PURCHASE_REFUNDED = "purchase_refunded"
    DEBT = "debt"
    CARDS_STOPPED = "cards_stopped"
    CARDS_WORK_AGAIN = "cards_work_again"
    HOLD_CHARGED = "hold_charged"
    SOURCE_EXPIRING = "source_expiring"
    ACTION_NEEDED = "action_needed"
    STAFF_INVITATION = "staff_invitation"
    MENTIONED = "mentioned"


class MailState(StrEnum):
    """`kept`: there is no mail server to give it to."""

    WAITING = "waiting"
    SENT = "sent"
    KEPT = "kept"
    FAILED = "failed"


MAIL_MOVES = complete(
    {
        MailState.WAITING: {MailState.SENT, MailState.KEPT, MailState.FAILED},
        MailState.SENT: set(),
        MailState.KEPT: set(),
        MailState.FAILED: {MailState.WAITING},
    },
    MailState,
)


class Mail(Table):
    """A letter. Its text has `{site}`, `{office}` and `{token}` where those belong.

    They stand for our address, for the back office's and for the letter's secret, which is
    forgotten once a server has taken the letter.
    """

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_positive"),
        Index("ix_mail_created_at", "created_at"),
        Index("ix_mail_recipient", "recipient"),
        Index("ix_mail_credential", "credential_id", "created_at"),
        Index("ix_mail_waiting", "created_at", postgresql_where="state = 'waiting'"),
        Index("ix_mail_failed", "created_at", postgresql_where="state = 'failed'"),
    )

    credential_id: Mapped[UUID | None]
    # What happened, for a letter that must not be written twice about it.
    about: Mapped[str | None] = mapped_column(unique=True)
    recipient: Mapped[str]
    kind: Mapped[MailKind]
    subject: Mapped[str]
    text: Mapped[str]
    secret: Mapped[str | None]
    state: Mapped[MailState] = mapped_column(default=MailState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None]
    sent_at: Mapped[datetime | None]

    def move_to(self, state: MailState) -> None:
        self.state = check_move(MAIL_MOVES, self.state, state)
