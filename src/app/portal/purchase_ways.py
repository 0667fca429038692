"""Where the step that a declined purchase needs is taken: pages of the card, of linked cards."""

from collections.abc import Iterator

import msgspec

from app.domain.issuing.models import Card
from app.domain.issuing.remedies import Remedy, Step
from app.domain.issuing.states import CardState


class Way(msgspec.Struct, frozen=True):
    """A way on. `form`: it is done by a press of the button, and not on the next page."""

    href: str
    title: str
    form: bool = False


_ELSEWHERE = {
    Step.NEW_CARD: Way("/cards/new", "Open a card"),
    Step.LINK: Way("/funding/link", "Link a card"),
    Step.SOURCES: Way("/funding", "To your linked cards"),
    Step.DEBT: Way("/funding", "Pay what is open"),
    Step.IDENTITY: Way("/onboarding", "Complete your details"),
}


def ways_of(remedy: Remedy, card: Card | None) -> list[Way]:
    """Give the ways on from a declined purchase with this card."""
    there = _ELSEWHERE.get(remedy.step)
    if there is not None:
        return [there]
    return list(_at_card(remedy.step, card)) if card is not None else []


def _at_card(step: Step, card: Card) -> Iterator[Way]:
    here = f"/cards/{card.id}"
    if card.state is CardState.CLOSED:
        yield _ELSEWHERE[Step.NEW_CARD]
    elif step is Step.LIMITS:
        yield Way(f"{here}/limits", "Change the limits")
    elif step is Step.UNFREEZE:
        if card.state is CardState.FROZEN:
            yield Way(f"{here}/unfreeze", "Unfreeze the card", form=True)
    elif step in (Step.SETTINGS, Step.ALLOW_ONCE):
        yield Way(here, "To the card")
    elif step is Step.CONFIRM:
        yield Way(here, "It was not me: to the card")
