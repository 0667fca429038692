"""The books as a whole: the trial balance as of a moment, and what customers owe by its age."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqladmin import expose
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.office_page import OfficePage, parts_of, zone_of
from app.admin.views.owed import opened_between
from app.days import is_known
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import ReceivableState
from app.domain.ledger.accounts import CLEARING, NAMES, AccountKind, kind_of
from app.domain.ledger.balances import Balance
from app.domain.ledger.rollups import balances_before
from app.errors import AppError

AGES: Sequence[tuple[str, int, int | None]] = (
    ("0 to 7 days", 0, 7),
    ("8 to 30 days", 8, 30),
    ("31 to 60 days", 31, 60),
    ("61 to 90 days", 61, 90),
    ("over 90 days", 91, None),
)
A_MOMENT_MORE = timedelta(seconds=2)
"""Stripe's clock and ours differ by less; without it the newest journals could be left out."""


class UnreadableMoment(AppError, status=422):
    """What was typed is not a moment."""


class Line(msgspec.Struct, frozen=True):
    """An account in the trial balance."""

    code: str
    name: str
    kind: AccountKind
    clearing: bool
    debit_minor: int
    credit_minor: int

    @property
    def net_minor(self) -> int:
        return self.debit_minor - self.credit_minor


class Section(msgspec.Struct, frozen=True):
    """One layer in one currency, with its sums."""

    layer: str
    currency: str
    lines: list[Line]

    @property
    def debit_minor(self) -> int:
        return sum(line.debit_minor for line in self.lines)

    @property
    def credit_minor(self) -> int:
        return sum(line.credit_minor for line in self.lines)

    @property
    def net_minor(self) -> int:
        return self.debit_minor - self.credit_minor


class Age(msgspec.Struct, frozen=True):
    """Open debts of an age, and where they are listed."""

    title: str
    count: int
    outstanding_minor: int
    customers: int
    href: str


class TrialBalancePage(OfficePage):
    """`/admin/trial-balance`: every account with what it was debited and credited."""

    name = "Trial balance"
    view = "trial-balance"

    @expose("/trial-balance", methods=["GET"], identity="trial-balance")
    async def trial_balance(self, request: Request) -> Response:
        zone, now = zone_of(request), parts_of(request).clock.now()
        typed = request.query_params.get("at", "").strip()
        problem: AppError | None = None
        moment, sections = now, []
        try:
            moment = read_moment(typed, zone) if typed else now
            async with parts_of(request).sessions() as session:
                before = moment if typed else now + A_MOMENT_MORE
                sections = by_layer(await balances_before(session, before, zone))
        except UnreadableMoment as refusal:
            problem = refusal
        told = {
            "sections": sections,
            "moment": moment,
            "typed": typed,
            # A list's days are whole ones, so an account's postings are those up to that day.
            "last_day": moment.astimezone(zone).date() if typed and not problem else None,
            "problem": problem,
        }
        status = problem.status_code if problem else 200
        return await self.show(request, "trial_balance.html", told, status)


class ReceivablesByAgePage(OfficePage):
    """`/admin/receivables-by-age`: how long customers have owed what they owe."""

    name = "Receivables by age"
    view = "receivables-by-age"

    @expose("/receivables-by-age", methods=["GET"], identity="receivables-by-age")
    async def receivables_by_age(self, request: Request) -> Response:
        parts, zone = parts_of(request), zone_of(request)
        today = parts.clock.now().astimezone(zone).date()
        async with parts.sessions() as session:
            ages = await by_age(session, today, zone)
        return await self.show(request, "receivables_by_age.html", {"ages": ages, "today": today})


def read_moment(typed: str, zone: ZoneInfo) -> datetime:
    """Read a moment like 2026-11-24T14:02, of the business's zone where it does not say another.

    Raises UnreadableMoment.
    """
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or not is_known(found):
        raise UnreadableMoment(f"“{typed[:20]}” is not a moment like 2026-11-24 14:02.")
    return found if found.tzinfo else found.replace(tzinfo=zone)


def by_layer(balances: Sequence[Balance]) -> list[Section]:
    """Group balances by layer and currency, what has moved first, accounts by their codes."""
    sections: dict[tuple[str, str], Section] = {}
    for one in balances:
        key = (one.layer.value, one.currency)
        section = sections.setdefault(key, Section(*key, lines=[]))
        section.lines.append(_line(one))
    return list(sections.values())


def _line(one: Balance) -> Line:
    return Line(
        one.account.value,
        NAMES[one.account],
        kind_of(one.account),
        one.account in CLEARING,
        one.debit_minor,
        one.credit_minor,
    )


async def by_age(session: AsyncSession, today: date, zone: ZoneInfo) -> list[Age]:
    """Sum the open debts by how many of the business's days they have been open."""
    opened = func.date(func.timezone(zone.key, Receivable.opened_at))
    ages = []
    for title, least, most in AGES:
        # What a clock that runs ahead has opened tomorrow is of today.
        last = today - timedelta(days=least) if least else None
        first = None if most is None else today - timedelta(days=most)
        statement = select(
            func.count(),
            func.coalesce(func.sum(Receivable.amount_minor - Receivable.lowered_minor), 0),
            func.count(Receivable.customer_id.distinct()),
        ).where(Receivable.state == ReceivableState.OPEN)
        if last is not None:
            statement = statement.where(opened <= last)
        if first is not None:
            statement = statement.where(opened >= first)
        count, outstanding, customers = (await session.execute(statement)).one()
        href = opened_between(first, last)
        ages.append(Age(title, count, int(outstanding), customers, href))
    return ages
