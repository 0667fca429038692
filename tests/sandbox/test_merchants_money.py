"""Money that merchants move without, beside and after an authorization."""

from typing import Any

import pytest
import stripe
from stripe import issuing

from tests.conformance.spec import check_object
from tests.sandbox.paying import happened
from tests.sandbox.people import card, pay
from tests.sandbox.serving import Running, told


def available(sandbox: Running) -> int:
    return sandbox.app.world.balance.available("issuing")


async def captured(sandbox: Running, amount: int = 1000) -> issuing.Transaction:
    """A purchase that was paid for."""
    made = await pay(sandbox, await card(sandbox), amount)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations
    return (await helper.capture_async(made.id)).transactions[0]


async def test_money_that_nobody_was_asked_about_is_told_and_booked(sandbox: Running) -> None:
    plastic = await card(sandbox)
    helper = sandbox.stripe.v1.test_helpers.issuing.transactions
    merchant: Any = {"name": "Air Force", "category": "airlines_air_carriers"}

    forced = await helper.create_force_capture_async(
        {"card": plastic.id, "amount": 900, "currency": "usd", "merchant_data": merchant}
    )
    given = await helper.create_unlinked_refund_async({"card": plastic.id, "amount": 250})

    assert forced.merchant_data.name == "Air Force"
    for one, amount in ((forced, -900), (given, 250)):
        assert (one.authorization, one.amount, one.merchant_amount) == (None, amount, amount)
        assert await happened(sandbox, one.id) == ["issuing_transaction.created"]
        assert isinstance(one.balance_transaction, str)
        booked = await sandbox.stripe.v1.balance_transactions.retrieve_async(
            one.balance_transaction
        )
        assert (booked.type, booked.amount, booked.source) == (
            "issuing_transaction",
            amount,
            one.id,
        )
        assert (booked.balance_type, booked.fee, booked.status) == ("issuing", 0, "available")


async def test_no_more_is_refunded_than_was_captured(sandbox: Running) -> None:
    paid = await captured(sandbox, 1000)
    helper = sandbox.stripe.v1.test_helpers.issuing.transactions

    part = await helper.refund_async(paid.id, {"refund_amount": 300})
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 700") as refused:
        await helper.refund_async(paid.id, {"refund_amount": 701})
    rest = await helper.refund_async(paid.id)
    with pytest.raises(stripe.InvalidRequestError, match="given back already"):
        await helper.refund_async(paid.id)
    with pytest.raises(stripe.InvalidRequestError, match="Only captures can be refunded"):
        await helper.refund_async(part.id)

    assert refused.value.param == "refund_amount"
    assert (part.amount, rest.amount) == (300, 700)
    assert (part.authorization, rest.authorization) == (paid.authorization, paid.authorization)
    assert await happened(sandbox, rest.id) == ["issuing_transaction.created"]


async def test_a_merchant_takes_a_refund_back(sandbox: Running) -> None:
    paid = await captured(sandbox, 1000)
    helper = sandbox.stripe.v1.test_helpers.issuing.transactions
    refund = await helper.refund_async(paid.id)
    before = available(sandbox)
    address = f"/_sandbox/issuing/transactions/{refund.id}/reverse_refund"

    part = await told(sandbox, address, {"amount": 400})
    too_much = await sandbox.control.post(address, json={"amount": 601})
    rest = await told(sandbox, address)
    over = await sandbox.control.post(address)

    for one, amount in ((part, -400), (rest, -600)):
        assert (one["type"], one["amount"], one["merchant_amount"]) == ("refund", amount, amount)
        assert one["authorization"] == paid.authorization
        assert await happened(sandbox, one["id"]) == ["issuing_transaction.created"]
        assert check_object(one) == []
    assert available(sandbox) == before - 1000
    assert (too_much.status_code, over.status_code) == (400, 400)
    # What was taken back can be given once more, and no more than that.
    assert (await helper.refund_async(paid.id)).amount == 1000


async def test_an_unlinked_refund_is_taken_back_unlinked(sandbox: Running) -> None:
    plastic = await card(sandbox)
    helper = sandbox.stripe.v1.test_helpers.issuing.transactions
    given = await helper.create_unlinked_refund_async({"card": plastic.id, "amount": 250})

    back = await told(sandbox, f"/_sandbox/issuing/transactions/{given.id}/reverse_refund")
    again = await sandbox.control.post(
        f"/_sandbox/issuing/transactions/{back['id']}/reverse_refund"
    )

    assert (back["amount"], back["authorization"]) == (-250, None)
    assert again.status_code == 400


async def test_a_declined_authorization_is_captured_all_the_same(sandbox: Running) -> None:
    plastic = await card(sandbox, status="inactive")
    declined = await pay(sandbox, plastic, 1999)
    before = available(sandbox)
    address = f"/_sandbox/issuing/authorizations/{declined.id}/force_capture"

    whole = await told(sandbox, address)
    part = await told(sandbox, address, {"amount": 500})

    found = await sandbox.stripe.v1.issuing.authorizations.retrieve_async(declined.id)
    assert (found.approved, found.status) == (False, "closed")
    assert {one.id for one in found.transactions} == {whole["id"], part["id"]}
    assert (whole["type"], whole["amount"], whole["authorization"]) == (
        "capture",
        -1999,
        declined.id,
    )
    assert whole["merchant_data"]["name"] == declined.merchant_data.name
    assert await happened(sandbox, whole["id"]) == ["issuing_transaction.created"]
    assert await happened(sandbox, declined.id) == ["issuing_authorization.created"]
    assert available(sandbox) == before - 2499


async def test_a_reversed_authorization_is_captured_by_force_only(sandbox: Running) -> None:
    made = await pay(sandbox, await card(sandbox), 800)
    address = f"/_sandbox/issuing/authorizations/{made.id}/force_capture"

    early = await sandbox.control.post(address)
    await sandbox.stripe.v1.test_helpers.issuing.authorizations.reverse_async(made.id)
    taken = await told(sandbox, address)
    wrong = await sandbox.control.post(address, json={"amount": "800"})

    assert (early.status_code, wrong.status_code) == (400, 400)
    assert (taken["amount"], taken["merchant_amount"]) == (-800, -800)


@pytest.mark.parametrize(("final", "moved"), [(7250, -6250), (600, 400)])
async def test_a_fuel_pump_says_what_it_came_to(sandbox: Running, final: int, moved: int) -> None:
    fuel: Any = {"merchant_data": {"category": "automated_fuel_dispensers"}}
    made = await pay(sandbox, await card(sandbox), 1000, **fuel)
    before = available(sandbox)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations

    done = await helper.finalize_amount_async(
        made.id,
        {
            "final_amount": final,
            "fuel": {"type": "diesel"},
            "fleet": {"service_type": "self_service"},
        },
    )

    assert (done.status, done.amount, done.merchant_amount) == ("pending", final, final)
    assert [one.amount for one in done.balance_transactions] == [-1000, moved]
    assert available(sandbox) == before + moved
    assert done.fuel is not None
    assert done.fuel.type == "diesel"
    (event,) = (
        await sandbox.stripe.v1.events.list_async({"type": "issuing_authorization.updated"})
    ).data
    assert event.data.to_dict()["previous_attributes"] == {
        "amount": 1000,
        "merchant_amount": 1000,
        "fuel": None,
        "fleet": None,
    }
    taken = await helper.capture_async(made.id)
    assert (taken.status, taken.transactions[0].amount) == ("closed", -final)
    assert available(sandbox) == before + 1000 - final
    with pytest.raises(stripe.InvalidRequestError, match="cannot be finalized"):
        await helper.finalize_amount_async(made.id, {"final_amount": 1})


async def test_what_is_captured_already_is_not_held_again(sandbox: Running) -> None:
    made = await pay(sandbox, await card(sandbox), 1000)
    before = available(sandbox)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations
    await helper.capture_async(made.id, {"capture_amount": 700, "close_authorization": False})

    await helper.finalize_amount_async(made.id, {"final_amount": 1200})
    assert available(sandbox) == before - 200
    await helper.finalize_amount_async(made.id, {"final_amount": 500})
    assert available(sandbox) == before + 300


async def test_what_moved_an_authorization_s_money_is_told_oldest_first(sandbox: Running) -> None:
    made = await pay(sandbox, await card(sandbox), 1000)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations
    await helper.increment_async(made.id, {"increment_amount": 500})
    await helper.reverse_async(made.id, {"reverse_amount": 200})
    await helper.finalize_amount_async(made.id, {"final_amount": 1400})
    done = await helper.capture_async(made.id, {"capture_amount": 1450})

    moved = [(one.type, one.amount, one.source) for one in done.balance_transactions]
    hold, release = "issuing_authorization_hold", "issuing_authorization_release"
    assert moved == [
        (hold, -1000, made.id),
        (hold, -500, made.id),
        (release, 200, made.id),
        (hold, -100, made.id),
        (release, 1400, made.id),
    ]
    events = await sandbox.stripe.v1.events.list_async({"type": "issuing_authorization.updated"})
    sent = [len(event.data.object["balance_transactions"]) for event in reversed(events.data)]
    assert sent == [2, 3, 4, 5]
    assert done.balance_transactions[-1].description == (
        "Released hold for authorization due to capture"
    )


async def test_balance_transactions_are_filtered_as_by_stripe(sandbox: Running) -> None:
    made = await pay(sandbox, await card(sandbox), 1000)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations
    await sandbox.advance(days=1)
    paid = (await helper.capture_async(made.id)).transactions[0]
    moved = sandbox.stripe.v1.balance_transactions

    async def found(**query: Any) -> list[str]:
        page = await moved.list_async(query)  # type: ignore[arg-type]  # any of its parameters
        return [one.type for one in page.data]

    hold, release = "issuing_authorization_hold", "issuing_authorization_release"
    everything = ["issuing_transaction", release, hold, "topup"]
    held = (await moved.list_async({"source": made.id})).data[-1]
    assert await found() == everything
    assert await found(type=release) == [release]
    assert await found(source=made.id) == [release, hold]
    assert await found(source=paid.id, type="issuing_transaction") == ["issuing_transaction"]
    assert await found(created={"gt": held.created}) == everything[:2]
    assert await found(created={"lte": held.created}) == everything[2:]
    assert await found(created={"gte": held.created, "lt": held.created + 86_400}) != []
    assert await found(currency="eur") == []
    assert await found(limit=1, starting_after=held.id) == ["topup"]
    assert await found(limit=1, ending_before=held.id) == [release]
    with pytest.raises(stripe.InvalidRequestError, match="No such payout"):
        await found(payout="po_none")
