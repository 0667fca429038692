"""The last step of the onboarding: the first virtual card, or why there cannot be one yet."""

from collections.abc import Mapping
from typing import Any

import stripe
import structlog

from app.adapters.stripe_review import standing_of
from app.domain.identity.models import Customer
from app.domain.issuing.cards import CardControls
from app.domain.issuing.review import Review, Standing
from app.portal.card_forms import form_of
from app.portal.once import new_once
from app.portal.visits import Visit

log = structlog.get_logger()

REVIEWS: Mapping[Review, tuple[str, str]] = {
    Review.UNDER_REVIEW: (
        "The issuer is looking at your details",
        (
            "Who issues cards has to check who gets them. It mostly takes a minute, sometimes a"
            " day. There is nothing to do: come back here, and open the card once it is through."
        ),
    ),
    Review.WANTS_MORE: (
        "The issuer wants to know more",
        (
            "It cannot let you have a card before it knows the following. Write to us, and we put"
            " it right together."
        ),
    ),
    Review.REJECTED: (
        "The issuer does not let us open cards for you",
        (
            "It has looked at what you told us and said no, and does not tell us more than that."
            " Your linked card is not charged. Write to us if you think that it was mistaken."
        ),
    ),
}
_LACKS = {
    "individual.first_name": "your first name",
    "individual.last_name": "your last name",
    "individual.dob": "your date of birth",
    "individual.verification.document": "a photo of your passport or driving licence",
    "individual.card_issuing.user_terms_acceptance": "that you have accepted its terms",
    "company.tax_id": "a tax number",
}


async def first_card_step(visit: Visit, customer: Customer) -> dict[str, Any]:
    """Give what the step shows: the form, or how far the issuer is."""
    standing = await _standing(visit, customer)
    title, words = REVIEWS.get(standing.review, ("", ""))
    return {
        "review": title,
        "review_words": words,
        "lacks": sorted({_lack(one) for one in standing.lacks}),
        "card_form": form_of(CardControls(), "Everyday"),
        "once": new_once(),
    }


async def _standing(visit: Visit, customer: Customer) -> Standing:
    """Ask the issuer; where it does not answer, let the form say so when it is sent."""
    assert customer.stripe_cardholder_id is not None
    try:
        return await standing_of(visit.parts.stripe.other, customer.stripe_cardholder_id)
    except (stripe.StripeError, OSError):
        log.exception("standing_unanswered")
        return Standing(Review.GOOD)


def _lack(name: str) -> str:
    found = (words for start, words in _LACKS.items() if name.startswith(start))
    return next(found, "something about you that only we can see; write to us")
