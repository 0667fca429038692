"""Bring a purchase to where it belongs: every event, sweep and repair comes through here.

Facts are read from Stripe anew, our rows and the books follow them, and what is still missing is
done, one step after the other, until nothing is. Running it twice, late or out of order ends in the
same place.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock, real_time
from app.db import Sessions
from app.domain.funding.charges import FundingBackOffice
from app.domain.funding.keeping import book_charge, follow_intent
from app.domain.funding.models import Charge, PricePlan
from app.domain.funding.pricing import Price
from app.domain.funding.states import FundingMode
from app.domain.issuing.adoption import Adoption, follow
from app.domain.issuing.card_network import AuthorizationFacts, CardNetwork, TransactionFacts
from app.domain.issuing.claims import Claim, PurchaseUnknown, claim, release, still_mine
from app.domain.issuing.effects import Effects
from app.domain.issuing.finishing import finish, refund_sent_back
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.open_ends import (
    OpenEnds,
    charges_of,
    ends_of,
    is_incomplete,
    is_under_way,
    open_ends_of,
)
from app.domain.issuing.postings import movement_journals, transaction_journals
from app.domain.issuing.purchase_letters import write_letters
from app.domain.issuing.repair import Repair
from app.domain.issuing.settlement import Step, next_step
from app.domain.issuing.standing import FREE, Terms, post_earned, standing_of, transactions_of
from app.domain.issuing.states import AuthorizationState, TransactionKind
from app.domain.ledger.journals import Whose
from app.domain.ledger.posting import post

log = structlog.get_logger()

MOST_STEPS = 60
LOOK_AGAIN_AFTER = timedelta(seconds=60)
TRY_AGAIN_AFTER = timedelta(seconds=10)
"""When a settlement has failed. What had led to it need not do so again: its facts are written."""
TRANSACTION = "ipi_"
ALL_OF_THEM = "every PaymentIntent"


class TooManySteps(RuntimeError):
    """A purchase did not come to rest: a mistake of ours, and nothing more is done about it now."""


class Settler:
    """Settles purchases one at a time each; `told` is called with the customer of each."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        network: CardNetwork,
        funding: FundingBackOffice,
        clock: Clock,
        mode: FundingMode,
        wait: timedelta,
        wall: Callable[[], datetime] = real_time,
        told: Callable[[UUID | None], None] = lambda _: None,
    ) -> None:
        self.sessions = sessions
        self.network = network
        self.funding = funding
        self.clock = clock
        self.mode = mode
        self.wait = wait
        self.wall = wall
        self.told = told
        self.effects = Effects(sessions, funding, clock, wait=wait, wall=wall)
        self.repair = Repair(sessions, funding, self.effects, clock, wait=wait, wall=wall)

    async def settle(
        self,
        stripe_id: str,
        *,
        charges_changed: bool = False,
        intent: str | None = None,
        told_at: datetime | None = None,
    ) -> None:
        """Settle one purchase, by the id of its authorization, or of a capture that had none.

        `charges_changed`: something may have become of any of its charges; `intent`: Stripe has
        told that something became of this one. `told_at`: when we were told of what is to be
        settled, by the database's clock: facts that were read later have it already. Raises
        PurchaseBusy, and what Stripe or the database raise; the caller tries again.
        """
        claimed = await self._claim(stripe_id, told_at)
        if claimed is None:
            return
        is_home = False
        try:
            changed = ALL_OF_THEM if charges_changed else intent
            facts = await self._facts(stripe_id)
            if facts is None:
                await self._take_back(claimed, stripe_id, changed)
                is_home = True
                return
            terms, ends = await self._follow(claimed, facts)
            if ends is None:
                owed = await self._owed(facts, claimed)
                await self.repair.requests(claimed, stripe_id, owed=owed)
            await self._look_at_charges(claimed, facts.id, changed, ends)
            await self._bring_home(claimed, facts, terms)
            is_home = True
        finally:
            if not is_home:
                await release(self.sessions, claimed, self.wall() + TRY_AGAIN_AFTER)

    async def _take_back(self, claimed: Claim, stripe_id: str, changed: str | None) -> None:
        """Undo what was charged for a purchase that Stripe does not know, and follow that."""
        await self.repair.requests(claimed, stripe_id, owed=False)
        await self._look_at_charges(claimed, stripe_id, changed, None)
        async with self.sessions.begin() as session:
            authorization = await still_mine(session, claimed)
            authorization.not_handled = await refund_sent_back(session, authorization.id)
            authorization.leased_until = authorization.settle_after = None

    async def _claim(self, stripe_id: str, told_at: datetime | None) -> Claim | None:
        """Take a purchase; where Stripe knows one that we do not, make its row."""
        with suppress(PurchaseUnknown):
            return await claim(self.sessions, stripe_id, self.wall, told_at)
        facts = await self._facts(stripe_id)
        if facts is None:
            return None
        async with self.sessions.begin() as session:
            await self._adoption().authorization(session, facts)
        return await claim(self.sessions, stripe_id, self.wall, told_at)

    async def _facts(self, stripe_id: str) -> AuthorizationFacts | None:
        if not stripe_id.startswith(TRANSACTION):
            return await self.network.authorization(stripe_id)
        told = await self.network.transaction(stripe_id)
        is_purchase = told is not None and told.kind is TransactionKind.CAPTURE
        return _forced(told) if told and is_purchase else None

    def _adoption(self) -> Adoption:
        return Adoption(self.mode, self.clock.now(), self.wall() + self.wait)

    async def _follow(
        self, claimed: Claim, facts: AuthorizationFacts
    ) -> tuple[Terms, OpenEnds | None]:
        """Write Stripe's facts into our rows and into the books; verify what agrees with them.

        Gives the terms agreed on, and the ends that are open; None while a request is in doubt.
        """
        async with self.sessions.begin() as session:
            authorization = await still_mine(session, claimed)
            follow(authorization, facts)
            adoption = self._adoption()
            requests = await adoption.requests(session, authorization, facts)
            terms = await _terms_of(session, adoption, authorization, requests)
            rows = await adoption.transactions(session, authorization, facts, terms.price)
            whose = Whose(authorization.id, authorization.customer_id, authorization.currency)
            journals = [*movement_journals(facts.movements, whose)]
            for row in rows:
                journals += transaction_journals(row)
            await post(session, journals)
            charges = await charges_of(session, authorization.id)
            agreed = self.repair.agree(requests, charges)
            return terms, await ends_of(session, charges) if agreed else None

    async def _owed(self, facts: AuthorizationFacts, claimed: Claim) -> bool:
        """Say whether a merchant has taken money on this purchase, or may still take it."""
        if facts.state is AuthorizationState.PENDING:
            return True
        async with self.sessions() as session:
            moved = await transactions_of(session, claimed.authorization_id)
        return any(one.kind is TransactionKind.CAPTURE for one in moved)

    async def _bring_home(self, claimed: Claim, facts: AuthorizationFacts, terms: Terms) -> None:
        """Take one step after the other until there is none, or the next one must wait."""
        must_wait = False
        for _ in range(MOST_STEPS):
            step = await self._next_step(claimed, facts, terms, must_wait=must_wait)
            if step is None:
                return
            must_wait = not await self.effects.take(claimed, step)
        raise TooManySteps(facts.id)

    async def _next_step(
        self, claimed: Claim, facts: AuthorizationFacts, terms: Terms, *, must_wait: bool
    ) -> Step | None:
        """Give the next step; where there is none, write down how the purchase was left.

        The claim ends with that, in the same transaction.
        """
        async with self.sessions.begin() as session:
            authorization = await still_mine(session, claimed)
            now = self.clock.now()
            standing = await standing_of(session, authorization.id, facts.state, terms, now)
            await post_earned(session, standing)
            step = next_step(standing.position) if standing.certain else None
            if step is not None and not must_wait:
                return step
            if step is None:
                standing.end_tries(now)
            requests = await finish(session, authorization, standing, facts.state)
            await write_letters(session, authorization, requests, standing, now)
            authorization.leased_until = None
            authorization.read_at = claimed.began
            again = step is not None or not standing.certain
            authorization.settle_after = self.wall() + LOOK_AGAIN_AFTER if again else None
            customer_id = authorization.customer_id
        self.told(customer_id)
        return None

    async def _look_at_charges(
        self,
        claimed: Claim,
        stripe_id: str,
        changed: str | None,
        ends: OpenEnds | None,
    ) -> None:
        """Follow the charges and refunds that change without us, or that were cut off.

        `changed`: the PaymentIntent that has changed, or ALL_OF_THEM. `ends`: where it is known.
        """
        now = self.clock.now()
        if ends is None:
            async with self.sessions() as session:
                ends = await open_ends_of(session, claimed.authorization_id)
        of_changed = {
            charge.id
            for charge in ends.charges
            if changed in (ALL_OF_THEM, charge.stripe_payment_intent_id)
        }
        for charge in ends.charges:
            if charge.id in of_changed or is_incomplete(charge, now):
                await self._refresh(claimed, charge)
        for refund in ends.refunds:
            if refund.charge_id in of_changed or is_under_way(refund):
                await self.effects.finish_refund(claimed, refund)
        if ends.has_unknown:
            await self.effects.extra.look_up(claimed, stripe_id)

    async def _refresh(self, claimed: Claim, charge: Charge) -> None:
        assert charge.stripe_payment_intent_id is not None
        told = await self.funding.intent(charge.stripe_payment_intent_id)
        async with self.sessions.begin() as session:
            await still_mine(session, claimed)
            ours = await session.get_one(Charge, charge.id)
            follow_intent(ours, told)
            await book_charge(session, ours, self.clock.now())


def _forced(told: TransactionFacts) -> AuthorizationFacts:
    """Stand in for the authorization that a merchant did without."""
    return AuthorizationFacts(
        id=told.id,
        card=told.card,
        state=AuthorizationState.CLOSED,
        approved=True,
        amount_minor=0,
        currency=told.currency,
        occurred_at=told.occurred_at,
        merchant_name=told.merchant_name,
        merchant_category=told.merchant_category,
        merchant_country=told.merchant_country,
        merchant_city=told.merchant_city,
        merchant_network_id=told.merchant_network_id,
        requests=[],
        transactions=[told],
        forced=True,
    )


async def _terms_of(
    session: AsyncSession,
    adoption: Adoption,
    authorization: Authorization,
    requests: list[AuthorizationRequest],
) -> Terms:
    """Give the terms of the plan that the first request was priced by, or that was in force."""
    plan_id = next((r.price_plan_id for r in requests if r.price_plan_id), None)
    if plan_id is not None:
        plan: PricePlan | None = await session.get_one(PricePlan, plan_id)
    else:
        plan = await adoption.plan_at(session, authorization.occurred_at)
    if plan is None:
        return FREE
    price = Price(plan.percent_bps, plan.fixed_minor, plan.minimum_minor)
    return Terms(price, plan.refund_fee_policy)
