"""What staff do about debts: they are tried, given up, recovered, or paid outside."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.admin.approvals.money import PAID_OUTSIDE_KIND, WRITE_OFF_KIND
from app.admin.approvals.refunds import settle
from app.admin.forms import text_field
from app.admin.pages.actions.act import (
    Act,
    Done,
    Field,
    FieldProblem,
    Scene,
    Told,
    seen_in,
)
from app.admin.permissions import RECOVER, RETRY, WRITE_OFF
from app.admin.wording import moment, words
from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR, MINIMUM_CHARGE_MINOR
from app.domain.funding.receivables import ask_to_try
from app.domain.funding.refund_models import Receivable
from app.domain.funding.sources import active_sources
from app.domain.funding.states import ReceivableState
from app.domain.identity.approvals import ask, waiting_about
from app.domain.identity.audit import Subject
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.issuing.models import Authorization
from app.domain.marks import check_mark, mark
from app.money import readable

OWED = frozenset({ReceivableState.OPEN, ReceivableState.WRITTEN_OFF})
LONGEST_STATEMENT = 100
STATEMENT = Field(
    "statement",
    "On our bank's statement",
    hint="What our bank's statement calls the payment, so that it is found again.",
)
WAITS = "The same is asked for already, and waits for somebody to approve it."


class DebtAct(Act):
    """What the actions on a debt share: the facts about it."""

    view = "receivables"
    effects: tuple[str, ...]
    begins: ReceivableState

    def offered(self, row: Any) -> bool:
        return row.state is self.begins

    async def look(self, scene: Scene) -> Told:
        debt: Receivable = await scene.found(Receivable)
        customer = await scene.session.get_one(Customer, debt.customer_id)
        purchase = await scene.session.get_one(Authorization, debt.purchase_id)
        right = self.offered(debt)
        return Told(
            what=f"{customer.name} owes {readable(debt.outstanding_minor)}",
            onward=_debt_at(debt),
            facts=(
                ("For", purchase.merchant_name),
                ("State", words(debt.state)),
                ("Since", moment(debt.opened_at, scene.zone)),
                ("Tried", f"{debt.attempts} times"),
                ("The bank's last word", words(debt.decline_code)),
                ("Tried next", moment(debt.next_attempt_at, scene.zone)),
            ),
            effects=self.effects,
            seen=mark(debt),
            cost=self.cost(debt),
            most=readable(debt.outstanding_minor),
            refused=await self.hindrance(scene.session, debt, scene.now)
            if right
            else f"The debt is {words(debt.state)}.",
            approval=self.approval(debt),
        )

    def cost(self, debt: Receivable) -> str:  # noqa: ARG002  one depends on the amount
        return "Stripe's processing fee, when a card pays"

    def approval(self, debt: Receivable) -> str:  # noqa: ARG002  one wants it
        return ""


class CollectDebt(DebtAct):
    slug, title, action = "collect-debt", "Try to collect it now", RETRY
    begins = ReceivableState.OPEN
    done = "The customer's linked cards were tried. What came of it stands below."
    reasons = ("customer_asked", "policy", "other")
    effects = (
        "Every linked card of the customer is tried once, in order, now.",
        "When one pays, the debt is collected, with our fee where that is not paid yet.",
        "When none does, it is tried again later by itself, as the bank advises.",
    )

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        if not row.can_be_charged:
            least, most = readable(MINIMUM_CHARGE_MINOR), readable(MAXIMUM_CHARGE_MINOR)
            return f"A card can be charged with {least} to {most} only."
        if not await active_sources(session, row.customer_id):
            return "The customer has no linked card that could pay."
        return ""

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        debt = await ask_to_try(
            scene.session,
            scene.id,
            actor=scene.actor,
            now=scene.now,
            reason=why.note,
            code=why.code,
            seen=seen_in(form),
        )
        purchase = await scene.session.get_one(Authorization, debt.purchase_id)
        name = purchase.stripe_authorization_id
        return Done(_debt_at(debt), lambda: settle(scene.parts, name))


class RecoverDebt(CollectDebt):
    slug, title, action = "recover-debt", "Recover it", RECOVER
    begins = ReceivableState.WRITTEN_OFF
    effects = (
        "Every linked card of the customer is tried once, in order, now.",
        "When one pays, what was given up as lost comes back: bad debt gets smaller.",
        "When none does, it stays written off.",
    )


class WriteOffDebt(DebtAct):
    slug, title, action, grave = "write-off-debt", "Write it off", WRITE_OFF, True
    begins = ReceivableState.OPEN
    done = "The debt is written off."
    reasons = ("uncollectible", "hardship", "goodwill", "our_mistake", "fraud_suspected", "other")
    effects = (
        "Once approved, the debt is closed as our loss, and its amount is bad debt in the books.",
        "It is not tried any more, and stops the customer's cards no longer.",
        "It can still be recovered later.",
    )

    def cost(self, debt: Receivable) -> str:
        return f"{readable(debt.outstanding_minor)}, as bad debt"

    def approval(self, debt: Receivable) -> str:  # noqa: ARG002  whatever the amount
        return "Another member who may approve it has to agree within 24 hours."

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        return await _asked_before(session, row)

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        return await _ask(scene, form, why, WRITE_OFF_KIND, {})


class DebtPaidOutside(DebtAct):
    slug, title = "debt-paid-outside", "Note that it was paid outside Stripe"
    action = RECOVER
    done = "The debt is paid."
    reasons = ("paid_otherwise", "our_mistake", "other")
    effects = (
        "Once approved, the debt is closed as paid: the money is on 1030 Bank in the books.",
        "Where it was written off, bad debt gets smaller. Our fee on it is not asked for.",
        "It is not tried any more, and stops the customer's cards no longer.",
        "What the merchant gives back of it later goes back to the customer by hand.",
    )

    def offered(self, row: Any) -> bool:
        return row.state in OWED

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        return await _asked_before(session, row)

    def cost(self, debt: Receivable) -> str:  # noqa: ARG002  always the same
        return "Our fee on it"

    def approval(self, debt: Receivable) -> str:  # noqa: ARG002  whatever the amount
        return "Another member who may approve it has to agree within 24 hours."

    async def look(self, scene: Scene) -> Told:
        told = await super().look(scene)
        return msgspec.structs.replace(told, fields=(STATEMENT,))

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        told = {"statement": statement_in(form)}
        return await _ask(scene, form, why, PAID_OUTSIDE_KIND, told)


def statement_in(form: FormData) -> str:
    """Read what our bank's statement calls a payment. Raises FieldProblem."""
    statement = " ".join(text_field(form, "statement").split())
    if not statement or not statement.isprintable() or len(statement) > LONGEST_STATEMENT:
        raise FieldProblem("statement: what the bank calls it, in up to 100 characters.")
    return statement


async def _ask(scene: Scene, form: FormData, why: Reason, kind: str, more: dict[str, Any]) -> Done:
    """Ask for what another member has to approve about a debt."""
    debt: Receivable = await scene.found(Receivable)
    check_mark(seen_in(form), debt)
    customer = await scene.session.get_one(Customer, debt.customer_id)
    told = {"customer": customer.name, "outstanding_minor": debt.outstanding_minor}
    wanted = await ask(
        scene.session,
        kind,
        subject=Subject("receivable", str(debt.id)),
        arguments=told | more,
        reason=why,
        by=scene.actor,
        now=datetime.now(UTC),
    )
    return Done(f"/admin/approval/{wanted.id}", asked=True)


async def _asked_before(session: AsyncSession, debt: Receivable) -> str:
    """Refuse where something about the debt waits for approval already."""
    about = Subject("receivable", str(debt.id))
    return WAITS if await waiting_about(session, about, datetime.now(UTC)) else ""


def _debt_at(debt: Receivable) -> str:
    return f"/admin/receivables/details/{debt.id}"


MONEY_ACTS: tuple[Act, ...] = (
    CollectDebt(),
    RecoverDebt(),
    WriteOffDebt(),
    DebtPaidOutside(),
)
