"""The next thing to do so that a purchase is paid exactly. Pure.

A PaymentIntent can be captured once, so a hold is taken only when the authorization has left
`pending`, or before it lapses; the oldest charge pays first, and the newest is given back first.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR, MINIMUM_CHARGE_MINOR
from app.domain.funding.states import (
    ChargePurpose,
    ChargeState,
    ReceivableState,
    RefundPurpose,
)
from app.domain.issuing.position import STANDING, Debt, GivenBack, PaidCharge, Position
from app.domain.issuing.states import AuthorizationState


class Capture(msgspec.Struct, frozen=True):
    """Take this much of a hold, of which this much is the merchant's; the rest is released."""

    charge_id: UUID
    amount_minor: int
    principal_minor: int


class Cancel(msgspec.Struct, frozen=True):
    """Release a whole hold."""

    charge_id: UUID


class ChargeMore(msgspec.Struct, frozen=True):
    """Put this much more on a linked card. `debt_id`: it collects this debt."""

    purpose: ChargePurpose
    amount_minor: int
    principal_minor: int
    debt_id: UUID | None = None


class OpenDebt(msgspec.Struct, frozen=True):
    """Note that the customer owes this much."""

    amount_minor: int
    refund_reversed: bool = False


class LowerDebt(msgspec.Struct, frozen=True):
    """Set off what a merchant gave back against a debt."""

    debt_id: UUID
    by_minor: int


class GiveBack(msgspec.Struct, frozen=True):
    """Refund a charge."""

    refund: GivenBack


class Cover(msgspec.Struct, frozen=True):
    """Keep what a merchant gave back, because the customer had it from us; below zero: undo it."""

    refund_id: UUID
    by_minor: int


class Withdraw(msgspec.Struct, frozen=True):
    """Owe less of a refund that the bank sent back, because its merchant took it back."""

    refund_id: UUID
    principal_minor: int
    fee_minor: int


Step = Capture | Cancel | ChargeMore | OpenDebt | LowerDebt | GiveBack | Cover | Withdraw


def next_step(at: Position) -> Step | None:
    """Give what to do next; None when the purchase is where it belongs, or nothing can be done."""
    if at.state is AuthorizationState.PENDING:
        return _taken_before_it_lapses(at.charges)
    return (
        _release_or_take(at)
        or _collect_the_difference(at)
        or _give_back_what_was_too_much(at)
        or _follow_merchant_refunds(at)
        or _collect_debts(at.debts, at)
    )


def _taken_before_it_lapses(charges: Sequence[PaidCharge]) -> Step | None:
    for charge in charges:
        if charge.state is ChargeState.HELD and charge.lapses:
            return Capture(charge.id, charge.amount_minor, charge.principal_minor)
    return None


def _release_or_take(at: Position) -> Step | None:
    if not at.held:
        return None
    oldest = at.held[0]
    due = at.due_minor + max(at.fee_due_minor, 0) if at.due_minor > 0 else 0
    take = min(due, oldest.amount_minor)
    if take == 0:
        return Cancel(oldest.id)
    return Capture(oldest.id, take, at.principal_of(take))


def _collect_the_difference(at: Position) -> Step | None:
    if at.due_minor <= 0:
        return None
    amount = at.due_minor + max(at.fee_due_minor, 0)
    if not MINIMUM_CHARGE_MINOR <= amount <= MAXIMUM_CHARGE_MINOR:
        return OpenDebt(at.due_minor)
    return ChargeMore(ChargePurpose.DIFFERENCE, amount, at.due_minor)


def _give_back_what_was_too_much(at: Position) -> Step | None:
    # No fee that is due is kept of a merchant's part: nothing in the books makes one of the other.
    too_much = max(-at.due_minor, 0) + max(-at.fee_due_minor, 0)
    if at.due_minor > 0 or too_much == 0:
        return None
    charge = _newest_refundable(at)
    if charge is None:
        return None
    amount = min(too_much, at.refundable(charge))
    principal = min(amount, -at.due_minor)
    refund = GivenBack(charge.id, RefundPurpose.UNEARNED, principal, amount - principal)
    return GiveBack(refund)


def _follow_merchant_refunds(at: Position) -> Step | None:
    """Pass on what merchants gave back, or take it again where they took it back."""
    missing = at.to_pass_on_minor - at.passed_on_minor - at.covered_minor
    if missing < 0:
        too_much = -missing
        return _withdraw(at, too_much) or _uncover(at, too_much) or _take_again(at, too_much)
    return _lower_debts(at) or _cover(at, missing) or _pass_on(at, missing)


def _withdraw(at: Position, too_much_minor: int) -> Step | None:
    """What the bank sent back, the customer never had: it is owed no longer, the newest first."""
    fee = max(at.fee_passed_on_minor - at.fee_to_pass_on_minor, 0)
    failed = [(one, one.id) for one in reversed(at.failed_refunds) if one.id is not None]
    newest = next((one for one in failed if one[0].owed_principal_minor > 0), None)
    if newest is None:
        return None
    refund, name = newest
    # The newest may be too small for the fee: the rest of it is a part of others.
    rest = fee - refund.owed_fee_minor
    for other, other_id in failed:
        by = min(rest, other.owed_fee_minor)
        if other_id != name and by > 0:
            return Withdraw(other_id, 0, by)
    principal = min(too_much_minor, refund.owed_principal_minor)
    return Withdraw(name, principal, min(fee, refund.owed_fee_minor))


def _cover(at: Position, missing_minor: int) -> Step | None:
    """Set a merchant's refund against what staff gave the customer before it came."""
    for refund in at.goodwill:
        by = min(missing_minor, refund.principal_minor - refund.covered_minor)
        if by > 0 and refund.id is not None:
            return Cover(refund.id, by)
    return None


def _uncover(at: Position, too_much_minor: int) -> Step | None:
    """A merchant took its refund back: what it covered is at our cost again."""
    for refund in at.goodwill:
        by = min(too_much_minor, refund.covered_minor)
        if by > 0 and refund.id is not None:
            return Cover(refund.id, -by)
    return None


def _take_again(at: Position, principal_minor: int) -> Step:
    fee = max(at.fee_passed_on_minor - at.fee_to_pass_on_minor, 0)
    amount = principal_minor + fee
    if not MINIMUM_CHARGE_MINOR <= amount <= MAXIMUM_CHARGE_MINOR:
        return OpenDebt(principal_minor, refund_reversed=True)
    return ChargeMore(ChargePurpose.REFUND_REVERSED, amount, principal_minor)


def _lower_debts(at: Position) -> Step | None:
    spared = sum(debt.lowered_minor for debt in at.debts if not debt.refund_reversed)
    room = at.given_back_minor - spared - at.passed_on_minor - at.covered_minor
    beyond_cards = at.given_back_minor - spared - at.funded_minor
    # What was given up as lost comes late, and last what was paid where no card can have it back.
    for debt in _standing(at.debts):
        outside = debt.state is ReceivableState.PAID_OUTSIDE and not debt.refund_reversed
        by = min(room, beyond_cards if outside else room, debt.outstanding_minor)
        if by > 0:
            return LowerDebt(debt.id, by)
    return None


def _standing(debts: Sequence[Debt]) -> list[Debt]:
    found = [debt for debt in debts if debt.state in STANDING]
    return sorted(found, key=lambda debt: STANDING.index(debt.state))


def _pass_on(at: Position, missing_minor: int) -> Step | None:
    charge = _newest_refundable(at)
    # A charge may be too small for the fee on top: the rest goes back to the one before it.
    given = sum(refund.returned_fee_minor for refund in at.goodwill)
    fee = max(at.fee_to_pass_on_minor - at.fee_passed_on_minor - given, 0)
    if missing_minor + fee <= 0 or charge is None:
        return None
    amount = min(missing_minor + fee, at.refundable(charge))
    principal = min(missing_minor, amount)
    refund = GivenBack(
        charge.id,
        RefundPurpose.MERCHANT_REFUND,
        principal,
        returned_fee_minor=amount - principal,
    )
    return GiveBack(refund)


def _collect_debts(debts: Sequence[Debt], at: Position) -> Step | None:
    due = (collection_of(at, debt) for debt in debts if debt.due)
    return next((step for step in due if step is not None), None)


def collection_of(at: Position, debt: Debt) -> ChargeMore | None:
    """Give the charge that pays a debt, with our fee; None where no card can be charged with it."""
    owed = debt.outstanding_minor
    if debt.state not in STANDING or owed <= 0:
        return None
    fee = 0 if debt.refund_reversed else fee_on_owed(at, owed)
    amount = owed + fee
    if not MINIMUM_CHARGE_MINOR <= amount <= MAXIMUM_CHARGE_MINOR:
        return None
    return ChargeMore(ChargePurpose.COLLECTION, amount, owed, debt.id)


def fee_on_owed(at: Position, owed_minor: int) -> int:
    """Give the fee that is due with a debt: on all captures, less what is paid of it."""
    return max(at.price.fee(at.funded_minor + owed_minor) - at.fee_paid_minor, 0)


def _newest_refundable(at: Position) -> PaidCharge | None:
    return next((charge for charge in reversed(at.charges) if at.refundable(charge) > 0), None)


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
