"""Top-ups: money from the bank, pending at first, on the balance it was meant for."""

from typing import Any

import pytest
import stripe

from tests.sandbox.paying import happened
from tests.sandbox.serving import Running, told
from tests.waiting import until

FLOAT_MINOR = 100_000_00


async def top_up(sandbox: Running, amount: int = 5_000_00, **more: Any) -> stripe.Topup:
    params: Any = {
        "amount": amount,
        "currency": "usd",
        "destination_balance": "issuing",
        "description": "Float",
        "metadata": {"day": "1"},
        **more,
    }
    given = {name: value for name, value in params.items() if value is not None}
    return await sandbox.stripe.v1.topups.create_async(given)  # type: ignore[arg-type]  # one more than typed


async def issuing_balance(sandbox: Running) -> int:
    issuing = (await sandbox.stripe.v1.balance.retrieve_async()).issuing
    assert issuing is not None
    return issuing.available[0].amount


async def test_a_top_up_is_pending_until_the_clock_reaches_its_day(sandbox: Running) -> None:
    made = await top_up(sandbox)
    topups = sandbox.stripe.v1.topups

    assert made.expected_availability_date == made.created + 5 * 86_400
    assert (made.status, made.balance_transaction) == ("pending", None)
    await sandbox.advance(seconds=5 * 86_400 - 60)
    assert (await topups.retrieve_async(made.id)).status == "pending"
    assert await issuing_balance(sandbox) == FLOAT_MINOR
    await sandbox.advance(seconds=60)
    arrived = await topups.retrieve_async(made.id, {"expand": ["balance_transaction"]})

    assert (arrived.status, arrived.description) == ("succeeded", "Float")
    booked = arrived.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.type, booked.amount, booked.source) == ("topup", 5_000_00, made.id)
    assert (booked.balance_type, booked.net) == ("issuing", 5_000_00)
    assert await issuing_balance(sandbox) == FLOAT_MINOR + 5_000_00
    assert await happened(sandbox, made.id) == ["topup.created", "topup.succeeded"]


async def test_a_top_up_arrives_by_itself_where_it_is_set_to_take_moments(sandbox: Running) -> None:
    await sandbox.set(topup_seconds=0)
    made = await top_up(sandbox)

    async def arrived() -> bool:
        return (await sandbox.stripe.v1.topups.retrieve_async(made.id)).status == "succeeded"

    assert made.status == "pending"
    await until(arrived)


async def test_without_a_destination_it_is_for_the_payments_balance(sandbox: Running) -> None:
    await top_up(sandbox, destination_balance=None)
    await sandbox.advance(days=5)

    balance = await sandbox.stripe.v1.balance.retrieve_async()
    assert balance.available[0].amount == 5_000_00
    assert await issuing_balance(sandbox) == FLOAT_MINOR


async def test_only_a_pending_top_up_is_cancelled(sandbox: Running) -> None:
    made = await top_up(sandbox)
    topups = sandbox.stripe.v1.topups

    cancelled = await topups.cancel_async(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be canceled"):
        await topups.cancel_async(made.id)
    await sandbox.advance(days=6)

    assert cancelled.status == "canceled"
    assert await issuing_balance(sandbox) == FLOAT_MINOR
    assert await happened(sandbox, made.id) == ["topup.created", "topup.canceled"]


async def test_the_bank_refuses_or_pays_at_once_when_told_to(sandbox: Running) -> None:
    refused, paid = await top_up(sandbox), await top_up(sandbox)

    failed = await told(sandbox, f"/_sandbox/topups/{refused.id}/fail")
    succeeded = await told(sandbox, f"/_sandbox/topups/{paid.id}/succeed")
    again = await sandbox.control.post(f"/_sandbox/topups/{paid.id}/fail")

    assert (failed["status"], failed["failure_code"]) == ("failed", "insufficient_funds")
    assert succeeded["status"] == "succeeded"
    assert again.status_code == 400
    assert (await happened(sandbox, refused.id))[-1] == "topup.failed"
    assert (await happened(sandbox, paid.id))[-1] == "topup.succeeded"
    assert await issuing_balance(sandbox) == FLOAT_MINOR + 5_000_00


async def test_top_ups_are_changed_and_listed(sandbox: Running) -> None:
    small, large = await top_up(sandbox, 100), await top_up(sandbox, 900)
    topups = sandbox.stripe.v1.topups
    await topups.cancel_async(large.id)

    changed = await topups.update_async(small.id, {"description": "More", "metadata": {"n": "2"}})
    pending = await topups.list_async({"status": "pending"})
    above = await topups.list_async({"amount": {"gt": 100}})
    exactly = await topups.list_async({"amount": 100})

    assert (changed.description, changed.metadata["n"]) == ("More", "2")
    assert [one.id for one in (await topups.list_async()).data] == [large.id, small.id]
    assert [one.id for one in pending.data] == [small.id]
    assert [one.id for one in above.data] == [large.id]
    assert [one.id for one in exactly.data] == [small.id]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 100_000_000}, "amount"),
        ({"currency": "xxx"}, "currency"),
        ({"destination_balance": "savings"}, "destination_balance"),
        ({"statement_descriptor": "more than fifteen"}, "statement_descriptor"),
        ({"source": "tok_visa"}, "source"),
        ({"hurry": "yes"}, "hurry"),
    ],
)
async def test_what_stripe_would_not_take_is_refused(
    sandbox: Running, wrong: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await top_up(sandbox, **wrong)

    assert refused.value.param == param
