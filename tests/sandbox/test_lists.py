"""Lists, page by page, and what can be expanded in them."""

import pytest
import stripe

from tests.sandbox.people import card, cardholder, pay
from tests.sandbox.serving import Running

CARDS = "/v1/issuing/cards"
KEY = {"Authorization": "Bearer sk_test_1"}


async def test_lists_go_back_page_by_page(sandbox: Running) -> None:
    made = [await cardholder(sandbox) for _ in range(5)]
    cardholders = sandbox.stripe.v1.issuing.cardholders
    newest_first = [one.id for one in reversed(made)]

    first = await cardholders.list_async({"limit": 2})
    second = await cardholders.list_async({"limit": 2, "starting_after": first.data[-1].id})
    back = await cardholders.list_async({"limit": 2, "ending_before": second.data[-1].id})
    everyone = [one.id async for one in first.auto_paging_iter()]

    assert [one.id for one in first.data] == newest_first[:2]
    assert first.has_more
    assert [one.id for one in second.data] == newest_first[2:4]
    assert [one.id for one in back.data] == newest_first[1:3]
    assert back.has_more
    assert everyone == newest_first


@pytest.mark.parametrize("limit", ["0", "101"])
async def test_a_page_holds_one_to_a_hundred(sandbox: Running, limit: str) -> None:
    answer = await sandbox.control.get(CARDS, params={"limit": limit}, headers=KEY)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "limit"


async def test_lists_are_filtered_by_fields_and_by_time(sandbox: Running) -> None:
    first = await card(sandbox)
    bought = await pay(sandbox, first)
    await sandbox.advance(days=1)
    second = await card(sandbox, status="inactive")
    cards, purchases = sandbox.stripe.v1.issuing.cards, sandbox.stripe.v1.issuing.authorizations

    of_holder = await cards.list_async({"cardholder": first.cardholder.id})
    inactive = await cards.list_async({"status": "inactive"})
    new = await cards.list_async({"created": {"gt": first.created}})
    old = await cards.list_async({"created": {"lte": first.created}})
    pending = await purchases.list_async({"card": first.id, "status": "pending"})
    closed = await purchases.list_async({"card": first.id, "status": "closed"})

    assert [one.id for one in of_holder.data] == [first.id]
    assert [one.id for one in inactive.data] == [second.id]
    assert [one.id for one in new.data] == [second.id]
    assert [one.id for one in old.data] == [first.id]
    assert [one.id for one in pending.data] == [bought.id]
    assert closed.data == []


async def test_ids_are_expanded_where_stripe_does(sandbox: Running) -> None:
    made = await pay(sandbox, await card(sandbox))
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations
    transaction = (await helper.capture_async(made.id)).transactions[0]
    transactions = sandbox.stripe.v1.issuing.transactions

    one = await transactions.retrieve_async(
        transaction.id, {"expand": ["authorization", "card.cardholder", "dispute"]}
    )
    listed = await transactions.list_async({"expand": ["data.cardholder"]})
    with pytest.raises(stripe.InvalidRequestError, match=r"cannot be expanded \(amount\)"):
        await transactions.retrieve_async(transaction.id, {"expand": ["amount"]})
    with pytest.raises(stripe.InvalidRequestError, match=r"cannot be expanded \(data.nope\)"):
        await transactions.list_async({"expand": ["data.nope"]})

    assert not isinstance(one.authorization, str | None)
    assert one.authorization.id == made.id
    assert not isinstance(listed.data[0].cardholder, str | None)
    assert listed.data[0].cardholder.name == "Ada Lovelace"


async def test_a_card_s_number_is_told_on_request_only(sandbox: Running) -> None:
    plastic = await card(sandbox)
    cards = sandbox.stripe.v1.issuing.cards

    told = (await cards.retrieve_async(plastic.id, {"expand": ["number", "cvc"]})).to_dict()

    assert "number" not in plastic.to_dict()
    assert told["number"].startswith("400000999")
    assert told["number"].endswith(plastic.last4)
    assert (len(told["number"]), len(told["cvc"])) == (16, 3)
