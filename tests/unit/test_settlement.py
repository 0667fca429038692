"""What is done next about a purchase, as a table."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.funding.pricing import Price, RefundFeePolicy
from app.domain.funding.states import (
    ChargePurpose,
    ChargeState,
    ReceivableState,
    RefundPurpose,
)
from app.domain.issuing.position import Debt, GivenBack, PaidCharge, Position
from app.domain.issuing.settlement import (
    Cancel,
    Capture,
    ChargeMore,
    Cover,
    GiveBack,
    LowerDebt,
    OpenDebt,
    Step,
    Withdraw,
    counted_minor,
    next_step,
    spread,
)
from app.domain.issuing.states import AuthorizationState

STANDARD = Price(500, 50)
A, B, DEBT = UUID(int=1), UUID(int=2), UUID(int=9)
CLOSED, REVERSED, PENDING, EXPIRED = (
    AuthorizationState.CLOSED,
    AuthorizationState.REVERSED,
    AuthorizationState.PENDING,
    AuthorizationState.EXPIRED,
)
DIFFERENCE, REFUND_REVERSED, COLLECTION = (
    ChargePurpose.DIFFERENCE,
    ChargePurpose.REFUND_REVERSED,
    ChargePurpose.COLLECTION,
)
UNEARNED, MERCHANT_REFUND = RefundPurpose.UNEARNED, RefundPurpose.MERCHANT_REFUND


def held(name: UUID, amount: int, principal: int, *, lapses: bool = False) -> PaidCharge:
    return PaidCharge(name, ChargeState.HELD, amount, principal, lapses=lapses)


def taken(name: UUID, amount: int, principal: int) -> PaidCharge:
    return PaidCharge(name, ChargeState.CAPTURED, amount, principal, amount, principal)


def at(
    state: AuthorizationState, captured: int, *charges: PaidCharge, refunded: int = 0
) -> Position:
    return Position(state, captured, refunded, STANDARD, charges=charges)


PAID = taken(A, 2149, 1999)


@pytest.mark.parametrize(
    ("position", "step"),
    [
        (at(PENDING, 0, held(A, 2149, 1999)), None),
        (at(PENDING, 1000, held(A, 2149, 1999)), None),  # a hold is captured once
        (at(PENDING, 0, held(A, 2149, 1999, lapses=True)), Capture(A, 2149, 1999)),
        (at(CLOSED, 1999, held(A, 2149, 1999)), Capture(A, 2149, 1999)),
        (at(CLOSED, 1000, held(A, 2149, 1999)), Capture(A, 1100, 1000)),
        (at(CLOSED, 2500, held(A, 2149, 1999)), Capture(A, 2149, 1999)),  # then the difference
        (at(CLOSED, 1999, PAID), None),
        (at(CLOSED, 1000, PAID), GiveBack(GivenBack(A, UNEARNED, 999, 50))),
        (at(CLOSED, 2500, PAID), ChargeMore(DIFFERENCE, 501 + 25, 501)),
        (at(CLOSED, 2010, PAID), OpenDebt(11)),  # less than the smallest charge
        (at(REVERSED, 0, held(A, 2149, 1999)), Cancel(A)),
        (at(REVERSED, 0, PAID), GiveBack(GivenBack(A, UNEARNED, 1999, 150))),
        (at(EXPIRED, 0, held(A, 2149, 1999)), Cancel(A)),
        (at(EXPIRED, 1999), ChargeMore(DIFFERENCE, 2149, 1999)),  # captured after all
        (at(CLOSED, 1500, held(A, 1100, 1000), held(B, 525, 500)), Capture(A, 1100, 1000)),
        (at(CLOSED, 900, held(A, 1100, 1000), held(B, 525, 500)), Capture(A, 995, 900)),
        (
            at(CLOSED, 1999, PAID, refunded=1999),
            GiveBack(GivenBack(A, MERCHANT_REFUND, 1999, returned_fee_minor=150)),
        ),
        (
            at(CLOSED, 1999, PAID, refunded=500),
            GiveBack(GivenBack(A, MERCHANT_REFUND, 500, returned_fee_minor=38)),  # 37.52
        ),
    ],
)
def test_the_next_step(position: Position, step: Step | None) -> None:
    assert next_step(position) == step


def with_debt(position: Position, debt: Debt) -> Position:
    return msgspec.structs.replace(position, debts=[debt])


OWED = Debt(DEBT, ReceivableState.OPEN, 501)


def test_a_debt_waits_for_its_time_and_is_collected_with_its_fee() -> None:
    waits = with_debt(at(CLOSED, 2500, PAID), OWED)
    due = with_debt(at(CLOSED, 2500, PAID), msgspec.structs.replace(OWED, due=True))

    assert next_step(waits) is None
    assert next_step(due) == ChargeMore(COLLECTION, 501 + 25, 501, DEBT)


def test_what_a_merchant_gives_back_lowers_a_debt_first() -> None:
    position = with_debt(at(CLOSED, 2500, PAID, refunded=600), OWED)
    lowered = msgspec.structs.replace(OWED, lowered_minor=501, state=ReceivableState.SETTLED)

    assert next_step(position) == LowerDebt(DEBT, 501)
    back = GivenBack(A, MERCHANT_REFUND, 99, returned_fee_minor=7)  # 150 * 99 / 1999
    assert next_step(with_debt(position, lowered)) == GiveBack(back)


def test_what_a_merchant_gives_back_makes_up_for_what_was_written_off() -> None:
    lost = msgspec.structs.replace(OWED, state=ReceivableState.WRITTEN_OFF)
    position = with_debt(at(CLOSED, 2500, PAID, refunded=600), lost)
    recovered = msgspec.structs.replace(lost, lowered_minor=501, state=ReceivableState.RECOVERED)

    assert next_step(position) == LowerDebt(DEBT, 501)
    back = GivenBack(A, MERCHANT_REFUND, 99, returned_fee_minor=7)
    assert next_step(with_debt(position, recovered)) == GiveBack(back)


def test_a_fee_that_the_newest_charge_is_too_small_for_goes_back_to_the_one_before() -> None:
    small = taken(B, 525, 500)
    position = at(CLOSED, 2499, PAID, small, refunded=500)
    first = GivenBack(B, MERCHANT_REFUND, 500, returned_fee_minor=25)

    assert next_step(position) == GiveBack(first)
    rest = msgspec.structs.replace(position, refunds=[first])
    back = GivenBack(A, MERCHANT_REFUND, 0, returned_fee_minor=10)  # 175 * 500 / 2499
    assert next_step(rest) == GiveBack(back)


def test_a_refund_taken_back_is_charged_again_and_is_a_debt_if_nobody_pays() -> None:
    passed_on = GivenBack(A, MERCHANT_REFUND, 1999, returned_fee_minor=150)
    position = msgspec.structs.replace(at(CLOSED, 1999, PAID), refunds=[passed_on])
    owed = Debt(DEBT, ReceivableState.OPEN, 1999, refund_reversed=True)

    assert next_step(position) == ChargeMore(REFUND_REVERSED, 2149, 1999)
    assert next_step(with_debt(position, owed)) is None


def sent_back(name: UUID, principal: int, fee: int) -> GivenBack:
    return GivenBack(
        A,
        MERCHANT_REFUND,
        principal,
        returned_fee_minor=fee,
        id=name,
        owed_principal_minor=principal,
        owed_fee_minor=fee,
    )


def test_what_the_bank_sent_back_is_not_charged_again_when_its_merchant_takes_it_back() -> None:
    position = msgspec.structs.replace(at(CLOSED, 1999, PAID), refunds=[sent_back(B, 1999, 150)])
    half = msgspec.structs.replace(position, refunded_minor=999)
    rest = msgspec.structs.replace(half, refunds=[sent_back(B, 999, 75)])

    assert next_step(position) == Withdraw(B, 1999, 150)
    assert next_step(half) == Withdraw(B, 1000, 75)
    assert next_step(rest) is None


def test_the_newest_that_the_bank_sent_back_is_withdrawn_first_with_the_fee_of_all() -> None:
    first, second = sent_back(B, 1499, 130), sent_back(DEBT, 500, 20)
    position = at(CLOSED, 1999, PAID, refunded=1499)
    position = msgspec.structs.replace(position, refunds=[first, second])
    less = msgspec.structs.replace(position, refunds=[sent_back(B, 1499, 112), second])

    # 150 * 500 / 1999 is 38 of fee, and the newest has 20.
    assert next_step(position) == Withdraw(B, 0, 18)
    assert next_step(less) == Withdraw(DEBT, 500, 20)


def test_what_the_customer_had_of_it_another_way_is_charged_again() -> None:
    had = GivenBack(A, MERCHANT_REFUND, 1999, returned_fee_minor=150, id=B)
    position = msgspec.structs.replace(at(CLOSED, 1999, PAID), refunds=[had])

    assert next_step(position) == ChargeMore(REFUND_REVERSED, 2149, 1999)


def test_a_fee_is_kept_where_the_price_says_so() -> None:
    position = msgspec.structs.replace(
        at(CLOSED, 1999, PAID, refunded=1999), policy=RefundFeePolicy.KEPT
    )

    assert next_step(position) == GiveBack(GivenBack(A, MERCHANT_REFUND, 1999))


def test_what_staff_gave_is_covered_by_a_merchant_s_refund_and_charged_to_nobody() -> None:
    given = GivenBack(A, RefundPurpose.GOODWILL, 800, returned_fee_minor=60, id=B)
    alone = msgspec.structs.replace(at(CLOSED, 1999, PAID), refunds=[given])
    assert next_step(alone) is None
    assert alone.goodwill_most_minor == (1199, 90)

    refunded = msgspec.structs.replace(alone, refunded_minor=500)
    assert next_step(refunded) == Cover(B, 500)
    covered = msgspec.structs.replace(given, covered_minor=500)
    assert next_step(msgspec.structs.replace(refunded, refunds=[covered])) is None
    taken_back = msgspec.structs.replace(alone, refunds=[covered])
    assert next_step(taken_back) == Cover(B, -500)


def test_what_goes_beyond_what_staff_gave_is_passed_on_with_the_rest_of_the_fee() -> None:
    given = GivenBack(A, RefundPurpose.GOODWILL, 800, returned_fee_minor=60, id=B)
    covered = msgspec.structs.replace(given, covered_minor=800)
    position = msgspec.structs.replace(at(CLOSED, 1999, PAID, refunded=1999), refunds=[covered])

    rest = GivenBack(A, MERCHANT_REFUND, 1199, returned_fee_minor=90)
    assert next_step(position) == GiveBack(rest)
    done = msgspec.structs.replace(position, refunds=[covered, rest])
    assert next_step(done) is None
    assert done.goodwill_most_minor == (0, 0)


def test_staff_give_no_more_than_the_charges_hold() -> None:
    passed_on = GivenBack(A, MERCHANT_REFUND, 1999, returned_fee_minor=150)
    owed = Debt(DEBT, ReceivableState.OPEN, 1999, refund_reversed=True)
    unpaid = msgspec.structs.replace(at(CLOSED, 1999, PAID), refunds=[passed_on], debts=[owed])
    assert unpaid.goodwill_most_minor == (0, 0)

    half = GivenBack(A, MERCHANT_REFUND, 999, returned_fee_minor=75)
    owed = msgspec.structs.replace(owed, amount_minor=999)
    assert msgspec.structs.replace(unpaid, refunds=[half], debts=[owed]).goodwill_most_minor == (
        1000,
        75,
    )


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
