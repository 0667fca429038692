"""Money a merchant took or gave back without saying on which authorization.

A capture is a purchase of its own. A refund is matched to a purchase of the same customer: by
merchant, amount and time; one that fits none, or several, waits for a person.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.issuing.card_network import TransactionFacts
from app.domain.issuing.merchant_names import merchant_key, same_merchant
from app.domain.issuing.models import Authorization, Card, CardTransaction
from app.domain.issuing.postings import transaction_journals
from app.domain.issuing.settle import Settler
from app.domain.issuing.states import TransactionKind
from app.domain.ledger.posting import post
from app.domain.marks import check_mark
from app.errors import AppError

NOT_MATCHED = "a refund fits no purchase, or several: a person must say which"
LONGEST_BETWEEN = timedelta(days=365)
"""A refund of an older purchase is given to it by a person only."""
AT_ONCE = 50
IS_REFUND = CardTransaction.kind == TransactionKind.REFUND
CAME_FIRST = text("""
SELECT refund.stripe_transaction_id FROM card_transaction AS refund
 WHERE refund.unmatched AND refund.authorization_id IS NULL
   AND EXISTS (SELECT FROM card_transaction AS capture
                WHERE capture.customer_id = refund.customer_id AND capture.kind = 'capture'
                  AND capture.created_at > refund.created_at
                  AND capture.created_at > now() - interval '1 hour')
 ORDER BY refund.occurred_at DESC LIMIT :at_once
""")
"""Refunds that wait, whose customer's capture was recorded after them, not long ago."""


class RefundNotFound(AppError, status=404):
    """No refund of this id waits for its purchase."""


class NotThatPurchase(AppError, status=409):
    """The refund cannot belong to this purchase: it is another customer's."""


class Candidate(msgspec.Struct, frozen=True):
    """A purchase that a refund may belong to. Amounts in minor units."""

    purchase_id: UUID
    same_card: bool
    merchant_name: str
    merchant_network_id: str | None
    # What merchants took on it and have not given back.
    left_minor: int
    # What they gave back, less what they took back of that.
    given_back_minor: int
    captured_at: datetime

    def could_hold(self, amount_minor: int) -> bool:
        """Say whether a refund may belong to it; below zero: what takes so much of one back."""
        return self.left_minor > 0 if amount_minor > 0 else self.given_back_minor >= -amount_minor

    def to_move_minor(self, amount_minor: int) -> int:
        """Give what there is to give back; below zero: what there is to take back."""
        return self.left_minor if amount_minor > 0 else self.given_back_minor


class UnlinkedTransactions:
    """Finds the purchase of transactions that name no authorization."""

    def __init__(self, sessions: Sessions, settler: Settler) -> None:
        self.sessions = sessions
        self.settler = settler

    async def handle(self, told: TransactionFacts, *, charges_changed: bool = False) -> None:
        """Settle the purchase that a transaction is, or belongs to. Doing it twice is as once."""
        is_purchase = told.kind is TransactionKind.CAPTURE
        purchase = told.id if is_purchase else await self._keep(told)
        if purchase is not None:
            await self.settler.settle(purchase, charges_changed=charges_changed)

    async def look_up(self, stripe_transaction_id: str, *, charges_changed: bool = False) -> None:
        """Settle the purchase of a transaction that no event told us of."""
        told = await self.settler.network.transaction(stripe_transaction_id)
        if told is None:
            return
        if told.authorization is not None:
            await self.settler.settle(told.authorization, charges_changed=charges_changed)
        else:
            await self.handle(told, charges_changed=charges_changed)

    async def look_again(self) -> None:
        """Look again at refunds that wait, where the capture of one may have come after it."""
        async with self.sessions() as session:
            names = list(await session.scalars(CAME_FIRST, {"at_once": AT_ONCE}))
        for name in names:
            await self.look_up(name)

    async def assign(
        self, stripe_transaction_id: str, purchase: str, reason: str, *, actor: Actor
    ) -> None:
        """Let a person say which purchase a refund belongs to; settle it.

        Raises RefundNotFound, or NotThatPurchase for another customer's.
        """
        async with self.sessions.begin() as session:
            await assign(session, stripe_transaction_id, purchase, actor=actor, reason=reason)
        await self.settler.settle(purchase)

    async def _keep(self, told: TransactionFacts) -> str | None:
        """Store a refund, in the books too; give the purchase it belongs to, if that is clear."""
        async with self.sessions.begin() as session:
            moved = await _stored(session, told)
            await post(session, transaction_journals(moved))
            if moved.authorization_id is None and moved.customer_id is not None:
                found = best(told, await candidates_of(session, moved))
                if found is not None:
                    purchase = await session.get_one(Authorization, found.purchase_id)
                    await _assign(session, moved, purchase)
            if moved.authorization_id is None:
                moved.not_handled = NOT_MATCHED
                return None
            purchase = await session.get_one(Authorization, moved.authorization_id)
            return purchase.stripe_authorization_id


async def assign(
    session: AsyncSession,
    stripe_transaction_id: str,
    purchase: str,
    *,
    actor: Actor,
    reason: str,
    code: str | None = None,
    seen: str | None = None,
) -> CardTransaction:
    """Say which purchase a refund belongs to, in the session's transaction; the caller settles it.

    Raises RefundNotFound, MovedOn, or NotThatPurchase: another customer's, or what takes a refund
    back and the purchase has none of that much.
    """
    # The purchase first: of two that are assigned to it at once, the second sees the first.
    found = await session.scalar(
        select(Authorization)
        .where(Authorization.stripe_authorization_id == purchase)
        .with_for_update(key_share=True)
    )
    moved = await session.scalar(
        select(CardTransaction)
        .where(CardTransaction.stripe_transaction_id == stripe_transaction_id)
        .with_for_update()
    )
    if moved is not None:
        check_mark(seen, moved)
    waits = moved is not None and moved.unmatched and moved.authorization_id is None
    if moved is None or found is None or not waits:
        raise RefundNotFound(f"no refund {stripe_transaction_id} waits for {purchase}")
    if moved.customer_id not in (None, found.customer_id):
        raise NotThatPurchase(f"{purchase} is another customer's")
    if moved.amount_minor < 0 and await _given_back(session, found) + moved.amount_minor < 0:
        raise NotThatPurchase(f"{purchase} has no refund of that much that could be taken back")
    await _assign(session, moved, found)
    record(
        session,
        actor,
        "refund.assign",
        subject=moved,
        after={"purchase": purchase},
        reason_code=code,
        reason=reason,
    )
    return moved


def best(told: TransactionFacts, candidates: Sequence[Candidate]) -> Candidate | None:
    """Give the one purchase that a refund fits best; None when none does, or two equally. Pure."""
    key = merchant_key(told.merchant_name)
    fitting = [
        one
        for one in candidates
        if one.left_minor >= told.amount_minor > 0
        and one.captured_at <= told.occurred_at <= one.captured_at + LONGEST_BETWEEN
        and (
            (one.merchant_network_id and one.merchant_network_id == told.merchant_network_id)
            or same_merchant(key, merchant_key(one.merchant_name))
        )
    ]
    for better in (
        lambda one: one.same_card and one.left_minor == told.amount_minor,
        lambda one: one.same_card,
        lambda one: one.left_minor == told.amount_minor,
        lambda _: True,
    ):
        preferred = [one for one in fitting if better(one)]
        if preferred:
            return preferred[0] if len(preferred) == 1 else None
    return None


def likeliest_first(moved: CardTransaction, found: Sequence[Candidate]) -> list[Candidate]:
    """Sort purchases that a refund may belong to: its merchant's first, the newest first. Pure."""
    key = merchant_key(moved.merchant_name)

    def unlikely(one: Candidate) -> tuple[bool, bool, bool, float]:
        return (
            not same_merchant(key, merchant_key(one.merchant_name)),
            one.to_move_minor(moved.amount_minor) != abs(moved.amount_minor),
            not one.same_card,
            -one.captured_at.timestamp(),
        )

    return sorted(found, key=unlikely)


async def _given_back(session: AsyncSession, purchase: Authorization) -> int:
    """Give what merchants gave back of a purchase, less what they took back of that."""
    refunds = select(func.coalesce(func.sum(CardTransaction.amount_minor), 0)).where(
        CardTransaction.authorization_id == purchase.id, IS_REFUND
    )
    return int(await session.scalar(refunds) or 0)


async def _assign(session: AsyncSession, moved: CardTransaction, purchase: Authorization) -> None:
    moved.authorization_id, moved.customer_id = purchase.id, purchase.customer_id
    moved.not_handled = None
    await session.flush()
    await post(session, transaction_journals(moved))


async def _stored(session: AsyncSession, told: TransactionFacts) -> CardTransaction:
    card = await session.scalar(select(Card).where(Card.stripe_card_id == told.card))
    row = {
        "id": uuid7(),
        "stripe_transaction_id": told.id,
        "card_id": card.id if card else None,
        "customer_id": card.customer_id if card else None,
        "kind": told.kind,
        "occurred_at": told.occurred_at,
        "amount_minor": told.amount_minor,
        "currency": told.currency,
        "merchant_name": told.merchant_name,
        "fee_minor": 0,
        "unmatched": True,
    }
    await session.execute(insert(CardTransaction).values(row).on_conflict_do_nothing())
    found = await session.scalars(
        select(CardTransaction)
        .where(CardTransaction.stripe_transaction_id == told.id)
        .with_for_update()
    )
    return found.one()


async def candidates_of(session: AsyncSession, moved: CardTransaction) -> list[Candidate]:
    """Give the purchases of a refund's customer on which merchants moved money, however old."""
    found = await session.execute(
        select(
            Authorization.id,
            Authorization.card_id,
            Authorization.merchant_name,
            Authorization.merchant_network_id,
            -func.sum(CardTransaction.amount_minor),
            func.coalesce(func.sum(CardTransaction.amount_minor).filter(IS_REFUND), 0),
            func.min(CardTransaction.occurred_at),
        )
        .join(CardTransaction, CardTransaction.authorization_id == Authorization.id)
        .where(
            Authorization.customer_id == moved.customer_id,
            CardTransaction.currency == moved.currency,
        )
        .group_by(Authorization.id)
    )
    return [
        Candidate(purchase, card == moved.card_id, merchant, network_id, int(left), int(given), at)
        for purchase, card, merchant, network_id, left, given, at in found
    ]
