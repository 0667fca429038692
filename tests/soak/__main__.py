"""Plays thousands of steps, as `make soak` does; goes on where an earlier run was stopped.

SOAK_STEPS, SOAK_MINUTES, SOAK_SEED and SOAK_PROGRESS (a file) change what it does. The first
violation ends it: what led to it is printed, as it was and shrunk, with the seed that plays it
again. A seed begins anew, and says which mode of funding is played, and how the worker crashes.
"""

import os
import sys
import time
import traceback
from contextlib import redirect_stdout
from pathlib import Path

import msgspec

from app import schema
from app.logs import configure_logs
from tests.postgres import PostgresServer, ephemeral_server
from tests.soak.coverage import Coverage
from tests.soak.playing import MODES, STEPS, play

EXAMPLES = 20
KILLS_EVERY = 5
"""In one round of so many the worker is a process that is killed: taking over takes a while."""


class Progress(msgspec.Struct):
    """What was played so far, by all runs that share the file."""

    seed: int
    rounds: int = 0
    seen: dict[str, int] = {}

    @property
    def steps(self) -> int:
        return self.rounds * EXAMPLES * STEPS


def main() -> int:
    """Play until enough was played. Give 0 when nothing was violated and nothing never reached."""
    steps = int(os.environ.get("SOAK_STEPS", "20000"))
    ends = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "120"))
    file = Path(os.environ.get("SOAK_PROGRESS", ".data/soak.json"))
    file.parent.mkdir(parents=True, exist_ok=True)
    progress = _progress(file)
    coverage = Coverage(progress.seen)
    _say(f"seed {progress.seed}, {progress.steps} of {steps} steps were played before")
    with ephemeral_server() as server, file.with_suffix(".log").open("w") as log:
        with redirect_stdout(log):
            configure_logs()
        template = server.create()
        schema.upgrade(server.owner_url(template), server.app_url(template))
        while progress.steps < steps and time.monotonic() < ends:
            if not _round(server, template, coverage, progress):
                return 1
            progress.seen = dict(coverage.seen)
            file.write_bytes(msgspec.json.encode(progress))
            _say(f"{progress.steps} of {steps} steps")
    _say(coverage.table())
    return _verdict(progress, coverage, steps)


def _round(server: PostgresServer, template: str, coverage: Coverage, progress: Progress) -> bool:
    """Play one round; False, and all about it printed, when something was violated."""
    number = progress.seed + progress.rounds
    mode = MODES[number % len(MODES)]
    try:
        play(
            server,
            template,
            coverage,
            mode=mode,
            seed_is=number,
            examples=EXAMPLES,
            shrinks=True,
            kills=number % KILLS_EVERY == 0,
        )
    except Exception:  # noqa: BLE001  whatever it is, it is a violation
        _say(traceback.format_exc())
        _say(f"violated in {mode} mode, with SOAK_SEED={number}")
        return False
    progress.rounds += 1
    return True


def _progress(file: Path) -> Progress:
    if file.exists() and "SOAK_SEED" not in os.environ:
        return msgspec.json.decode(file.read_bytes(), type=Progress)
    return Progress(int(os.environ.get("SOAK_SEED", str(int(time.time())))))


def _verdict(progress: Progress, coverage: Coverage, steps: int) -> int:
    if progress.steps < steps:
        _say(f"stopped in time after {progress.steps} of {steps} steps; run it again to go on")
        return 0
    never = coverage.never()
    _say(f"{progress.steps} steps, 0 violations, never reached: {', '.join(never) or 'nothing'}")
    return 1 if never else 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201  what it is for


if __name__ == "__main__":
    sys.exit(main())
