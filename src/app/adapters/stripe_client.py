"""The two ways we speak to Stripe: one for the decision, short of time, and one for the rest."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import stripe

from app.config import STRIPE_VERSION

DECISION_TIMEOUT_SECONDS = 1.2
OTHER_TIMEOUT_SECONDS = 20
OTHER_RETRIES = 2


class StripeClients(msgspec.Struct, frozen=True):
    """`decision` never retries: a retry cannot be told from a slow success, and costs the time."""

    decision: stripe.StripeClient
    other: stripe.StripeClient


@asynccontextmanager
async def stripe_clients(
    secret_key: str, api_base: str, charges_in_flight: int
) -> AsyncIterator[StripeClients]:
    """Open both clients for the running event loop, each with connections of its own."""
    stripe.enable_telemetry = False
    logging.getLogger("stripe").setLevel(logging.WARNING)
    decision_session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=charges_in_flight, keepalive_timeout=60),
        auto_decompress=True,
    )
    other_session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=20))
    async with decision_session, other_session:
        yield StripeClients(
            _client(secret_key, api_base, decision_session, DECISION_TIMEOUT_SECONDS, 0),
            _client(secret_key, api_base, other_session, OTHER_TIMEOUT_SECONDS, OTHER_RETRIES),
        )


def _client(
    secret_key: str, api_base: str, session: aiohttp.ClientSession, seconds: float, retries: int
) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        stripe_version=STRIPE_VERSION,
        base_addresses={"api": api_base},
        http_client=stripe.AIOHTTPClient(
            session=session, timeout=aiohttp.ClientTimeout(total=seconds)
        ),
        max_network_retries=retries,
    )
