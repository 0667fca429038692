"""What stands before every page of the back office: no other site's requests, strict headers.

Without a database nobody's sign-in can be checked: then it says so itself, and shows nothing else.
"""

import asyncio
import secrets
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.admin.noting import FORBIDDEN, note_foreign
from app.admin.rendering import Pages
from app.admin.troubles import STATUS
from app.watch import Trouble, Watch

log = structlog.get_logger()

LARGEST_BODY = 65_536
STATUS_WITHIN_SECONDS = 2
READ_WITHIN_SECONDS = 6
"""No page takes as long while the database answers; with one that hangs it would take for ever."""
EXPORT = "/export"
"""A file takes as long as the list is."""
READING = frozenset({"GET", "HEAD"})
_NONCE_BYTES = 16
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# Everything is a file of our own. Tabler's style sheet, which comes with SQLAdmin, draws arrows and
# ticks from data: images. Scripts pass by the nonce of their page alone, and no style attribute
# does: our templates take the place of all of SQLAdmin's that have one, and its own scripts are not
# loaded.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; font-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " object-src 'none'; frame-ancestors 'none'"
)


class Guard:
    """Refuses what another site set off, logs what fails, and adds the headers."""

    def __init__(self, app: ASGIApp, pages: Pages, watch: Watch, host: str = "") -> None:
        """Guard `app`. `host`: the only name that it answers to, without a port; empty for any."""
        self.host = host.lower()
        self.app = app
        self.pages = pages
        self.watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        scope["state"]["nonce"] = secrets.token_urlsafe(_NONCE_BYTES)

        async def send_strictly(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        try:
            refuse_other_hosts(scope, self.host)
            refuse_unfit(scope)
            await self._pass_on(scope, receive, send_strictly)
        except TimeoutError:
            if not started:
                page = await self.pages.no_database(Request(scope))
                await page(scope, receive, send_strictly)
        except HTTPException as refusal:
            if refusal.status_code == FORBIDDEN and not self.watch.has(Trouble.DATABASE):
                await note_foreign(Request(scope), refusal)
            page = await self.pages.failure(Request(scope), refusal)
            await page(scope, receive, send_strictly)
        except Exception:
            # Starlette has answered with the page for this and raised it again, to be logged.
            log.exception("back_office_failed", method=scope["method"], path=scope["path"][:200])
            if not started:
                raise

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give a request to the pages, as long as the database that they need is there."""
        if self.watch.has(Trouble.DATABASE) and not _is_file(scope["path"]):
            page = await self.pages.no_database(Request(scope))
            await page(scope, receive, send)
            return
        async with asyncio.timeout(_seconds_for(scope)):
            await self.app(scope, receive, send)


def refuse_other_hosts(scope: Scope, host: str) -> None:
    """Raise 404 where the back office has a host name of its own and this is another one."""
    if host and urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname != host:
        raise HTTPException(404)


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


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    nonce = scope["state"]["nonce"]
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(nonce=nonce)
    file = _is_file(scope["path"]) and "etag" in headers
    headers["Cache-Control"] = "private, max-age=3600" if file else "no-store"


def _seconds_for(scope: Scope) -> float | None:
    """Give the time a page may take. A change is never given up half-way."""
    if scope["method"] not in READING or scope["path"].endswith(EXPORT):
        return None
    return STATUS_WITHIN_SECONDS if scope["path"] == STATUS else READ_WITHIN_SECONDS


def _is_file(path: str) -> bool:
    return path.startswith("/admin/statics/")
