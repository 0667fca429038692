from datetime import UTC, datetime

import pytest

from app.domain.funding.charges import IntentFacts
from app.domain.funding.states import ChargeState, FundingMode
from app.domain.issuing.states import RequestState
from app.domain.issuing.verification import Certainty, certainty, remedy

APPROVED, DECLINED, DECIDING = (
    RequestState.APPROVED,
    RequestState.DECLINED,
    RequestState.DECIDING,
)
HELD, UNKNOWN, REFUSED = ChargeState.HELD, ChargeState.UNKNOWN, ChargeState.DECLINED


@pytest.mark.parametrize(
    ("state", "amount", "charges", "truth", "expected"),
    [
        (APPROVED, 1999, [HELD], (True, False), Certainty.AGREED),
        (APPROVED, 1999, [REFUSED, HELD], (True, False), Certainty.AGREED),
        (APPROVED, 0, [], (True, False), Certainty.AGREED),
        (DECLINED, 1999, [REFUSED], (False, False), Certainty.AGREED),
        (DECLINED, 1999, [], (False, False), Certainty.AGREED),
        (APPROVED, 1999, [HELD], (False, False), Certainty.LOOK_NOW),
        (DECLINED, 1999, [], (True, False), Certainty.LOOK_NOW),
        (DECLINED, 1999, [UNKNOWN], (False, False), Certainty.LOOK_LATER),
        (DECLINED, 1999, [UNKNOWN], (False, True), Certainty.LOOK_NOW),
        (DECIDING, 1999, [], (False, False), Certainty.LOOK_LATER),
        (DECIDING, 1999, [], (False, True), Certainty.LOOK_NOW),
    ],
)
def test_certainty(
    state: RequestState,
    amount: int,
    charges: list[ChargeState],
    truth: tuple[bool, bool],
    expected: Certainty,
) -> None:
    approved, over = truth

    found = certainty(state, amount, charges, approved=approved, wait_is_over=over)

    assert found is expected


def test_a_charge_for_less_than_stripe_approved_is_not_what_was_agreed() -> None:
    found = certainty(APPROVED, 1999, [HELD], approved=True, wait_is_over=False, short=True)

    assert found is Certainty.LOOK_NOW


def intent(attempt: int, state: ChargeState) -> IntentFacts:
    return IntentFacts(
        id=f"pi_{attempt}",
        state=state,
        mode=FundingMode.HOLD,
        amount_minor=2149,
        captured_minor=0,
        refunded_minor=0,
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
        authorization="iauth_1",
        request="0",
        attempt=attempt,
        stripe_charge_id=None,
        capture_before=None,
        decline_code=None,
        payment_method="pm_1",
    )


class TestRemedy:
    def test_leaves_an_approved_request_with_its_one_charge(self) -> None:
        needed = remedy(approved=True, amount_minor=1999, intents=[intent(1, HELD)])

        assert (needed.undo, needed.charge_again, needed.wait) == ([], False, False)

    def test_undoes_every_live_charge_of_a_declined_request(self) -> None:
        live = [intent(1, HELD), intent(2, ChargeState.CAPTURED)]

        needed = remedy(approved=False, amount_minor=1999, intents=[*live, intent(3, REFUSED)])

        assert (needed.undo, needed.charge_again) == (live, False)

    def test_keeps_the_first_of_two_charges(self) -> None:
        first, second = intent(1, HELD), intent(2, HELD)

        needed = remedy(approved=True, amount_minor=1999, intents=[second, first])

        assert (needed.undo, needed.charge_again) == ([second], False)

    def test_charges_again_before_one_for_less_is_undone(self) -> None:
        less = intent(1, HELD)

        needed = remedy(approved=True, amount_minor=1999, intents=[less], short=["pi_1"])

        assert (needed.undo, needed.charge_again, needed.replaced) == ([], True, [less])

    def test_undoes_one_for_less_where_another_is_for_all(self) -> None:
        less, whole = intent(1, HELD), intent(2, HELD)

        needed = remedy(approved=True, amount_minor=1999, intents=[less, whole], short=["pi_1"])

        assert (needed.undo, needed.charge_again, needed.replaced) == ([less], False, ())

    def test_charges_again_when_there_is_proof_of_none(self) -> None:
        needed = remedy(approved=True, amount_minor=1999, intents=[intent(1, REFUSED)])

        assert needed.charge_again

    def test_waits_while_stripe_does_not_know_itself(self) -> None:
        needed = remedy(approved=True, amount_minor=1999, intents=[intent(1, UNKNOWN)])

        assert (needed.charge_again, needed.wait) == (False, True)

    def test_needs_no_charge_for_an_approved_check_of_the_card(self) -> None:
        needed = remedy(approved=True, amount_minor=0, intents=[])

        assert (needed.undo, needed.charge_again) == ([], False)
