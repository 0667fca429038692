"""Every combination of what Stripe, the network and our processes can do to one purchase."""

import pytest

from app.domain.funding.states import FundingMode
from tests.postgres import PostgresServer
from tests.simulation.cases import ALL, Case, Outcome, covering
from tests.simulation.playing import bad_ends
from tests.simulation.virtual_time import run_in_virtual_time


def play(server: PostgresServer, database: str, cases: list[Case]) -> None:
    """Play the cases to their ends. Fail with each that is not as it must be."""
    found = run_in_virtual_time(bad_ends(server.app_url(database), cases))
    told = f"{len(cases)} cases, bad ends: {len(found)}"
    print(told)  # noqa: T201 - the result, for `pytest -s`
    assert not found, "\n".join([told, *map(str, found)])


class TestAPurchaseEndsWithOneChargeWhereApprovedAndNoneElsewhere:
    def test_in_cases_that_cover_every_pair(
        self, postgres_server: PostgresServer, database: str
    ) -> None:
        play(postgres_server, database, covering(ALL))

    @pytest.mark.long
    @pytest.mark.parametrize("mode", FundingMode)
    @pytest.mark.parametrize("outcome", Outcome, ids=lambda outcome: outcome.name)
    def test_in_every_case(
        self, postgres_server: PostgresServer, database: str, outcome: Outcome, mode: FundingMode
    ) -> None:
        cases = [case for case in ALL if (case.outcome, case.mode) == (outcome, mode)]

        play(postgres_server, database, cases)


def test_there_are_as_many_cases_as_combinations() -> None:
    assert len(set(ALL)) == 7 * 2 * 2 * 7 * 3 * 3
