"""Where Stripe tells us what has happened."""

import time
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from app.config import Settings
from app.db import Sessions
from app.webhooks.body import read_body
from app.webhooks.inbox import keep
from app.webhooks.reading import LARGEST_EVENT_BYTES, read_event
from app.webhooks.signature import verify


@post(
    "/webhooks/stripe/events",
    status_code=200,
    request_max_body_size=LARGEST_EVENT_BYTES,
    opt={"exclude_from_csrf": True},
    include_in_schema=False,
)
async def receive_event(
    request: Request[Any, Any, Any],
    settings: NamedDependency[SkipValidation[Settings]],
    sessions: NamedDependency[SkipValidation[Sessions]],
) -> Response[dict[str, bool]]:
    """Store the event once and say so; a worker acts on it. 400 or 413 for what is not genuine."""
    body = await read_body(request)
    signature = request.headers.get("stripe-signature", "")
    verify(body, signature, settings.events_secrets, time.time())
    event = read_event(body, livemode=settings.livemode)
    stored = await keep(sessions, event)
    return Response({"received": True, "new": stored})
