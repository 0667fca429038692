"""What staff do about a merchant's refund that names no purchase: say which one it belongs to."""

from collections.abc import Sequence
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
from app.domain.issuing.unlinked import Candidate, assign, candidates_of, likeliest_first
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
BEYOND = (
    "Where the purchase has less left than {amount}, what is beyond that stays with us,"
    " and somebody must say whose it is."
)
MOST_OPTIONS = 50
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
        return "" if await _could_be_of(session, row) else _nothing_fits(row)

    async def look(self, scene: Scene) -> Told:
        moved: CardTransaction = await scene.found(CardTransaction)
        found = await _could_be_of(scene.session, moved)
        options = await _in_words(scene, moved, found)
        refused = "" if found else _nothing_fits(moved)
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
            effects=_effects(moved, found),
            seen=mark(moved),
            cost="Its share of our fee on the purchase" if came else "Nothing",
            most=amount if came else "",
            fields=(Field("purchase", "Purchase", "choice", hint=HINTS[came], options=options),),
            refused=refused,
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        moved: CardTransaction = await scene.found(CardTransaction)
        found = await _could_be_of(scene.session, moved)
        name = choice_in(form, "purchase", await _in_words(scene, moved, found))
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


async def _could_be_of(session: AsyncSession, moved: CardTransaction) -> list[Candidate]:
    """Give the purchases that a refund may belong to, the likeliest first."""
    if moved.customer_id is None:
        return []
    found = await candidates_of(session, moved)
    return likeliest_first(moved, [one for one in found if one.could_hold(moved.amount_minor)])


async def _in_words(
    scene: Scene, moved: CardTransaction, found: Sequence[Candidate]
) -> Sequence[tuple[str, str]]:
    """Give the first of them as options: when, where, and what it has left."""
    options = []
    for one in found[:MOST_OPTIONS]:
        row = await scene.session.get_one(Authorization, one.purchase_id)
        when = moment(one.captured_at, scene.zone)
        left = readable(one.to_move_minor(moved.amount_minor))
        options.append((row.stripe_authorization_id, f"{when} · {row.merchant_name} · {left}"))
    return options


def _nothing_fits(moved: CardTransaction) -> str:
    return NO_PURCHASE if moved.amount_minor > 0 else NO_REFUND


def _effects(moved: CardTransaction, found: Sequence[Candidate]) -> Sequence[str]:
    """Say what the choice does, also where a purchase has less left than the merchant gave."""
    if moved.amount_minor < 0:
        return TAKEN_BACK
    if all(one.left_minor >= moved.amount_minor for one in found):
        return CAME
    return (*CAME, BEYOND.format(amount=readable(moved.amount_minor)))


UNMATCHED_ACTS: tuple[Act, ...] = (AssignRefund(),)
