"""The letter about a linked card."""

from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import Letter


def card_linked(brand: str, last4: str, address: str) -> Letter:
    """Tell of a card that was linked, so that nobody links one behind its owner's back."""
    return Letter(
        MailKind.CARD_LINKED,
        f"A card ending in {last4} was linked",
        f"The {brand} card ending in {last4} was linked to your account just now, from {address}."
        " Purchases with your virtual cards can be charged to it.\n\nIf this was you, there is"
        " nothing to do. If it was not, remove the card and choose a new password at"
        " once:\n\n{site}/funding\n{site}/forgot\n\nProxycard\n{site}/\n",
    )
