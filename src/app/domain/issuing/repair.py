"""Make sure that every approved request has exactly one live charge, and no other has any.

The truth about a request is Stripe's request_history, the truth about charges Stripe's own list of
PaymentIntents, read once no call can be in flight any more.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db import Sessions
from app.domain.funding.charges import FundingBackOffice, IntentFacts
from app.domain.funding.keeping import keep_intent
from app.domain.funding.models import Charge
from app.domain.funding.states import ChargeState
from app.domain.identity.models import Customer
from app.domain.issuing.charge_again import ChargeAgain
from app.domain.issuing.claims import Claim, still_mine
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.states import RequestState
from app.domain.issuing.verification import Certainty, certainty, remedy
from app.money import Currency

log = structlog.get_logger()

CLOCKS_MAY_DIFFER = timedelta(minutes=10)
NOBODY_CHARGED = "approved by Stripe and no linked card took the charge: nobody has paid yet"


class Doubt(msgspec.Struct, frozen=True):
    """A request whose outcome is not yet certain, with what is known of it."""

    claimed: Claim
    authorization: str
    request: AuthorizationRequest
    customer: Customer | None
    charges: list[Charge]
    approved: bool
    wait_is_over: bool


class Repair:
    """Verifies requests against Stripe, and mends what does not agree."""

    def __init__(
        self, sessions: Sessions, funding: FundingBackOffice, clock: Clock, wait: timedelta
    ) -> None:
        self.sessions = sessions
        self.funding = funding
        self.clock = clock
        self.wait = wait
        self.charge_again = ChargeAgain(sessions, funding)

    async def requests(self, claimed: Claim, authorization: str, *, owed: bool) -> None:
        """Verify what is not verified yet of a purchase. `owed`: merchants have or may take money.

        Without Stripe's word a request counts as not approved, once the wait is over.
        """
        for doubt in await self._doubts(claimed, authorization):
            if doubt.request.stripe_approved is None and not doubt.wait_is_over:
                continue
            match certainty(
                doubt.request.state,
                doubt.request.amount_minor,
                [charge.state for charge in doubt.charges],
                approved=doubt.approved,
                wait_is_over=doubt.wait_is_over,
            ):
                case Certainty.AGREED:
                    await self._verified(doubt)
                case Certainty.LOOK_NOW:
                    await self._mend(doubt, owed=owed)
                case Certainty.LOOK_LATER:
                    pass

    async def _doubts(self, claimed: Claim, authorization: str) -> list[Doubt]:
        now = datetime.now(UTC)
        async with self.sessions() as session:
            found = await session.scalars(
                select(AuthorizationRequest)
                .where(
                    AuthorizationRequest.authorization_id == claimed.authorization_id,
                    AuthorizationRequest.verified_at.is_(None),
                )
                .order_by(AuthorizationRequest.ordinal)
            )
            return [
                Doubt(
                    claimed,
                    authorization,
                    request,
                    await session.get(Customer, request.customer_id)
                    if request.customer_id
                    else None,
                    await charges_of_request(session, request.id),
                    bool(request.stripe_approved),
                    now >= request.verify_after,
                )
                for request in found
            ]

    async def _mend(self, doubt: Doubt, *, owed: bool) -> None:
        intents = await self._intents(doubt)
        needed = remedy(
            approved=doubt.approved, amount_minor=doubt.request.amount_minor, intents=intents
        )
        await self._keep(doubt, intents)
        for intent in needed.undo:
            undone = await self._undo(intent)
            await self._keep(doubt, [undone])
            log.warning(
                "charge_undone", authorization=doubt.authorization, state=undone.state.value
            )
        if needed.wait:
            await self._postpone(doubt)
            return
        await self._close_unsent(doubt)
        if needed.charge_again and owed and doubt.customer is not None:
            settled = await self.charge_again.charge(
                doubt.request, doubt.customer, doubt.authorization
            )
            if not settled:
                await self._postpone(doubt)
                return
        await self._verified(doubt)

    async def _intents(self, doubt: Doubt) -> list[IntentFacts]:
        if doubt.customer is None or doubt.customer.stripe_customer_id is None:
            return []
        since = doubt.request.requested_at - CLOCKS_MAY_DIFFER
        listed = await self.funding.intents_of(doubt.customer.stripe_customer_id, since)
        ordinal = str(doubt.request.ordinal)
        return [
            intent
            for intent in listed
            if intent.authorization == doubt.authorization and intent.request == ordinal
        ]

    async def _undo(self, intent: IntentFacts) -> IntentFacts:
        if intent.state is ChargeState.CAPTURED:
            return await self.funding.refund(intent.id, intent.captured_minor)
        return await self.funding.cancel(intent.id)

    async def _keep(self, doubt: Doubt, intents: Sequence[IntentFacts]) -> None:
        if doubt.customer is None:
            return
        async with self.sessions.begin() as session:
            await still_mine(session, doubt.claimed)
            for intent in intents:
                await keep_intent(
                    session,
                    intent,
                    customer_id=doubt.customer.id,
                    purchase_id=doubt.claimed.authorization_id,
                    request_id=doubt.request.id,
                    currency=Currency(doubt.request.currency),
                )

    async def _close_unsent(self, doubt: Doubt) -> None:
        """Close the records of charges that Stripe's list proves never came to be."""
        async with self.sessions.begin() as session:
            await still_mine(session, doubt.claimed)
            for charge in await charges_of_request(session, doubt.request.id):
                if charge.state is ChargeState.UNKNOWN and charge.stripe_payment_intent_id is None:
                    charge.move_to(ChargeState.CANCELED)

    async def _postpone(self, doubt: Doubt) -> None:
        async with self.sessions.begin() as session:
            await still_mine(session, doubt.claimed)
            request = await session.get_one(AuthorizationRequest, doubt.request.id)
            request.verify_after = datetime.now(UTC) + self.wait

    async def _verified(self, doubt: Doubt) -> None:
        async with self.sessions.begin() as session:
            await still_mine(session, doubt.claimed)
            request = await session.get_one(
                AuthorizationRequest, doubt.request.id, with_for_update={"key_share": True}
            )
            if request.state is RequestState.DECIDING:
                request.move_to(RequestState.APPROVED if doubt.approved else RequestState.DECLINED)
                request.reason = None if doubt.approved else DeclineReason.TOO_SLOW
                request.decided_at = self.clock.now()
            request.verified_at = datetime.now(UTC)
            if not doubt.approved:
                request.reserved_minor = 0


async def charges_of_request(session: AsyncSession, request_id: UUID) -> list[Charge]:
    found = await session.scalars(
        select(Charge).where(Charge.request_id == request_id).order_by(Charge.attempt)
    )
    return list(found)


async def nobody_charged(
    session: AsyncSession, requests: Sequence[AuthorizationRequest]
) -> str | None:
    """Say so when an approved and verified request has no charge that ever held money."""
    for request in requests:
        if request.stripe_approved and request.verified_at and request.amount_minor > 0:
            charges = await charges_of_request(session, request.id)
            if not any(_held_once(charge) for charge in charges):
                return NOBODY_CHARGED
    return None


def _held_once(charge: Charge) -> bool:
    has_intent = charge.stripe_payment_intent_id is not None
    return has_intent and charge.state not in (ChargeState.DECLINED, ChargeState.UNKNOWN)
