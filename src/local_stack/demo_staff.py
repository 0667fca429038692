"""The demo's staff: a member for each role, and something that waits for another's approval."""

from datetime import UTC, datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import DEMO_PASSWORD
from app.domain.identity.approvals import ask
from app.domain.identity.audit import SYSTEM, Actor, Subject
from app.domain.identity.passwords import UnusablePassword
from app.domain.identity.reasons import Reason
from app.domain.identity.staff import add_staff, keep_demo_password, staff_by_email
from app.domain.identity.staff_models import Approval
from app.domain.identity.states import ApprovalState, Role
from app.parts import Parts
from local_stack.refusal import Refusal

NAMES = {
    Role.SUPPORT: "Sam Support",
    Role.FINANCE: "Fiona Finance",
    Role.RISK: "Rik Risk",
    Role.ADMIN: "Ada Admin",
    Role.AUDITOR: "Otto Auditor",
    Role.OWNER: "Olga Owner",
}
ROLES_KIND = "staff.roles"


async def make_staff(parts: Parts) -> None:
    """Make who is missing, and let all of them sign in with the demo's password.

    One click signs them in as well; their codes come from DEMO_TOTP_SECRET.
    """
    password = parts.settings.demo_password or DEMO_PASSWORD
    try:
        async with parts.sessions.begin() as session:
            for role in NAMES:
                await _make_member(session, role, password)
            await _ask_for_a_role(session)
    except UnusablePassword as error:
        raise Refusal(f"DEMO_PASSWORD: {error}") from None


def email_of(role: Role) -> str:
    return f"{role.value}@example.com"


async def _make_member(session: AsyncSession, role: Role, password: str) -> None:
    member = await staff_by_email(session, email_of(role))
    if member is None:
        email, name = email_of(role), NAMES[role]
        await add_staff(session, email, name, password, [role], actor=SYSTEM, demo=True)
    elif member.demo:
        await keep_demo_password(member, password)


async def _ask_for_a_role(session: AsyncSession) -> None:
    """Have the admin ask that support may help out in finance, unless something waits already."""
    waits = exists().where(Approval.state == ApprovalState.WAITING)
    support = await staff_by_email(session, email_of(Role.SUPPORT))
    admin = await staff_by_email(session, email_of(Role.ADMIN))
    if support is None or admin is None or await session.scalar(select(waits)):
        return
    before = sorted(support.roles)
    after = sorted({*before, Role.FINANCE.value})
    if before == after:
        return
    await ask(
        session,
        ROLES_KIND,
        subject=Subject("staff", str(support.id)),
        arguments={"name": support.name, "before": before, "after": after},
        reason=Reason("changed_work", "Helps finance with refunds in December"),
        by=Actor("staff", admin.id),
        now=datetime.now(UTC),
    )
