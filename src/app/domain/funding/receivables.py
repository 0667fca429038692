"""What customers owe: opened, set off, tried again, collected, written off, recovered."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.attempts import next_attempt
from app.domain.funding.charges import ChargeOutcome
from app.domain.funding.models import Charge
from app.domain.funding.postings import (
    lowered_journal,
    opened_journal,
    paid_outside_journal,
    written_off_journal,
)
from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR, MINIMUM_CHARGE_MINOR
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import RECEIVABLE_MOVES, ChargeState, ReceivableState
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.ledger.posting import post
from app.domain.marks import check_mark
from app.domain.states import IllegalMove, check_move
from app.errors import AppError
from app.money import Currency, readable


class ReceivableNotFound(AppError, status=404):
    """No receivable has this id."""


async def open_receivable(
    session: AsyncSession,
    *,
    customer_id: UUID,
    purchase_id: UUID,
    amount_minor: int,
    refund_reversed: bool,
    outcome: ChargeOutcome | None,
    now: datetime,
) -> Receivable:
    """Note that a customer owes an amount, with the bank's answer to the last attempt."""
    debt = Receivable(
        customer_id=customer_id,
        purchase_id=purchase_id,
        opened_at=now,
        amount_minor=amount_minor,
        lowered_minor=0,
        currency=Currency.USD,
        refund_reversed=refund_reversed,
        state=ReceivableState.OPEN,
        attempts=1 if outcome else 0,
    )
    advice = outcome.advice_code if outcome else None
    if debt.can_be_charged:
        debt.next_attempt_at = next_attempt(debt.attempts, advice, now)
    debt.decline_code, debt.advice_code = (outcome.decline_code if outcome else None), advice
    session.add(debt)
    await session.flush()
    await post(session, opened_journal(debt))
    await mark_customer(session, customer_id)
    return debt


async def lower(session: AsyncSession, debt: Receivable, by_minor: int, now: datetime) -> None:
    """Set off what a merchant gave back; a debt with nothing left is settled, or was recovered.

    One that is too little to be charged from now on stops no card any more.
    """
    settled = ReceivableState.SETTLED
    if debt.state is ReceivableState.WRITTEN_OFF:
        settled = ReceivableState.RECOVERED
    debt.lowered_minor += by_minor
    if not debt.can_be_charged:
        debt.next_attempt_at = None
    await post(session, lowered_journal(debt, by_minor, now))
    if debt.outstanding_minor == 0 and debt.state is not ReceivableState.PAID_OUTSIDE:
        await close(session, debt, settled, now)
    elif not debt.can_be_charged:
        await session.flush()
        await mark_customer(session, debt.customer_id)


async def close(
    session: AsyncSession, debt: Receivable, state: ReceivableState, now: datetime
) -> None:
    debt.move_to(state)
    debt.closed_at, debt.next_attempt_at = now, None
    await session.flush()
    await mark_customer(session, debt.customer_id)


async def mark_customer(session: AsyncSession, customer_id: UUID) -> None:
    """Note on the customer, where the decision reads it, since when a debt is open."""
    customer = await session.get_one(Customer, customer_id, with_for_update={"key_share": True})
    customer.in_debt_since = await session.scalar(
        select(func.min(Receivable.opened_at)).where(
            Receivable.customer_id == customer_id,
            Receivable.state == ReceivableState.OPEN,
            Receivable.amount_minor - Receivable.lowered_minor >= MINIMUM_CHARGE_MINOR,
        )
    )


async def lock_with_debts(session: AsyncSession, customer_id: UUID) -> Customer:
    """Lock what a customer owes, and then the customer: who closes a debt locks in this order."""
    await session.execute(
        select(Receivable.id)
        .where(Receivable.customer_id == customer_id, Receivable.state == ReceivableState.OPEN)
        .order_by(Receivable.id)
        .with_for_update()
    )
    return await session.get_one(Customer, customer_id, with_for_update={"key_share": True})


async def try_again_now(session: AsyncSession, customer_id: UUID, now: datetime) -> None:
    """Let a customer's debts be tried at once: another card is linked."""
    for debt in await open_debts(session, customer_id):
        if debt.can_be_charged:
            debt.next_attempt_at = now


async def open_debts(session: AsyncSession, customer_id: UUID) -> Sequence[Receivable]:
    found = await session.scalars(
        select(Receivable)
        .where(Receivable.customer_id == customer_id, Receivable.state == ReceivableState.OPEN)
        .order_by(Receivable.opened_at, Receivable.id)
    )
    return found.all()


async def try_now(
    sessions: Sessions, receivable_id: UUID, reason: str, *, actor: Actor, now: datetime
) -> UUID:
    """Do what `ask_to_try` does, in a transaction of its own; give the debt's purchase."""
    async with sessions.begin() as session:
        debt = await ask_to_try(session, receivable_id, actor=actor, now=now, reason=reason)
        return debt.purchase_id


async def ask_to_try(
    session: AsyncSession,
    receivable_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    code: str | None = None,
    seen: str | None = None,
) -> Receivable:
    """Have a debt tried at the next settlement, one that was written off too.

    Raises ReceivableNotFound, MovedOn, or IllegalMove when nothing is owed any more, or when no
    card can be charged with it.
    """
    debt = await _to_change(session, receivable_id, seen)
    paid = ReceivableState.COLLECTED
    check_move(
        RECEIVABLE_MOVES,
        debt.state,
        paid if debt.state is ReceivableState.OPEN else ReceivableState.RECOVERED,
    )
    if not debt.can_be_charged:
        least, most = readable(MINIMUM_CHARGE_MINOR), readable(MAXIMUM_CHARGE_MINOR)
        raise IllegalMove(f"a card can be charged with {least} to {most} only")
    debt.next_attempt_at = now
    record(session, actor, "receivable.try_now", subject=debt, reason_code=code, reason=reason)
    return debt


async def write_off(
    sessions: Sessions, receivable_id: UUID, reason: str, *, actor: Actor, now: datetime
) -> Receivable:
    """Do what `give_up` does, in a transaction of its own."""
    async with sessions.begin() as session:
        return await give_up(session, receivable_id, actor=actor, now=now, reason=reason)


async def give_up(
    session: AsyncSession,
    receivable_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    code: str | None = None,
    most_minor: int | None = None,
) -> Receivable:
    """Give a debt up as a loss.

    Raises ReceivableNotFound, or IllegalMove when it is not open, or more than `most_minor`.
    """
    debt = await _to_change(session, receivable_id, None)
    if debt.state is not ReceivableState.OPEN:
        raise IllegalMove(f"the debt is {debt.state} already")
    if most_minor is not None and debt.outstanding_minor > most_minor:
        raise IllegalMove("more is owed by now than was asked to be written off")
    await close(session, debt, ReceivableState.WRITTEN_OFF, now)
    await post(session, written_off_journal(debt, now))
    record(
        session,
        actor,
        "receivable.write_off",
        subject=debt,
        before={"state": ReceivableState.OPEN, "outstanding_minor": debt.outstanding_minor},
        after={"state": ReceivableState.WRITTEN_OFF},
        reason_code=code,
        reason=reason,
    )
    return debt


async def pay_outside(
    session: AsyncSession,
    receivable_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    reason: Reason,
    expected_minor: int,
) -> Receivable:
    """Note that a customer paid a debt to our bank account; one that was written off, too.

    Raises ReceivableNotFound, or IllegalMove when nothing is owed any more, or another amount, or
    a card is being charged with it: what comes of that is not known, and our fee is in it.
    """
    debt = await _to_change(session, receivable_id, None)
    before = debt.state
    check_move(RECEIVABLE_MOVES, before, ReceivableState.PAID_OUTSIDE)
    if await _is_being_charged(session, debt):
        raise IllegalMove(
            "a payment of it by card is under way, and has ended in half an hour: look again then"
        )
    if debt.outstanding_minor != expected_minor:
        raise IllegalMove("another amount is owed by now than was said to be paid")
    await post(session, paid_outside_journal(debt, now))
    debt.paid_outside_minor = expected_minor
    await close(session, debt, ReceivableState.PAID_OUTSIDE, now)
    record(
        session,
        actor,
        "receivable.paid_outside",
        subject=debt,
        before={"state": before, "outstanding_minor": expected_minor},
        after={"state": ReceivableState.PAID_OUTSIDE},
        reason_code=reason.code,
        reason=reason.note,
    )
    return debt


async def _to_change(session: AsyncSession, receivable_id: UUID, seen: str | None) -> Receivable:
    debt = await session.get(
        Receivable, receivable_id, with_for_update=True, populate_existing=True
    )
    if debt is None:
        raise ReceivableNotFound(f"no receivable {receivable_id}")
    check_mark(seen, debt)
    return debt


async def _is_being_charged(session: AsyncSession, debt: Receivable) -> bool:
    """Whether a card is charged with it, or its customer is asked to confirm that, at present."""
    found = await session.scalar(
        select(Charge.id)
        .where(
            Charge.purchase_id == debt.purchase_id,
            Charge.receivable_id == debt.id,
            Charge.state == ChargeState.UNKNOWN,
        )
        .limit(1)
    )
    return found is not None
