"""The figures and tables of the home of support."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from app.admin.pages.figures import Figure, against_share, percent
from app.admin.pages.periods import Period
from app.admin.views.purchases import DECIDERS
from app.admin.wording import amount
from app.domain.issuing.decline_figures import ReasonDeclines
from app.domain.issuing.explanation import Decider
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.reports import Answers


class Deciders(msgspec.Struct, frozen=True):
    """Declines by whose decision they were."""

    name: str
    title: str
    count: int
    amount_minor: int

    @staticmethod
    def of(reasons: Sequence[ReasonDeclines]) -> list["Deciders"]:
        """Add up the declines of each decider, the most first; those with none are left out."""
        found = []
        for name, (title, members) in DECIDERS.items():
            theirs = [one for one in reasons if one.reason in members]
            count = sum(one.count for one in theirs)
            if count:
                minor = sum(one.amount_minor for one in theirs)
                found.append(Deciders(name, title, count, minor))
        return sorted(found, key=lambda one: -one.count)


class Counted(msgspec.Struct, frozen=True):
    """What was counted; `lost_minor` is None for whoever may not see totals."""

    answers: Answers
    before: Answers
    reasons: Sequence[ReasonDeclines]
    lost_minor: int | None
    active_cards: int

    @property
    def declined(self) -> int:
        return sum(one.count for one in self.reasons)

    @property
    def ours(self) -> int:
        """Count what was neither the customer's setting nor anybody else's decision."""
        us = [one for one in self.reasons if EXPLANATIONS[one.reason].decided_by is Decider.US]
        return sum(one.count for one in us)


def figures(one: Counted, period: Period, zone: ZoneInfo) -> list[Figure]:
    """Give the figures on top."""
    days = f"{period.in_words}, {zone.key}"
    query = f"time_from={period.first}&time_to={period.last}"
    answers = one.answers
    overruled = f"; Stripe declined {answers.overruled:,} more" if answers.overruled else ""
    found = [
        Figure(
            "Approval rate",
            percent(answers.rate),
            f"/admin/requests/list?{query}",
            f"{answers.approved:,} of {answers.all:,} requests approved{overruled}, {days}."
            " Source: requests.",
            than=against_share(answers.rate, one.before.rate),
            tone="good",
        ),
        Figure(
            "Declined",
            f"{one.declined:,}",
            f"/admin/declines/list?{query}",
            f"Requests with a reason, {days}. Source: requests.",
        ),
        Figure(
            "Our own decisions",
            f"{one.ours:,}",
            f"/admin/declines/list?{query}&decided_by=us",
            f"Declined by us: not by a setting, a bank, Stripe or a merchant, {days}."
            " Source: requests.",
            tone="warn" if one.ours else "",
        ),
        Figure(
            "Active cards",
            f"{one.active_cards:,}",
            "/admin/cards/list?state=active",
            "Now. Source: cards.",
        ),
    ]
    if one.lost_minor is not None:
        found.insert(2, _lost(one.lost_minor, query, days))
    return found


def _lost(minor: int, query: str, days: str) -> Figure:
    return Figure(
        "Fees not earned",
        amount(minor),
        f"/admin/declines/list?{query}",
        f"What the declined amounts would have brought by the price of then, {days}. Source:"
        " requests, prices.",
    )
