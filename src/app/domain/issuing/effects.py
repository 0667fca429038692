"""Take one step of a settlement: do it at Stripe, follow what came of it, and post it.

No transaction is open while Stripe is asked, and what is asked for is recorded before.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db import Sessions
from app.domain.funding.attempts import note_attempt
from app.domain.funding.charges import (
    ChargeOutcome,
    FundingBackOffice,
    IntentFacts,
    RefundOrder,
)
from app.domain.funding.keeping import (
    book_charge,
    book_refund,
    cover,
    follow_intent,
    follow_refund,
    withdraw,
)
from app.domain.funding.models import Charge
from app.domain.funding.receivables import lower, open_receivable
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import ChargePurpose, ChargeState, RefundState
from app.domain.issuing.claims import Claim, still_mine
from app.domain.issuing.extra_charges import Came, ExtraCharges
from app.domain.issuing.position import GivenBack
from app.domain.issuing.settlement import (
    Cancel,
    Capture,
    ChargeMore,
    Cover,
    GiveBack,
    LowerDebt,
    OpenDebt,
    Step,
    Withdraw,
)
from app.money import Currency

log = structlog.get_logger()


class Effects:
    """What settlement and repair do about a purchase."""

    def __init__(
        self,
        sessions: Sessions,
        funding: FundingBackOffice,
        clock: Clock,
        *,
        wait: timedelta,
        wall: Callable[[], datetime],
    ) -> None:
        self.sessions = sessions
        self.funding = funding
        self.clock = clock
        self.extra = ExtraCharges(sessions, funding, clock, wait=wait, wall=wall)

    async def take(self, claimed: Claim, step: Step) -> bool:
        """Take a step. False when nothing more can be done now."""
        match step:
            case Capture(charge_id, amount, principal):
                intent = await self._intent_of(charge_id)
                done = await self.funding.capture(intent, amount)
                taken = principal if done.captured_minor == amount else None
                await self._keep(claimed, charge_id, done, taken)
            case Cancel(charge_id):
                done = await self.funding.cancel(await self._intent_of(charge_id))
                await self._keep(claimed, charge_id, done, None)
            case ChargeMore():
                return await self._charge_more(claimed, step)
            case OpenDebt(amount, refund_reversed):
                return await self._open_debt(claimed, amount, refund_reversed=refund_reversed)
            case LowerDebt(debt_id, by):
                async with self.sessions.begin() as session:
                    await still_mine(session, claimed)
                    debt = await session.get_one(Receivable, debt_id, with_for_update=True)
                    await lower(session, debt, by, self.clock.now())
            case GiveBack(refund):
                await self.give_back(claimed, refund)
            case Cover(refund_id, by):
                async with self.sessions.begin() as session:
                    await still_mine(session, claimed)
                    given = await session.get_one(Refund, refund_id, with_for_update=True)
                    await cover(session, given, by, self.clock.now())
            case Withdraw(refund_id, principal, fee):
                async with self.sessions.begin() as session:
                    await still_mine(session, claimed)
                    failed = await session.get_one(Refund, refund_id, with_for_update=True)
                    await withdraw(session, failed, principal, fee, self.clock.now())
        return True

    async def give_back(self, claimed: Claim, wanted: GivenBack) -> None:
        """Refund a charge: record it, ask Stripe, follow."""
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            charge = await session.get_one(Charge, wanted.charge_id)
            refund = Refund(
                charge_id=charge.id,
                customer_id=charge.customer_id,
                purchase_id=charge.purchase_id,
                purpose=wanted.purpose,
                amount_minor=wanted.amount_minor,
                principal_minor=wanted.principal_minor,
                deferred_fee_minor=wanted.deferred_fee_minor,
                returned_fee_minor=wanted.returned_fee_minor,
                currency=Currency.USD,
                state=RefundState.SENDING,
            )
            session.add(refund)
        await self._send_refund(claimed, refund.id)

    async def finish_refund(self, claimed: Claim, refund: Refund) -> None:
        """Ask again for a refund that Stripe may not have; follow one that it has."""
        if refund.stripe_refund_id is None:
            await self._send_refund(claimed, refund.id)
        else:
            await self.follow_refund(claimed, refund.id)

    async def follow_refund(self, claimed: Claim, refund_id: UUID) -> None:
        """Bring a refund to where Stripe has it."""
        async with self.sessions() as session:
            refund = await session.get_one(Refund, refund_id)
        assert refund.stripe_refund_id is not None
        facts = await self.funding.refund_facts(refund.stripe_refund_id)
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            ours = await session.get_one(Refund, refund_id)
            follow_refund(ours, facts)
            await book_refund(session, ours, self.clock.now())

    async def _send_refund(self, claimed: Claim, refund_id: UUID) -> None:
        async with self.sessions() as session:
            refund = await session.get_one(Refund, refund_id)
            charge = await session.get_one(Charge, refund.charge_id)
        assert charge.stripe_payment_intent_id is not None
        order = RefundOrder(
            f"refund:{refund.id}",
            str(refund.id),
            charge.stripe_payment_intent_id,
            refund.amount_minor,
        )
        facts = await self.funding.refund(order)
        intent = await self.funding.intent(charge.stripe_payment_intent_id)
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            ours = await session.get_one(Refund, refund_id)
            follow_refund(ours, facts)
            await book_refund(session, ours, self.clock.now())
            follow_intent(await session.get_one(Charge, charge.id), intent)
        log.info("refunded", charge=str(charge.id), state=facts.state.value)

    async def _keep(
        self, claimed: Claim, charge_id: UUID, done: IntentFacts, principal_minor: int | None
    ) -> None:
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            charge = await session.get_one(Charge, charge_id)
            follow_intent(charge, done)
            if charge.captured_principal_minor is None and principal_minor is not None:
                charge.captured_principal_minor = principal_minor
            await book_charge(session, charge, self.clock.now())
            log.info("charge_settled", charge=str(charge.id), state=charge.state)

    async def _charge_more(self, claimed: Claim, step: ChargeMore) -> bool:
        async with self.sessions() as session:
            customer_id = await _customer_of(session, claimed)
        if customer_id is None:
            return False
        tried = await self.extra.charge(claimed, step, customer_id)
        if tried.came is Came.DECLINED:
            if step.purpose is ChargePurpose.COLLECTION:
                await self._note_attempt(claimed, step, tried.outcome)
                return False
            reversed_ = step.purpose is ChargePurpose.REFUND_REVERSED
            return await self._open_debt(
                claimed, step.principal_minor, refund_reversed=reversed_, outcome=tried.outcome
            )
        return tried.came is Came.CHARGED

    async def _note_attempt(
        self, claimed: Claim, step: ChargeMore, outcome: ChargeOutcome | None
    ) -> None:
        nobody = ChargeOutcome(ChargeState.DECLINED, decline_code="no_linked_card")
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            debt = await session.get_one(Receivable, step.debt_id, with_for_update=True)
            note_attempt(debt, outcome or nobody, self.clock.now())

    async def _open_debt(
        self,
        claimed: Claim,
        amount_minor: int,
        *,
        refund_reversed: bool,
        outcome: ChargeOutcome | None = None,
    ) -> bool:
        async with self.sessions.begin() as session:
            purchase = await still_mine(session, claimed)
            if purchase.customer_id is None:
                return False
            await open_receivable(
                session,
                customer_id=purchase.customer_id,
                purchase_id=purchase.id,
                amount_minor=amount_minor,
                refund_reversed=refund_reversed,
                outcome=outcome,
                now=self.clock.now(),
            )
        log.warning("receivable_opened", purchase=str(claimed.authorization_id))
        return True

    async def _intent_of(self, charge_id: UUID) -> str:
        async with self.sessions() as session:
            charge = await session.get_one(Charge, charge_id)
        assert charge.stripe_payment_intent_id is not None
        return charge.stripe_payment_intent_id


async def _customer_of(session: AsyncSession, claimed: Claim) -> UUID | None:
    purchase = await still_mine(session, claimed)
    return purchase.customer_id
