"""What every request gets: an id, one log line, and headers that keep a browser strict."""

import time
from typing import Any

import structlog
from litestar import Response
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

log = structlog.get_logger()

STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class RequestLog(ASGIMiddleware):
    """Gives each request an id, returned as X-Request-Id, and logs how it ended."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request_id = uuid7().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        scope["state"]["request_id"] = request_id
        started = time.monotonic()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders(message)["X-Request-Id"] = request_id
                log.info(
                    "request",
                    method=scope.get("method"),
                    path=_asked_path(scope),
                    status=message["status"],
                    duration_ms=round((time.monotonic() - started) * 1000),
                )
            await send(message)

        await next_app(scope, receive, send_with_id)


def _asked_path(scope: Scope) -> str:
    """Give the path that was asked for; a mounted application is given less of it."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0][:200].decode("ascii", "backslashreplace")


def security_headers(response: Response[Any]) -> Response[Any]:
    """Add the headers that hold for every page and answer."""
    for name, value in STRICT.items():
        response.headers.setdefault(name, value)
    return response
