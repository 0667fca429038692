"""The home of finance: what was made, what it cost, what is at risk, and where each comes from."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from sqladmin import expose
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.charts import Chart, Series, Slots, drawn
from app.admin.pages.office_page import OfficePage, parts_of, zone_of
from app.admin.pages.periods import (
    Period,
    UnreadablePeriod,
    last_days,
    periods,
    read_period,
)
from app.admin.pages.profit_accounts import TITLES
from app.admin.pages.profit_figures import Compared, earned, read_risks, risks
from app.admin.pages.queues import waiting
from app.admin.pages.standing import standing_of
from app.domain.issuing.profit import By, ProfitRow, profit, total
from app.domain.issuing.reports import Span
from app.domain.issuing.traffic import answers, moved, traffic
from app.money import readable

USUAL_DAYS = 7
SPLITS = (By.FUNDING, By.SIZE, By.CATEGORY, By.COUNTRY)
SHOWN_OF_SPLIT = 8


class Split(msgspec.Struct, frozen=True):
    """What each key of one kind earned and cost; the lowest net first."""

    by: By
    title: str
    rows: list[ProfitRow]
    more: int


class ProfitPage(OfficePage):
    """`/admin/profit`."""

    name = "Profit"
    view = "profit"

    @expose("/profit", methods=["GET"], identity="profit")
    async def profit(self, request: Request) -> Response:
        told, status = await told_of_profit(request)
        return await self.show(request, "profit.html", told, status)


async def told_of_profit(request: Request) -> tuple[dict[str, Any], int]:
    """Give what the template needs, and the answer's status."""
    zone, now = zone_of(request), parts_of(request).clock.now()
    today = now.astimezone(zone).date()
    period, problem = last_days(today, USUAL_DAYS), None
    try:
        period = read_period(request.query_params, period)
    except UnreadablePeriod as refusal:
        problem = refusal
    async with parts_of(request).sessions() as session:
        compared = await compare(session, period, zone)
        at_risk = await read_risks(session, now, zone)
        splits = [await split(session, by, period, zone) for by in SPLITS]
        queues = await waiting(session, request.state.staff, 0)
    told = {
        "period": period,
        "periods": periods(today),
        "problem": problem,
        "typed": request.query_params,
        "earned": earned(compared, at_risk, period, zone),
        "risks": risks(at_risk, zone),
        "ages": at_risk.ages,
        "profit_chart": profit_chart(by_day(compared.rows, period), period),
        "volume_chart": volume_chart(compared.captured, period),
        "splits": splits,
        "queues": queues,
    }
    return told | standing_of(request), problem.status_code if problem else 200


async def compare(session: AsyncSession, period: Period, zone: ZoneInfo) -> Compared:
    """Read a period and the one before it."""
    since, until = period.bounds(zone)
    earlier = period.before.bounds(zone)
    rows = await profit(session, since=since, until=until, by=By.DAY, zone=zone)
    before = await profit(session, since=earlier[0], until=earlier[1], by=By.DAY, zone=zone)
    days = await traffic(session, Span(earlier[0], until), zone)
    now = [day for day in days if day.start.date() >= period.first]
    then = [day for day in days if day.start.date() < period.first]
    return Compared(
        rows,
        total(rows),
        total(before),
        moved(now),
        moved(then),
        answers(now),
        answers(then),
        {day.start.date().isoformat(): day.captured_minor for day in now},
    )


async def split(session: AsyncSession, by: By, period: Period, zone: ZoneInfo) -> Split:
    since, until = period.bounds(zone)
    rows = await profit(session, since=since, until=until, by=by, zone=zone)
    rows.sort(key=lambda row: row.net_minor)
    shown = rows[:SHOWN_OF_SPLIT]
    return Split(by, TITLES[by], shown, len(rows) - len(shown))


def by_day(rows: list[ProfitRow], period: Period) -> list[ProfitRow]:
    """Give a row for each day of the period, also where nothing happened."""
    known = {row.key: row for row in rows}
    return [known.get(day, ProfitRow(day, day)) for day in _days(period)]


def profit_chart(days: list[ProfitRow], period: Period) -> Chart:
    return drawn(
        "Gross and net profit by day, USD",
        slots(period, "/admin/profit/accounts?"),
        [
            Series("gross", "gross", [row.gross_minor for row in days]),
            Series("net", "net", [row.net_minor for row in days]),
        ],
        readable,
    )


def volume_chart(captured: dict[str, int], period: Period) -> Chart:
    return drawn(
        "Volume by day: what merchants took, USD",
        Slots(
            [day[5:] for day in _days(period)],
            [
                "/admin/transactions/list?"
                + urlencode({"kind": "capture", "time_from": day, "time_to": day})
                for day in _days(period)
            ],
        ),
        [Series("volume", "volume", [captured.get(day, 0) for day in _days(period)])],
        readable,
    )


def slots(period: Period, address: str) -> Slots:
    """Give the days of a period, each leading to an address that takes `from` and `to`."""
    days = _days(period)
    return Slots([day[5:] for day in days], [f"{address}from={day}&to={day}" for day in days])


def _days(period: Period) -> list[str]:
    return [(period.first + timedelta(days=n)).isoformat() for n in range(period.days)]
