"""The front page: what this is, and what it costs, worked out for any amount."""

from typing import Any

import msgspec
from litestar import Response, get
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import PricePlan
from app.domain.funding.plans import plan_in_force, price_of
from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR
from app.errors import AppError
from app.money import UnreadableAmount, parse_amount
from app.portal.agreements import fees, paragraphs, terms
from app.portal.rendering import amount
from app.portal.visits import DASHBOARD, ForVisit, Visit

EXAMPLE = "100.00"
LONGEST_AMOUNT = 20


class NoPrice(AppError, status=503):
    """No price plan is in force."""


class Quote(msgspec.Struct, frozen=True):
    """What a purchase costs, in minor units; or why that cannot be said."""

    typed: str
    amount_minor: int = 0
    fee_minor: int = 0
    problem: str = ""

    @property
    def sentence(self) -> str:
        if self.problem:
            return self.problem
        total = amount(self.amount_minor + self.fee_minor)
        return f"{amount(self.amount_minor)} costs you {total}"


def quote_for(typed: str, plan: PricePlan) -> Quote:
    """Work out what an amount costs under a plan."""
    typed = typed[:LONGEST_AMOUNT]
    try:
        minor = parse_amount(typed)
    except UnreadableAmount:
        return Quote(typed, problem="Write an amount like 19.99.")
    fee = price_of(plan).fee(minor)
    if minor == 0 or minor + fee > MAXIMUM_CHARGE_MINOR:
        return Quote(typed, problem="Write an amount between $0.01 and $900,000.")
    return Quote(typed, minor, fee)


async def needed_plan(session: AsyncSession, visit: Visit) -> PricePlan:
    """Give the price in force. Raises NoPrice."""
    plan = await plan_in_force(session, visit.parts.clock.now())
    if plan is None:
        raise NoPrice("No price is set at the moment, so nothing can be bought.")
    return plan


@get("/", include_in_schema=False)
async def front_page(visit: ForVisit) -> Response[str]:
    async with visit.parts.sessions() as session:
        plan = await needed_plan(session, visit)
    return visit.page("landing.html", plan=plan, quote=_asked_quote(visit, plan), home=DASHBOARD)


@get("/quote", include_in_schema=False)
async def quote(visit: ForVisit) -> Response[dict[str, Any]]:
    """Give a quote for the script on the front page."""
    async with visit.parts.sessions() as session:
        plan = await needed_plan(session, visit)
    found = _asked_quote(visit, plan)
    told = {
        "sentence": found.sentence,
        "amount": amount(found.amount_minor),
        "fee": amount(found.fee_minor),
        "total": amount(found.amount_minor + found.fee_minor),
    }
    return Response(told, status_code=422 if found.problem else 200)


@get("/terms", include_in_schema=False)
async def terms_page(visit: ForVisit) -> Response[str]:
    """Show the texts that a customer accepts, as they stand now."""
    async with visit.parts.sessions() as session:
        texts = [terms(), fees(await needed_plan(session, visit))]
    return visit.page("terms.html", texts=texts, paragraphs=paragraphs)


def _asked_quote(visit: Visit, plan: PricePlan) -> Quote:
    return quote_for(visit.request.query_params.get("amount", EXAMPLE), plan)


LANDING = (front_page, quote, terms_page)
