"""The simulation finds what it is there to find."""

from datetime import timedelta

import pytest

from app.domain.issuing import repair
from app.failpoints import Place
from tests.postgres import PostgresServer
from tests.simulation.cases import ALL, NO_CRASH, Case, Default, Duplicates, Fate, Outcome
from tests.simulation.mistakes import EveryDeliveryIsNew, RandomKeys, RecordsAfterwards
from tests.simulation.playing import Build, bad_ends
from tests.simulation.virtual_time import run_in_virtual_time

NO_WAIT = timedelta(0)


def asked_twice(case: Case) -> bool:
    return case.duplicates is Duplicates.AT_ONCE and case.crash is NO_CRASH


def slow(case: Case) -> bool:
    return case.outcome is Outcome.SLOW and case.crash is NO_CRASH


def dies_with_a_charge_made(case: Case) -> bool:
    made = case.outcome is Outcome.IN_TIME and case.crash in {Place.CHARGING, Place.CHARGED}
    return made and case.duplicates is Duplicates.NONE and case.default is Default.DECLINE


@pytest.mark.parametrize(
    ("build", "cases", "problem"),
    [
        (
            Build(store=EveryDeliveryIsNew, processor=RandomKeys),
            [case for case in ALL if asked_twice(case) and case.fate is Fate.ARRIVES],
            "[2149, 2149] is live where [2149] must be",
        ),
        (
            Build(wait=NO_WAIT),
            [case for case in ALL if slow(case)],
            "[2149] is live where [] must be",
        ),
    ],
    ids=["a new key for each delivery", "a repair that does not wait"],
)
def test_a_planted_mistake_is_found(
    postgres_server: PostgresServer,
    database: str,
    build: Build,
    cases: list[Case],
    problem: str,
) -> None:
    url = postgres_server.app_url(database)

    found = run_in_virtual_time(bad_ends(url, cases, build))

    assert any(problem in told for end in found for told in end.problems)


def test_no_record_beforehand_is_found(
    postgres_server: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repair heals it where Stripe says that it asked: the mistake is planted without that."""
    monkeypatch.setattr(repair, "_forgotten", lambda _: False)
    url = postgres_server.app_url(database)
    cases = [case for case in ALL if dies_with_a_charge_made(case)]

    found = run_in_virtual_time(bad_ends(url, cases, Build(store=RecordsAfterwards)))

    assert any("[2149] is live where [] must be" in told for end in found for told in end.problems)
