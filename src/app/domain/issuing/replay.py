"""Decides again what was decided before: today's program and rules on what was known then."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.decision import REFUSED, Decided, Decline, Fund, Verdict, decide
from app.domain.issuing.decision_store import UNCOUNTED, Counted
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.facts import PROBE_MINOR, Facts, Scope, WindowUsage
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.rules import Rule, Window, windows_of
from app.domain.issuing.states import RequestState
from app.money import readable

BEGINNING_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
COUNT_AGAIN = """
SELECT request.id, usage_in_windows(
           request.customer_id, request.card_id, request.id, request.requested_at,
           ARRAY(SELECT request.requested_at - make_interval(mins => minutes)
                   FROM unnest(CAST(:minutes AS int[])) AS minutes),
           CAST(:wide AS boolean[]), CAST(:uncounted AS text[]), :probe)::text
  FROM authorization_request AS request
 WHERE request.id = ANY(:requests)
"""


class Compared(msgspec.Struct, frozen=True):
    """What one check said then and says today; None where it was not run."""

    check: str
    rule: UUID | None
    then: str | None
    today: str | None

    @property
    def same(self) -> bool:
        return self.then == self.today


class Replayed(msgspec.Struct, frozen=True):
    """A decision then and today, in words, and every check of both in today's order."""

    then: str
    today: str
    checks: list[Compared]

    @property
    def same(self) -> bool:
        return self.then == self.today


def replay(
    request: AuthorizationRequest, facts: Facts, verdicts: Sequence[Verdict], rules: Sequence[Rule]
) -> Replayed:
    """Decide on the facts by rules that are made to hold at the time of the request."""
    today = decide(facts, [always(rule) for rule in rules])
    return Replayed(
        _in_words_then(request, verdicts, _minor(today)),
        _in_words(today),
        list(_compared(verdicts, today.verdicts)),
    )


def always(rule: Rule) -> Rule:
    """Give a rule as it would be had it been in force all the time."""
    return msgspec.structs.replace(rule, effective_from=BEGINNING_OF_TIME, effective_until=None)


async def count_missing(
    session: AsyncSession, facts: dict[UUID, Facts], rules: Sequence[Rule]
) -> dict[UUID, Facts]:
    """Give facts, by the request's id, with all that the rules want counted.

    What was not counted at the time is counted from the requests as they stand now, up to the
    request's time: a purchase that was reversed since then is no longer in it.
    """
    wanted = windows_of(rules)
    lacking = {key: one for key, one in facts.items() if any(_missing(one, wanted))}
    if not lacking:
        return facts
    windows = list(dict.fromkeys(w for one in lacking.values() for w in _missing(one, wanted)))
    found = await session.execute(
        text(COUNT_AGAIN),
        {
            "minutes": [window.minutes for window in windows],
            "wide": [window.scope is Scope.CUSTOMER for window in windows],
            "uncounted": list(UNCOUNTED),
            "probe": PROBE_MINOR,
            "requests": list(lacking),
        },
    )
    counted = {key: msgspec.json.decode(told, type=list[Counted]) for key, told in found}
    return facts | {
        key: _with_windows(one, zip(windows, counted[key], strict=True))
        for key, one in lacking.items()
    }


def _missing(facts: Facts, wanted: Iterable[Window]) -> Iterator[Window]:
    return (w for w in wanted if facts.window(w.scope, w.minutes) is None)


def _with_windows(facts: Facts, counted: Iterable[tuple[Window, Counted]]) -> Facts:
    known = {(window.scope, window.minutes): window for window in facts.usage.windows}
    for window, one in counted:
        fresh = WindowUsage(window.scope, window.minutes, **msgspec.structs.asdict(one))
        known.setdefault((window.scope, window.minutes), fresh)
    usage = msgspec.structs.replace(facts.usage, windows=list(known.values()))
    return msgspec.structs.replace(facts, usage=usage)


def _in_words_then(request: AuthorizationRequest, verdicts: Sequence[Verdict], minor: int) -> str:
    """Say what the checks decided then, whatever the bank answered afterwards.

    How much they approved is known when it was carried out; else it was as much as today.
    """
    refused = next((v.reason for v in verdicts if v.verdict == REFUSED), None)
    if refused is not None:
        return f"decline: {EXPLANATIONS[refused].short}"
    stands = request.state is RequestState.APPROVED and request.stripe_approved is not False
    if stands and request.approved_minor is not None:
        minor = request.approved_minor
    return f"approve {readable(minor)}"


def _in_words(decided: Decided) -> str:
    if isinstance(decided.decision, Decline):
        return f"decline: {EXPLANATIONS[decided.decision.reason].short}"
    return f"approve {readable(_minor(decided))}"


def _minor(decided: Decided) -> int:
    return decided.decision.approved_minor if isinstance(decided.decision, Fund) else 0


def _compared(then: Sequence[Verdict], today: Sequence[Verdict]) -> Iterator[Compared]:
    before = {(v.check, v.rule): _said(v) for v in then}
    now = {(v.check, v.rule): _said(v) for v in today}
    for key in dict.fromkeys([*now, *before]):
        yield Compared(key[0], key[1], before.get(key), now.get(key))


def _said(verdict: Verdict) -> str:
    why = f" ({EXPLANATIONS[verdict.reason].short})" if verdict.reason else ""
    return f"{verdict.verdict}{why}"
