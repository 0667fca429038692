"""Every table of moves: what it allows, and what it refuses."""

from enum import StrEnum
from typing import Any

import pytest

from app.domain.funding.states import (
    CHARGE_MOVES,
    FUNDING_SOURCE_MOVES,
    LINKING_MOVES,
    RECEIVABLE_MOVES,
    REFUND_MOVES,
    ChargeState,
    ReceivableState,
    RefundState,
)
from app.domain.identity.states import APPROVAL_MOVES, CUSTOMER_MOVES, STAFF_MOVES
from app.domain.issuing.difference_models import DIFFERENCE_MOVES
from app.domain.issuing.states import (
    AUTHORIZATION_MOVES,
    CARD_MOVES,
    REQUEST_MOVES,
    CardState,
    RequestState,
)
from app.domain.states import IllegalMove, Moves, check_move
from app.webhooks.models import EVENT_MOVES
from tests.factories import ChargeFactory

TABLES: list[Moves[Any]] = [
    APPROVAL_MOVES,
    AUTHORIZATION_MOVES,
    CARD_MOVES,
    CHARGE_MOVES,
    CUSTOMER_MOVES,
    DIFFERENCE_MOVES,
    EVENT_MOVES,
    FUNDING_SOURCE_MOVES,
    LINKING_MOVES,
    RECEIVABLE_MOVES,
    REFUND_MOVES,
    REQUEST_MOVES,
    STAFF_MOVES,
]


@pytest.mark.parametrize("moves", TABLES)
def test_a_move_is_allowed_when_the_table_has_it_and_refused_otherwise(
    moves: Moves[StrEnum],
) -> None:
    for current in moves:
        assert check_move(moves, current, current) is current
        for target in set(moves) - {current}:
            if target in moves[current]:
                assert check_move(moves, current, target) is target
            else:
                with pytest.raises(IllegalMove):
                    check_move(moves, current, target)


@pytest.mark.parametrize(
    ("moves", "end"),
    [
        (CARD_MOVES, CardState.CLOSED),
        (CHARGE_MOVES, ChargeState.DECLINED),
        (RECEIVABLE_MOVES, ReceivableState.COLLECTED),
        (RECEIVABLE_MOVES, ReceivableState.RECOVERED),
        (REFUND_MOVES, RefundState.FAILED),
        (REQUEST_MOVES, RequestState.APPROVED),
        (REQUEST_MOVES, RequestState.DECLINED),
    ],
)
def test_an_end_is_an_end(moves: Moves[StrEnum], end: StrEnum) -> None:
    assert moves[end] == frozenset()


@pytest.mark.parametrize(("intent", "after"), [(None, "unknown"), ("pi_1", "canceled")])
def test_only_a_charge_that_stripe_never_showed_comes_in_doubt_again(
    intent: str | None, after: str
) -> None:
    charge = ChargeFactory.build(
        state=ChargeState.CANCELED, stripe_payment_intent_id=intent, captured_minor=0
    )
    charge.doubt_again()
    assert charge.state == after
    if intent is not None:
        with pytest.raises(IllegalMove):
            charge.move_to(ChargeState.UNKNOWN)
