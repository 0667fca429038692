"""A member's own account: where they are signed in, and their recovery codes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqladmin import expose
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.admin.cookies import keys_of
from app.admin.forms import check_csrf, text_field
from app.admin.pages.member import codes_left, found_member, open_sessions
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.permissions import CHANGE
from app.domain.identity.passwords import UnusablePassword
from app.domain.identity.sessions import end_others, end_own
from app.domain.identity.sign_in import TooManyAttempts, WrongPassword
from app.domain.identity.staff_codes import Browser, WrongStaffCode, renew_codes
from app.domain.identity.staff_passwords import change_own_password
from app.errors import AppError

ACCOUNT = "/admin/account"


class AccountPage(OfficePage):
    """`/admin/account`."""

    name = "Your account"
    view = "account"

    @expose("/account", methods=["GET"], identity="account")
    async def account(self, request: Request) -> Response:
        return await self._page(request)

    @expose("/account/sessions/{pk:uuid}/end", methods=["POST"], identity="account-end")
    async def end(self, request: Request) -> Response:
        """End one of the member's own sessions, be it this one."""
        require(request, self.view, CHANGE)
        await check_csrf(request)
        now, key = datetime.now(UTC), request.path_params["pk"]
        async with parts_of(request).sessions.begin() as session:
            actor = request.state.actor
            if not await end_own(session, request.state.staff, key, actor, now):
                raise HTTPException(404)
        return RedirectResponse(ACCOUNT, status_code=303)

    @expose("/account/end-others", methods=["POST"], identity="account-end-others")
    async def end_others(self, request: Request) -> Response:
        """End all of the member's sessions but this one."""
        require(request, self.view, CHANGE)
        await check_csrf(request)
        async with parts_of(request).sessions.begin() as session:
            now = datetime.now(UTC)
            await end_others(session, request.state.staff, request.state.actor, now)
        return RedirectResponse(ACCOUNT, status_code=303)

    @expose("/account/recovery-codes", methods=["POST"], identity="account-codes")
    async def codes(self, request: Request) -> Response:
        """Give new recovery codes for a code of the authenticator; shown this once."""
        require(request, self.view, CHANGE)
        form = await check_csrf(request)
        parts = parts_of(request)
        agent = request.headers.get("user-agent", "")
        try:
            codes = await renew_codes(
                parts.sessions,
                request.state.staff.id,
                text_field(form, "code"),
                keys=keys_of(parts),
                browser=Browser(request.state.actor, agent, datetime.now(UTC)),
            )
        except (WrongStaffCode, TooManyAttempts) as problem:
            return await self._page(request, problem)
        told = {"codes": codes, "next": ACCOUNT}
        return await self.templates.TemplateResponse(request, "recovery_codes.html", told)

    @expose("/account/password", methods=["POST"], identity="account-password")
    async def password(self, request: Request) -> Response:
        """Change the member's password, for the one they have now."""
        require(request, self.view, CHANGE)
        form = await check_csrf(request)
        try:
            await change_own_password(
                parts_of(request).sessions,
                request.state.staff,
                _typed(form, "current"),
                _typed(form, "wanted"),
                actor=request.state.actor,
                now=datetime.now(UTC),
            )
        except (WrongPassword, UnusablePassword, TooManyAttempts) as problem:
            return await self._page(request, problem)
        return RedirectResponse(f"{ACCOUNT}?done=password", status_code=303)

    async def _page(self, request: Request, problem: AppError | None = None) -> Response:
        key: UUID = request.state.staff.id
        async with parts_of(request).sessions() as session:
            told: dict[str, Any] = {
                "member": await found_member(session, key),
                "sessions": await open_sessions(session, key, datetime.now(UTC)),
                "this": request.state.staff.session_id,
                "codes_left": await codes_left(session, key),
                "problem": problem,
                "changed": request.query_params.get("done") == "password",
            }
        status = problem.status_code if problem else 200
        return await self.show(request, "account.html", told, status)


def _typed(form: FormData, name: str) -> str:
    """Give a password as it was typed, spaces at its ends too."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
