"""What staff do about a merchant's refund that names no purchase: say which one it belongs to."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.admin.approvals.refunds import settle
from app.admin.pages.actions.act import Act, Done, Field, Scene, Told, choice_in, seen_in
from app.admin.permissions import RESOLVE
from app.admin.wording import moment
from app.domain.identity.reasons import Reason
from app.domain.issuing.models import Authorization, CardTransaction
from app.domain.issuing.unlinked import Candidate, assign, candidates_of
from app.domain.marks import mark
from app.money import readable

NO_PURCHASE = "The customer has no purchase that it could belong to."
NO_REFUND = (
    "No purchase of the customer was given so much back."
    " Say first which purchase the refund belongs to that is taken back here."
)
CAME = (
    "The refund becomes a part of the purchase.",
    "It goes on to the customer's linked card, with its share of our fee.",
    "It cannot be given to another purchase afterwards.",
)
TAKEN_BACK = (
    "The refund of the purchase counts for so much less.",
    "The customer's linked card is charged that again, with its share of our fee.",
    "It cannot be given to another purchase afterwards.",
)
HINTS = {
    True: "Of this customer, with what merchants took and have not given back.",
    False: "Of this customer, with what merchants gave back.",
}


class AssignRefund(Act):
    """A merchant's refund that names no purchase, or what takes one back, is given a purchase."""

    slug, title = "assign-refund", "Say which purchase it belongs to"
    view, action = "refunds", RESOLVE
    on = ("transactions",)
    done = "The refund belongs to this purchase, which is being settled."
    reasons = ("customer_asked", "our_mistake", "other")

    def offered(self, row: Any) -> bool:
        return bool(row.unmatched) and row.authorization_id is None

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        if await _could_be_of(session, row):
            return ""
        return NO_PURCHASE if row.amount_minor > 0 else NO_REFUND

    async def look(self, scene: Scene) -> Told:
        moved: CardTransaction = await scene.found(CardTransaction)
        options = await _purchases(scene, moved)
        refused = await self.hindrance(scene.session, moved, scene.now)
        if not self.offered(moved):
            refused = "The refund belongs to a purchase already."
        came = moved.amount_minor > 0
        amount = readable(abs(moved.amount_minor))
        return Told(
            what=f"Refund of {amount} by {moved.merchant_name}{'' if came else ', taken back'}",
            onward=f"/admin/transactions/details/{moved.id}",
            facts=(
                ("Came", moment(moved.occurred_at, scene.zone)),
                ("Stripe's id", moved.stripe_transaction_id),
            ),
            effects=CAME if came else TAKEN_BACK,
            seen=mark(moved),
            cost="Its share of our fee on the purchase" if came else "Nothing",
            most=amount if came else "",
            fields=(Field("purchase", "Purchase", "choice", hint=HINTS[came], options=options),),
            refused=refused,
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        moved: CardTransaction = await scene.found(CardTransaction)
        name = choice_in(form, "purchase", await _purchases(scene, moved))
        done = await assign(
            scene.session,
            moved.stripe_transaction_id,
            name,
            actor=scene.actor,
            reason=why.note,
            code=why.code,
            seen=seen_in(form),
        )
        onward = f"/admin/purchase/{done.authorization_id}"
        return Done(onward, lambda: settle(scene.parts, name))


async def _purchases(scene: Scene, moved: CardTransaction) -> tuple[tuple[str, str], ...]:
    """Give the purchases that a refund may belong to, the likeliest first."""
    found = await _could_be_of(scene.session, moved)
    came, amount = moved.amount_minor > 0, abs(moved.amount_minor)
    amounts = {one.purchase_id: one.left_minor if came else one.given_back_minor for one in found}
    found.sort(key=lambda one: (amounts[one.purchase_id] != amount, not one.same_card))
    rows = [await scene.session.get_one(Authorization, one.purchase_id) for one in found[:50]]
    return tuple(
        (
            row.stripe_authorization_id,
            _in_words(row, amounts[row.id], moment(one.captured_at, scene.zone)),
        )
        for one, row in zip(found, rows, strict=False)
    )


async def _could_be_of(session: AsyncSession, moved: CardTransaction) -> list[Candidate]:
    if moved.customer_id is None:
        return []
    found = await candidates_of(session, moved)
    return [one for one in found if one.could_hold(moved.amount_minor)]


def _in_words(purchase: Authorization, left_minor: int, when: str) -> str:
    return f"{when} · {purchase.merchant_name} · {readable(left_minor)}"


UNMATCHED_ACTS: tuple[Act, ...] = (AssignRefund(),)
