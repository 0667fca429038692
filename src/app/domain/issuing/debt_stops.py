"""When the cards of a customer stop because of a debt, and the letters that say so.

Nothing happens at that moment: the decision reads how long a debt has been open. A job therefore
looks whose cards have stopped, or work again, and has not been told yet; each once a stop.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.identity.credential_models import Credential
from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.domain.issuing.lookups import merchants_of
from app.domain.issuing.owing import Dues, dues_of
from app.domain.issuing.purchase_letters import unlinked
from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import Letter, post
from app.money import readable

log = structlog.get_logger()

AT_ONCE = 200
_END = "\n\n{site}/funding\n\nProxycard\n{site}/\n"


class Stop(msgspec.Struct, frozen=True):
    """When a customer's cards stop, or have stopped, unless what is open is paid."""

    at: datetime
    is_past: bool


async def stop_of(
    session: AsyncSession, customer_id: UUID, allowed: timedelta, now: datetime
) -> Stop | None:
    """Tell when a customer's cards stop for a debt; None where none is open. Business time."""
    since = await session.scalar(select(Customer.in_debt_since).where(Customer.id == customer_id))
    return Stop(since + allowed, now - since > allowed) if since else None


async def write_stops(sessions: Sessions, allowed: timedelta, now: datetime) -> int:
    """Put a letter to those whose cards have stopped or work again into the outbox; count them.

    `allowed`: how long a debt may be open. `now` is business time. A customer is looked at alone,
    so that no purchase waits for another one's letter, and one whose letter fails keeps no other
    from being told; of very many the rest comes at the next run. Raises an ExceptionGroup of what
    failed when all have been looked at.
    """
    async with sessions() as session:
        found = list(await session.scalars(_untold(now - allowed).limit(AT_ONCE)))
    written, failed = 0, list[Exception]()
    for customer_id in found:
        try:
            async with sessions.begin() as session:
                written += await _tell(session, customer_id, now - allowed, now)
        except Exception as error:
            log.exception("stop_not_told", customer=str(customer_id))
            failed.append(error)
    if failed:
        raise ExceptionGroup("letters about stopped cards were not written", failed)
    return written


async def _tell(session: AsyncSession, customer_id: UUID, oldest: datetime, now: datetime) -> bool:
    """Write a customer's letter, and note that it was, in one transaction."""
    still = _untold(oldest).where(Customer.id == customer_id)
    locked = still.with_for_update(of=Customer, key_share=True, skip_locked=True)
    if await session.scalar(locked) is None:
        return False
    customer = await session.get_one(Customer, customer_id)
    letter = await _letter(session, customer, now)
    customer.debt_stop_told_at = None if customer.debt_stop_told_at else now
    if customer.state is not CustomerState.ACTIVE:
        return False
    [credential] = await session.scalars(
        select(Credential).where(Credential.customer_id == customer_id)
    )
    await post(session, credential.email, letter, credential_id=credential.id)
    return True


def _untold(oldest: datetime) -> Select[UUID]:
    """Ask for those whose cards have stopped, or work again, since they were last told."""
    return (
        select(Customer.id)
        .join(Credential, Credential.customer_id == Customer.id)
        .where(or_(_has_stopped(oldest), _works_again(oldest)))
        .order_by(Customer.id)
    )


def _has_stopped(oldest: datetime) -> ColumnElement[bool]:
    return and_(
        Customer.in_debt_since < oldest,
        Customer.debt_stop_told_at.is_(None),
        Customer.state == CustomerState.ACTIVE,
    )


def _works_again(oldest: datetime) -> ColumnElement[bool]:
    return and_(
        Customer.debt_stop_told_at.is_not(None),
        or_(Customer.in_debt_since.is_(None), Customer.in_debt_since >= oldest),
    )


async def _letter(session: AsyncSession, customer: Customer, now: datetime) -> Letter:
    dues = await dues_of(session, customer.id, now)
    if customer.debt_stop_told_at is not None:
        return _work_again(dues)
    merchants = await merchants_of(session, [due.debt.purchase_id for due in dues.asked])
    return _stopped(dues, merchants)


def _stopped(dues: Dues, merchants: dict[UUID, str]) -> Letter:
    total = f"${readable(dues.total_minor)}"
    lines = "\n".join(
        f"  {unlinked(merchants[due.debt.purchase_id])}: ${readable(due.amount_minor)}"
        f", open since {due.debt.opened_at:%-d %B %Y}"
        for due in dues.asked
    )
    return Letter(
        MailKind.CARDS_STOPPED,
        f"Your virtual cards are stopped: {total} is not paid",
        f"{total} is open, and none of your linked cards has paid it:\n\n{lines}\n\n"
        f"{_sentence(dues.parts)}Until it is paid, every purchase with your virtual cards is"
        " declined. They work again the moment it is paid, with nothing else for you to do; we"
        f" write to you then. {_how_to_pay(dues)}{_END}",
    )


def _how_to_pay(dues: Dues) -> str:
    now = "To pay it now, with any card of yours:" if dues.payable else "All that is open:"
    return f"{dues.advice} {now}" if dues.advice else now


def _work_again(dues: Dues) -> Letter:
    rest = ""
    if dues.asked:
        rest = (
            f" ${readable(dues.total_minor)} is open still, not for so long: pay it soon, so that"
            " they do not stop again."
        )
    return Letter(
        MailKind.CARDS_WORK_AGAIN,
        "Your virtual cards work again",
        "What your virtual cards were stopped for is not open any more, so they work again. What"
        f" was declined meanwhile can be paid now.{rest}{_END}",
    )


def _sentence(parts: str) -> str:
    return f"{parts[:1].upper()}{parts[1:]}. " if parts else ""
