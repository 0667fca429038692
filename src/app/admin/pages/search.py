"""Search from anywhere: what somebody says on the phone, understood as what it looks like."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqladmin import expose
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.admin.noting import note
from app.admin.pages.office_page import OfficePage, parts_of
from app.admin.permissions import FULL_EMAIL, SEE, allowed
from app.domain.funding.balance_models import BalanceTransaction
from app.domain.funding.models import FundingSource
from app.domain.identity.audit import Subject
from app.domain.identity.models import Customer
from app.domain.issuing import finding, reports
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.finding import Hit
from app.domain.issuing.models import Card
from app.money import parse_amount

MOST = 20
LONGEST_TERM = 100
_STRIPE_ID = re.compile(r"[a-z]{2,7}_[A-Za-z0-9_]{4,}")
_MOVEMENT = "txn_"
_OWN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_AMOUNT = re.compile(r"[$]?\s?(\d[\d,]*\.\d{2})(?:\s?(?:usd|USD))?")
_LAST4 = re.compile(r"[·.*\s]*(\d{4})")
_PHONE = re.compile(r"\+?[\d\s()-]{7,20}")


class Found(msgspec.Struct):
    """What a term stands for, of each kind."""

    customers: list[Customer] = []
    cards: list[tuple[Card, Customer]] = []
    sources: list[tuple[FundingSource, Customer]] = []
    hits: list[Hit] = []
    # What Stripe booked that belongs to no purchase.
    movements: list[BalanceTransaction] = []

    @property
    def count(self) -> int:
        kinds = (self.customers, self.cards, self.sources, self.hits, self.movements)
        return sum(len(kind) for kind in kinds)


class SearchPage(OfficePage):
    """`/admin/search`."""

    name = "Search"
    view = "search"

    @expose("/search", methods=["GET"], identity="search")
    async def search(self, request: Request) -> Response:
        given = request.query_params.get("q", "").replace("\0", "")
        term = " ".join(given.split())[:LONGEST_TERM]
        books = allowed(request.state.staff, "balance-transactions", SEE)
        async with parts_of(request).sessions() as session:
            found = await find(session, term, books=books) if term else Found()
            ids = [hit.purchase_id for hit in found.hits]
            purchases = await reports.purchases_named(session, ids) if ids else []
        if found.count == 1 and (_STRIPE_ID.fullmatch(term) or _OWN_ID.fullmatch(term)):
            return RedirectResponse(_address(found), status_code=303)
        full = allowed(request.state.staff, "customers", FULL_EMAIL)
        if found.customers and full:
            told = {"rows": len(found.customers), "search": term}
            await note(request, "customers.read", Subject("page", "search"), told)
        why = {hit.purchase_id: hit.why for hit in found.hits}
        told_all: dict[str, Any] = {
            "term": term,
            "found": found,
            "purchases": purchases,
            "why": why,
            "explanations": EXPLANATIONS,
            "full_email": full,
            "most": MOST,
        }
        return await self.show(request, "search.html", told_all)


async def find(session: AsyncSession, term: str, *, books: bool) -> Found:
    """Look a term up as everything that it may be.

    `books`: also as what moved our own money, which not everybody may see.
    """
    if term.startswith(_MOVEMENT):
        return await _by_movement(session, term, books=books)
    if _OWN_ID.fullmatch(term):
        return await _by_own_id(session, UUID(term))
    if _STRIPE_ID.fullmatch(term):
        return await _by_stripe_id(session, term)
    if "@" in term:
        address = func.lower(Customer.email) == term.lower()
        return Found(customers=await _customers(session, address))
    found = Found()
    if amount := _AMOUNT.fullmatch(term):
        found.hits = await finding.by_amount(session, parse_amount(amount[1]), MOST)
        return found
    if last4 := _LAST4.fullmatch(term):
        found.cards = await _cards(session, Card.last4 == last4[1])
        found.sources = await _sources(session, FundingSource.last4 == last4[1])
    if _PHONE.fullmatch(term):
        digits = re.sub(r"\D", "", term)
        found.customers = await _customers(session, Customer.phone.endswith(digits))
    if not found.count:
        whole_name = Customer.first_name + " " + Customer.last_name
        named = whole_name.icontains(term, autoescape=True)
        found.customers = await _customers(session, named)
        found.hits = await finding.by_merchant(session, term, MOST)
    return found


async def _by_stripe_id(session: AsyncSession, term: str) -> Found:
    ours = or_(Customer.stripe_customer_id == term, Customer.stripe_cardholder_id == term)
    return Found(
        customers=await _customers(session, ours),
        cards=await _cards(session, Card.stripe_card_id == term),
        sources=await _sources(session, FundingSource.stripe_payment_method_id == term),
        hits=await finding.by_stripe_id(session, term, MOST),
    )


async def _by_movement(session: AsyncSession, term: str, *, books: bool) -> Found:
    """Look up what Stripe booked: the purchase that it belongs to, or itself where none does."""
    found = Found(hits=await finding.by_movement(session, term, MOST))
    if books and not found.hits:
        named = BalanceTransaction.stripe_balance_transaction_id == term
        found.movements = list(await session.scalars(select(BalanceTransaction).where(named)))
    return found


async def _by_own_id(session: AsyncSession, key: UUID) -> Found:
    return Found(
        customers=await _customers(session, Customer.id == key),
        cards=await _cards(session, Card.id == key),
        sources=await _sources(session, FundingSource.id == key),
        hits=await finding.by_own_id(session, key),
    )


async def _customers(session: AsyncSession, condition: Any) -> list[Customer]:
    newest = select(Customer).where(condition).order_by(Customer.created_at.desc()).limit(MOST)
    return list(await session.scalars(newest))


async def _cards(session: AsyncSession, condition: Any) -> list[tuple[Card, Customer]]:
    theirs = select(Card, Customer).join(Customer, Customer.id == Card.customer_id)
    return await _pairs(session, theirs.where(condition).order_by(Card.created_at.desc()))


async def _sources(session: AsyncSession, condition: Any) -> list[tuple[FundingSource, Customer]]:
    theirs = select(FundingSource, Customer).join(
        Customer, Customer.id == FundingSource.customer_id
    )
    return await _pairs(session, theirs.where(condition).order_by(FundingSource.created_at.desc()))


async def _pairs(session: AsyncSession, statement: Any) -> list[tuple[Any, Customer]]:
    rows: Sequence[Any] = (await session.execute(statement.limit(MOST))).all()
    return [(row[0], row[1]) for row in rows]


def _address(found: Found) -> str:
    """Give the page of the only thing that was found."""
    if found.hits:
        return f"/admin/purchase/{found.hits[0].purchase_id}"
    if found.customers:
        return f"/admin/customer/{found.customers[0].id}"
    if found.cards:
        return f"/admin/cards/details/{found.cards[0][0].id}"
    if found.movements:
        return f"/admin/balance-transactions/details/{found.movements[0].id}"
    return f"/admin/sources/details/{found.sources[0][0].id}"
