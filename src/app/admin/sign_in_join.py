"""The first way in of an invited member: a password of their own, then an authenticator."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.admin.cookies import keep_step, visitor
from app.admin.rendering import Pages
from app.admin.sign_in_code import CODE
from app.domain.identity.passwords import SHORTEST_PASSWORD, UnusablePassword
from app.domain.identity.staff_invitations import InvitationOver, accept, invited
from app.errors import AppError
from app.parts import Parts


class PasswordsDiffer(AppError, status=422):
    """The password was typed in two ways."""


class JoinPages:
    """GET and POST /admin/login/join, by the link of a letter."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/login/join", self.show, methods=["GET"], name="login-join"),
            Route("/login/join", self.join, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        return await self._page(request, request.query_params.get("token", ""))

    async def join(self, request: Request) -> Response:
        """Keep the password, and go on to the authenticator."""
        form, parts = await request.form(), _parts(request)
        token, password, again = (form.get(name) for name in ("token", "password", "again"))
        given = token if isinstance(token, str) else ""
        if not isinstance(password, str) or password != again:
            differ = PasswordsDiffer("The two passwords differ.")
            return await self._page(request, given, differ)
        try:
            now = datetime.now(UTC)
            step = await accept(parts.sessions, given, password, actor=visitor(request), now=now)
        except (UnusablePassword, InvitationOver) as refusal:
            return await self._page(request, given, refusal)
        response = RedirectResponse(CODE, status_code=303)
        keep_step(response, parts.settings, step)
        return response

    async def _page(
        self, request: Request, token: str, refusal: AppError | None = None
    ) -> Response:
        told: dict[str, Any] = {"token": token, "shortest": SHORTEST_PASSWORD, "who": None}
        try:
            told["who"] = await invited(_parts(request).sessions, token, datetime.now(UTC))
        except InvitationOver as over:
            refusal = over
        status = refusal.status_code if refusal else 200
        return await self.pages.render(
            request, "sign_in_join.html", told | {"refusal": refusal}, status
        )


def _parts(request: Request) -> Parts:
    parts: Parts = request.state.parts
    return parts
