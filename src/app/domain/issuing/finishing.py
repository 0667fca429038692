"""Write down how a settlement left its purchase: what it uses of the limits, what it cannot do."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.refund_models import Refund
from app.domain.funding.states import RefundState
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.settlement import counted_minor, spread
from app.domain.issuing.standing import Standing
from app.domain.issuing.states import AuthorizationState
from app.domain.issuing.uncharged import nobody_charged
from app.money import Currency, readable

NOBODY_KNOWN = "a merchant took {amount} on a card that is not ours: nobody can be charged"
GAVE_TOO_MUCH = "a merchant gave back {amount} more than it took: a person must say whose it is"
REFUND_FAILED = "the bank sent back a refund of {amount}: pay it to the customer another way"
ELSEWHERE = "{amount} went back to a linked card at Stripe, not by us: a person must say why"
PAID_OUTSIDE = "a merchant gave back {amount} of a debt that was paid outside: pay it back there"
TOOK_BACK_MORE = "merchants took back {amount} more of refunds than they gave"
OTHER_CURRENCY = "a merchant moved money in {currency}: it is in the books, and not settled"


async def finish(
    session: AsyncSession,
    authorization: Authorization,
    standing: Standing,
    state: AuthorizationState,
) -> Sequence[AuthorizationRequest]:
    """Note what staff must look at, and what the purchase now uses of the limits.

    Gives the purchase's requests.
    """
    found = await session.scalars(
        select(AuthorizationRequest)
        .where(AuthorizationRequest.authorization_id == authorization.id)
        .order_by(AuthorizationRequest.ordinal)
    )
    requests = found.all()
    captured = standing.position.captured_minor
    # What has ended is paid by what settlement charges, or owed.
    pending = state is AuthorizationState.PENDING
    nobody = nobody_charged(requests, standing.charges) if pending else None
    told = [*([nobody] if nobody else []), *_not_handled(authorization, standing)]
    authorization.not_handled = "; ".join(told) or None
    counted = max(counted_minor(state, authorization.amount_minor, captured), 0)
    _use_limits(requests, counted, pending=pending)
    return requests


async def refund_sent_back(session: AsyncSession, purchase_id: UUID) -> str | None:
    """Say so when a bank has sent back a refund of a purchase: a person must pay it."""
    found = await session.scalars(
        select(Refund)
        .where(Refund.purchase_id == purchase_id, Refund.state == RefundState.FAILED)
        .order_by(Refund.id)
    )
    return next(_sent_back(found.all()), None)


def _not_handled(authorization: Authorization, standing: Standing) -> Iterator[str]:
    """Give a sentence for each thing that a person must do or look at."""
    position = standing.position
    foreign = {m.currency for m in standing.transactions} - {Currency.USD.value}
    if foreign:
        yield OTHER_CURRENCY.format(currency=", ".join(sorted(foreign)).upper())
    if authorization.customer_id is None and position.captured_minor > 0:
        yield NOBODY_KNOWN.format(amount=readable(position.captured_minor))
    beyond = position.refunded_minor - position.captured_minor
    if beyond > 0:
        yield GAVE_TOO_MUCH.format(amount=readable(beyond))
    if position.refunded_minor < 0:
        yield TOOK_BACK_MORE.format(amount=readable(-position.refunded_minor))
    outside = sum(debt.to_pay_back_minor for debt in standing.debts)
    if outside > 0:
        yield PAID_OUTSIDE.format(amount=readable(outside))
    elsewhere = sum(charge.returned_elsewhere_minor for charge in position.charges)
    if elsewhere > 0:
        yield ELSEWHERE.format(amount=readable(elsewhere))
    yield from _sent_back(standing.refunds)


def _sent_back(refunds: Sequence[Refund]) -> Iterator[str]:
    """Tell of all that the bank sent back and the customer has not had, in one sum."""
    owed = sum(refund.to_pay_minor for refund in refunds)
    if owed > 0:
        yield REFUND_FAILED.format(amount=readable(owed))


def _use_limits(
    requests: Sequence[AuthorizationRequest], counted_minor: int, *, pending: bool
) -> None:
    approved = [request for request in requests if request.stripe_approved]
    for request, share in zip(
        approved,
        spread(counted_minor, [request.approved_minor or 0 for request in approved]),
        strict=True,
    ):
        request.reserved_minor = share
    for request in requests:
        if request.stripe_approved is False:
            request.reserved_minor = 0
        request.open = pending
