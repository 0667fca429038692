"""Histories that nobody thought of, thirty steps each, on the real product."""

from collections.abc import Callable

import pytest

from tests.postgres import PostgresServer
from tests.soak.coverage import Coverage
from tests.soak.playing import MODES, play

EXAMPLES = 10
"""In each mode: twenty in all. `make soak` plays many more."""
SEED = 4242
"""The same choices each time: what a change breaks shows with that change."""


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("mode", MODES)
def test_any_history_ends_with_every_cent_where_it_belongs(
    postgres_server: PostgresServer,
    template: str,
    mode: str,
    record_property: Callable[[str, object], None],
) -> None:
    number = SEED
    record_property("seed", number)
    print(f"seed {number}")  # noqa: T201  shown where it fails
    coverage = Coverage()

    play(
        postgres_server,
        template,
        coverage,
        mode=mode,
        seed_is=number,
        examples=EXAMPLES,
        shrinks=False,
    )

    assert coverage.illegal() == []
