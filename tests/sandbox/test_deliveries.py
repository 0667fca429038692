"""Events: which endpoint hears of what, signed, at least once, and all of it on record."""

import time
from pathlib import Path
from typing import Any

import pytest
import stripe
from aiohttp import web

from tests.conformance.recorder import Recorder
from tests.sandbox.people import card, cardholder, pay
from tests.sandbox.serving import APPROVE, REAL_TIME_SECRET, VERSION, Receiver, Running, serving
from tests.waiting import until

CREATED = "issuing_cardholder.created"


async def endpoint(sandbox: Running, receiver: Receiver, *types: Any) -> stripe.WebhookEndpoint:
    return await sandbox.stripe.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": list(types)}
    )


async def test_an_endpoint_is_sent_signed_events_of_its_types(
    sandbox: Running, receiver: Receiver
) -> None:
    hook = await endpoint(sandbox, receiver, CREATED)

    made = await cardholder(sandbox)
    await until(lambda: len(receiver.received) == 1)

    (received,) = receiver.received
    secret = hook.secret
    assert secret is not None
    event = stripe.Webhook.construct_event(
        received.body, received.headers["Stripe-Signature"], secret
    )
    assert (event.type, event.data.object["id"]) == (CREATED, made.id)
    assert event.request is not None
    assert str(event.request.id).startswith("req_")
    assert [one["status"] for one in await sandbox.deliveries(object_id=made.id)] == [200]


async def test_what_is_refused_is_sent_again_with_a_new_signature(
    sandbox: Running, receiver: Receiver
) -> None:
    await endpoint(sandbox, receiver, CREATED)
    receiver.answer = lambda _event: web.Response(status=500, text="not now")

    await cardholder(sandbox)
    await until(lambda: len(receiver.received) == 1)
    undelivered = await sandbox.stripe.v1.events.list_async({"delivery_success": False})
    receiver.answer = lambda _event: web.Response()
    await until(lambda: len(receiver.received) == 2)
    await until(lambda: not sandbox.app.world.store.objects["sandbox.waiting"])

    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["Stripe-Signature"] != second.headers["Stripe-Signature"]
    assert [event.type for event in undelivered.data] == [CREATED]
    later, earlier = await sandbox.deliveries(type=CREATED)
    assert (earlier["status"], earlier["response_body"], earlier["attempt"]) == (500, "not now", 1)
    assert (later["status"], later["attempt"]) == (200, 2)
    assert later["request_body"] == first.body.decode()


async def test_a_real_time_request_goes_to_its_own_address_only(
    sandbox: Running, product: Receiver
) -> None:
    await endpoint(sandbox, product, "*")

    made = await pay(sandbox, await card(sandbox))
    await until(lambda: len(product.of_type("issuing_authorization.created")) == 1)

    (asked,) = product.of_type("issuing_authorization.request")
    (delivery,) = await sandbox.deliveries(type="issuing_authorization.request")
    assert delivery["event_id"] == asked["id"]
    assert (delivery["object_id"], delivery["approved"]) == (made.id, True)
    assert delivery["reason"] == "webhook_approved"


async def test_an_endpoint_that_is_disabled_or_deleted_hears_nothing(
    sandbox: Running, receiver: Receiver
) -> None:
    hooks = sandbox.stripe.v1.webhook_endpoints
    disabled, deleted = [await endpoint(sandbox, receiver, CREATED) for _ in range(2)]
    heard = await endpoint(sandbox, receiver, "issuing_cardholder.updated")
    updated = await hooks.update_async(disabled.id, {"disabled": True})
    await hooks.delete_async(deleted.id)

    await cardholder(sandbox)
    await until(lambda: bool(receiver.received))

    assert updated.status == "disabled"
    assert [one.event["type"] for one in receiver.received] == ["issuing_cardholder.updated"]
    assert {hook.id for hook in (await hooks.list_async()).data} == {disabled.id, heard.id}
    assert "secret" not in (await hooks.retrieve_async(heard.id)).to_dict()


async def test_a_restart_keeps_everything_and_delivers_what_was_waiting(
    tmp_path: Path, receiver: Receiver, conformance: Recorder
) -> None:
    receiver.answer = lambda _event: web.Response(status=503)
    async with serving(tmp_path, conformance) as sandbox:
        await endpoint(sandbox, receiver, CREATED)
        await sandbox.set(latency_ms=1)
        await sandbox.advance(days=3)
        plastic = await card(sandbox)
        made = await pay(sandbox, plastic)
        await until(lambda: len(receiver.received) == 1)
        left = sandbox.app.world.balance.available("issuing")
    receiver.answer = lambda _event: web.json_response(APPROVE, headers=VERSION)

    async with serving(tmp_path, conformance) as sandbox:
        await until(lambda: len(receiver.received) == 2)
        found = await sandbox.stripe.v1.issuing.authorizations.retrieve_async(made.id)
        clock = (await sandbox.control.get("/_sandbox/clock")).json()

        assert found.to_dict() == made.to_dict()
        assert sandbox.app.world.balance.available("issuing") == left
        assert clock["offset_seconds"] == 3 * 86_400
        assert clock["now"] == pytest.approx(time.time() + 3 * 86_400, abs=5)
        assert sandbox.app.world.settings.latency_ms == 1
        first, second = receiver.received
        assert first.body == second.body


async def test_a_question_that_a_restart_interrupted_is_decided_by_the_default(
    tmp_path: Path, conformance: Recorder
) -> None:
    async with serving(tmp_path, conformance) as sandbox:
        made = await pay(sandbox, await card(sandbox), 900)
        world = sandbox.app.world
        # As it stands while its webhook is being asked.
        interrupted = world.get("issuing.authorization", made.id)
        entry = interrupted["request_history"][0]
        pending = {name: entry[name] for name in ("amount", "amount_details", "currency")}
        more = {name: entry[name] for name in ("merchant_amount", "merchant_currency")}
        pending |= more | {"is_amount_controllable": False, "network_risk_score": 10}
        blank = {"amount": 0, "merchant_amount": 0, "approved": False, "request_history": []}
        world.save(interrupted | blank | {"pending_request": pending})

    async with serving(tmp_path, conformance) as sandbox:
        found = await sandbox.stripe.v1.issuing.authorizations.retrieve_async(made.id)

        assert (found.approved, found.status, found.amount) == (False, "closed", 900)
        assert found.request_history[0].reason == "webhook_timeout"


async def test_reset_forgets_everything_but_the_webhooks_and_funds_the_issuing_balance(
    sandbox: Running, product: Receiver
) -> None:
    await endpoint(sandbox, product, "*")
    await pay(sandbox, await card(sandbox))
    await sandbox.advance(days=1)

    await sandbox.set(latency_ms=1, authorization_timeout="approve")

    await sandbox.control.post("/_sandbox/reset")

    kept = (await sandbox.stripe.v1.webhook_endpoints.list_async()).data
    assert [one.url for one in kept] == [product.url]
    assert (await sandbox.stripe.v1.events.list_async()).data == []
    assert (await sandbox.stripe.v1.issuing.cards.list_async()).data == []
    assert (await sandbox.control.get("/_sandbox/settings")).json() == {
        "authorization_webhook_url": product.url,
        "authorization_webhook_secret": f"{REAL_TIME_SECRET[:9]}****",
        "authorization_timeout": "decline",
        "webhook_error": "decline",
        "authorization_seconds": 2.0,
        "latency_ms": 0,
        "refunds_need_available_funds": False,
        "topup_seconds": 432_000,
        "shopping": True,
    }
    assert sandbox.app.world.balance.available("issuing") == 100_000_00
    assert (await sandbox.control.get("/_sandbox/clock")).json()["offset_seconds"] == 0
