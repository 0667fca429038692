"""Members of staff who are invited: a letter with a link lets them choose a password of their own.

Nobody else ever sees it. The next step of the same sign-in enrols their authenticator.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.customer_sessions import hashed, new_token
from app.domain.identity.letters import staff_invitation
from app.domain.identity.models import Staff
from app.domain.identity.password_rules import refuse_guessable
from app.domain.identity.passwords import hash_password
from app.domain.identity.reasons import Reason
from app.domain.identity.staff import StaffEmailTaken, UnusableMember, staff_by_email
from app.domain.identity.staff_challenges import challenge
from app.domain.identity.staff_models import StaffInvitation
from app.domain.identity.states import Role, StaffState
from app.domain.mailing.outbox import post
from app.errors import AppError

LASTS = timedelta(days=3)
LONGEST_NAME = 100


class InvitationOver(AppError, status=410):
    """The link was used, has expired, or never was one."""


def read_newcomer(email: str, name: str) -> tuple[str, str]:
    """Give the e-mail address and the name of who is to be invited. Raises UnusableMember."""
    email, name = email.strip().lower(), " ".join(name.split())
    local, _, host = email.partition("@")
    if not local or "." not in host or not email.isprintable() or " " in email:
        raise UnusableMember("Email: an address such as grace@example.com.")
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UnusableMember(f"Name: one of at most {LONGEST_NAME} characters.")
    return email, name


async def refuse_known(session: AsyncSession, email: str) -> None:
    """Raise StaffEmailTaken where somebody on the staff has this address."""
    if await staff_by_email(session, email) is not None:
        raise StaffEmailTaken(f"Email: {email} is a member of staff already.")


async def invite(
    session: AsyncSession,
    email: str,
    name: str,
    roles: Iterable[Role],
    *,
    office: str,
    reason: Reason,
    actor: Actor,
    now: datetime,
) -> Staff:
    """Add a member who has no password yet, and write them the letter with their link.

    `office`: where the back office is, without a slash on its end. Raises StaffEmailTaken.
    """
    await refuse_known(session, email)
    held = sorted(role.value for role in roles)
    member = Staff(email=email, name=name, password_hash=None, roles=held, demo=False)
    session.add(member)
    await session.flush()
    record(
        session,
        actor,
        "staff.invite",
        subject=member,
        after={"roles": held},
        reason_code=reason.code,
        reason=reason.note,
    )
    await _write(session, member, office, now)
    return member


async def invite_again(
    session: AsyncSession,
    member: Staff,
    *,
    office: str,
    reason: Reason,
    actor: Actor,
    now: datetime,
) -> None:
    """Write a member who has no password yet another letter; links of earlier ones end."""
    await session.execute(
        update(StaffInvitation)
        .where(StaffInvitation.staff_id == member.id, StaffInvitation.used_at.is_(None))
        .values(used_at=now)
    )
    code, note = reason.code, reason.note
    record(session, actor, "staff.invite_again", subject=member, reason_code=code, reason=note)
    await _write(session, member, office, now)


async def invited(sessions: Sessions, token: str, now: datetime) -> Staff:
    """Give whom a link invites, while it works. Raises InvitationOver."""
    async with sessions() as session:
        return (await _found(session, token, now))[1]


async def accept(
    sessions: Sessions, token: str, password: str, *, actor: Actor, now: datetime
) -> str:
    """Keep the password that an invited member chose; give the token of their sign-in's next step.

    Raises InvitationOver and UnusablePassword.
    """
    refuse_guessable(password, (await invited(sessions, token, now)).email)
    kept = await hash_password(password)
    async with sessions.begin() as session:
        invitation, member = await _found(session, token, now, lock=True)
        invitation.used_at = now
        member.password_hash = kept
        told = Actor("staff", member.id, actor.address, actor.request_id)
        record(session, told, "staff.join", subject=member)
        return challenge(session, member, now)


async def _write(session: AsyncSession, member: Staff, office: str, now: datetime) -> None:
    token = new_token()
    session.add(
        StaffInvitation(
            id=uuid7(), staff_id=member.id, token_hash=hashed(token), expires_at=now + LASTS
        )
    )
    letter = staff_invitation(member.name, office, LASTS.days)
    await post(session, member.email, letter, secret=token)


async def _found(
    session: AsyncSession, token: str, now: datetime, *, lock: bool = False
) -> tuple[StaffInvitation, Staff]:
    query = (
        select(StaffInvitation, Staff)
        .join(Staff, Staff.id == StaffInvitation.staff_id)
        .where(
            StaffInvitation.token_hash == hashed(token),
            StaffInvitation.used_at.is_(None),
            StaffInvitation.expires_at > now,
            Staff.state == StaffState.ACTIVE,
        )
    )
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise InvitationOver("This link was used, or is too old. Ask whoever invited you.")
    return row[0], row[1]
