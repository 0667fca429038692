"""Why staff does what it does: a code for counting, and a note in words. Every change wants both.

Codes are stored; a code that was used is never given another meaning.
"""

from collections.abc import Collection, Mapping

import msgspec

from app.card_numbers import without_card_numbers
from app.errors import AppError

LONGEST_NOTE = 500
REASONS: Mapping[str, str] = {
    "customer_asked": "The customer asked for it",
    "fraud_suspected": "Fraud is suspected",
    "fraud_cleared": "It was not fraud",
    "card_lost_or_stolen": "The card or its number is lost or stolen",
    "not_received": "Goods or services did not come",
    "duplicate": "Charged twice",
    "wrong_amount": "Charged a wrong amount",
    "our_mistake": "A mistake of ours",
    "goodwill": "Goodwill",
    "uncollectible": "Cannot be collected",
    "hardship": "The customer cannot pay",
    "paid_otherwise": "Paid in another way",
    "policy": "Our rules want it",
    "price_change": "Another price",
    "incident": "Something does not work",
    "incident_over": "It works again",
    "joined": "A new member of the staff",
    "changed_work": "Other work from now on",
    "left": "Left the staff",
    "lost_authenticator": "Lost the authenticator",
    "other": "Another reason, told in the note",
}
"""Every code, in words."""


class ReasonMissing(AppError, status=422):
    """A change says why: with one of the codes, and in words."""


class Reason(msgspec.Struct, frozen=True):
    """Why: the code, and the note."""

    code: str
    note: str


def read_reason(code: str, note: str, among: Collection[str] = tuple(REASONS)) -> Reason:
    """Give the reason that a form holds. Raises ReasonMissing.

    `among`: the codes that the form offers.
    """
    if code not in among or code not in REASONS:
        raise ReasonMissing("Reason: choose one of the list.")
    told = " ".join(note.split())
    if not told or not told.isprintable():
        raise ReasonMissing("Note: say why in a few words; it is kept for good.")
    if len(told) > LONGEST_NOTE:
        raise ReasonMissing(f"Note: at most {LONGEST_NOTE} characters.")
    return Reason(code, without_card_numbers(told))
