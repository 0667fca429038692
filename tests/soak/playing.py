"""Plays rounds of examples, each round on a product of its own, each with a seed that is told."""

import gc

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from tests.postgres import PostgresServer
from tests.soak.coverage import Coverage
from tests.soak.killed import KilledWorker
from tests.soak.machine import Purchases
from tests.soak.stage import Stage
from tests.soak.worker import CrashingWorker

STEPS = 30
MODES = ("hold", "charge")


def play(
    server: PostgresServer,
    template: str,
    coverage: Coverage,
    *,
    mode: str,
    seed_is: int,
    examples: int,
    shrinks: bool,
    kills: bool = False,
) -> None:
    """Play a round. Raises the first violation, with what had happened in its notes.

    With `kills` the worker is a process of its own, and a crash of it is one.
    """
    stage = Stage(server, template, mode, coverage, KilledWorker if kills else CrashingWorker)
    try:
        while stage.examples < examples:
            left = examples - stage.examples
            _play(stage, seed_is + stage.examples, left, shrinks=shrinks)
    finally:
        stage.close()
        gc.collect()  # what the crashes left open is told of here, and not in the next test


def _play(stage: Stage, seed_is: int, examples: int, *, shrinks: bool) -> None:
    """Play until a violation, or so many examples; fewer, where one could not be played again.

    The product is quicker or slower each time, and what there is to choose from differs with it.
    """

    @seed(seed_is)
    class Played(Purchases):
        pass

    Played.stage = stage
    phases = (Phase.generate, Phase.shrink) if shrinks else (Phase.generate,)
    wanted = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.normal,
        suppress_health_check=list(HealthCheck),
        phases=phases,
    )
    try:
        run_state_machine_as_test(Played, settings=wanted)
    except Flaky:
        if stage.violations:
            raise
