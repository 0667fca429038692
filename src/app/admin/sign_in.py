"""The way in and out of the back office: sign-in page, cookie, and who a request is from."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from sqladmin.authentication import AuthenticationBackend
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.admin.cookies import (
    HOME,
    SESSION_COOKIE,
    SIGN_IN,
    forget,
    inside,
    keep_session,
    keep_step,
    name_of,
    visitor,
)
from app.admin.forms import check_csrf, text_field
from app.admin.rendering import Pages
from app.admin.sign_in_code import CODE, CodePages
from app.admin.sign_in_join import JoinPages
from app.admin.troubles import STATUS
from app.domain.identity.audit import Actor
from app.domain.identity.sessions import current, end, note_replay
from app.domain.identity.sign_in import (
    TooManyAttempts,
    WrongPassword,
    give_password,
    sign_in_demo,
)
from app.domain.identity.staff import demo_staff
from app.errors import AppError
from app.parts import Parts


class DemoClosed(AppError, status=403):
    """One-click sign-in exists only where the card network is simulated."""


class StaffSessions(AuthenticationBackend):
    """Asks our own sessions, by our own cookie. SQLAdmin's session cookie stays out."""

    def __init__(self) -> None:
        self.middlewares = []

    async def authenticate(self, request: Request) -> Response | bool:
        """Put the member behind the request into its state, or send the visitor to sign in."""
        parts: Parts = request.state.parts
        token = request.cookies.get(name_of(SESSION_COOKIE, parts.settings), "")
        seen, now = request.url.path != STATUS, datetime.now(UTC)
        staff = await current(parts.sessions, token, now, seen=seen) if token else None
        came = visitor(request)
        if staff is None:
            if token:
                await note_replay(parts.sessions, token, came)
            return RedirectResponse(_sign_in_and_back(request), status_code=303)
        request.state.staff = staff
        request.state.actor = Actor("staff", staff.id, came.address, came.request_id)
        return True


class SignInPages:
    """GET and POST /admin/login, POST /admin/login/demo, POST /admin/logout; and the codes."""

    def __init__(self, pages: Pages, backend: StaffSessions) -> None:
        self.pages = pages
        self.backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.show, methods=["GET"], name="login"),
            Route("/login", self.sign_in, methods=["POST"]),
            Route("/login/demo", self.sign_in_demo, methods=["POST"]),
            Route("/logout", self.sign_out, methods=["POST"], name="logout"),
            *CodePages(self.pages).routes(),
            *JoinPages(self.pages).routes(),
        ]

    async def show(self, request: Request) -> Response:
        if await self.backend.authenticate(request) is True:
            return RedirectResponse(inside(request.query_params.get("next")), status_code=303)
        return await self._page(request)

    async def sign_in(self, request: Request) -> Response:
        """Take the password, and go on to the code."""
        form = await request.form()
        email = text_field(form, "email")
        password = form.get("password")
        parts: Parts = request.state.parts
        try:
            token = await give_password(
                parts.sessions,
                email,
                password if isinstance(password, str) else "",
                actor=visitor(request),
                now=datetime.now(UTC),
                demo=parts.settings.simulated,
            )
        except (WrongPassword, TooManyAttempts) as refusal:
            return await self._page(request, email=email, refusal=refusal)
        onward = inside(text_field(form, "next"))
        query = f"?{urlencode({'next': onward})}" if onward != HOME else ""
        response = RedirectResponse(f"{CODE}{query}", status_code=303)
        keep_step(response, parts.settings, token)
        return response

    async def sign_in_demo(self, request: Request) -> Response:
        parts: Parts = request.state.parts
        if not parts.settings.simulated:
            raise DemoClosed("One-click sign-in is for the simulated card network only.")
        form = await request.form()
        token = await sign_in_demo(
            parts.sessions,
            text_field(form, "email"),
            actor=visitor(request),
            user_agent=request.headers.get("user-agent", ""),
            now=datetime.now(UTC),
        )
        response = RedirectResponse(inside(text_field(form, "next")), status_code=303)
        keep_session(response, parts.settings, token)
        return response

    async def sign_out(self, request: Request) -> Response:
        parts: Parts = request.state.parts
        if await self.backend.authenticate(request) is True:
            await check_csrf(request)
            async with parts.sessions.begin() as session:
                await end(session, request.state.staff, request.state.actor, datetime.now(UTC))
        response = RedirectResponse(SIGN_IN, status_code=303)
        forget(response, parts.settings, SESSION_COOKIE)
        return response

    async def _page(
        self, request: Request, *, email: str = "", refusal: AppError | None = None
    ) -> Response:
        parts: Parts = request.state.parts
        demo = []
        if parts.settings.simulated:
            async with parts.sessions() as session:
                demo = await demo_staff(session)
        given = request.query_params.get("next") or text_field(await request.form(), "next")
        told = {"email": email, "refusal": refusal, "demo": demo, "next": inside(given)}
        response = await self.pages.render(
            request, "sign_in.html", told, status_code=refusal.status_code if refusal else 200
        )
        if isinstance(refusal, TooManyAttempts):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response


def _sign_in_and_back(request: Request) -> str:
    """Where to sign in, remembering the page that was asked for when it can be asked for again."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET" or wanted == HOME:
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(wanted)}"
