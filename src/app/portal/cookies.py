"""The portal's three cookies: who is signed in, which browser it is, whose forms these are.

All are for this host only and out of reach of scripts. Source:
https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#cookies
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie

from app.config import Settings
from app.domain.identity.customer_sessions import LONGEST


class Kept(StrEnum):
    """What a browser keeps for us."""

    SESSION = "proxycard_customer"
    DEVICE = "proxycard_device"
    FORMS = "proxycard_forms"


_FOR: dict[Kept, timedelta | None] = {
    Kept.SESSION: LONGEST,
    Kept.DEVICE: timedelta(days=365),
    Kept.FORMS: None,  # until the browser is closed
}


def name_of(kept: Kept, settings: Settings) -> str:
    """Over plain http no browser takes a `__Host-` cookie, so it has another name there."""
    return f"__Host-{kept}" if settings.https else str(kept)


def set_cookie(response: Response[Any], kept: Kept, value: str, settings: Settings) -> None:
    lasts = _FOR[kept]
    response.set_cookie(
        Cookie(
            key=name_of(kept, settings),
            value=value,
            max_age=int(lasts.total_seconds()) if lasts else None,
            path="/",
            secure=settings.https,
            httponly=True,
            samesite="lax",  # a link in a letter must find the person signed in
        )
    )


def drop_cookie(response: Response[Any], kept: Kept, settings: Settings) -> None:
    response.set_cookie(
        Cookie(
            key=name_of(kept, settings),
            value="",
            max_age=0,
            path="/",
            secure=settings.https,
            httponly=True,
            samesite="lax",
        )
    )
