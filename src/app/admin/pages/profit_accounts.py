"""Profit account by account: what was earned in a period, what it cost, what is still to come."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import urlencode

import msgspec
from sqladmin import expose
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.office_page import OfficePage, parts_of, zone_of
from app.admin.pages.periods import Period, UnreadablePeriod, periods, read_period
from app.admin.views.listing import CANCELED, LONGEST_QUERY, TOO_LONG
from app.domain.issuing.profit import SIGNED, By, ExpectedRow, ProfitRow, expected, profit, total
from app.domain.ledger.accounts import NAMES, Account, AccountKind, kind_of
from app.errors import AppError

ALWAYS = frozenset({Account.FEE_REVENUE, Account.FEE_RETURNED, Account.PROCESSING_FEES})
TITLES = {
    By.DAY: "Day",
    By.FUNDING: "Kind of linked card",
    By.CATEGORY: "Category",
    By.CUSTOMER: "Customer",
    By.COUNTRY: "Merchant's country",
    By.SIZE: "Size",
}


class Column(msgspec.Struct, frozen=True):
    """A figure of the rows, and its account."""

    field: str
    account: Account
    earns: bool

    @property
    def title(self) -> str:
        return NAMES[self.account]


class ProfitAccountsPage(OfficePage):
    """`/admin/profit/accounts`."""

    name = "Profit by account"
    view = "profit"

    @expose("/profit/accounts", methods=["GET"], identity="profit-accounts")
    async def profit_accounts(self, request: Request) -> Response:
        parts, zone = parts_of(request), zone_of(request)
        given, today = request.query_params, parts.clock.now().astimezone(zone).date()
        problem: AppError | None = None
        period, by = Period(today.replace(day=1), today), By.DAY
        try:
            period, by = read_period(given, period), read_by(given)
        except UnreadablePeriod as refusal:
            problem = refusal
        since, until = period.bounds(zone)
        rows: list[ProfitRow] = []
        async with parts.sessions() as session:
            to_come = await expected(session, by=by, zone=zone)
            try:
                await session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_QUERY}'"))
                rows = await profit(session, since=since, until=until, by=by, zone=zone)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != CANCELED:
                    raise
                problem = UnreadablePeriod(TOO_LONG)
        told = {
            "rows": rows,
            "total": total(rows),
            "columns": columns(rows),
            "to_come": to_come,
            "expected_minor": sum(row.fee_minor for row in to_come),
            "expected_purchases": sum(row.purchases for row in to_come),
            "period": period,
            "by": by,
            "titles": TITLES,
            "periods": periods(today),
            "typed": given,
            "problem": problem,
            "behind": Behind(period, by),
        }
        return await self.show(
            request, "profit_accounts.html", told, problem.status_code if problem else 200
        )


class Behind(msgspec.Struct, frozen=True):
    """Where the rows behind each number are."""

    period: Period
    by: By

    def figure(self, row: ProfitRow | None, account: Account) -> str:
        """Give the address of an account's postings of a row, or of all rows."""
        days = (self.period.first, self.period.last)
        if row is not None and self.by is By.DAY:
            days = (date.fromisoformat(row.key), date.fromisoformat(row.key))
        query = {"account": account.value, "layer": "posted"}
        query |= {"time_from": f"{days[0]}", "time_to": f"{days[1]}"}
        return "/admin/entries/list?" + urlencode(query | self._trait(row))

    def to_come(self, row: ExpectedRow | None) -> str:
        """Give the address of what makes up a fee that is still to come."""
        if row is not None and self.by is By.DAY:
            days = {"time_from": row.key, "time_to": row.key}
            return "/admin/purchases/list?" + urlencode({"answer": "approved"} | days)
        query = {"account": Account.DEFERRED_FEE.value} | self._trait(row)
        return "/admin/entries/list?" + urlencode(query)

    def _trait(self, row: ProfitRow | ExpectedRow | None) -> dict[str, str]:
        if row is None or self.by is By.DAY:
            return {}
        return {self.by.value: row.key}


def columns(rows: Sequence[ProfitRow]) -> list[Column]:
    """Give the figures that are shown: those of every business, and others where there are any."""
    return [
        Column(field, account, kind_of(account) is AccountKind.INCOME)
        for field, (account, _) in SIGNED.items()
        if account in ALWAYS or any(getattr(row, field) for row in rows)
    ]


def read_by(given: QueryParams) -> By:
    wanted = given.get("by", "") or By.DAY
    if wanted not in set(By):
        raise UnreadablePeriod(f"“{wanted[:20]}” is not one of {', '.join(By)}.")
    return By(wanted)
