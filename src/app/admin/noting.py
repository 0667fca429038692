"""What the trail is told of beside changes: reads of personal data, files, and refused pages."""

from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.admin.cookies import SESSION_COOKIE, name_of, visitor
from app.card_numbers import without_card_numbers
from app.db import Table
from app.domain.identity.audit import Actor, Subject, record
from app.domain.identity.sessions import current
from app.errors import AppError
from app.parts import Parts

FORBIDDEN = 403
LONGEST = 200


async def note(
    request: Request,
    action: str,
    subject: Table | Subject,
    after: dict[str, Any] | None = None,
    *,
    reason: str | None = None,
) -> None:
    """Write down what the member behind the request has looked at, in a transaction of its own.

    Reads are named `noun.read`, and files `noun.export`; `after` says how much of what.
    """
    parts: Parts = request.state.parts
    told = {
        name: without_card_numbers(value) if isinstance(value, str) else value
        for name, value in (after or {}).items()
    } or None
    async with parts.sessions.begin() as session:
        record(session, request.state.actor, action, subject=subject, after=told, reason=reason)


async def note_foreign(request: Request, refusal: HTTPException) -> None:
    """Write down that a request which another site set off was refused, where a member's it was."""
    parts: Parts = request.state.parts
    token = request.cookies.get(name_of(SESSION_COOKIE, parts.settings), "")
    staff = await current(parts.sessions, token, datetime.now(UTC), seen=False) if token else None
    if staff is not None:
        came = visitor(request)
        request.state.actor = Actor("staff", staff.id, came.address, came.request_id)
        await note_refusal(request, refusal)


async def note_refusal(request: Request, error: Exception) -> None:
    """Write down that a member was refused a page or an action for want of the right to it."""
    status = error.status_code if isinstance(error, HTTPException | AppError) else None
    if status != FORBIDDEN or getattr(request.state, "actor", None) is None:
        return
    page = Subject("page", without_card_numbers(request.url.path[:LONGEST]))
    said = error.detail if isinstance(error, HTTPException) else str(error)
    told = {"method": request.method, "said": said}
    await note(request, "page.forbidden", page, told)
