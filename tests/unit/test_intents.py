"""Stripe's PaymentIntents, read."""

from typing import Any

import pytest

from app.adapters.stripe_charging import statement_suffix
from app.adapters.stripe_intents import facts_of, outcome_of, read_intent
from app.domain.funding.states import ChargeState


def intent(status: str, received: int = 0, **charge: Any) -> dict[str, Any]:
    return {
        "id": "pi_1",
        "status": status,
        "amount": 2149,
        "amount_received": received,
        "created": 1_800_000_000,
        "metadata": {"authorization": "iauth_1", "request": "0", "attempt": "2"},
        "latest_charge": {"id": "ch_1", "amount": 2149, **charge},
        "unknown": {"to": "us"},
    }


@pytest.mark.parametrize(
    ("data", "state", "captured", "refunded"),
    [
        (intent("requires_capture"), ChargeState.HELD, 0, 0),
        (intent("succeeded", 2149, amount_captured=2149), ChargeState.CAPTURED, 2149, 0),
        (
            # A smaller capture: Stripe calls the released rest refunded, and we do not.
            intent("succeeded", 1100, amount_captured=1100, amount_refunded=1049),
            ChargeState.CAPTURED,
            1100,
            0,
        ),
        (
            intent("succeeded", 2149, amount_captured=2149, amount_refunded=1049),
            ChargeState.CAPTURED,
            2149,
            1049,
        ),
        (
            intent("succeeded", 2149, amount_captured=2149, amount_refunded=2149),
            ChargeState.REFUNDED,
            2149,
            2149,
        ),
        (intent("canceled", amount_refunded=2149), ChargeState.CANCELED, 0, 0),
        (intent("requires_payment_method"), ChargeState.DECLINED, 0, 0),
        (intent("processing"), ChargeState.UNKNOWN, 0, 0),
        (intent("something_new"), ChargeState.UNKNOWN, 0, 0),
    ],
)
def test_what_a_payment_intent_says(
    data: dict[str, Any], state: ChargeState, captured: int, refunded: int
) -> None:
    facts = facts_of(read_intent(data))

    assert (facts.state, facts.captured_minor, facts.refunded_minor) == (state, captured, refunded)
    assert (facts.authorization, facts.request, facts.attempt) == ("iauth_1", "0", 2)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("requires_capture", ChargeState.HELD),
        ("succeeded", ChargeState.CAPTURED),
        ("requires_action", ChargeState.DECLINED),
        ("processing", ChargeState.UNKNOWN),
    ],
)
def test_what_an_answer_in_the_two_seconds_means(status: str, state: ChargeState) -> None:
    assert outcome_of(read_intent(intent(status))).state is state


@pytest.mark.parametrize(
    ("merchant", "suffix"),
    [
        ("Blue Bottle", "Blue Bottle"),
        ('Caf\u00e9 <b>"O\'Neill"*', "Caf bONeill"),
        ("A very long merchant name indeed", "A very long merchant n"),
        ("12345", "PURCHASE"),
        ("日本", "PURCHASE"),
    ],
)
def test_a_statement_names_the_merchant_as_far_as_statements_can(
    merchant: str, suffix: str
) -> None:
    assert statement_suffix(merchant) == suffix
