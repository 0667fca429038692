"""Events that are lost, held back, mixed up and doubled, each proved to have been."""

from typing import Any

import pytest
from aiohttp import web

from tests.sandbox.people import cardholder
from tests.sandbox.serving import Receiver, Running, told
from tests.waiting import until

CREATED, UPDATED = "issuing_cardholder.created", "issuing_cardholder.updated"
FAULTS = "/_sandbox/event_faults"


@pytest.fixture
async def hook(sandbox: Running, receiver: Receiver) -> Receiver:
    """The receiver, told of new cardholders."""
    params: Any = {"url": receiver.url, "enabled_events": [CREATED]}
    await sandbox.stripe.v1.webhook_endpoints.create_async(params)
    return receiver


async def test_a_lost_event_is_in_the_log_and_never_comes(sandbox: Running, hook: Receiver) -> None:
    await told(sandbox, FAULTS, {"action": "lose", "type": CREATED, "times": 2})

    lost = [await cardholder(sandbox) for _ in range(2)]
    kept = await cardholder(sandbox)
    await until(lambda: len(hook.received) == 1)

    assert [one.event["data"]["object"]["id"] for one in hook.received] == [kept.id]
    (fault,) = (await sandbox.control.get(FAULTS)).json()["data"]
    events = sandbox.stripe.v1.events
    log = await events.list_async({"type": CREATED})
    missed = await events.list_async({"type": CREATED, "delivery_success": False})
    delivered = await events.list_async({"type": CREATED, "delivery_success": True})
    assert (fault["fired"], fault["times"]) == (2, 0)
    assert len(log.data) == 3
    assert [event.data.object["id"] for event in missed.data] == [lost[1].id, lost[0].id]
    assert fault["struck"] == [event.id for event in reversed(missed.data)]
    assert [event.data.object["id"] for event in delivered.data] == [kept.id]


@pytest.mark.parametrize("order", ["as_happened", "reversed", "shuffled", "given"])
async def test_what_is_held_back_comes_in_the_order_asked_for(
    sandbox: Running, hook: Receiver, order: str
) -> None:
    await told(sandbox, FAULTS, {"action": "hold", "type": "issuing_cardholder.*", "times": None})
    made = [(await cardholder(sandbox)).id for _ in range(6)]
    held = (await sandbox.control.get(FAULTS)).json()["held"]
    assert [one["object_id"] for one in held] == made
    assert hook.received == []
    await sandbox.control.delete(FAULTS)

    events = [one["event"] for one in held]
    given = [*events[3:], *events[:3]]
    wanted = {"events": given} if order == "given" else {"order": order, "seed": 7}
    released = (await told(sandbox, f"{FAULTS}/release", wanted))["released"]

    came = [one.event["id"] for one in hook.received]
    assert came == [one["event"] for one in released]
    expected = {"as_happened": events, "reversed": events[::-1], "given": given}
    assert came == expected.get(order, came)
    assert sorted(came) == sorted(events)
    assert (came == events) is (order == "as_happened")
    assert (await sandbox.control.get(FAULTS)).json() == {"data": [], "held": []}


async def test_a_shuffle_with_the_same_seed_is_the_same(sandbox: Running, hook: Receiver) -> None:
    orders = []
    for _ in range(2):
        await told(sandbox, FAULTS, {"action": "hold", "times": 5})
        made = [(await cardholder(sandbox)).id for _ in range(5)]
        answer = await told(sandbox, f"{FAULTS}/release", {"order": "shuffled", "seed": 3})
        orders.append([made.index(one["object_id"]) for one in answer["released"]])

    assert orders[0] == orders[1] != [0, 1, 2, 3, 4]


async def test_what_is_refused_on_release_is_tried_again(sandbox: Running, hook: Receiver) -> None:
    await told(sandbox, FAULTS, {"action": "hold"})
    await cardholder(sandbox)
    hook.answer = lambda _event: web.Response(status=503)

    await told(sandbox, f"{FAULTS}/release")
    hook.answer = lambda _event: web.Response()

    assert len(hook.received) == 1
    await until(lambda: len(hook.received) == 2)


async def test_a_doubled_event_comes_as_often_as_asked_for(
    sandbox: Running, hook: Receiver
) -> None:
    await told(sandbox, FAULTS, {"action": "duplicate", "type": CREATED, "copies": 3})

    doubled, single = await cardholder(sandbox), await cardholder(sandbox)
    await until(lambda: len(hook.received) == 5)

    came = [one.event["data"]["object"]["id"] for one in hook.received]
    assert (came.count(doubled.id), came.count(single.id)) == (4, 1)
    assert len({one.event["id"] for one in hook.received}) == 2
    assert (await sandbox.control.get(FAULTS)).json()["data"][0]["fired"] == 1


async def test_an_event_that_goes_nowhere_strikes_no_fault(
    sandbox: Running, hook: Receiver
) -> None:
    await told(sandbox, FAULTS, {"action": "lose", "type": UPDATED})
    made = await cardholder(sandbox)
    await sandbox.stripe.v1.issuing.cardholders.update_async(made.id, {"metadata": {"a": "1"}})

    assert (await sandbox.control.get(FAULTS)).json()["data"][0]["fired"] == 0


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (FAULTS, {"action": "eat"}),
        (FAULTS, {"action": "lose", "typ": CREATED}),
        (FAULTS, {"action": "duplicate", "copies": 0}),
        (f"{FAULTS}/release", {"order": "upwards"}),
        (f"{FAULTS}/release", {"events": ["evt_none"]}),
        (f"{FAULTS}/release", {"sed": 1}),
    ],
)
async def test_what_makes_no_sense_is_refused(
    sandbox: Running, path: str, wrong: dict[str, object]
) -> None:
    assert (await sandbox.control.post(path, json=wrong)).status_code == 400


async def test_a_restart_of_faults_leaves_nothing(sandbox: Running, hook: Receiver) -> None:
    await told(sandbox, FAULTS, {"action": "hold", "times": None})
    await cardholder(sandbox)
    await told(sandbox, "/_sandbox/reset")

    assert (await sandbox.control.get(FAULTS)).json() == {"data": [], "held": []}
    assert hook.received == []


async def test_the_log_is_filtered_by_type_and_time_and_read_in_pages(sandbox: Running) -> None:
    first = await cardholder(sandbox)
    await sandbox.advance(days=1)
    second = await cardholder(sandbox)
    events = sandbox.stripe.v1.events

    created = await events.list_async({"type": CREATED})
    either = await events.list_async({"types": [CREATED, UPDATED], "limit": 100})
    old = await events.list_async({"type": CREATED, "created": {"lte": first.created}})
    new = await events.list_async({"type": CREATED, "created": {"gt": first.created}})
    page = await events.list_async({"type": CREATED, "limit": 1})
    after = await events.list_async({"type": CREATED, "starting_after": page.data[0].id})
    back = await events.list_async({"type": CREATED, "ending_before": after.data[0].id})

    assert [one.data.object["id"] for one in created.data] == [second.id, first.id]
    assert {one.type for one in either.data} == {CREATED, UPDATED}
    assert [one.data.object["id"] for one in old.data] == [first.id]
    assert [one.data.object["id"] for one in new.data] == [second.id]
    assert page.has_more
    assert [one.data.object["id"] for one in after.data] == [first.id]
    assert [one.id for one in back.data] == [page.data[0].id]
