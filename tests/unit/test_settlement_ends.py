"""Settling any history of a purchase always ends, and ends with every cent where it belongs."""

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.domain.funding.states import (
    ChargeState,
    ReceivableState,
    RefundPurpose,
)
from app.domain.issuing.position import Debt, GivenBack, PaidCharge, Position
from app.domain.issuing.settlement import (
    Cancel,
    Capture,
    ChargeMore,
    GiveBack,
    LowerDebt,
    OpenDebt,
    Step,
    Withdraw,
    next_step,
)
from app.domain.issuing.states import AuthorizationState
from tests.unit.test_settlement import (
    CLOSED,
    EXPIRED,
    REFUND_REVERSED,
    REVERSED,
    STANDARD,
    A,
    at,
    held,
    taken,
)


class World(msgspec.Struct):
    """Follows the steps, as Stripe and our records do.

    `pays`: the linked card does. `sends_back`: its bank does with each refund of a merchant's.
    """

    position: Position
    pays: bool
    sends_back: bool = False

    def run(self) -> int:
        for steps in range(60):
            step = next_step(self.position)
            if step is None:
                return steps
            self.take(step)
        raise AssertionError(f"it never ends: {self.position}")

    def take(self, step: Step) -> None:
        match step:
            case Capture(name, amount, principal):
                self.charged(name, taken_of(amount, principal))
            case Cancel(name):
                self.charged(name, None)
            case ChargeMore(purpose, amount, principal):
                if not self.pays:
                    self.take(OpenDebt(principal, refund_reversed=purpose is REFUND_REVERSED))
                    return
                name = UUID(int=100 + len(self.position.charges))
                regains = purpose is REFUND_REVERSED
                new = msgspec.structs.replace(taken(name, amount, principal), regains=regains)
                self.set(charges=[*self.position.charges, new])
            case OpenDebt(amount, refund_reversed):
                name = UUID(int=500 + len(self.position.debts))
                debt = Debt(name, ReceivableState.OPEN, amount, refund_reversed=refund_reversed)
                self.set(debts=[*self.position.debts, debt])
            case LowerDebt(name, by):
                self.set(debts=[lower(debt, name, by) for debt in self.position.debts])
            case GiveBack(refund):
                name = UUID(int=900 + len(self.position.refunds))
                given = msgspec.structs.replace(refund, id=name)
                if self.sends_back and given.purpose is RefundPurpose.MERCHANT_REFUND:
                    given = owed(given, given.principal_minor, given.returned_fee_minor)
                self.set(refunds=[*self.position.refunds, given])
            case Withdraw(name, principal, fee):
                self.set(refunds=[less(one, name, principal, fee) for one in self.position.refunds])

    def charged(self, name: UUID, become: PaidCharge | None) -> None:
        charges = [
            msgspec.structs.replace(
                one,
                state=ChargeState.CAPTURED,
                captured_minor=become.captured_minor,
                captured_principal_minor=become.captured_principal_minor,
            )
            if one.id == name and become
            else one
            for one in self.position.charges
            if one.id != name or become
        ]
        self.set(charges=charges)

    def set(self, **changes: object) -> None:
        self.position = msgspec.structs.replace(self.position, **changes)


def taken_of(amount: int, principal: int) -> PaidCharge:
    return taken(A, amount, principal)


def lower(debt: Debt, name: UUID, by: int) -> Debt:
    if debt.id != name:
        return debt
    lowered = debt.lowered_minor + by
    state = ReceivableState.SETTLED if lowered == debt.amount_minor else debt.state
    return msgspec.structs.replace(debt, lowered_minor=lowered, state=state)


def owed(refund: GivenBack, principal: int, fee: int) -> GivenBack:
    return msgspec.structs.replace(refund, owed_principal_minor=principal, owed_fee_minor=fee)


def less(refund: GivenBack, name: UUID, by: int, fee_by: int) -> GivenBack:
    if refund.id != name:
        return refund
    principal, fee = refund.owed_principal_minor - by, refund.owed_fee_minor - fee_by
    assert by + fee_by > 0
    assert min(by, fee_by, principal, fee) >= 0
    rest = msgspec.structs.replace(refund, principal_minor=principal, returned_fee_minor=fee)
    return owed(rest, principal, fee)


amounts = st.integers(0, 60_000)
# An increment pays the difference of two fees, or a fee by another plan: less than its own, too.
charges_of = st.lists(
    st.tuples(
        st.sampled_from([held, taken]),
        st.integers(1, 50_000),
        st.sampled_from([0, 0, 1, 50]) | st.integers(0, 3_000),
    ),
    max_size=3,
).map(
    lambda rows: [
        kind(UUID(int=number), principal + max(STANDARD.fee(principal) - less, 0), principal)
        for number, (kind, principal, less) in enumerate(rows, start=1)
    ]
)


@given(
    state=st.sampled_from([CLOSED, REVERSED, EXPIRED]),
    history=st.lists(st.tuples(amounts, amounts), min_size=1, max_size=4),
    charges=charges_of,
    pays=st.booleans(),
    sends_back=st.booleans(),
)
def test_it_always_ends_with_every_cent_where_it_belongs(
    state: AuthorizationState,
    history: list[tuple[int, int]],
    charges: list[PaidCharge],
    *,
    pays: bool,
    sends_back: bool,
) -> None:
    world = World(at(state, 0, *charges), pays, sends_back)
    captured = 0
    for more, refunded in history:
        captured += more
        world.set(captured_minor=captured, refunded_minor=min(refunded, captured))
        world.run()
        clearing(world.position)


def clearing(end: Position) -> None:
    """Customer funds and deferred fee are at zero, as docs/ledger.md has them."""
    principal_in = sum(charge.captured_principal_minor for charge in end.charges)
    principal_out = sum(refund.principal_minor for refund in end.refunds)
    owed = sum(debt.outstanding_minor for debt in end.debts)
    assert principal_in - principal_out + owed == end.captured_minor - end.refunded_minor
    fee_in = sum(
        c.captured_minor - c.captured_principal_minor for c in end.charges if not c.regains
    )
    deferred_out = sum(refund.deferred_fee_minor for refund in end.refunds)
    assert fee_in - deferred_out == end.earned_minor
    assert all(end.refundable(charge) >= 0 for charge in end.charges)
