"""What our staff did on a customer's account, as the customer may know it: what and when.

Neither who it was nor why: a name would make somebody reachable, and a reason may be about others.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Text, cast, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import FundingSource
from app.domain.funding.refund_models import Receivable
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.credential_models import Credential
from app.domain.identity.models import Customer
from app.domain.issuing.models import Authorization, Card

STAFF = "staff"
MOST = 20
WORDS: Mapping[str, str] = {
    "card.active": "made a card work again",
    "card.frozen": "froze a card",
    "card.closed": "closed a card",
    "card.freeze": "froze a card",
    "card.activate": "activated a card",
    "card.unfreeze": "made a card work again",
    "card.close": "closed a card",
    "card.limits": "changed a card's limits",
    "customer.activate": "activated your account",
    "customer.freeze": "froze your account",
    "customer.unfreeze": "made your account work again",
    "purchase.allow_once": "allowed a purchase once",
    "receivable.try_now": "had an open amount charged again",
    "receivable.write_off": "gave up an open amount",
}


class StaffAct(msgspec.Struct, frozen=True):
    """What was done, in words that go on after “Our staff …”, and the purchase it was about."""

    at: datetime
    words: str
    purchase_id: UUID | None = None


async def staff_acts(session: AsyncSession, customer_id: UUID) -> list[StaffAct]:
    """Give what staff did last on anything of a customer's, newest first."""
    theirs = union_all(
        *(
            select(
                literal(table.__tablename__).label("kind"), cast(table.id, Text).label("id")
            ).where(whose == customer_id)
            for table, whose in (
                (Customer, Customer.id),
                (Credential, Credential.customer_id),
                (Card, Card.customer_id),
                (FundingSource, FundingSource.customer_id),
                (Receivable, Receivable.customer_id),
                (Authorization, Authorization.customer_id),
            )
        )
    ).subquery()
    found = await session.scalars(
        select(AuditEntry)
        .join(
            theirs,
            (AuditEntry.subject_kind == theirs.c.kind) & (AuditEntry.subject_id == theirs.c.id),
        )
        .where(AuditEntry.actor_kind == STAFF)
        .order_by(AuditEntry.created_at.desc())
        .limit(MOST)
    )
    return [_act(entry) for entry in found]


def _act(entry: AuditEntry) -> StaffAct:
    words = WORDS.get(entry.action) or _plain(entry.action)
    bought = entry.subject_kind == Authorization.__tablename__
    return StaffAct(entry.created_at, words, UUID(entry.subject_id) if bought else None)


def _plain(action: str) -> str:
    noun, _, verb = action.partition(".")
    return f"changed something: {noun.replace('_', ' ')}, {verb.replace('_', ' ')}"
