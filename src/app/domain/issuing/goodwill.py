"""Refunds that staff give on their own: what merchants took stays taken, and the cost is ours.

When the merchant refunds later, that covers it first, and only the rest goes on to the customer.
"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.pricing import RefundFeePolicy
from app.domain.funding.refund_models import Refund
from app.domain.funding.states import RefundPurpose, RefundState
from app.domain.identity.audit import Actor, record
from app.domain.identity.reasons import Reason
from app.domain.issuing.claims import PurchaseBusy
from app.domain.issuing.models import Authorization, CardTransaction
from app.domain.issuing.position import Position
from app.domain.issuing.standing import standing_of, terms_agreed
from app.domain.issuing.states import AuthorizationState, TransactionKind
from app.domain.marks import MovedOn
from app.errors import AppError
from app.money import Currency, readable

LOOKS = 100
LOOK_AGAIN_SECONDS = 0.05


class PurchaseGone(AppError, status=404):
    """No purchase has this id."""


class NotRefundable(AppError, status=409):
    """Nothing was taken finally, or less is left to give back than was asked for."""


class Most(msgspec.Struct, frozen=True):
    """What may be given back of a purchase, in minor units: the merchant's part, and our fee."""

    principal_minor: int
    fee_minor: int
    # Why nothing may be, in words.
    refused: str = ""

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.fee_minor

    def fee_for(self, principal_minor: int) -> int:
        """Give the share of our fee that goes with a part, halves up; all of it with all or none.

        None of the merchant's part means our fee alone.
        """
        if not principal_minor:
            return self.fee_minor
        policy, most = RefundFeePolicy.PROPORTIONAL, self.principal_minor
        return policy.returned(self.fee_minor, principal_minor, most)


class Moved(msgspec.Struct, frozen=True):
    """What has moved on a purchase, in minor units: what a refund of ours is decided on.

    How far a refund is on its way, and what Stripe takes for it, is not among it: that changes by
    itself, and nobody would decide otherwise for it.
    """

    taken_minor: int = 0
    given_back_minor: int = 0
    passed_on_minor: int = 0
    ours_minor: int = 0

    @property
    def word(self) -> str:
        """Give a word that is another one where anything has moved."""
        return ".".join(str(part) for part in msgspec.structs.astuple(self))

    def changed_to(self, now: "Moved") -> str:
        """Say what has moved since; nothing where nothing has."""
        before, after = msgspec.structs.astuple(self), msgspec.structs.astuple(now)
        told = [
            f"{what} {readable(is_)}, no longer {readable(was)}"
            for what, was, is_ in zip(MOVED_WORDS, before, after, strict=True)
            if was != is_
        ]
        return f"By now {'; '.join(told)}." if told else ""


MOVED_WORDS = (
    "the merchant has taken",
    "the merchant has given back",
    "the customer got of that, with our fee,",
    "we have given back on our own",
)


async def most_of(session: AsyncSession, purchase: Authorization, now: datetime) -> Most:
    """Give what may be given back of a purchase at this moment."""
    if purchase.state is AuthorizationState.PENDING:
        return Most(0, 0, "The merchant can still take it or let it go: wait until it has.")
    try:
        position = await _position(session, purchase, now)
    except NotRefundable as refusal:
        return Most(0, 0, str(refusal))
    principal, fee = position.goodwill_most_minor
    if principal + fee <= 0:
        return Most(0, 0, "Nothing that the customer paid for it is left to give back.")
    return Most(principal, fee)


async def moved_of(session: AsyncSession, purchase_id: UUID) -> Moved:
    """Give what has moved on a purchase by now, from the database and not from what was read."""
    kind, purpose = CardTransaction.kind, Refund.purpose
    merchants = await session.execute(
        select(kind, func.sum(CardTransaction.amount_minor))
        .where(CardTransaction.authorization_id == purchase_id)
        .where(CardTransaction.currency == Currency.USD)
        .group_by(kind)
    )
    refunds = await session.execute(
        select(purpose, func.sum(Refund.amount_minor))
        .where(Refund.purchase_id == purchase_id)
        .group_by(purpose)
    )
    moved = {of: int(total) for of, total in merchants}
    back = {of: int(total) for of, total in refunds}
    return Moved(
        taken_minor=-moved.get(TransactionKind.CAPTURE, 0),
        given_back_minor=moved.get(TransactionKind.REFUND, 0),
        passed_on_minor=back.get(RefundPurpose.MERCHANT_REFUND, 0),
        ours_minor=back.get(RefundPurpose.GOODWILL, 0),
    )


async def wait_until_free(sessions: Sessions, purchase_id: UUID) -> None:
    """Wait a few seconds for whoever settles a purchase at this moment."""
    for _ in range(LOOKS):
        async with sessions() as session:
            free = or_(
                Authorization.leased_until.is_(None), Authorization.leased_until < func.now()
            )
            query = select(Authorization.id).where(Authorization.id == purchase_id, free)
            if await session.scalar(query) is not None:
                return
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def give_goodwill(
    session: AsyncSession,
    purchase_id: UUID,
    given: tuple[int, int],
    *,
    seen: Moved,
    actor: Actor,
    why: Reason,
    now: datetime,
    wall: datetime,
) -> Authorization:
    """Record refunds of our own in the session's transaction; settling the purchase sends them.

    `given`: the merchant's part and our fee, in minor units. `seen`: what had moved when that was
    decided. `now` is business time, `wall` the real one. The session has read nothing about the
    purchase's money before. Raises PurchaseGone, PurchaseBusy while it is being settled, MovedOn
    and NotRefundable.
    """
    principal, fee = given
    purchase = await locked(session, purchase_id, wall)
    changed = seen.changed_to(await moved_of(session, purchase_id))
    if changed:
        raise MovedOn(f"{changed} Nothing was done: look again.")
    most = await most_of(session, purchase, now)
    if most.refused or principal > most.principal_minor or fee > most.fee_minor:
        raise NotRefundable(most.refused or "Less is left to give back by now: look again.")
    position = await _position(session, purchase, now)
    session.add_all(_refund(purchase, *part) for part in _spread(position, principal, fee))
    record(
        session,
        actor,
        "purchase.refund",
        subject=purchase,
        after={"principal_minor": principal, "fee_minor": fee},
        reason_code=why.code,
        reason=why.note,
    )
    return purchase


def _refund(
    purchase: Authorization, charge_id: UUID, principal_minor: int, fee_minor: int
) -> Refund:
    assert purchase.customer_id is not None
    return Refund(
        charge_id=charge_id,
        customer_id=purchase.customer_id,
        purchase_id=purchase.id,
        purpose=RefundPurpose.GOODWILL,
        amount_minor=principal_minor + fee_minor,
        principal_minor=principal_minor,
        returned_fee_minor=fee_minor,
        currency=Currency.USD,
        state=RefundState.SENDING,
    )


async def locked(session: AsyncSession, purchase_id: UUID, wall: datetime) -> Authorization:
    """Take a purchase from whoever settles it next: they wait for this, and read it anew."""
    purchase = await session.get(
        Authorization, purchase_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if purchase is None:
        raise PurchaseGone("No purchase has this id.")
    if purchase.leased_until is not None and purchase.leased_until > wall:
        raise PurchaseBusy("The purchase is being settled at this moment: try again.")
    purchase.fence += 1
    # Should nobody come to settle it, the sweep does.
    purchase.settle_after = wall + timedelta(seconds=1)
    return purchase


async def _position(session: AsyncSession, purchase: Authorization, now: datetime) -> Position:
    terms = await terms_agreed(session, purchase)
    if terms is None:
        raise NotRefundable("No price was in force: what is our fee cannot be told.")
    return (await standing_of(session, purchase.id, purchase.state, terms, now)).position


def _spread(at: Position, principal_minor: int, fee_minor: int) -> list[tuple[UUID, int, int]]:
    """Spread what is given back over the charges that paid, the newest first."""
    found = []
    for charge in reversed(at.charges):
        room = at.refundable(charge)
        principal = min(principal_minor, room)
        fee = min(fee_minor, room - principal)
        if principal + fee > 0:
            found.append((charge.id, principal, fee))
            principal_minor, fee_minor = principal_minor - principal, fee_minor - fee
    if principal_minor or fee_minor:
        raise NotRefundable("The charges do not hold as much any more: look again.")
    return found
