"""The trail: written in the transaction of what it tells, so that neither is without the other."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Table
from app.domain.identity.audit_models import AuditEntry


class Actor(msgspec.Struct, frozen=True):
    """Who acts, and from where."""

    kind: str
    id: UUID | None = None
    address: str | None = None
    request_id: str | None = None


class Subject(msgspec.Struct, frozen=True):
    """What an entry is about, where that is no row with an id: a page, a list, a journal."""

    kind: str
    id: str


SYSTEM = Actor("system")


def record(
    session: AsyncSession,
    actor: Actor,
    action: str,
    *,
    subject: Table | Subject,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
) -> None:
    """Add an entry to the session's transaction. Actions are named `noun.verb`.

    `before` and `after` hold what changed, in words that JSON has, and no secrets. `reason_code`:
    one of `reasons.py`; `reason`: the note in the member's own words.
    """
    about = subject if isinstance(subject, Subject) else _row(subject)
    session.add(
        AuditEntry(
            id=uuid7(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            subject_kind=about.kind,
            subject_id=about.id,
            before=before,
            after=after,
            reason_code=reason_code,
            reason=reason,
            address=actor.address,
            request_id=actor.request_id,
        )
    )


def _row(subject: Table) -> Subject:
    return Subject(str(subject.__tablename__), str(subject.id))
