"""What staff do about a purchase: let a declined one pass once."""

from typing import Any

from sqlalchemy import select
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.admin.pages.actions.act import Act, Done, Scene, Told, seen_in
from app.admin.permissions import ALLOW_ONCE
from app.domain.identity.reasons import Reason
from app.domain.issuing.allowing import LASTS, allow_once
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.states import RequestState
from app.domain.marks import check_mark, mark
from app.money import readable


class AllowOnce(Act):
    """`key`: a request's id, or a purchase's, whose latest request is meant."""

    slug, title, view, action = "allow-once", "Allow it once", "requests", ALLOW_ONCE
    on = ("requests", "purchases")
    done = "The card may pay there once within 24 hours: tell the customer to try again."
    reasons = ("customer_asked", "fraud_cleared", "our_mistake", "goodwill", "other")

    def offered(self, row: Any) -> bool:
        if isinstance(row, Authorization):
            return row.approved is False
        told = EXPLANATIONS[row.reason] if row.reason else None
        return row.state is RequestState.DECLINED and told is not None and told.allow_once

    async def look(self, scene: Scene) -> Told:
        request = await _meant(scene)
        purchase = await scene.session.get_one(Authorization, request.authorization_id)
        told = EXPLANATIONS[request.reason] if request.reason else None
        refused = "" if told and told.allow_once else "Nobody can let this pass once."
        if told and not told.allow_once:
            refused = f"{refused} Next step: {told.next_step}"
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
            refused=refused,
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
    found = await scene.session.scalar(
        select(AuthorizationRequest)
        .where(
            (AuthorizationRequest.id == scene.id)
            | (AuthorizationRequest.authorization_id == scene.id)
        )
        .order_by(AuthorizationRequest.ordinal.desc())
        .limit(1)
    )
    if found is None:
        raise HTTPException(404)
    return found


PURCHASE_ACTS: tuple[Act, ...] = (AllowOnce(),)
