"""Cardholders and cards: who may pay with what."""

from typing import Any

import pytest
import stripe

from tests.sandbox.people import ADA, ADDRESS, card, cardholder, pay
from tests.sandbox.serving import Running


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "Ada Lovelace Byron the Elder"}, "at most 24"),
        ({"name": "Ada 2"}, "invalid characters"),
    ],
    ids=["long", "digits"],
)
async def test_a_cardholder_s_name_fits_on_a_card(
    sandbox: Running, changes: dict[str, str], says: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=says):
        await cardholder(sandbox, **changes)


@pytest.mark.parametrize("name", ["R2D2", "Ada!", "北京", "Ада"])
async def test_a_person_s_name_has_latin_letters(sandbox: Running, name: str) -> None:
    for field in ("first_name", "last_name"):
        person = {**ADA["individual"], field: name}
        with pytest.raises(stripe.InvalidRequestError, match="invalid characters") as refused:
            await cardholder(sandbox, individual=person)
        assert refused.value.param == f"individual[{field}]"
    await cardholder(sandbox, individual={**ADA["individual"], "first_name": "Núñez-O'Neil Jr."})


async def test_a_cardholder_is_reviewed_moments_later(sandbox: Running) -> None:
    made = await cardholder(sandbox)
    found = await sandbox.stripe.v1.issuing.cardholders.retrieve_async(made.id)
    events = await sandbox.stripe.v1.events.list_async({"type": "issuing_cardholder.updated"})

    assert made.requirements.disabled_reason == "under_review"
    assert found.requirements.disabled_reason is None
    assert events.data[0].data.to_dict()["previous_attributes"] == {
        "requirements": {"disabled_reason": "under_review", "past_due": []}
    }


async def test_without_terms_nobody_can_pay(sandbox: Running) -> None:
    individual = {name: ADA["individual"][name] for name in ("first_name", "last_name")}
    made = await cardholder(sandbox, individual=individual)
    cards = sandbox.stripe.v1.issuing.cards
    plastic = await card(sandbox, cardholder=made.id, status="inactive")

    with pytest.raises(stripe.InvalidRequestError, match="cannot be activated"):
        await cards.update_async(plastic.id, {"status": "active"})
    terms = {"user_terms_acceptance": {"date": 1760000000, "ip": "127.0.0.1"}}
    complete: Any = {"individual": {"card_issuing": terms}}
    accepted = await sandbox.stripe.v1.issuing.cardholders.update_async(made.id, complete)

    assert accepted.requirements.disabled_reason is None
    assert (await cards.update_async(plastic.id, {"status": "active"})).status == "active"


async def test_an_inactive_cardholder_cannot_pay(sandbox: Running) -> None:
    plastic = await card(sandbox)
    cardholders = sandbox.stripe.v1.issuing.cardholders

    await cardholders.update_async(plastic.cardholder.id, {"status": "inactive"})

    assert (await pay(sandbox, plastic, 100)).request_history[0].reason == "cardholder_inactive"


async def test_a_cancelled_card_stays_cancelled(sandbox: Running) -> None:
    plastic = await card(sandbox)
    cards = sandbox.stripe.v1.issuing.cards
    await cards.update_async(plastic.id, {"status": "canceled", "cancellation_reason": "lost"})

    with pytest.raises(stripe.InvalidRequestError, match="'canceled' cannot be updated") as refused:
        await cards.update_async(plastic.id, {"status": "active"})

    assert refused.value.param == "status"
    assert (await pay(sandbox, plastic)).request_history[0].reason == "card_canceled"


async def test_a_card_is_inactive_and_limited_unless_asked_otherwise(sandbox: Running) -> None:
    holder = await cardholder(sandbox)
    cards = sandbox.stripe.v1.issuing.cards

    plastic = await cards.create_async(
        {"cardholder": holder.id, "currency": "usd", "type": "virtual"}
    )
    shipping: Any = {"name": "Ada", "address": ADDRESS}
    physical = await card(sandbox, type="physical", shipping=shipping)

    assert plastic.status == "inactive"
    (limit,) = plastic.spending_controls.spending_limits or []
    assert (limit.amount, limit.interval) == (50_000, "daily")
    assert physical.shipping is not None
    assert physical.shipping.status == "pending"
