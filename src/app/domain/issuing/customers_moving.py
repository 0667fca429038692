"""Freezing, unfreezing and closing a customer, whose cards and cardholder follow."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge
from app.domain.funding.states import ChargeState
from app.domain.identity.audit import Actor, record
from app.domain.identity.credential_models import Credential, CustomerSession
from app.domain.identity.customers import CustomerNotFound
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.identity.states import CustomerState
from app.domain.issuing.cards_moving import move
from app.domain.issuing.mirroring import mirror_cardholder
from app.domain.issuing.models import AuthorizationRequest, Card
from app.domain.issuing.states import CardState
from app.domain.marks import check_mark
from app.domain.states import IllegalMove
from app.errors import AppError

MOST_EXPOSURE_MINOR = 2_000_000
"""What may be open on all cards of a customer together: four times what one begins with."""


class UnusableExposure(AppError, status=422):
    """A limit is below zero or above the maximum."""


async def freeze_customer(
    session: AsyncSession, customer_id: UUID, *, actor: Actor, why: Reason, seen: str | None = None
) -> Customer:
    """Stop every card of a customer; the customer can still sign in, look and pay what is owed.

    Raises CustomerNotFound, MovedOn and IllegalMove.
    """
    customer = await customer_to_change(session, customer_id, seen)
    if customer.state is not CustomerState.ACTIVE:
        raise IllegalMove(f"the customer is {customer.state}")
    await _move(session, customer, CustomerState.FROZEN, actor, why)
    return customer


async def unfreeze_customer(
    session: AsyncSession, customer_id: UUID, *, actor: Actor, why: Reason, seen: str | None = None
) -> Customer:
    """Let a customer's cards buy again. Raises what `freeze_customer` raises."""
    customer = await customer_to_change(session, customer_id, seen)
    if customer.state is not CustomerState.FROZEN:
        raise IllegalMove(f"the customer is {customer.state}, not frozen")
    await _move(session, customer, CustomerState.ACTIVE, actor, why)
    return customer


async def close_customer(
    session: AsyncSession, customer_id: UUID, *, actor: Actor, why: Reason, seen: str | None = None
) -> Customer:
    """Close a customer and every card for good. What is open is still settled.

    Raises what `freeze_customer` raises.
    """
    customer = await customer_to_change(session, customer_id, seen)
    if customer.state is CustomerState.CLOSED:
        raise IllegalMove("the customer is closed already")
    cards = await session.scalars(
        select(Card).where(Card.customer_id == customer.id, Card.state != CardState.CLOSED)
    )
    for card in cards.all():
        await move(session, card, CardState.CLOSED, actor=actor, why=why)
    await _move(session, customer, CustomerState.CLOSED, actor, why)
    return customer


async def change_exposure(
    session: AsyncSession,
    customer_id: UUID,
    limit_minor: int,
    *,
    actor: Actor,
    why: Reason,
    seen: str | None = None,
) -> Customer:
    """Change what may be open on all cards together; the next purchase obeys it.

    Raises CustomerNotFound, MovedOn, UnusableExposure.
    """
    if not 0 <= limit_minor <= MOST_EXPOSURE_MINOR:
        raise UnusableExposure("exposure: above the maximum.")
    customer = await customer_to_change(session, customer_id, seen)
    before, customer.exposure_limit_minor = customer.exposure_limit_minor, limit_minor
    record(
        session,
        actor,
        "customer.limits",
        subject=customer,
        before={"exposure_limit_minor": before},
        after={"exposure_limit_minor": limit_minor},
        reason_code=why.code,
        reason=why.note,
    )
    return customer


async def end_customer_sessions(
    session: AsyncSession, customer_id: UUID, *, actor: Actor, why: Reason, now: datetime
) -> int:
    """Sign a customer out everywhere, by the real clock. Give how many sessions ended."""
    customer = await customer_to_change(session, customer_id, None)
    ended = await session.execute(
        update(CustomerSession)
        .where(
            CustomerSession.credential_id.in_(
                select(Credential.id).where(Credential.customer_id == customer.id)
            ),
            CustomerSession.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(CustomerSession.id)
    )
    count = len(ended.all())
    record(
        session,
        actor,
        "customer.end_sessions",
        subject=customer,
        after={"sessions": count},
        reason_code=why.code,
        reason=why.note,
    )
    return count


async def open_of(session: AsyncSession, customer_id: UUID) -> tuple[int, int]:
    """Give what merchants were promised and have not taken, and what is held for it."""
    promised = await session.scalar(
        select(func.coalesce(func.sum(AuthorizationRequest.reserved_minor), 0)).where(
            AuthorizationRequest.customer_id == customer_id, AuthorizationRequest.open
        )
    )
    held = await session.scalar(
        select(func.coalesce(func.sum(Charge.amount_minor), 0)).where(
            Charge.customer_id == customer_id, Charge.state == ChargeState.HELD
        )
    )
    return int(promised or 0), int(held or 0)


async def customer_to_change(
    session: AsyncSession, customer_id: UUID, seen: str | None
) -> Customer:
    """Give a customer, locked against decisions. Raises CustomerNotFound and MovedOn."""
    customer = await session.get(
        Customer, customer_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if customer is None:
        raise CustomerNotFound("No customer has this id.")
    check_mark(seen, customer)
    return customer


async def _move(
    session: AsyncSession, customer: Customer, state: CustomerState, actor: Actor, why: Reason
) -> None:
    before = customer.state
    customer.move_to(state)
    record(
        session,
        actor,
        f"customer.{_VERBS[state]}",
        subject=customer,
        before={"state": before},
        after={"state": state},
        reason_code=why.code,
        reason=why.note,
    )
    await session.flush()
    await mirror_cardholder(session, customer)


_VERBS = {
    CustomerState.FROZEN: "freeze",
    CustomerState.ACTIVE: "unfreeze",
    CustomerState.CLOSED: "close",
}
