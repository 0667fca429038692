"""Everything that happened to a purchase, Stripe's events among it, in one line of time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from app.domain.issuing.story import Story
from app.domain.issuing.story_time import Moment
from app.webhooks.models import EventState, InboundEvent

EVENT_WORDS = {
    EventState.RECEIVED: "not acted on yet",
    EventState.DONE: "acted on",
    EventState.IGNORED: "stored, nothing to do",
    EventState.FAILED: "failed later",
}
EVENTS_COME_WITHIN = timedelta(seconds=20)


class Step(msgspec.Struct, frozen=True):
    """A moment of the line, and where its row is shown."""

    moment: Moment
    href: str


def trail(told: Sequence[Moment], events: Sequence[InboundEvent]) -> list[Step]:
    """Give the line of time of a purchase's moments and of what Stripe sent about it."""
    moments = [*told, *map(_webhook, events)]
    moments.sort(key=lambda moment: moment.at)
    return [Step(one, f"/admin/{one.record}/details/{one.key}") for one in moments]


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


def _webhook(event: InboundEvent) -> Moment:
    became = EVENT_WORDS[event.state]
    if event.state is EventState.DONE and event.processed_at is not None:
        seconds = max((event.processed_at - event.created_at).total_seconds(), 0)
        became = f"{became} {seconds:.1f} s later"
    said = " · ".join(filter(None, (event.type, became, event.failure)))
    return Moment(event.created_at, "webhook", said, "events", str(event.id))
