"""What about a member of staff two have to agree on: roles, and another authenticator."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.admin.approvals.kind import Kind
from app.domain.identity.approvals import OwnRequest
from app.domain.identity.audit import Actor
from app.domain.identity.models import Staff
from app.domain.identity.reasons import Reason
from app.domain.identity.staff_changes import (
    change_roles,
    member_of_staff,
    read_roles,
    reset_totp,
)
from app.domain.identity.staff_invitations import invite
from app.domain.identity.staff_models import Approval
from app.domain.identity.states import Role
from app.domain.states import IllegalMove
from app.errors import AppError
from app.parts import Parts

ROLES = "staff.roles"
RESET = "staff.reset_totp"
INVITATION = "staff.invite"


class OwnersDecide(AppError, status=403):
    """Who holds all roles is decided among owners."""


async def _roles(_: Parts, session: AsyncSession, asked: Approval, by: Actor) -> dict[str, Any]:
    member = await _subject(session, asked, by)
    before, after = asked.arguments["before"], asked.arguments["after"]
    if sorted(member.roles) != before:
        raise IllegalMove(
            f"Meanwhile the roles are {', '.join(sorted(member.roles))}: refuse this, and ask anew."
        )
    await _owners_only(session, by, {*before, *after})
    reason, now = Reason(asked.reason_code, asked.note), datetime.now(UTC)
    await change_roles(session, member, read_roles(after), reason=reason, actor=by, now=now)
    return {"roles": after}


async def _reset(_: Parts, session: AsyncSession, asked: Approval, by: Actor) -> None:
    member = await _subject(session, asked, by)
    await _owners_only(session, by, set(member.roles))
    reason, now = Reason(asked.reason_code, asked.note), datetime.now(UTC)
    await reset_totp(session, member, reason=reason, actor=by, now=now)


async def _invite(
    parts: Parts, session: AsyncSession, asked: Approval, by: Actor
) -> dict[str, Any]:
    told = asked.arguments
    await _owners_only(session, by, set(told["after"]))
    member = await invite(
        session,
        told["email"],
        told["name"],
        read_roles(told["after"]),
        office=parts.settings.office_url,
        reason=Reason(asked.reason_code, asked.note),
        actor=by,
        now=datetime.now(UTC),
    )
    return {"member": str(member.id)}


async def _subject(session: AsyncSession, asked: Approval, by: Actor) -> Staff:
    """Give the member it is about, who does not decide about themselves."""
    member = await member_of_staff(session, UUID(asked.subject_id))
    if member.id == by.id:
        raise OwnRequest("This is about you: another member has to decide.")
    return member


async def _owners_only(session: AsyncSession, by: Actor, roles: set[str]) -> None:
    """Raise OwnersDecide where an owner is made, or no longer is one, and no owner decides."""
    decider = await session.get_one(Staff, by.id)
    if Role.OWNER in roles and Role.OWNER not in decider.roles:
        raise OwnersDecide("This is about an owner: an owner has to decide.")


MEMBER_KINDS: Mapping[str, Kind] = {
    ROLES: Kind(
        title="Change of roles",
        view="staff",
        href="/admin/member/{id}",
        describe=lambda asked: [
            ("Member", asked.arguments["name"]),
            ("Roles now", ", ".join(asked.arguments["before"])),
            ("Roles asked for", ", ".join(asked.arguments["after"])),
            ("Effect", "Their sessions end; the next sign-in has the new roles."),
        ],
        execute=_roles,
    ),
    RESET: Kind(
        title="Another authenticator",
        view="staff",
        href="/admin/member/{id}",
        describe=lambda asked: [
            ("Member", asked.arguments["name"]),
            (
                "Effect",
                (
                    "Authenticator and recovery codes are forgotten and sessions end; whoever has"
                    " the password enrols a new one. Make sure that it was the member who asked."
                ),
            ),
        ],
        execute=_reset,
    ),
    INVITATION: Kind(
        title="New member",
        view="staff",
        href="/admin/staff/list",
        describe=lambda asked: [
            ("Member", asked.arguments["name"]),
            ("E-mail", asked.arguments["email"]),
            ("Roles asked for", ", ".join(asked.arguments["after"])),
            ("Effect", "A letter with a link goes to that address; it makes them a member."),
        ],
        execute=_invite,
    ),
}
