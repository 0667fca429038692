"""What happens to linked cards while nobody looks: Stripe's word on them, and forgetting them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from pgqueuer.core.applications import PgQueuer
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from sqlalchemy import select

from app.adapters.stripe_linking import StripeLinking
from app.domain.funding.linking import finish_linking, linking_of_intent, note_failure
from app.domain.funding.models import FundingSource
from app.domain.funding.ordering import holds_on
from app.domain.funding.sources import DETACH_CARD, LinkRules
from app.domain.identity.audit import SYSTEM
from app.domain.issuing.cards import IssuedCards
from app.parts import Parts
from app.webhooks.inbox import Handler
from app.webhooks.models import InboundEvent

log = structlog.get_logger()

AGAIN_AFTER = timedelta(minutes=1)
WHILE_HELD = timedelta(hours=1)


class ForgottenCard(msgspec.Struct, frozen=True):
    payment_method: str


class _Face(msgspec.Struct):
    exp_month: int
    exp_year: int


class _Method(msgspec.Struct):
    id: str
    card: _Face


def linking_handlers(parts: Parts) -> Mapping[str, Handler]:
    """Give what to do about events of SetupIntents and saved cards, by type."""
    outside = StripeLinking(parts.stripe.other, parts.network)
    rules = LinkRules(IssuedCards(), parts.settings.refused_types)

    async def succeeded(event: InboundEvent) -> None:
        """Finish a linking whose page the customer has closed."""
        linking = await linking_of_intent(parts.sessions, str(event.object_id))
        if linking is not None:
            now = parts.clock.now()
            await finish_linking(parts.sessions, outside, rules, linking, actor=SYSTEM, now=now)

    async def failed(event: InboundEvent) -> None:
        await note_failure(parts.sessions, outside, str(event.object_id), SYSTEM)

    async def renewed(event: InboundEvent) -> None:
        """Take over the expiry of a card that its bank has renewed."""
        await _take_over_expiry(parts, event.payload)

    return {
        "setup_intent.succeeded": succeeded,
        "setup_intent.setup_failed": failed,
        "payment_method.automatically_updated": renewed,
        "payment_method.updated": renewed,
    }


def add_linking_jobs(queue: PgQueuer, parts: Parts) -> None:
    """Name the job that has Stripe forget a card."""
    outside = StripeLinking(parts.stripe.other, parts.network)

    @queue.entrypoint(DETACH_CARD, on_failure="hold")
    async def detach(job: Job) -> None:
        assert job.payload is not None
        forgotten = msgspec.json.decode(job.payload, type=ForgottenCard)
        async with parts.sessions() as session:
            if await holds_on(session, forgotten.payment_method):
                raise RetryRequested(delay=WHILE_HELD, reason="something is held on it")
        try:
            await outside.detach(forgotten.payment_method)
        except Exception as error:
            log.exception("card_not_detached", job=DETACH_CARD)
            raise RetryRequested(delay=AGAIN_AFTER, reason=type(error).__name__) from error


async def _take_over_expiry(parts: Parts, payload: dict[str, Any]) -> None:
    told = msgspec.convert(payload, _Method)
    async with parts.sessions.begin() as session:
        source = await session.scalar(
            select(FundingSource)
            .where(FundingSource.stripe_payment_method_id == told.id)
            .with_for_update()
        )
        if source is not None:
            source.exp_month, source.exp_year = told.card.exp_month, told.card.exp_year
