"""Names for the ids on a page of a list: a look-up for each kind of thing, whatever the rows."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from app.admin.wording import card_digits
from app.domain.funding.models import FundingSource, PricePlan
from app.domain.identity.models import Customer, Staff
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card

_STAFF = ("actor_id", "staff_id", "requested_by", "decided_by")


class Names(msgspec.Struct):
    """What the rows of a page point at, by id."""

    customers: dict[UUID, str] = {}
    cards: dict[UUID, str] = {}
    sources: dict[UUID, str] = {}
    merchants: dict[UUID, str] = {}
    reasons: dict[UUID, DeclineReason] = {}
    prices: dict[UUID, str] = {}
    staff: dict[UUID, str] = {}


def name_of(value: str, request: Request) -> str:
    """Name the customer, card, linked card or purchase whose id a filter of the page holds."""
    names: Names = request.state.names
    known = {
        **names.customers,
        **names.cards,
        **names.sources,
        **names.merchants,
        **names.staff,
    }
    return next((name for key, name in known.items() if str(key) == value), value)


async def names_of(session: AsyncSession, rows: Sequence[Any], more: Iterable[UUID] = ()) -> Names:
    """Look up what the rows point at; `more` are ids that a filter names."""
    extra = set(more) | _subjects(rows)
    purchases = _ids(rows, "authorization_id", "purchase_id")
    shown = {row.id for row in rows if isinstance(row, Authorization)}
    return Names(
        customers=await _customers(session, _ids(rows, "customer_id") | extra),
        cards=await _cards(session, _ids(rows, "card_id") | extra),
        sources=await _sources(session, _ids(rows, "funding_source_id") | extra),
        merchants=await _pairs(
            session, Authorization, Authorization.merchant_name, purchases | extra
        ),
        reasons=await _reasons(session, shown),
        prices=await _pairs(session, PricePlan, PricePlan.name, _ids(rows, "price_plan_id")),
        staff=await _pairs(session, Staff, Staff.name, _ids(rows, *_STAFF) | extra),
    )


def _ids(rows: Sequence[Any], *fields: str) -> set[UUID]:
    found = (getattr(row, field, None) for row in rows for field in fields)
    return {key for key in found if key is not None}


def _subjects(rows: Sequence[Any]) -> set[UUID]:
    """Give the ids of whom entries of the trail are about, and rules that stop somebody."""
    about = (row for row in rows if getattr(row, "subject_kind", "") in {"staff", "customer"})
    stopped = (row.condition for row in rows if isinstance(row, DecisionRule))
    named = (one["value"] for one in stopped if one.get("target") in {"customer", "card"})
    return {*(UUID(row.subject_id) for row in about), *map(UUID, named)}


async def _pairs(session: AsyncSession, table: Any, column: Any, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    found = await session.execute(select(table.id, column).where(table.id.in_(ids)))
    return {row[0]: row[1] for row in found}


async def _customers(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    name = Customer.first_name + " " + Customer.last_name
    return await _pairs(session, Customer, name, ids)


async def _cards(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    found = await session.execute(
        select(Card.id, Card.nickname, Card.last4).where(Card.id.in_(ids))
    )
    return {key: f"{nickname} {card_digits(last4)}" for key, nickname, last4 in found}


async def _sources(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    found = await session.execute(
        select(FundingSource.id, FundingSource.brand, FundingSource.last4).where(
            FundingSource.id.in_(ids)
        )
    )
    return {key: f"{brand} {card_digits(last4)}" for key, brand, last4 in found}


async def _reasons(session: AsyncSession, ids: set[UUID]) -> dict[UUID, DeclineReason]:
    """Give each purchase's latest decline."""
    if not ids:
        return {}
    found = await session.execute(
        select(AuthorizationRequest.authorization_id, AuthorizationRequest.reason)
        .where(
            AuthorizationRequest.authorization_id.in_(ids),
            AuthorizationRequest.reason.is_not(None),
        )
        .order_by(AuthorizationRequest.authorization_id, AuthorizationRequest.ordinal)
    )
    return {key: reason for key, reason in found if reason is not None}
