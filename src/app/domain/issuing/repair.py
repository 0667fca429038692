"""Make sure that every approved request has exactly one live charge, and no other has any.

The truth about a request is Stripe's request_history, the truth about charges Stripe's own list of
PaymentIntents, read once no call can be in flight any more.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db import Sessions
from app.domain.funding.charges import FundingBackOffice, IntentFacts
from app.domain.funding.keeping import Asked, book_charge, keep_intent
from app.domain.funding.models import Charge
from app.domain.funding.refund_models import Refund
from app.domain.funding.states import LIVE_CHARGES, ChargeState, RefundPurpose
from app.domain.identity.models import Customer
from app.domain.issuing.charge_again import ChargeAgain
from app.domain.issuing.claims import Claim, still_mine
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.effects import Effects
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.position import GivenBack
from app.domain.issuing.states import RequestState
from app.domain.issuing.uncharged import is_short
from app.domain.issuing.verification import Certainty, certainty, remedy
from app.money import Currency

log = structlog.get_logger()

CLOCKS_MAY_DIFFER = timedelta(minutes=10)


class Doubt(msgspec.Struct, frozen=True):
    """A request whose outcome is not yet certain, with what is known of it."""

    claimed: Claim
    authorization: str
    request: AuthorizationRequest
    customer: Customer | None
    charges: list[Charge]
    approved: bool


class Repair:
    """Verifies requests against Stripe, and mends what does not agree."""

    def __init__(
        self,
        sessions: Sessions,
        funding: FundingBackOffice,
        effects: Effects,
        clock: Clock,
        *,
        wait: timedelta,
        wall: Callable[[], datetime],
    ) -> None:
        self.sessions = sessions
        self.funding = funding
        self.effects = effects
        self.clock = clock
        self.wait = wait
        self.wall = wall
        self.charge_again = ChargeAgain(sessions, funding, clock)

    def agree(self, requests: Sequence[AuthorizationRequest], charges: Sequence[Charge]) -> bool:
        """Verify at once what agrees with Stripe's word. False when something is left in doubt.

        The requests are locked by the caller, and `charges` are all of their purchase.
        """
        in_doubt = [request for request in requests if request.verified_at is None]
        for request in list(in_doubt):
            own = [charge for charge in charges if charge.request_id == request.id]
            if self._certainty(request, own) is Certainty.AGREED:
                self._conclude(request, approved=bool(request.stripe_approved))
                in_doubt.remove(request)
        return not in_doubt

    def _certainty(self, request: AuthorizationRequest, charges: Sequence[Charge]) -> Certainty:
        wait_is_over = self.wall() >= request.verify_after
        if request.stripe_approved is None and not wait_is_over:
            return Certainty.LOOK_LATER
        return certainty(
            request.state,
            request.amount_minor,
            [charge.state for charge in charges],
            approved=bool(request.stripe_approved),
            wait_is_over=wait_is_over,
            forgotten=_forgotten(request),
            short=any(is_short(request, charge) for charge in _live_of(charges)),
        )

    def _conclude(self, request: AuthorizationRequest, *, approved: bool) -> None:
        if request.state is RequestState.DECIDING:
            request.move_to(RequestState.APPROVED if approved else RequestState.DECLINED)
            request.reason = None if approved else DeclineReason.TOO_SLOW
            request.decided_at = self.clock.now()
        request.verified_at = self.wall()
        if not approved:
            request.reserved_minor = 0

    async def requests(self, claimed: Claim, authorization: str, *, owed: bool) -> None:
        """Verify what is not verified yet of a purchase. `owed`: merchants have or may take money.

        Without Stripe's word a request counts as not approved, once the wait is over.
        """
        for doubt in await self._doubts(claimed, authorization):
            match self._certainty(doubt.request, doubt.charges):
                case Certainty.AGREED:
                    await self._verified(doubt)
                case Certainty.LOOK_NOW:
                    await self._mend(doubt, owed=owed)
                case Certainty.LOOK_LATER:
                    pass

    async def _doubts(self, claimed: Claim, authorization: str) -> list[Doubt]:
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
                )
                for request in found
            ]

    async def _mend(self, doubt: Doubt, *, owed: bool) -> None:
        intents = await self._intents(doubt)
        await self._keep(doubt, intents)
        needed = remedy(
            approved=doubt.approved,
            amount_minor=doubt.request.amount_minor,
            intents=intents,
            short=[c.stripe_payment_intent_id for c in await self._live(doubt, short=True)],
        )
        for intent in needed.undo:
            await self._undo(doubt, intent)
        if needed.wait:
            await self._postpone(doubt)
            return
        await self._close_unsent(doubt)
        if needed.charge_again and owed and doubt.customer is not None:
            whole = await self._live(doubt, short=False)
            if not whole and not await self.charge_again.charge(
                doubt.request, doubt.customer, doubt.authorization
            ):
                await self._postpone(doubt)
                return
            if await self._live(doubt, short=False):
                for intent in needed.replaced:
                    await self._undo(doubt, intent)
        await self._verified(doubt)

    async def _live(self, doubt: Doubt, *, short: bool) -> list[Charge]:
        """Give the live charges that are for less than Stripe approved, or those for all of it."""
        async with self.sessions() as session:
            charges = await charges_of_request(session, doubt.request.id)
        return [one for one in _live_of(charges) if is_short(doubt.request, one) is short]

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

    async def _undo(self, doubt: Doubt, intent: IntentFacts) -> None:
        """Release a hold; give back whole what was taken."""
        log.warning("charge_undone", authorization=doubt.authorization)
        if intent.state is ChargeState.HELD:
            await self._keep(doubt, [await self.funding.cancel(intent.id)])
        async with self.sessions.begin() as session:
            await still_mine(session, doubt.claimed)
            charge = await session.scalar(
                select(Charge).where(Charge.stripe_payment_intent_id == intent.id)
            )
            if charge is None or charge.state is not ChargeState.CAPTURED:
                return
            charge.undone = True
            await book_charge(session, charge, self.clock.now())
            principal = charge.captured_principal_minor or 0
            fee = charge.captured_minor - principal
            back = GivenBack(charge.id, RefundPurpose.UNEARNED, principal, fee)
        earlier = await self._refund_of(back)
        if earlier is None:
            await self.effects.give_back(doubt.claimed, back)
        else:
            await self.effects.finish_refund(doubt.claimed, earlier)

    async def _refund_of(self, back: GivenBack) -> Refund | None:
        """Give the refund of a charge that is recorded: one that was cut off is sent again."""
        async with self.sessions() as session:
            return await session.scalar(
                select(Refund).where(Refund.charge_id == back.charge_id).limit(1)
            )

    async def _keep(self, doubt: Doubt, intents: Sequence[IntentFacts]) -> None:
        if doubt.customer is None:
            return
        async with self.sessions.begin() as session:
            await still_mine(session, doubt.claimed)
            for intent in intents:
                charge = await keep_intent(session, intent, _asked(doubt, doubt.customer))
                await session.flush()
                await book_charge(session, charge, self.clock.now())

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
            request.verify_after = self.wall() + self.wait

    async def _verified(self, doubt: Doubt) -> None:
        async with self.sessions.begin() as session:
            await still_mine(session, doubt.claimed)
            request = await session.get_one(
                AuthorizationRequest, doubt.request.id, with_for_update={"key_share": True}
            )
            self._conclude(request, approved=doubt.approved)


def _asked(doubt: Doubt, customer: Customer) -> Asked:
    request = doubt.request
    approved = request.approved_minor if doubt.approved else None
    return Asked(
        customer.id,
        doubt.claimed.authorization_id,
        request.id,
        Currency(request.currency),
        request.amount_minor if approved is None else approved,
    )


async def charges_of_request(session: AsyncSession, request_id: UUID) -> list[Charge]:
    found = await session.scalars(
        select(Charge).where(Charge.request_id == request_id).order_by(Charge.attempt)
    )
    return list(found)


def _live_of(charges: Sequence[Charge]) -> list[Charge]:
    return [charge for charge in charges if charge.state in LIVE_CHARGES]


def _forgotten(request: AuthorizationRequest) -> bool:
    """Say whether Stripe asked us and its question is not on our record.

    Source: https://docs.stripe.com/api/issuing/authorizations/object, `request_history.reason`
    """
    asked = (request.stripe_reason or "").startswith("webhook_")
    return asked and request.stripe_event_id is None
