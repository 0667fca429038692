"""Every decline in words: for the customer, for staff, what to do next, and whose it was."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from app.domain.issuing.decline_reasons import DeclineReason


class Decider(StrEnum):
    """Whose decision it was."""

    CUSTOMER = "the customer's setting"
    US = "us"
    BANK = "the customer's bank"
    STRIPE = "Stripe"
    MERCHANT = "the merchant"


class Explanation(msgspec.Struct, frozen=True):
    """What to say about a reason. `short` completes "declined 80.00 Blue Bottle · …"."""

    short: str
    customer: str
    staff: str
    next_step: str
    decided_by: Decider
    retry_sensible: bool


def _setting(short: str, customer: str, next_step: str) -> Explanation:
    return Explanation(
        short,
        customer,
        f"A control on the card or the customer refused it: {short}.",
        next_step,
        Decider.CUSTOMER,
        retry_sensible=False,
    )


def _bank(short: str, staff: str, next_step: str, *, retry_sensible: bool = False) -> Explanation:
    customer = f"Your linked card's bank said no: {short.removeprefix('bank: ')}."
    return Explanation(
        short, customer, staff, next_step, Decider.BANK, retry_sensible=retry_sensible
    )


def _ours(short: str, staff: str, next_step: str, *, retry_sensible: bool) -> Explanation:
    customer = "A temporary problem on our side. Your linked card has not been charged."
    return Explanation(short, customer, staff, next_step, Decider.US, retry_sensible=retry_sensible)


_RAISE = "Raise the limit on the card, or wait until it resets (midnight UTC; first of the month)."
_OTHER_CARD = "Link another card or make another one the default."

EXPLANATIONS: Mapping[DeclineReason, Explanation] = {
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
    DeclineReason.CARD_INACTIVE: _setting(
        "card not active yet", "This card has not been activated.", "Activate the card."
    ),
    DeclineReason.CARD_FROZEN: _setting(
        "card frozen", "This card is frozen.", "Unfreeze the card, then try again."
    ),
    DeclineReason.CARD_CLOSED: _setting(
        "card closed", "This card is closed.", "Use another card; a closed card stays closed."
    ),
    DeclineReason.CUSTOMER_NOT_ACTIVE: Explanation(
        "customer not active",
        "Your account cannot make purchases at the moment.",
        "The customer is onboarding, frozen or closed.",
        "Open the customer and read the reason of the last change.",
        Decider.US,
        retry_sensible=False,
    ),
    DeclineReason.REFUND_REQUEST: Explanation(
        "refund request, nothing to fund",
        "The merchant asked about a refund; refunds arrive without being asked about.",
        "A request with a negative amount never charges.",
        "Nothing; the refund comes as a transaction.",
        Decider.MERCHANT,
        retry_sensible=False,
    ),
    DeclineReason.WRONG_CURRENCY: Explanation(
        "currency not supported",
        "This card pays in US dollars only.",
        "The request was not in the card's currency.",
        "Nothing can be changed.",
        Decider.US,
        retry_sensible=False,
    ),
    DeclineReason.AMOUNT_OUT_OF_RANGE: Explanation(
        "amount beyond what a linked card can be charged",
        "The amount is larger than a single charge may be.",
        "Amount plus fee exceeds Stripe's largest charge (99,999,999 minor units).",
        "Split the purchase.",
        Decider.US,
        retry_sensible=False,
    ),
    DeclineReason.OWN_DESCRIPTOR: Explanation(
        "purchase at ourselves",
        "Our own cards cannot pay for our own charges.",
        "The merchant is us: one of our cards is linked as a funding source, a loop.",
        "Find the linked card that is one of ours and remove it.",
        Decider.US,
        retry_sensible=False,
    ),
    DeclineReason.SINGLE_USE_SPENT: _setting(
        "single-use card already used", "This single-use card has been used.", "Open a new card."
    ),
    DeclineReason.LOCKED_TO_MERCHANT: _setting(
        "card locked to another merchant",
        "This card works at one merchant only.",
        "Use another card, or remove the lock.",
    ),
    DeclineReason.CATEGORY_NOT_ALLOWED: _setting(
        "category not allowed",
        "This card does not allow this kind of merchant.",
        "Change the card's categories.",
    ),
    DeclineReason.COUNTRY_NOT_ALLOWED: _setting(
        "country not allowed",
        "This card does not allow merchants in this country.",
        "Change the card's countries.",
    ),
    DeclineReason.OVER_PURCHASE_LIMIT: _setting(
        "over the card's limit per purchase",
        "The amount is over this card's limit per purchase.",
        _RAISE,
    ),
    DeclineReason.OVER_DAILY_LIMIT: _setting(
        "over the card's daily limit",
        "The amount is over what is left of this card's daily limit.",
        _RAISE,
    ),
    DeclineReason.OVER_MONTHLY_LIMIT: _setting(
        "over the card's monthly limit",
        "The amount is over what is left of this card's monthly limit.",
        _RAISE,
    ),
    DeclineReason.OVER_EXPOSURE_LIMIT: Explanation(
        "over the customer's limit for open purchases",
        "Too much is open at once. Wait for earlier purchases to settle.",
        "Approved and unsettled purchases on all cards reach the customer's exposure limit.",
        "Wait for settlement, or raise the customer's exposure limit.",
        Decider.US,
        retry_sensible=True,
    ),
    DeclineReason.NO_FUNDING_SOURCE: _setting(
        "no linked card", "No card is linked to pay for this.", "Link a card."
    ),
    DeclineReason.NO_PRICE_PLAN: _ours(
        "no price plan in force",
        "No price plan is effective at this time.",
        "Add a price plan that is effective now.",
        retry_sensible=True,
    ),
    DeclineReason.BANK_DECLINED: _bank(
        "bank: declined, no reason given",
        "The issuer of the linked card declined without a reason (generic_decline).",
        "The customer asks their bank, or links another card.",
    ),
    DeclineReason.BANK_INSUFFICIENT_FUNDS: _bank(
        "bank: insufficient funds", "The linked card lacks funds or credit.", _OTHER_CARD
    ),
    DeclineReason.BANK_CARD_LOST_OR_STOLEN: _bank(
        "bank: card reported lost or stolen",
        "The linked card was reported lost or stolen. Do not tell a caller which.",
        "Check who is calling; the customer links a new card.",
    ),
    DeclineReason.BANK_CARD_EXPIRED: _bank(
        "bank: card expired", "The linked card has expired.", "Link the new card."
    ),
    DeclineReason.BANK_INCORRECT_CVC: _bank(
        "bank: security code wrong",
        "The issuer refused the stored security code check.",
        "Link the card again.",
    ),
    DeclineReason.BANK_PROCESSING_ERROR: _bank(
        "bank: processing error",
        "The issuer or network had an error.",
        "Try again in a moment.",
        retry_sensible=True,
    ),
    DeclineReason.BANK_VELOCITY: _bank(
        "bank: too many purchases on the linked card",
        "The issuer's own velocity limit was reached (card_velocity_exceeded).",
        "Wait, or link another card.",
    ),
    DeclineReason.BANK_SUSPECTS_FRAUD: _bank(
        "bank: suspected fraud",
        "The issuer or Stripe Radar suspects fraud on the linked card.",
        "The customer confirms with their bank; look at the customer's history first.",
    ),
    DeclineReason.BANK_AUTHENTICATION_REQUIRED: _bank(
        "bank: authentication needed",
        "The issuer wants the customer to authenticate; nobody is there to do it.",
        "The customer links the card again with authentication, or links another.",
    ),
    DeclineReason.FUNDING_UNKNOWN: _ours(
        "no clear answer from the linked card in time",
        "The charge timed out or ended in an error; the repair job finds out and undoes it.",
        "Wait for the repair; look at the charge.",
        retry_sensible=True,
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
    ),
    DeclineReason.STRIPE_DECLINED: Explanation(
        "declined by Stripe without asking us",
        "The card network declined before asking us. Your linked card has not been charged.",
        "Stripe declined before its question: card or cardholder state, spending control, Issuing"
        " balance or verification. Its own reason is beside this one.",
        "Read Stripe's reason; insufficient_funds there means our float is empty.",
        Decider.STRIPE,
        retry_sensible=False,
    ),
}
assert EXPLANATIONS.keys() == set(DeclineReason)
