"""The composition root: the only file that knows every part of the web process."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.admin.mount import back_office, create_back_office
from app.config import Settings, load
from app.domain.issuing.authorize import Authorizer
from app.errors import AppError
from app.health import live, metrics, ready
from app.logs import configure_logs
from app.metrics import IN_FLIGHT
from app.parts import Parts, open_authorizer, open_parts
from app.portal.pages import front_page
from app.requests import RequestLog, security_headers
from app.webhooks.events import receive_event
from app.webhooks.realtime import answer_authorization

ROUTES: list[ControllerRouterHandler] = [
    answer_authorization,
    receive_event,
    live,
    ready,
    metrics,
    front_page,
    back_office,
]


def create_app(settings: Settings) -> Litestar:
    """Put the parts together. They are opened when the server starts, in its event loop."""

    @asynccontextmanager
    async def opened(app: Litestar) -> AsyncIterator[None]:
        async with open_parts(settings) as parts, open_authorizer(parts) as authorizer:
            app.state.parts, app.state.authorizer = parts, authorizer
            app.state.back_office = create_back_office(parts)
            IN_FLIGHT.set_function(lambda: authorizer.in_flight)
            yield

    def parts() -> Parts:
        found: Parts = app.state.parts
        return found

    def authorizer() -> Authorizer:
        found: Authorizer = app.state.authorizer
        return found

    app = Litestar(
        route_handlers=ROUTES,
        lifespan=[opened],
        dependencies={
            "settings": Provide(lambda: settings, sync_to_thread=False),
            "parts": Provide(parts, sync_to_thread=False),
            "authorizer": Provide(authorizer, sync_to_thread=False),
            "sessions": Provide(lambda: parts().sessions, sync_to_thread=False),
        },
        exception_handlers={AppError: render_refusal},
        middleware=[RequestLog()],
        after_request=security_headers,
        openapi_config=None,
        logging_config=None,
    )
    return app


def production() -> Litestar:
    """What `proxycard serve` runs: settings from the environment, logs to standard output."""
    configure_logs()
    return create_app(load(os.environ, Path.cwd()))


def render_refusal(_: Request[Any, Any, Any], error: AppError) -> Response[dict[str, str]]:
    body = {"error": type(error).__name__, "detail": str(error)}
    return Response(body, status_code=error.status_code)
