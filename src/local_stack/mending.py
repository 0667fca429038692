"""Starts a part again that has ended by itself: later each time, and not for ever."""

import signal
from collections import defaultdict
from collections.abc import Callable

from local_stack.processes import Child
from local_stack.refusal import REFUSED, Failure, Refusal

FIRST_PAUSE_SECONDS = 0.5
MOST_DEATHS = 5
WITHIN_SECONDS = 60.0


class Mender:
    """Remembers when each part died. Moments are monotonic seconds, passed in."""

    def __init__(self, start: Callable[[Child], Child], write: Callable[[str], object]) -> None:
        self._start = start
        self._write = write
        self._deaths: dict[str, list[float]] = defaultdict(list)
        self._due: dict[str, float] = {}

    def mend(self, children: list[Child], now: float) -> None:
        """Look at all parts once, and put a new process in the place of one that is due for it.

        Raises what `ended` gives for a part that keeps on dying.
        """
        for place, child in enumerate(children):
            if child.is_running():
                continue
            name = child.command.name
            if name not in self._due:
                self._note_death(child, now)
            elif now >= self._due[name]:
                del self._due[name]
                child.stop()  # what it started and left behind
                children[place] = self._started(child, now)

    def _started(self, child: Child, now: float) -> Child:
        name = child.command.name
        try:
            started = self._start(child)
        except Failure:
            # It came up no further than into its log: one more death of the same part.
            self._note_death(child, now)
            return child
        self._write(f"The {name} has been started again.\n")
        return started

    def _note_death(self, child: Child, now: float) -> None:
        name = child.command.name
        deaths = [at for at in self._deaths[name] if now - at < WITHIN_SECONDS]
        if len(deaths) >= MOST_DEATHS:
            raise ended(child)
        self._deaths[name] = [*deaths, now]
        pause = FIRST_PAUSE_SECONDS * 2 ** len(deaths)
        self._due[name] = now + pause
        self._write(f"The {name} ended ({how(child)}); starting it again in {pause:.1f} s.\n")


def how(child: Child) -> str:
    """Say how a process ended: SIGKILL, or exit code 3."""
    code = child.process.returncode
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def ended(child: Child) -> Exception:
    """Say why a part ended: with its own sentence when that was a refusal."""
    if child.process.returncode == REFUSED:
        return Refusal(child.last_words(lines=1).strip())
    return Failure(
        f"The {child.command.name} ended with exit code {child.process.returncode}. "
        f"{end_of_log(child)}"
    )


def end_of_log(child: Child) -> str:
    return f"The end of {next(iter(child.logs))}:\n{child.last_words()}"
