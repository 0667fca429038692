"""What staff paid to customers from our bank account, because no linked card can have it."""

from abc import abstractmethod
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.admin.approvals.paid_back import DEBT_PAID_BACK_KIND, REFUND_PAID_KIND
from app.admin.pages.actions.act import Act, Done, Scene, Told, seen_in
from app.admin.pages.actions.money import STATEMENT, WAITS, statement_in
from app.admin.permissions import RECOVER, RESOLVE
from app.admin.wording import words
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.identity.approvals import ask, waiting_about
from app.domain.identity.audit import Subject
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.issuing.models import Authorization
from app.domain.marks import check_mark, mark
from app.money import readable


class PaidToCustomer(Act):
    """What both share: a row of which something is owed to its customer, and the facts about it."""

    title = "Note that it was paid to the customer"
    done = "It is noted as paid to the customer."
    reasons = ("paid_otherwise", "our_mistake", "other")
    table: type[Refund | Receivable]
    kind: str
    effects: tuple[str, ...]

    @abstractmethod
    def owed_minor(self, row: Any) -> int:
        """Give what is owed to the customer of it."""

    def offered(self, row: Any) -> bool:
        return self.owed_minor(row) > 0

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        return WAITS if await waiting_about(session, _about(row), datetime.now(UTC)) else ""

    async def look(self, scene: Scene) -> Told:
        row = await scene.found(self.table)
        customer = await scene.session.get_one(Customer, row.customer_id)
        purchase = await scene.session.get_one(Authorization, row.purchase_id)
        owed = readable(self.owed_minor(row))
        refused = "Nothing of it is owed to the customer."
        return Told(
            what=f"{customer.name} is owed {owed}",
            onward=f"/admin/{self.view}/details/{row.id}",
            facts=(
                ("For", purchase.merchant_name),
                ("State", words(row.state)),
                ("Of", readable(row.amount_minor)),
            ),
            effects=self.effects,
            seen=mark(row),
            cost="Nothing but what was paid",
            most=owed,
            fields=(STATEMENT,),
            refused=await self.hindrance(scene.session, row, scene.now)
            if self.offered(row)
            else refused,
            approval="Another member who may approve it has to agree within 24 hours.",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        statement = statement_in(form)
        row = await scene.found(self.table)
        await scene.session.refresh(row, with_for_update=True)
        check_mark(seen_in(form), row)
        customer = await scene.session.get_one(Customer, row.customer_id)
        wanted = await ask(
            scene.session,
            self.kind,
            subject=_about(row),
            arguments={
                "customer": customer.name,
                "amount_minor": self.owed_minor(row),
                "purchase": str(row.purchase_id),
                "statement": statement,
            },
            reason=why,
            by=scene.actor,
            now=datetime.now(UTC),
        )
        return Done(f"/admin/approval/{wanted.id}", asked=True)


class RefundPaidOutside(PaidToCustomer):
    """A refund that the bank sent back."""

    slug, view, action = "refund-paid-outside", "refunds", RESOLVE
    table, kind = Refund, REFUND_PAID_KIND
    effects = (
        "Pay it first, from our bank account: this only notes it.",
        "Once approved, it is owed no longer: the money left 1030 Bank in the books.",
        "Should the merchant take its refund back later, it is charged to the customer again.",
    )

    def owed_minor(self, row: Any) -> int:
        owed: int = row.to_pay_minor
        return owed


class DebtPaidBack(PaidToCustomer):
    """What merchants gave back of a debt that was paid to our bank account."""

    slug, view, action = "debt-paid-back", "receivables", RECOVER
    table, kind = Receivable, DEBT_PAID_BACK_KIND
    effects = (
        "Pay it first, from our bank account: this only notes it.",
        "Once approved, it is owed no longer: the money left 1030 Bank in the books.",
    )

    def owed_minor(self, row: Any) -> int:
        owed: int = row.to_pay_back_minor
        return owed


def _about(row: Refund | Receivable) -> Subject:
    return Subject(row.__tablename__, str(row.id))


PAID_BACK_ACTS: tuple[Act, ...] = (RefundPaidOutside(), DebtPaidBack())
