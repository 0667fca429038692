"""Plays cases with the real authorizer, settler and sweep on a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import func, select

from app.db import Sessions, create_engine, create_sessions
from app.domain.funding.charges import FundingProcessor
from app.domain.funding.states import FundingMode
from app.domain.issuing.asking import Ask
from app.domain.issuing.decision_connections import (
    DecisionConnections,
    open_decision_connections,
)
from app.domain.issuing.decision_store import DecisionStore
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.settle import Settler
from app.failpoints import Place
from app.jobs.sweep import sweep
from tests.factories import CardFactory, CustomerFactory, FundingSourceFactory
from tests.simulation.asking import Question
from tests.simulation.cases import Case, Duplicates
from tests.simulation.judging import judge
from tests.simulation.ports import BackOffice, Charging, Network
from tests.simulation.servers import Server
from tests.simulation.stripe_world import Purchase, StripeWorld
from tests.simulation.virtual_time import VirtualClock, virtual_loop

WAIT = timedelta(seconds=90)
A_MOMENT_SECONDS = 0.001
SWEPT_AFTER_SECONDS = 1.0
ASKED_AGAIN_SECONDS = 0.05
TOLD_AFTER_SECONDS = 0.1
MOST_SWEEPS = 20
AMOUNT_MINOR = 1999
ANY_PURCHASE: dict[str, Any] = {
    "allowed_categories": [],
    "blocked_categories": [],
    "allowed_countries": [],
    "blocked_countries": [],
    "active_until": None,
    "lock_to_first_merchant": False,
}


def _as_it_is(processor: FundingProcessor) -> FundingProcessor:
    return processor


@dataclass(frozen=True)
class Build:
    """What is played: the product as it is, unless a mistake is planted in it."""

    store: type[DecisionStore] = DecisionStore
    processor: Callable[[FundingProcessor], FundingProcessor] = _as_it_is
    wait: timedelta = WAIT


THE_PRODUCT = Build()


@dataclass(frozen=True)
class BadEnd:
    case: Case
    problems: list[str]

    def __str__(self) -> str:
        case = ", ".join(f"{name}: {value}" for name, value in asdict(self.case).items())
        return f"{case}\n    " + "\n    ".join(self.problems)


async def bad_ends(
    database_url: str, cases: Sequence[Case], build: Build = THE_PRODUCT
) -> list[BadEnd]:
    """Play every case to its end; give those that did not end as they must."""
    found = []
    async with _opened(database_url, build) as stage:
        asks = await stage.prepare(len(cases))
        for case, ask in zip(cases, asks, strict=True):
            problems = await stage.play(case, ask)
            if problems:
                found.append(BadEnd(case, problems))
    return found


@asynccontextmanager
async def _opened(database_url: str, build: Build) -> AsyncIterator["Stage"]:
    engine = create_engine(database_url)
    try:
        async with open_decision_connections(database_url, 4) as connections:
            yield Stage(connections, create_sessions(engine), build)
    finally:
        await engine.dispose()


class Stage:
    """What all cases share: the database, Stripe and the time."""

    def __init__(self, connections: DecisionConnections, sessions: Sessions, build: Build) -> None:
        self.connections = connections
        self.sessions = sessions
        self.build = build
        self.loop = virtual_loop()
        self.world = StripeWorld(self.loop.wall)

    async def prepare(self, number: int) -> list[Ask]:
        """Make a customer with a linked and a virtual card for each case; give the questions."""
        customers = CustomerFactory.batch(number)
        cards = [CardFactory.build(customer_id=one.id, **ANY_PURCHASE) for one in customers]
        sources = [FundingSourceFactory.build(customer_id=one.id) for one in customers]
        for rows in (customers, cards, sources):
            async with self.sessions.begin() as session:
                session.add_all(rows)
        return [
            Ask(
                event=f"evt_{place}",
                authorization=f"iauth_{place}",
                card=card.stripe_card_id,
                ordinal=0,
                amount_minor=AMOUNT_MINOR,
                currency="usd",
                approved_before_minor=0,
                merchant_name="Blue Bottle",
                merchant_category="fast_food_restaurants",
                merchant_country="US",
                merchant_city=None,
                merchant_network_id=None,
            )
            for place, card in enumerate(cards)
        ]

    async def play(self, case: Case, ask: Ask) -> list[str]:
        """Ask about one purchase and wait until all is settled; give what is wrong then."""
        purchase = self.world.purchases[ask.authorization] = Purchase(case, ask, self.loop.wall())
        settler = self._settler(case.mode)
        question = Question(purchase)
        servers = [self._server(case.mode, case.crash)]
        servers[0].deliver(ask, question.respond_to_first)
        if case.duplicates is Duplicates.AT_ONCE:
            await asyncio.sleep(A_MOMENT_SECONDS)
            servers[0].deliver(ask, question.respond)
            servers.append(self._asked_again(case, question))
        await asyncio.sleep(SWEPT_AFTER_SECONDS)
        await self._sweep(settler)
        await question.deciding
        if case.duplicates is Duplicates.AFTERWARDS:
            await asyncio.sleep(ASKED_AGAIN_SECONDS)
            servers.append(self._asked_again(case, question))
        await asyncio.sleep(TOLD_AFTER_SECONDS)
        await settler.settle(ask.authorization)
        await self._quiet(settler, servers)
        if case.duplicates is Duplicates.AFTERWARDS:
            servers.append(self._asked_again(case, question))
            await self._quiet(settler, servers)
        for server in servers:
            server.stop()
        return [
            *_as_planned(purchase, servers[0]),
            *await judge(self.connections.pool, self.world, purchase),
        ]

    def _settler(self, mode: FundingMode) -> Settler:
        return Settler(
            sessions=self.sessions,
            network=Network(self.world),
            funding=BackOffice(self.world),
            clock=VirtualClock(self.loop),
            mode=mode,
            wait=self.build.wait,
            wall=self.loop.wall,
        )

    def _server(self, mode: FundingMode, dies_at: Place | None = None) -> Server:
        store = self.build.store(self.connections, mode, self.build.wait, self.loop.wall)
        return Server(store, self.build.processor(Charging(self.world)), dies_at)

    def _asked_again(self, case: Case, question: Question) -> Server:
        """Have the same question come to a process that knows nothing of it."""
        server = self._server(case.mode)
        server.deliver(question.purchase.ask, question.respond)
        return server

    async def _sweep(self, settler: Settler) -> None:
        now = self.loop.wall()
        await sweep(self.sessions, settler, now=now, real_now=now)

    async def _quiet(self, settler: Settler, servers: Sequence[Server]) -> None:
        """Wait for everything that is under way, and sweep when something is due."""
        for server in servers:
            await server.answered()
        await self._swept(settler)
        await self.world.ended()
        await self._swept(settler)

    async def _swept(self, settler: Settler) -> None:
        unverified = select(func.min(AuthorizationRequest.verify_after)).where(
            AuthorizationRequest.verified_at.is_(None)
        )
        for _ in range(MOST_SWEEPS):
            async with self.sessions() as session:
                due = await session.scalar(unverified)
            if due is None:
                return
            left = (due - self.loop.wall()).total_seconds()
            await asyncio.sleep(max(left, 0) + SWEPT_AFTER_SECONDS)
            await self._sweep(settler)


def _as_planned(purchase: Purchase, first: Server) -> Iterator[str]:
    """Say so where what was to go wrong did not even come about."""
    case = purchase.case
    if first.has_died is not (case.crash is not None):
        yield f"its process was to die at {case.crash}"
    asked_no_more = case.crash is Place.VERIFIED and case.duplicates is Duplicates.NONE
    # Whoever finds the record of another process waits for that one.
    charged = case.crash is not Place.RECORDED and not asked_no_more
    if charged is not (purchase.charges > 0):
        yield f"{purchase.charges} decisions have charged"
