"""The figures of the home of finance, each with its source and where its rows are."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.admin.pages.books import Age, by_age
from app.admin.pages.figures import Figure, against, against_share, percent
from app.admin.pages.periods import Period
from app.admin.wording import amount, moment
from app.domain.issuing.glance import (
    NEAR,
    Exposure,
    Float,
    Lapsing,
    Moved,
    Unexplained,
    exposure,
    float_now,
    lapsing,
    unexplained,
)
from app.domain.issuing.profit import ProfitRow
from app.domain.issuing.reports import Answers
from app.domain.ledger.accounts import Account
from app.domain.ledger.rollups import totals

FEW_DAYS = 5.0
"""A bank's transfer to Stripe takes up to as many: with less left it is late to send one."""
LONGEST_SAID_DAYS = 9999.0


class Compared(msgspec.Struct, frozen=True):
    """A period, and the one before it."""

    rows: list[ProfitRow]
    profit: ProfitRow
    before: ProfitRow
    moved: Moved
    moved_before: Moved
    answers: Answers
    answers_before: Answers
    # What merchants took, by day.
    captured: dict[str, int]


class AtRisk(msgspec.Struct, frozen=True):
    """How it stands now, whatever the period."""

    now: datetime
    expected_minor: int
    float: Float
    exposure: Exposure
    lapsing: Lapsing
    unexplained: Unexplained
    ages: list[Age]


async def read_risks(session: AsyncSession, now: datetime, zone: ZoneInfo) -> AtRisk:
    balances = await totals(session)
    deferred = -sum(one.net_minor for one in balances if one.account is Account.DEFERRED_FEE)
    return AtRisk(
        now,
        deferred,
        await float_now(session, now),
        await exposure(session),
        await lapsing(session, now),
        await unexplained(session),
        await by_age(session, now.astimezone(zone).date(), zone),
    )


def earned(one: Compared, at_risk: AtRisk, period: Period, zone: ZoneInfo) -> list[Figure]:
    """Give what the period earned and cost, against the period before."""
    days = f"{period.in_words}, {zone.key}"
    accounts = f"/admin/profit/accounts?from={period.first}&to={period.last}&by=day"
    query = f"time_from={period.first}&time_to={period.last}"
    entries = f"/admin/entries/list?layer=posted&{query}&account="
    now, before = one.profit, one.before
    net = Figure(
        "Net profit",
        amount(now.net_minor),
        accounts,
        f"Gross less all costs, {days}. Source: journals, accounts 4000 to 5120.",
        than=against(now.net_minor, before.net_minor),
        tone="bad" if now.net_minor < 0 else "good",
    )
    gross = Figure(
        "Earned, gross",
        amount(now.gross_minor),
        accounts,
        f"Fees on captures less fees returned, {days}. Source: journals, 4000 to 4100.",
        than=against(now.gross_minor, before.gross_minor),
    )
    expected = Figure(
        "Still expected",
        amount(at_risk.expected_minor),
        f"/admin/entries/list?account={Account.DEFERRED_FEE.value}",
        "Fees on open purchases now, of any day. Not profit yet. Source: account 2300.",
        tone="apart",
    )
    return [net, gross, expected, *_traffic(one, query, days), *_costs(one, entries, days)]


def risks(one: AtRisk, zone: ZoneInfo) -> list[Figure]:
    """Give what is at risk now."""
    owed = sum(age.outstanding_minor for age in one.ages)
    debts = sum(age.count for age in one.ages)
    unexplained_ones = Figure(
        "Unexplained difference with Stripe",
        amount(one.unexplained.net_minor),
        "/admin/balance-transactions/list?matched=no",
        f"{one.unexplained.movements:,} movements at Stripe that no journal has, now."
        " Source: Stripe's balance transactions.",
        tone="bad" if one.unexplained.movements else "good",
    )
    owing = Figure(
        "Owed by customers",
        amount(owed),
        "/admin/receivables/list?state=open",
        f"{debts:,} open receivables now. Source: receivables.",
        tone="warn" if owed else "",
    )
    exposed = Figure(
        "Approved, not captured",
        amount(one.exposure.approved_minor),
        "/admin/purchases/list?answer=approved&state=pending",
        f"{one.exposure.purchases:,} open purchases now; {amount(one.exposure.held_minor)} is held"
        f" for them in {one.exposure.holds:,} holds. Source: requests, charges.",
    )
    return [_float(one, zone), unexplained_ones, owing, exposed, _lapsing(one, zone)]


def _traffic(one: Compared, query: str, days: str) -> list[Figure]:
    captures = f"/admin/transactions/list?kind=capture&{query}"
    volume, before = one.moved.captured_minor, one.moved_before.captured_minor
    share = _share(one.profit.gross_minor, volume)
    return [
        Figure(
            "Volume",
            amount(volume),
            captures,
            f"{one.moved.captures:,} captures by merchants, {days}. Source: card transactions.",
            than=against(volume, before),
        ),
        Figure(
            "Take rate",
            percent(share, 2),
            captures,
            f"Gross profit of volume, {days}.",
            than=against_share(share, _share(one.before.gross_minor, before)),
        ),
        Figure(
            "Approval rate",
            percent(one.answers.rate),
            f"/admin/requests/list?{query}",
            f"{one.answers.approved:,} of {one.answers.all:,} requests, {days}. Source: requests.",
            than=against_share(one.answers.rate, one.answers_before.rate),
        ),
    ]


def _costs(one: Compared, entries: str, days: str) -> list[Figure]:
    now, before = one.profit, one.before
    return [
        Figure(
            "Stripe's fees",
            amount(_fees(now)),
            entries + Account.PROCESSING_FEES.value,
            f"Processing, disputes and issuing, {days}. Source: journals, 5000 to 5020.",
            than=against(_fees(now), _fees(before), more_is_good=False),
        ),
        Figure(
            "Cost of refunds",
            amount(_refunds(now)),
            entries + Account.FEE_RETURNED.value,
            f"Fees returned, and Stripe's on charges that did not stand, {days}."
            " Source: journals, 4010 and 5030.",
            than=against(_refunds(now), _refunds(before), more_is_good=False),
        ),
    ]


def _float(one: AtRisk, zone: ZoneInfo) -> Figure:
    left, lasts = one.float.days, "as long as nothing is bought"
    if left is not None:
        until = one.now + timedelta(days=min(left, LONGEST_SAID_DAYS))
        lasts = f"{left:,.1f} days, until {moment(until, zone)[:10]}"
    return Figure(
        "Float",
        amount(one.float.available_minor),
        f"/admin/entries/list?account={Account.ISSUING_BALANCE.value}",
        f"Lasts {lasts}, at {amount(one.float.daily_minor)} a day as approved in the last 7 days."
        " Source: account 1020, requests.",
        tone="warn" if left is not None and left < FEW_DAYS else "",
    )


def _lapsing(one: AtRisk, zone: ZoneInfo) -> Figure:
    last = (one.now + NEAR).astimezone(zone).date()
    first = f", the first {moment(one.lapsing.first_at, zone)[:16]}" if one.lapsing.holds else ""
    holds = "1 hold ends" if one.lapsing.holds == 1 else f"{one.lapsing.holds:,} holds end"
    return Figure(
        "Holds near lapse",
        amount(one.lapsing.held_minor),
        f"/admin/charges/list?state=held&lapses_to={last}",
        f"{holds} within 36 hours{first}. Source: charges.",
        tone="warn" if one.lapsing.holds else "",
    )


def _fees(row: ProfitRow) -> int:
    return row.processing_minor + row.dispute_fees_minor + row.issuing_fees_minor


def _refunds(row: ProfitRow) -> int:
    return row.returned_minor + row.ghost_fees_minor


def _share(part_minor: int, whole_minor: int) -> float | None:
    return part_minor / whole_minor if whole_minor > 0 else None
