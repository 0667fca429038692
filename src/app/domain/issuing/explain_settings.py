"""Declines by what the customer has set on a card, in words."""

from collections.abc import Mapping

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider, Explanation

_RAISE = "Raise the limit on the card, or wait until it resets (midnight UTC; first of the month)."


def _setting(short: str, customer: str, next_step: str, *, allow_once: bool = False) -> Explanation:
    return Explanation(
        short=short,
        customer=customer,
        staff=f"A control on the card or the customer refused it: {short}.",
        next_step=next_step,
        decided_by=Decider.CUSTOMER,
        allow_once=allow_once,
    )


SETTINGS: Mapping[DeclineReason, Explanation] = {
    DeclineReason.CARD_INACTIVE: _setting(
        "card not active yet", "This card has not been activated.", "Activate the card."
    ),
    DeclineReason.CARD_FROZEN: _setting(
        "card frozen", "This card is frozen.", "Unfreeze the card, then try again."
    ),
    DeclineReason.CARD_CLOSED: _setting(
        "card closed", "This card is closed.", "Use another card; a closed card stays closed."
    ),
    DeclineReason.SINGLE_USE_SPENT: _setting(
        "single-use card already used", "This single-use card has been used.", "Open a new card."
    ),
    DeclineReason.LOCKED_TO_MERCHANT: _setting(
        "card locked to another merchant",
        "This card works at one merchant only.",
        "Use another card, or remove the lock.",
        allow_once=True,
    ),
    DeclineReason.CATEGORY_NOT_ALLOWED: _setting(
        "category not allowed",
        "This card does not allow this kind of merchant.",
        "Change the card's categories.",
        allow_once=True,
    ),
    DeclineReason.COUNTRY_NOT_ALLOWED: _setting(
        "country not allowed",
        "This card does not allow merchants in this country.",
        "Change the card's countries.",
        allow_once=True,
    ),
    DeclineReason.OVER_PURCHASE_LIMIT: _setting(
        "over the card's limit per purchase",
        "The amount is over this card's limit per purchase.",
        _RAISE,
        allow_once=True,
    ),
    DeclineReason.OVER_DAILY_LIMIT: _setting(
        "over the card's daily limit",
        "The amount is over what is left of this card's daily limit.",
        _RAISE,
        allow_once=True,
    ),
    DeclineReason.OVER_MONTHLY_LIMIT: _setting(
        "over the card's monthly limit",
        "The amount is over what is left of this card's monthly limit.",
        _RAISE,
        allow_once=True,
    ),
    DeclineReason.NO_FUNDING_SOURCE: _setting(
        "no linked card", "No card is linked to pay for this.", "Link a card."
    ),
    DeclineReason.OUTSIDE_ACTIVE_DATES: _setting(
        "card's last active day has passed",
        "This card was set to work until a date that has passed.",
        "Move the card's active-until date, or open a new card.",
        allow_once=True,
    ),
    DeclineReason.SOURCE_NEEDS_REFRESH: Explanation(
        short="linked card must be linked again",
        customer="Your linked card can no longer be charged. Link it again, or link another one.",
        staff="Stripe no longer has the linked card saved to the customer: it was detached.",
        next_step="Link the card again, or make another linked card the default.",
        decided_by=Decider.CUSTOMER,
    ),
}
