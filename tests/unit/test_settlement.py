"""What charges must become, as a table and as properties."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.funding.pricing import Price
from app.domain.funding.states import ChargeState
from app.domain.issuing.settlement import (
    Action,
    Cancel,
    Capture,
    LiveCharge,
    Refund,
    counted_minor,
    settlement,
    spread,
)
from app.domain.issuing.states import AuthorizationState

STANDARD = Price(500, 50)
A, B = UUID(int=1), UUID(int=2)
CLOSED, REVERSED, PENDING = (
    AuthorizationState.CLOSED,
    AuthorizationState.REVERSED,
    AuthorizationState.PENDING,
)


def held(name: UUID, amount: int) -> LiveCharge:
    return LiveCharge(name, ChargeState.HELD, amount, 0, 0)


def taken(name: UUID, amount: int, refunded: int = 0) -> LiveCharge:
    return LiveCharge(name, ChargeState.CAPTURED, amount, amount, refunded)


@pytest.mark.parametrize(
    ("state", "captured", "charges", "actions"),
    [
        (PENDING, 0, [held(A, 2149)], []),
        (PENDING, 1000, [held(A, 2149)], []),  # more may come; a hold is captured once
        (CLOSED, 1999, [held(A, 2149)], [Capture(A, 2149)]),
        (CLOSED, 1000, [held(A, 2149)], [Capture(A, 1100)]),
        (CLOSED, 1999, [taken(A, 2149)], []),
        (CLOSED, 1000, [taken(A, 2149)], [Refund(A, 1049)]),
        (CLOSED, 1000, [taken(A, 2149, refunded=1049)], []),
        (REVERSED, 0, [held(A, 2149)], [Cancel(A)]),
        (REVERSED, 0, [taken(A, 2149)], [Refund(A, 2149)]),
        (AuthorizationState.EXPIRED, 0, [held(A, 2149)], [Cancel(A)]),
        (CLOSED, 1500, [held(A, 1100), held(B, 525)], [Capture(A, 1100), Capture(B, 525)]),
        (CLOSED, 900, [held(A, 1100), held(B, 525)], [Capture(A, 995), Cancel(B)]),
    ],
)
def test_charges_pay_what_merchants_took(
    state: AuthorizationState, captured: int, charges: list[LiveCharge], actions: list[Action]
) -> None:
    plan = settlement(state, captured, 0, STANDARD, charges)

    assert plan.actions == actions
    assert plan.not_handled is None


def test_more_than_was_held_is_taken_as_far_as_it_goes_and_said() -> None:
    plan = settlement(CLOSED, 2500, 0, STANDARD, [held(A, 2149)])

    assert plan.actions == [Capture(A, 2149)]
    assert plan.not_handled is not None
    assert "5.26" in plan.not_handled  # 25.00 + 1.75 - 21.49


def test_a_merchants_refund_is_said() -> None:
    plan = settlement(CLOSED, 1999, 500, STANDARD, [taken(A, 2149)])

    assert plan.actions == []
    assert plan.not_handled is not None
    assert "5.00" in plan.not_handled


def applied(charge: LiveCharge, actions: list[Action]) -> tuple[LiveCharge | None, int]:
    """Give the charge after the actions, and what it then has of the customer's money."""
    for action in actions:
        match action:
            case Capture(name, amount) if name == charge.id:
                return LiveCharge(
                    name, ChargeState.CAPTURED, charge.amount_minor, amount, 0
                ), amount
            case Cancel(name) if name == charge.id:
                return None, 0
            case Refund(name, total) if name == charge.id:
                kept = charge.captured_minor - total
                return LiveCharge(
                    name, charge.state, charge.amount_minor, charge.captured_minor, total
                ), kept
    kept = charge.captured_minor - charge.refunded_minor
    return charge, kept


charges_of = st.lists(
    st.tuples(st.sampled_from(["held", "taken"]), st.integers(50, 50_000)), max_size=4
).map(
    lambda rows: [
        (held if kind == "held" else taken)(UUID(int=n), amount)
        for n, (kind, amount) in enumerate(rows)
    ]
)


@given(
    captured=st.integers(0, 100_000),
    charges=charges_of,
    state=st.sampled_from([CLOSED, REVERSED, AuthorizationState.EXPIRED]),
)
def test_a_customer_pays_the_cost_or_all_that_was_held_and_twice_changes_nothing(
    captured: int, charges: list[LiveCharge], state: AuthorizationState
) -> None:
    plan = settlement(state, captured, 0, STANDARD, charges)
    after = [applied(charge, plan.actions) for charge in charges]

    cost = captured + STANDARD.fee(captured)
    available = sum(
        c.amount_minor if c.state is ChargeState.HELD else c.captured_minor for c in charges
    )
    assert sum(paid for _, paid in after) == min(cost, available)
    assert (plan.not_handled is None) == (cost <= available)
    left = [charge for charge, paid in after if charge is not None and paid > 0]
    assert settlement(state, captured, 0, STANDARD, left).actions == []


@pytest.mark.parametrize(
    ("state", "amount", "captured", "counted"),
    [(PENDING, 1999, 0, 1999), (CLOSED, 1999, 1500, 1500), (REVERSED, 0, 0, 0)],
)
def test_what_a_purchase_uses_of_the_limits(
    state: AuthorizationState, amount: int, captured: int, counted: int
) -> None:
    assert counted_minor(state, amount, captured) == counted


@given(total=st.integers(0, 10_000), amounts=st.lists(st.integers(0, 5_000), min_size=1))
def test_a_total_is_spread_without_losing_a_cent(total: int, amounts: list[int]) -> None:
    shares = spread(total, amounts)

    assert sum(shares) == total
    assert all(share >= 0 for share in shares)
