"""A part that dies is started again, later each time; one that keeps on dying ends the stack."""

from pathlib import Path

import pytest

from local_stack.mending import MOST_DEATHS, WITHIN_SECONDS, Mender
from local_stack.processes import Child, Command, Logs, spawn
from local_stack.refusal import Failure, Refusal


class Parts:
    """One part whose process ends at once, and the terminal that is told about it."""

    def __init__(self, folder: Path, script: str) -> None:
        self.command = Command("worker", ["/bin/sh", "-c", script])
        self.log = Logs.in_one(folder / "worker.log")
        self.said: list[str] = []
        self.mender = Mender(self.start, self.said.append)
        self.children = [self.start(None)]
        self.wait()

    def start(self, _: Child | None) -> Child:
        return spawn(self.command, self.log)

    def wait(self) -> None:
        self.children[0].process.wait(10)

    def die_again(self, at: float) -> None:
        """Have the death noticed, and the part started again and dead once more."""
        self.mender.mend(self.children, at)
        before = self.children[0]
        self.mender.mend(self.children, at + 30)
        assert self.children[0] is not before
        self.wait()


def test_a_part_that_dies_is_started_again_after_a_pause(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "kill -KILL $$")
    first = parts.children[0]

    parts.mender.mend(parts.children, 100.0)
    parts.mender.mend(parts.children, 100.4)
    assert parts.children == [first]
    parts.mender.mend(parts.children, 100.5)

    assert parts.children != [first]
    assert parts.said == [
        "The worker ended (SIGKILL); starting it again in 0.5 s.\n",
        "The worker has been started again.\n",
    ]
    parts.wait()


def test_a_part_that_keeps_on_dying_is_given_up_with_the_end_of_its_log(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "echo no disk; exit 3")
    for number in range(MOST_DEATHS):
        parts.die_again(100.0 + number)

    with pytest.raises(Failure, match="exit code 3") as told:
        parts.mender.mend(parts.children, 110.0)

    assert "no disk" in str(told.value)
    pauses = [line.rpartition(" in ")[2] for line in parts.said if " in " in line]
    assert pauses == ["0.5 s.\n", "1.0 s.\n", "2.0 s.\n", "4.0 s.\n", "8.0 s.\n"]


def test_a_part_that_refuses_is_given_up_with_its_own_sentence(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "echo PORT 8000 is taken; exit 2")
    for number in range(MOST_DEATHS):
        parts.die_again(100.0 + number)

    with pytest.raises(Refusal, match=r"^PORT 8000 is taken$"):
        parts.mender.mend(parts.children, 110.0)


def test_deaths_far_apart_are_forgotten(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "exit 3")
    for number in range(3 * MOST_DEATHS):
        parts.die_again(number * (WITHIN_SECONDS + 1))

    assert {line for line in parts.said if " in " in line} == {
        "The worker ended (exit code 3); starting it again in 0.5 s.\n"
    }


def test_a_start_that_fails_is_one_more_death(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "exit 3")

    def fail(_: Child) -> Child:
        raise Failure("it does not come up")

    parts.mender = Mender(fail, parts.said.append)
    parts.mender.mend(parts.children, 100.0)
    parts.mender.mend(parts.children, 101.0)
    assert "in 1.0 s" in parts.said[-1]
    for moment in (103.0, 108.0, 117.0):
        parts.mender.mend(parts.children, moment)
    assert "in 8.0 s" in parts.said[-1]
    with pytest.raises(Failure, match="The worker ended"):
        parts.mender.mend(parts.children, 134.0)
