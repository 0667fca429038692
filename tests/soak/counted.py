"""The rules of the state machine, each counted when it is played."""

import functools
from collections.abc import Callable
from typing import Any

from hypothesis.stateful import rule

Method = Callable[..., None]

RULES: list[str] = []
"""Their names, in the order they are written."""


def counted(**given: Any) -> Callable[[Method], Method]:
    """Make a rule of a method, as Hypothesis does, and note each time that it is played."""

    def made(method: Method) -> Method:
        name = f"rule · {method.__name__.replace('_', ' ')}"
        RULES.append(name)

        @functools.wraps(method)
        def played(machine: Any, *args: Any, **picked: Any) -> None:
            machine.stage.coverage.seen[name] += 1
            method(machine, *args, **picked)

        made_of: Method = rule(**given)(played)  # type: ignore[no-untyped-call]
        return made_of

    return made
