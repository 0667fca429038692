"""A request for approval on one page: what is asked for and why, and deciding it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqladmin import expose
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.admin.approvals.kind import Kind, executors, may_decide
from app.admin.approvals.kinds import KINDS
from app.admin.forms import check_csrf, text_field
from app.admin.noting import note_refusal
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.permissions import CHANGE
from app.domain.identity.approvals import approve, refuse, withdraw
from app.domain.identity.models import Staff
from app.domain.identity.reasons import REASONS, ReasonMissing
from app.domain.identity.staff_models import Approval
from app.domain.identity.states import ApprovalState
from app.errors import AppError


class ApprovalPage(OfficePage):
    """`/admin/approval/{id}`."""

    name = "Request for approval"
    view = "approvals"

    @expose("/approval/{pk:uuid}", methods=["GET"], identity="approval")
    async def approval(self, request: Request) -> Response:
        return await self._page(request)

    @expose("/approval/{pk:uuid}/approve", methods=["POST"], identity="approval-approve")
    async def approve(self, request: Request) -> Response:
        """Approve it, which does what it asks for."""
        form, wanted, kind = await self._decided(request)
        parts, key = parts_of(request), wanted.id
        try:
            async with parts.sessions.begin() as session:
                done = await approve(
                    session,
                    key,
                    executors=executors(parts, KINDS),
                    by=request.state.actor,
                    now=datetime.now(UTC),
                    note=text_field(form, "note") or None,
                )
        except AppError as problem:
            return await self._page(request, problem)
        if kind.afterwards is not None:
            await kind.afterwards(parts, done)
        return _back(key)

    @expose("/approval/{pk:uuid}/refuse", methods=["POST"], identity="approval-refuse")
    async def refuse(self, request: Request) -> Response:
        form, wanted, _ = await self._decided(request)
        note = text_field(form, "note")
        try:
            if not note:
                raise ReasonMissing("Note: say why it is refused.")
            async with parts_of(request).sessions.begin() as session:
                by, now = request.state.actor, datetime.now(UTC)
                await refuse(session, wanted.id, note=note, by=by, now=now)
        except AppError as problem:
            return await self._page(request, problem)
        return _back(wanted.id)

    @expose("/approval/{pk:uuid}/withdraw", methods=["POST"], identity="approval-withdraw")
    async def withdraw(self, request: Request) -> Response:
        """Take back what one asked for oneself."""
        require(request, self.view, CHANGE)
        await check_csrf(request)
        key = request.path_params["pk"]
        try:
            async with parts_of(request).sessions.begin() as session:
                await withdraw(session, key, by=request.state.actor, now=datetime.now(UTC))
        except AppError as problem:
            return await self._page(request, problem)
        return _back(key)

    async def _decided(self, request: Request) -> tuple[FormData, Approval, Kind]:
        """Give the form and what it decides. Raises 403 for whoever may not decide such a thing."""
        require(request, self.view, CHANGE)
        async with parts_of(request).sessions() as session:
            wanted = await _found(session, request.path_params["pk"])
        kind = KINDS[wanted.kind]
        if not may_decide(request, kind):
            raise HTTPException(403)
        return await check_csrf(request), wanted, kind

    async def _page(self, request: Request, problem: AppError | None = None) -> Response:
        if problem is not None:
            await note_refusal(request, problem)
        async with parts_of(request).sessions() as session:
            wanted = await _found(session, request.path_params["pk"])
            asked = await session.get(Staff, wanted.requested_by)
            decided = await session.get(Staff, wanted.decided_by) if wanted.decided_by else None
            kind = KINDS[wanted.kind]
            open_ = wanted.state is ApprovalState.WAITING and wanted.expires_at > datetime.now(UTC)
            changed = await kind.changed(session, wanted) if open_ and kind.changed else ""
        own = wanted.requested_by == request.state.staff.id
        told: dict[str, Any] = {
            "wanted": wanted,
            "kind": kind,
            "changed": changed,
            "lines": kind.describe(wanted),
            "href": kind.href.format(id=wanted.subject_id),
            "asked": asked,
            "decided": decided,
            "reason": REASONS.get(wanted.reason_code, wanted.reason_code),
            "expired": wanted.state is ApprovalState.WAITING and not open_,
            "own": own,
            "may_decide": open_ and not own and may_decide(request, kind),
            "may_withdraw": open_ and own,
            "problem": problem,
        }
        status = problem.status_code if problem else 200
        return await self.show(request, "approval.html", told, status)


async def _found(session: AsyncSession, key: UUID) -> Approval:
    wanted = await session.get(Approval, key)
    if wanted is None:
        raise HTTPException(404)
    return wanted


def _back(key: UUID) -> Response:
    return RedirectResponse(f"/admin/approval/{key}", status_code=303)
