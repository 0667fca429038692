"""The judge of `make mutate-ledger` must itself be right: it finds what is wrong, and all of it."""

import pytest

from tests.mutation.by_hand import history_by_hand
from tests.mutation.facts import recorded
from tests.mutation.histories import History, with_goldens
from tests.mutation.mutants import Judge, legs_of, mutants_of
from tests.soak.coverage import posting_rules


@pytest.fixture(scope="module")
def histories() -> list[History]:
    return [*with_goldens(recorded()), history_by_hand()]


def test_rules_give_what_was_recorded_and_written_by_hand(histories: list[History]) -> None:
    assert Judge(histories).problems() == []


def test_every_rule_has_a_history(histories: list[History]) -> None:
    legs = legs_of(one for history in histories for one in history.journals)

    assert {leg.rule for leg in legs} == set(posting_rules())


def test_no_wrong_version_of_a_leg_survives(histories: list[History]) -> None:
    judge = Judge(histories)
    legs = legs_of(one for history in histories for one in history.journals)

    judged = [judge.judge(mutant) for leg in legs for mutant in mutants_of(leg)]

    assert [one.mutant for one in judged if one.survives] == []


def test_without_goldens_some_survive(histories: list[History]) -> None:
    """A fee on the wrong expense account balances, and agrees with Stripe."""
    bare = [History(one.facts, {}, one.whole) for one in histories]
    judge = Judge(bare)
    legs = legs_of(one for history in bare for one in history.journals)
    [fee] = [leg for leg in legs if leg.rule == "processing_fee"]

    survivors = [m.what for m in mutants_of(fee) if not judge.judge(m).by_invariants]

    assert "debits 5010" in survivors
