"""Where Stripe asks about a purchase while the shopper waits."""

import asyncio
import time
from typing import Any

import structlog
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from app.config import STRIPE_VERSION, Settings
from app.db import Sessions
from app.domain.issuing.asking import Answer, Ask
from app.domain.issuing.authorize import Authorizer
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.stopwatch import Stopwatch
from app.metrics import ANSWERS, STEP_SECONDS
from app.webhooks.body import read_body
from app.webhooks.inbox import keep_unreadable
from app.webhooks.reading import LARGEST_BODY_BYTES, Event, read_ask, read_event
from app.webhooks.signature import verify

log = structlog.get_logger()


@post(
    "/webhooks/stripe/authorizations",
    status_code=200,
    request_max_body_size=LARGEST_BODY_BYTES,
    opt={"exclude_from_csrf": True},
    include_in_schema=False,
)
async def answer_authorization(
    request: Request[Any, Any, Any],
    settings: NamedDependency[SkipValidation[Settings]],
    authorizer: NamedDependency[SkipValidation[Authorizer]],
    sessions: NamedDependency[SkipValidation[Sessions]],
) -> Response[dict[str, bool]]:
    """Answer within Stripe's two seconds, or refuse with 400 or 413 what is not a question.

    Source: https://docs.stripe.com/issuing/controls/real-time-authorizations
    """
    watch = Stopwatch()
    body = await read_body(request)
    signature = request.headers.get("stripe-signature", "")
    verify(body, signature, settings.authorization_secrets, time.time())
    event = read_event(body, livemode=settings.livemode)
    ask = read_ask(event)
    watch.step("verify")
    if ask is None:
        ANSWERS.labels(DeclineReason.UNREADABLE).inc()
        await _note_unreadable(sessions, event, watch)
        return _reply(approved=False)
    answer = await authorizer.answer(ask, watch)
    _tell(ask, answer, settings.funding_mode)
    return _reply(approved=answer.approved)


def _reply(*, approved: bool) -> Response[dict[str, bool]]:
    return Response({"approved": approved}, headers={"Stripe-Version": STRIPE_VERSION})


async def _note_unreadable(sessions: Sessions, event: Event, watch: Stopwatch) -> None:
    """Store what could not be read, if that works in time: it is declined either way."""
    try:
        async with asyncio.timeout(watch.left()):
            await keep_unreadable(sessions, event)
    except Exception:
        log.exception("unreadable_request_not_stored", stripe_event=event.id)


def _tell(ask: Ask, answer: Answer, mode: str) -> None:
    """Log one line a person can follow, and count."""
    if answer.replayed:
        log.info("request_replayed", authorization=ask.authorization, approved=answer.approved)
        return
    ANSWERS.labels(answer.reason or "approved").inc()
    for step, milliseconds in answer.step_ms.items():
        STEP_SECONDS.labels(step).observe(milliseconds / 1000)
    total = answer.step_ms.get("total", 0.0)
    log.info(
        "purchase_answered",
        authorization=ask.authorization,
        answer="approved" if answer.approved else "declined",
        amount_minor=ask.amount_minor,
        currency=ask.currency,
        merchant=ask.merchant_name,
        held_minor=answer.held_minor,
        funding_mode=mode,
        source_brand=answer.source_brand,
        source_last4=answer.source_last4,
        reason=answer.reason,
        reason_text=EXPLANATIONS[answer.reason].short if answer.reason else None,
        duration_ms=round(total),
        own_ms=round(total - answer.step_ms.get("hold", 0.0)),
    )
