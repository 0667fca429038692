"""The home of support: what is declined, why, whose decision it was, and what waits."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqladmin import expose
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.charts import Chart, Series, Slots, drawn
from app.admin.pages.decline_tables import Counted, Deciders, figures
from app.admin.pages.office_page import OfficePage, parts_of, zone_of
from app.admin.pages.periods import (
    Period,
    UnreadablePeriod,
    last_days,
    periods,
    read_period,
)
from app.admin.pages.queues import waiting
from app.admin.pages.standing import standing_of
from app.admin.permissions import TOTALS, allowed
from app.db import Sessions
from app.domain.issuing import decline_figures, reports
from app.domain.issuing.decline_figures import Declines, Hour, Tally
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.reports import Span
from app.domain.issuing.traffic import Traffic, Unit, answers, traffic

Read = TypeVar("Read")
Counts = tuple[list[Traffic], Tally, list[Declines]]
USUAL_DAYS = 7
RECENT = 12
MOST = 8
"""Of merchants, banks and customers with the most declines."""
HOURS_OF_DAYS = 3
"""Up to as many days are shown hour by hour, more by the hour of the day."""


class DeclinesPage(OfficePage):
    """`/admin/declines`."""

    name = "Declines"
    view = "declines"

    @expose("/declines", methods=["GET"], identity="declines-home")
    async def declines(self, request: Request) -> Response:
        told, status = await told_of_declines(request)
        return await self.show(request, "declines.html", told, status)


async def told_of_declines(request: Request) -> tuple[dict[str, Any], int]:
    """Give what the template needs, and the answer's status."""
    zone = zone_of(request)
    today = parts_of(request).clock.now().astimezone(zone).date()
    period, problem = last_days(today, USUAL_DAYS), None
    try:
        period = read_period(request.query_params, period)
    except UnreadablePeriod as refusal:
        problem = refusal
    counts = await _counted(parts_of(request).sessions, period, zone)
    async with parts_of(request).sessions() as session:
        told = await _read(request, session, period, zone, counts)
        told["queues"] = await waiting(session, request.state.staff, 0)
        told["recent"] = await reports.recent_purchases(session, RECENT)
    told |= {
        "period": period,
        "periods": periods(today),
        "typed": request.query_params,
        "problem": problem,
        "explanations": EXPLANATIONS,
    }
    return told | standing_of(request), problem.status_code if problem else 200


async def _counted(sessions: Sessions, period: Period, zone: ZoneInfo) -> Counts:
    """Read at once what takes long over many days, each on a connection of its own.

    Before the page holds a connection: pages that wait for more while they do would all wait.
    """
    span = period.span(zone)
    both = Span(period.before.span(zone).start, span.end)

    async def apart(read: Callable[[AsyncSession], Awaitable[Read]]) -> Read:
        async with sessions() as session:
            return await read(session)

    return await asyncio.gather(
        apart(lambda session: traffic(session, both, zone, Unit.HOUR)),
        apart(lambda session: decline_figures.tally(session, span, MOST)),
        apart(lambda session: decline_figures.by_bank(session, span, MOST)),
    )


async def _read(
    request: Request, session: AsyncSession, period: Period, zone: ZoneInfo, counts: Counts
) -> dict[str, Any]:
    told, tally, banks = counts
    now = [hour for hour in told if hour.start.date() >= period.first]
    before = [hour for hour in told if hour.start.date() < period.first]
    hours = decline_figures.by_hour(now)
    reasons = tally.reasons
    lost = None
    if allowed(request.state.staff, "home", TOTALS):
        lost = await decline_figures.lost_fees(session, period.span(zone), reasons)
    active = await reports.active_cards(session)
    return {
        "figures": figures(
            Counted(answers(now), answers(before), reasons, lost, active), period, zone
        ),
        "reasons": reasons,
        "deciders": Deciders.of(reasons),
        "day_chart": day_chart(hours, period),
        "hour_chart": hour_chart(hours, period),
        "worst_hours": worst(hours),
        "merchants": tally.merchants,
        "banks": banks,
        "customers": tally.customers,
    }


def day_chart(hours: list[Hour], period: Period) -> Chart:
    """Draw what was asked and what of it was declined, day by day."""
    asked, declined = defaultdict[str, int](int), defaultdict[str, int](int)
    for hour in hours:
        asked[hour.start.date().isoformat()] += hour.all
        declined[hour.start.date().isoformat()] += hour.declined
    days = [(period.first + timedelta(days=n)).isoformat() for n in range(period.days)]
    return drawn(
        "Requests and declines by day",
        Slots([day[5:] for day in days], [_requests(day, day) for day in days]),
        [
            Series("asked", "requests", [asked[day] for day in days]),
            Series("declined", "declined", [declined[day] for day in days]),
        ],
        _count,
    )


def hour_chart(hours: list[Hour], period: Period) -> Chart:
    """Draw declines hour by hour, or by the hour of the day where there are many days."""
    declined = defaultdict[str, int](int)
    long = period.days > HOURS_OF_DAYS
    for hour in hours:
        declined[f"{hour.start:%H}" if long else f"{hour.start:%m-%d %H}"] += hour.declined
    labels = [f"{n:02}" for n in range(24)]
    if not long:
        labels = [
            f"{period.first + timedelta(days=n):%m-%d} {hour:02}"
            for n in range(period.days)
            for hour in range(24)
        ]
    address = _declines(period.first, period.last)
    return drawn(
        "Declines by hour of the day" if long else "Declines by hour",
        Slots([label[-2:] for label in labels], [address] * len(labels)),
        [Series("declined", "declined", [declined[label] for label in labels])],
        _count,
    )


def worst(hours: list[Hour], most: int = 5) -> list[tuple[Hour, datetime, str]]:
    """Give the hours with the most declines, each with its end and where they are listed."""
    ranked = sorted(hours, key=lambda hour: (-hour.declined, hour.start))
    return [
        (hour, hour.start + timedelta(hours=1), _declines(hour.start.date(), hour.start.date()))
        for hour in ranked[:most]
        if hour.declined
    ]


def _requests(first: str, last: str) -> str:
    return "/admin/requests/list?" + urlencode({"time_from": first, "time_to": last})


def _declines(first: date, last: date) -> str:
    return f"/admin/declines/list?time_from={first}&time_to={last}"


def _count(value: int) -> str:
    return f"{value:,}"
