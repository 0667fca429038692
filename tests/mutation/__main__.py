"""Makes every leg of every posting rule wrong in every way, as `make mutate-ledger` does.

A wrong version is killed when our books no longer agree with Stripe's, when a purchase that is
over is not cleared, or when a golden differs. It prints what survives; exit code 1 when any does.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.mutation.by_hand import history_by_hand
from tests.mutation.facts import recorded
from tests.mutation.histories import with_goldens
from tests.mutation.mutants import Judge, Judged, legs_of, mutants_of
from tests.soak.coverage import posting_rules


def main() -> int:
    began = time.monotonic()
    histories = [*with_goldens(recorded()), history_by_hand()]
    judge = Judge(histories)
    problems = judge.problems()
    if problems:
        _say("\n".join(["The rules do not give what was recorded and written by hand:", *problems]))
        return 1
    legs = legs_of(one for history in histories for one in history.journals)
    judged = [judge.judge(mutant) for leg in legs for mutant in mutants_of(leg)]
    unseen = sorted(set(posting_rules()) - {leg.rule for leg in legs})
    _say("\n".join([*_table(judged), *(f"no history has {rule}" for rule in unseen)]))
    survived = sum(one.survives for one in judged)
    verdict = "failed" if survived or unseen else "passed"
    _say(
        f"{verdict}: {len(judged)} wrong versions of {len(legs)} legs of"
        f" {len({leg.rule for leg in legs})} rules: {len(judged) - survived} killed"
        f" ({sum(one.by_invariants for one in judged)} by what is always true, the rest by goldens"
        f" alone), {survived} survived, {len(unseen)} rules never seen;"
        f" in {time.monotonic() - began:.0f} s"
    )
    return 1 if survived or unseen else 0


def _table(judged: Sequence[Judged]) -> list[str]:
    killed, survived = Counter[str](), Counter[str]()
    for one in judged:
        (survived if one.survives else killed)[one.mutant.leg.rule] += 1
    lines = [f"{killed[rule]:8} {survived[rule]:9}  {rule}" for rule in sorted(killed | survived)]
    still = [
        f"survived: {one.mutant.leg.rule} {one.mutant.leg.debit} from {one.mutant.leg.credit}"
        f" ({one.mutant.leg.layer}): {one.mutant.what}"
        for one in judged
        if one.survives
    ]
    return ["  killed  survived  rule", *lines, *still]


def _say(words: str) -> None:
    print(words)  # noqa: T201  what it is for


if __name__ == "__main__":
    sys.exit(main())
