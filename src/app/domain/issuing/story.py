"""Everything there is to tell about one purchase, read in one go."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import ChargeState, ReceivableState
from app.domain.identity.models import Customer
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.flight import Flight, flights
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.states import RequestState, TransactionKind
from app.domain.issuing.story_words import postings_of
from app.domain.ledger.accounts import Account
from app.domain.ledger.models import JournalEntry
from app.errors import AppError

SHORTEST_BEGINNING = 6


class PurchaseNotFound(AppError, status=404):
    """No purchase has this id, or several begin with it."""


class Funding(msgspec.Struct, frozen=True):
    """What a purchase has done to the linked cards, in minor units."""

    held_minor: int
    charged_minor: int
    refunded_minor: int


class Outcome(msgspec.Struct, frozen=True):
    """What became of a purchase. `approved` is Stripe's word; None until it is known."""

    approved: bool | None
    # Our own answer to the first request; None while we are deciding.
    answered: bool | None
    # Why it was declined, or the latest increment of an approved one.
    reason: DeclineReason | None
    # Stripe asked us; otherwise it decided by itself and we learned of it afterwards.
    asked_us: bool

    @property
    def overruled(self) -> bool:
        """Whether Stripe declined what we had approved: our answer came too late, or not at all."""
        return self.approved is False and self.answered is True


class FundedCharge(msgspec.Struct, frozen=True):
    """A charge and the linked card it was made on, as far as we know it."""

    charge: Charge
    source: FundingSource | None


class Story(msgspec.Struct, frozen=True):
    """A purchase with all that belongs to it, each list oldest first."""

    purchase: Authorization
    card: Card | None
    customer: Customer | None
    plan: PricePlan | None
    requests: list[AuthorizationRequest]
    charges: list[FundedCharge]
    transactions: list[CardTransaction]
    # What each request's decision knew, and what each check said, by the request's id.
    flights: dict[UUID, Flight]
    refunds: list[Refund] = []
    debts: list[Receivable] = []
    journals: list[JournalEntry] = []

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.purchase, self.requests)

    @property
    def funding(self) -> Funding:
        return funding_of([funded.charge for funded in self.charges])

    @property
    def asked_minor(self) -> int:
        if self.purchase.forced:
            return self.captured_minor
        return asked_minor(self.purchase, self.requests)

    @property
    def captured_minor(self) -> int:
        return -self._moved(TransactionKind.CAPTURE)

    @property
    def given_back_minor(self) -> int:
        return self._moved(TransactionKind.REFUND)

    @property
    def fee_minor(self) -> int:
        """Our fee as agreed when we approved."""
        return sum(r.fee_minor for r in self.requests if r.state is RequestState.APPROVED)

    @property
    def earned_minor(self) -> int:
        """Our fee on what merchants have taken, as far as it is paid."""
        return sum(transaction.earned_minor for transaction in self.transactions)

    @property
    def returned_fee_minor(self) -> int:
        """What of an earned fee went back with refunds, less what is ours again of that."""
        return sum(
            amount * ((debit == Account.FEE_RETURNED) - (credit == Account.FEE_RETURNED))
            for entry in self.journals
            for debit, credit, amount, _ in postings_of(entry)
        )

    @property
    def owed_minor(self) -> int:
        """What the customer owes now."""
        return sum(
            debt.outstanding_minor for debt in self.debts if debt.state is ReceivableState.OPEN
        )

    def settling(self, now: datetime) -> bool:
        """Say whether an outcome is not certain yet or a settlement runs. `now`: real time."""
        lease = self.purchase.leased_until
        unverified = any(request.verified_at is None for request in self.requests)
        return unverified or (lease is not None and lease > now)

    def _moved(self, kind: TransactionKind) -> int:
        return sum(one.amount_minor for one in self.transactions if one.kind is kind)


def outcome_of(purchase: Authorization, requests: Sequence[AuthorizationRequest]) -> Outcome:
    """Tell what became of a purchase from its requests, oldest first."""
    first = requests[0] if requests else None
    answered = None
    if first is not None and first.state is not RequestState.DECIDING:
        answered = first.state is RequestState.APPROVED
    reasons = [request.reason for request in requests if request.reason is not None]
    return Outcome(
        approved=purchase.approved,
        answered=answered,
        reason=reasons[-1] if reasons else None,
        asked_us=first is not None and first.stripe_event_id is not None,
    )


def asked_minor(purchase: Authorization, requests: Sequence[AuthorizationRequest]) -> int:
    """Give what merchants asked for: all that was approved, or else the latest request.

    Stripe's own amount on a purchase becomes nothing when it is reversed.
    """
    approved = [r.amount_minor for r in requests if r.state is RequestState.APPROVED]
    if approved:
        return sum(approved)
    return requests[-1].amount_minor if requests else purchase.amount_minor


def funding_of(charges: Sequence[Charge]) -> Funding:
    return Funding(
        held_minor=sum(c.amount_minor for c in charges if c.state is ChargeState.HELD),
        charged_minor=sum(c.captured_minor for c in charges),
        refunded_minor=sum(c.refunded_minor for c in charges),
    )


async def find_purchase(session: AsyncSession, key: str) -> Authorization | None:
    """Give the purchase that has this id of ours or of Stripe's, or None."""
    try:
        return await session.get(Authorization, UUID(key))
    except ValueError:
        if not key.isprintable():
            return None
        return await session.scalar(
            select(Authorization).where(Authorization.stripe_authorization_id == key)
        )


async def purchase_that_begins(session: AsyncSession, key: str) -> Authorization:
    """Give the purchase with this id, or the only one whose id, ours or Stripe's, begins so.

    Raises PurchaseNotFound.
    """
    begins = key.strip()
    found = await find_purchase(session, begins) if begins else None
    if found is not None:
        return found
    matching = await _matching(session, begins)
    if len(matching) != 1:
        how = "several purchases have ids that begin" if matching else "no purchase has an id like"
        raise PurchaseNotFound(f"{how} “{begins[:60]}”")
    return matching[0]


async def _matching(session: AsyncSession, begins: str) -> list[Authorization]:
    """Give two purchases at most whose ids begin so."""
    if len(begins) < SHORTEST_BEGINNING or not begins.isprintable():
        return []
    theirs = Authorization.stripe_authorization_id.startswith(begins, autoescape=True)
    ours = cast(Authorization.id, Text).startswith(begins.lower(), autoescape=True)
    found = await session.scalars(select(Authorization).where(or_(theirs, ours)).limit(2))
    return list(found)


async def tell(session: AsyncSession, purchase: Authorization) -> Story:
    """Read what belongs to a purchase."""
    found = await session.scalars(
        select(AuthorizationRequest)
        .where(AuthorizationRequest.authorization_id == purchase.id)
        .order_by(AuthorizationRequest.ordinal)
    )
    requests = list(found)
    plan_id = next((r.price_plan_id for r in requests if r.price_plan_id), None)
    charges = await session.execute(
        select(Charge, FundingSource)
        .outerjoin(FundingSource, FundingSource.id == Charge.funding_source_id)
        .where(Charge.purchase_id == purchase.id)
        .order_by(Charge.id)
    )
    transactions = await session.scalars(
        select(CardTransaction)
        .where(CardTransaction.authorization_id == purchase.id)
        .order_by(CardTransaction.occurred_at, CardTransaction.id)
    )
    return Story(
        purchase=purchase,
        card=await session.get(Card, purchase.card_id) if purchase.card_id else None,
        customer=await session.get(Customer, purchase.customer_id)
        if purchase.customer_id
        else None,
        plan=await session.get(PricePlan, plan_id) if plan_id else None,
        requests=requests,
        charges=[FundedCharge(charge, source) for charge, source in charges],
        transactions=list(transactions),
        flights=await flights(session, requests),
        refunds=await _of(session, Refund, purchase.id),
        debts=await _of(session, Receivable, purchase.id),
        journals=await journals_of(session, purchase.id),
    )


async def journals_of(session: AsyncSession, purchase_id: UUID) -> list[JournalEntry]:
    """Give a purchase's journals in the order in which they were recorded."""
    found = await session.scalars(
        select(JournalEntry)
        .where(JournalEntry.purchase_id == purchase_id)
        .order_by(JournalEntry.recorded_at, JournalEntry.reference)
    )
    return list(found)


Row = TypeVar("Row", Refund, Receivable)


async def _of(session: AsyncSession, table: type[Row], purchase_id: UUID) -> list[Row]:
    found = await session.scalars(
        select(table).where(table.purchase_id == purchase_id).order_by(table.id)
    )
    return list(found)
