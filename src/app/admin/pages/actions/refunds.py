"""A refund that staff give on their own, up to a limit; above it another member has to approve."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.admin.approvals.refunds import REFUND_KIND, settle
from app.admin.pages.actions.act import Act, Done, Field, Scene, Told, choice_in, money_in, seen_in
from app.admin.permissions import REFUND
from app.admin.wording import moment, words
from app.domain.identity.approvals import AskedAlready, ask, waiting_about
from app.domain.identity.audit import Subject
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.issuing.goodwill import (
    Most,
    Moved,
    give_goodwill,
    most_of,
    moved_of,
    wait_until_free,
)
from app.domain.issuing.models import Authorization
from app.domain.issuing.states import AuthorizationState
from app.domain.marks import STALE, MovedOn
from app.money import readable

FEE = (("yes", "With its share of our fee"), ("no", "Without our fee"))
ONLY_FEE = (("yes", "All of it that is left"),)
WAITS = "A refund of it is asked for already, and waits for somebody to approve it."


class RefundPurchase(Act):
    slug, title, view, action = "refund-purchase", "Refund it", "purchases", REFUND
    done = "The refund is on its way to the customer's linked card."
    reasons = (
        *("customer_asked", "not_received", "duplicate", "wrong_amount", "our_mistake"),
        *("goodwill", "fraud_suspected", "other"),
    )

    def offered(self, row: Any) -> bool:
        return row.state is not AuthorizationState.PENDING and row.customer_id is not None

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:
        most = await most_of(session, row, now)
        return WAITS if await _waits(session, row.id) else most.refused

    async def look(self, scene: Scene) -> Told:
        purchase: Authorization = await scene.found(Authorization)
        most = await most_of(scene.session, purchase, scene.now)
        limit = readable(scene.parts.settings.support_refund_limit_minor)
        total, left = readable(most.total_minor), readable(most.principal_minor)
        customer = await _customer(scene, purchase)
        return Told(
            what=f"{purchase.merchant_name}, {moment(purchase.occurred_at, scene.zone)}",
            onward=f"/admin/purchase/{purchase.id}",
            facts=(
                ("Customer", customer),
                ("State at Stripe", words(purchase.state)),
                ("Left of the merchant's part", left),
                ("Left of our fee", readable(most.fee_minor)),
            ),
            effects=(
                "It goes back to the linked card that paid; a bank shows it in 5 to 10 days.",
                "The merchant keeps what it took: the cost is ours.",
                "Should the merchant refund later, that covers ours first; the rest is passed on.",
                f"Above {limit} in all, another member of finance has to approve it first.",
            ),
            seen=(await moved_of(scene.session, purchase.id)).word,
            cost="What is given back; Stripe's processing fee is not returned",
            most=f"{total}: {left} and {readable(most.fee_minor)} of fee",
            fields=(
                Field("amount", "Of what the merchant took", "money", left, _hint(most)),
                Field("fee", "Our fee", "choice", "yes", options=_fees(most)),
            ),
            refused=await self.hindrance(scene.session, purchase, scene.now),
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        purchase: Authorization = await scene.found(Authorization)
        seen = await moved_of(scene.session, purchase.id)
        if seen_in(form) != seen.word:
            raise MovedOn(STALE)
        # In a session of its own: what is read before the lock is read again behind it.
        async with scene.parts.sessions() as looking:
            most = await most_of(looking, purchase, scene.now)
        principal, fee = given = _typed_in(form, most)
        if principal + fee > scene.parts.settings.support_refund_limit_minor:
            return await self._ask(scene, purchase, given, seen, why)
        await wait_until_free(scene.parts.sessions, purchase.id)
        done = await give_goodwill(
            scene.session,
            purchase.id,
            given,
            seen=seen,
            actor=scene.actor,
            why=why,
            now=scene.now,
            wall=datetime.now(UTC),
        )
        # Behind the lock: what is asked for after this is decided on what this has moved.
        if await _waits(scene.session, done.id):
            raise AskedAlready(WAITS)
        name = done.stripe_authorization_id
        return Done(f"/admin/purchase/{done.id}", lambda: settle(scene.parts, name))

    async def _ask(
        self,
        scene: Scene,
        purchase: Authorization,
        given: tuple[int, int],
        seen: Moved,
        why: Reason,
    ) -> Done:
        wanted = await ask(
            scene.session,
            REFUND_KIND,
            subject=Subject("card_authorization", str(purchase.id)),
            arguments={
                "merchant": purchase.merchant_name,
                "customer": await _customer(scene, purchase),
                "principal_minor": given[0],
                "fee_minor": given[1],
                "moved": msgspec.structs.asdict(seen),
            },
            reason=why,
            by=scene.actor,
            now=datetime.now(UTC),
        )
        return Done(f"/admin/approval/{wanted.id}", asked=True)


async def _waits(session: AsyncSession, purchase_id: UUID) -> bool:
    about = Subject("card_authorization", str(purchase_id))
    return bool(await waiting_about(session, about, datetime.now(UTC)))


async def _customer(scene: Scene, purchase: Authorization) -> str:
    if purchase.customer_id is None:
        return "nobody we know"
    return (await scene.session.get_one(Customer, purchase.customer_id)).name


def _typed_in(form: FormData, most: Most) -> tuple[int, int]:
    """Read what is to be given back. Nothing of the merchant's part only with some of our fee."""
    with_fee = choice_in(form, "fee", _fees(most)) == "yes"
    least = 0 if with_fee and most.fee_minor else 1
    principal = money_in(form, "amount", most_minor=most.principal_minor, least_minor=least)
    return principal, most.fee_for(principal) if with_fee else 0


def _fees(most: Most) -> Sequence[tuple[str, str]]:
    return FEE if most.principal_minor else ONLY_FEE


def _hint(most: Most) -> str:
    alone = f"0.00 gives back our fee alone, all {readable(most.fee_minor)} of it."
    if not most.principal_minor:
        return f"Nothing of it is left: {alone}"
    given = f"From 0.01 to {readable(most.principal_minor)}"
    return f"{given}; {alone}" if most.fee_minor else f"{given}."


REFUND_ACTS: tuple[Act, ...] = (RefundPurchase(),)
