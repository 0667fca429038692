"""Declines by rules that our staff set, and by limits of ours, in words."""

from collections.abc import Mapping

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider, Explanation


def _rule(
    short: str,
    customer: str,
    next_step: str,
    *,
    allow_once: bool = False,
    retry_sensible: bool = False,
) -> Explanation:
    return Explanation(
        short=short,
        customer=customer,
        staff=f"A rule of ours refused it: {short}. The request's record names the rule.",
        next_step=next_step,
        decided_by=Decider.US,
        allow_once=allow_once,
        retry_sensible=retry_sensible,
    )


_STOPPED = "Purchases are paused for now. Your linked card has not been charged."
_PROTECTED = "We stopped this to protect your card. Your linked card has not been charged."
_RESUME = "Read why the stop was set; end the rule when it is over."
_NEVER = "Your card cannot be used for this."
_WAIT = "Wait until earlier purchases leave the window, or allow this one once."

RULES: Mapping[DeclineReason, Explanation] = {
    DeclineReason.CUSTOMER_NOT_ACTIVE: Explanation(
        short="customer not active",
        customer="Your account cannot make purchases at the moment.",
        staff="The customer is onboarding, frozen or closed.",
        next_step="Open the customer and read the reason of the last change.",
        decided_by=Decider.US,
    ),
    DeclineReason.OPEN_DEBT: Explanation(
        short="an earlier purchase is not paid",
        customer="An earlier purchase could not be charged to your linked card. Once it is paid, "
        "your cards work again.",
        staff="A debt of this customer is open for longer than DEBT_STOPS_CARDS_AFTER_DAYS.",
        next_step="Have the customer link a card that pays; the debt is then collected by itself.",
        decided_by=Decider.US,
    ),
    DeclineReason.OVER_EXPOSURE_LIMIT: Explanation(
        short="over the customer's limit for open purchases",
        customer="Too much is open at once. Wait for earlier purchases to settle.",
        staff="Approved and unsettled purchases on all cards reach the customer's exposure limit.",
        next_step="Wait for settlement, or raise the customer's exposure limit.",
        decided_by=Decider.US,
        retry_sensible=True,
    ),
    DeclineReason.STOPPED_ALL: _rule("all purchases are stopped", _STOPPED, _RESUME),
    DeclineReason.STOPPED_CUSTOMER: _rule("customer is stopped", _STOPPED, _RESUME),
    DeclineReason.STOPPED_CARD: _rule("card is stopped", _STOPPED, _RESUME),
    DeclineReason.STOPPED_FUNDING: _rule(
        "this kind of linked card is stopped",
        "We cannot charge your linked card at the moment.",
        "Link another card, or end the stop when it is over.",
    ),
    DeclineReason.BLOCKED_MERCHANT: _rule(
        "merchant blocked by us", "We do not allow purchases at this merchant.", _RESUME
    ),
    DeclineReason.CASH_NOT_ALLOWED: _rule(
        "cash not allowed", f"{_NEVER} It gives out cash.", "Nothing: use a bank card for cash."
    ),
    DeclineReason.QUASI_CASH_NOT_ALLOWED: _rule(
        "money transfer or stored value not allowed",
        f"{_NEVER} It turns into money again.",
        "Nothing: pay for it with the linked card itself.",
    ),
    DeclineReason.GAMBLING_NOT_ALLOWED: _rule(
        "gambling not allowed", f"{_NEVER} It is gambling.", "Nothing can be changed."
    ),
    DeclineReason.CATEGORY_CLOSED: _rule(
        "category closed by us", "We do not allow this kind of merchant.", _RESUME, allow_once=True
    ),
    DeclineReason.COUNTRY_CLOSED: _rule(
        "country closed by us",
        "We do not allow merchants in this country.",
        _RESUME,
        allow_once=True,
    ),
    DeclineReason.CARD_TOO_OFTEN: _rule(
        "too many purchases with this card in a short time",
        _PROTECTED,
        _WAIT,
        allow_once=True,
        retry_sensible=True,
    ),
    DeclineReason.CARD_TOO_MUCH: _rule(
        "too much with this card in a short time",
        _PROTECTED,
        _WAIT,
        allow_once=True,
        retry_sensible=True,
    ),
    DeclineReason.CUSTOMER_TOO_OFTEN: _rule(
        "too many purchases of the customer in a short time",
        _PROTECTED,
        _WAIT,
        allow_once=True,
        retry_sensible=True,
    ),
    DeclineReason.CUSTOMER_TOO_MUCH: _rule(
        "too much by the customer in a short time",
        _PROTECTED,
        _WAIT,
        allow_once=True,
        retry_sensible=True,
    ),
    DeclineReason.NEW_CUSTOMER_LIMIT: _rule(
        "over the limit of a new customer",
        "New accounts start with a lower limit, which grows with time.",
        "Wait until earlier purchases leave the window, or allow this one once.",
        allow_once=True,
        retry_sensible=True,
    ),
    DeclineReason.TOO_MANY_DECLINES: _rule(
        "too many declines on this card",
        _PROTECTED,
        "Ask the customer whether it was them; wait until the declines are past, or allow once.",
        allow_once=True,
        retry_sensible=True,
    ),
    DeclineReason.SUSPECTED_CARD_TESTING: _rule(
        "somebody seems to be testing this card",
        _PROTECTED,
        "Ask the customer whether it was them; if not, close the card and open a new one.",
        allow_once=True,
    ),
    DeclineReason.RISK_SCORE_TOO_HIGH: _rule(
        "the card network sees a high risk of fraud",
        _PROTECTED,
        "Ask the customer whether it was them; if it was, allow it once.",
        allow_once=True,
    ),
}
