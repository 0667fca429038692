"""What waits for a person, queue by queue, and who has taken which on."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqladmin import expose
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.admin.forms import check_csrf, text_field
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.pages.queue_kinds import QUEUES, QueueKind
from app.admin.permissions import TAKE, allowed
from app.domain.identity.desk import give_back, take, taken
from app.domain.identity.sessions import SignedIn
from app.errors import AppError

COUNTED = 1_000
SHOWN = 25


class Item(msgspec.Struct, frozen=True):
    """Something that waits. `holder` has taken it on."""

    key: str
    what: str
    since: datetime
    amount_minor: int | None
    href: str
    holder: tuple[UUID, str] | None


class Queue(msgspec.Struct, frozen=True):
    """What waits of one kind, the oldest first; `count` stops at COUNTED."""

    kind: QueueKind
    count: int
    items: list[Item]
    holders: list[str]


class QueuesPage(OfficePage):
    """`/admin/queues`."""

    name = "To do"
    view = "queues"

    @expose("/queues", methods=["GET"], identity="queues")
    async def queues(self, request: Request) -> Response:
        return await self._page(request, None)

    @expose("/queues/{queue}/{act}", methods=["POST"], identity="queues-take")
    async def change(self, request: Request) -> Response:
        """Take something on, or give it back."""
        kind, act = QUEUES.get(request.path_params["queue"]), request.path_params["act"]
        if kind is None or act not in {"take", "give-back"}:
            raise HTTPException(404)
        require(request, self.view, TAKE)
        require(request, kind.view, "see")
        form = await check_csrf(request)
        work = take if act == "take" else give_back
        key = text_field(form, "key")
        try:
            async with parts_of(request).sessions.begin() as session:
                if act == "take" and not await _waits(session, kind, key):
                    raise HTTPException(409, "This does not wait any more.")
                await work(session, kind.name, key, request.state.actor)
        except AppError as problem:
            return await self._page(request, problem)
        return RedirectResponse(f"/admin/queues#{kind.name}", status_code=303)

    async def _page(self, request: Request, problem: AppError | None) -> Response:
        async with parts_of(request).sessions() as session:
            found = await waiting(session, request.state.staff, SHOWN)
        told = {
            "queues": found,
            "problem": problem,
            "may_take": allowed(request.state.staff, self.view, TAKE),
            "counted": COUNTED,
        }
        status = problem.status_code if problem else 200
        return await self.show(request, "queues.html", told, status)


async def waiting(session: AsyncSession, staff: SignedIn, most: int) -> list[Queue]:
    """Give what waits for a member, of what the member may see."""
    holders = await taken(session)
    kinds = [kind for kind in QUEUES.values() if allowed(staff, kind.view)]
    return [await _read(session, kind, holders, most) for kind in kinds]


async def _read(
    session: AsyncSession,
    kind: QueueKind,
    holders: dict[tuple[str, str], tuple[UUID, str]],
    most: int,
) -> Queue:
    counted = text(f"SELECT count(*) FROM (SELECT FROM ({kind.rows}) AS one LIMIT {COUNTED}) AS n")  # noqa: S608
    count = await session.scalar(counted) or 0
    found: list[Any] = []
    if count and most:
        listed = text(f"SELECT * FROM ({kind.rows}) AS one ORDER BY since, key LIMIT {most}")  # noqa: S608
        found = list(await session.execute(listed))
    items = [
        Item(
            row.key,
            kind.names.get(row.what, row.what),
            row.since,
            row.amount_minor,
            kind.item + row.leads_to,
            holders.get((kind.name, row.key)),
        )
        for row in found
    ]
    names = {name for (queue, _), (_, name) in holders.items() if queue == kind.name}
    return Queue(kind, count, items, sorted(names) if count else [])


async def _waits(session: AsyncSession, kind: QueueKind, key: str) -> bool:
    statement = text(f"SELECT 1 FROM ({kind.rows}) AS one WHERE key = :key")  # noqa: S608
    return await session.scalar(statement, {"key": key}) is not None
