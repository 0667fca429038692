"""Charging pauses while Stripe gives no clear answers, and goes on when it does again."""

import time
from functools import partial

from app.domain.issuing.breaker import FEWEST_CALLS
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.flight import NO_DATABASE, flights
from app.domain.issuing.models import AuthorizationRequest
from tests.faults.arming import arm, reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import holder, pay
from tests.waiting import until

AT_ONCE_SECONDS = 0.05
MANY = 1_000


async def test_charging_pauses_and_a_probe_begins_it_again(product: Product) -> None:
    ada = await holder(product, cards=FEWEST_CALLS)
    await arm(product, "status", status=500, times=MANY)
    for card in ada.cards:
        assert (await pay(product, card, 1000))["approved"] is False
    assert product.authorizer.breaker.is_open

    names, took = [], []
    for _ in range(5):
        asked = question(ada.card.stripe_card_id)
        began = time.monotonic()
        answer = await post(product.web, AUTHORIZATIONS, asked)
        took.append(time.monotonic() - began)
        assert answer.json()["approved"] is False
        names.append(asked["data"]["object"]["id"])
    free = await pay(product, ada.card, 0)

    assert min(took) < AT_ONCE_SECONDS
    assert free["approved"] is True, "what charges nobody goes on"
    for name in names:
        await until(partial(recorded, product, name), why="the decline is written down")
    reasons = {name: await reason_of(product, name) for name in names}
    # One of them a second asks Stripe after all, to see whether it is well.
    assert set(reasons.values()) <= {"funding_paused", "funding_outcome_unknown"}
    paused = next(name for name, reason in reasons.items() if reason == "funding_paused")
    assert EXPLANATIONS[DeclineReason.FUNDING_PAUSED].next_step
    await without_a_record(product, paused)

    await product.stripe.delete("/_sandbox/faults")

    async def passes() -> bool:
        return bool((await pay(product, ada.card, 1999))["approved"])

    await until(passes, why="a probe finds Stripe well")
    assert not product.authorizer.breaker.is_open
    assert await passes()
    await oracle(product)


async def recorded(product: Product, name: str) -> bool:
    rows = await product.rows(
        "SELECT r.id FROM card_authorization AS a JOIN authorization_request AS r"
        " ON r.authorization_id = a.id WHERE stripe_authorization_id = :name"
        " AND r.state = 'declined'",
        name=name,
    )
    return bool(rows)


async def without_a_record(product: Product, name: str) -> None:
    """The trail says that no check ran, and why."""
    [row] = await product.rows(
        "SELECT r.id FROM card_authorization AS a JOIN authorization_request AS r"
        " ON r.authorization_id = a.id WHERE stripe_authorization_id = :name",
        name=name,
    )
    async with product.parts.sessions() as session:
        request = await session.get_one(AuthorizationRequest, row["id"])
        [flight] = (await flights(session, [request])).values()
    assert (flight.facts, flight.missing) == (None, NO_DATABASE)
