"""The doctor finds what is wrong with our account at Stripe, or with the way there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web

from app.config import Settings
from app.doctor.command import examine
from app.doctor.findings import Finding, Level
from tests.faults.arming import arm
from tests.faults.relay import never_asked, relaying, without_version
from tests.product import Product
from tests.serving import free_port
from tests.situations import holder, pay
from tests.waiting import until

pytestmark = pytest.mark.parametrize(
    "product_settings", [{"STRIPE_PUBLISHABLE_KEY": "pk_test_product"}]
)
HANDLED = "issuing_authorization.created"


async def at_stripe(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in await examine(settings)}


async def endpoint(product: Product) -> str:
    """Give the path of our endpoint at Stripe."""
    listed = await product.call("GET", "/v1/webhook_endpoints")
    return f"/v1/webhook_endpoints/{listed['data'][0]['id']}"


class TestKeys:
    async def test_that_stripe_refuses_are_found(self, product: Product) -> None:
        await arm(product, "status", "/v1/balance", status=401, method="GET")
        found = (await at_stripe(product.settings))["secret key"]
        assert (found.level, found.seen) == (Level.FAIL, "Stripe refuses it")

    async def test_that_may_not_read_are_found(self, product: Product) -> None:
        await arm(product, "status", "/v1/balance", status=403, method="GET")
        found = (await at_stripe(product.settings))["secret key"]
        assert found.level is Level.FAIL
        assert "may not read" in found.seen

    async def test_of_two_modes_are_found(self, product: Product) -> None:
        settings = msgspec.structs.replace(
            product.settings, stripe_publishable_key="pk_live_product"
        )
        assert (await at_stripe(settings))["publishable key"].level is Level.FAIL
        settings = msgspec.structs.replace(product.settings, stripe_publishable_key="")
        assert (await at_stripe(settings))["publishable key"].level is Level.WARN

    async def test_of_another_mode_than_stripe_answers_in_are_found(self, product: Product) -> None:
        settings = msgspec.structs.replace(product.settings, stripe_secret_key="sk_live_other")
        found = (await at_stripe(settings))["secret key"]
        assert found.level is Level.FAIL


async def test_a_stripe_that_does_not_answer_is_found(product: Product) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = msgspec.structs.replace(product.settings, stripe_api_base=nowhere)
    found = (await at_stripe(settings))["secret key"]
    assert (found.level, found.seen) == (Level.FAIL, f"{nowhere} does not answer")


class TestTheEventsEndpoint:
    async def test_that_is_missing_is_found(self, product: Product) -> None:
        settings = msgspec.structs.replace(product.settings, app_url="https://cards.example.com")
        found = (await at_stripe(settings))["events endpoint"]
        assert found.level is Level.FAIL
        assert "https://cards.example.com/webhooks/stripe/events" in found.seen

    async def test_that_is_disabled_is_found(self, product: Product) -> None:
        await product.call("POST", await endpoint(product), disabled="true")
        assert (await at_stripe(product.settings))["events endpoint"].level is Level.FAIL

    async def test_that_leaves_events_out_is_found(self, product: Product) -> None:
        await product.call("POST", await endpoint(product), **{"enabled_events[]": HANDLED})
        found = (await at_stripe(product.settings))["events sent"]
        assert found.level is Level.FAIL
        assert "issuing_transaction.created" in found.seen
        assert HANDLED not in found.seen

    async def test_of_another_version_is_found(self, product: Product) -> None:
        url = f"{product.settings.app_url}/webhooks/stripe/events"
        await product.call("DELETE", await endpoint(product))
        await product.call("POST", "/v1/webhook_endpoints", url=url, **{"enabled_events[]": "*"})
        assert (await at_stripe(product.settings))["API version"].level is Level.WARN

    async def test_that_is_not_reached_is_found(self, product: Product) -> None:
        nowhere = f"http://127.0.0.1:{free_port()}/"
        await product.call(
            "POST", "/v1/webhook_endpoints", url=nowhere, **{"enabled_events[]": "*"}
        )
        await pay(product, (await holder(product)).card, 1999)
        await product.control("clock", {"advance_seconds": 600})
        await until(lambda: is_found(product, "events delivered"), why="it is found undelivered")


async def is_found(product: Product, check: str) -> bool:
    return (await at_stripe(product.settings))[check].level is Level.WARN


class TestTheRealTimeEndpoint:
    async def test_is_said_where_to_look_for_before_the_first_purchase(
        self, product: Product
    ) -> None:
        found = (await at_stripe(product.settings))["real-time endpoint"]
        assert found.level is Level.WARN
        assert f"{product.settings.app_url}/webhooks/stripe/authorizations" in found.to_do
        assert "timeout set to decline" in found.to_do

    async def test_whose_silence_approves_is_found(self, product: Product) -> None:
        ada = await holder(product)
        await product.control("settings", {"authorization_timeout": "approve"})
        async with relaying(product) as relay:
            relay.way = never_asked
            bought = await pay(product, ada.card, 1999)
        assert bought["approved"] is True
        found = (await at_stripe(product.settings))["default answer"]
        assert found.level is Level.WARN
        assert bought["id"] in found.seen

    async def test_whose_answers_are_unusable_is_found(self, product: Product) -> None:
        ada = await holder(product)
        async with relaying(product) as relay:
            relay.way = without_version
            await pay(product, ada.card, 1999)
        assert (await at_stripe(product.settings))["answers"].level is Level.WARN


@asynccontextmanager
async def distorted(
    product: Product, *, seconds: float = 0, issuing_minor: int | None = None
) -> AsyncIterator[Settings]:
    """Stand before Stripe with another clock, or with another balance."""

    async def pass_on(request: web.Request) -> web.Response:
        answer = await product.stripe.get(request.path, params=dict(request.query))
        body: dict[str, Any] = answer.json()
        if issuing_minor is not None and request.path == "/v1/balance":
            body["issuing"]["available"][0]["amount"] = issuing_minor
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        return web.json_response(body, status=answer.status_code, headers={"Date": date})

    app = web.Application()
    app.router.add_get("/{path:.*}", pass_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield msgspec.structs.replace(product.settings, stripe_api_base=f"http://127.0.0.1:{port}")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("seconds", "level", "seen"),
    [
        (0, Level.OK, "agrees with Stripe's within 2 s"),
        (60, Level.WARN, "ahead of ours"),
        (-60, Level.WARN, "behind ours"),
    ],
)
async def test_a_clock_that_is_off_is_found(
    product: Product, seconds: float, level: Level, seen: str
) -> None:
    async with distorted(product, seconds=seconds) as settings:
        found = (await at_stripe(settings))["clock"]
    assert found.level is level
    assert seen in found.seen


@pytest.mark.parametrize(("minor", "level"), [(0, Level.FAIL), (10_00, Level.WARN)])
async def test_a_float_that_is_low_is_found(product: Product, minor: int, level: Level) -> None:
    await pay(product, (await holder(product)).card, 19_99)
    await product.settled()
    async with distorted(product, issuing_minor=minor) as settings:
        found = (await at_stripe(settings))["float"]
    assert found.level is level
