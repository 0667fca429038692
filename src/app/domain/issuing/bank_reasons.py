"""What a bank's decline code means for the purchase.

Source: https://docs.stripe.com/declines/codes
"""

from collections.abc import Mapping

from app.domain.issuing.decline_reasons import DeclineReason

_REASONS: Mapping[str, DeclineReason] = {
    "insufficient_funds": DeclineReason.BANK_INSUFFICIENT_FUNDS,
    "withdrawal_count_limit_exceeded": DeclineReason.BANK_VELOCITY,
    "card_velocity_exceeded": DeclineReason.BANK_VELOCITY,
    "lost_card": DeclineReason.BANK_CARD_LOST_OR_STOLEN,
    "stolen_card": DeclineReason.BANK_CARD_LOST_OR_STOLEN,
    "pickup_card": DeclineReason.BANK_CARD_LOST_OR_STOLEN,
    "expired_card": DeclineReason.BANK_CARD_EXPIRED,
    "incorrect_cvc": DeclineReason.BANK_INCORRECT_CVC,
    "invalid_cvc": DeclineReason.BANK_INCORRECT_CVC,
    "processing_error": DeclineReason.BANK_PROCESSING_ERROR,
    "issuer_not_available": DeclineReason.BANK_PROCESSING_ERROR,
    "try_again_later": DeclineReason.BANK_PROCESSING_ERROR,
    "fraudulent": DeclineReason.BANK_SUSPECTS_FRAUD,
    "merchant_blacklist": DeclineReason.BANK_SUSPECTS_FRAUD,
    "authentication_required": DeclineReason.BANK_AUTHENTICATION_REQUIRED,
    "authentication_not_handled": DeclineReason.BANK_AUTHENTICATION_REQUIRED,
    "payment_intent_authentication_failure": DeclineReason.BANK_AUTHENTICATION_REQUIRED,
    "rate_limited": DeclineReason.FUNDING_RATE_LIMITED,
    "payment_method_unusable": DeclineReason.SOURCE_NEEDS_REFRESH,
    "request_refused": DeclineReason.FUNDING_REFUSED,
}
# Another linked card would meet the same refusal.
OUR_OWN_FAULT = frozenset({DeclineReason.FUNDING_RATE_LIMITED, DeclineReason.FUNDING_REFUSED})
NO_BANK_ASKED = tuple(code for code, reason in _REASONS.items() if reason in OUR_OWN_FAULT)
"""Codes of ours, for charges that Stripe refused before any bank saw them."""


def reason_for(decline_code: str | None) -> DeclineReason:
    """Give our reason for a bank's code; codes we do not know are a plain bank decline."""
    return _REASONS.get(decline_code or "", DeclineReason.BANK_DECLINED)
