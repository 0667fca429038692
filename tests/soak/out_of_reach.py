"""What no history here can reach, and why; other tests see to it, or nothing leads there yet."""

from collections.abc import Mapping

_ONE_AT_A_TIME = "purchases come one at a time here; tests/faults has many at once"
_SANDBOX = "the sandbox never gives it as a reason"
_ENDED = "the sandbox ends a purchase once; tests/integration/test_sweeps.py"
_ISSUED_ACTIVE = "Stripe issues every card active"

REASONS_OUT_OF_REACH: Mapping[str, str] = {
    "unreadable_request": "it is kept as a failed event, of which there may be none here",
    "conflicting_request": "it is answered, and no request of its own is kept",
    "card_inactive": _ISSUED_ACTIVE,
    "no_price_plan": "without a plan in force nothing that happens meanwhile has a price",
    "too_busy": _ONE_AT_A_TIME,
    "our_error": "the database does not lose its commits here; in tests/crashes it does",
    "stripe_declined": _SANDBOX,
    "stripe_suspected_fraud": _SANDBOX,
    "stripe_network_fallback": _SANDBOX,
}
RULES_OUT_OF_REACH: Mapping[str, str] = {
    "top_up_came_back": "the sandbox takes none back; tests/mutation has one written by hand",
    "payout_sent": "nothing pays out yet; tests/mutation has two written by hand",
    "payout_came_back": "nothing pays out yet; tests/mutation has one written by hand",
    "stripe_fee": "the sandbox charges none; tests/mutation has two written by hand",
    "stripe_fee_returned": "the sandbox charges none; tests/mutation has one written by hand",
}
MOVES_OUT_OF_REACH: Mapping[str, str] = {
    "approval: waiting -> expired": "it takes a real day; tests/integration/test_approvals.py",
    "card: inactive -> active": _ISSUED_ACTIVE,
    "card: inactive -> closed": _ISSUED_ACTIVE,
    "card_authorization: closed -> expired": _ENDED,
    "card_authorization: closed -> pending": _ENDED,
    "card_authorization: closed -> reversed": _ENDED,
    "card_authorization: expired -> pending": _ENDED,
    "card_authorization: expired -> reversed": _ENDED,
    "card_authorization: reversed -> closed": _ENDED,
    "card_authorization: reversed -> expired": _ENDED,
    "card_authorization: reversed -> pending": _ENDED,
    "charge: canceled -> unknown": "the sandbox lists at once; tests/faults/test_late_lists.py",
    "charge: held -> refunded": "nobody but us takes; tests/faults/test_by_hand_at_stripe.py",
    "charge: unknown -> refunded": "nobody but us gives back, and only what we know of",
    "refund: sending -> failed": "the sandbox's banks send back what has succeeded",
    "refund: pending -> failed": "no test card's refund waits first and fails then",
}
