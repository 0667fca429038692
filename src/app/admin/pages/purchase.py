"""A purchase on one page: the answer and why, what the linked cards hold, and all that happened."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqladmin import expose
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.adapters.merchant_errors import StripeUnclear
from app.admin.forms import check_csrf
from app.admin.pages.acts import acts_told, beside_told, do_step, found, step_of
from app.admin.pages.merchant import read_once
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.pages.trail import awaits_events, trail
from app.admin.permissions import PAY
from app.domain.issuing import story
from app.domain.issuing.allowing import allowed_until
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.flight import knew
from app.domain.issuing.story_time import moments
from app.errors import AppError
from app.webhooks.models import InboundEvent

STRIPE_WITHIN_SECONDS = 5


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
            told = await self._told(request, session)
        names = [c.charge.stripe_payment_intent_id for c in told.charges]
        try:
            async with asyncio.timeout(STRIPE_WITHIN_SECONDS):
                name = told.purchase.stripe_authorization_id
                forced = told.purchase.forced
                authorization = None if forced else await parts.network.authorization(name)
                intents = [await parts.back_office.intent(name) for name in names if name]
        except Exception as error:  # noqa: BLE001  said on the page, whatever it is
            return await self.show(request, "live.html", {"failure": type(error).__name__})
        return await self.show(
            request,
            "live.html",
            {"authorization": authorization, "intents": intents, "forced": forced},
        )

    @expose("/purchase/{purchase}/{act}", methods=["POST"], identity="purchase-act")
    async def act(self, request: Request) -> Response:
        """Do what the merchant does next, through Stripe's test helpers."""
        step_of(request)
        require(request, self.view, PAY)
        form = await check_csrf(request)
        try:
            purchase = await do_step(request, self.view, form)
        except StripeUnclear as refusal:
            # The same form sent again is the same request to Stripe.
            return await self._page(request, refusal, form, read_once(form))
        except AppError as refusal:
            return await self._page(request, refusal, form)
        return RedirectResponse(f"/admin/purchase/{purchase.id}", status_code=303)

    async def _page(
        self,
        request: Request,
        problem: AppError | None,
        typed: FormData | None = None,
        once: str | None = None,
    ) -> Response:
        parts, now = parts_of(request), datetime.now(UTC)
        async with parts.sessions() as session:
            told = await self._told(request, session)
            events = await events_of(session, told)
            beside = await beside_told(session, told)
            allowed = await allowed_until(session, told.purchase.id, parts.clock.now())
        line = moments(told)
        context: dict[str, Any] = {
            "outcome": told.outcome,
            "explanations": EXPLANATIONS,
            "allowed_until": allowed,
            "knew": knew,
            "trail": trail(line, events),
            "settling": told.settling(now),
            "looks_again": told.settling(now) or awaits_events(told, events, now),
            "problem": problem,
        }
        context |= beside | acts_told(request, self.view, told, typed, once)
        status = problem.status_code if problem else 200
        return await self.show(request, "purchase.html", context, status)

    async def _told(self, request: Request, session: AsyncSession) -> story.Story:
        purchase = await found(session, request.path_params["purchase"])
        return await story.tell(session, purchase)


async def events_of(session: AsyncSession, told: story.Story) -> list[InboundEvent]:
    """Give the events Stripe sent about a purchase, its transactions, charges and refunds."""
    names = [told.purchase.stripe_authorization_id]
    names += [transaction.stripe_transaction_id for transaction in told.transactions]
    for funded in told.charges:
        ids = (funded.charge.stripe_payment_intent_id, funded.charge.stripe_charge_id)
        names += [name for name in ids if name is not None]
    names += [refund.stripe_refund_id for refund in told.refunds if refund.stripe_refund_id]
    found = await session.scalars(
        select(InboundEvent)
        .options(defer(InboundEvent.payload, raiseload=True))
        .where(InboundEvent.object_id.in_(names))
        .order_by(InboundEvent.created_at)
    )
    return list(found)
