"""Declined requests with what they are counted by, a short row each, as traffic.py keeps its sums.

A quarter of an hour that traffic.py has sums of has its declines here, and loses both together.
Those of other quarters are read from the requests, in the same statement.
"""

from datetime import datetime
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Enum,
    Index,
    Text,
    Uuid,
    bindparam,
    column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.issuing.bank_reasons import NO_BANK_ASKED
from app.domain.issuing.decline_reasons import DeclineReason

assert Table.registry  # its column types are this module's too
COLUMNS = (
    *("request_id", "requested_at", "reason", "amount_minor", "customer_id"),
    *("merchant_name", "banks"),
)
_NO_BANK_ASKED = ", ".join(f"'{code}'" for code in NO_BANK_ASKED)
DECLINED = f"""
SELECT asked.id AS request_id, asked.requested_at, asked.reason, asked.amount_minor,
       asked.customer_id, bought.merchant_name,
       ARRAY(SELECT concat_ws(' ', source.brand, source.funding,
                              coalesce(source.country, 'unknown country'))
               FROM charge JOIN funding_source AS source ON source.id = charge.funding_source_id
              WHERE charge.request_id = asked.id AND charge.state = 'declined'
                AND coalesce(charge.decline_code, '') NOT IN ({_NO_BANK_ASKED})
              ORDER BY charge.id) AS banks
  FROM authorization_request AS asked
  JOIN card_authorization AS bought ON bought.id = asked.authorization_id
 WHERE asked.requested_at >= part.starts_at
   AND asked.requested_at < part.starts_at + interval '15 minutes' AND asked.reason IS NOT NULL
OFFSET 0
"""  # noqa: S608  texts of ours
"""The declines of a quarter of an hour, which is named `part`.

OFFSET keeps it from being joined with all quarters at once, for which whole tables would be read.
"""
declined = (
    text(f"""
SELECT {", ".join(COLUMNS)} FROM declined_request
 WHERE requested_at >= :first AND requested_at < :after
 UNION ALL
SELECT one.*
  FROM generate_series(CAST(:first AS timestamptz), CAST(:after AS timestamptz)
           - interval '15 minutes', interval '15 minutes') AS part (starts_at)
 CROSS JOIN LATERAL ({DECLINED}) AS one
 WHERE NOT EXISTS (SELECT FROM traffic AS kept WHERE kept.starts_at = part.starts_at)
""")  # noqa: S608  texts of ours
    .bindparams(
        bindparam("first", type_=DateTime(timezone=True)),
        bindparam("after", type_=DateTime(timezone=True)),
    )
    .columns(
        column("request_id", Uuid),
        column("requested_at", DateTime(timezone=True)),
        column(
            "reason",
            Enum(
                DeclineReason,
                native_enum=False,
                values_callable=lambda kind: [member.value for member in kind],
            ),
        ),
        column("amount_minor", BigInteger),
        column("customer_id", Uuid),
        column("merchant_name", Text),
        column("banks", ARRAY(Text)),
    )
    .subquery("declined")
)
"""The declines from `first` to before `after`, which begin and end with a day of some zone."""


class DeclinedRequest(DefaultBase):
    """A declined request. `banks`: brand, kind and country of each linked card that said no."""

    __tablename__ = "declined_request"
    __table_args__ = (Index("ix_declined_request_requested_at", "requested_at"),)

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    requested_at: Mapped[datetime]
    reason: Mapped[str]
    amount_minor: Mapped[int]
    customer_id: Mapped[UUID | None]
    merchant_name: Mapped[str]
    banks: Mapped[list[str]] = mapped_column(ARRAY(Text))
