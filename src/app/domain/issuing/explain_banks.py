"""Declines by the bank of the linked card, in words.

That a card was reported lost or stolen, or is thought to be used by a thief, is never told to who
holds it: they read what is read where the bank gave no reason, and do the same.
Source: https://docs.stripe.com/declines/codes
"""

from collections.abc import Mapping

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider, Explanation

_UNTOLD = "Your linked card's bank said no, and gave no reason."
_OTHER_CARD = "Link another card or make another one the default."


def _bank(
    short: str,
    staff: str,
    next_step: str,
    *,
    customer: str | None = None,
    retry_sensible: bool = False,
) -> Explanation:
    return Explanation(
        short=short,
        customer=customer or f"Your linked card's bank said no: {short.removeprefix('bank: ')}.",
        staff=staff,
        next_step=next_step,
        decided_by=Decider.BANK,
        retry_sensible=retry_sensible,
    )


BANKS: Mapping[DeclineReason, Explanation] = {
    DeclineReason.BANK_DECLINED: _bank(
        "bank: declined, no reason given",
        "The issuer of the linked card declined without a reason (generic_decline).",
        "The customer asks their bank, or links another card.",
        customer=_UNTOLD,
    ),
    DeclineReason.BANK_INSUFFICIENT_FUNDS: _bank(
        "bank: insufficient funds", "The linked card lacks funds or credit.", _OTHER_CARD
    ),
    DeclineReason.BANK_CARD_LOST_OR_STOLEN: _bank(
        "bank: card reported lost or stolen",
        "The linked card was reported lost or stolen. Do not tell a caller: they read that the bank"
        " gave no reason.",
        "Check who is calling; the customer asks their bank, or links another card.",
        customer=_UNTOLD,
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
        "The customer asks their bank; look at their history first. They read that the bank gave no"
        " reason.",
        customer=_UNTOLD,
    ),
    DeclineReason.BANK_AUTHENTICATION_REQUIRED: _bank(
        "bank: authentication needed",
        "The issuer wants the customer to authenticate; nobody is there to do it.",
        "The customer links the card again with authentication, or links another.",
    ),
}
