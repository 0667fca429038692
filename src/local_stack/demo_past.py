"""Plays the demo's past on a stack that began in it, and keeps in a file how far it has come."""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from app.clock import real_time
from app.domain.issuing.differences import keep_run
from app.jobs.bookkeeping import DifferencesFound, reconciler
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from app.parts import Parts
from local_stack.data_folder import DataFolder
from local_stack.offline_stripe import OfflineStripe
from local_stack.story import CUSTOMERS, PER_DAY, Chapter, Told, opening_float_minor, play
from local_stack.story_desk import ask_to_write_off, leave_a_failed_job, send_what_fails
from local_stack.story_pieces import pieces
from local_stack.story_stage import Stage

log = structlog.get_logger()

_LOOKS = 5
"""How often the whole past is looked at, some seconds apart, while it is still being settled."""


class Story(msgspec.Struct):
    """From when until when, and up to when it has been played. The home shows the share."""

    begin: datetime
    end: datetime
    played: datetime
    customers: int
    per_day: float

    @property
    def chapter(self) -> Chapter:
        return Chapter(self.begin, self.end, self.customers, self.per_day)


def kept(file: Path) -> Story | None:
    """Give the story that was begun, or None."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Story)
    except FileNotFoundError:
        return None


def keep(file: Path, story: Story) -> None:
    """Write it whole or not at all."""
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(msgspec.json.encode(story))
    unfinished.replace(file)


def begin_story(folder: DataFolder, offline: OfflineStripe, days: int) -> None:
    """Have the time of a new stack begin in the past, and note which time is to be played."""
    end = datetime.now(UTC)
    begin = end - timedelta(days=days)
    story = Story(begin, end, begin, CUSTOMERS, PER_DAY)
    offline.begin_in_past(days, opening_float_minor(story.chapter))
    keep(folder.demo_story, story)


async def play_past(
    parts: Parts, chapter: Chapter, told: Told, played: datetime | None = None
) -> None:
    """Play until now; what was `played` before, as it was told, is not played again."""
    stage = Stage(parts)
    acts = [*chapter.acts(), *pieces(chapter.end, chapter.begin)]
    await play(stage, acts, chapter.end, told, played=played)
    await stage.move_to(datetime.now(UTC))


async def reconcile_again(parts: Parts) -> None:
    """Look for differences now that all has been settled: what was found in between is gone.

    The daily job may have run in the midst of the past, and looks back a month only; so the whole
    past is looked at first, and then the job runs as it does each day. What differs still is shown.
    """
    await Stage(parts).until_worked_off()
    jobs = regular_jobs(parts)
    for _ in range(_LOOKS):
        await run_named(parts.sessions, jobs, "match_balance")
        began = real_time()
        found = await reconciler(parts).run(None, lambda _: None)
        ended, by = real_time(), "the demo"
        await keep_run(parts.sessions, found, since=None, began=began, ended=ended, begun_by=by)
        if not found:
            break
    try:
        await run_named(parts.sessions, jobs, "reconcile")
    except DifferencesFound as error:
        log.warning("demo_past_differs", error=str(error))


async def leave_work(parts: Parts) -> None:
    """Leave something to be done by the staff."""
    await ask_to_write_off(parts)
    await leave_a_failed_job(parts)
    await send_what_fails(parts.settings)


def main() -> None:
    """Begin so many days ago: a process of its own, whose imports the supervisor does without."""
    given = os.environ
    offline = OfflineStripe(int(given["SANDBOX_PORT"]), given["STRIPE_SECRET_KEY"])
    begin_story(DataFolder(Path(given["DATA_DIR"])), offline, int(sys.argv[1]))


if __name__ == "__main__":
    main()
