"""Use a card at a merchant, to see the product work. Absent wherever money is real."""

import msgspec
from sqladmin import expose
from sqlalchemy import select
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.adapters.stripe_test_helpers import (
    CATEGORIES,
    Payment,
    StripeTestHelpers,
    StripeUnclear,
)
from app.admin.forms import check_csrf, text_field
from app.admin.pages.merchant import new_once, read_once, settle_and_record
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.permissions import PAY, allowed
from app.domain.identity.models import Customer
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
    Preset("Casino", "Lucky Casino", "betting_casino_gambling", "50.00"),
    Preset("Over a day's limit", "Gallery Nine", "art_dealers_and_galleries", "1500.00"),
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
        except StripeUnclear as refusal:
            # The same form sent again is the same request to Stripe: nothing is paid twice.
            return await self._form(request, form, refusal, read_once(form))
        except AppError as refusal:
            return await self._form(request, form, refusal)

    async def _pay(self, request: Request, form: FormData) -> Response:
        wanted = await self._read(request, form)
        name = await StripeTestHelpers(parts_of(request).stripe.other).pay(wanted)
        after = {"amount_minor": wanted.amount_minor, "merchant": wanted.merchant_name}
        # Stripe may have declined before it asked us: then settling is what makes our row.
        purchase = await settle_and_record(request, name, "pay", after)
        address = purchase.id if purchase else name
        return RedirectResponse(f"/admin/purchase/{address}", status_code=303)

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
        if category not in CATEGORIES:
            raise UnusableMerchant(f"“{category[:40]}” is not one of Stripe's categories.")
        if not merchant or len(country) != _COUNTRY or not country.isalpha():
            raise UnusableMerchant("The merchant wants a name and a country like US.")
        return Payment(
            f"pay:{read_once(form)}",
            card.stripe_card_id,
            amount,
            card.currency,
            merchant,
            category,
            country,
        )

    async def _form(
        self,
        request: Request,
        typed: FormData,
        problem: AppError | None,
        once: str | None = None,
    ) -> Response:
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
            "once": once or new_once(),
            "may_pay": allowed(request.state.staff, self.view, PAY),
        }
        return await self.show(request, "test.html", told, problem.status_code if problem else 200)
