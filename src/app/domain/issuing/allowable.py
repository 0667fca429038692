"""Whether letting a declined purchase pass once can help at this moment, and why not."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.domain.issuing.control_models import Allowance, DecisionRule
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.merchant_names import matches, merchant_key
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card
from app.domain.issuing.rule_book import rule_of
from app.domain.issuing.rules import RuleMode, Stop, StopTarget
from app.domain.issuing.states import CardState, RequestState


async def why_not(
    session: AsyncSession, request: AuthorizationRequest, purchase: Authorization, now: datetime
) -> str:
    """Say why the next try cannot be let pass now; nothing where it can. `now`: business time.

    What an allowance does not pass comes before what it passes: whose card it is, and the stops.
    """
    never = _never(request, purchase)
    if never:
        return never
    given = await session.scalar(
        select(Allowance).where(Allowance.declined_request_id == request.id, is_open(now))
    )
    if given is not None:
        return f"it is allowed already, until {given.expires_at:%Y-%m-%d %H:%M} UTC"
    return await _who(session, request.card_id) or await _stopped(session, request, purchase, now)


def is_open(now: datetime) -> ColumnElement[bool]:
    """Choose allowances that the next try can still use: not over, and not used up."""
    tried = aliased(AuthorizationRequest)
    used = exists().where(
        tried.allowance_id == Allowance.id,
        tried.state != RequestState.DECLINED,
        tried.stripe_approved.is_not(False),
    )
    return and_(Allowance.expires_at > now, ~used)


async def may_be_allowed(session: AsyncSession, purchase: Authorization, now: datetime) -> bool:
    """Say whether the latest request of a purchase can be let pass once now."""
    latest = await session.scalar(
        select(AuthorizationRequest)
        .where(AuthorizationRequest.authorization_id == purchase.id)
        .order_by(AuthorizationRequest.ordinal.desc())
        .limit(1)
    )
    return latest is not None and not await why_not(session, latest, purchase, now)


def _never(request: AuthorizationRequest, purchase: Authorization) -> str:
    """Say what no time changes: the answer and its reason, the amount, and who sold."""
    if request.state is not RequestState.DECLINED or request.reason is None:
        return "the request was not declined"
    told = EXPLANATIONS[request.reason]
    if not told.allow_once:
        return (
            f"it was declined because: {told.short}; nobody can let that pass once."
            f" Next step: {told.next_step}"
        )
    if request.card_id is None or request.amount_minor < 1:
        return "a check of the card that moves no money is not allowed once"
    # A name without words says nothing: all such names would be one merchant.
    if not merchant_key(purchase.merchant_name) and purchase.merchant_network_id is None:
        return "the merchant gave neither a name nor an id to know it by again"
    return ""


async def _who(session: AsyncSession, card_id: UUID | None) -> str:
    card = await session.get_one(Card, card_id)
    if card.state is not CardState.ACTIVE:
        return f"the card is {card.state} now"
    customer = await session.get_one(Customer, card.customer_id)
    if customer.state is not CustomerState.ACTIVE:
        return f"the customer is {customer.state} now"
    return ""


async def _stopped(
    session: AsyncSession, request: AuthorizationRequest, purchase: Authorization, now: datetime
) -> str:
    """Say which stop refuses the purchase whatever is allowed."""
    rows = await session.scalars(
        select(DecisionRule).where(
            DecisionRule.kind == "stop",
            DecisionRule.mode == RuleMode.ENFORCED,
        )
    )
    for rule in map(rule_of, rows):
        stop = rule.condition
        if isinstance(stop, Stop) and rule.in_force(now) and _stops(stop, request, purchase):
            return _STOPPED[stop.target]
    return ""


_STOPPED = {
    StopTarget.ALL: "all purchases are stopped at the moment",
    StopTarget.CUSTOMER: "the customer's purchases are stopped at the moment",
    StopTarget.CARD: "the card's purchases are stopped at the moment",
    StopTarget.MERCHANT: "the merchant is blocked at the moment",
}


def _stops(stop: Stop, request: AuthorizationRequest, purchase: Authorization) -> bool:
    match stop.target:
        case StopTarget.ALL:
            return True
        case StopTarget.CUSTOMER:
            return stop.value == str(request.customer_id)
        case StopTarget.CARD:
            return stop.value == str(request.card_id)
        case StopTarget.MERCHANT if stop.value.startswith("id:"):
            return stop.value.removeprefix("id:") == purchase.merchant_network_id
        case StopTarget.MERCHANT:
            return matches(stop.value, purchase.merchant_name)
    # Another linked card may be left to pay.
    return False
