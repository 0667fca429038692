"""The cookies of the back office, who a visitor is, and where a sign-in leads."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from app.config import Settings
from app.domain.identity.audit import Actor
from app.domain.identity.sessions import LONGEST
from app.domain.identity.staff_challenges import LASTS
from app.domain.identity.staff_codes import Secrets
from app.parts import Parts

HOME = "/admin/"
SIGN_IN = "/admin/login"
SESSION_COOKIE = "proxycard_staff"
STEP_COOKIE = "proxycard_staff_step"


def name_of(cookie: str, settings: Settings) -> str:
    """Over plain http no browser takes a `__Host-` cookie, so it has another name there."""
    return f"__Host-{cookie}" if settings.https else cookie


def keep_session(response: Response, settings: Settings, token: str) -> None:
    _keep(response, settings, SESSION_COOKIE, token, int(LONGEST.total_seconds()))


def keep_step(response: Response, settings: Settings, token: str) -> None:
    _keep(response, settings, STEP_COOKIE, token, int(LASTS.total_seconds()))


def forget(response: Response, settings: Settings, cookie: str) -> None:
    response.delete_cookie(
        name_of(cookie, settings),
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="strict",
    )


def visitor(request: Request) -> Actor:
    """Tell where a request comes from, before anybody has signed in."""
    address = request.client.host if request.client else None
    return Actor("visitor", None, address, request.state.request_id)


def keys_of(parts: Parts) -> Secrets:
    """Give what the secrets of members' authenticators come from."""
    return Secrets(parts.settings.secret_key, parts.settings.demo_secret)


def inside(onward: str | None) -> str:
    """Give the page to go on to: one of ours, whatever the address said."""
    parted = urlsplit(onward or "")
    ours = parted.path.startswith(HOME) and not parted.path.startswith(SIGN_IN)
    if not ours or parted.scheme or parted.netloc or "\\" in parted.path:
        return HOME
    return parted.path + (f"?{parted.query}" if parted.query else "")


def _keep(response: Response, settings: Settings, cookie: str, token: str, seconds: int) -> None:
    response.set_cookie(
        name_of(cookie, settings),
        token,
        max_age=seconds,
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="strict",
    )
