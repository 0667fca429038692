"""What a rule would have changed: a draft over recorded requests, a shadow rule by its record."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.control_models import FlightRecord
from app.domain.issuing.decision import REFUSED, Decline, Fund, Verdict, decide
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.facts import Facts, Scope, WindowUsage
from app.domain.issuing.flight import read_record
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.domain.issuing.replay import always, count_missing
from app.domain.issuing.rules import Rule, RuleMode, windows_of
from app.domain.issuing.states import RequestState

READ_AT_ONCE = 200
EXAMPLES = 5

Found = Row[AuthorizationRequest, Authorization, FlightRecord]
"""A request, its purchase and its record, which may be missing."""


class Example(msgspec.Struct, frozen=True):
    """One purchase that a rule would have changed. Amounts in minor units."""

    at: datetime
    authorization: str
    merchant_name: str
    approved_minor: int
    reason: DeclineReason


class Changed(msgspec.Struct):
    """How many approved requests a rule would have refused, what they came to, and our fee."""

    count: int = 0
    amount_minor: int = 0
    fee_minor: int = 0

    def add(self, amount_minor: int, fee_minor: int) -> None:
        self.count += 1
        self.amount_minor += amount_minor
        self.fee_minor += fee_minor


class Outcome(msgspec.Struct):
    """What a draft would have changed among the requests that were looked at."""

    looked_at: int = 0
    approved: int = 0
    # Approved, and without a record that can be decided again.
    without_record: int = 0
    # Approved for less, where the merchant takes less.
    lessened: int = 0
    # Charged to another linked card than the one that paid.
    moved: int = 0
    refused: dict[DeclineReason, Changed] = {}
    # The latest of what would have been refused, oldest first.
    examples: list[Example] = []

    @property
    def total(self) -> Changed:
        found = list(self.refused.values())
        return Changed(
            sum(one.count for one in found),
            sum(one.amount_minor for one in found),
            sum(one.fee_minor for one in found),
        )


class Withdrawn(msgspec.Struct, frozen=True):
    """A purchase, or a part of one, that the draft would not have let happen."""

    at: datetime
    card_id: UUID
    amount_minor: int
    whole: bool


async def count_requests(session: AsyncSession, since: datetime) -> int:
    """Count what a backtest from a moment on will look at."""
    query = select(func.count()).where(AuthorizationRequest.requested_at >= since)
    return await session.scalar(query) or 0


async def backtest(
    session: AsyncSession, rule: Rule, since: datetime, progress: Callable[[int], None]
) -> Outcome:
    """Decide recorded requests again, oldest first, as though the rule had always refused.

    What it would have refused does not count against later purchases. `progress` is told how many
    requests have been looked at. Reads in parts; a month need not fit into memory.
    """
    tested = Tested(always(msgspec.structs.replace(rule, mode=RuleMode.ENFORCED)))
    async for part in _parts(session, since):
        await tested.look_at(session, part)
        progress(tested.outcome.looked_at)
    return tested.outcome


class Tested:
    """A rule as it is tried on one part of the requests after another."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.outcome = Outcome()
        longest = max((window.minutes for window in windows_of([rule])), default=0)
        self.remembers = timedelta(minutes=longest)
        self.withdrawn: defaultdict[UUID, deque[Withdrawn]] = defaultdict(deque)
        self.refused: dict[UUID, DeclineReason] = {}

    async def look_at(self, session: AsyncSession, part: Sequence[Found]) -> None:
        """Take the next requests, in order."""
        approved = [row for row in part if _stands(row[0])]
        read = {row[0].id: read_record(row[2]) if row[2] else None for row in approved}
        facts = {key: one[0] for key, one in read.items() if one is not None}
        facts = await count_missing(session, facts, [self.rule])
        self.outcome.looked_at += len(part)
        self.outcome.approved += len(approved)
        for request, purchase, _ in approved:
            known = facts.get(request.id)
            if known is None or known.card is None or known.customer is None:
                self.outcome.without_record += 1
            else:
                self._decide(request, purchase, known)

    def _decide(self, request: AuthorizationRequest, purchase: Authorization, facts: Facts) -> None:
        assert facts.customer is not None
        assert facts.card is not None
        minor = request.approved_minor or 0
        gone = self.withdrawn[facts.customer.id]
        while gone and gone[0].at < facts.at - self.remembers:
            gone.popleft()
        if purchase.id in self.refused:
            # What would have been refused could not have grown.
            self._refuse(request, purchase, facts, self.refused[purchase.id])
            return
        decided = decide(_without(facts, gone), [self.rule])
        match decided.decision:
            case Decline(reason) if self._is_mine(decided.verdicts, reason):
                self._refuse(request, purchase, facts, reason)
            case Fund(approved_minor=less) if less < minor:
                self.outcome.lessened += 1
                gone.append(Withdrawn(facts.at, facts.card.id, minor - less, whole=False))
            case Fund(sources=sources):
                self.outcome.moved += sources[0].id != facts.sources[0].id
            case _:
                pass

    def _refuse(
        self,
        request: AuthorizationRequest,
        purchase: Authorization,
        facts: Facts,
        reason: DeclineReason,
    ) -> None:
        assert facts.customer is not None
        assert facts.card is not None
        minor = request.approved_minor or 0
        self.refused[purchase.id] = reason
        self.outcome.refused.setdefault(reason, Changed()).add(minor, request.fee_minor)
        name = purchase.stripe_authorization_id
        example = Example(facts.at, name, purchase.merchant_name, minor, reason)
        self.outcome.examples = [*self.outcome.examples, example][-EXAMPLES:]
        whole = facts.approved_before_minor == 0 and minor > 0
        self.withdrawn[facts.customer.id].append(
            Withdrawn(facts.at, facts.card.id, minor, whole=whole)
        )

    def _is_mine(self, verdicts: Sequence[Verdict], reason: DeclineReason) -> bool:
        """Whether it is the rule that refuses, and not a check that has changed since then."""
        refused = next(verdict for verdict in verdicts if verdict.verdict == REFUSED)
        return refused.rule == self.rule.id or reason is DeclineReason.STOPPED_FUNDING


def _without(facts: Facts, gone: Sequence[Withdrawn]) -> Facts:
    """Take out of the windows what would not have happened."""
    if not gone:
        return facts
    windows = [_less(facts, window, gone) for window in facts.usage.windows]
    usage = msgspec.structs.replace(facts.usage, windows=windows)
    return msgspec.structs.replace(facts, usage=usage)


def _less(facts: Facts, window: WindowUsage, gone: Sequence[Withdrawn]) -> WindowUsage:
    assert facts.card is not None
    since, wide = facts.at - timedelta(minutes=window.minutes), window.scope is Scope.CUSTOMER
    inside = [g for g in gone if g.at >= since and (wide or g.card_id == facts.card.id)]
    return msgspec.structs.replace(
        window,
        purchases=max(0, window.purchases - sum(one.whole for one in inside)),
        amount_minor=max(0, window.amount_minor - sum(one.amount_minor for one in inside)),
    )


def _stands(request: AuthorizationRequest) -> bool:
    return request.state is RequestState.APPROVED and request.stripe_approved is not False


async def _parts(session: AsyncSession, since: datetime) -> AsyncIterator[Sequence[Found]]:
    """Give the requests since a moment with their records, oldest first, through a cursor."""
    query = (
        select(AuthorizationRequest, Authorization, FlightRecord)
        .join(Authorization, Authorization.id == AuthorizationRequest.authorization_id)
        .outerjoin(FlightRecord, FlightRecord.request_id == AuthorizationRequest.id)
        .where(AuthorizationRequest.requested_at >= since)
        .order_by(AuthorizationRequest.requested_at, AuthorizationRequest.id)
        .execution_options(yield_per=READ_AT_ONCE)
    )
    streamed = await session.stream(query)
    async for part in streamed.partitions():
        yield part
