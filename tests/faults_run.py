"""Runs every test that breaks something on purpose, the long ones too, as `make faults` does.

At the end it says how often each fault has happened, and in one line what came of it.
"""

import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.fault_names import FAULT, KILLED
from tests.run import QUIETLY

FOLDERS = (
    *("tests/faults", "tests/crashes", "tests/outages", "tests/simulation"),
    # What `make test` plays in one way of funding only.
    *("tests/journeys/settlement", "tests/integration/test_reconcile.py"),
)
LONGEST_SECONDS = 30 * 60
KILL_RUNS = 98
"""Seven places in the decision, seven answers of Stripe's, and what Stripe answers for us."""
SIMULATED = re.compile(r"(\d+) cases, bad ends: (\d+)")
SEED = "seed"


class Tally:
    """Counts how tests ended, and which faults happened in them."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.seeds: list[str] = []
        self.simulated = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.ended["failed"] += 1
        elif report.skipped:
            self.ended["skipped"] += 1
        elif report.when == "call":
            self.ended["passed"] += 1
            self.simulated += sum(int(found[1]) for found in SIMULATED.finditer(report.capstdout))
        if report.when == "teardown":  # when all properties of a test are there
            self.faults.update(
                str(value) for name, value in report.user_properties if name == FAULT
            )
            self.seeds += [
                f"{report.nodeid}: {value}"
                for name, value in report.user_properties
                if name == SEED
            ]

    @property
    def kill_runs(self) -> int:
        return sum(times for name, times in self.faults.items() if name.startswith(KILLED))


def main(arguments: Sequence[str]) -> int:
    """Run, and give pytest's exit code; not 0 either where the whole run left out a kill."""
    began = time.monotonic()
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(LONGEST_SECONDS)
    tally = Tally()
    code = int(pytest.main([*QUIETLY, *FOLDERS, *arguments], plugins=[tally]))
    signal.alarm(0)
    if not arguments and tally.kill_runs != KILL_RUNS:
        code = code or int(pytest.ExitCode.TESTS_FAILED)
    print("\n".join([*_table(tally), _verdict(tally, code, time.monotonic() - began)]))  # noqa: T201  what it is for
    return code


def _give_up(*_: object) -> None:
    """End the run as Ctrl-C does, so that nothing is left behind."""
    raise KeyboardInterrupt


def _table(tally: Tally) -> list[str]:
    faults = [f"  {times:5}  {name}" for name, times in sorted(tally.faults.items())]
    seeds = [f"  seed   {seed}" for seed in tally.seeds]
    return ["", "times  fault", *faults, *seeds]


def _verdict(tally: Tally, code: int, seconds: float) -> str:
    ends = [f"{tally.ended[end]} {end}" for end in ("passed", "failed", "skipped")]
    said = [
        f"{', '.join(ends)} tests",
        f"{tally.kill_runs} of {KILL_RUNS} kill runs",
        f"{tally.faults.total()} faults of {len(tally.faults)} kinds",
        f"{tally.simulated} simulated cases",
    ]
    return f"{'passed' if code == 0 else 'failed'}: {'; '.join(said)}; in {seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
