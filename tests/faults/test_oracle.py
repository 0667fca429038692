"""The oracle itself: each thing that may not be true is found."""

from typing import Any

import pytest

from tests.oracle import charges_and_purchases, kept, with_fee


def purchase(status: str = "pending", *amounts: int, captured: int = 0) -> dict[str, Any]:
    """Give an authorization; negative amounts were declined."""
    return {
        "id": "iauth_1",
        "status": status,
        "request_history": [{"approved": a >= 0, "amount": abs(a)} for a in amounts],
        "transactions": [{"type": "capture", "amount": -captured}] if captured else [],
    }


def held(amount: int, request: str = "0", authorization: str = "iauth_1") -> dict[str, Any]:
    return {
        "status": "requires_capture",
        "amount_capturable": amount,
        "metadata": {"authorization": authorization, "request": request},
    }


def taken(amount: int, of: int, refunded: int = 0, request: str = "0") -> dict[str, Any]:
    charge = {"amount": of, "amount_captured": amount, "amount_refunded": of - amount + refunded}
    told = {"status": "succeeded", "amount_received": amount, "latest_charge": charge}
    return held(0, request) | told


@pytest.mark.parametrize(
    ("authorization", "intents"),
    [
        (purchase("pending", 1999), [held(2149)]),
        (purchase("pending", 1999, 501), [held(2149), held(526, "1")]),
        (purchase("pending", 1999, -501), [held(2149)]),
        (purchase("pending", 0), []),
        (purchase("closed", -1999), []),
        (purchase("reversed", 1999), []),
        (purchase("reversed", 1999), [taken(2149, 2149, refunded=2149)]),
        (purchase("closed", 1999, captured=1000), [taken(1100, 2149)]),
        (
            purchase("closed", 1999, captured=2500),
            [taken(2149, 2149), taken(526, 526, request="extra")],
        ),
    ],
)
def test_what_is_as_it_must_be_passes(
    authorization: dict[str, Any], intents: list[dict[str, Any]]
) -> None:
    assert list(charges_and_purchases([authorization], intents)) == []


@pytest.mark.parametrize(
    ("authorization", "intents"),
    [
        (purchase("pending", 1999), []),
        (purchase("pending", 1999), [held(2149), held(2149)]),
        (purchase("pending", 1999), [held(2148)]),
        (purchase("pending", 1999), [held(2149, "1")]),
        (purchase("pending", 1999, 501), [held(2149)]),
        (purchase("pending", 0), [held(50)]),
        (purchase("closed", -1999), [held(2149)]),
        (purchase("closed", -1999), [taken(2149, 2149)]),
        (purchase("reversed", 1999), [held(2149)]),
        (purchase("expired", 1999), [taken(2149, 2149, refunded=2148)]),
        (purchase("closed", 1999, captured=1999), []),
        (purchase("closed", 1999, captured=1000), [held(2149)]),
        (purchase("pending", 1999), [held(2149), held(2149, "0", "iauth_unheard_of")]),
        (purchase("pending", 1999), [held(2149), held(2149) | {"metadata": {}}]),
    ],
)
def test_what_is_not_is_said(authorization: dict[str, Any], intents: list[dict[str, Any]]) -> None:
    assert list(charges_and_purchases([authorization], intents))


def test_nothing_may_be_live_for_a_purchase_that_nobody_would_pay() -> None:
    broke = purchase("pending", 1999)

    assert list(charges_and_purchases([broke], [], unpaid={"iauth_1"})) == []
    assert list(charges_and_purchases([broke], [held(2149)], unpaid={"iauth_1"}))


@pytest.mark.parametrize(("amount", "cost"), [(0, 0), (10, 61), (1000, 1100), (1999, 2149)])
def test_the_oracle_knows_the_price_by_itself(amount: int, cost: int) -> None:
    assert with_fee(amount) == cost


def test_what_was_only_released_was_not_given_back() -> None:
    assert kept(taken(1100, 2149)) == 1100
    assert kept(taken(1100, 2149, refunded=100)) == 1000
