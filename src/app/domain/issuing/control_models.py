"""Rules that staff set, purchases they allow once, and the record of how each decision was made."""

from datetime import datetime
from typing import Any
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.issuing.rules import RuleMode


class DecisionRule(Table):
    """A rule of the decision, as data. It is ended rather than deleted: answers refer to it."""

    __tablename__ = "decision_rule"

    kind: Mapped[str]
    name: Mapped[str]
    mode: Mapped[RuleMode]
    condition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effective_from: Mapped[datetime]
    effective_until: Mapped[datetime | None]
    note: Mapped[str]
    # Numbered by the database, anew at every change, so that a process sees that it must read.
    version: Mapped[int] = mapped_column(unique=True, default=0)


class Allowance(Table):
    """A person's word that a declined purchase may pass, once, the checks that can be passed."""

    __tablename__ = "allowance"
    __table_args__ = (Index("ix_allowance_card", "card_id", "expires_at"),)

    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.id"))
    declined_request_id: Mapped[UUID]
    merchant_name: Mapped[str]
    merchant_key: Mapped[str]
    merchant_network_id: Mapped[str | None]
    most_minor: Mapped[int]
    expires_at: Mapped[datetime]


class FlightRecord(DefaultBase):
    """What a decision knew, and what each check said: written with the answer, never changed."""

    __tablename__ = "flight_record"

    # Written by the statement that writes the request's answer, so there is always a request.
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    verdicts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
