"""Colleagues named in a note, as @grace: they are told that it is there, and not what it says."""

import re

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor
from app.domain.identity.models import Customer, Staff
from app.domain.identity.staff_letters import mentioned, write_to
from app.domain.identity.states import StaffState

_AT = re.compile(r"(?<![\w.@])@([\w.+-]*\w(?:@[\w.-]*\w)?)")
MOST = 10


async def tell_mentioned(
    session: AsyncSession, words: str, customer: Customer, actor: Actor
) -> list[str]:
    """Write to the members that a note names, in the caller's transaction; give their names.

    A member is named by what their e-mail address has before its @, or by the whole of it. Who is
    disabled, and who wrote the note, gets no letter; what names nobody is only text.
    """
    names = sorted({found.lower() for found in _AT.findall(words)})[:MOST]
    if not names:
        return []
    email = func.lower(Staff.email)
    found = await session.scalars(
        select(Staff)
        .where(
            or_(email.in_(names), func.split_part(email, "@", 1).in_(names)),
            Staff.state == StaffState.ACTIVE,
        )
        .order_by(Staff.name)
        .limit(MOST)
    )
    members = found.all()
    author = await session.get_one(Staff, actor.id)
    told = [one for one in members if one.id != author.id]
    for one in told:
        await write_to(session, one, mentioned(author.name, f"/admin/customer/{customer.id}#notes"))
    return [one.name for one in told]
