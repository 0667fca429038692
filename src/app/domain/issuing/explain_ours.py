"""Declines that were our own doing, and requests that nobody could approve, in words."""

from collections.abc import Mapping

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider, Explanation

_NOT_CHARGED = "A temporary problem on our side. Your linked card has not been charged."
_RELEASED = (
    "A temporary problem on our side. If anything was put on your linked card, it is undone."
)
"""What became of the charge may not be known for some seconds after the answer."""


def _ours(
    short: str,
    staff: str,
    next_step: str,
    *,
    retry_sensible: bool,
    customer: str = _NOT_CHARGED,
) -> Explanation:
    return Explanation(
        short=short,
        customer=customer,
        staff=staff,
        next_step=next_step,
        decided_by=Decider.US,
        retry_sensible=retry_sensible,
    )


def _refused(
    short: str, customer: str, staff: str, next_step: str, by: Decider = Decider.US
) -> Explanation:
    return Explanation(
        short=short, customer=customer, staff=staff, next_step=next_step, decided_by=by
    )


OURS: Mapping[DeclineReason, Explanation] = {
    DeclineReason.UNREADABLE: _ours(
        "request could not be read",
        "Stripe's request lacked a field we need or held a value we do not accept.",
        "Look at the stored request; report it if Stripe changed its format.",
        retry_sensible=False,
    ),
    DeclineReason.CONFLICTING: _ours(
        "second request with the same number",
        "The same request of this authorization had come before with another event or amount.",
        "Compare the two deliveries in the webhook log.",
        retry_sensible=True,
    ),
    DeclineReason.UNKNOWN_CARD: _ours(
        "card unknown to us",
        "Stripe asked about a card that is not in our database.",
        "Check that the webhook belongs to this account.",
        retry_sensible=False,
    ),
    DeclineReason.REFUND_REQUEST: _refused(
        "refund request, nothing to fund",
        "The merchant asked about a refund; refunds arrive without being asked about.",
        "A request with a negative amount never charges.",
        "Nothing; the refund comes as a transaction.",
        Decider.MERCHANT,
    ),
    DeclineReason.WRONG_CURRENCY: _refused(
        "currency not supported",
        "This card pays in US dollars only.",
        "The request was not in the card's currency.",
        "Nothing can be changed.",
    ),
    DeclineReason.AMOUNT_OUT_OF_RANGE: _refused(
        "amount beyond what a linked card can be charged",
        "The amount is larger than a single charge may be.",
        "Amount plus fee exceeds Stripe's largest charge (99,999,999 minor units).",
        "Split the purchase.",
    ),
    DeclineReason.OWN_DESCRIPTOR: _refused(
        "purchase at ourselves",
        "Our own cards cannot pay for our own charges.",
        "The merchant is us: one of our cards is linked as a funding source, a loop.",
        "Find the linked card that is one of ours and remove it.",
    ),
    DeclineReason.NO_PRICE_PLAN: _ours(
        "no price plan in force",
        "No price plan is effective at this time.",
        "Add a price plan that is effective now.",
        retry_sensible=True,
    ),
    DeclineReason.FUNDING_UNKNOWN: _ours(
        "no clear answer about the linked card",
        "The charge timed out or ended in an error; the repair job finds out and undoes it.",
        "The repair asks Stripe a little later; the line of time says what it found.",
        retry_sensible=True,
        customer=_RELEASED,
    ),
    DeclineReason.FUNDING_REFUSED: _ours(
        "Stripe refused our charge request",
        "Stripe rejected the request itself (key, parameter or permission).",
        "Read the charge's code; check the API key.",
        retry_sensible=False,
    ),
    DeclineReason.FUNDING_RATE_LIMITED: _ours(
        "Stripe's rate limit",
        "Stripe answered 429: too many charges at once.",
        "Ask Stripe for a higher limit if this repeats.",
        retry_sensible=True,
    ),
    DeclineReason.TOO_SLOW: _ours(
        "our time was up",
        "Our own deadline of 1,650 ms passed before an answer was safe.",
        "Look at the steps' times to see what was slow.",
        retry_sensible=True,
        customer=_RELEASED,
    ),
    DeclineReason.TOO_BUSY: _ours(
        "too many purchases in flight",
        "The cap on charges in flight was reached; answered at once without a charge.",
        "Raise MAX_CHARGES_IN_FLIGHT only together with Stripe's limit.",
        retry_sensible=True,
    ),
    DeclineReason.OUR_ERROR: _ours(
        "an error of ours",
        "An exception or the database stopped the decision.",
        "Search the log for the request id.",
        retry_sensible=True,
        customer=_RELEASED,
    ),
    DeclineReason.FUNDING_PAUSED: _ours(
        "charging is paused: Stripe does not answer",
        "Most of the last charges had no clear answer, so new ones are declined at once and one a"
        " second is tried. Nothing was sent for this one.",
        "Look at the status on the home page and at status.stripe.com; it ends by itself.",
        retry_sensible=True,
    ),
}
