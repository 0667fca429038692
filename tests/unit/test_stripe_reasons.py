"""Stripe's own reasons for a decline become reasons of ours."""

import pytest

from app.domain.issuing.adoption import WHY
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider
from app.domain.issuing.explanations import EXPLANATIONS

# https://docs.stripe.com/api/issuing/authorizations/object, request_history.reason
OURS = {
    "insufficient_funds": "stripe_insufficient_funds",
    "spending_controls": "stripe_spending_controls",
    "card_inactive": "stripe_card_not_active",
    "card_canceled": "stripe_card_not_active",
    "card_expired": "stripe_card_not_active",
    "cardholder_inactive": "stripe_cardholder_not_active",
    "cardholder_blocked": "stripe_cardholder_not_active",
    "account_disabled": "stripe_cardholder_not_active",
    "cardholder_verification_required": "stripe_verification_required",
    "verification_failed": "stripe_verification_failed",
    "pin_blocked": "stripe_verification_failed",
    "insecure_authorization_method": "stripe_verification_failed",
    "suspected_fraud": "stripe_suspected_fraud",
    "network_fallback": "stripe_network_fallback",
    "webhook_error": "stripe_answer_unusable",
    "webhook_timeout": "too_slow",
    "webhook_declined": "our_error",
    "webhook_approved": "our_error",
}


@pytest.mark.parametrize(("theirs", "ours"), OURS.items())
def test_each_has_a_reason_of_ours_in_words(theirs: str, ours: str) -> None:
    reason = WHY[theirs]
    told = EXPLANATIONS[reason]

    assert reason == ours
    assert all((told.short, told.customer, told.staff, told.next_step))
    assert told.decided_by in {Decider.STRIPE, Decider.US, Decider.CUSTOMER, Decider.MERCHANT}


def test_no_other_is_known() -> None:
    assert WHY.keys() == OURS.keys()
    assert EXPLANATIONS[DeclineReason.STRIPE_DECLINED].decided_by is Decider.STRIPE
