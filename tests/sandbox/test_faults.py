"""Faults that the control interface arms: each fires, and does what it says."""

import asyncio
import os
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.serving import Running
from tests.waiting import until

CUSTOMERS = "/v1/customers"
KEY = {"Authorization": "Bearer sk_test_1"}


async def customers(sandbox: Running) -> int:
    return len((await sandbox.stripe.v1.customers.list_async()).data)


async def create(sandbox: Running, key: str = "one") -> stripe.Customer:
    options: Any = {"idempotency_key": key}
    return await sandbox.stripe.v1.customers.create_async({"name": "Ada"}, options)


@pytest.mark.parametrize(("action", "created"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_connection_closes_without_an_answer(
    sandbox: Running, action: str, created: int
) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action=action)

    with pytest.raises(stripe.APIConnectionError, match="Disconnected"):
        await create(sandbox)

    assert await sandbox.fired() == 1
    assert await customers(sandbox) == created
    assert (await create(sandbox)).name == "Ada"
    assert await customers(sandbox) == 1


async def test_an_error_after_the_effect_is_the_answer_for_ever(sandbox: Running) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="status", after_effect=True)

    for _ in range(2):
        with pytest.raises(stripe.APIError) as refused:
            await create(sandbox)
        assert refused.value.http_status == 500

    assert (await sandbox.fired(), await customers(sandbox)) == (1, 1)


async def test_an_error_without_effect_is_kept_under_its_key_alone(sandbox: Running) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="status", status=500)

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await create(sandbox)

    assert (await sandbox.fired(), await customers(sandbox)) == (1, 0)
    assert (await create(sandbox, "two")).name == "Ada"


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_an_answer_that_is_not_stripe_s_leaves_the_key_free(
    sandbox: Running, status: int
) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="status", status=status)

    with pytest.raises(stripe.StripeError):
        await create(sandbox)

    assert (await create(sandbox)).name == "Ada"
    assert (await sandbox.fired(), await customers(sandbox)) == (1, 1)


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", '{"id": "cus_'])
async def test_any_body_may_stand_in_the_answer_s_place(sandbox: Running, body: str) -> None:
    await sandbox.fault(
        method="POST", path=CUSTOMERS, action="status", status=200, body=body, after_effect=True
    )

    with pytest.raises(stripe.APIError, match="Invalid response body"):
        await create(sandbox)

    # It was lost on the way: the key still gives the true answer.
    assert (await create(sandbox)).name == "Ada"
    assert (await sandbox.fired(), await customers(sandbox)) == (1, 1)


@pytest.mark.parametrize(("after_effect", "meanwhile"), [(False, 0), (True, 1)])
async def test_a_delay_comes_before_the_operation_or_after_it(
    sandbox: Running, meanwhile: int, *, after_effect: bool
) -> None:
    await sandbox.fault(
        method="POST", path=CUSTOMERS, action="delay", delay_ms=300, after_effect=after_effect
    )

    creating = asyncio.create_task(create(sandbox))
    await until(lambda: sandbox.app.world.faults.held[0].fired == 1)
    await until(lambda: _count(sandbox) == meanwhile)
    assert not creating.done()

    assert (await creating).name == "Ada"
    assert _count(sandbox) == 1


async def test_a_delayed_operation_takes_effect_though_nobody_waits_any_more(
    sandbox: Running,
) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="delay", delay_ms=300)

    async with httpx.AsyncClient(base_url=sandbox.url, timeout=0.1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(CUSTOMERS, headers=KEY)

    assert _count(sandbox) == 0
    await until(lambda: _count(sandbox) == 1)


async def test_a_hang_never_answers(sandbox: Running) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="hang")

    async with httpx.AsyncClient(base_url=sandbox.url, timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(CUSTOMERS, headers=KEY)

    assert (await sandbox.fired(), _count(sandbox)) == (1, 0)


async def test_a_fault_is_for_one_method_and_path_and_some_times(sandbox: Running) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="status", status=503, times=2)

    assert await customers(sandbox) == 0
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await create(sandbox)
    assert (await create(sandbox)).name == "Ada"
    assert await sandbox.fired() == 2


async def test_a_fault_for_ever_ends_when_it_is_cleared(sandbox: Running) -> None:
    await sandbox.fault(method="POST", path=CUSTOMERS, action="status", status=503, times=None)
    for _ in range(3):
        with pytest.raises(stripe.APIError):
            await create(sandbox)

    await sandbox.control.delete("/_sandbox/faults")

    assert (await create(sandbox)).name == "Ada"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"action": "explode"}, "explode"),
        ({"delay": 5}, "unknown field: delay"),
        ({"delay_ms": "5"}, "delay_ms"),
    ],
    ids=["action", "field", "type"],
)
async def test_a_fault_that_cannot_be_understood_is_refused(
    sandbox: Running, wrong: dict[str, Any], says: str
) -> None:
    fault = {"method": "POST", "path": CUSTOMERS, "action": "hang"} | wrong

    answer = await sandbox.control.post("/_sandbox/faults", json=fault)

    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


def _count(sandbox: Running) -> int:
    return len(sandbox.app.world.store.objects.get("customer", {}))


async def test_a_dropped_connection_leaves_no_file_open(sandbox: Running) -> None:
    await sandbox.fault(method="POST", path="/v1/customers", action="drop_before", times=None)
    client = sandbox.stripe.v1.customers

    async def drop() -> int:
        with pytest.raises(stripe.APIConnectionError):
            await client.create_async({"name": "Ada"})
        return len(os.listdir("/dev/fd"))  # noqa: PTH208  as the sandbox itself counts

    first = await drop()
    later = [await drop() for _ in range(5)]

    assert max(later) <= first + 1
