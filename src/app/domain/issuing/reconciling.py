"""Reconcile: read Stripe's side and ours, compare them, and look twice before saying so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import msgspec

from app.db import Sessions
from app.domain.funding.balance import BalanceFacts, BalanceFeed
from app.domain.funding.charges import IntentFacts, RefundFacts
from app.domain.issuing.card_network import AuthorizationFacts, CardNetwork, TransactionFacts
from app.domain.issuing.clearing import mark_amiss
from app.domain.issuing.proving import compare_balances
from app.domain.issuing.reconciliation import compare
from app.domain.issuing.reconciliation_facts import Difference, Ours, Sides, Theirs
from app.domain.issuing.reconciliation_records import read_ours

BEGINNING = datetime(2015, 1, 1, tzinfo=UTC)
LOOK_AGAIN_SECONDS = 3.0
STEPS = 7
"""How often progress is told of: after each list of Stripe's, ours, and the comparison."""
Told = TypeVar("Told", AuthorizationFacts, TransactionFacts, IntentFacts, RefundFacts, BalanceFacts)
Progress = Callable[[str], None]


class StripeRecords(Protocol):
    """All that Stripe has of ours: what was made since a moment, and one of each by its id."""

    def authorizations(self, since: datetime) -> AsyncIterator[AuthorizationFacts]: ...

    def transactions(self, since: datetime) -> AsyncIterator[TransactionFacts]: ...

    def intents(self, since: datetime) -> AsyncIterator[IntentFacts]: ...

    def refunds(self, since: datetime) -> AsyncIterator[RefundFacts]: ...

    async def intent(self, stripe_payment_intent_id: str) -> IntentFacts | None: ...

    async def refund(self, stripe_refund_id: str) -> RefundFacts | None: ...


class Reconciler(msgspec.Struct, frozen=True):
    """What a reconciliation reads from."""

    sessions: Sessions
    records: StripeRecords
    network: CardNetwork
    feed: BalanceFeed
    follow_rollups: Callable[[], Awaitable[int]]
    pause_seconds: float = LOOK_AGAIN_SECONDS

    async def run(self, since: datetime | None, progress: Progress) -> list[Difference]:
        """Give every difference among what is from since a moment; all there ever was, for None.

        What is being settled right now looks like a difference for a moment: where there is any,
        both sides are read once more, and only what has stayed is given.
        """
        found = await self._look(since or BEGINNING, progress)
        if not found:
            return []
        progress("looking again")
        await asyncio.sleep(self.pause_seconds)
        again = await self._look(since or BEGINNING, lambda _: None)
        before = {(one.kind, one.name, one.note) for one in found}
        return [one for one in again if (one.kind, one.name, one.note) in before]

    async def _look(self, since: datetime, progress: Progress) -> list[Difference]:
        theirs = await self._theirs(since, progress)
        await self.follow_rollups()
        await mark_amiss(self.sessions)
        async with self.sessions() as session:
            ours = await read_ours(session, since, theirs)
        progress("our records and journals")
        theirs = await self._with_older(theirs, ours)
        balances = await compare_balances(self.sessions, self.feed)
        progress("the balances")
        return compare(Sides(since, ours, theirs, balances))

    async def _theirs(self, since: datetime, progress: Progress) -> Theirs:
        records = self.records
        purchases = await _by_id(records.authorizations(since))
        progress(f"{len(purchases)} authorizations")
        transactions = await _by_id(records.transactions(since))
        progress(f"{len(transactions)} card transactions")
        intents = await _by_id(records.intents(since))
        progress(f"{len(intents)} charges")
        refunds = await _by_id(records.refunds(since))
        progress(f"{len(refunds)} refunds")
        moved = await self.feed.transactions_since(since)
        progress(f"{len(moved)} balance transactions")
        return Theirs(purchases, transactions, intents, refunds, {one.id: one for one in moved})

    async def _with_older(self, theirs: Theirs, ours: Ours) -> Theirs:
        """Ask for what we have and the lists have not: it may be from before, or not be there."""
        return Theirs(
            await _completed(theirs.purchases, ours.purchases, self.network.authorization),
            await _completed(theirs.transactions, ours.transactions, self.network.transaction),
            await _completed(theirs.intents, ours.charges, self.records.intent),
            await _completed(theirs.refunds, ours.refunds, self.records.refund),
            theirs.movements,
        )


async def _by_id(rows: AsyncIterator[Told]) -> dict[str, Told]:
    return {row.id: row async for row in rows}


async def _completed(
    listed: Mapping[str, Told],
    wanted: Collection[str],
    ask: Callable[[str], Awaitable[Told | None]],
) -> Mapping[str, Told]:
    found = dict(listed)
    for name in wanted:
        if name not in found:
            told = await ask(name)
            if told is not None:
                found[name] = told
    return found
