"""Use a card at a merchant, to see the product work. Absent wherever money is real."""

import secrets

import msgspec
from sqladmin import expose
from sqlalchemy import select
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.adapters.stripe_test_helpers import CATEGORIES, Payment, StripeTestHelpers
from app.admin.forms import check_csrf, text_field
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.permissions import PAY, allowed
from app.domain.identity.audit import record
from app.domain.identity.models import Customer
from app.domain.issuing import story
from app.domain.issuing.models import Card
from app.errors import AppError
from app.money import parse_amount

MOST_CARDS = 200
_COUNTRY = 2


class UnknownCard(AppError, status=422):
    """The card is not one of ours."""


class UnusableMerchant(AppError, status=422):
    """A merchant wants a name, a category and a two-letter country."""


class Preset(msgspec.Struct, frozen=True):
    title: str
    merchant: str
    category: str
    amount: str


PRESETS = (
    Preset("Coffee", "Blue Bottle", "fast_food_restaurants", "19.99"),
    Preset("Groceries", "Whole Foods", "grocery_stores_supermarkets", "43.20"),
    Preset("Hotel", "Hotel Vertigo", "hotels_motels_and_resorts", "300.00"),
    Preset("Ten cents", "Parking meter", "service_stations", "0.10"),
    Preset("Card check", "Netflix", "digital_goods_media", "0.00"),
)


class TestPurchasePage(OfficePage):
    """`/admin/test`."""

    name = "Test purchase"
    view = "test"

    @expose("/test", methods=["GET", "POST"], identity="test")
    async def test_purchase(self, request: Request) -> Response:
        if parts_of(request).settings.livemode:
            raise HTTPException(404)
        if request.method == "GET":
            return await self._form(request, FormData(request.query_params), None)
        require(request, self.view, PAY)
        form = await check_csrf(request)
        try:
            return await self._pay(request, form)
        except AppError as refusal:
            return await self._form(request, form, str(refusal))

    async def _pay(self, request: Request, form: FormData) -> Response:
        parts = parts_of(request)
        wanted = await self._read(request, form)
        helpers = StripeTestHelpers(parts.stripe.other)
        name = await helpers.pay(wanted)
        # Stripe may have declined before it asked us: then this is what makes our row.
        await parts.settler.settle(name)
        async with parts.sessions.begin() as session:
            purchase = await story.find_purchase(session, name)
            assert purchase is not None
            after = {"amount_minor": wanted.amount_minor, "merchant": wanted.merchant_name}
            record(session, request.state.actor, "test_purchase.pay", subject=purchase, after=after)
        return RedirectResponse(f"/admin/purchase/{purchase.id}", status_code=303)

    async def _read(self, request: Request, form: FormData) -> Payment:
        """Read the form. Raises UnknownCard, UnreadableAmount or UnusableMerchant."""
        async with parts_of(request).sessions() as session:
            name = text_field(form, "card")
            card = await session.scalar(select(Card).where(Card.stripe_card_id == name))
        if card is None:
            raise UnknownCard("Choose a card.")
        amount = parse_amount(text_field(form, "amount"))
        merchant, category = text_field(form, "merchant", longest=60), text_field(form, "category")
        country = text_field(form, "country").upper()
        if not merchant or not category or len(country) != _COUNTRY or not country.isalpha():
            raise UnusableMerchant("The merchant wants a name, a category and a country like US.")
        return Payment(
            f"pay:{text_field(form, 'once')}",
            card.stripe_card_id,
            amount,
            card.currency,
            merchant,
            category,
            country,
        )

    async def _form(self, request: Request, typed: FormData, problem: str | None) -> Response:
        """Show the form with what was typed, so that an error loses nothing."""
        async with parts_of(request).sessions() as session:
            rows = await session.execute(
                select(Card, Customer)
                .join(Customer, Customer.id == Card.customer_id)
                .order_by(Customer.created_at, Card.created_at)
                .limit(MOST_CARDS)
            )
            cards = list(rows)
        first = PRESETS[0]
        values = {
            "card": text_field(typed, "card"),
            "merchant": text_field(typed, "merchant") or first.merchant,
            "category": text_field(typed, "category") or first.category,
            "country": text_field(typed, "country") or "US",
            "amount": text_field(typed, "amount") or first.amount,
        }
        told = {
            "cards": cards,
            "values": values,
            "presets": PRESETS,
            "categories": CATEGORIES,
            "problem": problem,
            "once": secrets.token_hex(16),
            "may_pay": allowed(request.state.staff, self.view, PAY),
        }
        return await self.show(request, "test.html", told, 422 if problem else 200)
