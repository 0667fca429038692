"""What every request gets: an id, one log line, and headers that keep a browser strict."""

import ipaddress
import time
from typing import Any

import structlog
from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from app.card_numbers import without_card_numbers
from app.config import Network
from app.spans import Span, Spans

log = structlog.get_logger()

STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

HSTS = "max-age=31536000; includeSubDomains"
"""Sent over https alone: a browser then comes by nothing else for a year."""


def strict_headers(*, https: bool) -> dict[str, str]:
    """Give the headers that every answer has."""
    return STRICT | ({"Strict-Transport-Security": HSTS} if https else {})


class RequestLog(ASGIMiddleware):
    """Gives each request an id, logs how it ended, and adds the headers that hold for every answer.

    The id is returned as X-Request-Id.

    A handler that logs its own line says so by setting `logged` in the request's state.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, spans: Spans | None, proxies: tuple[Network, ...], *, https: bool) -> None:
        self.spans = spans
        self.proxies = proxies
        self.headers = strict_headers(https=https)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request_id = uuid7().hex
        if self.proxies:
            _name_client(scope, self.proxies)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        scope["state"]["request_id"] = request_id
        started, answered = time.monotonic(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders(message)
                headers["X-Request-Id"] = request_id
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                answered = message["status"]
                if "logged" not in scope["state"]:
                    _tell(scope, message["status"], time.monotonic() - started)
            await send(message)

        await next_app(scope, receive, send_with_id)
        if self.spans is not None:
            self.spans.add(_span(scope, answered, time.monotonic() - started))


def _name_client(scope: Scope, proxies: tuple[Network, ...]) -> None:
    """Let the request come from where a proxy of ours says; nobody else is believed.

    A proxy adds who asked it to the end of X-Forwarded-For, so the last address that is not one of
    ours is the client, and what stands before it is anybody's text.
    """
    client = scope.get("client")
    if client is None or not _is_of(client[0], proxies):
        return
    told = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    addresses = b",".join(told).decode("latin-1").split(",")
    for written in reversed(addresses):
        address = written.strip()
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return
        scope["client"] = (address, 0)
        if not _is_of(address, proxies):
            return


def _is_of(address: str, proxies: tuple[Network, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    log.info(
        "request",
        method=scope.get("method"),
        path=_asked_path(scope),
        status=status,
        duration_ms=round(seconds * 1000),
    )


def _span(scope: Scope, status: int, seconds: float) -> Span:
    """Describe a request without its query, its headers and its body."""
    method = str(scope.get("method"))
    attributes: dict[str, str | int | bool] = {
        "http.request.method": method,
        "http.response.status_code": status,
        "url.path": _asked_path(scope),
        "proxycard.request_id": scope["state"]["request_id"],
    }
    return Span(f"{method} {scope.get('path_template', '')}".strip(), seconds, attributes)


def _asked_path(scope: Scope) -> str:
    """Give the path that was asked for; a mounted application is given less of it."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0][:200].decode("ascii", "backslashreplace")
    return without_card_numbers(path)


def from_loopback(request: Request[Any, Any, Any]) -> bool:
    """Say whether this machine itself asks.

    A proxy on this machine would make everyone local, so a forwarded request is not.
    """
    if request.client is None or "x-forwarded-for" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
