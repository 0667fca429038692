"""Is it alive, is it ready, and what does it count? The last for loopback or a token only."""

import asyncio
import hmac
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from sqlalchemy import text

from app.config import Settings
from app.db import Sessions
from app.metrics import exposition
from app.requests import from_loopback

READY_WITHIN_SECONDS = 2


@get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    return {"status": "live"}


@get("/health/ready", include_in_schema=False)
async def ready(sessions: NamedDependency[SkipValidation[Sessions]]) -> Response[dict[str, str]]:
    """Say whether purchases can be answered: the database answers, with the tables there."""
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS), sessions() as session:
            await session.execute(text("SELECT 1 FROM price_plan LIMIT 1"))
    except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
        return Response({"status": "not ready", "because": type(error).__name__}, status_code=503)
    return Response({"status": "ready"})


@get("/metrics", include_in_schema=False)
async def metrics(
    request: Request[Any, Any, Any], settings: NamedDependency[SkipValidation[Settings]]
) -> Response[bytes]:
    """Give the Prometheus metrics to this machine, or to whoever has the token.

    What every process sees alike, because it is in the database, is read when it is asked for.
    """
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    token = settings.metrics_token
    trusted = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if not trusted and not (from_loopback(request) and not token):
        return Response(b"Not here.\n", status_code=403, media_type=MediaType.TEXT)
    told = exposition(await request.app.state.watch.readings())
    return Response(told, media_type="text/plain; version=0.0.4")
