"""Does what became true at Stripe agree with the charges? Pure.

Stripe's request_history says whether a request was approved; its own list of PaymentIntents says
what is on the linked card. Neither is taken from what we remember sending.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

import msgspec

from app.domain.funding.charges import IntentFacts
from app.domain.funding.states import LIVE_CHARGES, ChargeState
from app.domain.issuing.states import RequestState


class Certainty(StrEnum):
    """How a request's outcome can be known."""

    AGREED = "agreed"
    LOOK_NOW = "look now"
    LOOK_LATER = "look later"


def certainty(
    state: RequestState,
    amount_minor: int,
    charges: Sequence[ChargeState],
    *,
    approved: bool,
    wait_is_over: bool,
    forgotten: bool = False,
    short: bool = False,
) -> Certainty:
    """Say whether a request and its charges agree with Stripe, or Stripe's list must be read.

    While an answer may still be on its way, or a charge's outcome is unknown, the list may not hold
    it yet: it is read only once the wait is over. So it is when we were asked and have `forgotten`
    it, because the database has lost its last commits: there may be charges we know nothing of.
    `short`: the live charge is for less than Stripe approved.
    """
    unclear = forgotten or state is RequestState.DECIDING or ChargeState.UNKNOWN in charges
    if unclear:
        return Certainty.LOOK_NOW if wait_is_over else Certainty.LOOK_LATER
    live = sum(charge in LIVE_CHARGES for charge in charges)
    if live == (1 if approved and amount_minor > 0 else 0) and not (approved and short):
        return Certainty.AGREED
    return Certainty.LOOK_NOW


class Remedy(msgspec.Struct, frozen=True):
    """What must happen so that an approved request has one live charge, and no other has any."""

    undo: list[IntentFacts]
    charge_again: bool
    # Stripe itself does not know yet what becomes of a charge, and does not let it be undone.
    wait: bool = False
    # Live ones for less than Stripe approved: undone only once the whole has been charged.
    replaced: Sequence[IntentFacts] = ()


def remedy(
    *,
    approved: bool,
    amount_minor: int,
    intents: Sequence[IntentFacts],
    short: Collection[str | None] = (),
) -> Remedy:
    """Give the remedy for one request from the PaymentIntents Stripe lists for it.

    `short`: the ids of those that are for less than Stripe approved.
    """
    live = sorted((i for i in intents if i.state in LIVE_CHARGES), key=lambda i: i.attempt)
    wait = any(i.state is ChargeState.UNKNOWN for i in intents)
    if not approved or amount_minor <= 0:
        return Remedy(undo=live, charge_again=False, wait=wait)
    kept = next((i for i in live if i.id not in short), None)
    if kept is None:
        return Remedy(undo=[], charge_again=not wait, wait=wait, replaced=live)
    return Remedy(undo=[i for i in live if i is not kept], charge_again=False, wait=wait)
