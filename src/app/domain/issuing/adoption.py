"""Bring our rows of a purchase in line with the authorization Stripe has.

What we never heard of is adopted: requests Stripe answered without us, captures, refunds.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.funding.models import PricePlan
from app.domain.funding.plans import price_of
from app.domain.funding.pricing import Price
from app.domain.funding.states import FundingMode
from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.domain.issuing.card_network import (
    AuthorizationFacts,
    RequestFacts,
    TransactionFacts,
)
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.models import (
    Authorization,
    AuthorizationRequest,
    Card,
    CardTransaction,
)
from app.domain.issuing.states import CardState, RequestState, TransactionKind

WHY = {
    "account_disabled": DeclineReason.STRIPE_CARDHOLDER_NOT_ACTIVE,
    "card_canceled": DeclineReason.STRIPE_CARD_NOT_ACTIVE,
    "card_expired": DeclineReason.STRIPE_CARD_NOT_ACTIVE,
    "card_inactive": DeclineReason.STRIPE_CARD_NOT_ACTIVE,
    "cardholder_blocked": DeclineReason.STRIPE_CARDHOLDER_NOT_ACTIVE,
    "cardholder_inactive": DeclineReason.STRIPE_CARDHOLDER_NOT_ACTIVE,
    "cardholder_verification_required": DeclineReason.STRIPE_WANTS_IDENTITY,
    "insecure_authorization_method": DeclineReason.STRIPE_DETAILS_WRONG,
    "insufficient_funds": DeclineReason.STRIPE_FLOAT_EMPTY,
    "network_fallback": DeclineReason.STRIPE_STAND_IN,
    "pin_blocked": DeclineReason.STRIPE_DETAILS_WRONG,
    "spending_controls": DeclineReason.STRIPE_SPENDING_CONTROL,
    "suspected_fraud": DeclineReason.STRIPE_SUSPECTS_FRAUD,
    "verification_failed": DeclineReason.STRIPE_DETAILS_WRONG,
    # We were asked, and our own record of it is missing.
    "webhook_approved": DeclineReason.OUR_ERROR,
    "webhook_declined": DeclineReason.OUR_ERROR,
    "webhook_error": DeclineReason.STRIPE_ANSWER_UNUSABLE,
    "webhook_timeout": DeclineReason.TOO_SLOW,
}
"""What Stripe's reasons for a decline are in ours; one it adds later is simply its decision.

Source: https://docs.stripe.com/api/issuing/authorizations/object, request_history.reason
"""


STOPPED_CARDS = {
    CardState.FROZEN: DeclineReason.CARD_FROZEN,
    CardState.CLOSED: DeclineReason.CARD_CLOSED,
}


class Adoption:
    """What adopting needs to know: how we fund now, the time, and when an outcome is certain."""

    def __init__(self, mode: FundingMode, now: datetime, verify_after: datetime) -> None:
        self.mode = mode
        self.now = now
        self.verify_after = verify_after

    async def authorization(
        self, session: AsyncSession, facts: AuthorizationFacts
    ) -> Authorization:
        """Make the row of a purchase that we did not know."""
        card = await session.scalar(select(Card).where(Card.stripe_card_id == facts.card))
        row = {
            "id": uuid7(),
            "stripe_authorization_id": facts.id,
            "card_id": card.id if card else None,
            "customer_id": card.customer_id if card else None,
            "occurred_at": _moment_of(facts, self.now),
            "state": facts.state,
            "amount_minor": facts.amount_minor,
            "currency": facts.currency,
            "merchant_name": facts.merchant_name,
            "merchant_category": facts.merchant_category,
            "merchant_country": facts.merchant_country,
            "merchant_city": facts.merchant_city,
            "merchant_network_id": facts.merchant_network_id,
            "forced": facts.forced,
            "fence": 0,
        }
        await session.execute(insert(Authorization).values(row).on_conflict_do_nothing())
        # As everywhere, a lock that lets others refer to the row: a decision that does would
        # otherwise wait for us while we wait for its request.
        found = await session.scalars(
            select(Authorization)
            .where(Authorization.stripe_authorization_id == facts.id)
            .with_for_update(key_share=True)
        )
        authorization = found.one()
        follow(authorization, facts)
        return authorization

    async def requests(
        self, session: AsyncSession, authorization: Authorization, facts: AuthorizationFacts
    ) -> list[AuthorizationRequest]:
        """Give the purchase's requests in order, with Stripe's word on each."""
        found = await session.scalars(
            select(AuthorizationRequest)
            .where(AuthorizationRequest.authorization_id == authorization.id)
            .with_for_update(key_share=True)
        )
        requests = {request.ordinal: request for request in found}
        plan, before = None, 0
        if len(facts.requests) > len(requests):
            plan = await self.plan_at(session, facts.occurred_at)
        for ordinal, told in enumerate(facts.requests):
            request = requests.get(ordinal)
            if request is None:
                request = self._adopted(authorization, ordinal, told.amount_minor, before, plan)
                request.reason = None if told.approved else await _why(session, request, told)
                request.move_to(RequestState.APPROVED if told.approved else RequestState.DECLINED)
                session.add(request)
                requests[ordinal] = request
            if request.stripe_approved is not told.approved:
                # What was concluded before Stripe had spoken, or before it changed its word.
                request.verified_at = None
            request.stripe_approved = told.approved
            request.stripe_reason = told.reason
            # Stripe's amount is what was approved, where that is less than was asked for.
            await _approve(session, request, told.amount_minor if told.approved else 0)
            before += told.amount_minor if told.approved else 0
        await session.flush()
        return [requests[ordinal] for ordinal in sorted(requests)]

    async def transactions(
        self,
        session: AsyncSession,
        authorization: Authorization,
        facts: AuthorizationFacts,
        price: Price,
    ) -> list[CardTransaction]:
        """Give what merchants took and gave back, oldest first, with our fee on each capture."""
        known = await _transactions_of(session, authorization)
        names = {row.stripe_transaction_id for row in known}
        captured, missing = 0, []
        for told in facts.transactions:
            row = _transaction_row(authorization, told)
            if told.kind is TransactionKind.CAPTURE:
                row["fee_minor"] = price.fee_on_top(captured, -told.amount_minor)
                captured -= told.amount_minor
            if told.id not in names:
                missing.append(row)
        if not missing:
            return known
        await session.execute(insert(CardTransaction).values(missing).on_conflict_do_nothing())
        return await _transactions_of(session, authorization)

    def _adopted(
        self,
        authorization: Authorization,
        ordinal: int,
        amount_minor: int,
        before_minor: int,
        plan: PricePlan | None,
    ) -> AuthorizationRequest:
        return AuthorizationRequest(
            authorization_id=authorization.id,
            card_id=authorization.card_id,
            customer_id=authorization.customer_id,
            ordinal=ordinal,
            requested_at=authorization.occurred_at,
            amount_minor=amount_minor,
            currency=authorization.currency,
            approved_before_minor=before_minor,
            reserved_minor=0,
            open=True,
            price_plan_id=plan.id if plan else None,
            funding_mode=self.mode,
            funding_source_ids=[],
            state=RequestState.DECIDING,
            decided_at=self.now,
            step_ms={},
            # Our own record of the same request may be on its way: nothing is charged before.
            verify_after=self.verify_after,
        )

    async def plan_at(self, session: AsyncSession, moment: datetime) -> PricePlan | None:
        return await session.scalar(
            select(PricePlan)
            .where(PricePlan.effective_from <= moment)
            .order_by(PricePlan.effective_from.desc())
            .limit(1)
        )


def follow(authorization: Authorization, facts: AuthorizationFacts) -> None:
    """Bring a purchase's row to Stripe's state."""
    authorization.move_to(facts.state)
    authorization.approved = facts.approved
    authorization.forced = facts.forced
    authorization.amount_minor = facts.amount_minor


async def _transactions_of(
    session: AsyncSession, authorization: Authorization
) -> list[CardTransaction]:
    found = await session.scalars(
        select(CardTransaction)
        .where(CardTransaction.authorization_id == authorization.id)
        .order_by(CardTransaction.occurred_at, CardTransaction.id)
    )
    return list(found)


def _transaction_row(authorization: Authorization, told: TransactionFacts) -> dict[str, object]:
    return {
        "id": uuid7(),
        "stripe_transaction_id": told.id,
        "authorization_id": authorization.id,
        "card_id": authorization.card_id,
        "customer_id": authorization.customer_id,
        "kind": told.kind,
        "occurred_at": told.occurred_at,
        "amount_minor": told.amount_minor,
        "currency": told.currency,
        "merchant_name": told.merchant_name,
        "fee_minor": 0,
    }


async def _approve(session: AsyncSession, request: AuthorizationRequest, minor: int) -> None:
    """Write down how much of a request Stripe approved, and our fee on that."""
    if request.approved_minor == minor:
        return
    request.approved_minor, request.fee_minor = minor, 0
    if minor > 0 and request.price_plan_id is not None:
        price = price_of(await session.get_one(PricePlan, request.price_plan_id))
        request.fee_minor = price.fee_on_top(request.approved_before_minor, minor)


def _moment_of(facts: AuthorizationFacts, now: datetime) -> datetime:
    """Give when a purchase was asked about, in a list beside those we decided to the microsecond.

    Stripe tells the whole second that it was in. Nothing asked about a forced capture before it.
    """
    if facts.forced:
        return facts.occurred_at
    end = facts.occurred_at + timedelta(microseconds=999_999)
    return max(facts.occurred_at, min(now, end))


async def _why(
    session: AsyncSession, request: AuthorizationRequest, told: RequestFacts
) -> DeclineReason:
    """Give why Stripe declined, in our words: Stripe stops the cards and customers that we stop."""
    reason = WHY.get(told.reason, DeclineReason.STRIPE_DECLINED)
    if reason is DeclineReason.STRIPE_CARD_NOT_ACTIVE and request.card_id is not None:
        card = await session.get_one(Card, request.card_id)
        return STOPPED_CARDS.get(card.state, reason)
    if reason is DeclineReason.STRIPE_CARDHOLDER_NOT_ACTIVE and request.customer_id is not None:
        customer = await session.get_one(Customer, request.customer_id)
        active = customer.state is CustomerState.ACTIVE
        return reason if active else DeclineReason.CUSTOMER_NOT_ACTIVE
    return reason
