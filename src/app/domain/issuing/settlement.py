"""What a purchase has cost, and what each charge must become so that exactly that is paid. Pure.

A PaymentIntent can be captured once, so a hold is taken only when the authorization has left
`pending`; the oldest charge pays first.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.domain.funding.pricing import Price
from app.domain.funding.states import ChargeState
from app.domain.issuing.states import AuthorizationState
from app.money import readable


class LiveCharge(msgspec.Struct, frozen=True):
    """A charge that holds or has taken money. Amounts in minor units."""

    id: UUID
    state: ChargeState
    amount_minor: int
    captured_minor: int
    refunded_minor: int


class Capture(msgspec.Struct, frozen=True):
    """Take this much of a hold; the rest is released."""

    charge_id: UUID
    amount_minor: int


class Cancel(msgspec.Struct, frozen=True):
    """Release a whole hold."""

    charge_id: UUID


class Refund(msgspec.Struct, frozen=True):
    """Give back until this much of what was taken has gone back."""

    charge_id: UUID
    total_minor: int


Action = Capture | Cancel | Refund


class Settlement(msgspec.Struct, frozen=True):
    actions: list[Action]
    # What goes beyond what can be done yet, in words for staff.
    not_handled: str | None = None


def settlement(
    state: AuthorizationState,
    captured_minor: int,
    refunded_minor: int,
    price: Price,
    charges: Sequence[LiveCharge],
) -> Settlement:
    """Give the actions that make the charges pay what merchants took, with our fee on it.

    `captured_minor` and `refunded_minor` are what merchants took and gave back. Charges come oldest
    first. A purchase that is still pending needs nothing yet.
    """
    if state is AuthorizationState.PENDING:
        return Settlement([], _beyond(0, refunded_minor))
    left = captured_minor + price.fee(captured_minor)
    actions: list[Action] = []
    for charge in charges:
        share = min(left, _available(charge))
        left -= share
        action = _towards(charge, share)
        if action is not None:
            actions.append(action)
    return Settlement(actions, _beyond(left, refunded_minor))


def _available(charge: LiveCharge) -> int:
    if charge.state is ChargeState.HELD:
        return charge.amount_minor
    return charge.captured_minor - charge.refunded_minor


def _towards(charge: LiveCharge, share_minor: int) -> Action | None:
    if charge.state is ChargeState.HELD:
        return Capture(charge.id, share_minor) if share_minor else Cancel(charge.id)
    kept = charge.captured_minor - charge.refunded_minor
    if kept > share_minor:
        return Refund(charge.id, charge.captured_minor - share_minor)
    return None


def _beyond(short_minor: int, refunded_minor: int) -> str | None:
    if short_minor:
        return f"merchants took more than was held: {readable(short_minor)} is not collected yet"
    if refunded_minor:
        return f"a merchant gave {readable(refunded_minor)} back: not passed on yet"
    return None


def counted_minor(state: AuthorizationState, amount_minor: int, captured_minor: int) -> int:
    """Give what a purchase uses of the limits: its hold while pending, then what was captured."""
    return (
        max(amount_minor, captured_minor) if state is AuthorizationState.PENDING else captured_minor
    )


def spread(total_minor: int, amounts_minor: Sequence[int]) -> list[int]:
    """Spread a total over requests, oldest first; the last takes what goes beyond them all."""
    shares = []
    for number, amount in enumerate(amounts_minor, start=1):
        last = number == len(amounts_minor)
        share = total_minor if last else min(total_minor, amount)
        shares.append(share)
        total_minor -= share
    return shares
