"""A customer's purchases page by page: filtered, searched and sorted, from a key and never a count.

Days are UTC's, as months are. Every query names the customer.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.days import is_known
from app.db import Sessions
from app.domain.issuing.lines import Line, PurchaseStatus, lines_of
from app.domain.issuing.models import Authorization, Card
from app.domain.issuing.purchase_conditions import CONDITIONS
from app.domain.issuing.purchase_sums import AMOUNT
from app.domain.issuing.story import PurchaseNotFound

PAGE = 25
AT_ONCE = 500
LONGEST_SEARCH = 60
LARGEST = 2**63 - 1
"""The largest number that the database holds."""
_DIGITS = 4


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    MERCHANT = "merchant"
    LARGEST = "largest"
    SMALLEST = "smallest"


class Wanted(msgspec.Struct, frozen=True):
    """Which purchases are wanted, and in which order. Both days are included."""

    text: str = ""
    card_id: UUID | None = None
    status: PurchaseStatus | None = None
    since: date | None = None
    until: date | None = None
    order: Order = Order.NEWEST

    @property
    def is_everything(self) -> bool:
        return not (self.text or self.card_id or self.status or self.since or self.until)


class Place(msgspec.Struct, frozen=True):
    """Where a page begins: behind a purchase, by what the list is sorted by; or before it."""

    key: str | int | datetime
    id: UUID
    backwards: bool = False


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """A place as it stands in an address."""

    key: str
    id: UUID
    backwards: bool


class Page(msgspec.Struct, frozen=True):
    """A page of purchases, and where the ones before and after it are."""

    lines: list[Line]
    before: str | None
    after: str | None


async def page_of(
    session: AsyncSession, customer_id: UUID, wanted: Wanted, place: str = "", size: int = PAGE
) -> Page:
    """Give a page. A place that cannot be read is the beginning."""
    at = _read(place, wanted.order)
    backwards = at is not None and at.backwards
    found = list(await session.execute(_query(customer_id, wanted, at).limit(size + 1)))
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    lines = await lines_of(session, customer_id, [row.id for row in rows])
    if not rows:
        return Page([], None, None)
    earlier = more if backwards else at is not None
    later = True if backwards else more
    return Page(
        lines,
        before=_write(rows[0], backwards=True) if earlier else None,
        after=_write(rows[-1]) if later else None,
    )


async def every(sessions: Sessions, customer_id: UUID, wanted: Wanted) -> AsyncIterator[Line]:
    """Give all of them, however many, a few hundred at a time."""
    place = ""
    while True:
        async with sessions() as session:
            page = await page_of(session, customer_id, wanted, place, AT_ONCE)
        for line in page.lines:
            yield line
        if page.after is None:
            return
        place = page.after


async def latest_ids(session: AsyncSession, customer_id: UUID, most: int) -> list[UUID]:
    """Give the ids of the latest purchases, newest first."""
    found = await session.execute(_query(customer_id, Wanted(), None).limit(most))
    return [row.id for row in found]


async def has_any(session: AsyncSession, customer_id: UUID) -> bool:
    query = select(Authorization.id).where(Authorization.customer_id == customer_id).limit(1)
    return await session.scalar(query) is not None


def _query(customer_id: UUID, wanted: Wanted, at: Place | None) -> Select[Any]:
    key, falling = _sorting(wanted.order)
    query = select(Authorization.id, key.label("key")).where(
        Authorization.customer_id == customer_id, *_conditions(wanted)
    )
    down = falling
    if at is not None:
        down = falling != at.backwards
        behind = tuple_(key, Authorization.id)
        here = tuple_(at.key, at.id)
        query = query.where(behind < here if down else behind > here)
    if down:
        return query.order_by(key.desc(), Authorization.id.desc())
    return query.order_by(key, Authorization.id)


def _sorting(order: Order) -> tuple[ColumnElement[Any], bool]:
    """Give what is sorted by, and whether it falls."""
    match order:
        case Order.MERCHANT:
            return func.lower(Authorization.merchant_name), False
        case Order.LARGEST | Order.SMALLEST:
            return AMOUNT, order is Order.LARGEST
        case _:
            moment: ColumnElement[Any] = Authorization.occurred_at.expression
            return moment, order is Order.NEWEST


def _conditions(wanted: Wanted) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        found.append(_matches(wanted.text))
    if wanted.card_id is not None:
        found.append(Authorization.card_id == wanted.card_id)
    if wanted.since is not None:
        found.append(Authorization.occurred_at >= _midnight(wanted.since))
    if wanted.until is not None:
        found.append(Authorization.occurred_at < _midnight(wanted.until + timedelta(days=1)))
    if wanted.status is not None:
        found.append(CONDITIONS[wanted.status])
    return found


def _matches(text: str) -> ColumnElement[bool]:
    """Find a text in the merchant's name, or in the name of the card; or the card's last digits."""
    named = Card.nickname.icontains(text, autoescape=True)
    if len(text) == _DIGITS and text.isascii() and text.isdigit():
        named = or_(named, Card.last4 == text)
    cards = select(Card.id).where(Card.customer_id == Authorization.customer_id, named)
    return or_(
        Authorization.merchant_name.icontains(text, autoescape=True),
        Authorization.card_id.in_(cards),
    )


def _midnight(day: date) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00")


def _write(row: Any, *, backwards: bool = False) -> str:
    key = row.key.isoformat() if isinstance(row.key, datetime) else str(row.key)
    told = msgspec.json.encode(_Written(key, row.id, backwards))
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _read(place: str, order: Order) -> Place | None:
    if not place:
        return None
    try:
        told = base64.urlsafe_b64decode(place + "=" * (-len(place) % 4))
        written = msgspec.json.decode(told, type=_Written)
        return Place(_key(written.key, order), written.id, written.backwards)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def _key(written: str, order: Order) -> str | int | datetime:
    """Read what a list is sorted by. Raises ValueError, also for what the database cannot hold."""
    found: str | int | datetime
    match order:
        case Order.MERCHANT:
            found = written
            possible = "\x00" not in written
        case Order.LARGEST | Order.SMALLEST:
            found = int(written)
            possible = abs(found) <= LARGEST
        case _:
            found = datetime.fromisoformat(written)
            possible = is_known(found) and found.tzinfo is not None
    if not possible:
        raise ValueError(written)
    return found


async def own_purchase(
    session: AsyncSession, customer_id: UUID, purchase_id: UUID
) -> Authorization:
    """Give a customer's purchase. Raises PurchaseNotFound, for another customer's one too."""
    purchase = await session.get(Authorization, purchase_id)
    if purchase is None or purchase.customer_id != customer_id:
        raise PurchaseNotFound("There is no such purchase.")
    return purchase
