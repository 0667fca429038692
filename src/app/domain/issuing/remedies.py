"""What a customer can do about a declined purchase: one step, in words, and where it is taken."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS


class Step(StrEnum):
    """Where the step is taken. WAIT and NONE are taken nowhere."""

    ALLOW_ONCE = "allow_once"
    CONFIRM = "confirm"
    LIMITS = "limits"
    SETTINGS = "settings"
    UNFREEZE = "unfreeze"
    NEW_CARD = "new_card"
    LINK = "link"
    SOURCES = "sources"
    DEBT = "debt"
    IDENTITY = "identity"
    AGAIN = "again"
    WRITE = "write"
    NONE = "none"


class Remedy(msgspec.Struct, frozen=True):
    """What to do, and the step that does it; `may_allow`: letting the next try pass once, too."""

    words: str
    step: Step
    may_allow: bool = False


_LIMIT = "Raise the limit of the card, or let this purchase pass once. Then pay again."
_AGAIN = Remedy("Wait a minute and pay again.", Step.AGAIN)
_WRITE = Remedy("Write to us, and name the purchase's id below.", Step.WRITE)
_NOTHING = Remedy("There is nothing to change: it works with no card of ours.", Step.NONE)
_OTHER = Remedy("Pay from another linked card: put it first, or link one.", Step.SOURCES)
_ASK_BANK = Remedy("Ask your bank, or pay from another linked card.", Step.SOURCES)
_IT_WAS_ME = Remedy(
    "Was it you? Then say so and pay again. If it was not, freeze the card and open another one.",
    Step.CONFIRM,
    may_allow=True,
)
_LATER = Remedy("Wait an hour or two and pay again.", Step.AGAIN)

REMEDIES: Mapping[DeclineReason, Remedy] = {
    DeclineReason.CARD_INACTIVE: Remedy("Activate the card, then pay again.", Step.SETTINGS),
    DeclineReason.CARD_FROZEN: Remedy("Unfreeze the card, then pay again.", Step.UNFREEZE),
    DeclineReason.CARD_CLOSED: Remedy(
        "Use another card; a closed one stays closed.", Step.NEW_CARD
    ),
    DeclineReason.SINGLE_USE_SPENT: Remedy("Open another card for this purchase.", Step.NEW_CARD),
    DeclineReason.LOCKED_TO_MERCHANT: Remedy(
        "Use another card, or let this merchant pass once.", Step.ALLOW_ONCE, may_allow=True
    ),
    DeclineReason.CATEGORY_NOT_ALLOWED: Remedy(
        "Change what the card is for, or let this purchase pass once.",
        Step.SETTINGS,
        may_allow=True,
    ),
    DeclineReason.COUNTRY_NOT_ALLOWED: Remedy(
        "Change where the card works, or let this purchase pass once.",
        Step.SETTINGS,
        may_allow=True,
    ),
    DeclineReason.OVER_PURCHASE_LIMIT: Remedy(_LIMIT, Step.LIMITS, may_allow=True),
    DeclineReason.OVER_DAILY_LIMIT: Remedy(_LIMIT, Step.LIMITS, may_allow=True),
    DeclineReason.OVER_MONTHLY_LIMIT: Remedy(_LIMIT, Step.LIMITS, may_allow=True),
    DeclineReason.OUTSIDE_ACTIVE_DATES: Remedy(
        "Move the card's last day, or let this purchase pass once.", Step.SETTINGS, may_allow=True
    ),
    DeclineReason.NO_FUNDING_SOURCE: Remedy("Link a card to pay from, then pay again.", Step.LINK),
    DeclineReason.SOURCE_NEEDS_REFRESH: Remedy(
        "Link the card again, or put another one first.", Step.LINK
    ),
    DeclineReason.OPEN_DEBT: Remedy(
        "Pay what is open, or link a card that can. Your cards work again at once.",
        Step.DEBT,
    ),
    DeclineReason.OVER_EXPOSURE_LIMIT: Remedy(
        "Wait until merchants have settled earlier purchases.", Step.AGAIN
    ),
    DeclineReason.CUSTOMER_NOT_ACTIVE: _WRITE,
    DeclineReason.STOPPED_ALL: _LATER,
    DeclineReason.STOPPED_CUSTOMER: _WRITE,
    DeclineReason.STOPPED_CARD: _WRITE,
    DeclineReason.STOPPED_FUNDING: _OTHER,
    DeclineReason.BLOCKED_MERCHANT: _NOTHING,
    DeclineReason.CASH_NOT_ALLOWED: Remedy("Use your own bank card for cash.", Step.NONE),
    DeclineReason.QUASI_CASH_NOT_ALLOWED: Remedy(
        "Pay for it with your own bank card itself.", Step.NONE
    ),
    DeclineReason.GAMBLING_NOT_ALLOWED: _NOTHING,
    DeclineReason.CATEGORY_CLOSED: _NOTHING,
    DeclineReason.COUNTRY_CLOSED: _NOTHING,
    DeclineReason.CARD_TOO_OFTEN: _IT_WAS_ME,
    DeclineReason.CARD_TOO_MUCH: _LATER,
    DeclineReason.CUSTOMER_TOO_OFTEN: _LATER,
    DeclineReason.CUSTOMER_TOO_MUCH: _LATER,
    DeclineReason.NEW_CUSTOMER_LIMIT: Remedy(
        "Wait until earlier purchases are a day or more ago, or pay a smaller amount.", Step.AGAIN
    ),
    DeclineReason.TOO_MANY_DECLINES: _IT_WAS_ME,
    DeclineReason.SUSPECTED_CARD_TESTING: _IT_WAS_ME,
    DeclineReason.RISK_SCORE_TOO_HIGH: _IT_WAS_ME,
    DeclineReason.BANK_DECLINED: _ASK_BANK,
    DeclineReason.BANK_INSUFFICIENT_FUNDS: _OTHER,
    DeclineReason.BANK_CARD_LOST_OR_STOLEN: _ASK_BANK,
    DeclineReason.BANK_CARD_EXPIRED: Remedy("Link your new card.", Step.LINK),
    DeclineReason.BANK_INCORRECT_CVC: Remedy("Link the card again.", Step.LINK),
    DeclineReason.BANK_PROCESSING_ERROR: _AGAIN,
    DeclineReason.BANK_VELOCITY: _OTHER,
    DeclineReason.BANK_SUSPECTS_FRAUD: _ASK_BANK,
    DeclineReason.BANK_AUTHENTICATION_REQUIRED: Remedy(
        "Confirm your linked card with your bank, then pay again.", Step.SOURCES
    ),
    DeclineReason.STRIPE_SPENDING_CONTROL: Remedy(
        "Raise the limit of the card, then pay again.", Step.LIMITS
    ),
    DeclineReason.STRIPE_CARD_NOT_ACTIVE: Remedy("Look at the card's state.", Step.SETTINGS),
    DeclineReason.STRIPE_CARDHOLDER_NOT_ACTIVE: _WRITE,
    DeclineReason.STRIPE_WANTS_IDENTITY: Remedy(
        "Complete what we still need to know about you.", Step.IDENTITY
    ),
    DeclineReason.STRIPE_DETAILS_WRONG: Remedy(
        "Enter the card's details again, exactly as its page shows them.", Step.SETTINGS
    ),
    DeclineReason.STRIPE_SUSPECTS_FRAUD: Remedy(
        "Was it you? Then pay again later, or with another of your cards. If it was not, freeze"
        " the card.",
        Step.SETTINGS,
    ),
    DeclineReason.REFUND_REQUEST: Remedy(
        "Nothing: the money comes by itself when the merchant sends it.", Step.NONE
    ),
    DeclineReason.WRONG_CURRENCY: Remedy("Ask the merchant to charge in US dollars.", Step.NONE),
    DeclineReason.AMOUNT_OUT_OF_RANGE: Remedy("Pay in several parts.", Step.NONE),
    DeclineReason.OWN_DESCRIPTOR: Remedy("Link a card that is not one of ours.", Step.SOURCES),
}
"""What is not here was a trouble of ours, and is over soon."""


def remedy_for(reason: DeclineReason) -> Remedy:
    """Give what a customer can do about a reason."""
    return REMEDIES.get(reason, _AGAIN)


def customer_may_allow(reason: DeclineReason) -> bool:
    """Tell whether customers themselves can let a purchase pass that was declined for it.

    What they have set, and what protects them. What protects us, staff alone can let pass.
    """
    return remedy_for(reason).may_allow and EXPLANATIONS[reason].allow_once
