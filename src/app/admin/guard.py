"""What stands before every page of the back office: no other site's requests, strict headers."""

from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.requests import STRICT

log = structlog.get_logger()

LARGEST_BODY = 65_536
READING = frozenset({"GET", "HEAD"})
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        # Tabler's style sheet, which comes with SQLAdmin, draws arrows and ticks from data: images.
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""No inline script or style is let through: our templates replace those of SQLAdmin that have any
(`flash.html` with a script, `secret_modal.html` and `modals/` with style attributes)."""


class Guard:
    """Refuses what another site set off, and what is too large; adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(scope["path"], MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_strictly)


def refuse_unfit(scope: Scope) -> None:
    """Raise 403 for a change that another site set off, 411 or 413 for a body of no fit length.

    SQLAdmin runs its actions on GET, so a path that holds one counts as a change.
    """
    headers = Headers(scope=scope)
    if scope["method"] in READING and "/action/" not in scope["path"]:
        return
    if not _same_origin(headers):
        raise HTTPException(403, "This has to be started from a page of the back office itself.")
    length = headers.get("content-length")
    if scope["method"] not in READING:
        if length is None or not length.isdigit():
            raise HTTPException(411, "The request does not say how long it is.")
        if int(length) > LARGEST_BODY:
            raise HTTPException(413, "The form holds more than the 64 KiB that are taken.")


def _same_origin(headers: Headers) -> bool:
    """Trust the browser's word on where a request started; without it, the origin must be us."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", "")).netloc
    return bool(origin) and origin == headers.get("host")


def _add_headers(path: str, headers: MutableHeaders) -> None:
    for name, value in STRICT.items():
        headers.setdefault(name, value)
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    kept = path.startswith("/admin/statics/") and headers.get("etag") is not None
    headers["Cache-Control"] = "private, max-age=3600" if kept else "no-store"


def told_of(scope: Scope) -> Any:
    """Give the request's id, for pages that report a failure."""
    return scope["state"].get("request_id", "")
