"""Where Stripe asks about a purchase while the shopper waits."""

import asyncio
import time
from functools import cache

import msgspec
import structlog
from litestar import asgi
from litestar.types import Receive, Scope, Send
from prometheus_client import Counter, Histogram

from app.config import STRIPE_VERSION
from app.db import Sessions
from app.domain.issuing.asking import Answer, Ask
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.stopwatch import Stopwatch
from app.errors import AppError
from app.failpoints import Place, reached
from app.metrics import ANSWERS, REFUSED, STEP_SECONDS
from app.webhooks.body import receive_body
from app.webhooks.inbox import keep_unreadable
from app.webhooks.reading import LARGEST_QUESTION_BYTES, Event, TooLarge, read_ask, read_event
from app.webhooks.signature import check, read_signature

log = structlog.get_logger()

PATH = "/webhooks/stripe/authorizations"


class OnlyPost(AppError, status=405):
    """Stripe asks by POST."""


@asgi(PATH, copy_scope=False, opt={"exclude_from_csrf": True})
async def answer_authorization(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer within Stripe's two seconds, or refuse what is not a question of Stripe's.

    A plain ASGI handler: what the framework does around others costs a third of the decision.
    Refusals are counted and not logged one by one, since anybody can cause as many as they like.

    Source: https://docs.stripe.com/issuing/controls/real-time-authorizations
    """
    watch = Stopwatch(patience=scope["app"].state.parts.settings.decision_patience)
    scope["state"]["logged"] = True
    try:
        answer = await _answer(scope, receive, watch)
    except AppError as error:
        REFUSED.labels(error.status_code).inc()
        refusal = {"error": type(error).__name__, "detail": str(error)}
        await _send(send, error.status_code, msgspec.json.encode(refusal))
        return
    reply: dict[str, bool | int] = {"approved": answer.approved}
    if answer.approved_minor is not None:
        reply["amount"] = answer.approved_minor
    await _send(send, 200, msgspec.json.encode(reply))
    reached(Place.ANSWERED)


async def _answer(scope: Scope, receive: Receive, watch: Stopwatch) -> Answer:
    if scope["method"] != "POST":  # type: ignore[typeddict-item]  # an HTTP scope has one
        raise OnlyPost("Stripe asks by POST")
    state = scope["app"].state
    settings = state.parts.settings
    declared = _header(scope, b"content-length")
    if declared.isdigit() and int(declared[:20]) > LARGEST_QUESTION_BYTES:
        raise TooLarge("The body is over 64 KiB")
    signature = read_signature(_header(scope, b"stripe-signature"), time.time())
    body = await receive_body(receive)
    reached(Place.RECEIVED)
    check(body, signature, settings.authorization_secrets)
    event = read_event(body, livemode=settings.livemode)
    ask = read_ask(event)
    watch.step("verify")
    reached(Place.VERIFIED)
    if ask is None:
        _answers(DeclineReason.UNREADABLE).inc()
        await _note_unreadable(state.parts.sessions, event, watch)
        return Answer(approved=False)
    answer: Answer = await state.authorizer.answer(ask, watch)
    _tell(ask, answer, settings.funding_mode)
    return answer


def _header(scope: Scope, name: bytes) -> str:
    """Give a header that came once; twice is as good as never."""
    found = [value for given, value in scope["headers"] if given == name]
    return found[0].decode("latin-1") if len(found) == 1 else ""


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"stripe-version", STRIPE_VERSION.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _note_unreadable(sessions: Sessions, event: Event, watch: Stopwatch) -> None:
    """Store what could not be read, if that works in time: it is declined either way."""
    try:
        async with asyncio.timeout(watch.left()):
            await keep_unreadable(sessions, event)
    except Exception:
        log.exception("unreadable_request_not_stored", stripe_event=event.id)


@cache
def _answers(reason: str) -> Counter:
    return ANSWERS.labels(reason)


@cache
def _step_seconds(step: str) -> Histogram:
    return STEP_SECONDS.labels(step)


def _tell(ask: Ask, answer: Answer, mode: str) -> None:
    """Log one line a person can follow, and count."""
    if answer.replayed:
        log.info("request_replayed", authorization=ask.authorization, approved=answer.approved)
        return
    _answers(answer.reason or "approved").inc()
    for step, milliseconds in answer.step_ms.items():
        _step_seconds(step).observe(milliseconds / 1000)
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
