"""What a merchant does next on a purchase: the forms for it, what was typed, and doing it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.admin.forms import text_field
from app.admin.pages.books import by_layer
from app.admin.pages.merchant import helpers_of, new_once, read_once, settle_and_record
from app.admin.pages.office_page import parts_of, require
from app.admin.permissions import PAY, allowed
from app.domain.issuing.models import Authorization
from app.domain.issuing.story import Story, find_purchase, tell
from app.domain.issuing.story_next import MerchantStep, next_steps, read_amount, subject_of
from app.domain.issuing.story_time import moments, totals_of
from app.domain.ledger.accounts import AccountKind, kind_of
from app.domain.ledger.balances import Balance, balances_of
from app.domain.ledger.journals import Layer


async def found(session: AsyncSession, key: str) -> Authorization:
    purchase = await find_purchase(session, key)
    if purchase is None:
        raise HTTPException(404, "No purchase has this id.")
    return purchase


def step_of(request: Request) -> MerchantStep:
    """Read the step from the address. Raises 404 for none, and wherever money is real."""
    wanted = request.path_params["act"]
    if wanted not in set(MerchantStep) or parts_of(request).settings.livemode:
        raise HTTPException(404)
    return MerchantStep(wanted)


async def do_step(request: Request, view: str, form: FormData) -> Authorization:
    """Do the step of the address with what the form says; settle, and give the purchase.

    Raises AmountMissing, NotNow, UnreadableAmount, MerchantRefused and StripeUnclear.
    """
    step = step_of(request)
    require(request, view, PAY)
    async with parts_of(request).sessions() as session:
        purchase = await found(session, request.path_params["purchase"])
        told = await tell(session, purchase)
    wanted = text_field(form, "subject")
    subject = subject_of(told, step, wanted, simulated=_simulated(request))
    amount = read_amount(step, text_field(form, "amount"))
    closes = not (step is MerchantStep.CAPTURE and text_field(form, "more"))
    key = f"{step}:{read_once(form)}"
    done = await helpers_of(request).finish(step, subject, amount, key, closes=closes)
    after = {"amount_minor": amount} if amount is not None else None
    await settle_and_record(request, done, step, after)
    return purchase


def acts_told(
    request: Request, view: str, told: Story, typed: FormData | None = None, once: str | None = None
) -> dict[str, Any]:
    """Give what the forms' template needs."""
    parts = parts_of(request)
    may = not parts.settings.livemode and allowed(request.state.staff, view, PAY)
    given: dict[str, dict[str, str]] = {}
    if typed is not None and "act" in request.path_params:
        fields = ("amount", "subject", "more")
        given[request.path_params["act"]] = {name: text_field(typed, name) for name in fields}
    return {
        "steps": next_steps(told, simulated=_simulated(request)) if may else [],
        "once": once or new_once(),
        "typed": given,
    }


async def beside_told(session: AsyncSession, told: Story) -> dict[str, Any]:
    """Give what the template of the linked card and the books of a purchase needs."""
    balances = await balances_of(session, told.purchase.id)
    return {
        "story": told,
        "funding": told.funding,
        "sections": by_layer(balances),
        "costs_minor": _of_kind(balances, AccountKind.EXPENSE),
        "net_minor": -_of_kind(balances, AccountKind.INCOME, AccountKind.EXPENSE),
        "totals": totals_of(moments(told)),
    }


def _of_kind(balances: Sequence[Balance], *kinds: AccountKind) -> int:
    """Add up what accounts of some kinds have: debits less credits, what is posted in USD."""
    counted = (
        one.net_minor
        for one in balances
        if one.layer is Layer.POSTED and one.currency == "usd" and kind_of(one.account) in kinds
    )
    return sum(counted)


def _simulated(request: Request) -> bool:
    return parts_of(request).settings.simulated
