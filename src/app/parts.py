"""The parts of a running process, opened together and closed together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from app.adapters.clock import follow_clock
from app.adapters.stripe_balance import StripeBalanceFeed
from app.adapters.stripe_charging import StripeFunding
from app.adapters.stripe_client import StripeClients, stripe_clients
from app.adapters.stripe_funding import StripeBackOffice
from app.adapters.stripe_issuing import StripeCardNetwork
from app.clock import Clock
from app.config import Settings
from app.db import Sessions, create_engine, create_sessions
from app.domain.funding.states import FundingMode
from app.domain.issuing.assembling import House
from app.domain.issuing.authorize import Authorizer
from app.domain.issuing.decision_connections import open_decision_connections
from app.domain.issuing.decision_store import DecisionStore
from app.domain.issuing.settle import Settler
from app.live import Announcer, announcing

DECISION_CONNECTIONS = 12
"""More would wait for the processor instead of the pool: a statement takes a millisecond or two."""


class Parts(msgspec.Struct, frozen=True):
    """What handlers and jobs work with."""

    settings: Settings
    clock: Clock
    sessions: Sessions
    stripe: StripeClients
    settler: Settler
    network: StripeCardNetwork
    back_office: StripeBackOffice
    balance_feed: StripeBalanceFeed
    announcer: Announcer


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncIterator[Parts]:
    """Open everything but the decision's own connections."""
    clock = Clock()
    engine = create_engine(settings.database_url)
    sessions = create_sessions(engine)
    mode, wait = funding_mode(settings), timedelta(seconds=settings.repair_wait_seconds)
    clients = stripe_clients(
        settings.stripe_secret_key, settings.stripe_api_base, settings.max_charges_in_flight
    )
    async with (
        clients as stripe,
        following(clock, settings.clock_url),
        _disposing(engine),
        announcing(sessions) as announcer,
    ):
        network = StripeCardNetwork(stripe.other)
        back_office = StripeBackOffice(stripe.other, stripe.charging)
        settler = Settler(
            sessions=sessions,
            network=network,
            funding=back_office,
            clock=clock,
            mode=mode,
            wait=wait,
            told=announcer.tell,
        )
        feed = StripeBalanceFeed(stripe.other)
        yield Parts(
            *(settings, clock, sessions, stripe, settler),
            *(network, back_office, feed, announcer),
        )


@asynccontextmanager
async def _disposing(engine: AsyncEngine) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_authorizer(parts: Parts) -> AsyncIterator[Authorizer]:
    """Open the decision's own connections, and record what it declines without them."""
    settings = parts.settings
    connections = open_decision_connections(settings.database_url, DECISION_CONNECTIONS)
    async with connections as lent:
        store = DecisionStore(
            lent, funding_mode(settings), timedelta(seconds=settings.repair_wait_seconds)
        )
        authorizer = Authorizer(
            store,
            StripeFunding(parts.stripe.decision),
            parts.clock,
            house=House(settings.statement_descriptor, settings.debt_stops_cards_after_days),
            cap=settings.max_charges_in_flight,
            told=parts.announcer.tell,
        )
        recorder = asyncio.create_task(authorizer.unrecorded.keep_recording())
        try:
            yield authorizer
        finally:
            recorder.cancel()
            await asyncio.gather(recorder, return_exceptions=True)


@asynccontextmanager
async def following(clock: Clock, url: str | None) -> AsyncIterator[None]:
    """Keep the clock in step with the network's, where that can be moved."""
    if url is None:
        yield
        return
    follower = asyncio.create_task(follow_clock(clock, url))
    try:
        yield
    finally:
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)


def funding_mode(settings: Settings) -> FundingMode:
    return FundingMode(settings.funding_mode)
