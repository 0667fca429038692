"""The composition root: the only file that knows every part of the web process."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.types import ControllerRouterHandler

from app.admin.mount import back_office, create_back_office
from app.config import Settings, load
from app.errors import AppError
from app.health import live, metrics, ready
from app.live import listening
from app.logs import configure_logs
from app.parts import Parts, open_authorizer, open_parts
from app.portal.failures import show_not_found
from app.portal.routes import PORTAL
from app.requests import RequestLog
from app.spans import Spans, TracedAuthorizer, open_spans
from app.watch import watching
from app.webhooks.events import receive_event
from app.webhooks.realtime import answer_authorization

HEALTH: list[ControllerRouterHandler] = [live, ready, metrics]
REALTIME: list[ControllerRouterHandler] = [answer_authorization]
WEB: list[ControllerRouterHandler] = [receive_event, PORTAL, back_office]


def create_app(
    settings: Settings, routes: Sequence[ControllerRouterHandler] = (*REALTIME, *WEB)
) -> Litestar:
    """Put the parts together. They are opened when the server starts, in its event loop.

    An app that has been closed can be opened again, with other settings in its `state.settings` as
    long as they name the same collector, proxies and scheme.
    """
    spans = open_spans(settings.otel_exporter_otlp_endpoint, "proxycard")

    def configured() -> Settings:
        found: Settings = app.state.settings
        return found

    def parts() -> Parts:
        found: Parts = app.state.parts
        return found

    app = Litestar(
        route_handlers=[*HEALTH, *routes],
        lifespan=[partial(_opened, routes, spans)],
        dependencies={
            "settings": Provide(configured, sync_to_thread=False),
            "parts": Provide(parts, sync_to_thread=False),
            "sessions": Provide(lambda: parts().sessions, sync_to_thread=False),
        },
        exception_handlers={
            AppError: render_refusal,
            **({NotFoundException: show_not_found} if PORTAL in routes else {}),
        },
        middleware=[RequestLog(spans, settings.proxies, https=settings.https)],
        openapi_config=None,
        logging_config=None,
    )
    app.state.settings = settings
    return app


@asynccontextmanager
async def _opened(
    routes: Sequence[ControllerRouterHandler], spans: Spans | None, app: Litestar
) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    async with AsyncExitStack() as stack:
        parts = app.state.parts = await stack.enter_async_context(open_parts(settings))
        authorizer = None
        if answer_authorization in routes:
            authorizer = await stack.enter_async_context(open_authorizer(parts))
            app.state.authorizer = TracedAuthorizer(authorizer, spans) if spans else authorizer
        watch = await stack.enter_async_context(watching(parts, authorizer))
        app.state.watch = watch
        if PORTAL in routes:
            app.state.listener = await stack.enter_async_context(listening(settings.database_url))
        if back_office in routes:
            app.state.back_office = create_back_office(parts, watch)
        yield
    if spans:
        await asyncio.to_thread(spans.close)


def production() -> Litestar:
    """What `proxycard serve` runs: settings from the environment, logs to standard output."""
    return _production((*REALTIME, *WEB))


def production_realtime() -> Litestar:
    """What `proxycard serve --part realtime` runs: nothing else can slow a decision here."""
    return _production(REALTIME)


def production_web() -> Litestar:
    """What `proxycard serve --part web` runs: everything but the decision."""
    return _production(WEB)


def _production(routes: Sequence[ControllerRouterHandler]) -> Litestar:
    configure_logs()
    return create_app(load(os.environ, Path.cwd()), routes)


def render_refusal(_: Request[Any, Any, Any], error: AppError) -> Response[dict[str, str]]:
    body = {"error": type(error).__name__, "detail": str(error)}
    return Response(body, status_code=error.status_code)
