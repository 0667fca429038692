"""What is done about a member of the staff: each on its own page, with a reason, on the trail."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqladmin import expose
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.admin.approvals.members import RESET
from app.admin.approvals.members import ROLES as ROLES_KIND
from app.admin.forms import check_csrf, text_field
from app.admin.pages.member import found_member
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.permissions import DISABLE, END_SESSIONS, RESET_TOTP, ROLES
from app.domain.identity.approvals import ask
from app.domain.identity.audit import Actor, Subject
from app.domain.identity.models import Staff
from app.domain.identity.reasons import REASONS, Reason, read_reason
from app.domain.identity.staff_changes import (
    end_member_sessions,
    member_of_staff,
    read_roles,
    shut_out,
)
from app.domain.identity.states import Role
from app.errors import AppError

Work = Callable[[AsyncSession, Staff, Reason, Actor, FormData], Awaitable[str]]
"""Does it in the session's transaction, and gives the address to go on to."""


class NothingNew(AppError, status=422):
    """The form asks for what is so already."""


class Act(msgspec.Struct, frozen=True):
    """Something that is done about a member: how its page tells it, and what it does."""

    action: str
    title: str
    effects: tuple[str, ...]
    reasons: tuple[str, ...]
    work: Work
    asks: bool = False


class MemberActs(OfficePage):
    """`/admin/member/{id}/…`: roles, reset-totp, disable, end-sessions."""

    name = "Change of a member"
    view = "staff"

    @expose("/member/{pk:uuid}/roles", methods=["GET", "POST"], identity="member-roles")
    async def roles(self, request: Request) -> Response:
        return await self._act(request, _ROLES)

    @expose("/member/{pk:uuid}/reset-totp", methods=["GET", "POST"], identity="member-reset")
    async def reset(self, request: Request) -> Response:
        return await self._act(request, _RESET)

    @expose("/member/{pk:uuid}/disable", methods=["GET", "POST"], identity="member-disable")
    async def disable(self, request: Request) -> Response:
        return await self._act(request, _DISABLE)

    @expose("/member/{pk:uuid}/end-sessions", methods=["GET", "POST"], identity="member-end")
    async def end(self, request: Request) -> Response:
        return await self._act(request, _END)

    async def _act(self, request: Request, act: Act) -> Response:
        require(request, self.view, act.action)
        if request.method == "GET":
            return await self._page(request, act)
        form = await check_csrf(request)
        try:
            reason = read_reason(text_field(form, "reason"), text_field(form, "note"), act.reasons)
            async with parts_of(request).sessions.begin() as session:
                member = await member_of_staff(session, request.path_params["pk"])
                onward = await act.work(session, member, reason, request.state.actor, form)
        except AppError as problem:
            return await self._page(request, act, form, problem)
        return RedirectResponse(onward, status_code=303)

    async def _page(
        self,
        request: Request,
        act: Act,
        form: FormData | None = None,
        problem: AppError | None = None,
    ) -> Response:
        async with parts_of(request).sessions() as session:
            member = await found_member(session, request.path_params["pk"])
        typed = form or FormData()
        told: dict[str, Any] = {
            "act": act,
            "member": member,
            "reasons": {code: REASONS[code] for code in act.reasons},
            "reason": text_field(typed, "reason"),
            "note": text_field(typed, "note"),
            "roles": list(Role) if act.action == ROLES else [],
            "held": typed.getlist("roles") if form else member.roles,
            "problem": problem,
        }
        status = problem.status_code if problem else 200
        return await self.show(request, "member_act.html", told, status)


async def _ask_roles(
    session: AsyncSession, member: Staff, reason: Reason, actor: Actor, form: FormData
) -> str:
    wanted = read_roles(role for role in form.getlist("roles") if isinstance(role, str))
    before, after = sorted(member.roles), sorted(role.value for role in wanted)
    if before == after:
        raise NothingNew("Roles: these are the member's roles already.")
    arguments = {"name": member.name, "before": before, "after": after}
    return await _asked(session, ROLES_KIND, member, arguments, reason, actor)


async def _ask_reset(
    session: AsyncSession, member: Staff, reason: Reason, actor: Actor, _: FormData
) -> str:
    return await _asked(session, RESET, member, {"name": member.name}, reason, actor)


async def _disable(
    session: AsyncSession, member: Staff, reason: Reason, actor: Actor, _: FormData
) -> str:
    await shut_out(session, member, reason=reason, actor=actor, now=datetime.now(UTC))
    return f"/admin/member/{member.id}"


async def _end(
    session: AsyncSession, member: Staff, reason: Reason, actor: Actor, _: FormData
) -> str:
    now = datetime.now(UTC)
    await end_member_sessions(session, member, reason=reason, actor=actor, now=now)
    return f"/admin/member/{member.id}"


async def _asked(  # noqa: PLR0917  what `ask` wants, in order
    session: AsyncSession,
    kind: str,
    member: Staff,
    arguments: dict[str, Any],
    reason: Reason,
    actor: Actor,
) -> str:
    subject = Subject("staff", str(member.id))
    now = datetime.now(UTC)
    wanted = await ask(
        session, kind, subject=subject, arguments=arguments, reason=reason, by=actor, now=now
    )
    return f"/admin/approval/{wanted.id}"


_ROLES = Act(
    action=ROLES,
    title="Change roles",
    effects=(
        (
            "Another member with the role admin or owner has to approve it within 24 hours; an"
            " owner where it is about an owner."
        ),
        "Once approved, the member's sessions end, and the next sign-in has the new roles.",
    ),
    reasons=("changed_work", "joined", "left", "policy", "other"),
    work=_ask_roles,
    asks=True,
)
_RESET = Act(
    action=RESET_TOTP,
    title="Let enrol another authenticator",
    effects=(
        "Another member with the role admin or owner has to approve it within 24 hours.",
        (
            "Once approved, authenticator and recovery codes are forgotten and sessions end; the"
            " next sign-in with the password enrols a new authenticator."
        ),
        "Make sure by another way, such as a call, that the member asked for it.",
    ),
    reasons=("lost_authenticator", "policy", "other"),
    work=_ask_reset,
    asks=True,
)
_DISABLE = Act(
    action=DISABLE,
    title="Disable",
    effects=(
        "Every session of the member ends at once, and they cannot sign in any more.",
        "What they did stays on the trail. What they asked for can still be refused.",
    ),
    reasons=("left", "fraud_suspected", "policy", "other"),
    work=_disable,
)
_END = Act(
    action=END_SESSIONS,
    title="End all sessions",
    effects=("The member is signed out everywhere at once, and can sign in again.",),
    reasons=("fraud_suspected", "lost_authenticator", "policy", "other"),
    work=_end,
)
