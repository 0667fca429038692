"""The trail: written in the transaction of what it tells, so that neither is without the other."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Table
from app.domain.identity.models import AuditEntry


class Actor(msgspec.Struct, frozen=True):
    """Who acts, and from where."""

    kind: str
    id: UUID | None = None
    address: str | None = None
    request_id: str | None = None


SYSTEM = Actor("system")


def record(
    session: AsyncSession,
    actor: Actor,
    action: str,
    *,
    subject: Table,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Add an entry to the session's transaction. Actions are named `noun.verb`."""
    session.add(
        AuditEntry(
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            subject_kind=subject.__tablename__,
            subject_id=str(subject.id),
            before=before,
            after=after,
            reason=reason,
            address=actor.address,
            request_id=actor.request_id,
        )
    )
