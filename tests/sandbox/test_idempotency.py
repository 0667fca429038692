"""Idempotency keys: done once, answered again, refused for anything else."""

import asyncio
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.serving import Running
from tests.waiting import until

CUSTOMERS = "/v1/customers"


async def post(sandbox: Running, form: dict[str, str], key: str = "one") -> httpx.Response:
    headers = {"Authorization": "Bearer sk_test_1", "Idempotency-Key": key}
    return await sandbox.control.post(CUSTOMERS, data=form, headers=headers)


async def test_a_repeated_request_is_answered_as_before(sandbox: Running) -> None:
    first = await post(sandbox, {"name": "Ada", "email": "ada@example.com"})
    second = await post(sandbox, {"email": "ada@example.com", "name": "Ada"})

    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await sandbox.stripe.v1.customers.list_async()).data) == 1


async def test_a_key_is_for_one_request(sandbox: Running) -> None:
    await post(sandbox, {"name": "Ada"})

    other = await post(sandbox, {"name": "Grace"})

    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"
    assert "code" not in other.json()["error"]


async def test_parameters_that_were_refused_leave_the_key_free(sandbox: Running) -> None:
    refused = await post(sandbox, {"nonsense": "1"})
    accepted = await post(sandbox, {"name": "Ada"})

    assert (refused.status_code, accepted.status_code) == (400, 200)


async def test_a_refusal_by_the_operation_is_kept(sandbox: Running) -> None:
    options: Any = {"idempotency_key": "one"}
    params: Any = {"amount": 10, "currency": "usd"}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await sandbox.stripe.v1.payment_intents.create_async(params, options)
        assert refused.value.code == "amount_too_small"
    headers: Any = refused.value.headers
    assert headers["idempotent-replayed"] == "true"


async def test_a_key_in_flight_is_a_conflict(sandbox: Running) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="delay", delay_ms=200)
    first = asyncio.create_task(post(sandbox, {"name": "Ada"}))
    await until(lambda: "one" in sandbox.app.world.answers.in_flight)

    conflict = await post(sandbox, {"name": "Ada"})

    assert conflict.status_code == 409
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"
    assert (await first).status_code == 200
    assert (await post(sandbox, {"name": "Ada"})).headers["idempotent-replayed"] == "true"


async def test_an_overlong_key_is_refused(sandbox: Running) -> None:
    refused = await post(sandbox, {"name": "Ada"}, "k" * 256)

    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "idempotency_error"
