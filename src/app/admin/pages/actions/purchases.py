"""What staff do about a purchase: let a declined one pass once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.admin.pages.actions.act import Act, Done, Scene, Told, seen_in
from app.admin.permissions import ALLOW_ONCE
from app.domain.identity.reasons import Reason
from app.domain.issuing.allowable import why_not
from app.domain.issuing.allowing import LASTS, allow_once
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.marks import check_mark, mark
from app.money import readable


class AllowOnce(Act):
    """`key`: a request's id, or a purchase's, whose latest request is meant."""

    slug, title, view, action = "allow-once", "Allow it once", "requests", ALLOW_ONCE
    on = ("requests", "purchases")
    done = "The card may pay there once within 24 hours: tell the customer to try again."
    reasons = ("customer_asked", "fraud_cleared", "our_mistake", "goodwill", "other")

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:
        request = await _latest(session, row.id)
        if request is None:
            return "nothing was asked"
        purchase = await session.get_one(Authorization, request.authorization_id)
        return await why_not(session, request, purchase, now)

    async def look(self, scene: Scene) -> Told:
        request = await _meant(scene)
        purchase = await scene.session.get_one(Authorization, request.authorization_id)
        told = EXPLANATIONS[request.reason] if request.reason else None
        refused = await why_not(scene.session, request, purchase, scene.now)
        hours = int(LASTS.total_seconds()) // 3600
        return Told(
            what=f"{readable(request.amount_minor)} at {purchase.merchant_name}",
            onward=f"/admin/purchase/{purchase.id}",
            facts=(
                ("Declined because", told.short if told else "it was not declined"),
                ("Whose decision", told.decided_by.value if told else ""),
                ("The customer read", told.customer if told else ""),
            ),
            effects=(
                f"The next try with this card at this merchant passes, within {hours} hours.",
                "It passes the check that declined it, and others that can be passed.",
                "A stop, a frozen card and the bank's answer still count.",
            ),
            seen=mark(request),
            most=readable(request.amount_minor),
            refused=f"{refused[:1].upper()}{refused[1:]}",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        request = await _meant(scene)
        check_mark(seen_in(form), request)
        await allow_once(
            scene.session,
            str(request.id),
            actor=scene.actor,
            now=scene.now,
            reason=why.note,
            code=why.code,
        )
        return Done(f"/admin/purchase/{request.authorization_id}")


async def _meant(scene: Scene) -> AuthorizationRequest:
    found = await _latest(scene.session, scene.id)
    if found is None:
        raise HTTPException(404)
    return found


async def _latest(session: AsyncSession, key: UUID) -> AuthorizationRequest | None:
    """Give the request with an id, or the latest of the purchase with it."""
    found: AuthorizationRequest | None = await session.scalar(
        select(AuthorizationRequest)
        .where((AuthorizationRequest.id == key) | (AuthorizationRequest.authorization_id == key))
        .order_by(AuthorizationRequest.ordinal.desc())
        .limit(1)
    )
    return found


PURCHASE_ACTS: tuple[Act, ...] = (AllowOnce(),)
