"""The second step of signing in: the code, and before the first one, enrolling an authenticator."""

from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.admin.cookies import (
    SIGN_IN,
    STEP_COOKIE,
    forget,
    inside,
    keep_session,
    keys_of,
    name_of,
    visitor,
)
from app.admin.forms import text_field
from app.admin.rendering import Pages
from app.domain.identity.one_time_codes import address_of, picture_of
from app.domain.identity.sign_in import TooManyAttempts
from app.domain.identity.staff_challenges import ChallengeOver
from app.domain.identity.staff_codes import (
    Browser,
    Challenged,
    EnrolledAlready,
    WrongStaffCode,
    challenged,
    enrol,
    give_code,
)
from app.errors import AppError
from app.parts import Parts

CODE = "/admin/login/code"
ENROL = "/admin/login/enrol"
ISSUER = "Proxycard staff"


class CodePages:
    """GET and POST /admin/login/code and /admin/login/enrol, once the password was right."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/login/code", self.show_code, methods=["GET"], name="login-code"),
            Route("/login/code", self.code, methods=["POST"]),
            Route("/login/enrol", self.show_enrol, methods=["GET"], name="login-enrol"),
            Route("/login/enrol", self.enrol, methods=["POST"]),
        ]

    async def show_code(self, request: Request) -> Response:
        """Ask for the code; who has no authenticator yet is sent to enrol one."""
        who, onward = await _challenged(request), request.query_params.get("next", "")
        if who is None:
            return RedirectResponse(SIGN_IN, status_code=303)
        if who.secret is not None:
            return RedirectResponse(f"{ENROL}?{request.url.query}", status_code=303)
        return await self._page(request, "sign_in_code.html", {"who": who, "next": inside(onward)})

    async def code(self, request: Request) -> Response:
        """Sign in with a code."""
        form = await request.form()
        onward = inside(text_field(form, "next"))
        parts: Parts = request.state.parts
        try:
            token = await give_code(
                parts.sessions,
                _token(request),
                text_field(form, "code"),
                keys=keys_of(parts),
                browser=browser_of(request),
            )
        except ChallengeOver:
            return RedirectResponse(SIGN_IN, status_code=303)
        except (WrongStaffCode, TooManyAttempts) as refusal:
            who = await _challenged(request)
            told = {"who": who, "next": onward, "refusal": refusal}
            return await self._page(request, "sign_in_code.html", told)
        response = RedirectResponse(onward, status_code=303)
        return _let_in(request, response, token)

    async def show_enrol(self, request: Request) -> Response:
        """Show the secret of a new authenticator, as a picture and in letters."""
        who, onward = await _challenged(request), request.query_params.get("next", "")
        if who is None or who.secret is None:
            return RedirectResponse(SIGN_IN if who is None else CODE, status_code=303)
        return await self._enrol_page(request, who, inside(onward))

    async def enrol(self, request: Request) -> Response:
        """Sign in with the new authenticator's first code, and show the recovery codes once."""
        form = await request.form()
        onward = inside(text_field(form, "next"))
        parts: Parts = request.state.parts
        try:
            token, codes = await enrol(
                parts.sessions,
                _token(request),
                text_field(form, "code"),
                keys=keys_of(parts),
                browser=browser_of(request),
            )
        except (ChallengeOver, EnrolledAlready):
            return RedirectResponse(SIGN_IN, status_code=303)
        except (WrongStaffCode, TooManyAttempts) as refusal:
            who = await _challenged(request)
            assert who is not None
            return await self._enrol_page(request, who, onward, refusal)
        told = {"codes": codes, "next": onward}
        return _let_in(request, await self._page(request, "recovery_codes.html", told), token)

    async def _enrol_page(
        self, request: Request, who: Challenged, onward: str, refusal: AppError | None = None
    ) -> Response:
        assert who.secret is not None
        # Drawn by the library from characters of ours: markup, and no text of anybody's.
        picture = Markup(picture_of(address_of(who.secret, who.email, ISSUER)))  # noqa: S704
        letters = " ".join(who.secret[at : at + 4] for at in range(0, len(who.secret), 4))
        told = {"who": who, "next": onward, "refusal": refusal}
        return await self._page(
            request, "sign_in_enrol.html", told | {"picture": picture, "letters": letters}
        )

    async def _page(self, request: Request, name: str, told: dict[str, Any]) -> Response:
        refusal = told.setdefault("refusal", None)
        status = refusal.status_code if refusal else 200
        response = await self.pages.render(request, name, told, status)
        if isinstance(refusal, TooManyAttempts):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response


def browser_of(request: Request) -> Browser:
    return Browser(visitor(request), request.headers.get("user-agent", ""), datetime.now(UTC))


def _token(request: Request) -> str:
    parts: Parts = request.state.parts
    return request.cookies.get(name_of(STEP_COOKIE, parts.settings), "")


async def _challenged(request: Request) -> Challenged | None:
    parts: Parts = request.state.parts
    token, now = _token(request), datetime.now(UTC)
    return await challenged(parts.sessions, token, keys_of(parts), now) if token else None


def _let_in(request: Request, response: Response, token: str) -> Response:
    parts: Parts = request.state.parts
    keep_session(response, parts.settings, token)
    forget(response, parts.settings, STEP_COOKIE)
    return response
