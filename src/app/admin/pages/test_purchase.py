"""Use a card at a merchant, to see the product work. Absent wherever money is real."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqladmin import expose
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.adapters.merchant_errors import StripeUnclear
from app.adapters.played_merchants import COUNTRY, PRESETS
from app.adapters.sandbox_controls import SandboxControls
from app.adapters.stripe_test_helpers import CATEGORIES, Payment, Unasked
from app.admin.forms import check_csrf, text_field
from app.admin.pages.acts import acts_told, beside_told, do_step, found, step_of
from app.admin.pages.merchant import helpers_of, new_once, read_once, settle_and_record
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.pages.purchase import events_of
from app.admin.pages.test_cards import cards_to_choose
from app.admin.pages.trail import awaits_events
from app.admin.permissions import PAY, allowed
from app.countries import COUNTRIES
from app.domain.issuing.models import Authorization, Card
from app.domain.issuing.story import tell
from app.errors import AppError
from app.money import parse_amount

MOST_DAYS = 400
RECENT = 10
UNASKED: Mapping[str, Unasked] = {
    "force-capture": Unasked.CAPTURE,
    "unlinked-refund": Unasked.REFUND,
}


class UnreadableDays(AppError, status=422):
    """What was typed is not a number of days."""


class UnknownCard(AppError, status=422):
    """The card is not one of ours."""


class UnusableMerchant(AppError, status=422):
    """A merchant wants a name, a category and a country of ISO 3166."""


class TestPurchasePage(OfficePage):
    """`/admin/test`: use a card, go on with a purchase, move the time, and watch the books."""

    name = "Test purchase"
    view = "test"

    @expose("/test", methods=["GET", "POST"], identity="test")
    async def test_purchase(self, request: Request) -> Response:
        if request.method == "GET":
            _must_be_a_test(request)
            return await self._page(request, FormData(request.query_params), None)
        return await self._change(request, self._pay)

    @expose("/test/unasked/{what}", methods=["POST"], identity="test-unasked")
    async def unasked(self, request: Request) -> Response:
        """Let a merchant take or give money that it never asked about."""
        if request.path_params["what"] not in UNASKED:
            raise HTTPException(404)
        return await self._change(request, self._without_asking)

    @expose("/test/clock", methods=["POST"], identity="test-clock")
    async def clock(self, request: Request) -> Response:
        """Move the time of the offline Stripe, and so of the product, on by days."""
        if parts_of(request).settings.sandbox_url is None:
            raise HTTPException(404)
        return await self._change(request, self._move_clock)

    @expose("/test/purchase/{purchase}/beside", methods=["GET"], identity="test-beside")
    async def beside(self, request: Request) -> Response:
        """Give the linked card and the books of a purchase as they are now, as a part of a page."""
        _must_be_a_test(request)
        async with parts_of(request).sessions() as session:
            told = await tell(session, await found(session, request.path_params["purchase"]))
            beside = await beside_told(session, told)
        return await self.show(request, "beside.html", beside)

    @expose("/test/purchase/{purchase}/{act}", methods=["POST"], identity="test-act")
    async def act(self, request: Request) -> Response:
        """Go on with a purchase, and come back here."""
        step_of(request)
        return await self._change(request, self._go_on)

    async def _change(
        self, request: Request, work: Callable[[Request, FormData], Awaitable[str]]
    ) -> Response:
        """Do what a form wants and go where that leads; a refusal keeps what was typed."""
        _must_be_a_test(request)
        require(request, self.view, PAY)
        form = await check_csrf(request)
        try:
            return RedirectResponse(await work(request, form), status_code=303)
        except StripeUnclear as refusal:
            # The same form sent again is the same request to Stripe: nothing is paid twice.
            return await self._page(request, form, refusal, read_once(form))
        except AppError as refusal:
            return await self._page(request, form, refusal)

    async def _pay(self, request: Request, form: FormData) -> str:
        wanted = await _read(request, form, "pay")
        name = await helpers_of(request).pay(wanted)
        after = {"amount_minor": wanted.amount_minor, "merchant": wanted.merchant_name}
        # Stripe may have declined before it asked us: then settling is what makes our row.
        purchase = await settle_and_record(request, name, "pay", after)
        return f"/admin/purchase/{purchase.id if purchase else name}"

    async def _without_asking(self, request: Request, form: FormData) -> str:
        action = request.path_params["what"]
        wanted = await _read(request, form, action)
        name = await helpers_of(request).unasked(UNASKED[action], wanted)
        after = {"amount_minor": wanted.amount_minor, "merchant": wanted.merchant_name}
        purchase = await settle_and_record(request, name, action.replace("-", "_"), after)
        if purchase is not None:
            return f"/admin/test?purchase={purchase.id}"
        return f"/admin/transactions/list?search={name}"

    async def _move_clock(self, request: Request, form: FormData) -> str:
        parts = parts_of(request)
        step = timedelta(days=read_days(text_field(form, "days")))
        assert parts.settings.sandbox_url is not None
        parts.clock.offset = await SandboxControls(parts.settings.sandbox_url).move_clock(step)
        shown = text_field(form, "purchase")
        return f"/admin/test?purchase={quote(shown)}" if shown else "/admin/test"

    async def _go_on(self, request: Request, form: FormData) -> str:
        purchase = await do_step(request, self.view, form)
        return f"/admin/test?purchase={purchase.id}"

    async def _page(
        self,
        request: Request,
        typed: FormData,
        problem: AppError | None,
        once: str | None = None,
    ) -> Response:
        """Show the forms with what was typed, so that an error loses nothing."""
        key = request.path_params.get("purchase") or text_field(typed, "purchase")
        async with parts_of(request).sessions() as session:
            told: dict[str, Any] = {
                "cards": await cards_to_choose(parts_of(request), session),
                "recent": await _recent(session),
            }
            told |= await self._beside(request, session, typed, once, key=key)
        told |= {
            "values": _values(typed),
            "presets": PRESETS,
            "categories": CATEGORIES,
            "countries": COUNTRIES,
            "problem": problem,
            "once": once or told.get("once") or new_once(),
            "may_pay": allowed(request.state.staff, self.view, PAY),
        }
        return await self.show(request, "test.html", told, problem.status_code if problem else 200)

    async def _beside(
        self,
        request: Request,
        session: AsyncSession,
        typed: FormData,
        once: str | None,
        *,
        key: str,
    ) -> dict[str, Any]:
        """Give what the address's purchase is, does next, and is in the books; nothing for none."""
        if not key:
            return {"story": None}
        told = await tell(session, await found(session, key))
        now, events = datetime.now(UTC), await events_of(session, told)
        return {
            **await beside_told(session, told),
            **acts_told(request, self.view, told, typed, once),
            "looks_again": told.settling(now) or awaits_events(told, events, now),
        }


def _must_be_a_test(request: Request) -> None:
    if parts_of(request).settings.livemode:
        raise HTTPException(404)


def read_days(typed: str) -> int:
    """Read by how many days the time is moved on. Raises UnreadableDays."""
    if not (typed.isascii() and typed.isdigit() and 0 < int(typed[:9]) <= MOST_DAYS):
        raise UnreadableDays(f"“{typed[:20]}” is not a number of days from 1 to {MOST_DAYS}.")
    return int(typed)


async def _read(request: Request, form: FormData, action: str) -> Payment:
    """Read the form. Raises UnknownCard, UnreadableAmount or UnusableMerchant."""
    async with parts_of(request).sessions() as session:
        name = text_field(form, "card")
        card = await session.scalar(select(Card).where(Card.stripe_card_id == name))
    if card is None:
        raise UnknownCard("Choose a card.")
    amount = parse_amount(text_field(form, "amount"))
    merchant, category = text_field(form, "merchant", longest=60), text_field(form, "category")
    country = text_field(form, "country").upper()
    if category not in CATEGORIES:
        raise UnusableMerchant(f"“{category[:40]}” is not one of Stripe's categories.")
    if not merchant:
        raise UnusableMerchant("The merchant wants a name.")
    if country not in COUNTRIES:
        raise UnusableMerchant(f"“{country[:40]}” is no country's two letters, like US.")
    return Payment(
        f"{action}:{read_once(form)}",
        card.stripe_card_id,
        amount,
        card.currency,
        merchant,
        category,
        country,
    )


def _values(typed: FormData) -> dict[str, str]:
    first = PRESETS[0]
    going_on = "card" not in typed  # another form was sent: its amount is not this one's
    return {
        "card": text_field(typed, "card"),
        "merchant": text_field(typed, "merchant") or first.merchant,
        "category": text_field(typed, "category") or first.category,
        "country": text_field(typed, "country") or COUNTRY,
        "amount": first.amount if going_on else text_field(typed, "amount") or first.amount,
        "days": text_field(typed, "days"),
    }


async def _recent(session: AsyncSession) -> list[Authorization]:
    rows = await session.scalars(
        select(Authorization)
        .order_by(Authorization.created_at.desc(), Authorization.id.desc())
        .limit(RECENT)
    )
    return list(rows)
