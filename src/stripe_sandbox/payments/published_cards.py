"""Stripe's published test cards: what each one is, and what it does when it is saved or charged.

Numbers, tokens and outcomes: https://docs.stripe.com/testing.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

# A far year, because the clock can be moved and a card must not lapse for it.
EXPIRY = (12, 2034)


class Authentication(StrEnum):
    """When a card asks its holder to authenticate (3D Secure)."""

    NEVER = "never"
    UNTIL_SET_UP = "until_set_up"
    ALWAYS = "always"
    ON_SESSION = "on_session"


class RefundOutcome(StrEnum):
    """What becomes of a refund to the card."""

    SUCCEEDS = "succeeds"
    PENDS = "pends"
    FAILS = "fails"


@dataclass(frozen=True)
class Decline:
    """A refusal as Stripe words it; `network_code` is None where no bank was asked.

    Recorded refusals carry `advice_code` and `network_decline_code`:
    https://docs.stripe.com/declines/codes.
    """

    code: str
    decline_code: str | None
    message: str
    network_code: str | None
    advice: str = "try_again_later"
    blocked: bool = False

    @property
    def reason(self) -> str:
        return self.decline_code or self.code


@dataclass(frozen=True)
class PublishedCard:
    """One published card; `savable` is false where attaching it already refuses."""

    number: str
    brand: str = "visa"
    funding: str = "credit"
    decline: Decline | None = None
    savable: bool = True
    authentication: Authentication = Authentication.NEVER
    refund: RefundOutcome = RefundOutcome.SUCCEEDS
    skips_pending: bool = False
    risk: str = "normal"

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """The same for every PaymentMethod of one number, as on Stripe."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", _DECLINED, "01")
INSUFFICIENT = Decline(
    "card_declined", "insufficient_funds", "Your card has insufficient funds.", "51"
)
LOST = Decline("card_declined", "lost_card", _DECLINED, "41", "do_not_try_again")
STOLEN = Decline("card_declined", "stolen_card", _DECLINED, "43", "do_not_try_again")
EXPIRED = Decline("expired_card", None, "Your card has expired.", "54", "confirm_card_data")
INCORRECT_CVC = Decline(
    "incorrect_cvc", None, "Your card's security code is incorrect.", "N7", "confirm_card_data"
)
PROCESSING_ERROR = Decline(
    "processing_error",
    None,
    "An error occurred while processing your card. Try again in a little bit.",
    "96",
)
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently "
    "or exceeding its amount limit.",
    "65",
)
FRAUDULENT = Decline(
    "card_declined", "fraudulent", _DECLINED, None, "do_not_try_again", blocked=True
)
NEEDS_AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "1A",
)
AUTHENTICATION_NOT_HANDLED = Decline(
    "authentication_required",
    "authentication_not_handled",
    "This payment required an authentication action to complete, but `error_on_requires_action` "
    "was set. When you're ready, you can upgrade your integration to handle actions at "
    "https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.",
    None,
)


def _refusing(number: str, decline: Decline) -> PublishedCard:
    return PublishedCard(number, decline=decline, savable=False)


TOKENS: dict[str, PublishedCard] = {
    "pm_card_visa": PublishedCard("4242424242424242"),
    "pm_card_visa_debit": PublishedCard("4000056655665556", funding="debit"),
    "pm_card_mastercard": PublishedCard("5555555555554444", "mastercard"),
    "pm_card_mastercard_debit": PublishedCard("5200828282828210", "mastercard", "debit"),
    "pm_card_mastercard_prepaid": PublishedCard("5105105105105100", "mastercard", "prepaid"),
    "pm_card_amex": PublishedCard("378282246310005", "amex"),
    "pm_card_discover": PublishedCard("6011111111111117", "discover"),
    "pm_card_visa_chargeDeclined": _refusing("4000000000000002", GENERIC),
    "pm_card_chargeDeclined": _refusing("4000000000000002", GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _refusing("4000000000009995", INSUFFICIENT),
    "pm_card_visa_chargeDeclinedLostCard": _refusing("4000000000009987", LOST),
    "pm_card_visa_chargeDeclinedStolenCard": _refusing("4000000000009979", STOLEN),
    "pm_card_chargeDeclinedExpiredCard": _refusing("4000000000000069", EXPIRED),
    "pm_card_chargeDeclinedIncorrectCvc": _refusing("4000000000000127", INCORRECT_CVC),
    "pm_card_chargeDeclinedProcessingError": _refusing("4000000000000119", PROCESSING_ERROR),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _refusing("4000000000006975", VELOCITY),
    "pm_card_chargeCustomerFail": PublishedCard("4000000000000341", decline=GENERIC),
    "pm_card_authenticationRequiredOnSetup": PublishedCard(
        "4000002500003155", authentication=Authentication.UNTIL_SET_UP
    ),
    "pm_card_authenticationRequired": PublishedCard(
        "4000002760003184", authentication=Authentication.ALWAYS
    ),
    "pm_card_authenticationRequiredSetupForOffSession": PublishedCard(
        "4000003800000446", authentication=Authentication.ON_SESSION
    ),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": PublishedCard(
        "4000008260003178", decline=INSUFFICIENT, authentication=Authentication.ON_SESSION
    ),
    # Charged like any other: no dispute follows in the sandbox.
    "pm_card_createDispute": PublishedCard("4000000000000259"),
    "pm_card_createDisputeProductNotReceived": PublishedCard("4000000000002685"),
    "pm_card_createDisputeInquiry": PublishedCard("4000000000001976"),
    "pm_card_pendingRefund": PublishedCard("4000000000007726", refund=RefundOutcome.PENDS),
    "pm_card_refundFail": PublishedCard("4000000000005126", refund=RefundOutcome.FAILS),
    "pm_card_radarBlock": PublishedCard("4100000000000019", decline=FRAUDULENT, risk="highest"),
    "pm_card_riskLevelHighest": PublishedCard(
        "4000000000004954", decline=FRAUDULENT, risk="highest"
    ),
    "pm_card_riskLevelElevated": PublishedCard("4000000000009235", risk="elevated"),
    "pm_card_bypassPending": PublishedCard("4000000000000077", skips_pending=True),
}
CARDS_BY_NUMBER = {card.number: card for card in TOKENS.values()}


def card_of_token(token: str) -> PublishedCard | None:
    """The card behind `pm_card_visa`, or behind its older spelling `tok_visa`."""
    return TOKENS.get(token.replace("tok_", "pm_card_", 1))
