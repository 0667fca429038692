"""Everything that happened to a purchase, in one line of time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.states import RequestState, TransactionKind
from app.domain.issuing.story import Story
from app.money import readable
from app.webhooks.models import EventState, InboundEvent

EVENT_WORDS = {
    EventState.RECEIVED: "waiting",
    EventState.DONE: "acted on",
    EventState.IGNORED: "stored, nothing to do",
    EventState.FAILED: "failed",
}


EVENTS_COME_WITHIN = timedelta(seconds=20)


class Moment(msgspec.Struct, frozen=True):
    """Something that happened, when our database saw it, and where its row is."""

    at: datetime
    kind: str
    what: str
    href: str | None = None


def trail(story: Story, events: Sequence[InboundEvent]) -> list[Moment]:
    """Give the moments of a purchase, oldest first."""
    moments = [*_requests(story), *_charges(story), *_transactions(story)]
    moments += [
        Moment(
            event.created_at,
            "webhook",
            " · ".join(filter(None, (event.type, EVENT_WORDS[event.state], event.failure))),
            f"/admin/events/details/{event.id}",
        )
        for event in events
    ]
    return sorted(moments, key=lambda moment: moment.at)


def awaits_events(story: Story, events: Sequence[InboundEvent], now: datetime) -> bool:
    """Say whether Stripe's events about what has just happened are still to come or to be done.

    `now` is real time. One that has not come after EVENTS_COME_WITHIN is not waited for.
    """
    told = {event.object_id for event in events}
    names = [(story.purchase.stripe_authorization_id, story.purchase.created_at)]
    names += [(one.stripe_transaction_id, one.created_at) for one in story.transactions]
    missing = [created for name, created in names if name not in told]
    waiting = [event.created_at for event in events if event.state is EventState.RECEIVED]
    return any(since > now - EVENTS_COME_WITHIN for since in missing + waiting)


def _requests(story: Story) -> list[Moment]:
    moments = []
    for request in story.requests:
        href = f"/admin/requests/details/{request.id}"
        asked = f"request {request.ordinal + 1}: {readable(request.amount_minor)} asked"
        told = asked if request.stripe_event_id else f"{asked}, decided by Stripe without us"
        moments.append(Moment(request.created_at, "question", told, href))
        if request.verified_at is not None:
            word = "approved" if request.stripe_approved else "declined"
            said = f"certain: Stripe says {word} ({request.stripe_reason or 'no word on it'})"
            moments.append(Moment(request.verified_at, "certain", said, href))
        if request.state is RequestState.DECIDING:
            continue
        why = f": {EXPLANATIONS[request.reason].short}" if request.reason else ""
        took = request.step_ms.get("total")
        time = f" after {took:.0f} ms" if took is not None else ""
        moments.append(
            Moment(request.created_at, "answer", f"{request.state.value}{time}{why}", href)
        )
    return moments


def _charges(story: Story) -> list[Moment]:
    moments = []
    for funded in story.charges:
        charge, source = funded.charge, funded.source
        card = f"{source.brand} ···· {source.last4}" if source else "a linked card"
        told = f"{readable(charge.amount_minor)} on {card}, attempt {charge.attempt}"
        href = f"/admin/charges/details/{charge.id}"
        moments.append(Moment(charge.created_at, "charge", told, href))
    return moments


def _transactions(story: Story) -> list[Moment]:
    moments = []
    for one in story.transactions:
        verb = "took" if one.kind is TransactionKind.CAPTURE else "gave back"
        told = f"{one.merchant_name} {verb} {readable(abs(one.amount_minor))}"
        href = f"/admin/transactions/details/{one.id}"
        moments.append(Moment(one.created_at, "merchant", told, href))
    return moments
