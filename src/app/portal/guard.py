"""What stands before every page of the portal: no other site's requests, strict headers.

Sources: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
and https://cheatsheetseries.owasp.org/cheatsheets/Content_Security_Policy_Cheat_Sheet.html
"""

import secrets
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import AppError

LARGEST_BODY = 65_536
READING = frozenset({"GET", "HEAD"})
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " object-src 'none'; frame-ancestors 'none'"
)
# https://docs.stripe.com/security/guide#content-security-policy
_STRIPES_OWN = {
    "script-src": "https://js.stripe.com https://*.js.stripe.com",
    "frame-src": "https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com",
    "connect-src": "https://api.stripe.com",
}


class ForeignRequest(AppError, status=403):
    """Another site's page set this off."""


class StrictHeaders(ASGIMiddleware):
    """Gives each page a nonce for its scripts, and the headers that keep a browser strict."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        script_of = scope["app"].state.parts.settings.stripe_js_url
        nonce = scope["state"]["nonce"] = secrets.token_urlsafe(16)

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders(message)
                headers["Content-Security-Policy"] = policy(
                    nonce, script_of if scope["state"].get("with_stripe") else ""
                )
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await next_app(scope, receive, send_strictly)


def policy(nonce: str, stripe_js_url: str = "") -> str:
    """Say what a page may load: our own, and on pages with Stripe's elements also from Stripe.

    Where another script stands in for Stripe's, its origin is let in and Stripe's is not.
    """
    strict = _POLICY.format(nonce=nonce)
    if not stripe_js_url:
        return strict
    parts = urlsplit(stripe_js_url)
    if (parts.hostname or "").endswith("js.stripe.com"):
        opened = _STRIPES_OWN
    else:
        origin = f"{parts.scheme}://{parts.netloc}"
        opened = {"script-src": origin, "frame-src": origin}
    for name, sources in opened.items():
        directive = f" {name} "
        if directive in strict:
            strict = strict.replace(directive, f"{directive}{sources} ", 1)
        else:
            strict += f"; {name} {sources}"
    return strict


async def refuse_foreign(request: Request[Any, Any, Any]) -> None:
    """Raise ForeignRequest for a change that did not start at a page of ours."""
    if request.method not in READING and not _same_origin(request):
        raise ForeignRequest("This has to be started from one of our own pages.")


def only_offline(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Keep an address for where Stripe is the offline one. Raises NotFoundException elsewhere."""
    if not connection.app.state.settings.simulated:
        raise NotFoundException


def _same_origin(request: Request[Any, Any, Any]) -> bool:
    """Trust the browser's word on where a request started; without it, the origin must be us."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", "")).netloc
    return bool(origin) and origin == request.headers.get("host")
