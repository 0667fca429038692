"""A purchase on one page: the answer and why, what the linked cards hold, and all that happened."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqladmin import expose
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.adapters.stripe_test_helpers import Step, StripeTestHelpers, StripeUnclear
from app.admin.forms import check_csrf, text_field
from app.admin.pages.merchant import new_once, read_once, settle_and_record
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.pages.trail import awaits_events, trail
from app.admin.permissions import PAY, allowed
from app.domain.issuing import story
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.models import Authorization
from app.domain.issuing.states import AuthorizationState
from app.errors import AppError
from app.money import parse_amount
from app.webhooks.models import InboundEvent

STRIPE_WITHIN_SECONDS = 5
# What a merchant can still do. A hold that has lapsed can be captured all the same.
STEPS = {
    AuthorizationState.PENDING: tuple(Step),
    AuthorizationState.EXPIRED: (Step.CAPTURE,),
}


class AmountMissing(AppError, status=422):
    """An increment wants an amount."""


class PurchasePage(OfficePage):
    """`/admin/purchase/{id}`, and what a merchant could do next where money is not real."""

    name = "Purchase"
    view = "purchase"

    @expose("/purchase/{purchase}", methods=["GET"], identity="purchase")
    async def purchase(self, request: Request) -> Response:
        return await self._page(request, problem=None)

    @expose("/purchase/{purchase}/live", methods=["GET"], identity="purchase-live")
    async def live(self, request: Request) -> Response:
        """Give what Stripe says now, as a part of the page: a slow Stripe keeps nobody waiting."""
        parts = parts_of(request)
        async with parts.sessions() as session:
            told = await story.tell(session, await _found(request, session))
        names = [c.charge.stripe_payment_intent_id for c in told.charges]
        try:
            async with asyncio.timeout(STRIPE_WITHIN_SECONDS):
                authorization = await parts.network.authorization(
                    told.purchase.stripe_authorization_id
                )
                intents = [await parts.back_office.intent(name) for name in names if name]
        except Exception as error:  # noqa: BLE001  said on the page, whatever it is
            return await self.show(request, "live.html", {"failure": type(error).__name__})
        return await self.show(
            request, "live.html", {"authorization": authorization, "intents": intents}
        )

    @expose("/purchase/{purchase}/{act}", methods=["POST"], identity="purchase-act")
    async def act(self, request: Request) -> Response:
        """Do what the merchant does next, through Stripe's test helpers."""
        parts = parts_of(request)
        if request.path_params["act"] not in set(Step) or parts.settings.livemode:
            raise HTTPException(404)
        step = Step(request.path_params["act"])
        require(request, self.view, PAY)
        form = await check_csrf(request)
        async with parts.sessions() as session:
            purchase = await _found(request, session)
        name = purchase.stripe_authorization_id
        try:
            amount = _amount(step, text_field(form, "amount"))
            key = f"{step}:{read_once(form)}"
            await StripeTestHelpers(parts.stripe.other).finish(step, name, amount, key)
        except StripeUnclear as refusal:
            # The same form sent again is the same request to Stripe.
            once = read_once(form)
            return await self._page(request, problem=refusal, typed=(step, form), once=once)
        except AppError as refusal:
            return await self._page(request, problem=refusal, typed=(step, form))
        after = {"amount_minor": amount} if amount is not None else None
        await settle_and_record(request, name, step, after)
        return RedirectResponse(f"/admin/purchase/{purchase.id}", status_code=303)

    async def _page(
        self,
        request: Request,
        problem: AppError | None,
        typed: tuple[Step, FormData] | None = None,
        once: str | None = None,
    ) -> Response:
        parts, now = parts_of(request), datetime.now(UTC)
        async with parts.sessions() as session:
            told = await story.tell(session, await _found(request, session))
            events = await _events_of(session, told)
        may_act = not parts.settings.livemode and allowed(request.state.staff, self.view, PAY)
        context: dict[str, Any] = {
            "story": told,
            "outcome": told.outcome,
            "funding": told.funding,
            "explanations": EXPLANATIONS,
            "trail": trail(told, events),
            "settling": told.settling(now),
            "looks_again": told.settling(now) or awaits_events(told, events, now),
            "steps": STEPS.get(told.purchase.state, ())
            if may_act and told.purchase.approved
            else (),
            "once": once or new_once(),
            "typed": {typed[0]: text_field(typed[1], "amount")} if typed else {},
            "problem": problem,
        }
        status = problem.status_code if problem else 200
        return await self.show(request, "purchase.html", context, status)


def _amount(step: Step, typed: str) -> int | None:
    """Read an amount; an empty one is all of it. Raises AmountMissing and UnreadableAmount."""
    if not typed and step is Step.INCREMENT:
        raise AmountMissing("An increment wants an amount, like 5.00")
    return parse_amount(typed) if typed and step is not Step.EXPIRE else None


async def _found(request: Request, session: AsyncSession) -> Authorization:
    purchase = await story.find_purchase(session, request.path_params["purchase"])
    if purchase is None:
        raise HTTPException(404, "No purchase has this id.")
    return purchase


async def _events_of(session: AsyncSession, told: story.Story) -> list[InboundEvent]:
    """Give the events Stripe sent about a purchase, its transactions and its charges."""
    names = [told.purchase.stripe_authorization_id]
    names += [transaction.stripe_transaction_id for transaction in told.transactions]
    for funded in told.charges:
        ids = (funded.charge.stripe_payment_intent_id, funded.charge.stripe_charge_id)
        names += [name for name in ids if name is not None]
    found = await session.scalars(
        select(InboundEvent)
        .options(defer(InboundEvent.payload, raiseload=True))
        .where(InboundEvent.object_id.in_(names))
        .order_by(InboundEvent.created_at)
    )
    return list(found)
