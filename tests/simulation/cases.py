"""Everything that can be different about one purchase, and every combination of it."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import combinations, product

import msgspec

from app.domain.funding.states import FundingMode
from app.failpoints import Place


class Outcome(StrEnum):
    """What Stripe makes of a charge."""

    IN_TIME = "succeeds in time"
    SLOW = "succeeds long after we have stopped waiting"
    ERROR_CREATED = "500, though it was made"
    ERROR_NOT_CREATED = "500, and it was not made"
    TOO_MANY = "429"
    REFUSED = "402, the bank refuses"
    HANGS = "no answer, and it is never made"


class Default(StrEnum):
    """What Stripe does with a purchase when it has no answer from us in time."""

    APPROVE = "approve"
    DECLINE = "decline"


class Fate(StrEnum):
    """What becomes of our answer to the first delivery."""

    ARRIVES = "arrives"
    LOST = "is lost"
    TOO_LATE = "arrives too late"


class Duplicates(StrEnum):
    """When the same question comes again."""

    NONE = "never"
    AT_ONCE = "with the first, to the same process and to another"
    AFTERWARDS = "after Stripe has decided, and when all is settled"


NO_CRASH = None
CRASHES = (
    Place.VERIFIED,
    Place.RECORDED,
    Place.CHARGING,
    Place.CHARGED,
    Place.WRITTEN,
    Place.ANSWERED,
    NO_CRASH,
)


class Case(msgspec.Struct, frozen=True):
    """One purchase. `crash` is where the process that was asked first dies."""

    outcome: Outcome
    mode: FundingMode
    default: Default
    crash: Place | None
    fate: Fate
    duplicates: Duplicates

    @property
    def cannot_be_charged(self) -> bool:
        """Whether no attempt will ever succeed: a bank that refuses goes on refusing."""
        return self.outcome is Outcome.REFUSED


ALL = [Case(*of) for of in product(Outcome, FundingMode, Default, CRASHES, Fate, Duplicates)]


def covering(cases: Sequence[Case]) -> list[Case]:
    """Give few of the cases that have every pair of values in one of them, always the same."""
    missing = {case: _pairs(case) for case in cases}
    wanted = set[tuple[object, ...]]().union(*missing.values())
    chosen = []
    while wanted:
        best = max(cases, key=lambda case: len(missing[case] & wanted))
        chosen.append(best)
        wanted -= missing[best]
    return chosen


def _pairs(case: Case) -> set[tuple[object, ...]]:
    return set(combinations(enumerate(msgspec.structs.astuple(case)), 2))
