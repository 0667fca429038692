"""The network to Stripe fails below HTTP: nothing connects, or the answer comes byte by byte."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from app.adapters.stripe_charging import StripeFunding
from app.adapters.stripe_client import stripe_clients
from app.domain.funding.charges import ChargeOrder
from app.domain.funding.states import ChargeState, FundingMode
from app.money import Currency
from tests.faults.arming import answer_to
from tests.faults.test_slow_stripe import answered_in_time
from tests.faults.wire import Wire, a_wire
from tests.oracle import oracle
from tests.product import Product
from tests.situations import holder, intents, pay

ORDER = ChargeOrder(
    key="auth:iauth_1:0:1",
    stripe_customer_id="cus_1",
    stripe_payment_method_id="pm_1",
    amount_minor=2149,
    currency=Currency.USD,
    mode=FundingMode.HOLD,
    merchant_name="Blue Bottle",
    authorization="iauth_1",
    request="0",
    attempt=1,
)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with a_wire() as opened:
        yield opened


@pytest.fixture
def product_settings(wire: Wire) -> dict[str, str]:
    return {"STRIPE_API_BASE": wire.url}


@pytest.fixture
def joined(wire: Wire, product: Product) -> Product:
    wire.lead_to(str(product.stripe.base_url))
    return product


async def test_an_answer_that_drips_is_a_decline_and_its_charge_is_released(
    joined: Product, wire: Wire
) -> None:
    ada = await holder(joined)
    wire.dripping = 1

    bought = await pay(joined, ada.card, 1999)

    assert wire.disturbed == 1
    await answered_in_time(joined, bought["id"])
    [intent] = await intents(joined, ada.customer.stripe_customer_id)
    assert intent["status"] == "requires_capture"
    await oracle(joined)
    [intent] = await intents(joined, ada.customer.stripe_customer_id)
    assert intent["status"] == "canceled"


async def test_a_connection_that_does_not_come_about_is_a_decline(
    joined: Product, wire: Wire
) -> None:
    ada = await holder(joined)

    async with wire.unanswered():
        bought = await pay(joined, ada.card, 1999)

    await answered_in_time(joined, bought["id"])
    assert (await answer_to(joined, bought["id"]))["duration_ms"] > 1_000  # it hung, not refused
    [charge] = await joined.rows("SELECT state FROM charge")
    assert charge["state"] == "unknown"
    await oracle(joined)
    assert await intents(joined, ada.customer.stripe_customer_id) == []


async def test_a_handshake_that_never_ends_is_an_unknown_outcome_in_time() -> None:
    """The sandbox speaks no TLS, so this is as far as a test gets: the decision's own client."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}"
        async with stripe_clients("sk_test_1", address, charges_in_flight=1) as clients:
            loop = asyncio.get_running_loop()
            began = loop.time()
            outcome = await StripeFunding(clients.decision).charge(ORDER, timeout_seconds=0.3)

    assert outcome.state is ChargeState.UNKNOWN
    assert 0.3 <= loop.time() - began < 1.2
