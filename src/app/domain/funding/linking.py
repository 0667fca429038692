"""Linking a card: the customer agrees to be charged, the bank confirms, we look at the card.

The consent is kept before Stripe is asked for anything, and the SetupIntent has the key of its
record, so a repeat at any point goes on with the same one. The page that the customer comes back to
and Stripe's event both finish it; whoever comes second finds it done.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.letters import card_linked
from app.domain.funding.linking_models import CardLinking
from app.domain.funding.models import FundingSource
from app.domain.funding.receivables import lock_with_debts
from app.domain.funding.sources import (
    CannotLink,
    LinkRules,
    SavedCard,
    SavedCards,
    active_sources,
    add_source,
    confirm_source,
    detach_later,
    own_source,
)
from app.domain.funding.states import LinkingState
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.domain.identity.onboarding import Text, keep_text
from app.domain.identity.states import CustomerState
from app.domain.identity.throttle import LINK_CARD, count_attempt
from app.domain.identity.writing_to import write_to
from app.errors import AppError

MOST_FAILURES = 4
"""After so many cards that a bank refused, the SetupIntent is ended: who guesses starts again."""
TOO_MANY_FAILURES = "too_many_failures"


class LinkingNotFound(AppError, status=404):
    """The customer has no linking of this id."""


class CannotLinkCards(AppError, status=409):
    """The customer is not one yet, or not any more."""


class SetupStatus(StrEnum):
    """Where Stripe's SetupIntent stands.

    Source: https://docs.stripe.com/payments/paymentintents/lifecycle
    """

    OPEN = "open"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class SetupFacts(msgspec.Struct, frozen=True):
    """A SetupIntent as Stripe has it now. The secret opens it to the customer's browser only."""

    id: str
    status: SetupStatus
    client_secret: str
    payment_method: str | None


class LinkingAtStripe(SavedCards, Protocol):
    """What linking asks of the outside. Repeats are safe: the keys name the record."""

    async def begin_setup(
        self, key: str, stripe_customer_id: str, payment_method: str | None
    ) -> SetupFacts: ...

    async def setup(self, stripe_setup_intent_id: str) -> SetupFacts: ...

    async def end_setup(self, stripe_setup_intent_id: str) -> None: ...


class Asked(msgspec.Struct, frozen=True):
    """What a customer has agreed to, with which browser. `id` is the same when it is sent twice."""

    id: UUID
    customer_id: UUID
    consent: Text
    user_agent: str
    confirms_id: UUID | None = None


class Opened(msgspec.Struct, frozen=True):
    """A linking, Stripe's side of it, and the card that is to be confirmed, where it is known."""

    linking: CardLinking
    setup: SetupFacts
    confirms: FundingSource | None


async def start_linking(
    sessions: Sessions, asked: Asked, *, actor: Actor, now: datetime
) -> CardLinking:
    """Keep that a customer agrees to be charged. `now` is the real clock's.

    Raises CannotLinkCards, TooManyAttempts, and SourceNotFound for a card to confirm that is not
    theirs. Sent twice it is one.
    """
    async with sessions.begin() as session:
        mark = func.hashtextextended(f"linking:{asked.id}", 0)
        await session.execute(select(func.pg_advisory_xact_lock(mark)))
        known = await session.get(CardLinking, asked.id)
        if known is not None and known.customer_id == asked.customer_id:
            return known
        customer = await session.get_one(Customer, asked.customer_id)
        if customer.state is not CustomerState.ACTIVE or customer.stripe_customer_id is None:
            raise CannotLinkCards("Your account cannot link cards at the moment. Write to us.")
        await count_attempt(session, LINK_CARD, str(customer.id), actor.address or "", now)
        if asked.confirms_id is not None:
            await own_source(session, asked.customer_id, asked.confirms_id)
        linking = CardLinking(
            id=asked.id,
            customer_id=customer.id,
            agreement_id=await keep_text(session, asked.consent),
            consented_at=now,
            address=actor.address or "",
            user_agent=asked.user_agent[:300],
            confirms_id=asked.confirms_id,
        )
        session.add(linking)
        await session.flush()
        record(
            session,
            actor,
            "card_linking.consent",
            subject=linking,
            after={"sha256": asked.consent.sha256},
        )
    return linking


async def open_linking(
    sessions: Sessions, outside: LinkingAtStripe, customer_id: UUID, linking_id: UUID
) -> Opened:
    """Give a linking with its SetupIntent, which is made when it is missing.

    Raises LinkingNotFound.
    """
    async with sessions() as session:
        linking = await session.get(CardLinking, linking_id)
        if linking is None or linking.customer_id != customer_id:
            raise LinkingNotFound("There is nothing to link under this address.")
        customer = await session.get_one(Customer, customer_id)
        wanted = linking.confirms_id
        confirms = await session.get(FundingSource, wanted) if wanted else None
    if linking.stripe_setup_intent_id is not None:
        return Opened(linking, await outside.setup(linking.stripe_setup_intent_id), confirms)
    assert customer.stripe_customer_id is not None
    method = confirms.stripe_payment_method_id if confirms else None
    setup = await outside.begin_setup(f"link:{linking.id}", customer.stripe_customer_id, method)
    async with sessions.begin() as session:
        linking = await session.get_one(CardLinking, linking_id, with_for_update=True)
        linking.stripe_setup_intent_id = setup.id
    return Opened(linking, setup, confirms)


async def finish_linking(
    sessions: Sessions,
    outside: LinkingAtStripe,
    rules: LinkRules,
    linking: CardLinking,
    *,
    actor: Actor,
    now: datetime,
) -> CardLinking:
    """Look whether the bank has said yes, and take the card or refuse it. `now` is business time.

    Without the bank's yes it stays started. A repeat changes nothing.
    """
    if linking.state is not LinkingState.STARTED or linking.stripe_setup_intent_id is None:
        return linking
    setup = await outside.setup(linking.stripe_setup_intent_id)
    if setup.status is not SetupStatus.SUCCEEDED or setup.payment_method is None:
        return linking
    saved = await outside.saved_card(setup.payment_method)
    async with sessions.begin() as session:
        linking = await session.get_one(CardLinking, linking.id, with_for_update=True)
        if linking.state is LinkingState.STARTED:
            await _conclude(session, rules, linking, saved, actor=actor, now=now)
    return linking


async def note_failure(
    sessions: Sessions, outside: LinkingAtStripe, stripe_setup_intent_id: str, actor: Actor
) -> None:
    """Count a card that a bank refused; end the SetupIntent when there were too many."""
    async with sessions.begin() as session:
        linking = await _by_intent(session, stripe_setup_intent_id)
        if linking is None or linking.state is not LinkingState.STARTED:
            return
        linking.failures += 1
        over = linking.failures >= MOST_FAILURES
        if over:
            _refuse(session, linking, TOO_MANY_FAILURES, actor)
    if over:
        await outside.end_setup(stripe_setup_intent_id)


async def linking_of_intent(sessions: Sessions, stripe_setup_intent_id: str) -> CardLinking | None:
    """Find the linking that a SetupIntent belongs to; none for one that is not ours."""
    async with sessions() as session:
        return await _by_intent(session, stripe_setup_intent_id)


async def _conclude(
    session: AsyncSession,
    rules: LinkRules,
    linking: CardLinking,
    saved: SavedCard,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    customer = await lock_with_debts(session, linking.customer_id)
    known = await _saved_as(session, customer.id, saved)
    if known is not None:
        await confirm_source(session, known, actor=actor, now=now)
        _link(linking, known)
        return
    try:
        source = await add_source(session, rules, customer, saved, actor=actor, now=now)
    except CannotLink as refusal:
        _refuse(session, linking, refusal.code, actor)
        await detach_later(session, saved.id)
        return
    _link(linking, source)
    letter = card_linked(source.brand.capitalize(), source.last4, linking.address)
    await write_to(session, customer.id, letter)


def _link(linking: CardLinking, source: FundingSource) -> None:
    linking.move_to(LinkingState.LINKED)
    linking.funding_source_id = source.id


def _refuse(session: AsyncSession, linking: CardLinking, why: str, actor: Actor) -> None:
    linking.move_to(LinkingState.REFUSED)
    linking.refusal = why
    record(session, actor, "card_linking.refuse", subject=linking, after={"refusal": why})


async def _saved_as(
    session: AsyncSession, customer_id: UUID, saved: SavedCard
) -> FundingSource | None:
    """Find the linked card that is this very PaymentMethod: its bank has confirmed it again."""
    linked = await active_sources(session, customer_id)
    return next((one for one in linked if one.stripe_payment_method_id == saved.id), None)


async def _by_intent(session: AsyncSession, stripe_setup_intent_id: str) -> CardLinking | None:
    return await session.scalar(
        select(CardLinking)
        .where(CardLinking.stripe_setup_intent_id == stripe_setup_intent_id)
        .with_for_update()
    )
