"""What paying an open debt takes: the merchant's part, and our fee on it. Minor units.

Every page and letter that names a debt names what is read here, which is what will be charged.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.receivables import open_debts
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import ReceivableState
from app.domain.issuing.models import Authorization
from app.domain.issuing.position import Position
from app.domain.issuing.settlement import ChargeMore, collection_of, fee_on_owed
from app.domain.issuing.standing import FREE, debt_of, standing_of, terms_agreed
from app.money import readable

TOO_MUCH = (
    "What is too much for a card to be charged with is paid to our bank account: write to us."
)


class Due(msgspec.Struct, frozen=True):
    """An open debt, and the charge that would pay it now.

    None where it is too little for one, or too much, perhaps only with our fee on it.
    """

    debt: Receivable
    step: ChargeMore | None

    @property
    def is_too_much(self) -> bool:
        return self.step is None and not self.debt.is_trifle

    @property
    def principal_minor(self) -> int:
        return self.debt.outstanding_minor

    @property
    def fee_minor(self) -> int:
        return self.step.amount_minor - self.step.principal_minor if self.step else 0

    @property
    def amount_minor(self) -> int:
        return self.principal_minor + self.fee_minor

    @property
    def parts(self) -> str:
        """Give what the amount is made of, in words; nothing where there is no fee in it."""
        return parts_of(self.principal_minor, self.fee_minor)


class Dues(msgspec.Struct, frozen=True):
    """Open debts, oldest first, and what those cost together that are more than trifles.

    `fee_minor` is less than the sum of theirs where several are of one purchase: each names the
    fee as if it were paid first, and the fixed part of the fee is due once a purchase.
    """

    each: Sequence[Due] = ()
    fee_minor: int = 0

    @property
    def payable(self) -> list[Due]:
        return [due for due in self.each if due.step is not None]

    @property
    def asked(self) -> list[Due]:
        """What customers are asked to pay: no trifles."""
        return [due for due in self.each if due.step is not None or due.is_too_much]

    @property
    def advice(self) -> str:
        """Say how what no card can pay is paid; nothing where a card can pay all."""
        return TOO_MUCH if len(self.payable) < len(self.asked) else ""

    @property
    def trifles_minor(self) -> int:
        """What is open and too little for a card to be charged with."""
        return sum(due.principal_minor for due in self.each) - self.principal_minor

    @property
    def open_minor(self) -> int:
        return self.total_minor + self.trifles_minor

    @property
    def principal_minor(self) -> int:
        return sum(due.principal_minor for due in self.asked)

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.fee_minor

    @property
    def parts(self) -> str:
        """Give what the total is made of, in words; nothing where there is no fee in it."""
        several = len({due.debt.purchase_id for due in self.asked}) > 1
        whose = "merchants" if several else "the merchant"
        return parts_of(self.principal_minor, self.fee_minor, whose)

    @property
    def is_less_together(self) -> bool:
        return self.fee_minor < sum(due.fee_minor for due in self.payable)


def parts_of(principal_minor: int, fee_minor: int, whose: str = "the merchant") -> str:
    """Give the two parts of a sum in words; nothing where there is no fee in it."""
    if not fee_minor:
        return ""
    return f"${readable(principal_minor)} for {whose} and ${readable(fee_minor)} our fee"


def dues_at(at: Position, debts: Iterable[Receivable], now: datetime) -> Dues:
    """Tell what paying the open debts of one purchase takes, from where it stands. Pure."""
    found = [Due(debt, _step(at, debt, now)) for debt in debts if _is_open(debt)]
    owed = sum(one.principal_minor for one in found if one.step and not one.debt.refund_reversed)
    return Dues(found, fee_on_owed(at, owed) if owed else 0)


async def dues_of(session: AsyncSession, customer_id: UUID, now: datetime) -> Dues:
    """Tell what paying all that a customer owes takes. `now` is business time."""
    by_purchase: dict[UUID, list[Receivable]] = defaultdict(list)
    for debt in await open_debts(session, customer_id):
        by_purchase[debt.purchase_id].append(debt)
    found = []
    for purchase_id, debts in by_purchase.items():
        purchase = await session.get_one(Authorization, purchase_id)
        found.append(await dues_on(session, purchase, debts, now))
    together = [due for dues in found for due in dues.each]
    together.sort(key=lambda due: (due.debt.opened_at, due.debt.id))
    return Dues(together, sum(dues.fee_minor for dues in found))


async def dues_on(
    session: AsyncSession, purchase: Authorization, debts: Sequence[Receivable], now: datetime
) -> Dues:
    """Tell what paying these debts of a purchase takes. `now` is business time."""
    if not any(_is_open(debt) and debt.can_be_charged for debt in debts):
        # Where the purchase stands changes nothing about these: it need not be read.
        return Dues([Due(debt, None) for debt in debts if _is_open(debt)])
    terms = await terms_agreed(session, purchase) or FREE
    standing = await standing_of(session, purchase.id, purchase.state, terms, now)
    return dues_at(standing.position, debts, now)


def _is_open(debt: Receivable) -> bool:
    return debt.state is ReceivableState.OPEN


def _step(at: Position, debt: Receivable, now: datetime) -> ChargeMore | None:
    return collection_of(at, debt_of(debt, now)) if debt.can_be_charged else None
