"""The two ways we speak to Stripe: one for the decision, short of time, and one for the rest."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import stripe

from app.adapters.stripe_charging import ChargeClient
from app.config import STRIPE_VERSION
from app.failpoints import Place, is_armed, reached

OTHER_TIMEOUT_SECONDS = 20
OTHER_RETRIES = 2
CERTAINLY_SENT_SECONDS = 0.05


class StripeClients(msgspec.Struct, frozen=True):
    """`decision` has its own connections, and each call its limit; `charging` may take longer.

    Neither of the two retries: a retry cannot be told from a slow success, and costs the time.
    """

    decision: ChargeClient
    charging: ChargeClient
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
        trace_configs=[_dying_mid_call()] if is_armed(Place.CHARGING) else [],
    )
    other_session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=20))
    async with decision_session, other_session:
        decision = _http(decision_session, None)
        other = _http(other_session, OTHER_TIMEOUT_SECONDS)
        yield StripeClients(
            ChargeClient(decision, api_base, secret_key),
            ChargeClient(other, api_base, secret_key),
            stripe.StripeClient(
                secret_key,
                stripe_version=STRIPE_VERSION,
                base_addresses={"api": api_base},
                http_client=other,
                max_network_retries=OTHER_RETRIES,
            ),
        )


def _http(session: aiohttp.ClientSession, seconds: float | None) -> stripe.AIOHTTPClient:
    return stripe.AIOHTTPClient(session=session, timeout=aiohttp.ClientTimeout(total=seconds))


def _dying_mid_call() -> aiohttp.TraceConfig:
    """Have the process killed when a charge has left it and its answer has not come yet."""

    async def sent(*_: object) -> None:
        asyncio.get_running_loop().call_later(CERTAINLY_SENT_SECONDS, reached, Place.CHARGING)

    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(sent)
    return trace
