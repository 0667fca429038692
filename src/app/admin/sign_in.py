"""The way in and out of the back office: sign-in page, cookie, and who a request is from."""

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from sqladmin.authentication import AuthenticationBackend
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.admin.forms import check_csrf, text_field
from app.admin.rendering import Pages
from app.config import Settings
from app.domain.identity.audit import Actor
from app.domain.identity.sessions import LONGEST, current, end
from app.domain.identity.sign_in import TooManyAttempts, WrongPassword, sign_in, sign_in_demo
from app.domain.identity.staff import demo_staff
from app.errors import AppError
from app.parts import Parts

HOME = "/admin/"
SIGN_IN = "/admin/login"


class DemoClosed(AppError, status=403):
    """One-click sign-in exists only where the card network is simulated."""


def cookie_name(settings: Settings) -> str:
    """Over plain http no browser takes a `__Host-` cookie, so it has another name there."""
    return "__Host-proxycard_staff" if settings.https else "proxycard_staff"


def visitor(request: Request) -> Actor:
    """Tell where a request comes from, before anybody has signed in."""
    address = request.client.host if request.client else None
    return Actor("visitor", None, address, request.state.request_id)


class StaffSessions(AuthenticationBackend):
    """Asks our own sessions, by our own cookie. SQLAdmin's session cookie stays out."""

    def __init__(self) -> None:
        self.middlewares = []

    async def authenticate(self, request: Request) -> Response | bool:
        """Put the member behind the request into its state, or send the visitor to sign in."""
        parts: Parts = request.state.parts
        token = request.cookies.get(cookie_name(parts.settings), "")
        staff = await current(parts.sessions, token, datetime.now(UTC)) if token else None
        if staff is None:
            return RedirectResponse(_sign_in_and_back(request), status_code=303)
        came = visitor(request)
        request.state.staff = staff
        request.state.actor = Actor("staff", staff.id, came.address, came.request_id)
        return True


class SignInPages:
    """GET and POST /admin/login, POST /admin/login/demo, POST /admin/logout."""

    def __init__(self, pages: Pages, backend: StaffSessions) -> None:
        self.pages = pages
        self.backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.show, methods=["GET"], name="login"),
            Route("/login", self.sign_in, methods=["POST"]),
            Route("/login/demo", self.sign_in_demo, methods=["POST"]),
            Route("/logout", self.sign_out, methods=["POST"], name="logout"),
        ]

    async def show(self, request: Request) -> Response:
        if await self.backend.authenticate(request) is True:
            return RedirectResponse(_inside(request.query_params.get("next")), status_code=303)
        return await self._page(request)

    async def sign_in(self, request: Request) -> Response:
        form = await request.form()
        email = text_field(form, "email")
        password = form.get("password")
        parts: Parts = request.state.parts
        try:
            token = await sign_in(
                parts.sessions,
                email,
                password if isinstance(password, str) else "",
                actor=visitor(request),
                user_agent=request.headers.get("user-agent", ""),
                now=datetime.now(UTC),
            )
        except (WrongPassword, TooManyAttempts) as refusal:
            return await self._page(request, email=email, refusal=refusal)
        return _let_in(parts.settings, token, text_field(form, "next"))

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
        return _let_in(parts.settings, token, text_field(form, "next"))

    async def sign_out(self, request: Request) -> Response:
        parts: Parts = request.state.parts
        if await self.backend.authenticate(request) is True:
            await check_csrf(request)
            async with parts.sessions.begin() as session:
                await end(session, request.state.staff, request.state.actor, datetime.now(UTC))
        response = RedirectResponse(SIGN_IN, status_code=303)
        response.delete_cookie(
            cookie_name(parts.settings),
            path="/",
            secure=parts.settings.https,
            httponly=True,
            samesite="strict",
        )
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
        told = {"email": email, "refusal": refusal, "demo": demo, "next": _inside(given)}
        response = await self.pages.render(
            request, "sign_in.html", told, status_code=refusal.status_code if refusal else 200
        )
        if isinstance(refusal, TooManyAttempts):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response


def _let_in(settings: Settings, token: str, onward: str) -> Response:
    response = RedirectResponse(_inside(onward), status_code=303)
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="strict",
    )
    return response


def _sign_in_and_back(request: Request) -> str:
    """Where to sign in, remembering the page that was asked for when it can be asked for again."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET" or wanted == HOME:
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(wanted)}"


def _inside(onward: str | None) -> str:
    """Give the page to go on to: one of ours, whatever the address said."""
    parted = urlsplit(onward or "")
    ours = parted.path.startswith(HOME) and not parted.path.startswith(SIGN_IN)
    if not ours or parted.scheme or parted.netloc or "\\" in parted.path:
        return HOME
    return parted.path + (f"?{parted.query}" if parted.query else "")
