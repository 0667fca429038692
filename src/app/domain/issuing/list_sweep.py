"""Hold Stripe's lists against our records, both ways, and settle what is not the same.

What no event told us of is found here: an authorization or a charge that we have no record of, one
that stands otherwise at Stripe, and one that we think is open and Stripe does not.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.clock import Clock, real_time
from app.db import Sessions
from app.domain.funding.charges import IntentFacts
from app.domain.funding.keeping import Asked, book_charge, keep_intent
from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.states import ChargePurpose, ChargeState
from app.domain.issuing.card_network import AuthorizationFacts
from app.domain.issuing.extra_charges import EXTRA
from app.domain.issuing.models import Authorization, AuthorizationRequest, CardTransaction
from app.domain.issuing.settle import Settler
from app.domain.issuing.states import AuthorizationState
from app.money import Currency

log = structlog.get_logger()

LONGEST_OPEN = timedelta(days=32)
"""An authorization is open for 31 days at most.

Source: https://docs.stripe.com/issuing/purchases/authorizations
"""
SURELY_LISTED = timedelta(minutes=5)
AT_ONCE = 100
Row = TypeVar("Row")


class Records(Protocol):
    """Stripe's lists of what was made since a moment, newest first."""

    def authorizations(
        self, since: datetime, *, pending_only: bool = False
    ) -> AsyncIterator[AuthorizationFacts]: ...

    def intents(self, since: datetime) -> AsyncIterator[IntentFacts]: ...


class Swept(msgspec.Struct, frozen=True):
    """How many objects were looked at, and which purchases were behind and are settled now."""

    looked_at: int
    settled: list[str]
    failed: list[str]

    @property
    def in_words(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"{self.looked_at} objects, {len(self.settled)} purchases were behind{failed}"


class ListSweep:
    """Looks at Stripe's lists."""

    def __init__(
        self,
        sessions: Sessions,
        records: Records,
        settler: Settler,
        clock: Clock,
        *,
        wait: timedelta,
    ) -> None:
        self.sessions = sessions
        self.records = records
        self.settler = settler
        self.clock = clock
        self.wait = wait

    async def sweep(self, since: datetime) -> Swept:
        """Compare what was made since a moment, and all that is open; settle what is behind."""
        now = self.clock.now()
        # By purchase, whether its charges must be read again. A dict, for its order.
        behind: dict[str, bool] = {}
        pending: set[str] = set()
        looked_at = 0
        async for some in _in_batches(self._authorizations(since, now)):
            looked_at += len(some)
            pending |= {one.id for one in some if one.state is AuthorizationState.PENDING}
            behind |= dict.fromkeys(await self._behind(some), False)
        behind |= dict.fromkeys(await self._ended_unseen(pending, now), False)
        lost: set[str] = set()
        async for intents in _in_batches(self.records.intents(since)):
            looked_at += len(intents)
            behind |= dict.fromkeys(await self._charges_behind(intents, lost), True)
        return await self._settle(behind, lost, looked_at)

    async def _authorizations(
        self, since: datetime, now: datetime
    ) -> AsyncIterator[AuthorizationFacts]:
        """Give the new ones, and the open ones whatever their age."""
        async for one in self.records.authorizations(since):
            yield one
        async for one in self.records.authorizations(now - LONGEST_OPEN, pending_only=True):
            if one.occurred_at < since:
                yield one

    async def _behind(self, told: list[AuthorizationFacts]) -> list[str]:
        names = [one.id for one in told]
        async with self.sessions() as session:
            found = await session.scalars(
                select(Authorization).where(Authorization.stripe_authorization_id.in_(names))
            )
            ours = {one.stripe_authorization_id: one for one in found}
            moved = await _transactions(session, [one.id for one in ours.values()])
        return [one.id for one in told if _is_behind(one, ours.get(one.id), moved)]

    async def _ended_unseen(self, pending: set[str], now: datetime) -> list[str]:
        """Give what is open on our record only, unless it is too new to be in Stripe's list."""
        async with self.sessions() as session:
            found = await session.scalars(
                select(Authorization.stripe_authorization_id).where(
                    Authorization.state == AuthorizationState.PENDING,
                    Authorization.occurred_at < now - SURELY_LISTED,
                )
            )
            return [name for name in found if name not in pending]

    async def _charges_behind(self, told: list[IntentFacts], lost: set[str]) -> list[str]:
        """Give purchases whose charges stand otherwise; adopt unknown charges, if not `lost`."""
        async with self.sessions() as session:
            found = await session.scalars(
                select(Charge).where(
                    Charge.stripe_payment_intent_id.in_([intent.id for intent in told])
                )
            )
            ours = {one.stripe_payment_intent_id: one for one in found}
        behind = []
        for intent in told:
            charge, purchase = ours.get(intent.id), intent.authorization
            assert purchase is not None
            if charge is None:
                # A decision that is being made has not written its charge down yet.
                if self.clock.now() - intent.created_at > self.wait:
                    behind.append(purchase)
                    if not await self._adopted(intent, purchase):
                        lost.add(purchase)
            elif _stands_otherwise(charge, intent):
                behind.append(purchase)
        return behind

    async def _adopted(self, intent: IntentFacts, purchase: str) -> bool:
        """Adopt a charge. False when that failed, which keeps no other from being looked at.

        It is tried again while it is in the list that is asked for, and reconciliation tells of it.
        """
        try:
            await self._adopt(intent, purchase)
        except Exception:
            log.exception("charge_not_adopted", authorization=purchase, charge=intent.id)
            return False
        return True

    async def _adopt(self, intent: IntentFacts, purchase: str) -> None:
        """Write down a charge that we have no record of, for settlement to deal with."""
        await self._settle_one(purchase, charges_changed=False)
        async with self.sessions.begin() as session:
            bought = await session.scalar(
                select(Authorization)
                .where(Authorization.stripe_authorization_id == purchase)
                .with_for_update(key_share=True)
            )
            known = await session.scalar(
                select(Charge.id).where(Charge.stripe_payment_intent_id == intent.id)
            )
            if known is not None or bought is None or bought.customer_id is None:
                return
            log.warning("charge_adopted", authorization=purchase, charge=intent.id)
            if intent.request == EXTRA:
                await _adopt_extra(session, intent, bought)
            else:
                await _adopt_asked(session, intent, bought, self.clock.now())

    async def _settle(self, behind: dict[str, bool], lost: set[str], looked_at: int) -> Swept:
        failed = [
            name
            for name, changed in behind.items()
            if not await self._settle_one(name, charges_changed=changed) or name in lost
        ]
        return Swept(looked_at, [name for name in behind if name not in failed], failed)

    async def _settle_one(self, name: str, *, charges_changed: bool) -> bool:
        try:
            await self.settler.settle(name, charges_changed=charges_changed)
        except Exception:
            log.exception("settle_failed", authorization=name)
            return False
        return True


def _is_behind(
    told: AuthorizationFacts, ours: Authorization | None, moved: dict[UUID, set[str]]
) -> bool:
    if ours is None:
        return True
    same = (ours.state, ours.amount_minor) == (told.state, told.amount_minor)
    return not same or not {one.id for one in told.transactions} <= moved.get(ours.id, set())


def _stands_otherwise(charge: Charge, told: IntentFacts) -> bool:
    ours = (charge.state, charge.captured_minor, charge.refunded_minor)
    return ours != (told.state, told.captured_minor, told.refunded_minor)


async def _transactions(session: AsyncSession, purchases: Iterable[UUID]) -> dict[UUID, set[str]]:
    found = await session.execute(
        select(CardTransaction.authorization_id, CardTransaction.stripe_transaction_id).where(
            CardTransaction.authorization_id.in_(list(purchases))
        )
    )
    moved: dict[UUID, set[str]] = {}
    for purchase, name in found:
        if purchase is not None:
            moved.setdefault(purchase, set()).add(name)
    return moved


async def _adopt_asked(
    session: AsyncSession, intent: IntentFacts, bought: Authorization, now: datetime
) -> None:
    """Write down a charge for a request, and have the request looked at again."""
    request = await session.scalar(
        select(AuthorizationRequest).where(
            AuthorizationRequest.authorization_id == bought.id,
            AuthorizationRequest.ordinal == int(intent.request or "0"),
        )
    )
    if request is None or bought.customer_id is None:
        return
    approved = request.approved_minor if request.stripe_approved else None
    principal = request.amount_minor if approved is None else approved
    asked = Asked(bought.customer_id, bought.id, request.id, Currency(request.currency), principal)
    charge = await keep_intent(session, intent, asked)
    await session.flush()
    await book_charge(session, charge, now)
    request.verified_at, request.verify_after = None, real_time()


async def _adopt_extra(session: AsyncSession, intent: IntentFacts, bought: Authorization) -> None:
    """Write down a charge that came afterwards. What of it is our fee, settlement works out."""
    key = f"{EXTRA}:{intent.authorization}:{intent.attempt}"
    ours = await session.scalar(select(Charge).where(Charge.idempotency_key == key))
    if ours is not None:
        # Settlement looks it up in the list, as it does with what it has sent.
        ours.doubt_again()
        return
    source = await session.scalar(
        select(FundingSource.id).where(
            FundingSource.stripe_payment_method_id == intent.payment_method
        )
    )
    assert bought.customer_id is not None
    charge = Charge(
        id=uuid7(),
        customer_id=bought.customer_id,
        funding_source_id=source,
        purchase_id=bought.id,
        purpose=ChargePurpose.DIFFERENCE,
        mode=intent.mode,
        attempt=intent.attempt,
        idempotency_key=key,
        amount_minor=intent.amount_minor,
        principal_minor=intent.amount_minor,
        captured_minor=intent.captured_minor,
        refunded_minor=intent.refunded_minor,
        currency=Currency.USD,
        state=ChargeState.UNKNOWN,
        undone=False,
        stripe_payment_intent_id=intent.id,
        stripe_charge_id=intent.stripe_charge_id,
    )
    charge.move_to(intent.state)
    session.add(charge)


async def _in_batches(rows: AsyncIterator[Row]) -> AsyncIterator[list[Row]]:
    batch: list[Row] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
