"""The form on a card's page that has a merchant use the card, where Stripe is the offline one."""

from uuid import UUID

import msgspec

from app.adapters.played_merchants import COUNTRY, PRESETS
from app.adapters.stripe_test_helpers import Payment
from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR
from app.domain.issuing.models import Card
from app.errors import AppError
from app.money import UnreadableAmount, parse_amount, readable
from app.portal.category_words import category
from app.portal.once import ONCE, new_once, once_id
from app.portal.visits import Form

MERCHANT, AMOUNT = "merchant", "amount"
MERCHANTS = [(one.merchant, f"{one.merchant} \u00b7 {category(one.category)}") for one in PRESETS]


class Unusable(AppError, status=422):
    """What is wanted in a field, in words, and which field that is."""

    def __init__(self, field: str, wanted: str) -> None:
        self.field = field
        super().__init__(wanted)


class Trial(msgspec.Struct, frozen=True):
    """The form as it was typed. With the same number it is the same purchase."""

    merchant: str
    amount: str
    once: str


def new_trial() -> Trial:
    return Trial(PRESETS[0].merchant, PRESETS[0].amount, new_once())


def typed_in(form: Form) -> Trial:
    return Trial(form.text(MERCHANT), form.text(AMOUNT), form.text(ONCE))


def payment_of(trial: Trial, customer_id: UUID, card: Card) -> Payment:
    """Read the form. Raises Unusable."""
    merchant = next((one for one in PRESETS if one.merchant == trial.merchant), None)
    if merchant is None:
        raise Unusable(MERCHANT, "Choose a merchant.")
    try:
        amount_minor = parse_amount(trial.amount)
    except UnreadableAmount:
        raise Unusable(AMOUNT, "Write an amount like 19.99.") from None
    if amount_minor > MAXIMUM_CHARGE_MINOR:
        raise Unusable(AMOUNT, f"No merchant asks for more than {readable(MAXIMUM_CHARGE_MINOR)}.")
    return Payment(
        f"portal-test:{once_id(customer_id, trial.once)}",
        card.stripe_card_id,
        amount_minor,
        card.currency,
        merchant.merchant,
        merchant.category,
        COUNTRY,
    )
