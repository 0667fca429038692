"""A member of the staff on one page: roles, authenticator, sessions, and what was done."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqladmin import expose
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.office_page import OfficePage, parts_of
from app.domain.identity.approvals import waiting_about
from app.domain.identity.audit import Subject
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.models import Staff, StaffSession
from app.domain.identity.sessions import IDLE
from app.domain.identity.staff_models import RecoveryCode

RECENT = 15


class MemberPage(OfficePage):
    """`/admin/member/{id}`."""

    name = "Member of staff"
    view = "staff"

    @expose("/member/{pk:uuid}", methods=["GET"], identity="member")
    async def member(self, request: Request) -> Response:
        now, key = datetime.now(UTC), request.path_params["pk"]
        async with parts_of(request).sessions() as session:
            member = await found_member(session, key)
            told = {
                "member": member,
                "sessions": await open_sessions(session, key, now),
                "codes_left": await codes_left(session, key),
                "waiting": await waiting_about(session, Subject("staff", str(key)), now),
                "recent": await _recent(session, key),
                "oneself": key == request.state.staff.id,
            }
        return await self.show(request, "member.html", told)


async def found_member(session: AsyncSession, key: UUID) -> Staff:
    member = await session.get(Staff, key)
    if member is None:
        raise HTTPException(404)
    return member


async def open_sessions(
    session: AsyncSession, staff_id: UUID, now: datetime
) -> Sequence[StaffSession]:
    """Give the sessions that a member could still use, the one seen last first."""
    found = await session.scalars(
        select(StaffSession)
        .where(
            StaffSession.staff_id == staff_id,
            StaffSession.ended_at.is_(None),
            StaffSession.expires_at > now,
            StaffSession.last_seen_at > now - IDLE,
        )
        .order_by(StaffSession.last_seen_at.desc())
    )
    return found.all()


async def codes_left(session: AsyncSession, staff_id: UUID) -> int:
    """Count a member's recovery codes that still work."""
    counted = select(func.count()).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
    )
    return await session.scalar(counted) or 0


async def _recent(session: AsyncSession, staff_id: UUID) -> list[dict[str, Any]]:
    """Give the latest entries of the trail by a member or about them."""
    by = Staff.__table__.alias("by")
    found = await session.execute(
        select(AuditEntry, by.c.name)
        .outerjoin(by, by.c.id == AuditEntry.actor_id)
        .where(
            or_(
                AuditEntry.actor_id == staff_id,
                (AuditEntry.subject_kind == "staff") & (AuditEntry.subject_id == str(staff_id)),
            )
        )
        .order_by(AuditEntry.created_at.desc(), AuditEntry.id.desc())
        .limit(RECENT)
    )
    return [{"entry": entry, "who": name or entry.actor_kind} for entry, name in found]
