"""What staff write down at their desk: notes about customers, and who has taken what on."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class CustomerNote(Table):
    """What a member of staff wants the others to know about a customer. Never changed."""

    __tablename__ = "customer_note"
    __table_args__ = (Index("ix_customer_note_customer", "customer_id", "created_at"),)

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str]


class TakenWork(Table):
    """Something in a queue that a member of staff has taken on. Gone when it is given back."""

    __tablename__ = "taken_work"
    __table_args__ = (Index("ix_taken_work_item", "queue", "key", unique=True),)

    queue: Mapped[str]
    key: Mapped[str]
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
