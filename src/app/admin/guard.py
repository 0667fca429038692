"""What stands before every page of the back office: no other site's requests, strict headers."""

from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.admin.rendering import Pages
from app.requests import STRICT

log = structlog.get_logger()

LARGEST_BODY = 65_536
READING = frozenset({"GET", "HEAD"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# Everything is a file of our own. Tabler's style sheet, which comes with SQLAdmin, draws arrows and
# ticks from data: images. No inline script and no style attribute passes: our templates take the
# place of all of SQLAdmin's that have one, and its own scripts are not loaded.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


class Guard:
    """Refuses what another site set off, logs what fails, and adds the headers."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_strictly(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(scope["path"], MutableHeaders(scope=message))
            await send(message)

        try:
            refuse_unfit(scope)
            await self.app(scope, receive, send_strictly)
        except HTTPException as refusal:
            page = await self.pages.failure(Request(scope), refusal)
            await page(scope, receive, send_strictly)
        except Exception:
            # Starlette has answered with the page for this and raised it again, to be logged.
            log.exception("back_office_failed", method=scope["method"], path=scope["path"][:200])
            if not started:
                raise


def refuse_unfit(scope: Scope) -> None:
    """Raise 403 for a change that another site set off, 411 or 413 for a body of no fit length.

    SQLAdmin runs its actions on GET, so a path that holds one counts as a change.
    """
    headers = Headers(scope=scope)
    if scope["method"] in READING and "/action/" not in scope["path"]:
        return
    if not _same_origin(headers):
        raise HTTPException(403, "This has to be started from a page of the back office itself.")
    if scope["method"] in WITH_BODY:
        length = headers.get("content-length", "")
        if not length.isdigit():
            raise HTTPException(411, "The request does not say how long it is.")
        if int(length) > LARGEST_BODY:
            raise HTTPException(413, "A form may hold 64 KiB, and this one holds more.")


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
    file = path.startswith("/admin/statics/") and "etag" in headers
    headers["Cache-Control"] = "private, max-age=3600" if file else "no-store"
